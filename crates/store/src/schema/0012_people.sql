-- People: an account signs in, a member is an account's place in an organization, a team holds what its members
-- may do together, a seat is a member's place in a team. `grants` are JSON. An older binary reads all of it
-- until there is a member: the first one raises `schema_oldest_binary`.

CREATE TABLE accounts (
    id {bytes} NOT NULL PRIMARY KEY,
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    password TEXT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT accounts_email UNIQUE (email)
);

CREATE TABLE members (
    id {bytes} NOT NULL PRIMARY KEY,
    organization_id {bytes} NOT NULL REFERENCES organizations (id),
    account_id {bytes} REFERENCES accounts (id),
    email TEXT NOT NULL,
    name TEXT NOT NULL,
    grants TEXT NOT NULL,
    disabled BOOLEAN NOT NULL,
    disabled_at BIGINT,
    joined_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT members_email UNIQUE (organization_id, email),
    CONSTRAINT members_account UNIQUE (organization_id, account_id)
);
CREATE INDEX members_page ON members (organization_id, created_at, id);
CREATE INDEX members_of_account ON members (account_id);

CREATE TABLE teams (
    id {bytes} NOT NULL PRIMARY KEY,
    organization_id {bytes} NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    purpose TEXT NOT NULL,
    contact TEXT,
    grants TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT teams_name UNIQUE (organization_id, name)
);
CREATE INDEX teams_page ON teams (organization_id, created_at, id);

-- A seat stays when its member leaves the team: keys that were made in it say whose they were.
CREATE TABLE seats (
    id {bytes} NOT NULL PRIMARY KEY,
    organization_id {bytes} NOT NULL REFERENCES organizations (id),
    team_id {bytes} NOT NULL REFERENCES teams (id),
    member_id {bytes} NOT NULL REFERENCES members (id),
    left_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT seats_member UNIQUE (team_id, member_id)
);
CREATE INDEX seats_of_member ON seats (member_id);

-- What grants name, so that a role or project cannot go while somebody has it.
CREATE TABLE grant_roles (
    holder_id {bytes} NOT NULL,
    role_id {bytes} NOT NULL REFERENCES roles (id),
    PRIMARY KEY (holder_id, role_id)
) {clustered};
CREATE INDEX grant_roles_role ON grant_roles (role_id);

ALTER TABLE keys ADD COLUMN owner_member {bytes} REFERENCES members (id);
ALTER TABLE keys ADD COLUMN owner_seat {bytes} REFERENCES seats (id);

ALTER TABLE audit ADD COLUMN actor_member {bytes};
ALTER TABLE audit ADD COLUMN actor_team {bytes};
ALTER TABLE audit ADD COLUMN actor_session TEXT;
CREATE INDEX audit_member ON audit (actor_member, at, id);
UPDATE installation SET value = '9' WHERE name = 'schema_oldest_binary';
