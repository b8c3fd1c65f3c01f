//! A file for each table: its row, its statements, and the methods that run them.

pub(crate) mod access_policies;
pub(crate) mod accounts;
pub(crate) mod approvals;
pub(crate) mod approvals_list;
pub(crate) mod audit;
pub(crate) mod audit_checkpoints;
pub(crate) mod audit_leaves;
pub(crate) mod audit_list;
pub(crate) mod audit_retention;
pub(crate) mod audit_trees;
pub(crate) mod consumers;
pub(crate) mod drain_seen;
pub(crate) mod environments;
pub(crate) mod feed;
pub(crate) mod grant_roles;
pub(crate) mod guard_observations;
pub(crate) mod guardrails;
pub(crate) mod guards;
pub(crate) mod guidelines;
pub(crate) mod hygiene;
pub(crate) mod identities;
pub(crate) mod identity_keys;
pub(crate) mod identity_providers;
pub(crate) mod imports;
pub(crate) mod installation;
pub(crate) mod jobs;
pub(crate) mod key_list;
pub(crate) mod key_load;
pub(crate) mod key_references;
pub(crate) mod keys;
pub(crate) mod links;
pub(crate) mod log_sessions;
pub(crate) mod mapped_seats;
pub(crate) mod members;
pub(crate) mod meters;
pub(crate) mod nodes;
pub(crate) mod organizations;
pub(crate) mod outbox;
mod page;
pub(crate) mod passkey_flows;
pub(crate) mod passkeys;
pub(crate) mod peppers;
pub(crate) mod permissions;
pub(crate) mod policies;
pub(crate) mod projects;
pub(crate) mod public_keys;
pub(crate) mod rates;
pub(crate) mod readings;
pub(crate) mod replays;
pub(crate) mod roles;
pub(crate) mod rotation_plans;
pub(crate) mod rotations;
pub(crate) mod sealed;
pub(crate) mod seats;
pub(crate) mod second_factors;
pub(crate) mod seen;
pub(crate) mod service_accounts;
pub(crate) mod sessions;
pub(crate) mod sign_in_flows;
pub(crate) mod sign_in_tries;
pub(crate) mod teams;
pub(crate) mod temporary_keys;
pub(crate) mod unknown_attempts;

/// Every statement and fragment, for the test that runs every one on both engines.
#[cfg(feature = "testing")]
const DECLARED: &[&[&str]] = &[
    access_policies::DECLARED,
    accounts::DECLARED,
    approvals::DECLARED,
    approvals_list::DECLARED,
    audit::DECLARED,
    audit_checkpoints::DECLARED,
    audit_leaves::DECLARED,
    audit_list::DECLARED,
    audit_retention::DECLARED,
    audit_trees::DECLARED,
    consumers::DECLARED,
    drain_seen::DECLARED,
    environments::DECLARED,
    feed::DECLARED,
    grant_roles::DECLARED,
    guard_observations::DECLARED,
    guardrails::DECLARED,
    guards::DECLARED,
    guidelines::DECLARED,
    hygiene::DECLARED,
    identities::DECLARED,
    identity_keys::DECLARED,
    identity_providers::DECLARED,
    imports::DECLARED,
    installation::DECLARED,
    jobs::DECLARED,
    key_list::DECLARED,
    key_load::DECLARED,
    key_references::DECLARED,
    keys::DECLARED,
    links::DECLARED,
    log_sessions::DECLARED,
    mapped_seats::DECLARED,
    members::DECLARED,
    meters::DECLARED,
    nodes::DECLARED,
    organizations::DECLARED,
    outbox::DECLARED,
    passkey_flows::DECLARED,
    passkeys::DECLARED,
    peppers::DECLARED,
    permissions::DECLARED,
    policies::DECLARED,
    projects::DECLARED,
    public_keys::DECLARED,
    rates::DECLARED,
    readings::DECLARED,
    replays::DECLARED,
    roles::DECLARED,
    rotation_plans::DECLARED,
    rotations::DECLARED,
    sealed::DECLARED,
    seats::DECLARED,
    second_factors::DECLARED,
    seen::DECLARED,
    service_accounts::DECLARED,
    sessions::DECLARED,
    sign_in_flows::DECLARED,
    sign_in_tries::DECLARED,
    teams::DECLARED,
    temporary_keys::DECLARED,
    unknown_attempts::DECLARED,
];

/// The same, in one list.
#[cfg(feature = "testing")]
pub(crate) fn declared() -> Vec<&'static str> {
    DECLARED.concat()
}
