//! The wall clock of one node is set, by a day.

use std::time::{Duration, Instant};

use crate::launch;
use crate::nodes::process::{Answered, Pair};
use crate::nodes::{Node, cuts};
use crate::place::Place;

const DAY: i64 = 24 * 60 * 60;
/// As [`SHORT_VIEW`](crate::SHORT_VIEW), with tokens of two seconds.
const SHORT_LIVES: [(&str, &str); 3] = [
    ("REVOCATION_MAX_STALENESS", "2s"),
    ("STORE_TIMEOUT", "10s"),
    ("JWT_ACCESS_TOKEN_EXPIRY", "2s"),
];

pub async fn a_clock_a_day_ahead_lets_nothing_revoked_in_and_forgets_nothing(place: &Place) {
    let [a, b] = crate::two(place, &[]).await;
    let [lives, before, meanwhile] = [
        a.sign_in("ada").await.unwrap(),
        a.sign_in("ada").await.unwrap(),
        a.sign_in("ada").await.unwrap(),
    ];
    for pair in [&lives, &before, &meanwhile] {
        cuts::let_in(&b, &pair.access).await.unwrap();
    }
    a.end_everywhere(&before.session).await.unwrap();
    step(&b, DAY).await;
    // It polls by the clock that has been set, and would forget what that calls over.
    polled_after(&a, &b).await;
    a.end_everywhere(&meanwhile.session).await.unwrap();
    for pair in [&lives, &before, &meanwhile] {
        let answer = b.check(&pair.access).await;
        assert_eq!(
            answer.status, 401,
            "a day later all have expired: {answer:?}"
        );
    }
    step(&b, 0).await;
    for pair in [&before, &meanwhile] {
        refused(&b.check(&pair.access).await);
    }
    cuts::let_in(&b, &lives.access).await.unwrap();
    for pair in [&before, &meanwhile] {
        assert_eq!(b.check(&pair.access).await.code, "token_revoked");
    }
}

pub async fn a_clock_a_day_behind_lets_in_neither_what_is_revoked_nor_what_has_expired(
    place: &Place,
) {
    let [a, b] = [
        launch().start(place.address(), &SHORT_LIVES).await,
        launch().start(place.address(), &SHORT_LIVES).await,
    ];
    let [expires, before] = [let_in_in_time(&a, &b).await, let_in_in_time(&a, &b).await];
    a.end_everywhere(&before.session).await.unwrap();
    while a.check(&expires.access).await.code != "token_expired" {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let meanwhile = a.sign_in("ada").await.unwrap();
    step(&b, -DAY).await;
    polled_after(&a, &b).await;
    a.end_everywhere(&meanwhile.session).await.unwrap();
    for pair in [&expires, &before, &meanwhile] {
        refused(&b.check(&pair.access).await);
    }
    step(&b, 0).await;
    let_in_in_time(&a, &b).await;
    for pair in [&expires, &before, &meanwhile] {
        assert_eq!(b.check(&pair.access).await.status, 401);
    }
}

/// Of a store that goes by the machine's clock, as its nodes do: what was revoked before, and what
/// is while it is off.
pub async fn a_machine_whose_clock_steps_by_a_day_and_back_lets_nothing_revoked_in(place: &Place) {
    for seconds in [DAY, -DAY] {
        let [a, b] = crate::two(place, &[]).await;
        let [lives, before, meanwhile] = [
            a.sign_in("ada").await.unwrap(),
            a.sign_in("ada").await.unwrap(),
            a.sign_in("ada").await.unwrap(),
        ];
        for pair in [&lives, &before, &meanwhile] {
            cuts::let_in(&b, &pair.access).await.unwrap();
        }
        a.end_everywhere(&before.session).await.unwrap();
        for node in [&a, &b] {
            step(node, seconds).await;
        }
        // It goes on, by its new time.
        for _ in 0..5 {
            let pair = b.sign_in("grace").await.unwrap();
            a.end(&pair.session).await.unwrap();
        }
        // It may be over by that time, and then there is nothing left to end.
        let _ = a.end(&meanwhile.session).await;
        refused(&b.check(&before.access).await);
        for node in [&a, &b] {
            step(node, 0).await;
        }
        let later = launch().start(place.address(), &[]).await;
        for _ in 0..20 {
            for node in [&a, &b, &later] {
                refused(&node.check(&before.access).await);
                refused(&node.check(&meanwhile.access).await);
                node.refresh(&before.refresh).await.unwrap_err();
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let after = a.sign_in("ada").await.unwrap();
        cuts::let_in(&b, &after.access).await.unwrap();
    }
}

/// Somebody who signs in at `a` and is let in at `b`; on a machine that is so busy that the token,
/// which does not live long, is over by then, they sign in again.
async fn let_in_in_time(a: &Node, b: &Node) -> Pair {
    let began = Instant::now();
    loop {
        let pair = a.sign_in("ada").await.unwrap();
        let Err(why) = cuts::let_in(b, &pair.access).await else {
            return pair;
        };
        let is_late = why.contains("token_expired") && began.elapsed() < Duration::from_secs(60);
        assert!(is_late, "{why}");
    }
}

async fn step(node: &Node, seconds: i64) {
    assert_eq!(node.ask(&format!("step {seconds}")).await, "ok");
}

/// Waits until `b` has read what `a` writes now, some polls after its clock was set.
async fn polled_after(a: &Node, b: &Node) {
    for _ in 0..5 {
        let pair = b.sign_in("grace").await.unwrap();
        a.end_everywhere(&pair.session).await.unwrap();
    }
}

fn refused(answer: &Answered) {
    assert!(matches!(answer.status, 401 | 503), "{answer:?}");
}
