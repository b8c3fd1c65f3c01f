-- Keys that others issued: `lookup` finds one by its token, `prefix` those whose slow digest must be
-- computed anew; `digest` proves it in place of the key's own, because it changes together with `lookup`;
-- `source` stays what it was imported by, so that nothing is imported twice. None says anything without
-- the pepper, which also seals `verifier`.
CREATE TABLE imports (
    key_id {bytes} NOT NULL PRIMARY KEY REFERENCES keys (id) ON DELETE CASCADE,
    organization_id {bytes} NOT NULL,
    project_id {bytes} NOT NULL,
    form TEXT NOT NULL,
    source {bytes} NOT NULL,
    lookup {bytes} NOT NULL,
    digest {bytes} NOT NULL,
    pepper_version BIGINT NOT NULL,
    external_id TEXT,
    prefix TEXT,
    verifier {bytes},
    CONSTRAINT imports_source UNIQUE (source),
    CONSTRAINT imports_lookup UNIQUE (lookup),
    CONSTRAINT imports_external_id UNIQUE (project_id, external_id)
) {clustered};
-- A binary that does not know these keys calls them malformed: it may run beside, and refuses them.
UPDATE installation SET value = '5' WHERE name = 'schema_oldest_binary';
