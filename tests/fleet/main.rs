//! What holds across processes: two nodes on one store, racing, stopped and killed.
//!
//! The rules are plain functions over a [`Place`]; a store joins them by a line at the end.

mod crowded;
mod files;
#[path = "../folder/mod.rs"]
mod folder;
mod link;
#[path = "../nodes/mod.rs"]
mod nodes;
mod place;
#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../support/proxy.rs"]
mod proxy;
mod proxy_itself;
mod races;
#[path = "../redis_cluster/mod.rs"]
mod redis_cluster;
#[path = "../redis_server/mod.rs"]
mod redis_server;
mod revoked;
mod steps;
mod still;
mod stopped;

use nodes::{Launch, Node, program};
use place::Place;

/// Does nothing unless it was started as a node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_in_another_process() {
    if std::env::var_os(nodes::IS_NODE).is_some() {
        program::play().await;
    }
}

/// A view of two seconds, so that waiting for its end is short, and patience with a busy machine.
const SHORT_VIEW: [(&str, &str); 2] =
    [("REVOCATION_MAX_STALENESS", "2s"), ("STORE_TIMEOUT", "10s")];

fn launch() -> Launch {
    Launch::test("a_node_in_another_process")
}

/// Two nodes on a place.
async fn two(place: &Place, settings: &[(&str, &str)]) -> [Node; 2] {
    let launch = launch();
    // The environment says the last of two values.
    let settings = [&SHORT_VIEW[..], settings].concat();
    let a = launch.start(place.address(), &settings).await;
    let b = launch.start(place.address(), &settings).await;
    [a, b]
}

macro_rules! rules {
    ($store:ident at $place:expr => $($room:ident: [$($rule:ident),+ $(,)?])+) => {
        mod $store {
            use super::*;
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $rule() {
                    $room::$rule(&$place).await;
                }
            )+)+
        }
    };
}

/// What every store promises.
macro_rules! shared_store {
    ($store:ident at $place:expr) => {
        rules! { $store at $place =>
            races: [
                racing_sign_ins_of_two_processes_leave_exactly_the_limit_alive,
                racing_sign_ins_of_two_processes_that_may_not_evict_admit_exactly_the_limit,
                one_token_refreshed_in_two_processes_at_once_has_one_successor,
                nothing_that_a_refresh_of_one_process_mints_survives_a_revocation_by_another,
                no_session_of_the_old_password_survives_its_change_in_another_process,
                a_password_change_spares_the_session_that_it_was_made_in,
                a_role_change_in_one_process_makes_tokens_stale_in_another,
            ]
            revoked: [
                what_one_process_revokes_another_refuses,
                what_is_revoked_everywhere_is_refused_by_the_next_request_of_any_process,
                everything_of_a_user_is_refused_in_another_process,
                a_process_that_starts_later_knows_what_was_revoked,
            ]
            stopped: [
                everywhere_waits_for_a_stopped_process_no_longer_than_its_lease,
                a_stopped_process_admits_nothing_that_was_revoked_meanwhile,
                a_killed_process_holds_nobody_up_for_longer_than_its_lease,
                what_a_killed_process_acknowledged_another_knows,
            ]
        }
    };
}

/// What every store that is a server promises beside.
macro_rules! linked_store {
    ($store:ident at $place:expr) => {
        rules! { $store at $place =>
            link: [
                a_cut_link_admits_nothing_from_beyond_the_staleness_bound,
                a_link_that_hangs_costs_a_request_no_more_than_the_deadline,
                a_link_that_loses_the_answers_admits_nothing_for_longer,
                a_link_that_loses_the_questions_admits_nothing_for_longer,
                a_slow_link_slows_down_and_refuses_nobody,
            ]
            steps: [
                a_clock_a_day_ahead_lets_nothing_revoked_in_and_forgets_nothing,
                a_clock_a_day_behind_lets_in_neither_what_is_revoked_nor_what_has_expired,
            ]
        }
    };
}

shared_store!(sqlite at Place::sqlite());
linked_store!(beyond_a_link at Place::gated().await);
shared_store!(on_postgres at Place::postgres().await);
rules! { on_one_machine at Place::sqlite() =>
    steps: [a_machine_whose_clock_steps_by_a_day_and_back_lets_nothing_revoked_in]
}
rules! { files_on_postgres at Place::postgres().await =>
    files: [a_process_that_may_open_no_more_files_is_closed_until_it_may]
}
rules! { files_on_redis at Place::redis() =>
    files: [a_process_that_may_open_no_more_files_is_closed_until_it_may]
}
linked_store!(beyond_a_link_to_postgres at Place::postgres().await);
shared_store!(on_redis at Place::redis());
// The rest is the same as on one server, and each needs three of them.
rules! { on_a_redis_cluster at Place::redis_cluster() =>
    races: [
        racing_sign_ins_of_two_processes_leave_exactly_the_limit_alive,
        racing_sign_ins_of_two_processes_that_may_not_evict_admit_exactly_the_limit,
        one_token_refreshed_in_two_processes_at_once_has_one_successor,
        nothing_that_a_refresh_of_one_process_mints_survives_a_revocation_by_another,
        no_session_of_the_old_password_survives_its_change_in_another_process,
        a_role_change_in_one_process_makes_tokens_stale_in_another,
    ]
    revoked: [
        what_one_process_revokes_another_refuses,
        what_is_revoked_everywhere_is_refused_by_the_next_request_of_any_process,
    ]
    stopped: [a_stopped_process_admits_nothing_that_was_revoked_meanwhile]
}
linked_store!(beyond_a_link_to_redis at Place::redis());
