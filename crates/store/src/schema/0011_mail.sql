-- What becomes of a notice on its way out. `state` stays what it was when the notice was written, so that an
-- older binary goes on reading it; `outcome` is NULL while it is to be sent.

ALTER TABLE outbox ADD COLUMN attempts BIGINT NOT NULL DEFAULT 0;
ALTER TABLE outbox ADD COLUMN next_at BIGINT;
ALTER TABLE outbox ADD COLUMN sending_since BIGINT;
ALTER TABLE outbox ADD COLUMN retried_at BIGINT;
ALTER TABLE outbox ADD COLUMN outcome TEXT;
ALTER TABLE outbox ADD COLUMN closed_at BIGINT;
ALTER TABLE outbox ADD COLUMN last_error TEXT;
ALTER TABLE outbox ADD COLUMN delivered TEXT;
CREATE INDEX outbox_open ON outbox (created_at) WHERE state = 'waiting' AND outcome IS NULL;
UPDATE installation SET value = '9' WHERE name = 'schema_oldest_binary';
