//! The audit as a tree: every way of tampering with a real database is found, and nothing else is called so.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::too_many_lines,
    reason = "everything here is a test, or what tests stand on"
)]

mod house;

#[path = "audit_tree/broken.rs"]
mod broken;
#[path = "audit_tree/offline.rs"]
mod offline;
#[path = "audit_tree/tampering.rs"]
mod tampering;

house::suite! {
    broken::one_broken_tree_stops_no_other,
    broken::what_was_signed_and_rewritten_is_not_signed_again,
    broken::the_memory_of_a_node_grows_with_what_others_do,
    offline::an_export_and_a_backup_verify_as_the_database_does,
    offline::an_export_that_was_changed_is_refused,
    offline::a_tenant_exports_and_sees_its_own,
    offline::an_export_of_another_is_not_what_was_kept,
    offline::a_record_of_another_place_or_organization_is_refused,
    offline::retention_leaves_what_verifies,
    offline::retention_during_an_export_is_not_called_tampering,
    offline::a_clock_ahead_destroys_no_audit,
    tampering::each_way_of_tampering_is_told,
    tampering::an_organization_without_a_tree_is_told,
    tampering::an_imitated_retention_is_told,
    tampering::who_signs_anew_is_found_by_what_was_kept_elsewhere,
    tampering::a_restart_and_a_second_node_grow_the_same_tree,
}
