-- Which open database wrote a row of the feed: it has applied its own changes, and reads none of them again. Rows of
-- older binaries name none.

ALTER TABLE feed ADD COLUMN origin {bytes};
UPDATE installation SET value = '9' WHERE name = 'schema_oldest_binary' AND CAST(value AS BIGINT) < 9;
