-- The keys by which upstreams are told, signed, whose request they have: the seed sealed by the root key. Each signs
-- from its time on until the next one's. An older binary reads all of it, and neither signs nor seals these anew: root
-- keys are exchanged once every node knows them.

CREATE TABLE identity_keys (
    id {bytes} NOT NULL PRIMARY KEY,
    sealed {bytes} NOT NULL,
    created_at BIGINT NOT NULL,
    signs_from BIGINT NOT NULL
) {clustered};
