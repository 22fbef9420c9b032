//! Hearing of the end of a token that is already in.

use std::sync::Mutex;

use super::*;
use crate::BoxFuture;
use crate::clock::UnixTime;
use crate::error::StoreError;
use crate::revocation::{Renewal, Renewals};
use crate::token::SessionId;

/// Answers what the test says, once each and the last for ever.
struct Told(Mutex<Vec<Option<Renewal>>>);

impl Renewals for Told {
    fn renewal(&self, _session: SessionId) -> BoxFuture<'_, Result<Renewal, StoreError>> {
        let mut told = self.0.lock().unwrap();
        let next = if told.len() > 1 {
            told.remove(0)
        } else {
            told[0].clone()
        };
        let answer = next.ok_or(StoreError::new(StoreErrorKind::Unavailable, "told"));
        Box::pin(async move { answer })
    }
}

/// A bench whose sessions go on as told.
async fn renewing(told: Vec<Option<Renewal>>, policy: OnStoreFailure) -> Bench {
    let bench = Bench::new().await;
    let told = Arc::new(Told(Mutex::new(told)));
    bench.node.watch_renewals(told, policy);
    bench
}

/// Lets the token of `facts` and its leeway pass.
async fn expire(bench: &Bench) {
    bench.clock.advance(Duration::from_secs(7205));
    bench.poll().await;
    tokio::time::sleep(2 * STALENESS).await;
}

async fn watched(bench: &Bench, facts: &TokenFacts) -> tokio::task::JoinHandle<EndReason> {
    let active = bench.request(&token_of(facts), &NEVER).await.unwrap();
    let watch = tokio::spawn(bench.node.clone().ended(active));
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    watch
}

#[tokio::test]
async fn who_waits_hears_of_the_end_of_the_session_and_why() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    let watch = watched(&bench, &facts).await;
    assert!(!watch.is_finished());
    bench.end(facts.session.unwrap(), &facts.user).await;
    assert_eq!(watch.await.unwrap(), EndReason::SignedOut);
}

#[tokio::test]
async fn who_waits_hears_of_an_entry_that_names_no_user() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    let watch = watched(&bench, &facts).await;
    bench
        .store
        .write(ends(facts.session.unwrap(), None, fake::START));
    bench.poll().await;
    assert_eq!(watch.await.unwrap(), EndReason::SignedOut);
}

#[tokio::test]
async fn a_session_that_ended_before_the_wait_began_is_heard_of() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    let active = bench.request(&token_of(&facts), &NEVER).await.unwrap();
    bench.end(facts.session.unwrap(), &facts.user).await;
    let reason = bench.node.clone().ended(active).await;
    assert_eq!(reason, EndReason::SignedOut);
}

#[tokio::test(start_paused = true)]
async fn a_token_that_expires_is_heard_of() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    let watch = watched(&bench, &facts).await;
    bench.clock.advance(Duration::from_secs(7204));
    bench.poll().await;
    tokio::time::sleep(2 * STALENESS).await;
    assert!(!watch.is_finished(), "the leeway is not over");
    bench.clock.advance(Duration::from_secs(1));
    tokio::time::sleep(STALENESS).await;
    assert_eq!(watch.await.unwrap(), EndReason::Expired);
}

#[tokio::test(start_paused = true)]
async fn a_view_that_is_too_old_lets_nobody_stay_unless_the_store_says_so() {
    let bench = Bench::new().await;
    let facts = facts_of("ada");
    let watch = watched(&bench, &facts).await;
    bench.clock.advance(STALENESS);
    tokio::time::sleep(STALENESS).await;
    assert!(!watch.is_finished(), "the store was asked and said yes");
    bench.store.state().fails = Some(StoreErrorKind::Unavailable);
    bench.clock.advance(STALENESS);
    tokio::time::sleep(STALENESS).await;
    assert_eq!(watch.await.unwrap(), EndReason::Unconfirmed);
}

#[tokio::test(start_paused = true)]
async fn a_token_whose_session_was_refreshed_stays_until_the_next_one_expires() {
    let facts = facts_of("ada");
    let until: UnixTime = facts.expires_at + Duration::from_secs(1_000);
    let told = vec![Some(Renewal::Until(until))];
    let bench = renewing(told, OnStoreFailure::Reject).await;
    let watch = watched(&bench, &facts).await;
    expire(&bench).await;
    assert!(!watch.is_finished(), "it was renewed");
    bench.clock.advance(Duration::from_secs(999));
    bench.poll().await;
    tokio::time::sleep(2 * STALENESS).await;
    assert!(!watch.is_finished(), "its leeway is not over");
    bench.clock.advance(Duration::from_secs(1));
    bench.poll().await;
    tokio::time::sleep(2 * STALENESS).await;
    assert_eq!(watch.await.unwrap(), EndReason::Expired);
}

#[tokio::test(start_paused = true)]
async fn a_renewed_token_still_hears_of_the_end_of_its_session() {
    let facts = facts_of("ada");
    let until = facts.expires_at + Duration::from_secs(1_000);
    let told = vec![Some(Renewal::Until(until))];
    let bench = renewing(told, OnStoreFailure::Reject).await;
    let watch = watched(&bench, &facts).await;
    expire(&bench).await;
    bench.end(facts.session.unwrap(), &facts.user).await;
    assert_eq!(watch.await.unwrap(), EndReason::SignedOut);
}

#[tokio::test(start_paused = true)]
async fn what_became_of_the_session_is_why_a_token_is_over() {
    for (told, reason) in [
        (Some(Renewal::Ended(EndReason::Idle)), EndReason::Idle),
        (Some(Renewal::Gone), EndReason::Expired),
        (None, EndReason::Expired),
    ] {
        let facts = facts_of("ada");
        let bench = renewing(vec![told], OnStoreFailure::Reject).await;
        let watch = watched(&bench, &facts).await;
        expire(&bench).await;
        assert_eq!(watch.await.unwrap(), reason);
    }
}

#[tokio::test(start_paused = true)]
async fn where_the_terms_are_to_go_on_without_the_store_nobody_is_put_out_for_it() {
    let facts = facts_of("ada");
    let told = vec![Some(Renewal::Gone)];
    let bench = renewing(told, OnStoreFailure::AcceptVerifiedUntilExpiry).await;
    let watch = watched(&bench, &facts).await;
    bench.store.state().fails = Some(StoreErrorKind::Unavailable);
    bench.clock.advance(STALENESS);
    tokio::time::sleep(2 * STALENESS).await;
    assert!(!watch.is_finished(), "the store is away");
    bench.clock.advance(Duration::from_secs(7_205));
    tokio::time::sleep(STALENESS).await;
    assert_eq!(watch.await.unwrap(), EndReason::Expired);
}
