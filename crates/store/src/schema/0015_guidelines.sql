-- Guidelines: an organization's rules for handling keys, each version kept, and what each member has read: a version
-- of them, or a lesson.

CREATE TABLE guidelines (
    organization_id {bytes} NOT NULL REFERENCES organizations (id),
    version BIGINT NOT NULL,
    body TEXT NOT NULL,
    published_at BIGINT NOT NULL,
    PRIMARY KEY (organization_id, version)
);

CREATE TABLE readings (
    member_id {bytes} NOT NULL REFERENCES members (id),
    what TEXT NOT NULL,
    version BIGINT NOT NULL,
    read_at BIGINT NOT NULL,
    PRIMARY KEY (member_id, what, version)
) {clustered};
UPDATE installation SET value = '9' WHERE name = 'schema_oldest_binary' AND CAST(value AS BIGINT) < 9;
