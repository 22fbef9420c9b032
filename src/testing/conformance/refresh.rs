//! Refreshing sessions.
#![expect(missing_docs, reason = "the name of a rule is what it says")]

use std::time::Duration;

use super::Harness;
use super::fixture::{Case, HOUR, LIFETIME, NO_TIME};
use crate::revocation::{Answer, EndReason, EntryId, Revoked};
use crate::session::refresh::{Advance, RefreshState, ReplayKind, SeedHash};
use crate::session::{Granted, RefreshOutcome, SessionRecord};
use crate::token::{SessionId, TokenId};

pub async fn a_session_that_is_not_there_is_unknown(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let mut record = case.sign_in().await;
    record.id = SessionId::random();
    let outcome = case.refresh_by(&record, 1, HOUR).await;
    assert!(matches!(outcome, RefreshOutcome::Unknown));
}

pub async fn a_seed_that_is_not_the_sessions_is_unknown_and_changes_nothing(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    case.granted(&record, 1, NO_TIME).await;
    let before = case.granted(&record, 2, NO_TIME).await;
    let mut forged = record;
    forged.refresh.seed = SeedHash::from_bytes([7; 32]);
    for generation in 0..5 {
        let outcome = case.refresh_by(&forged, generation, NO_TIME).await;
        assert!(matches!(outcome, RefreshOutcome::Unknown));
    }
    assert_eq!(case.find(before.id).await, before);
}

pub async fn the_current_token_rotates(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let first = case.sign_in().await;
    let attempt = case.attempt(&first, 1, HOUR).await;
    let presented = attempt.presented;
    let RefreshOutcome::Granted {
        record,
        counters,
        how,
        committed,
    } = case.refresh(attempt).await
    else {
        panic!("it is the current one");
    };
    assert_eq!(how, Granted::Advanced(Advance::Rotated));
    assert_eq!(counters, case.counters().await);
    assert!(committed.is_none());
    assert_eq!(record.refresh.generation, 2);
    assert_eq!(record.refresh.issued_at, presented.issued_at);
    assert_eq!(
        record.refresh.access_expires_at,
        presented.access_expires_at
    );
    assert!(!record.refresh.used && record.refresh.ever_used);
    assert_eq!(record.refresh_count, 1);
    assert_eq!(case.find(record.id).await, record);
}

pub async fn a_refresh_answers_the_counters_of_its_moment(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let raised = case.store.raise_roles(&case.user, EntryId::random()).await;
    raised.expect("the store answers");
    let outcome = case.refresh_by(&record, 1, HOUR).await;
    let RefreshOutcome::Granted { counters, .. } = outcome else {
        panic!("a role change ends nobody");
    };
    assert_eq!(counters, case.counters().await);
    assert!(counters.roles_gen > crate::verify::Counter::ZERO);
}

pub async fn a_refresh_slides_the_refresh_token_up_to_the_sessions_end(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let mut new = case.new_session().await;
    new.refresh_lifetime = HOUR;
    new.absolute_lifetime = LIFETIME / 2;
    let record = case.sign_in_with(new).await;
    assert_eq!(record.refresh.expires_at, record.created_at + HOUR);
    let record = case.granted(&record, 1, HOUR).await;
    assert_eq!(record.refresh.expires_at, record.absolute_expires_at);
}

pub async fn a_refresh_is_not_a_use_by_the_user(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let first = case.sign_in().await;
    case.pass_a_moment().await;
    let record = case.granted(&first, 1, HOUR).await;
    assert_eq!(record.last_active_at, first.last_active_at);
}

async fn repeated(
    case: &Case<'_>,
    record: &SessionRecord,
    generation: u32,
) -> (SessionRecord, ReplayKind) {
    match case.refresh_by(record, generation, HOUR).await {
        RefreshOutcome::Granted {
            record,
            how: Granted::Repeated(kind),
            ..
        } => (record, kind),
        other => panic!("the answer is given again, not {other:?}"),
    }
}

pub async fn the_current_token_right_after_its_rotation_gets_its_own_answer_again(
    harness: &dyn Harness,
) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let rotated = case.granted(&record, 1, HOUR).await;
    let (again, how) = repeated(&case, &record, 2).await;
    assert_eq!(how, ReplayKind::HoldOff);
    assert!(again.refresh.used);
    assert_same_pair(&again, &rotated);
}

pub async fn the_predecessor_within_the_grace_gets_the_same_successor(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let rotated = case.granted(&record, 1, HOUR).await;
    for _ in 0..3 {
        case.pass_a_moment().await;
        let (again, how) = repeated(&case, &record, 1).await;
        assert_eq!(how, ReplayKind::Predecessor);
        assert_same_pair(&again, &rotated);
    }
}

fn assert_same_pair(again: &SessionRecord, first: &SessionRecord) {
    let pair = |record: &SessionRecord| {
        let state = &record.refresh;
        (
            state.generation,
            state.issued_at,
            state.access_expires_at,
            state.expires_at,
            record.refresh_count,
        )
    };
    assert_eq!(pair(again), pair(first));
}

pub async fn a_late_predecessor_replaces_a_successor_that_was_never_used(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    case.granted(&record, 1, NO_TIME).await;
    let RefreshOutcome::Granted {
        record,
        how,
        committed,
        ..
    } = case.refresh_by(&record, 1, NO_TIME).await
    else {
        panic!("nobody used the successor");
    };
    assert_eq!(how, Granted::Advanced(Advance::Replaced));
    assert_eq!(record.refresh.generation, 3);
    let committed = committed.expect("the skipped token is out");
    let out = Revoked::Token {
        token: TokenId::of_generation(record.id, 2),
        user: Some(case.user.clone()),
    };
    assert_eq!(committed.entries[0].revoked, out);
    assert_eq!(committed.entries[0].reason, EndReason::Replaced);
    assert!(case.log_holds(&committed).await);
}

pub async fn a_late_predecessor_of_a_used_successor_is_theft(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    case.granted(&record, 1, NO_TIME).await;
    assert_eq!(case.confirm(&record, 2).await, Answer::Alive);
    assert_theft(&case, &record, 1).await;
}

pub async fn a_token_older_than_the_predecessor_is_theft(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    case.granted(&record, 1, NO_TIME).await;
    case.granted(&record, 2, NO_TIME).await;
    assert_theft(&case, &record, 1).await;
}

pub async fn a_token_that_was_replaced_is_theft(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    case.granted(&record, 1, NO_TIME).await;
    case.granted(&record, 1, NO_TIME).await;
    assert_theft(&case, &record, 2).await;
}

/// The session ends, alone, with an entry in the log, and nothing of it is admitted any more.
async fn assert_theft(case: &Case<'_>, record: &SessionRecord, generation: u32) {
    let other = case.sign_in().await;
    let current = case.find(record.id).await.refresh.generation;
    let outcome = case.refresh_by(record, generation, NO_TIME).await;
    let RefreshOutcome::Reused { record, committed } = outcome else {
        panic!("somebody else has the token, so not {outcome:?}");
    };
    let reason = record.ended.as_ref().map(|ended| &ended.reason);
    assert_eq!(reason, Some(&EndReason::RefreshReused));
    assert!(case.log_holds(&committed).await);
    for generation in 1..=current {
        let answer = case.confirm(&record, generation).await;
        assert!(matches!(answer, Answer::Revoked(_)));
    }
    let outcome = case.refresh_by(&record, current, NO_TIME).await;
    assert!(matches!(outcome, RefreshOutcome::Over { .. }));
    assert!(case.is_admitted(&other).await);
}

pub async fn an_ended_session_is_never_refreshed(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    case.granted(&record, 1, HOUR).await;
    case.end(&record).await;
    for generation in 1..4 {
        let outcome = case.refresh_by(&record, generation, HOUR).await;
        let RefreshOutcome::Over { reason, .. } = outcome else {
            panic!("it has ended");
        };
        assert_eq!(reason, EndReason::SignedOut);
    }
    let reason = case.ended_reason(record.id).await;
    assert_eq!(reason, Some(EndReason::SignedOut));
}

pub async fn the_end_of_everything_ends_refreshing(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let (stays, goes) = (case.sign_in().await, case.sign_in().await);
    case.end_all(Some(stays.id)).await;
    let outcome = case.refresh_by(&goes, 1, HOUR).await;
    assert!(matches!(outcome, RefreshOutcome::Over { .. }));
    assert_eq!(case.granted(&stays, 1, HOUR).await.refresh.generation, 2);
}

pub async fn a_session_found_to_be_over_ends_in_that_step(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let expired = case.sign_in_expired().await;
    let outcome = case.refresh_by(&expired, 1, HOUR).await;
    let RefreshOutcome::Over {
        reason, committed, ..
    } = outcome
    else {
        panic!("its time is over");
    };
    assert_eq!(reason, EndReason::Expired);
    assert!(case.log_holds(&committed.expect("this found it out")).await);
    let reason = case.ended_reason(expired.id).await;
    assert_eq!(reason, Some(EndReason::Expired));
    let idle = case.sign_in_idle().await;
    let outcome = case.refresh_by(&idle, 1, HOUR).await;
    assert!(matches!(
        outcome,
        RefreshOutcome::Over {
            reason: EndReason::Idle,
            committed: Some(_),
            ..
        }
    ));
}

pub async fn a_predecessor_expires_by_its_own_lifetime_and_ends_nothing(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let mut new = case.new_session().await;
    new.refresh_lifetime = HOUR;
    let record = case.sign_in_with(new).await;
    case.granted(&record, 1, NO_TIME).await;
    if !case.pass(HOUR) {
        return;
    }
    let outcome = case.refresh_by(&record, 1, NO_TIME).await;
    assert!(matches!(
        outcome,
        RefreshOutcome::Over {
            reason: EndReason::Expired,
            committed: None,
            ..
        }
    ));
    assert!(case.is_admitted(&record).await);
    case.granted(&record, 2, NO_TIME).await;
}

pub async fn a_token_above_the_record_goes_forward(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let outcome = case.refresh_by(&record, 5, HOUR).await;
    let RefreshOutcome::Granted { record, how, .. } = outcome else {
        panic!("the store lost what came in between");
    };
    assert_eq!(how, Granted::Advanced(Advance::Forwarded));
    assert_eq!(record.refresh.generation, 6);
    let (again, _) = repeated(&case, &record, 5).await;
    assert_same_pair(&again, &record);
}

pub async fn answers_are_not_repeated_without_end(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    case.granted(&record, 1, HOUR).await;
    for _ in 0..RefreshState::MAX_REPEATS {
        repeated(&case, &record, 1).await;
    }
    for generation in [1, 2] {
        let outcome = case.refresh_by(&record, generation, HOUR).await;
        assert!(matches!(outcome, RefreshOutcome::TooMany));
    }
    assert!(case.is_admitted(&record).await);
}

pub async fn a_grace_of_zero_repeats_nothing(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    case.granted(&record, 1, Duration::ZERO).await;
    let next = case.granted(&record, 2, Duration::ZERO).await;
    assert_eq!(next.refresh.generation, 3);
    let outcome = case.refresh_by(&record, 2, Duration::ZERO).await;
    assert!(matches!(outcome, RefreshOutcome::Reused { .. }));
}

pub async fn the_same_write_finds_its_own_result_even_without_a_grace(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let attempt = case.attempt(&record, 1, Duration::ZERO).await;
    let RefreshOutcome::Granted { record: first, .. } = case.refresh(attempt.clone()).await else {
        panic!("it is the current one");
    };
    let RefreshOutcome::Granted { record, how, .. } = case.refresh(attempt).await else {
        panic!("it is the same write");
    };
    assert_eq!(how, Granted::Repeated(ReplayKind::SameOperation));
    assert_same_pair(&record, &first);
}

pub async fn a_rotation_revokes_the_access_token_before_it_where_that_is_asked(
    harness: &dyn Harness,
) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let mut attempt = case.attempt(&record, 1, NO_TIME).await;
    attempt.revoke_predecessor = true;
    let RefreshOutcome::Granted { committed, .. } = case.refresh(attempt).await else {
        panic!("it is the current one");
    };
    assert!(case.log_holds(&committed.expect("a token is out")).await);
    let answer = case.confirm(&record, 1).await;
    assert_eq!(answer, Answer::Revoked(EndReason::Replaced));
    assert_eq!(case.confirm(&record, 2).await, Answer::Alive);
    case.granted(&record, 2, NO_TIME).await;
    assert_eq!(case.confirm(&record, 2).await, Answer::Alive);
}
