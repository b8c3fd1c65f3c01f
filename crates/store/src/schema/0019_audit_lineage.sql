-- Whose lineage the keys are by which, and on which, something was done: what one key did and what was done to it is
-- one question, whatever it was rotated into. What is in the tree has it, and a node that does not know of it would
-- commit to less: all nodes know it, or start no more.

ALTER TABLE audit ADD COLUMN actor_lineage {bytes};
ALTER TABLE audit ADD COLUMN target_lineage {bytes};
CREATE INDEX audit_actor_lineage ON audit (actor_lineage, at, id) WHERE actor_lineage IS NOT NULL;
CREATE INDEX audit_target_lineage ON audit (target_lineage, at, id) WHERE target_lineage IS NOT NULL;
UPDATE installation SET value = '19' WHERE name = 'schema_oldest_binary' AND CAST(value AS BIGINT) < 19;
