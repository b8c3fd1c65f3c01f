-- What keys may be at most. An organization's has the organization's id, a project's the project's:
-- one row each.

CREATE TABLE guardrails (
    id {bytes} NOT NULL PRIMARY KEY,
    organization_id {bytes} NOT NULL REFERENCES organizations (id),
    project_id {bytes} REFERENCES projects (id),
    body TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
) {clustered};

UPDATE installation SET value = '1' WHERE name = 'schema_oldest_binary';
