-- Nodes that share one database, and the hourly jobs that one of them does. A node's `beat` counts
-- up while it lives; `feed_mark` is how far it has applied the feed.
UPDATE installation SET value = '1' WHERE name = 'schema_oldest_binary';

CREATE TABLE nodes (
    id {bytes} NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL,
    beat BIGINT NOT NULL,
    feed_mark BIGINT NOT NULL
) {clustered};

CREATE TABLE jobs (
    name TEXT NOT NULL PRIMARY KEY,
    next_at BIGINT NOT NULL
) {clustered};

-- Counts how often new credits have replaced the account, so that blocks of the old end with it.
ALTER TABLE meters ADD COLUMN credits_epoch BIGINT NOT NULL DEFAULT 0;
