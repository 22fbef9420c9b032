//! Ending what is over and forgetting what is old.
#![expect(missing_docs, reason = "the name of a rule is what it says")]

use std::time::Duration;

use super::Harness;
use super::fixture::{Case, HOUR, ids};
use crate::revocation::{Answer, EndReason, NodeId, PollRequest};
use crate::session::{Idleness, SignInOutcome, Swept};

async fn sweep(case: &Case<'_>, retention: Duration, batch: usize) -> Swept {
    let swept = case.store.sweep(retention, batch).await;
    swept.expect("the store answers")
}

pub async fn a_sweep_ends_what_is_over_and_nothing_else(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let live = case.sign_in().await;
    let idle = case.with_another_user().sign_in_idle().await;
    let expired = case.with_another_user().sign_in_expired().await;
    let swept = sweep(&case, HOUR, 100).await;
    let mut ended = ids(&swept.ended);
    ended.sort();
    let mut expected = [idle.id, expired.id];
    expected.sort();
    assert_eq!(ended, expected);
    assert!(!swept.more);
    assert_eq!(swept.forgotten, 0);
    let committed = swept.committed.expect("it ended two");
    assert_eq!(committed.entries.len(), 2);
    assert!(case.log_holds(&committed).await);
    assert_eq!(case.ended_reason(idle.id).await, Some(EndReason::Idle));
    let reason = case.ended_reason(expired.id).await;
    assert_eq!(reason, Some(EndReason::Expired));
    assert!(case.is_admitted(&live).await);
}

pub async fn what_was_swept_stays_ended(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let idle = case.sign_in_idle().await;
    sweep(&case, HOUR, 100).await;
    case.touch(&idle, idle.created_at).await;
    let answer = case.confirm(&idle, 1).await;
    assert_eq!(answer, Answer::Revoked(EndReason::Idle));
    let again = sweep(&case, HOUR, 100).await;
    assert!(again.ended.is_empty() && again.committed.is_none());
}

pub async fn a_sweep_with_nothing_to_do_does_nothing(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    case.sign_in().await;
    let swept = sweep(&case, HOUR, 100).await;
    assert!(swept.ended.is_empty() && swept.committed.is_none());
    assert!(swept.forgotten == 0 && !swept.more);
}

pub async fn a_sweep_does_no_more_than_its_batch_and_says_so(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    for _ in 0..5 {
        case.with_another_user().sign_in_expired().await;
    }
    let mut ended = Vec::new();
    for more in [true, true, false] {
        let swept = sweep(&case, HOUR, 2).await;
        assert_eq!(swept.more, more);
        assert!(swept.ended.len() <= 2);
        ended.extend(ids(&swept.ended));
    }
    ended.sort();
    ended.dedup();
    assert_eq!(ended.len(), 5);
}

pub async fn who_goes_on_is_swept_when_the_time_is_over_and_not_before(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let mut made = Vec::new();
    for _ in 0..3 {
        let case = case.with_another_user();
        let mut new = case.new_session().await;
        new.idle_lifetime = Some(HOUR);
        let record = case.sign_in_with(new).await;
        made.push((case, record));
    }
    // In batches that do not hold all of them.
    let sweep_all = async || {
        let mut ended = Vec::new();
        for _ in 0..5 {
            let swept = sweep(&case, HOUR, 2).await;
            ended.extend(ids(&swept.ended));
            if !swept.more {
                ended.sort();
                return ended;
            }
        }
        panic!("a sweep has always more to do");
    };
    if !case.pass(HOUR / 2) {
        return;
    }
    for (case, record) in &made {
        case.touch(record, case.now().await).await;
    }
    case.pass(HOUR * 3 / 4);
    assert!(sweep_all().await.is_empty());
    for (case, record) in &made {
        assert!(case.is_admitted(record).await);
    }
    case.pass(HOUR / 2);
    let mut expected: Vec<_> = made.iter().map(|(_, record)| record.id).collect();
    expected.sort();
    assert_eq!(sweep_all().await, expected);
}

pub async fn an_ended_session_is_remembered_for_the_retention(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let (record, live) = (case.sign_in().await, case.sign_in().await);
    case.end(&record).await;
    if !case.pass(HOUR) {
        return;
    }
    assert_eq!(sweep(&case, HOUR, 100).await.forgotten, 0);
    assert!(case.find(record.id).await.ended.is_some());
    case.pass(Duration::from_secs(1));
    let swept = sweep(&case, HOUR, 100).await;
    assert_eq!((swept.forgotten, swept.more), (1, false));
    assert_eq!(case.store.find(record.id).await.ok(), Some(None));
    assert!(case.is_admitted(&live).await);
}

pub async fn forgetting_goes_by_batches_too(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    for _ in 0..3 {
        let record = case.sign_in().await;
        case.end(&record).await;
    }
    case.pass_a_moment().await;
    let first = sweep(&case, Duration::ZERO, 2).await;
    assert_eq!((first.forgotten, first.more), (2, true));
    let second = sweep(&case, Duration::ZERO, 2).await;
    assert_eq!((second.forgotten, second.more), (1, false));
}

pub async fn an_operation_is_known_for_as_long_as_its_ended_session(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let new = case.new_session().await;
    let record = case.sign_in_with(new.clone()).await;
    case.end(&record).await;
    case.pass_a_moment().await;
    sweep(&case, HOUR, 100).await;
    let outcome = case.try_sign_in(new.clone()).await;
    assert!(matches!(outcome, SignInOutcome::Superseded));
    sweep(&case, Duration::ZERO, 100).await;
    let outcome = case.try_sign_in(new).await;
    assert!(matches!(
        outcome,
        SignInOutcome::Created { first: true, .. }
    ));
}

pub async fn forgetting_a_session_lets_nobody_in(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    case.end(&record).await;
    case.pass_a_moment().await;
    sweep(&case, Duration::ZERO, 100).await;
    assert_eq!(case.store.find(record.id).await.ok(), Some(None));
    let answer = case.confirm(&record, 1).await;
    assert_eq!(answer, Answer::Revoked(EndReason::SignedOut));
}

/// The poll of a node whose lease lasts for so long.
async fn poll(case: &Case<'_>, lease: Duration) {
    let request = PollRequest {
        node: NodeId(7),
        since: None,
        history: None,
        lease,
        probes: &[],
        pieces: None,
    };
    case.store.poll(request).await.expect("the store answers");
}

pub async fn being_unused_is_excused_from_an_outage_until_uses_were_written(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    if !harness.can_be_away() {
        return;
    }
    let outage = 48 * HOUR;
    let mut new = case.new_session().await;
    new.idle_lifetime = Some(HOUR);
    let used = case.sign_in_with(new).await;
    let other = case.with_another_user();
    let mut new = other.new_session().await;
    new.idle_lifetime = Some(HOUR);
    let unused = other.sign_in_with(new).await;
    poll(&case, HOUR / 2).await;
    if !case.pass(outage) {
        return;
    }
    // The first call after it, by a node that has not polled yet.
    let last_use = used.created_at + outage - Duration::from_secs(1);
    assert!(sweep(&case, HOUR, 100).await.ended.is_empty());
    for record in [&used, &unused] {
        assert_eq!(case.confirm(record, 1).await, Answer::Alive);
    }
    poll(&case, HOUR / 2).await;
    let swept = sweep(&case, HOUR, 100).await;
    assert!(swept.ended.is_empty() && !swept.more);
    assert_eq!(case.store.count(&case.user).await.expect("it answers"), 1);
    case.touch(&used, last_use).await;
    assert_eq!(case.find(used.id).await.last_active_at, last_use);

    case.pass(Idleness::SETTLING);
    let swept = sweep(&case, HOUR, 100).await;
    assert_eq!(ids(&swept.ended), [unused.id]);
    assert_eq!(case.ended_reason(unused.id).await, Some(EndReason::Idle));
    assert_eq!(case.confirm(&used, 1).await, Answer::Alive);
}

pub async fn polls_that_go_on_excuse_nobody(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    if !harness.can_be_away() {
        return;
    }
    let mut new = case.new_session().await;
    new.idle_lifetime = Some(HOUR);
    let idle = case.sign_in_with(new).await;
    for _ in 0..4 {
        poll(&case, HOUR / 2).await;
        if !case.pass(HOUR / 4) {
            return;
        }
    }
    assert_eq!(ids(&sweep(&case, HOUR, 100).await.ended), [idle.id]);
}
