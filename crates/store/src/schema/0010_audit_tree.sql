-- The audit as a Merkle tree for each organization. A record is committed without a place; within a second it
-- gets the next one, with its salt and leaf. `audit_deleted` is what retention leaves of a record.

ALTER TABLE audit ADD COLUMN position BIGINT;
ALTER TABLE audit ADD COLUMN salt {bytes};
ALTER TABLE audit ADD COLUMN leaf {bytes};
CREATE UNIQUE INDEX audit_position ON audit (organization_id, position);
CREATE INDEX audit_waiting ON audit (organization_id, at, id) WHERE position IS NULL;

CREATE TABLE audit_deleted (
    audit_id {bytes} NOT NULL PRIMARY KEY,
    organization_id {bytes} NOT NULL,
    position BIGINT NOT NULL,
    leaf {bytes} NOT NULL
);
CREATE UNIQUE INDEX audit_deleted_position ON audit_deleted (organization_id, position);

-- `edge` is the tree's right edge, as `domain::audit::tree` reads it; `verifier` is what verifies its
-- checkpoints.
CREATE TABLE audit_trees (
    organization_id {bytes} NOT NULL PRIMARY KEY,
    size BIGINT NOT NULL,
    edge {bytes} NOT NULL,
    verifier TEXT NOT NULL
);

CREATE TABLE audit_checkpoints (
    id {bytes} NOT NULL PRIMARY KEY,
    organization_id {bytes} NOT NULL,
    size BIGINT NOT NULL,
    note TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX audit_checkpoints_page ON audit_checkpoints (organization_id, created_at, id);

UPDATE installation SET value = '8' WHERE name = 'schema_oldest_binary';
