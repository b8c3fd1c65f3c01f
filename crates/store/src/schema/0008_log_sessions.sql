-- Who writes a log beside the database: a row for each process that began to, so that a backup says
-- whose logs must be there when it is restored. `log` is the log's id; NULL when none is kept.

CREATE TABLE log_sessions (
    number BIGINT NOT NULL PRIMARY KEY,
    place TEXT NOT NULL,
    log {bytes},
    began_at BIGINT NOT NULL,
    ended_at BIGINT
);
-- A binary from before keeps no log: what it changed beside others would be in none.
UPDATE installation SET value = '8' WHERE name = 'schema_oldest_binary';
