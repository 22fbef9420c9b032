//! What holds however many do it at once, on real threads.
#![expect(missing_docs, reason = "the name of a rule is what it says")]

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::sync::Arc;

use tokio::sync::Barrier;
use tokio::task::JoinSet;

use super::Harness;
use super::fixture::{Case, HOUR, attempt_at, ids};
use crate::revocation::{Committed, Cursor, EndReason, EntryId, Revoked};
use crate::session::{
    EndOutcome, EndSession, Listing, RefreshOutcome, SessionLimit, SessionStore, SignInOutcome,
};

/// Runs all of these at once, as nearly as threads allow, and answers what they did.
async fn at_once<F>(tasks: impl IntoIterator<Item = F>) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let tasks: Vec<_> = tasks.into_iter().collect();
    let barrier = Arc::new(Barrier::new(tasks.len()));
    let mut running = JoinSet::new();
    for task in tasks {
        let barrier = barrier.clone();
        running.spawn(async move {
            barrier.wait().await;
            task.await
        });
    }
    running.join_all().await
}

async fn parallel_sign_ins(harness: &dyn Harness, limit: SessionLimit) {
    const AT_ONCE: usize = 64;
    let case = Case::of(harness).await;
    let mut tasks = Vec::new();
    for _ in 0..AT_ONCE {
        let mut new = case.new_session().await;
        new.limit = limit;
        let store = harness.store();
        tasks.push(async move { store.sign_in(new).await });
    }
    let max = limit.max().map_or(AT_ONCE, |max| max as usize);
    let made = at_once(tasks).await;
    let live = case.store.list(&case.user, Listing::Live).await;
    let live = live.expect("the store answers");
    assert_eq!(live.len(), max);
    assert_eq!(case.store.count(&case.user).await.ok(), Some(max as u64));
    for record in &live {
        assert!(case.is_admitted(record).await);
    }
    // Only a store that can be away asks its server again where an answer is late, and only where
    // sessions give way may what it made have ended meanwhile.
    let asks_again = harness.can_be_away();
    let gives_way = limit == SessionLimit::evicting(10);
    let told: Vec<_> = made
        .into_iter()
        .filter_map(|outcome| match outcome {
            Ok(SignInOutcome::Created { record, .. }) => Some(record),
            Ok(SignInOutcome::Repeated { record }) if asks_again => Some(record),
            Ok(SignInOutcome::Superseded) if asks_again && gives_way => None,
            Ok(SignInOutcome::LimitReached { .. }) if !gives_way => None,
            other => panic!("made or refused, not {other:?}"),
        })
        .collect();
    let live = ids(&live);
    for record in &told {
        let admitted = case.is_admitted(record).await;
        assert_eq!(admitted, live.contains(&record.id));
    }
    let told = ids(&told);
    assert!(
        live.iter().all(|id| told.contains(id)),
        "somebody was told of each"
    );
}

pub async fn parallel_sign_ins_leave_no_more_than_the_limit_under_eviction(harness: &dyn Harness) {
    parallel_sign_ins(harness, SessionLimit::evicting(10)).await;
}

pub async fn parallel_sign_ins_make_no_more_than_the_limit_under_rejection(harness: &dyn Harness) {
    parallel_sign_ins(harness, SessionLimit::rejecting(10)).await;
}

pub async fn one_operation_run_in_parallel_makes_one_session(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let operation = case.new_session().await.operation;
    let mut tasks = Vec::new();
    for _ in 0..32 {
        let mut new = case.new_session().await;
        new.operation = operation;
        let store = harness.store();
        tasks.push(async move { store.sign_in(new).await });
    }
    let mut met = HashSet::new();
    for outcome in at_once(tasks).await {
        match outcome.expect("the store answers") {
            SignInOutcome::Created { record, .. } | SignInOutcome::Repeated { record } => {
                met.insert(record.id);
            }
            other => panic!("made or found, not {other:?}"),
        }
    }
    assert_eq!(met.len(), 1);
    assert_eq!(case.store.count(&case.user).await.ok(), Some(1));
}

pub async fn parallel_refreshes_of_one_token_give_one_successor(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    for _ in 0..10 {
        let record = case.sign_in().await;
        let now = case.now().await;
        let tasks = (0..50).map(|_| {
            let (store, attempt) = (harness.store(), attempt_at(&record, 1, HOUR, now));
            async move { store.refresh(attempt).await }
        });
        for outcome in at_once(tasks).await {
            match outcome.expect("the store answers") {
                RefreshOutcome::Granted { record, .. } => {
                    assert_eq!(record.refresh.generation, 2);
                }
                other => panic!("nobody is signed out: {other:?}"),
            }
        }
        assert_eq!(case.find(record.id).await.refresh_count, 1);
    }
}

pub async fn a_refresh_in_flight_never_revives_a_session_that_ends(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    for round in 0..50 {
        let record = case.sign_in().await;
        let attempt = attempt_at(&record, 1, HOUR, case.now().await);
        let (one, other) = (harness.store(), harness.store());
        let (end, everything) = (end_of(&case, &record.id), case.everything(None));
        let refresh = async move { one.refresh(attempt).await.is_ok() };
        let end = async move {
            if round % 2 == 0 {
                other.end(end).await.is_ok()
            } else {
                other.end_all(everything).await.is_ok()
            }
        };
        type Task = std::pin::Pin<Box<dyn Future<Output = bool> + Send>>;
        let tasks: [Task; 2] = [Box::pin(refresh), Box::pin(end)];
        assert_eq!(at_once(tasks).await, [true, true]);
        let after = case.find(record.id).await;
        assert!(after.ended.is_some());
        for generation in 1..=after.refresh.generation {
            let answer = case.confirm(&record, generation).await;
            assert!(matches!(answer, crate::revocation::Answer::Revoked(_)));
            let refreshed = case.refresh_by(&record, generation, HOUR).await;
            assert!(matches!(refreshed, RefreshOutcome::Over { .. }));
        }
    }
}

fn end_of(case: &Case<'_>, session: &crate::token::SessionId) -> EndSession {
    EndSession {
        session: *session,
        owner: Some(case.user.clone()),
        reason: EndReason::SignedOut,
        by: None,
        entry: EntryId::random(),
    }
}

pub async fn a_sign_in_with_an_old_ticket_never_survives_the_end_of_everything(
    harness: &dyn Harness,
) {
    let case = Case::of(harness).await;
    for _ in 0..50 {
        let new = case.new_session().await;
        let (id, everything) = (new.id, case.everything(None));
        let (one, other) = (harness.store(), harness.store());
        let sign_in = tokio::spawn(async move { one.sign_in(new).await.is_ok() });
        let end = tokio::spawn(async move { other.end_all(everything).await.is_ok() });
        assert!(sign_in.await.is_ok_and(|ran| ran) && end.await.is_ok_and(|ran| ran));
        if let Some(record) = case.store.find(id).await.expect("the store answers") {
            assert!(record.ended.is_some());
            assert!(!case.is_admitted(&record).await);
        }
        assert_eq!(case.store.count(&case.user).await.ok(), Some(0));
    }
}

pub async fn parallel_role_changes_take_different_counters(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let tasks = (0..32).map(|_| {
        let (store, user) = (harness.store(), case.user.clone());
        async move { store.raise_roles(&user, EntryId::random()).await }
    });
    let mut taken = HashSet::new();
    for committed in at_once(tasks).await {
        let committed = committed.expect("the store answers");
        let Revoked::Roles { below, .. } = committed.entries[0].revoked else {
            panic!("it is about roles");
        };
        assert!(taken.insert(below), "a counter was handed out twice");
    }
    let highest = taken.into_iter().max();
    assert_eq!(Some(case.counters().await.roles_gen), highest);
}

pub async fn of_parallel_ends_of_a_session_one_ends_it(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let record = case.sign_in().await;
    let tasks = (0..32).map(|_| {
        let (store, end) = (harness.store(), end_of(&case, &record.id));
        async move { store.end(end).await }
    });
    let ended = at_once(tasks).await.into_iter().filter(|outcome| {
        let outcome = outcome.as_ref().expect("the store answers");
        matches!(outcome, EndOutcome::Ended { now: true, .. })
    });
    assert_eq!(ended.count(), 1);
}

pub async fn a_node_that_follows_the_log_misses_no_entry(harness: &dyn Harness) {
    const WRITERS: usize = 8;
    const EACH: usize = 25;
    let case = Case::of(harness).await;
    let mut writers = JoinSet::new();
    for _ in 0..WRITERS {
        let (store, user) = (harness.store(), case.user.clone());
        writers.spawn(async move { write_entries(store, user, EACH).await });
    }
    let mut followed: HashMap<EntryId, [Option<Cursor>; 2]> = HashMap::new();
    let (mut cursor, mut written) = (None, Vec::new());
    while followed.len() < WRITERS * EACH {
        let done = writers.is_empty();
        let poll = case.poll(cursor.as_ref()).await;
        for entry in poll.entries {
            let between = [cursor.clone(), Some(poll.cursor.clone())];
            followed.insert(entry.id, between);
        }
        cursor = Some(poll.cursor);
        assert!(
            !done || followed.len() == WRITERS * EACH,
            "an entry was missed"
        );
        while let Some(of_one) = writers.try_join_next() {
            written.extend(of_one.expect("no writer panics"));
        }
        tokio::task::yield_now().await;
    }
    for of_one in writers.join_all().await {
        written.extend(of_one);
    }
    // The poll that read an entry is known to have, and the one before is not.
    for committed in written {
        let [before, with] = &followed[&committed.entries[0].id];
        let has_read = |cursor: &Option<Cursor>| {
            let cursor = cursor.as_ref();
            cursor.is_some_and(|cursor| case.store.has_read(cursor, committed.positions[0]))
        };
        assert!(has_read(with) && !has_read(before));
    }
}

async fn write_entries(
    store: Arc<dyn SessionStore>,
    user: crate::token::UserId,
    count: usize,
) -> Vec<Committed> {
    let mut written = Vec::new();
    for _ in 0..count {
        let raised = store.raise_roles(&user, EntryId::random()).await;
        written.push(raised.expect("the store answers"));
    }
    written
}
