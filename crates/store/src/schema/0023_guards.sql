-- How the APIs of projects are guarded: one row for each that is, and what observing found. An older binary reads all
-- of it until there is a guard: the first one raises `schema_oldest_binary`, for a binary that knows none could not
-- follow what others change of it.

CREATE TABLE guards (
    project_id {bytes} NOT NULL PRIMARY KEY REFERENCES projects (id),
    organization_id {bytes} NOT NULL REFERENCES organizations (id),
    body TEXT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL
) {clustered};

CREATE TABLE guard_observations (
    project_id {bytes} NOT NULL,
    environment_id {bytes} NOT NULL,
    route TEXT NOT NULL,
    code TEXT NOT NULL,
    key_id TEXT NOT NULL,
    organization_id {bytes} NOT NULL,
    count BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (project_id, environment_id, route, code, key_id)
) {clustered};
