//! Mishaps of honest clients that an earlier rule took for theft, and what it costs that none is.

use super::*;

#[test]
fn two_quick_rotations_do_not_overtake_a_request_on_its_way() {
    let mut line = Line::new();
    // A second tab sends the first token; it is slow.
    line.refresh(1);
    line.pass(GRACE / 3);
    assert_eq!(line.refresh(2), Answer::Same(2, ReplayKind::HoldOff));
    line.pass(GRACE / 3);
    assert_eq!(line.refresh(1), Answer::Same(2, ReplayKind::Predecessor));
}

#[test]
fn a_lost_answer_and_a_sleep_longer_than_the_access_token_sign_nobody_out() {
    let mut line = Line::rotated();
    line.pass(2 * ACCESS);
    assert_eq!(line.refresh(1), Answer::New(3, Advance::Replaced));
    assert!(line.admit(3));
    assert_eq!(
        line.pass(GRACE).refresh(3),
        Answer::Same(3, ReplayKind::HoldOff)
    );
}

#[test]
fn two_tabs_that_wake_after_a_lost_answer_get_one_pair() {
    let mut line = Line::rotated();
    line.pass(ACCESS);
    assert_eq!(line.refresh(1), Answer::New(3, Advance::Replaced));
    assert_eq!(line.refresh(1), Answer::Same(3, ReplayKind::Predecessor));
    assert_eq!(line.refresh(3), Answer::Same(3, ReplayKind::HoldOff));
    line.pass(GRACE / 2);
    assert_eq!(line.refresh(1), Answer::Same(3, ReplayKind::Predecessor));
}

#[test]
fn two_repeats_on_both_sides_of_the_windows_edge_get_one_pair() {
    let mut line = Line::rotated();
    line.pass(GRACE - SECOND);
    assert_eq!(line.refresh(1), Answer::Same(2, ReplayKind::Predecessor));
    // The first tab uses what it got before the copy of the second one arrives.
    line.admit(2);
    line.pass(2 * SECOND);
    assert_eq!(line.refresh(1), Answer::Same(2, ReplayKind::Predecessor));
}

#[test]
fn an_overtaken_answer_that_puts_the_old_cookie_back_signs_nobody_out() {
    let mut line = Line::new();
    let mut jar = 1;
    let early = line.refresh(jar);
    jar = early.generation().expect("it is current");
    line.admit(jar);
    // The client refreshes twice; the second answer comes first, then the first.
    line.pass(2 * GRACE);
    let rotated = line.refresh(jar);
    assert_eq!(rotated, Answer::New(3, Advance::Rotated));
    line.pass(GRACE / 2);
    let held = line.refresh(3);
    assert!(!held.sets_cookie());
    jar = early.generation().expect("it is current");
    line.pass(GRACE / 2 - SECOND);
    let again = line.refresh(jar);
    assert_eq!(again, Answer::Same(3, ReplayKind::Predecessor));
}

#[test]
fn two_tabs_with_storages_of_their_own_share_a_session_within_the_grace() {
    let mut line = Line::rotated();
    line.admit(2);
    line.pass(GRACE - SECOND);
    assert_eq!(line.refresh(1), Answer::Same(2, ReplayKind::Predecessor));
}

#[test]
fn a_second_tab_with_a_storage_of_its_own_that_slept_looks_like_theft() {
    let mut line = Line::rotated();
    line.admit(2);
    line.pass(ACCESS);
    assert_eq!(line.refresh(1), Answer::Theft);
}

#[test]
fn a_late_copy_of_a_request_ends_the_session_of_a_client_that_went_on() {
    let mut line = Line::rotated();
    line.admit(2);
    line.pass(GRACE + SECOND);
    assert_eq!(line.refresh(1), Answer::Theft);
}

#[test]
fn a_late_copy_that_replaces_the_token_of_an_idle_client_ends_the_session_when_it_wakes() {
    let mut line = Line::rotated();
    line.pass(GRACE + SECOND);
    assert_eq!(line.refresh(1), Answer::New(3, Advance::Replaced));
    assert_eq!(line.refresh(2), Answer::Theft);
}

#[test]
fn a_store_that_never_hears_of_requests_still_signs_nobody_out_for_a_lost_answer() {
    let mut line = Line::rotated();
    // Nothing marks a use; the store was away for longer than the grace.
    line.pass(10 * GRACE);
    assert_eq!(line.refresh(1), Answer::New(3, Advance::Replaced));
    line.pass(2 * GRACE);
    assert_eq!(line.refresh(3), Answer::New(4, Advance::Rotated));
}

#[test]
fn a_client_that_used_a_token_and_lost_it_looks_like_theft() {
    let mut line = Line::rotated();
    line.admit(2);
    line.pass(GRACE);
    assert_eq!(line.refresh(1), Answer::Theft);
}

#[test]
fn a_restored_store_takes_the_client_where_it_is() {
    let mut line = Line::rotated();
    let backup = line.state.clone();
    line.pass(2 * GRACE).refresh(2);
    line.pass(2 * GRACE).refresh(3);
    line.state = backup;
    assert_eq!(line.refresh(4), Answer::New(5, Advance::Forwarded));
    assert_eq!(line.refresh(4), Answer::Same(5, ReplayKind::Predecessor));
}

#[test]
fn a_lost_answer_under_strict_rules_ends_the_session() {
    let mut line = Line::with_grace(Duration::ZERO);
    line.refresh(1);
    assert_eq!(line.refresh(1), Answer::Theft);
}
