-- What an Idempotency-Key was answered: written with the effect, so that a retry finds both or
-- neither. `id` and `request` are keyed digests; `answer` is sealed, and its key is not stored.
CREATE TABLE replays (
    id {bytes} NOT NULL PRIMARY KEY,
    organization_id {bytes} NOT NULL,
    request {bytes} NOT NULL,
    at BIGINT NOT NULL,
    ids TEXT NOT NULL,
    answer {bytes},
    answer_until BIGINT NOT NULL
) {clustered};
CREATE INDEX replays_at ON replays (at);
CREATE INDEX replays_answer_until ON replays (answer_until);
UPDATE installation SET value = '1' WHERE name = 'schema_oldest_binary';
