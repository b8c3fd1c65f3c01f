-- One text for both engines; {bytes}, {sequence} and {clustered} are their only differences.
-- Times are microseconds since the epoch, UTC. Identifiers compare by bytes on both.

CREATE TABLE installation (
    name TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
INSERT INTO installation (name, value) VALUES ('schema_oldest_binary', '1');

CREATE TABLE peppers (
    version BIGINT NOT NULL PRIMARY KEY,
    wrapped {bytes} NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE organizations (
    id {bytes} NOT NULL PRIMARY KEY,
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT organizations_slug UNIQUE (slug)
);
CREATE INDEX organizations_page ON organizations (created_at, id);

CREATE TABLE projects (
    id {bytes} NOT NULL PRIMARY KEY,
    organization_id {bytes} NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    prefix TEXT NOT NULL,
    system BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT projects_slug UNIQUE (organization_id, slug)
);
CREATE INDEX projects_page ON projects (organization_id, created_at, id);

CREATE TABLE environments (
    id {bytes} NOT NULL PRIMARY KEY,
    organization_id {bytes} NOT NULL,
    project_id {bytes} NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    slug TEXT NOT NULL,
    tag TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT environments_slug UNIQUE (project_id, slug),
    CONSTRAINT environments_tag UNIQUE (project_id, tag)
);
CREATE INDEX environments_page ON environments (project_id, created_at, id);

CREATE TABLE permissions (
    id {bytes} NOT NULL PRIMARY KEY,
    organization_id {bytes} NOT NULL,
    project_id {bytes} NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    public_safe BOOLEAN NOT NULL,
    sensitive BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT permissions_name UNIQUE (project_id, name)
);
CREATE INDEX permissions_page ON permissions (project_id, created_at, id);

CREATE TABLE roles (
    id {bytes} NOT NULL PRIMARY KEY,
    organization_id {bytes} NOT NULL,
    project_id {bytes} NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    permissions TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT roles_name UNIQUE (project_id, name)
);
CREATE INDEX roles_page ON roles (project_id, created_at, id);

CREATE TABLE service_accounts (
    id {bytes} NOT NULL PRIMARY KEY,
    organization_id {bytes} NOT NULL,
    project_id {bytes} NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    description TEXT NOT NULL,
    ceiling TEXT,
    disabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT service_accounts_name UNIQUE (project_id, name)
);
CREATE INDEX service_accounts_page ON service_accounts (project_id, created_at, id);

CREATE TABLE consumers (
    id {bytes} NOT NULL PRIMARY KEY,
    organization_id {bytes} NOT NULL,
    project_id {bytes} NOT NULL REFERENCES projects (id),
    name TEXT NOT NULL,
    external_id TEXT,
    contact TEXT,
    ceiling TEXT,
    limits TEXT NOT NULL,
    quota TEXT,
    disabled BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT consumers_external_id UNIQUE (project_id, external_id)
);
CREATE INDEX consumers_page ON consumers (project_id, created_at, id);

CREATE TABLE policies (
    organization_id {bytes} NOT NULL,
    hash {bytes} NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (organization_id, hash)
) {clustered};

-- `owner` is a kind (1 service account, 2 consumer) and 16 bytes; `search` is the name and the id
-- in ASCII lower case. The owner stands once more as a reference, so that it cannot go first. What the keyring needs stands first: a row's head is read without its tail.
CREATE TABLE keys (
    id {bytes} NOT NULL PRIMARY KEY,
    organization_id {bytes} NOT NULL,
    environment_id {bytes} NOT NULL REFERENCES environments (id),
    lineage_id {bytes} NOT NULL,
    kind TEXT NOT NULL,
    digest {bytes} NOT NULL,
    pepper_version BIGINT NOT NULL,
    owner {bytes} NOT NULL,
    consumer_id {bytes} REFERENCES consumers (id),
    policy_hash {bytes} NOT NULL,
    disabled BOOLEAN NOT NULL,
    suspended_until BIGINT,
    revoked_at BIGINT,
    not_before BIGINT,
    expires_at BIGINT,
    project_id {bytes} NOT NULL,
    name TEXT NOT NULL,
    start TEXT NOT NULL,
    revoked_reason TEXT,
    metadata TEXT,
    created_at BIGINT NOT NULL,
    created_by {bytes},
    created_from TEXT,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    search TEXT NOT NULL,
    owner_account {bytes} REFERENCES service_accounts (id),
    owner_consumer {bytes} REFERENCES consumers (id),
    FOREIGN KEY (organization_id, policy_hash) REFERENCES policies (organization_id, hash)
) {clustered};
CREATE INDEX keys_page ON keys (project_id, created_at, id);
CREATE INDEX keys_environment ON keys (environment_id, created_at, id);
CREATE INDEX keys_owner ON keys (owner, created_at, id);
CREATE INDEX keys_consumer ON keys (consumer_id, created_at, id);
CREATE INDEX keys_lineage ON keys (lineage_id);
CREATE INDEX keys_policy ON keys (organization_id, policy_hash);

CREATE TABLE key_tags (
    key_id {bytes} NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    tag TEXT NOT NULL,
    PRIMARY KEY (key_id, tag)
) {clustered};

CREATE TABLE key_roles (
    key_id {bytes} NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    role_id {bytes} NOT NULL REFERENCES roles (id),
    PRIMARY KEY (key_id, role_id)
) {clustered};
CREATE INDEX key_roles_role ON key_roles (role_id);

-- The permissions that a key names exactly. The project is the key's.
CREATE TABLE key_grants (
    key_id {bytes} NOT NULL REFERENCES keys (id) ON DELETE CASCADE,
    project_id {bytes} NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (key_id, name),
    FOREIGN KEY (project_id, name) REFERENCES permissions (project_id, name)
) {clustered};
CREATE INDEX key_grants_name ON key_grants (project_id, name);

CREATE TABLE meters (
    id {bytes} NOT NULL PRIMARY KEY,
    organization_id {bytes} NOT NULL,
    credits_remaining BIGINT,
    credits_refill_at BIGINT,
    quota_used BIGINT NOT NULL,
    quota_resets_at BIGINT
) {clustered};

CREATE TABLE seen (
    lineage_id {bytes} NOT NULL PRIMARY KEY,
    organization_id {bytes} NOT NULL,
    last_used_at BIGINT,
    last_refused_at BIGINT,
    passed BIGINT NOT NULL,
    refused BIGINT NOT NULL,
    body TEXT NOT NULL
) {clustered};

-- Without a project or environment, 16 zero bytes stand for it.
CREATE TABLE unknown_attempts (
    organization_id {bytes} NOT NULL,
    project_id {bytes} NOT NULL,
    environment_id {bytes} NOT NULL,
    code TEXT NOT NULL,
    count BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (organization_id, project_id, environment_id, code)
) {clustered};

CREATE TABLE audit (
    id {bytes} NOT NULL PRIMARY KEY,
    organization_id {bytes} NOT NULL,
    at BIGINT NOT NULL,
    actor_kind TEXT NOT NULL,
    actor_key {bytes},
    actor_owner TEXT,
    address TEXT,
    action TEXT NOT NULL,
    target_kind TEXT NOT NULL,
    target_id TEXT NOT NULL,
    target_name TEXT NOT NULL,
    project_id {bytes},
    before_body TEXT,
    after_body TEXT,
    request_id TEXT
);
CREATE INDEX audit_page ON audit (organization_id, at, id);
CREATE INDEX audit_project ON audit (project_id, at, id);
CREATE INDEX audit_target ON audit (target_id, at, id);
CREATE INDEX audit_actor ON audit (actor_key, at, id);
CREATE INDEX audit_request ON audit (request_id, at, id);

CREATE TABLE feed (
    seq {sequence},
    at BIGINT NOT NULL,
    organization_id {bytes} NOT NULL,
    kind TEXT NOT NULL,
    target {bytes} NOT NULL
);
CREATE INDEX feed_at ON feed (at);
