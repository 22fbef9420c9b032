//! What one process revokes, another refuses.

use crate::place::Place;
use crate::{launch, two};

pub async fn what_one_process_revokes_another_refuses(place: &Place) {
    let [a, b] = two(place, &[]).await;
    for _ in 0..10 {
        let pair = a.sign_in("ada").await.unwrap();
        assert_eq!(b.check(&pair.access).await.status, 200);
        let (refused, ended) = tokio::join!(b.await_refusal(&pair.access), async {
            a.end(&pair.session).await.unwrap()
        });
        let refused = refused.unwrap();
        // The bound on the view's age, which the push is far below, and what a busy machine adds.
        let bound = ended.held + std::time::Duration::from_secs(2 + 20).as_nanos();
        assert!(refused < bound, "{} ns late", refused - bound);
        let answer = b.check(&pair.access).await;
        assert_eq!(
            (answer.status, answer.code.as_str()),
            (401, "token_revoked")
        );
        b.refresh(&pair.refresh).await.unwrap_err();
    }
}

pub async fn what_is_revoked_everywhere_is_refused_by_the_next_request_of_any_process(
    place: &Place,
) {
    let [a, b] = two(place, &[]).await;
    for _ in 0..20 {
        let pair = b.sign_in("ada").await.unwrap();
        assert_eq!(b.check(&pair.access).await.status, 200);
        a.end_everywhere(&pair.session).await.unwrap();
        assert_eq!(b.check(&pair.access).await.status, 401);
    }
}

pub async fn everything_of_a_user_is_refused_in_another_process(place: &Place) {
    let [a, b] = two(place, &[]).await;
    let mut pairs = Vec::new();
    for _ in 0..5 {
        pairs.push(b.sign_in("ada").await.unwrap());
    }
    let other = b.sign_in("grace").await.unwrap();
    for pair in &pairs {
        assert_eq!(b.check(&pair.access).await.status, 200);
    }
    let ended = a.ask("end-all-everywhere ada -").await;
    assert!(ended.starts_with("ok 5 "), "{ended}");
    for pair in &pairs {
        assert_eq!(b.check(&pair.access).await.status, 401);
    }
    assert_eq!(b.check(&other.access).await.status, 200);
}

pub async fn a_process_that_starts_later_knows_what_was_revoked(place: &Place) {
    let [a, b] = two(place, &[]).await;
    let [lives, dies] = [a.sign_in("ada").await, a.sign_in("ada").await].map(Result::unwrap);
    a.end(&dies.session).await.unwrap();
    drop((a, b));
    // With the default view, of which a busy machine may miss more than one reading.
    let later = [("STORE_TIMEOUT", "10s")];
    let later = launch().start(place.address(), &later).await;
    assert_eq!(later.check(&dies.access).await.status, 401);
    assert_eq!(later.check(&lives.access).await.status, 200);
    let status = later.status().await;
    let (following, fresh, entries, complete) = (&status[0], &status[1], &status[3], &status[4]);
    assert_eq!(
        [following, fresh, entries, complete],
        ["true", "true", "1", "true"]
    );
    assert_eq!(status.len(), 6, "a node says up to where it has read");
}
