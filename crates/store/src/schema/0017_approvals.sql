-- Requests for approvals. `wish` is what was asked for and `needs` why it must be approved, as JSON; `digest` is of
-- what it comes to. Nothing of it refers to people or keys: who is deleted, and what, stays named. An older binary
-- does not read guardrails that demand approvals, and so makes no key past them.

CREATE TABLE approvals (
    id {bytes} NOT NULL PRIMARY KEY,
    organization_id {bytes} NOT NULL REFERENCES organizations (id),
    project_id {bytes} NOT NULL,
    environment_id {bytes} NOT NULL,
    requester_id {bytes} NOT NULL,
    team_id {bytes},
    key_id {bytes},
    lineage_id {bytes},
    key_version BIGINT,
    name TEXT NOT NULL,
    why TEXT NOT NULL,
    wish TEXT NOT NULL,
    needs TEXT NOT NULL,
    digest {bytes} NOT NULL,
    state TEXT NOT NULL,
    decided_by {bytes},
    decided_at BIGINT,
    comment TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX approvals_page ON approvals (organization_id, created_at, id);
CREATE INDEX approvals_open ON approvals (organization_id, requester_id, expires_at)
    WHERE state IN ('pending', 'approved');
CREATE INDEX approvals_of_lineage ON approvals (lineage_id);
UPDATE installation SET value = '9' WHERE name = 'schema_oldest_binary' AND CAST(value AS BIGINT) < 9;
