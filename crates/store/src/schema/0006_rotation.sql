-- Rotation: which key takes over from which, what was seen of the old one, each project's plan, and
-- the notices that go out about it. No reference to keys: a purged key takes its rows with it.

CREATE TABLE rotations (
    new_key_id {bytes} NOT NULL PRIMARY KEY,
    old_key_id {bytes} NOT NULL,
    organization_id {bytes} NOT NULL,
    state TEXT NOT NULL,
    overlap_seconds BIGINT,
    old_expires_at BIGINT,
    started_at BIGINT NOT NULL,
    first_used_at BIGINT,
    ends_at BIGINT,
    closed_at BIGINT,
    revoke_lineage_on_reuse BOOLEAN NOT NULL
) {clustered};
CREATE INDEX rotations_old ON rotations (old_key_id);
CREATE INDEX rotations_state ON rotations (state, ends_at);
-- Whatever comes at once, a key is rotated into one other.
CREATE UNIQUE INDEX rotations_one_open ON rotations (old_key_id) WHERE state = 'draining';

-- `phase` is `draining` or `reused`.
CREATE TABLE drain_seen (
    key_id {bytes} NOT NULL,
    phase TEXT NOT NULL,
    organization_id {bytes} NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (key_id, phase)
) {clustered};

CREATE TABLE rotation_plans (
    project_id {bytes} NOT NULL PRIMARY KEY REFERENCES projects (id),
    organization_id {bytes} NOT NULL,
    max_age_days BIGINT,
    notice_days BIGINT NOT NULL,
    grace_seconds BIGINT NOT NULL,
    revoke_lineage_on_reuse BOOLEAN NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
) {clustered};

-- `once` names the occasion: the same notice is never written twice.
CREATE TABLE outbox (
    id {bytes} NOT NULL PRIMARY KEY,
    organization_id {bytes} NOT NULL,
    project_id {bytes} NOT NULL,
    kind TEXT NOT NULL,
    key_id {bytes} NOT NULL,
    once TEXT NOT NULL,
    recipients TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT outbox_once UNIQUE (once)
);
CREATE INDEX outbox_page ON outbox (project_id, created_at, id);
CREATE INDEX outbox_key ON outbox (key_id, kind);
CREATE INDEX outbox_age ON outbox (created_at);
UPDATE installation SET value = '5' WHERE name = 'schema_oldest_binary';
