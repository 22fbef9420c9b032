//! Each clause of the decision by itself, at its edges.

use super::*;

const MICRO: Duration = Duration::from_micros(1);

#[test]
fn the_first_token_rotates_at_once() {
    let mut line = Line::new();
    assert_eq!(line.refresh(1), Answer::New(2, Advance::Rotated));
    assert_eq!(line.state.predecessor, 1);
    assert_eq!(line.state.rotated_at, line.now);
    assert!(!line.state.used && line.state.ever_used);
}

#[test]
fn a_rotation_writes_the_new_lifetimes() {
    let mut line = Line::new();
    let first = line.state.clone();
    line.pass(ACCESS).refresh(1);
    assert_eq!(line.state.issued_at, line.now);
    assert_eq!(line.state.access_expires_at, line.now + ACCESS);
    assert_eq!(line.state.expires_at, line.now + LIFETIME);
    assert_eq!(line.state.predecessor_expires_at, first.expires_at);
}

#[test]
fn no_lifetime_passes_the_absolute_end() {
    let mut line = Line::new();
    line.absolute_end = line.now + SECOND;
    line.refresh(1);
    assert_eq!(line.state.expires_at, line.absolute_end);
    assert_eq!(line.state.access_expires_at, line.absolute_end);
    line.refresh(7);
    assert_eq!(line.state.predecessor_expires_at, line.absolute_end);
}

#[test]
fn the_hold_off_lasts_two_graces() {
    let mut line = Line::rotated();
    line.pass(2 * GRACE - MICRO);
    assert_eq!(line.refresh(2), Answer::Same(2, ReplayKind::HoldOff));
    line.pass(MICRO);
    assert_eq!(line.refresh(2), Answer::New(3, Advance::Rotated));
}

#[test]
fn an_answer_of_the_hold_off_marks_its_generation_used() {
    let mut line = Line::rotated();
    line.refresh(2);
    assert!(line.state.used);
    line.pass(GRACE);
    assert_eq!(line.refresh(1), Answer::Theft);
}

#[test]
fn an_answer_of_the_hold_off_does_not_prolong_the_hold_off() {
    let mut line = Line::rotated();
    line.pass(GRACE).refresh(2);
    line.pass(GRACE);
    assert_eq!(line.refresh(2), Answer::New(3, Advance::Rotated));
}

#[test]
fn the_predecessor_is_accepted_before_the_grace_is_over_and_not_at_its_end() {
    let mut line = Line::rotated();
    line.admit(2);
    line.pass(GRACE - MICRO);
    assert_eq!(line.refresh(1), Answer::Same(2, ReplayKind::Predecessor));
    line.pass(MICRO);
    assert_eq!(line.refresh(1), Answer::Theft);
}

#[test]
fn a_replay_of_the_predecessor_starts_the_grace_anew_while_the_successor_is_unused() {
    let mut line = Line::rotated();
    for _ in 0..5 {
        line.pass(GRACE - MICRO);
        assert_eq!(line.refresh(1), Answer::Same(2, ReplayKind::Predecessor));
    }
    line.admit(2);
    line.pass(GRACE - MICRO);
    assert_eq!(line.refresh(1), Answer::Same(2, ReplayKind::Predecessor));
    line.pass(MICRO);
    assert_eq!(line.refresh(1), Answer::Theft);
}

#[test]
fn a_late_predecessor_replaces_an_unused_successor() {
    let mut line = Line::rotated();
    line.pass(GRACE);
    assert_eq!(line.refresh(1), Answer::New(3, Advance::Replaced));
    assert_eq!(line.skipped, [2]);
    assert_eq!(line.state.predecessor, 1);
    assert!(!line.admit(2), "the log puts the skipped generation out");
    assert!(line.admit(3));
}

#[test]
fn a_replaced_generation_is_theft_at_once_and_later() {
    for wait in [Duration::ZERO, 10 * GRACE] {
        let mut line = Line::rotated();
        line.pass(GRACE).refresh(1);
        assert_eq!(line.pass(wait).refresh(2), Answer::Theft);
    }
}

#[test]
fn the_predecessor_of_a_replaced_generation_is_that_of_its_replacement() {
    let mut line = Line::rotated();
    line.pass(GRACE).refresh(1);
    assert_eq!(line.refresh(1), Answer::Same(3, ReplayKind::Predecessor));
    line.pass(GRACE);
    assert_eq!(line.refresh(1), Answer::New(4, Advance::Replaced));
    assert_eq!(line.skipped, [2, 3]);
    assert_eq!(line.clone().refresh(3), Answer::Theft);
    line.pass(2 * GRACE);
    assert_eq!(line.refresh(4), Answer::New(5, Advance::Rotated));
    assert_eq!(line.refresh(1), Answer::Theft);
}

#[test]
fn a_late_predecessor_of_a_used_successor_is_theft() {
    let mut line = Line::rotated();
    line.admit(2);
    line.pass(GRACE);
    assert_eq!(line.refresh(1), Answer::Theft);
}

#[test]
fn the_access_token_of_another_generation_does_not_count_as_a_use_of_the_current_one() {
    let mut line = Line::rotated();
    line.admit(1);
    line.pass(GRACE);
    assert_eq!(line.refresh(1), Answer::New(3, Advance::Replaced));
}

#[test]
fn anything_older_than_the_predecessor_is_theft_even_within_the_grace() {
    let mut line = Line::rotated();
    line.pass(2 * GRACE).refresh(2);
    assert_eq!(line.refresh(1), Answer::Theft);
}

#[test]
fn generation_zero_is_theft_and_never_a_predecessor() {
    assert_eq!(Line::new().refresh(0), Answer::Theft);
    assert_eq!(Line::rotated().refresh(0), Answer::Theft);
}

#[test]
fn a_predecessor_expires_by_its_own_lifetime_and_the_grace() {
    let mut line = Line::new();
    let expires_at = line.state.expires_at;
    line.pass(LIFETIME - SECOND).refresh(1);
    line.now = expires_at + GRACE - MICRO;
    assert_eq!(line.clone().refresh(1), Answer::New(3, Advance::Replaced));
    line.pass(MICRO);
    assert_eq!(line.refresh(1), Answer::Expired);
    assert!(!line.ended);
}

#[test]
fn a_token_above_the_store_goes_forward_and_rotates_from_there() {
    let mut line = Line::new();
    assert_eq!(line.refresh(5), Answer::New(6, Advance::Forwarded));
    assert!(line.state.ever_used);
    assert_eq!(line.state.predecessor_expires_at, line.now + LIFETIME);
    assert_eq!(line.refresh(5), Answer::Same(6, ReplayKind::Predecessor));
    assert_eq!(line.clone().refresh(1), Answer::Theft);
    line.pass(2 * GRACE);
    assert_eq!(line.refresh(6), Answer::New(7, Advance::Rotated));
}

#[test]
fn generations_end_before_they_begin_anew() {
    let mut line = Line::new();
    assert_eq!(line.refresh(u32::MAX), Answer::Theft);
    let mut line = Line::new();
    line.state.generation = u32::MAX;
    assert_eq!(line.refresh(u32::MAX), Answer::Theft);
}

#[test]
fn at_most_200_answers_are_given_again_in_one_grace() {
    let mut line = Line::rotated();
    for _ in 0..RefreshState::MAX_REPEATS {
        assert!(line.refresh(1).generation().is_some());
    }
    assert_eq!(line.refresh(1), Answer::TooMany);
    assert_eq!(line.refresh(2), Answer::TooMany);
    assert!(!line.ended);
    line.pass(GRACE);
    assert!(line.refresh(2).generation().is_some());
}

#[test]
fn a_clock_that_was_set_back_does_not_lock_the_counting_of_answers() {
    let mut line = Line::rotated();
    for _ in 0..RefreshState::MAX_REPEATS {
        line.refresh(1);
    }
    line.now = line.now - ACCESS;
    assert!(line.refresh(1).generation().is_some());
}

#[test]
fn strict_rules_have_no_hold_off_and_no_predecessor() {
    let mut line = Line::with_grace(Duration::ZERO);
    assert_eq!(line.refresh(1), Answer::New(2, Advance::Rotated));
    assert_eq!(line.refresh(2), Answer::New(3, Advance::Rotated));
    assert_eq!(line.refresh(2), Answer::Theft);
}

#[test]
fn strict_rules_hold_when_the_clock_was_set_back() {
    let mut line = Line::with_grace(Duration::ZERO);
    line.refresh(1);
    line.now = line.now - ACCESS;
    assert_eq!(line.clone().refresh(1), Answer::Theft);
    assert_eq!(line.refresh(2), Answer::New(3, Advance::Rotated));
}

#[test]
fn the_same_write_finds_its_own_result() {
    for grace in [Duration::ZERO, GRACE] {
        let mut line = Line::with_grace(grace);
        assert_eq!(line.refresh_by(1, 9), Answer::New(2, Advance::Rotated));
        let again = Answer::Same(2, ReplayKind::SameOperation);
        assert_eq!(line.refresh_by(1, 9), again);
        line.pass(10 * GRACE);
        assert_eq!(line.refresh_by(1, 9), again);
    }
}

#[test]
fn the_same_write_finds_what_it_replaced_and_where_it_went_forward() {
    let mut line = Line::rotated();
    line.pass(GRACE);
    assert_eq!(line.refresh_by(1, 9), Answer::New(3, Advance::Replaced));
    let again = line.refresh_by(1, 9);
    assert_eq!(again, Answer::Same(3, ReplayKind::SameOperation));
    let mut line = Line::new();
    assert_eq!(line.refresh_by(4, 9), Answer::New(5, Advance::Forwarded));
    let again = line.refresh_by(4, 9);
    assert_eq!(again, Answer::Same(5, ReplayKind::SameOperation));
}

#[test]
fn an_attempt_without_a_name_never_passes_for_the_same_write() {
    let mut line = Line::with_grace(Duration::ZERO);
    line.refresh_by(1, 0);
    assert_eq!(line.refresh_by(1, 0), Answer::Theft);
}

#[test]
fn another_write_by_the_same_token_is_no_repetition_under_strict_rules() {
    let mut line = Line::with_grace(Duration::ZERO);
    line.refresh_by(1, 9);
    assert_eq!(line.refresh_by(1, 8), Answer::Theft);
}
