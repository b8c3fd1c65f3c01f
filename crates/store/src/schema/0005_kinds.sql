-- Kinds with a meaning: what few keys have stands at the end of a row, so that for all others it is
-- known from the row's head to be absent.
ALTER TABLE keys ADD COLUMN parent_id {bytes};
ALTER TABLE keys ADD COLUMN uses BIGINT;
ALTER TABLE keys ADD COLUMN may_mint BOOLEAN;
CREATE INDEX keys_parent ON keys (parent_id, created_at, id) WHERE parent_id IS NOT NULL;
CREATE INDEX keys_temporary ON keys (expires_at, id) WHERE kind = 'temporary';

-- Public keys can be read again: sealed under the root key, for this row only.
CREATE TABLE public_keys (
    key_id {bytes} NOT NULL PRIMARY KEY REFERENCES keys (id) ON DELETE CASCADE,
    organization_id {bytes} NOT NULL,
    sealed {bytes} NOT NULL
) {clustered};

-- A binary that knows no parents would let a minted key outlive its revoked parent.
UPDATE installation SET value = '5' WHERE name = 'schema_oldest_binary';
