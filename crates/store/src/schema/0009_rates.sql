-- The one account of each rate limit, where several nodes count it; `installation` says which node counts
-- alone, in its memory, if one does. `paid_at_ns` is nanoseconds since 1970.

CREATE TABLE rates (
    meter_id {bytes} NOT NULL,
    name TEXT NOT NULL,
    paid_at_ns BIGINT NOT NULL,
    PRIMARY KEY (meter_id, name)
) {clustered};

INSERT INTO installation (name, value) VALUES ('rates_counted_by', '');
UPDATE installation SET value = '8' WHERE name = 'schema_oldest_binary';
