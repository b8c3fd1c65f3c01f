-- Passkeys (WebAuthn): of each its public key and what its use must fit; and the ceremonies under way, of which only a
-- keyed digest is kept. An older binary reads all of it until there is a passkey: it would take a password alone where
-- a passkey is the second factor, so the first one raises `schema_oldest_binary`.

CREATE TABLE passkeys (
    id {bytes} NOT NULL PRIMARY KEY,
    account_id {bytes} NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    credential_id {bytes} NOT NULL,
    public_key {bytes} NOT NULL,
    algorithm BIGINT NOT NULL,
    sign_count BIGINT NOT NULL,
    transports TEXT NOT NULL,
    backup_eligible BOOLEAN NOT NULL,
    backed_up BOOLEAN NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    version BIGINT NOT NULL,
    CONSTRAINT passkeys_credential UNIQUE (credential_id)
);
CREATE INDEX passkeys_of_account ON passkeys (account_id, created_at, id);

CREATE TABLE passkey_flows (
    id {bytes} NOT NULL PRIMARY KEY,
    purpose TEXT NOT NULL,
    session_id {bytes},
    digest {bytes} NOT NULL,
    network TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX passkey_flows_network ON passkey_flows (network, expires_at);
CREATE INDEX passkey_flows_age ON passkey_flows (expires_at);
