//! Processes that stand still, or are gone.

use std::time::{Duration, Instant};

use crate::nodes::Node;
use crate::place::Place;
use crate::{SHORT_VIEW, launch, two};

/// The staleness bound of [`SHORT_VIEW`], twice the largest step of the store's clock, and what a
/// busy machine may need to answer at all; below the lease of a node with the default bound.
const LEASE: Duration = Duration::from_millis(2_000 + 200 + 20_000);

/// Stops a node where it holds nothing that the other one needs: a process that is stopped in the
/// middle of a transaction stops the writers of its database.
async fn pause(node: &Node, other: &Node) {
    loop {
        node.pause();
        let writes = other.ask("sign-in somebody-else");
        if tokio::time::timeout(Duration::from_secs(1), writes)
            .await
            .is_ok_and(|said| said.starts_with("ok"))
        {
            return;
        }
        node.resume();
    }
}

pub async fn everywhere_waits_for_a_stopped_process_no_longer_than_its_lease(place: &Place) {
    let [a, b] = two(place, &[]).await;
    let pair = b.sign_in("ada").await.unwrap();
    assert_eq!(b.check(&pair.access).await.status, 200);
    pause(&b, &a).await;
    let began = Instant::now();
    a.end_everywhere(&pair.session).await.unwrap();
    assert!(began.elapsed() < LEASE, "{:?}", began.elapsed());
    b.resume();
    // It may have asked the store meanwhile, or not have been able to; it has not let anybody in.
    let answer = b.check(&pair.access).await;
    assert!(matches!(answer.status, 401 | 503), "{answer:?}");
    b.await_refusal(&pair.access).await.unwrap();
    assert_eq!(b.check(&pair.access).await.code, "token_revoked");
}

pub async fn a_stopped_process_admits_nothing_that_was_revoked_meanwhile(place: &Place) {
    let [a, b] = two(place, &[]).await;
    for _ in 0..3 {
        let mut pairs = Vec::new();
        for _ in 0..5 {
            let pair = b.sign_in("ada").await.unwrap();
            assert_eq!(b.check(&pair.access).await.status, 200);
            pairs.push(pair);
        }
        pause(&b, &a).await;
        for pair in &pairs {
            a.end_everywhere(&pair.session).await.unwrap();
        }
        // The requests are there before it wakes: what it does first is to answer them.
        let asked = futures_util::future::join_all(pairs.iter().map(|pair| b.check(&pair.access)));
        let (answers, ()) = tokio::join!(asked, async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            b.resume();
        });
        for answer in answers {
            assert!(matches!(answer.status, 401 | 503), "{answer:?}");
        }
    }
}

pub async fn a_killed_process_holds_nobody_up_for_longer_than_its_lease(place: &Place) {
    let [a, b] = two(place, &[]).await;
    let pair = b.sign_in("ada").await.unwrap();
    assert_eq!(b.check(&pair.access).await.status, 200);
    b.kill();
    let began = Instant::now();
    a.end_everywhere(&pair.session).await.unwrap();
    assert!(began.elapsed() < LEASE, "{:?}", began.elapsed());
    let again = launch().start(place.address(), &SHORT_VIEW).await;
    assert_eq!(again.check(&pair.access).await.status, 401);
}

pub async fn what_a_killed_process_acknowledged_another_knows(place: &Place) {
    let [a, mut b] = two(place, &[]).await;
    for _ in 0..5 {
        let [lives, dies] = [b.sign_in("ada").await, b.sign_in("ada").await].map(Result::unwrap);
        let lives = b.refresh(&lives.refresh).await.unwrap();
        assert_eq!(a.check(&dies.access).await.status, 200);
        b.end(&dies.session).await.unwrap();
        b.kill();
        a.await_refusal(&dies.access).await.unwrap();
        assert_eq!(a.check(&lives.access).await.status, 200);
        assert_eq!(
            a.refresh(&lives.refresh).await.unwrap().session,
            lives.session
        );
        a.refresh(&dies.refresh).await.unwrap_err();
        b = launch().start(place.address(), &SHORT_VIEW).await;
    }
}
