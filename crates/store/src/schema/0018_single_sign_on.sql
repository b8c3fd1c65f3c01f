-- Single sign-on: identity providers of an organization, people as these know them, the seats in teams that came
-- from a provider's groups, and sign-ins that a provider is to finish. A client's secret is sealed by the root key; of
-- a sign-in under way only a keyed digest is kept. An identity has an account of its own: what a provider of one
-- organization says opens nothing that a password, or another organization, protects. An older binary reads all of
-- it until there is a provider: the first one raises `schema_oldest_binary`.

CREATE TABLE identity_providers (
    id {bytes} NOT NULL PRIMARY KEY,
    organization_id {bytes} NOT NULL REFERENCES organizations (id),
    name TEXT NOT NULL,
    issuer TEXT NOT NULL,
    client_id TEXT NOT NULL,
    sealed {bytes},
    scopes TEXT NOT NULL,
    groups_claim TEXT,
    group_teams TEXT NOT NULL,
    email_domains TEXT NOT NULL,
    just_in_time BOOLEAN NOT NULL,
    enforced BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    CONSTRAINT identity_providers_name UNIQUE (organization_id, name)
);

CREATE TABLE identities (
    id {bytes} NOT NULL PRIMARY KEY,
    organization_id {bytes} NOT NULL,
    provider_id {bytes} NOT NULL REFERENCES identity_providers (id),
    member_id {bytes} NOT NULL REFERENCES members (id),
    account_id {bytes} NOT NULL REFERENCES accounts (id),
    subject TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT identities_subject UNIQUE (provider_id, subject),
    CONSTRAINT identities_member UNIQUE (provider_id, member_id)
);
CREATE INDEX identities_of_member ON identities (member_id);

CREATE TABLE mapped_seats (
    seat_id {bytes} NOT NULL PRIMARY KEY REFERENCES seats (id),
    provider_id {bytes} NOT NULL REFERENCES identity_providers (id)
);
CREATE INDEX mapped_seats_provider ON mapped_seats (provider_id);

CREATE TABLE sign_in_flows (
    id {bytes} NOT NULL PRIMARY KEY,
    organization_id {bytes} NOT NULL,
    provider_id {bytes} NOT NULL,
    digest {bytes} NOT NULL,
    network TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    again BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sign_in_flows_network ON sign_in_flows (network, expires_at);
CREATE INDEX sign_in_flows_age ON sign_in_flows (expires_at);

ALTER TABLE sessions ADD COLUMN provider_id {bytes};
CREATE INDEX sessions_of_organization ON sessions (organization_id, provider_id);
UPDATE installation SET value = '9' WHERE name = 'schema_oldest_binary' AND CAST(value AS BIGINT) < 9;
