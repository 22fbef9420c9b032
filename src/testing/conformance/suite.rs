//! The macro that turns each rule into a test.

/// Makes a `#[tokio::test]` of each rule that a store has to keep.
///
/// The argument is an expression for a [`Harness`](crate::testing::conformance::Harness); it is
/// evaluated once for each rule, in an async function, so that it may connect and empty a store.
/// Tests are named after their room and rule. See the
/// [module docs](crate::testing::conformance) for an example.
#[macro_export]
macro_rules! conformance_suite {
    ($harness:expr $(,)?) => {
        $crate::conformance_suite! { @rooms $harness;
            log {
                the_first_node_writes_the_limits_of_the_fleet_down,
                a_node_beyond_the_limits_of_the_fleet_is_refused,
                every_node_joins_the_same_deployment,
                a_poll_without_a_cursor_reads_all_entries_in_their_order,
                a_long_log_is_read_whole_and_in_its_order,
                a_poll_with_a_cursor_reads_only_what_was_committed_since,
                a_cursor_covers_what_was_read_and_nothing_later,
                what_one_node_writes_the_others_read,
                a_poll_names_the_probes_that_the_log_does_not_hold,
                the_history_stays_the_same_while_nothing_is_lost,
                a_poll_writes_the_lease_of_its_node,
                a_node_has_one_lease_which_says_what_it_applied_last,
                leases_are_read_with_each_commit,
                a_lease_runs_out,
                a_hint_comes_when_there_is_something_to_read,
                a_glance_shows_nothing_but_what_the_next_poll_reads,
                an_entry_is_kept_for_as_long_as_a_token_may_live_and_not_for_ever,
                an_entry_written_while_the_clock_is_behind_is_known_for_as_long,
                the_log_goes_on_after_old_entries_were_forgotten,
                a_commit_tells_the_clock_of_the_store,
            }
            write_back {
                instants_that_are_not_given_are_filled_in,
                instants_that_are_given_are_kept,
                an_entry_of_a_known_id_is_left_as_it_is_but_the_later_end_wins,
                an_empty_append_changes_nothing,
                the_end_of_a_session_ends_its_record,
                the_end_of_a_session_of_another_user_ends_no_record,
                the_end_of_everything_ends_the_records_and_raises_the_counter,
                a_lower_counter_written_back_ends_the_sessions_below_it_and_lowers_nothing,
                a_role_change_raises_the_role_counter_and_never_lowers_it,
                writing_back_what_the_store_still_has_changes_nothing,
                a_write_repeated_by_its_name_happens_once,
                a_theft_found_again_by_its_name_has_one_entry,
            }
            ask {
                the_token_of_a_living_session_is_confirmed,
                a_session_that_is_not_there_is_unknown,
                a_session_of_another_user_is_unknown,
                a_token_without_a_session_has_no_session_that_lives,
                a_token_of_an_ended_session_is_revoked_with_the_reason,
                a_session_stays_ended_after_its_entry_is_forgotten,
                a_token_of_an_expired_session_is_revoked,
                a_revoked_token_is_out_and_the_others_of_its_session_are_not,
                a_role_change_makes_older_tokens_stale_and_newer_ones_not,
                a_token_is_stale_also_after_the_entry_is_forgotten,
                a_token_that_is_stale_and_revoked_is_revoked,
                a_token_that_was_stale_first_and_revoked_later_is_revoked,
                the_end_of_everything_puts_all_out_but_the_exception,
                entries_about_a_user_are_judged_one_by_one,
                a_token_without_counters_falls_by_when_it_was_issued,
                a_confirmation_marks_the_current_generation_used,
                a_confirmation_of_the_generation_before_does_not_mark_the_current_one,
                a_generation_above_the_record_is_confirmed,
                a_generation_that_was_replaced_is_out,
                only_a_yes_about_the_session_marks_anything,
                a_confirmation_is_not_a_use_by_the_user,
            }
            sign_in {
                a_session_is_made_as_it_was_asked_for,
                lifetimes_count_from_the_stores_now,
                no_token_outlives_the_session,
                a_repeated_operation_finds_its_session,
                a_repeated_operation_whose_session_ended_is_refused,
                a_repeated_operation_whose_session_expired_is_refused,
                a_repeated_operation_is_found_before_its_ticket_is_compared,
                the_same_operation_of_another_user_is_another_operation,
                an_outdated_ticket_makes_no_session,
                a_ticket_from_the_future_makes_no_session,
                an_existing_id_is_never_overwritten,
                the_first_session_of_a_user_is_said_to_be_the_first,
                the_limit_evicts_sessions_that_were_never_used_first,
                the_limit_then_evicts_the_least_recently_used,
                a_lowered_limit_evicts_as_many_as_it_takes,
                a_rejecting_limit_refuses_and_ends_nobody,
                a_limit_of_zero_is_none,
                sessions_of_other_users_do_not_count,
                sessions_that_are_over_are_ended_and_not_counted,
                a_refused_sign_in_still_ends_what_is_over,
            }
            refresh {
                a_session_that_is_not_there_is_unknown,
                a_seed_that_is_not_the_sessions_is_unknown_and_changes_nothing,
                the_current_token_rotates,
                a_refresh_answers_the_counters_of_its_moment,
                a_refresh_slides_the_refresh_token_up_to_the_sessions_end,
                a_refresh_is_not_a_use_by_the_user,
                the_current_token_right_after_its_rotation_gets_its_own_answer_again,
                the_predecessor_within_the_grace_gets_the_same_successor,
                a_late_predecessor_replaces_a_successor_that_was_never_used,
                a_late_predecessor_of_a_used_successor_is_theft,
                a_token_older_than_the_predecessor_is_theft,
                a_token_that_was_replaced_is_theft,
                an_ended_session_is_never_refreshed,
                the_end_of_everything_ends_refreshing,
                a_session_found_to_be_over_ends_in_that_step,
                a_predecessor_expires_by_its_own_lifetime_and_ends_nothing,
                a_token_above_the_record_goes_forward,
                answers_are_not_repeated_without_end,
                a_grace_of_zero_repeats_nothing,
                the_same_write_finds_its_own_result_even_without_a_grace,
                a_rotation_revokes_the_access_token_before_it_where_that_is_asked,
            }
            end {
                ending_a_session_writes_its_record_and_the_log,
                the_entry_bears_the_name_that_the_request_gave_it,
                a_session_of_another_user_is_not_found_and_lives_on,
                a_session_that_is_not_there_is_not_found,
                ending_an_ended_session_again_changes_nothing_about_it,
                ending_an_ended_session_again_prolongs_its_entry,
                an_entry_that_is_prolonged_is_not_read_again,
                an_end_that_is_repeated_by_its_name_answers_as_it_did,
                ending_all_ends_all_and_raises_the_counter,
                ending_all_spares_the_exception,
                an_exception_that_is_not_alive_changes_nothing,
                ending_all_of_one_user_leaves_the_others_alone,
                a_session_made_after_the_end_of_everything_lives,
                a_user_of_whom_nothing_is_known_has_counters_of_zero,
                counters_only_grow_and_begin_at_the_stores_clock,
                a_role_change_ends_nobody_and_enters_the_log,
                erasing_a_user_leaves_no_record_of_them,
                tokens_of_an_erased_user_are_out,
                erasing_a_user_forgets_their_operations,
                an_erasure_that_is_repeated_by_its_name_changes_nothing,
                erasing_a_user_leaves_the_others_alone,
            }
            manage {
                a_session_is_found_alive_and_ended,
                live_sessions_are_listed_by_their_last_use,
                ended_sessions_are_listed_by_their_end_with_the_reason,
                what_is_over_is_neither_listed_as_live_nor_counted,
                live_sessions_are_counted,
                a_session_is_renamed_and_the_name_taken_away,
                the_applications_data_is_kept_to_the_last_byte,
                what_was_seen_and_is_unusual_is_kept_beside_the_rest,
                only_the_owner_of_a_living_session_changes_it,
                a_later_use_replaces_an_earlier_one_and_not_the_other_way,
                a_use_ahead_of_the_store_counts_as_now,
                a_use_leaves_ended_and_unknown_sessions_as_they_are,
                a_use_revives_no_session_that_was_idle_for_too_long,
                a_use_written_late_counts_from_when_it_was,
                pages_go_by_id_and_meet_each_live_session_once,
                pages_of_one_user_hold_nobody_else,
                everybody_who_is_signed_in_is_counted,
                a_session_ends_by_idleness_at_its_very_moment,
            }
            sweep {
                a_sweep_ends_what_is_over_and_nothing_else,
                what_was_swept_stays_ended,
                a_sweep_with_nothing_to_do_does_nothing,
                a_sweep_does_no_more_than_its_batch_and_says_so,
                who_goes_on_is_swept_when_the_time_is_over_and_not_before,
                an_ended_session_is_remembered_for_the_retention,
                forgetting_goes_by_batches_too,
                an_operation_is_known_for_as_long_as_its_ended_session,
                forgetting_a_session_lets_nobody_in,
                being_unused_is_excused_from_an_outage_until_uses_were_written,
                polls_that_go_on_excuse_nobody,
            }
            audit {
                an_entry_is_read_back_as_it_was_written,
                entries_are_read_the_last_that_was_written_first,
                pages_meet_each_entry_once_while_new_ones_come,
                pages_about_a_user_or_a_session_hold_nothing_else,
                an_entry_that_is_written_again_stands_once,
                what_is_too_old_is_removed,
                what_is_too_much_is_removed_the_oldest_first,
                what_is_neither_too_old_nor_too_much_stays,
                forgetting_a_user_removes_what_is_about_them,
            }
            upkeep {
                an_export_meets_every_session_once_ended_ones_too,
                an_export_tells_the_counters_of_the_user,
                the_exported_log_is_what_a_load_reads,
                an_imported_session_goes_on_as_it_was,
                an_imported_session_is_ended_and_swept_like_any_other,
                what_was_ended_elsewhere_is_imported_as_ended,
                the_same_import_again_changes_nothing,
                an_import_revives_nothing_and_sets_nothing_back,
                what_went_on_elsewhere_goes_on_from_there,
                an_import_raises_counters_and_lowers_none,
                the_idle_time_of_an_imported_session_runs,
                who_looks_at_a_store_learns_its_deployment_and_limits,
            }
            race {
                parallel_sign_ins_leave_no_more_than_the_limit_under_eviction,
                parallel_sign_ins_make_no_more_than_the_limit_under_rejection,
                one_operation_run_in_parallel_makes_one_session,
                parallel_refreshes_of_one_token_give_one_successor,
                a_refresh_in_flight_never_revives_a_session_that_ends,
                a_sign_in_with_an_old_ticket_never_survives_the_end_of_everything,
                parallel_role_changes_take_different_counters,
                of_parallel_ends_of_a_session_one_ends_it,
                a_node_that_follows_the_log_misses_no_entry,
            }
        }
    };
    (@rooms $harness:expr; $($room:ident { $($rule:ident,)* })*) => {
        $(
            mod $room {
                #[allow(unused_imports)]
                use super::*;
                $crate::conformance_suite! { @tests $harness; $room; $($rule,)* }
            }
        )*
    };
    (@tests $harness:expr; $room:ident; $($rule:ident,)*) => {
        $(
            #[::tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $rule() {
                let harness = $harness;
                $crate::testing::conformance::$room::$rule(&harness).await;
            }
        )*
    };
}

#[cfg(test)]
mod tests {
    const ROOMS: [&str; 11] = [
        include_str!("log.rs"),
        include_str!("write_back.rs"),
        include_str!("ask.rs"),
        include_str!("sign_in.rs"),
        include_str!("refresh.rs"),
        include_str!("end.rs"),
        include_str!("manage.rs"),
        include_str!("sweep.rs"),
        include_str!("audit.rs"),
        include_str!("upkeep.rs"),
        include_str!("race.rs"),
    ];

    #[test]
    fn every_rule_is_in_the_suite() {
        let suite = include_str!("suite.rs");
        let rules = ROOMS
            .iter()
            .flat_map(|room| room.split("pub async fn ").skip(1))
            .filter_map(|rest| rest.split(['(', '<']).next());
        for rule in rules {
            assert!(suite.contains(&format!(" {rule},\n")), "{rule} is not run");
        }
    }
}
