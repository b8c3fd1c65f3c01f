-- Policies that an organization wrote, in Cedar: for itself (no project) or for one of its projects. An older binary
-- reads all of it until there is a policy: the first one raises `schema_oldest_binary`, for a binary that asks no
-- policy would let pass what one forbids.

CREATE TABLE access_policies (
    id {bytes} NOT NULL PRIMARY KEY,
    organization_id {bytes} NOT NULL REFERENCES organizations (id),
    project_id {bytes} REFERENCES projects (id),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    body TEXT NOT NULL,
    enabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT access_policies_name UNIQUE (organization_id, name)
);
CREATE INDEX access_policies_page ON access_policies (organization_id, created_at, id);
