//! Projects and what is in them: who may change what, what refers to what, and that every change
//! is recorded and holds at once.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "the suite's functions are tests, of which a macro makes one for each engine"
)]

#[path = "catalogue/accounts.rs"]
mod accounts;
#[path = "catalogue/attempts.rs"]
mod attempts;
#[path = "catalogue/audit.rs"]
mod audit;
#[path = "catalogue/consumers.rs"]
mod consumers;
#[path = "catalogue/environments.rs"]
mod environments;
mod house;
#[path = "catalogue/permissions.rs"]
mod permissions;
#[path = "catalogue/projects.rs"]
mod projects;
#[path = "catalogue/roles.rs"]
mod roles;

house::suite! {
    accounts::a_service_account_is_changed_as_patched,
    accounts::an_account_that_owns_keys_stays,
    accounts::nobody_lets_more_through_in_the_system_project_than_they_have,
    accounts::nobody_lifts_another_s_system_account_beyond_themselves,
    attempts::unknown_keys_are_listed_lessons_5,
    audit::every_change_says_what_was_and_is,
    audit::every_filter_narrows_and_nobody_reads_another_s,
    consumers::a_consumer_is_changed_as_patched,
    consumers::a_ceiling_holds_on_the_next_request,
    consumers::a_consumer_with_keys_stays,
    consumers::limits_and_ceilings_are_checked,
    environments::an_environment_has_a_usual_tag,
    environments::an_environment_with_keys_stays,
    environments::the_system_project_has_one,
    permissions::a_permission_in_use_stays,
    permissions::the_system_catalogue_is_keystead_s,
    permissions::the_system_catalogue_has_what_is_new_after_an_upgrade,
    permissions::of_a_role_and_a_deletion_at_once_one_wins,
    projects::a_project_is_found_by_id_and_slug_and_changed,
    projects::a_prefix_comes_from_the_slug_or_is_asked_for,
    projects::the_system_project_stays_as_it_is,
    projects::a_narrowed_caller_sees_exactly_its_projects,
    projects::tenants_see_nothing_of_each_other_lessons_25,
    projects::of_two_writers_one_wins,
    roles::a_role_names_what_the_catalogue_knows,
    roles::a_role_s_change_holds_on_the_next_request,
    roles::a_role_in_use_stays,
    roles::nobody_writes_a_system_role_wider_than_themselves,
}
