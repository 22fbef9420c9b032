//! Hearing of the end of a token that is already in.

use super::*;

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
