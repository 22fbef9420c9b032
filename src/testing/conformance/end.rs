//! Ending sessions, counters, erasing.
#![expect(missing_docs, reason = "the name of a rule is what it says")]

use super::Harness;
use super::fixture::{Case, HOUR, LIMITS, ids, lives_long_enough, some_user};
use crate::revocation::{Answer, Committed, EndReason, EntryId, Revoked};
use crate::session::{
    Counters, EndAllOutcome, EndOutcome, EndSession, Listing, SessionRecord, SignInOutcome,
};
use crate::token::SessionId;
use crate::verify::Counter;

fn ended(outcome: EndOutcome) -> (SessionRecord, bool, Committed) {
    match outcome {
        EndOutcome::Ended {
            record,
            now,
            committed,
        } => (record, now, committed),
        EndOutcome::NotFound => panic!("there is such a session"),
    }
}

pub async fn ending_a_session_writes_its_record_and_the_log(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let (record, now, committed) = ended(case.end(&record).await);
    assert!(now);
    let end = record.ended.clone().expect("it ended");
    assert_eq!(end.reason, EndReason::SignedOut);
    assert_eq!(end.by.as_ref(), Some(&case.user));
    assert_eq!(end.at, committed.now);
    let expected = Revoked::Session {
        session: record.id,
        user: Some(case.user.clone()),
    };
    assert_eq!(committed.entries[0].revoked, expected);
    assert_eq!(committed.entries[0].reason, EndReason::SignedOut);
    assert!(case.log_holds(&committed).await);
    assert_eq!(case.find(record.id).await, record);
}

pub async fn the_entry_bears_the_name_that_the_request_gave_it(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let request = EndSession {
        session: record.id,
        owner: None,
        reason: EndReason::AdminRevoked,
        by: None,
        entry: EntryId::random(),
    };
    let name = request.entry;
    let outcome = case.store.end(request).await.expect("the store answers");
    let (record, _, committed) = ended(outcome);
    assert_eq!(committed.entries[0].id, name);
    assert_eq!(record.ended.and_then(|ended| ended.by), None);
}

pub async fn a_session_of_another_user_is_not_found_and_lives_on(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let mut theirs = record.clone();
    theirs.user = some_user();
    assert!(matches!(case.end(&theirs).await, EndOutcome::NotFound));
    assert!(case.is_admitted(&record).await);
    assert!(case.poll(None).await.entries.is_empty());
}

pub async fn a_session_that_is_not_there_is_not_found(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let mut record = case.sign_in().await;
    record.id = SessionId::random();
    assert!(matches!(case.end(&record).await, EndOutcome::NotFound));
}

pub async fn ending_an_ended_session_again_changes_nothing_about_it(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let (first, ..) = ended(case.end(&record).await);
    case.pass_a_moment().await;
    let request = EndSession {
        session: record.id,
        owner: Some(case.user.clone()),
        reason: EndReason::AdminRevoked,
        by: None,
        entry: EntryId::random(),
    };
    let outcome = case.store.end(request).await.expect("the store answers");
    let (again, now, committed) = ended(outcome);
    assert!(!now);
    assert_eq!(again, first);
    assert_eq!(committed.entries[0].reason, EndReason::SignedOut);
    assert!(case.log_holds(&committed).await);
}

pub async fn ending_an_ended_session_again_prolongs_its_entry(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    case.end(&record).await;
    if !case.pass(HOUR) {
        return;
    }
    let (.., committed) = ended(case.end(&record).await);
    lives_long_enough(&committed.entries[0], committed.now);
    case.pass(LIMITS.entry_lifetime() - HOUR / 2);
    assert!(case.log_holds(&committed).await);
    case.pass(HOUR);
    let (.., committed) = ended(case.end(&record).await);
    assert!(case.log_holds(&committed).await);
}

pub async fn an_entry_that_is_prolonged_is_not_read_again(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    case.end(&record).await;
    let read = case.poll(None).await;
    if !case.pass(HOUR) {
        return;
    }
    let (.., committed) = ended(case.end(&record).await);
    let again = case.poll(Some(&read.cursor)).await;
    let ids: Vec<_> = again.entries.iter().map(|entry| entry.id).collect();
    assert!(!ids.contains(&committed.entries[0].id), "{ids:?}");
}

pub async fn an_end_that_is_repeated_by_its_name_answers_as_it_did(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let request = EndSession {
        session: record.id,
        owner: Some(case.user.clone()),
        reason: EndReason::UserRevoked,
        by: Some(case.user.clone()),
        entry: EntryId::random(),
    };
    let outcome = case.store.end(request.clone()).await;
    let (first, now, committed) = ended(outcome.expect("the store answers"));
    assert!(now);
    case.pass_a_moment().await;
    let outcome = case.store.end(request).await;
    let (again, now, repeated) = ended(outcome.expect("the store answers"));
    assert!(now);
    assert_eq!(again, first);
    assert_eq!(repeated.entries.len(), 1);
    assert_eq!(repeated.entries[0].id, committed.entries[0].id);
}

pub async fn ending_all_ends_all_and_raises_the_counter(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let one = case.sign_in().await;
    let other = case.sign_in().await;
    let before = case.counters().await;
    let (records, committed) = case.end_all(None).await;
    let after = case.counters().await;
    assert!(after.revoked_gen > before.revoked_gen);
    assert_eq!(after.roles_gen, before.roles_gen);
    assert_eq!(records.len(), 2);
    for record in [&one, &other] {
        assert!(records.iter().any(|ended| ended.id == record.id));
        let end = case.find(record.id).await.ended.expect("it ended");
        assert_eq!(end.reason, EndReason::PasswordChanged);
        assert_eq!(end.by.as_ref(), Some(&case.user));
    }
    let expected = Revoked::User {
        user: case.user.clone(),
        below: after.revoked_gen,
        except: None,
    };
    assert_eq!(committed.entries[0].revoked, expected);
    assert!(case.log_holds(&committed).await);
    assert_eq!(case.store.count(&case.user).await.ok(), Some(0));
}

pub async fn ending_all_spares_the_exception(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let (stays, goes) = (case.sign_in().await, case.sign_in().await);
    for _ in 0..2 {
        let (records, _) = case.end_all(Some(stays.id)).await;
        assert!(records.iter().all(|record| record.id != stays.id));
        let spared = case.find(stays.id).await;
        assert_eq!(spared.spared, case.counters().await.revoked_gen);
        assert_eq!(spared.revoked_gen, stays.revoked_gen);
        assert!(case.is_admitted(&stays).await);
    }
    assert!(!case.is_admitted(&goes).await);
    case.end_all(None).await;
    assert!(!case.is_admitted(&stays).await);
}

pub async fn an_exception_that_is_not_alive_changes_nothing(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let kept = case.sign_in().await;
    let ended = case.sign_in().await;
    case.end(&ended).await;
    let theirs = case.with_another_user().sign_in().await;
    let expired = case.sign_in_expired().await;
    let before = case.counters().await;
    for except in [ended.id, theirs.id, expired.id, SessionId::random()] {
        let outcome = case.store.end_all(case.everything(Some(except))).await;
        assert!(matches!(outcome, Ok(EndAllOutcome::ExceptNotAlive)));
    }
    assert_eq!(case.counters().await, before);
    assert!(case.is_admitted(&kept).await);
}

pub async fn ending_all_of_one_user_leaves_the_others_alone(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let other = case.with_another_user();
    let theirs = other.sign_in().await;
    case.end_all(None).await;
    assert_eq!(other.counters().await, Counters::default());
    assert!(other.is_admitted(&theirs).await);
}

pub async fn a_session_made_after_the_end_of_everything_lives(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    case.sign_in().await;
    case.end_all(None).await;
    let new = case.sign_in().await;
    assert_eq!(new.revoked_gen, case.counters().await.revoked_gen);
    assert!(case.is_admitted(&new).await);
    assert_eq!(case.store.count(&case.user).await.ok(), Some(1));
}

pub async fn a_user_of_whom_nothing_is_known_has_counters_of_zero(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    assert_eq!(case.counters().await, Counters::default());
}

pub async fn counters_only_grow_and_begin_at_the_stores_clock(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    // A value above any that a store could have handed out before it lost its latest ones.
    let floor = Counter::from_u64(case.now().await.as_micros());
    let mut last = case.counters().await;
    for _ in 0..5 {
        case.end_all(None).await;
        let raised = case.store.raise_roles(&case.user, EntryId::random()).await;
        raised.expect("the store answers");
        let next = case.counters().await;
        assert!(next.revoked_gen > last.revoked_gen && next.revoked_gen >= floor);
        assert!(next.roles_gen > last.roles_gen && next.roles_gen >= floor);
        last = next;
    }
}

pub async fn a_role_change_ends_nobody_and_enters_the_log(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let before = case.counters().await;
    let committed = case.store.raise_roles(&case.user, EntryId::random()).await;
    let committed = committed.expect("the store answers");
    let after = case.counters().await;
    assert!(after.roles_gen > before.roles_gen);
    assert_eq!(after.revoked_gen, before.revoked_gen);
    let expected = Revoked::Roles {
        user: case.user.clone(),
        below: after.roles_gen,
    };
    assert_eq!(committed.entries[0].revoked, expected);
    assert!(case.log_holds(&committed).await);
    assert!(case.is_admitted(&record).await);
}

async fn erase(case: &Case<'_>) -> (Vec<SessionRecord>, Committed) {
    erase_as(case, EntryId::random()).await
}

async fn erase_as(case: &Case<'_>, entry: EntryId) -> (Vec<SessionRecord>, Committed) {
    let erased = case.store.erase(&case.user, entry).await;
    match erased.expect("the store answers") {
        EndAllOutcome::Ended { records, committed } => (records, committed),
        EndAllOutcome::ExceptNotAlive => panic!("nothing is excepted"),
    }
}

pub async fn erasing_a_user_leaves_no_record_of_them(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let (live, ended) = (case.sign_in().await, case.sign_in().await);
    case.end(&ended).await;
    let (records, committed) = erase(&case).await;
    assert!(records.iter().any(|record| record.id == live.id));
    assert!(case.log_holds(&committed).await);
    for record in [&live, &ended] {
        assert_eq!(case.store.find(record.id).await.ok(), Some(None));
    }
    for listing in [Listing::Live, Listing::Ended] {
        let listed = case.store.list(&case.user, listing).await;
        assert!(listed.expect("the store answers").is_empty());
    }
}

pub async fn tokens_of_an_erased_user_are_out(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let before = case.counters().await;
    erase(&case).await;
    let answer = case.confirm(&record, 1).await;
    assert!(matches!(answer, Answer::Revoked(_)));
    assert!(case.counters().await.revoked_gen > before.revoked_gen);
    if case.pass(LIMITS.entry_lifetime() + HOUR) {
        assert_eq!(case.confirm(&record, 1).await, Answer::Unknown);
        assert!(case.counters().await.revoked_gen > before.revoked_gen);
    }
}

pub async fn erasing_a_user_forgets_their_operations(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let new = case.new_session().await;
    case.sign_in_with(new.clone()).await;
    erase(&case).await;
    let mut again = case.new_session().await;
    again.operation = new.operation;
    let outcome = case.try_sign_in(again).await;
    assert!(matches!(
        outcome,
        SignInOutcome::Created { first: true, .. }
    ));
}

pub async fn an_erasure_that_is_repeated_by_its_name_changes_nothing(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    case.sign_in().await;
    let name = EntryId::random();
    let (_, committed) = erase_as(&case, name).await;
    let (live, ended) = (case.sign_in().await, case.sign_in().await);
    case.end(&ended).await;
    let (live, ended) = (case.find(live.id).await, case.find(ended.id).await);
    let counters = case.counters().await;
    case.pass_a_moment().await;
    let (records, repeated) = erase_as(&case, name).await;
    assert!(
        ids(&records)
            .iter()
            .all(|id| ![live.id, ended.id].contains(id))
    );
    assert_eq!(repeated.entries[0].id, committed.entries[0].id);
    assert_eq!(repeated.entries[0].revoked, committed.entries[0].revoked);
    assert_eq!(case.counters().await, counters);
    assert_eq!(case.find(live.id).await, live);
    assert_eq!(case.find(ended.id).await, ended);
}

pub async fn erasing_a_user_leaves_the_others_alone(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let other = case.with_another_user();
    let theirs = other.sign_in().await;
    case.sign_in().await;
    erase(&case).await;
    assert!(other.is_admitted(&theirs).await);
}
