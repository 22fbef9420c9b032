//! Making sessions: operations, tickets, limits.
#![expect(missing_docs, reason = "the name of a rule is what it says")]

use std::time::Duration;

use super::Harness;
use super::fixture::{Case, HOUR, LIFETIME, ids};
use crate::revocation::EndReason;
use crate::session::refresh::bucket_of;
use crate::session::{
    Authentication, Listing, SessionLimit, SessionRecord, SignInOutcome, Transport,
};
use crate::verify::Counter;

pub async fn a_session_is_made_as_it_was_asked_for(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let mut new = case.new_session().await;
    new.device.label = "Firefox on Linux".to_owned();
    new.name = Some("at home".to_owned());
    new.transport = Transport::Hybrid;
    new.authentication = Authentication {
        acr: Some("2".to_owned()),
        amr: vec!["pwd".to_owned(), "otp".to_owned()],
    };
    new.data = Some(r#"{"theme":"dark"}"#.to_owned());
    new.idle_lifetime = Some(HOUR);
    let record = case.sign_in_with(new.clone()).await;
    assert_eq!((record.id, &record.user), (new.id, &new.user));
    assert_eq!((&record.device, &record.name), (&new.device, &new.name));
    assert_eq!(record.authentication, new.authentication);
    assert_eq!(record.transport, new.transport);
    assert_eq!(record.data, new.data);
    assert_eq!(record.idle_lifetime, new.idle_lifetime);
    assert_eq!(record.revoked_gen, new.revoked_gen);
    assert_eq!(
        (record.refresh.seed, record.refresh.generation),
        (new.seed, 1)
    );
    assert_eq!(record.refresh.issued_at, new.issued_at);
    assert_eq!(record.refresh.access_expires_at, new.access_expires_at);
    assert!(record.ended.is_none() && !record.refresh.used);
    assert_eq!(record.spared, Counter::ZERO);
    assert_eq!(case.find(record.id).await, record);
}

pub async fn lifetimes_count_from_the_stores_now(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let new = case.new_session().await;
    let before = case.now().await;
    let record = case.sign_in_with(new).await;
    let after = case.now().await;
    assert!(before <= record.created_at && record.created_at <= after);
    assert_eq!(record.last_active_at, record.created_at);
    assert_eq!(record.authenticated_at, record.created_at);
    assert_eq!(record.refresh.expires_at, record.created_at + LIFETIME);
    assert_eq!(record.absolute_expires_at, record.created_at + 3 * LIFETIME);
}

pub async fn no_token_outlives_the_session(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let mut new = case.new_session().await;
    new.absolute_lifetime = HOUR;
    let record = case.sign_in_with(new).await;
    assert!(record.refresh.access_expires_at <= record.absolute_expires_at);
    assert!(record.refresh.expires_at <= record.absolute_expires_at);
}

pub async fn a_repeated_operation_finds_its_session(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let made = case.sign_in().await;
    let new = case.new_session().await;
    let first = case.sign_in_with(new.clone()).await;
    let mut again = case.new_session().await;
    again.operation = new.operation;
    let SignInOutcome::Repeated { record } = case.try_sign_in(again).await else {
        panic!("its session is alive");
    };
    assert_eq!(record, first);
    assert_eq!(case.store.count(&case.user).await.ok(), Some(2));
    assert!(case.is_admitted(&made).await);
}

pub async fn a_repeated_operation_whose_session_ended_is_refused(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let new = case.new_session().await;
    let record = case.sign_in_with(new.clone()).await;
    case.end(&record).await;
    let outcome = case.try_sign_in(new).await;
    assert!(matches!(outcome, SignInOutcome::Superseded));
}

pub async fn a_repeated_operation_whose_session_expired_is_refused(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let mut new = case.new_session().await;
    new.refresh_lifetime = Duration::ZERO;
    case.sign_in_with(new.clone()).await;
    let outcome = case.try_sign_in(new).await;
    assert!(matches!(outcome, SignInOutcome::Superseded));
}

pub async fn a_repeated_operation_is_found_before_its_ticket_is_compared(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let new = case.new_session().await;
    let record = case.sign_in_with(new.clone()).await;
    case.end_all(Some(record.id)).await;
    let outcome = case.try_sign_in(new).await;
    assert!(matches!(outcome, SignInOutcome::Repeated { .. }));
}

pub async fn the_same_operation_of_another_user_is_another_operation(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let other = case.with_another_user();
    let new = case.new_session().await;
    case.sign_in_with(new.clone()).await;
    let mut theirs = other.new_session().await;
    theirs.operation = new.operation;
    assert_eq!(other.sign_in_with(theirs).await.user, other.user);
}

pub async fn an_outdated_ticket_makes_no_session(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let new = case.new_session().await;
    case.end_all(None).await;
    let outcome = case.try_sign_in(new).await;
    assert!(matches!(outcome, SignInOutcome::TicketOutdated));
    assert_eq!(case.store.count(&case.user).await.ok(), Some(0));
}

pub async fn a_ticket_from_the_future_makes_no_session(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let mut new = case.new_session().await;
    new.revoked_gen = Counter::from_u64(u64::MAX);
    let outcome = case.try_sign_in(new).await;
    assert!(matches!(outcome, SignInOutcome::TicketOutdated));
}

pub async fn an_existing_id_is_never_overwritten(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    // Users of different buckets may be kept apart, and an id is of one of them.
    let bucket = bucket_of(&case.user);
    let mut other = case.with_another_user();
    while bucket_of(&other.user) != bucket {
        other = case.with_another_user();
    }
    let record = case.sign_in().await;
    let mut new = other.new_session().await;
    new.id = record.id;
    assert!(case.store.sign_in(new).await.is_err());
    assert_eq!(case.find(record.id).await, record);
}

pub async fn the_first_session_of_a_user_is_said_to_be_the_first(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    for expected in [true, false, false] {
        let new = case.new_session().await;
        let SignInOutcome::Created { first, record, .. } = case.try_sign_in(new).await else {
            panic!("there is room");
        };
        assert_eq!(first, expected);
        case.end(&record).await;
    }
}

async fn sign_in_within(
    case: &Case<'_>,
    limit: SessionLimit,
) -> (SessionRecord, Vec<SessionRecord>) {
    let mut new = case.new_session().await;
    new.limit = limit;
    match case.try_sign_in(new).await {
        SignInOutcome::Created {
            record,
            ended,
            committed,
            ..
        } => {
            assert_eq!(committed.is_some(), !ended.is_empty());
            if let Some(committed) = committed {
                assert!(case.log_holds(&committed).await);
            }
            (record, ended)
        }
        other => panic!("there is room, or somebody gives way: {other:?}"),
    }
}

pub async fn the_limit_evicts_sessions_that_were_never_used_first(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let used = case.sign_in().await;
    case.confirm(&used, 1).await;
    case.pass_a_moment().await;
    let unused = case.sign_in().await;
    let (new, ended) = sign_in_within(&case, SessionLimit::evicting(2)).await;
    assert_eq!(ids(&ended), [unused.id]);
    let reason = case.ended_reason(unused.id).await;
    assert_eq!(reason, Some(EndReason::Evicted));
    assert!(case.is_admitted(&used).await && case.is_admitted(&new).await);
    assert!(!case.is_admitted(&unused).await);
}

pub async fn the_limit_then_evicts_the_least_recently_used(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let (first, second) = (case.sign_in().await, case.sign_in().await);
    case.pass_a_moment().await;
    case.touch(&second, case.now().await).await;
    case.pass_a_moment().await;
    case.touch(&first, case.now().await).await;
    let (_, ended) = sign_in_within(&case, SessionLimit::evicting(2)).await;
    assert_eq!(ids(&ended), [second.id]);
}

pub async fn a_lowered_limit_evicts_as_many_as_it_takes(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    for _ in 0..5 {
        case.sign_in().await;
    }
    let (new, ended) = sign_in_within(&case, SessionLimit::evicting(2)).await;
    assert_eq!(ended.len(), 4);
    let live = case.store.list(&case.user, Listing::Live).await;
    let live = live.expect("the store answers");
    assert_eq!(live.len(), 2);
    assert!(ids(&live).contains(&new.id));
}

pub async fn a_rejecting_limit_refuses_and_ends_nobody(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let kept = case.sign_in().await;
    let mut new = case.new_session().await;
    new.limit = SessionLimit::rejecting(1);
    let SignInOutcome::LimitReached { ended, committed } = case.try_sign_in(new.clone()).await
    else {
        panic!("there is no room");
    };
    assert!(ended.is_empty() && committed.is_none());
    assert!(case.is_admitted(&kept).await);
    assert_eq!(case.store.find(new.id).await.ok(), Some(None));
    case.end(&kept).await;
    case.sign_in_with(new).await;
}

pub async fn a_limit_of_zero_is_none(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    for limit in [SessionLimit::evicting(0), SessionLimit::rejecting(0)] {
        for _ in 0..12 {
            let (_, ended) = sign_in_within(&case, limit).await;
            assert!(ended.is_empty());
        }
    }
    assert_eq!(case.store.count(&case.user).await.ok(), Some(24));
}

pub async fn sessions_of_other_users_do_not_count(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let other = case.with_another_user().sign_in().await;
    let (_, ended) = sign_in_within(&case, SessionLimit::rejecting(1)).await;
    assert!(ended.is_empty());
    assert!(
        case.with_another_user()
            .find(other.id)
            .await
            .ended
            .is_none()
    );
}

pub async fn sessions_that_are_over_are_ended_and_not_counted(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let expired = case.sign_in_expired().await;
    // Each sign-in ends what is over by then, so this one finds the other.
    let (_, ended) = sign_in_within(&case, SessionLimit::rejecting(1)).await;
    assert_eq!(ids(&ended), [expired.id]);
    let reason = case.ended_reason(expired.id).await;
    assert_eq!(reason, Some(EndReason::Expired));
}

pub async fn a_refused_sign_in_still_ends_what_is_over(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    case.sign_in().await;
    let idle = case.sign_in_idle().await;
    let mut new = case.new_session().await;
    new.limit = SessionLimit::rejecting(1);
    let SignInOutcome::LimitReached { ended, committed } = case.try_sign_in(new).await else {
        panic!("there is no room");
    };
    assert_eq!(ids(&ended), [idle.id]);
    assert!(case.log_holds(&committed.expect("it ended one")).await);
    assert_eq!(case.ended_reason(idle.id).await, Some(EndReason::Idle));
}
