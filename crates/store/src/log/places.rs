//! What the log holds: for each table the column by which its rows are found.

/// Tables whose changed rows are in the log, and by which column.
const LOGGED: &[(&str, &str)] = &[
    ("access_policies", "id"),
    ("accounts", "id"),
    ("approvals", "id"),
    ("audit", "id"),
    ("audit_checkpoints", "id"),
    ("audit_deleted", "audit_id"),
    ("audit_trees", "organization_id"),
    ("consumers", "id"),
    ("environments", "id"),
    ("grant_roles", "holder_id"),
    ("guardrails", "id"),
    ("guards", "project_id"),
    ("guidelines", "organization_id"),
    ("identities", "id"),
    ("identity_keys", "id"),
    ("identity_providers", "id"),
    ("imports", "key_id"),
    ("key_grants", "key_id"),
    ("key_roles", "key_id"),
    ("key_tags", "key_id"),
    ("keys", "id"),
    ("links", "subject_id"),
    ("mapped_seats", "seat_id"),
    ("members", "id"),
    ("meters", "id"),
    ("organizations", "id"),
    ("outbox", "id"),
    ("passkeys", "id"),
    ("permissions", "id"),
    ("projects", "id"),
    ("public_keys", "key_id"),
    ("readings", "member_id"),
    ("recovery_codes", "account_id"),
    ("roles", "id"),
    ("rotation_plans", "project_id"),
    ("rotations", "new_key_id"),
    ("seats", "id"),
    ("second_factors", "account_id"),
    ("service_accounts", "id"),
    ("sessions", "id"),
    ("teams", "id"),
];

/// Tables whose rows are not, each with the reason: a restore has them as of the backup.
const NOT_LOGGED: &[(&str, &str)] = &[
    ("drain_seen", "usage: aggregates that a crash may lose as well"),
    ("guard_observations", "usage: aggregates that a crash may lose as well"),
    ("installation", "decided once; the log's own epoch"),
    ("log_sessions", "who keeps a log: a restore begins anew"),
    ("peppers", "made with the installation; sealed anew they are the same"),
    ("policies", "come with the keys that refer to them"),
    ("replays", "answers kept for a day; a retry after a restore is a new request"),
    ("seen", "usage: aggregates that a crash may lose as well"),
    ("unknown_attempts", "usage: aggregates that a crash may lose as well"),
];

/// Whether the rows of a table are in the log.
#[must_use]
pub fn is_logged(table: &str) -> bool {
    logged(table).is_some()
}

/// Why the rows of a table are not in the log; `None` when they are, or nobody has said why.
#[must_use]
pub fn not_logged(table: &str) -> Option<&'static str> {
    NOT_LOGGED.iter().find(|(name, _)| *name == table).map(|(_, reason)| *reason)
}

/// A logged table by its name.
pub(crate) fn logged(table: &str) -> Option<(&'static str, &'static str)> {
    LOGGED.iter().copied().find(|(name, _)| *name == table)
}
