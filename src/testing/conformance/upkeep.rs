//! Looking at a store, and moving its sessions; for stores that say how.
#![expect(missing_docs, reason = "the name of a rule is what it says")]

use super::Harness;
use super::fixture::{Case, HOUR, NO_TIME, entry, facts_of, ids};
use crate::revocation::{About, Answer, EndReason, Revoked};
use crate::session::{
    EndAllOutcome, Export, Imported, Listing, SessionRecord, SignInOutcome, StoredSession, Upkeep,
    Use,
};
use crate::token::SessionId;
use crate::verify::Counter;

/// `None`, and a word about it, for a store that says nothing of it.
fn upkeep<'c>(case: &'c Case<'_>) -> Option<&'c dyn Upkeep> {
    let upkeep = case.store.upkeep().filter(|_| !case.seals());
    if upkeep.is_none() {
        eprintln!("not run: this store does not say how it is looked at and moved, or seals");
    }
    upkeep
}

/// Everything, a few at a time.
async fn exported(upkeep: &dyn Upkeep) -> Vec<StoredSession> {
    let (mut all, mut from) = (Vec::new(), None);
    loop {
        let page = upkeep.export(from, 3).await.expect("the store answers");
        let Export {
            sessions,
            next,
            unreadable,
        } = page;
        assert_eq!(unreadable, 0);
        all.extend(sessions);
        from = next;
        if from.is_none() {
            return all;
        }
    }
}

async fn the_one(upkeep: &dyn Upkeep, id: SessionId) -> StoredSession {
    let all = exported(upkeep).await;
    let found = all.into_iter().find(|stored| stored.record.id == id);
    found.expect("it is exported")
}

async fn import(upkeep: &dyn Upkeep, sessions: Vec<StoredSession>) -> Imported {
    upkeep.import(sessions).await.expect("the store answers")
}

/// The same session of another user with another operation, as another store would hold it.
fn elsewhere(stored: &StoredSession, case: &Case<'_>) -> StoredSession {
    let mut other = stored.clone();
    other.record.id = SessionId::random();
    other.record.user = case.user.clone();
    other.operation[0] ^= 1;
    other
}

pub async fn an_export_meets_every_session_once_ended_ones_too(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let Some(upkeep) = upkeep(&case) else { return };
    let other = case.with_another_user();
    let mut expected = Vec::new();
    for number in 0..9 {
        let whose = if number % 2 == 0 { &case } else { &other };
        let record = whose.sign_in().await;
        if number % 3 == 0 {
            whose.end(&record).await;
        }
        expected.push(record.id);
    }
    other.end_all(None).await;
    let records: Vec<_> = exported(upkeep).await;
    let mut met: Vec<_> = records.iter().map(|stored| stored.record.id).collect();
    met.sort_unstable();
    expected.sort_unstable();
    assert_eq!(met, expected);
    for stored in records {
        assert_eq!(stored.record, case.find(stored.record.id).await);
        assert_eq!(stored.record.ended.is_some(), stored.ended_by.is_some());
    }
}

pub async fn an_export_tells_the_counters_of_the_user(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let Some(upkeep) = upkeep(&case) else { return };
    let record = case.sign_in().await;
    case.end_all(Some(record.id)).await;
    let stored = the_one(upkeep, record.id).await;
    assert_eq!(stored.counters, case.counters().await);
    assert!(stored.counters.revoked_gen > record.revoked_gen);
    assert_eq!(stored.record.spared, stored.counters.revoked_gen);
}

pub async fn the_exported_log_is_what_a_load_reads(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let Some(upkeep) = upkeep(&case) else { return };
    let record = case.sign_in().await;
    case.end(&record).await;
    case.end_all(None).await;
    let revoked = Revoked::Session {
        session: SessionId::random(),
        user: None,
    };
    case.append(vec![entry(revoked, EndReason::AdminRevoked)])
        .await;
    let mut log = upkeep.export_log().await.expect("the store answers");
    let mut loaded = case.poll(None).await.entries;
    log.sort_by_key(|entry| entry.id);
    loaded.sort_by_key(|entry| entry.id);
    assert_eq!(log, loaded);
    assert_eq!(log.len(), 3);
}

pub async fn an_imported_session_goes_on_as_it_was(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let Some(upkeep) = upkeep(&case) else { return };
    let other = case.with_another_user();
    let first = case.sign_in().await;
    let mut record = case.granted(&first, 1, NO_TIME).await;
    case.confirm(&record, 2).await;
    record = case.find(record.id).await;
    let moved = elsewhere(&the_one(upkeep, record.id).await, &other);
    let done = import(upkeep, vec![moved.clone()]).await;
    assert_eq!((done.made, done.changed, done.kept), (1, 0, 0));
    let found = other.find(moved.record.id).await;
    assert_eq!(found, moved.record);
    assert!(other.is_admitted(&found).await);
    let listed = other.store.list(&other.user, Listing::Live).await;
    assert_eq!(ids(&listed.expect("it answers")), [found.id]);
    assert_eq!(other.store.count(&other.user).await.ok(), Some(1));
    let next = other.granted(&found, 2, NO_TIME).await;
    assert_eq!(next.refresh.generation, 3);
    let mut again = other.new_session().await;
    again.operation = moved.operation;
    let repeated = other.try_sign_in(again).await;
    assert!(
        matches!(&repeated, SignInOutcome::Repeated { record } if record.id == found.id),
        "{repeated:?}"
    );
}

pub async fn an_imported_session_is_ended_and_swept_like_any_other(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let Some(upkeep) = upkeep(&case) else { return };
    let other = case.with_another_user();
    let mut new = case.new_session().await;
    new.idle_lifetime = Some(HOUR);
    let stored = the_one(upkeep, case.sign_in_with(new).await.id).await;
    let (first, second) = (elsewhere(&stored, &other), {
        let mut second = elsewhere(&stored, &other);
        second.operation[1] ^= 1;
        second
    });
    import(upkeep, vec![first.clone(), second.clone()]).await;
    other.end(&first.record).await;
    let reason = other.ended_reason(first.record.id).await;
    assert_eq!(reason, Some(EndReason::SignedOut));
    let (records, _) = other.end_all(None).await;
    assert_eq!(ids(&records), [second.record.id]);
    assert!(!other.is_admitted(&second.record).await);
}

pub async fn what_was_ended_elsewhere_is_imported_as_ended(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let Some(upkeep) = upkeep(&case) else { return };
    let other = case.with_another_user();
    let record = case.sign_in().await;
    case.end(&record).await;
    let moved = elsewhere(&the_one(upkeep, record.id).await, &other);
    import(upkeep, vec![moved.clone()]).await;
    assert_eq!(other.find(moved.record.id).await, moved.record);
    let answer = other.confirm(&moved.record, 1).await;
    assert_eq!(answer, Answer::Revoked(EndReason::SignedOut));
    let listed = other.store.list(&other.user, Listing::Ended).await;
    assert_eq!(ids(&listed.expect("it answers")), [moved.record.id]);
    let mut again = other.new_session().await;
    again.operation = moved.operation;
    let repeated = other.try_sign_in(again).await;
    assert!(
        matches!(repeated, SignInOutcome::Superseded),
        "{repeated:?}"
    );
}

pub async fn the_same_import_again_changes_nothing(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let Some(upkeep) = upkeep(&case) else { return };
    let ended = case.sign_in().await;
    case.end(&ended).await;
    for _ in 0..2 {
        case.sign_in().await;
    }
    let before = exported(upkeep).await;
    let done = import(upkeep, before.clone()).await;
    assert_eq!((done.made, done.changed, done.kept), (0, 0, 3));
    let after = exported(upkeep).await;
    assert_eq!(after.len(), 3);
    assert!(before.iter().all(|stored| after.contains(stored)));
}

pub async fn an_import_revives_nothing_and_sets_nothing_back(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let Some(upkeep) = upkeep(&case) else { return };
    let (ends, goes_on) = (case.sign_in().await, case.sign_in().await);
    let before = exported(upkeep).await;
    case.end(&ends).await;
    case.granted(&goes_on, 1, NO_TIME).await;
    case.confirm(&goes_on, 2).await;
    let (ended, gone_on) = (case.find(ends.id).await, case.find(goes_on.id).await);
    let done = import(upkeep, before).await;
    assert_eq!((done.made, done.changed, done.kept), (0, 0, 2));
    assert_eq!(case.find(ends.id).await, ended);
    assert_eq!(case.find(goes_on.id).await, gone_on);
    assert_eq!(case.store.count(&case.user).await.ok(), Some(1));
}

pub async fn what_went_on_elsewhere_goes_on_from_there(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let Some(upkeep) = upkeep(&case) else { return };
    let record = case.sign_in().await;
    let mut later = the_one(upkeep, record.id).await;
    later.record.refresh.generation = 5;
    later.record.refresh.predecessor = 4;
    later.record.name = Some("renamed".to_owned());
    later.record.idle_lifetime = Some(HOUR);
    let done = import(upkeep, vec![later.clone()]).await;
    assert_eq!((done.made, done.changed, done.kept), (0, 1, 0));
    assert_eq!(case.find(record.id).await, later.record);
    let mut ended = later.clone();
    let at = later.record.created_at;
    ended.record.ended = Some(crate::session::Ended {
        at,
        reason: EndReason::UserRevoked,
        by: None,
    });
    ended.ended_by = Some(crate::revocation::EntryId::random());
    ended.record.name = None;
    import(upkeep, vec![ended.clone()]).await;
    assert_eq!(case.find(record.id).await, ended.record);
    assert_eq!(case.store.count(&case.user).await.ok(), Some(0));
    let stored = the_one(upkeep, record.id).await;
    assert_eq!(stored.ended_by, ended.ended_by);
}

pub async fn an_import_raises_counters_and_lowers_none(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let Some(upkeep) = upkeep(&case) else { return };
    let record = case.sign_in().await;
    let mut stored = the_one(upkeep, record.id).await;
    let before = case.counters().await;
    let higher = |counter: Counter| Counter::from_u64(counter.as_u64() + 1_000);
    stored.counters.revoked_gen = higher(before.revoked_gen);
    stored.counters.roles_gen = higher(before.roles_gen);
    let raised = stored.counters;
    import(upkeep, vec![stored.clone()]).await;
    assert_eq!(case.counters().await, raised);
    // The session was made under the counter before.
    let facts = facts_of(&record, 1, raised);
    let answer = case.ask(facts, About::Session).await;
    assert!(matches!(answer, Answer::Revoked(_)), "{answer:?}");
    stored.counters = before;
    import(upkeep, vec![stored]).await;
    assert_eq!(case.counters().await, raised);
}

pub async fn the_idle_time_of_an_imported_session_runs(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let Some(upkeep) = upkeep(&case) else { return };
    let other = case.with_another_user();
    let mut new = case.new_session().await;
    new.idle_lifetime = Some(HOUR);
    let stored = the_one(upkeep, case.sign_in_with(new).await.id).await;
    let moved = elsewhere(&stored, &other);
    import(upkeep, vec![moved.clone()]).await;
    if !case.pass(HOUR / 2) {
        return;
    }
    let used = Use {
        session: moved.record.id,
        bucket: crate::session::refresh::bucket_of(&other.user),
        at: other.now().await,
    };
    other.store.touch(&[used]).await.expect("it answers");
    case.pass(HOUR / 2 + HOUR / 4);
    assert!(other.is_admitted(&moved.record).await);
    case.pass(HOUR / 2);
    assert!(!other.is_admitted(&moved.record).await);
    let swept = other.store.sweep(HOUR * 100, 10).await.expect("it answers");
    let swept: Vec<SessionRecord> = swept.ended;
    assert!(ids(&swept).contains(&moved.record.id));
}

pub async fn who_looks_at_a_store_learns_its_deployment_and_limits(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let Some(upkeep) = upkeep(&case) else { return };
    let report = upkeep.inspect().await;
    let joined = case.store.attach(super::fixture::LIMITS).await;
    let joined = joined.expect("a node can join");
    assert_eq!(report.deployment, Some(joined.deployment), "{report:?}");
    assert_eq!(report.limits, Some(joined.limits));
    assert!(report.version.is_some());
    let everything = case.store.end_all(case.everything(None)).await;
    assert!(matches!(everything, Ok(EndAllOutcome::Ended { .. })));
}
