//! The contract of the store: one suite that runs on both engines, and is the meaning of "store".
//! PostgreSQL's half needs `KEYSTEAD_TEST_POSTGRES`; without it those tests say so and pass.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::too_many_lines,
    reason = "the suite's functions are tests, of which a macro makes one for each engine; those \
              that name every table or filter are tables, and splitting them hides what is missing"
)]

use std::pin::Pin;

#[path = "contract/acts.rs"]
mod acts;
#[path = "contract/approvals.rs"]
mod approvals;
#[path = "contract/audit.rs"]
mod audit;
#[path = "contract/audit_tree.rs"]
mod audit_tree;
#[path = "contract/backup.rs"]
mod backup;
#[path = "contract/catalogue.rs"]
mod catalogue;
#[path = "contract/finding.rs"]
mod finding;
#[path = "contract/guardrails.rs"]
mod guardrails;
#[path = "contract/guards.rs"]
mod guards;
#[path = "contract/guidelines.rs"]
mod guidelines;
#[path = "contract/hygiene.rs"]
mod hygiene;
#[path = "contract/identity_keys.rs"]
mod identity_keys;
#[path = "contract/imports.rs"]
mod imports;
#[path = "contract/keys.rs"]
mod keys;
#[path = "contract/ledger.rs"]
mod ledger;
#[path = "contract/log.rs"]
mod log;
#[path = "contract/log_holes.rs"]
mod log_holes;
#[path = "contract/log_nodes.rs"]
mod log_nodes;
#[path = "contract/log_rows.rs"]
mod log_rows;
#[path = "contract/names.rs"]
mod names;
#[path = "contract/opening.rs"]
mod opening;
#[path = "contract/outbox.rs"]
mod outbox;
#[path = "contract/passkeys.rs"]
mod passkeys;
#[path = "contract/people.rs"]
mod people;
#[path = "contract/policies.rs"]
mod policies;
#[path = "contract/rotation.rs"]
mod rotation;
#[path = "contract/sealed.rs"]
mod sealed;
#[path = "contract/sign_in.rs"]
mod sign_in;
#[path = "contract/single_sign_on.rs"]
mod single_sign_on;
#[path = "contract/statements.rs"]
mod statements;
#[path = "contract/world.rs"]
mod world;

/// Every test of the contract; each takes a fresh store.
macro_rules! suite {
    ($($module:ident { $($name:ident,)* })*) => {
        mod sqlite {
            $(mod $module {$(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    crate::$module::$name(keystead_store::testing::sqlite().await).await;
                }
            )*})*
        }

        mod postgres {
            $(mod $module {$(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    match keystead_store::testing::postgres().await {
                        Some(store) => crate::$module::$name(store).await,
                        None => println!("not run: {} is not set", keystead_store::testing::POSTGRES_VARIABLE),
                    }
                }
            )*})*
        }

        /// The whole suite, one test after another.
        async fn every_test(fresh: impl AsyncFn() -> keystead_store::testing::TestStore) {
            // Boxed each in a function of its own: together they would not fit a thread's stack.
            let tests: &[fn(keystead_store::testing::TestStore) -> Pin<Box<dyn Future<Output = ()>>>] =
                &[$($( |store| Box::pin(crate::$module::$name(store)), )*)*];
            for test in tests {
                test(fresh().await).await;
            }
        }
    };
}

suite! {
    acts {
        an_act_without_an_audit_record_is_refused_and_leaves_nothing,
        a_failing_act_leaves_nothing_and_harms_no_other,
        a_part_of_an_act_is_undone_whole,
        a_statement_that_failed_undoes_the_act_that_went_on,
        what_waits_to_be_written_shares_its_acts_end,
        a_panicking_act_leaves_nothing_and_the_store_works_on,
        concurrent_acts_all_commit,
        an_act_outlives_its_caller,
        every_change_has_a_feed_row,
        what_was_committed_is_there_after_a_restart,
        a_closed_store_refuses,
    }
    approvals {
        an_approval_is_read_back_and_of_two_who_decide_one_does,
        approvals_are_found_by_project_person_and_where_they_stand,
        what_is_over_is_forgotten_and_an_approved_key_is_not,
        sensitive_permissions_are_named,
    }
    audit {
        an_act_is_recorded_as_it_was_handed_over,
        every_filter_narrows,
        pages_are_stable,
    }
    audit_tree {
        records_get_their_places_once,
        one_at_a_time_grows_a_tree,
        checkpoints_are_thinned,
        retention_leaves_what_is_not_vouched_for,
        the_tree_is_in_the_log,
    }
    backup {
        a_backup_restores_into_either_engine_as_it_was,
        every_table_is_in_a_backup_or_named_with_a_reason,
        a_backup_that_is_not_whole_is_refused_and_leaves_nothing,
        a_place_that_is_not_empty_is_refused,
        a_journal_beside_an_empty_place_is_refused,
        a_backup_of_a_newer_schema_is_refused,
        a_backup_is_of_one_instant_while_others_write,
        rows_that_do_not_fit_each_other_are_refused,
    }
    catalogue {
        rows_are_read_back_as_they_were_written,
        another_organization_finds_nothing,
        of_two_writers_one_wins,
        what_is_deleted_is_gone_and_what_is_used_stays,
        pages_are_stable,
        peppers_and_installation_values_are_kept,
    }
    finding {
        every_filter_narrows,
        a_key_without_its_person_is_found,
        states_follow_their_precedence,
        pages_are_stable,
        another_organization_finds_nothing,
    }
    guidelines {
        guidelines_are_kept_version_by_version_and_readings_until_the_member_goes,
    }
    guardrails {
        guardrails_are_set_once_and_changed_by_version,
        lineages_that_live_are_counted,
        kinds_that_hold_a_role_are_named,
    }
    hygiene {
        a_page_has_what_was_seen_and_who_owns_each,
    }
    imports {
        an_import_is_found_upgraded_and_goes_with_its_key,
        what_was_imported_is_not_imported_again,
    }
    keys {
        a_key_is_read_back_and_changed,
        references_are_counted,
        what_a_key_refers_to_stays,
        a_deleted_key_takes_what_is_its_own,
        every_key_is_loaded_once,
        many_keys_are_loaded_once,
        a_loaded_key_has_what_was_written,
        policies_are_shared_and_unused_ones_go,
        a_policy_that_an_act_has_found_does_not_go,
        what_was_minted_is_not_counted_among_the_living_of_a_lineage,
        a_public_key_is_sealed_beside_its_row_and_goes_with_it,
        temporary_keys_are_found_when_their_time_is_over,
        of_two_writers_one_wins,
    }
    ledger {
        a_meter_is_never_overspent,
        what_was_seen_is_replaced,
        unknown_attempts_are_replaced,
        the_feed_is_trimmed,
        a_replay_is_claimed_once_until_it_is_forgotten,
        of_two_that_claim_a_replay_at_once_one_does,
        a_job_is_claimed_once_a_turn,
        nodes_come_give_signs_of_life_and_go,
        rates_are_added_locked_written_raised_and_trimmed,
        rates_of_routes_are_kept_as_they_are,
        rates_are_trimmed_in_the_order_in_which_they_are_locked,
        one_node_at_most_counts_alone,
    }
    log {
        a_backup_with_its_log_is_what_was_there_lessons_8,
        what_no_log_tells_is_named,
        logs_of_before_a_restore_are_not_taken_for_later_ones,
        what_a_crash_left_unsettled_is_settled_by_the_next_start,
        nothing_comes_back_whenever_the_backup_was_written_lessons_8,
        a_log_that_cannot_be_written_stops_nobody_and_says_so_lessons_34,
        a_root_key_that_is_exchanged_takes_the_log_along_lessons_38,
    }
    log_holes {
        names_that_change_hands_are_restored,
        an_older_change_of_one_node_does_not_undo_a_revocation_by_another,
        a_node_whose_clock_is_ahead_does_not_undo_what_came_later,
        a_clock_that_steps_back_after_the_backup_loses_nothing,
        a_hole_from_before_the_backup_is_none,
        a_log_whose_disk_hangs_stops_nobody_lessons_34,
        a_log_has_one_writer,
        a_start_that_was_cut_short_leaves_no_hole,
        the_log_of_a_twin_is_not_taken,
        a_log_goes_on_in_another_file_while_everybody_writes,
        a_change_of_files_that_was_cut_short_leaves_no_hole,
        a_log_that_was_cut_or_changed_never_passes_for_whole,
    }
    log_nodes {
        nodes_that_call_their_place_the_same_are_two_lessons_1,
        a_log_that_was_moved_ends_what_a_crash_left,
        a_copy_of_a_log_in_use_is_noticed,
        what_is_settled_waits_for_another_nodes_commit,
        a_stop_settles_what_nobody_knows,
        a_start_that_was_cut_short_settles_nothing,
        a_change_of_files_that_failed_leaves_no_hole,
    }
    log_rows {
        a_row_that_was_not_written_is_not_in_the_log,
        whatever_was_written_is_in_the_log,
        every_table_is_in_the_log_or_named_with_a_reason,
    }
    names {
        taken_names_are_named,
        identifiers_compare_exactly_lessons_27,
    }
    opening {
        files_are_for_their_owner_only,
        a_folder_that_is_not_there_is_named,
        a_second_owner_of_a_file_is_refused_and_a_second_node_is_not,
        a_newer_schema_is_refused_unless_it_says_that_this_one_works,
    }
    outbox {
        of_many_who_take_a_notice_one_gets_it,
        a_try_is_recorded_by_who_made_it,
        a_late_record_does_not_undo_a_retry,
        a_notice_without_an_address_is_nobodys_until_somebody_asks,
        each_organization_has_its_turn,
        a_notice_is_retried_unless_it_was_or_is_being_sent,
        a_notice_of_an_older_binary_is_sent,
        a_restore_sends_nothing_again,
    }
    people {
        people_are_read_back_as_they_were_written,
        people_change_at_their_version,
        contacts_are_listed_while_verified_and_asked_when_due,
        names_of_people_are_taken_once,
        who_owns_a_key_stays,
        a_granted_role_stays,
        records_are_found_by_the_person,
    }
    rotation {
        a_rotation_is_kept_and_closed_once,
        a_purged_key_takes_its_rotations,
        a_plan_is_set_by_version,
        usable_keys_are_due_by_age,
        a_notice_is_written_once_and_kept_for_a_while,
    }
    sealed {
        every_sealed_column_is_listed_lessons_38,
        sealed_values_are_found_by_their_label_and_replaced,
        what_is_decided_once_stays,
    }
    sign_in {
        an_account_is_found_and_changed_by_who_saw_it,
        a_session_is_used_and_ended_by_whose_it_is,
        a_link_is_used_once_and_replaced_by_the_next,
        of_many_who_use_a_link_at_once_one_does,
        a_second_factor_counts_once_confirmed_and_each_code_once,
        tries_are_counted_taken_back_and_forgotten,
    }
    passkeys {
        a_passkey_is_its_accounts_and_keeps_old_binaries_away,
        a_counter_only_goes_up_also_of_two_at_once,
        a_ceremony_is_finished_once_and_forgotten,
        backup_and_log_have_passkeys,
    }
    guards {
        a_guard_is_its_projects_and_keeps_old_binaries_away,
        what_observing_finds_adds_up_within_bounds,
        backup_and_log_have_guards,
    }
    identity_keys {
        keys_come_in_the_order_in_which_they_sign,
        backup_and_log_have_identity_keys,
    }
    policies {
        a_policy_is_its_organizations_and_keeps_old_binaries_away,
        policies_are_counted_and_listed_by_what_they_are_for,
        tags_are_loaded_key_by_key,
        backup_and_log_have_policies,
    }
    single_sign_on {
        a_provider_is_its_organizations,
        a_person_is_known_once_and_goes_with_member_or_provider,
        sessions_end_by_how_they_began,
        a_sign_in_under_way_is_used_once_and_forgotten,
        of_many_who_finish_one_sign_in_at_once_one_does,
        backup_and_log_have_who_signs_in_through_whom,
    }
}
