//! Writes that put somebody out: here, across a hang-up, and everywhere.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// Starts to end a session through a node, and leaves the outcome to the caller.
fn start(
    bench: &Bench,
    entry: RevocationEntry,
) -> tokio::task::JoinHandle<Result<Committed, StoreError>> {
    let (node, store) = (bench.node.clone(), bench.store.clone());
    tokio::spawn(async move {
        let written = entry.clone();
        let write = move || -> crate::BoxFuture<'static, _> {
            let (store, entry) = (store.clone(), written.clone());
            Box::pin(async move { store.append(vec![entry]).await })
        };
        node.commit(
            WriteKey::of(&entry.revoked),
            vec![entry],
            write,
            |committed: &Committed| Some(committed),
            |_| (),
        )
        .await
    })
}

#[tokio::test]
async fn no_request_is_admitted_after_the_write_returned() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    let token = token_of(&facts);
    assert!(bench.request(&token, &FIRST_SIGHT).await.is_ok());
    bench.end(facts.session.unwrap(), &facts.user).await;
    for terms in [NEVER, FIRST_SIGHT, ALWAYS] {
        let refused = bench.request(&token, &terms).await;
        assert_eq!(refused.unwrap_err(), signed_out());
    }
    assert_eq!(bench.store.state().log.len(), 1);
}

#[tokio::test]
async fn an_entry_holds_while_its_write_is_under_way_and_only_for_its_owner() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    let (token, other) = (token_of(&facts), token_of(&facts_of("ada")));
    let (mine, theirs) = (facts_of("ada"), facts_of("ada"));
    let not_mine = ends(theirs.session.unwrap(), Some(&user("bob")), fake::START);
    assert!(bench.request(&token, &NEVER).await.is_ok());
    bench.store.hold_appends();
    let writes = [
        start(&bench, ends_token(&facts, fake::START)),
        start(&bench, not_mine),
        start(&bench, ends_token(&mine, fake::START)),
    ];
    until(|| bench.store.state().appended.len() == 3).await;
    let refused = bench.request(&token, &NEVER).await;
    assert_eq!(refused.unwrap_err(), signed_out());
    assert!(bench.request(&other, &NEVER).await.is_ok());
    assert!(bench.request(&token_of(&theirs), &NEVER).await.is_ok());
    bench.store.release_appends(3);
    for write in writes {
        assert!(write.await.unwrap().is_ok());
    }
}

#[tokio::test]
async fn a_write_survives_the_caller() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    bench.store.hold_appends();
    let caller = start(&bench, ends_token(&facts, fake::START));
    until(|| bench.store.state().appended.len() == 1).await;
    caller.abort();
    assert!(caller.await.is_err());
    bench.store.release_appends(1);
    until(|| bench.node.status().entries == 1).await;
    let refused = bench.request(&token_of(&facts), &NEVER).await;
    assert_eq!(refused.unwrap_err(), signed_out());
}

#[tokio::test]
async fn what_a_write_did_is_told_once_also_when_the_caller_is_gone() {
    let bench = Bench::new().await;
    let entry = ends_token(&facts_of("ada"), fake::START);
    let told = Arc::new(AtomicUsize::new(0));
    bench.store.hold_appends();
    let caller = tokio::spawn({
        let (node, store, told) = (bench.node.clone(), bench.store.clone(), told.clone());
        async move {
            let written = entry.clone();
            let write = move || -> crate::BoxFuture<'static, _> {
                let (store, entry) = (store.clone(), written.clone());
                Box::pin(async move { store.append(vec![entry]).await })
            };
            let tell = move |_: &Committed| {
                told.fetch_add(1, Ordering::SeqCst);
            };
            let key = WriteKey::of(&entry.revoked);
            node.commit(key, vec![entry], write, |committed| Some(committed), tell)
                .await
        }
    });
    until(|| bench.store.state().appended.len() == 1).await;
    caller.abort();
    assert!(caller.await.is_err());
    assert_eq!(told.load(Ordering::SeqCst), 0);
    bench.store.release_appends(1);
    until(|| told.load(Ordering::SeqCst) == 1).await;
    assert_eq!(bench.node.status().entries, 1);
}

#[tokio::test(start_paused = true)]
async fn a_write_of_unknown_outcome_is_an_error_and_goes_on_until_it_is_known() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    let token = token_of(&facts);
    bench.store.state().fails = Some(StoreErrorKind::Unavailable);
    let began = tokio::time::Instant::now();
    let outcome = start(&bench, ends_token(&facts, fake::START))
        .await
        .unwrap();
    assert_eq!(outcome.unwrap_err().kind(), StoreErrorKind::Timeout);
    assert_eq!(began.elapsed(), Duration::from_millis(500));
    assert_eq!(bench.node.status().entries, 0);
    let refused = bench.request(&token, &NEVER).await;
    assert_eq!(refused.unwrap_err(), signed_out());

    bench.store.state().fails = None;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(bench.store.state().log.len(), 1);
    assert_eq!(bench.node.status().entries, 1);
}

#[tokio::test(start_paused = true)]
async fn a_try_that_hangs_is_given_up_and_repeated() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    bench.store.hold_appends();
    let write = start(&bench, ends_token(&facts, fake::START));
    tokio::time::sleep(Duration::from_millis(300)).await;
    bench.store.release_appends(1);
    assert!(write.await.unwrap().is_ok());
    let state = bench.store.state();
    assert_eq!((state.appended.len(), state.log.len()), (2, 1));
}

#[tokio::test]
async fn a_write_that_cannot_succeed_takes_its_entry_back() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    bench.store.state().fails = Some(StoreErrorKind::Configuration);
    let outcome = start(&bench, ends_token(&facts, fake::START))
        .await
        .unwrap();
    assert_eq!(outcome.unwrap_err().kind(), StoreErrorKind::Configuration);
    assert!(bench.request(&token_of(&facts), &NEVER).await.is_ok());
}

#[tokio::test]
async fn a_write_that_committed_nothing_takes_its_entry_back() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    let write = || -> crate::BoxFuture<'static, _> { Box::pin(async { Ok(()) }) };
    let tentative = vec![ends_token(&facts, fake::START)];
    bench
        .node
        .commit(
            WriteKey::of_user("test", &facts.user),
            tentative,
            write,
            |()| None,
            |()| (),
        )
        .await
        .unwrap();
    assert!(bench.request(&token_of(&facts), &NEVER).await.is_ok());
}

#[tokio::test]
async fn an_entry_that_is_taken_back_leaves_the_same_one_of_the_log() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    let entry = ends_token(&facts, fake::START);
    let (store, tries) = (bench.store.clone(), Arc::new(AtomicUsize::new(0)));
    let tentative = entry.clone();
    let write = move || -> crate::BoxFuture<'static, _> {
        tries.fetch_add(1, Ordering::SeqCst);
        store.write(entry.clone());
        let failed = StoreError::new(StoreErrorKind::Corrupt, "fake");
        Box::pin(async move { Err::<(), _>(failed) })
    };
    let outcome = bench
        .node
        .commit(
            WriteKey::of(&tentative.revoked),
            vec![tentative],
            write,
            |()| None,
            |()| (),
        )
        .await;
    assert!(outcome.is_err());
    bench.poll().await;
    let refused = bench.request(&token_of(&facts), &NEVER).await;
    assert_eq!(refused.unwrap_err(), signed_out());
}

#[tokio::test(start_paused = true)]
async fn ending_one_thing_over_and_over_while_the_store_is_away_costs_two_writes() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    bench.store.hold_appends();
    let ends: Vec<_> = (0..100)
        .map(|_| start(&bench, ends_token(&facts, fake::START)))
        .collect();
    for end in ends {
        let error = end.await.unwrap().unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Timeout);
    }
    assert_eq!(bench.node.status().unsettled, 1);
    let names = |bench: &Bench| {
        let state = bench.store.state();
        let names = state.appended.iter().map(|entries| entries[0].id);
        names.collect::<std::collections::HashSet<_>>().len()
    };
    assert_eq!(names(&bench), 1);
    let refused = bench.request(&token_of(&facts), &NEVER).await;
    assert_eq!(refused.unwrap_err(), signed_out());

    bench.store.release_appends(1_000);
    let settled = start(&bench, ends_token(&facts, fake::START)).await;
    settled.unwrap().unwrap();
    until_settled(&bench).await;
    // The one that was asked for when the store was back is the third.
    assert!(names(&bench) <= 3);
}

#[tokio::test(start_paused = true)]
async fn what_was_ended_over_and_over_is_taken_back_wholly_when_it_cannot_be() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    bench.store.hold_appends();
    let ends: Vec<_> = (0..5)
        .map(|_| start(&bench, ends_token(&facts, fake::START)))
        .collect();
    for end in ends {
        end.await.unwrap().unwrap_err();
    }
    bench.store.state().fails = Some(StoreErrorKind::Configuration);
    until_settled(&bench).await;
    assert!(bench.request(&token_of(&facts), &NEVER).await.is_ok());
}

async fn until_settled(bench: &Bench) {
    while bench.node.status().unsettled > 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn who_asks_after_a_write_began_is_not_served_by_it() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    bench.store.hold_appends();
    let first = start(&bench, ends_token(&facts, fake::START));
    until(|| bench.store.state().appended.len() == 1).await;
    let second = start(&bench, ends_token(&facts, fake::START));
    bench.store.release_appends(1);
    first.await.unwrap().unwrap();
    until(|| bench.store.state().appended.len() == 2).await;
    assert!(!second.is_finished());
    bench.store.release_appends(1);
    second.await.unwrap().unwrap();
}

#[tokio::test(start_paused = true)]
async fn past_the_bound_nothing_new_is_begun_and_what_is_held_stays() {
    let bench = Bench::new().await;
    bench.store.hold_appends();
    let all: Vec<_> = (0..unsettled::MAX_UNSETTLED)
        .map(|_| facts_of("ada"))
        .collect();
    let writes: Vec<_> = all
        .iter()
        .map(|facts| start(&bench, ends_token(facts, fake::START)))
        .collect();
    until(|| bench.node.status().unsettled == unsettled::MAX_UNSETTLED).await;
    let more = facts_of("bob");
    let refused = start(&bench, ends_token(&more, fake::START)).await;
    let error = refused.unwrap().unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let cause = std::error::Error::source(&error).map(ToString::to_string);
    assert_eq!(cause.as_deref(), Some("10000 writes wait for it already"));
    assert!(bench.request(&token_of(&more), &NEVER).await.is_ok());
    let held = bench.request(&token_of(&all[0]), &NEVER).await;
    assert_eq!(held.unwrap_err(), signed_out());
    writes.iter().for_each(tokio::task::JoinHandle::abort);
}
