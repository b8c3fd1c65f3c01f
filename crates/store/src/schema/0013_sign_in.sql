-- Sign-in: sessions, links that are used once, second factors, and who was wrong how often. Of tokens and codes
-- only keyed digests are kept; secrets are sealed by the root key. A session's member has no reference: who is
-- deleted signs in no more, and where a session came from stays known for a while.

CREATE TABLE sessions (
    id {bytes} NOT NULL PRIMARY KEY,
    account_id {bytes} NOT NULL REFERENCES accounts (id),
    member_id {bytes} NOT NULL,
    organization_id {bytes} NOT NULL,
    digest {bytes} NOT NULL,
    address TEXT,
    network TEXT,
    user_agent TEXT,
    created_at BIGINT NOT NULL,
    last_seen_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    second_factor_at BIGINT,
    ended_at BIGINT
);
CREATE INDEX sessions_of_account ON sessions (account_id, created_at, id);
CREATE INDEX sessions_of_member ON sessions (member_id);
CREATE INDEX sessions_age ON sessions (expires_at);

-- An invitation is of a member, a recovery of an account: each has one link at a time.
CREATE TABLE links (
    subject_id {bytes} NOT NULL PRIMARY KEY,
    organization_id {bytes},
    purpose TEXT NOT NULL,
    digest {bytes} NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX links_age ON links (expires_at);

CREATE TABLE second_factors (
    account_id {bytes} NOT NULL PRIMARY KEY REFERENCES accounts (id),
    sealed {bytes} NOT NULL,
    created_at BIGINT NOT NULL,
    confirmed_at BIGINT,
    last_step BIGINT NOT NULL
);

CREATE TABLE recovery_codes (
    account_id {bytes} NOT NULL REFERENCES accounts (id),
    digest {bytes} NOT NULL,
    PRIMARY KEY (account_id, digest)
) {clustered};

CREATE TABLE sign_in_tries (
    subject {bytes} NOT NULL PRIMARY KEY,
    failures BIGINT NOT NULL,
    last_at BIGINT NOT NULL
) {clustered};
CREATE INDEX sign_in_tries_age ON sign_in_tries (last_at);

-- A letter that carries a link has its text here, and its own state: an older binary beside leaves it alone.
ALTER TABLE outbox ADD COLUMN sealed {bytes};
DROP INDEX outbox_open;
CREATE INDEX outbox_to_send ON outbox (created_at) WHERE state <> 'nobody' AND outcome IS NULL;
