-- What is looked for in every turn, found without a walk through all checkpoints: whether a tree has one of its size,
-- and which of a few days may be forgotten.

CREATE INDEX audit_checkpoints_size ON audit_checkpoints (organization_id, size);
CREATE INDEX audit_checkpoints_created ON audit_checkpoints (created_at, id);
UPDATE installation SET value = '9' WHERE name = 'schema_oldest_binary' AND CAST(value AS BIGINT) < 9;
