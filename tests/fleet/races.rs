//! Who comes first, of two processes.

use std::time::{Duration, Instant};

use futures_util::future::join_all;

use crate::nodes::Node;
use crate::nodes::process::Pair;
use crate::place::Place;
use crate::two;

const LIMIT: usize = 10;
const SIGN_INS: usize = 30;

pub async fn racing_sign_ins_of_two_processes_leave_exactly_the_limit_alive(place: &Place) {
    let nodes = two(place, &[("JWT_MAX_CONCURRENT_SESSIONS", "10")]).await;
    for round in 0..3 {
        let user = format!("ada{round}");
        let made = sign_ins(&nodes, &user).await;
        let made: Vec<Pair> = made.into_iter().filter_map(held).collect();
        for node in &nodes {
            let alive = node.list(&user).await.unwrap();
            assert_eq!(alive.len(), LIMIT);
            let is_held = |session: &String| made.iter().any(|pair| pair.session == *session);
            assert!(alive.iter().all(is_held), "somebody was told of each");
            for pair in &made {
                let refreshed = node.refresh(&pair.refresh).await;
                assert_eq!(refreshed.is_ok(), alive.contains(&pair.session));
            }
        }
    }
}

pub async fn racing_sign_ins_of_two_processes_that_may_not_evict_admit_exactly_the_limit(
    place: &Place,
) {
    let settings = [
        ("JWT_MAX_CONCURRENT_SESSIONS", "10"),
        ("JWT_SESSION_LIMIT_POLICY", "reject"),
    ];
    let nodes = two(place, &settings).await;
    let made = sign_ins(&nodes, "ada").await;
    let made: Vec<Pair> = made.into_iter().filter_map(Result::ok).collect();
    assert_eq!(made.len(), LIMIT);
    for pair in made {
        for node in &nodes {
            assert_eq!(node.check(&pair.access).await.status, 200);
        }
    }
    assert_eq!(nodes[1].count("ada").await, Ok(LIMIT as u64));
}

/// What a sign-in made. One whose answer is late is repeated, and may find that the session has given
/// way to others meanwhile.
fn held(made: Result<Pair, String>) -> Option<Pair> {
    let superseded = |why: String| assert!(why.contains("has ended meanwhile"), "{why}");
    made.map_err(superseded).ok()
}

async fn sign_ins(nodes: &[Node; 2], user: &str) -> Vec<Result<Pair, String>> {
    let sign_ins = (0..SIGN_INS).flat_map(|_| nodes.iter().map(|node| node.sign_in(user)));
    join_all(sign_ins).await
}

pub async fn one_token_refreshed_in_two_processes_at_once_has_one_successor(place: &Place) {
    let nodes = two(place, &[("JWT_ROTATION_GRACE", "2s")]).await;
    for attempt in 0..30 {
        if refreshed_at_once(&nodes, &format!("ada{attempt}")).await {
            return;
        }
    }
    panic!("twenty refreshes take longer than half of the grace, thirty times");
}

const GRACE: Duration = Duration::from_secs(2);

/// `false` where the refreshes were not at once: after the grace, each of them is another matter.
async fn refreshed_at_once(nodes: &[Node; 2], user: &str) -> bool {
    let mut current = nodes[0].sign_in(user).await.unwrap();
    for generation in 2..4 {
        if generation > 2 {
            // Once in two graces there is a new successor, by the clocks of other processes, which
            // cannot be held.
            tokio::time::sleep(2 * GRACE + Duration::from_millis(100)).await;
        }
        let began = Instant::now();
        let refreshes =
            (0..10).flat_map(|_| nodes.iter().map(|node| node.refresh(&current.refresh)));
        let answers = join_all(refreshes).await;
        if began.elapsed() > GRACE / 2 {
            return false;
        }
        let answers: Vec<Pair> = answers.into_iter().map(Result::unwrap).collect();
        for answer in &answers {
            assert_eq!(answer.refresh, answers[0].refresh);
            assert_eq!(answer.generation, generation);
        }
        for node in nodes {
            assert_eq!(node.check(&answers[0].access).await.status, 200);
        }
        current = answers[0].clone();
    }
    true
}

pub async fn nothing_that_a_refresh_of_one_process_mints_survives_a_revocation_by_another(
    place: &Place,
) {
    let [a, b] = two(place, &[]).await;
    let (mut minted, mut pauses) = (0, Pauses::default());
    for round in 0..60 {
        pauses.in_round(round, minted > 0);
        let user = format!("user{round}");
        let first = a.sign_in(&user).await.unwrap();
        let (before_it, before_that) = (pauses.next(), pauses.next());
        let refresh = async {
            tokio::time::sleep(before_it).await;
            b.refresh(&first.refresh).await
        };
        let revoke = async {
            tokio::time::sleep(before_that).await;
            if round % 2 == 0 {
                a.end_all(&user, None).await.unwrap();
            } else {
                a.end_everywhere(&first.session).await.unwrap();
            }
        };
        let (refreshed, ()) = tokio::join!(refresh, revoke);
        if let Ok(pair) = refreshed {
            minted += 1;
            refused_soon(&b, &pair.access).await;
            refused_soon(&a, &pair.access).await;
            for node in [&a, &b] {
                node.refresh(&pair.refresh).await.unwrap_err();
                node.refresh(&first.refresh).await.unwrap_err();
            }
        }
        for node in [&a, &b] {
            assert_eq!(node.count(&user).await, Ok(0));
        }
    }
    assert!(minted > 0, "no refresh came first");
}

pub async fn no_session_of_the_old_password_survives_its_change_in_another_process(place: &Place) {
    let [a, b] = two(place, &[]).await;
    let (mut outdated, mut pauses) = (0, Pauses::default());
    for round in 0..60 {
        pauses.in_round(round, outdated > 0);
        let user = format!("user{round}");
        // The ticket is older than the look at the password, which was still the old one.
        let ticket = b.ticket(&user).await.unwrap();
        let (before_it, before_that) = (pauses.next(), pauses.next());
        let sign_in = async {
            tokio::time::sleep(before_it).await;
            b.redeem(&ticket).await
        };
        let change = async {
            tokio::time::sleep(before_that).await;
            a.end_all(&user, None).await.unwrap();
        };
        let (signed_in, ()) = tokio::join!(sign_in, change);
        for node in [&a, &b] {
            assert_eq!(node.count(&user).await, Ok(0), "round {round}");
        }
        match signed_in {
            Ok(pair) => {
                refused_soon(&b, &pair.access).await;
                b.refresh(&pair.refresh).await.unwrap_err();
            }
            Err(_) => outdated += 1,
        }
    }
    assert!(outdated > 0, "no change came first");
}

pub async fn a_password_change_spares_the_session_that_it_was_made_in(place: &Place) {
    let [a, b] = two(place, &[]).await;
    let stays = b.sign_in("ada").await.unwrap();
    let goes = b.sign_in("ada").await.unwrap();
    for pair in [&stays, &goes] {
        assert_eq!(b.check(&pair.access).await.status, 200);
    }
    let ended = a.end_all("ada", Some(&stays.session)).await.unwrap();
    assert_eq!(ended.count, 1);
    refused_soon(&b, &goes.access).await;
    for node in [&a, &b] {
        assert_eq!(node.check(&stays.access).await.status, 200);
        assert_eq!(node.check(&goes.access).await.status, 401);
        assert_eq!(node.list("ada").await, Ok(vec![stays.session.clone()]));
    }
    let refreshed = a.refresh(&stays.refresh).await.unwrap();
    assert_eq!(b.check(&refreshed.access).await.status, 200);
}

pub async fn a_role_change_in_one_process_makes_tokens_stale_in_another(place: &Place) {
    let [a, b] = two(place, &[]).await;
    let pair = b.sign_in("ada").await.unwrap();
    assert_eq!(b.check(&pair.access).await.status, 200);
    a.roles_changed("ada").await.unwrap();
    refused_soon(&b, &pair.access).await;
    for node in [&a, &b] {
        let answer = node.check(&pair.access).await;
        assert_eq!((answer.status, answer.code.as_str()), (401, "token_stale"));
    }
    let refreshed = b.refresh(&pair.refresh).await.unwrap();
    for node in [&a, &b] {
        assert_eq!(node.check(&refreshed.access).await.status, 200);
    }
}

/// The view hears of it by itself; how soon is measured elsewhere.
async fn refused_soon(node: &Node, access: &str) {
    node.await_refusal(access).await.unwrap();
}

/// How long each of two waits: the same in every run, and at most as long as what races takes.
struct Pauses {
    random: fastrand::Rng,
    most: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self {
            random: fastrand::Rng::with_seed(19),
            most: Duration::from_millis(3),
        }
    }
}

impl Pauses {
    /// They grow while one side was never seen to come first: it may be slower by more than that.
    fn in_round(&mut self, round: u32, is_seen: bool) {
        if round > 0 && round.is_multiple_of(10) && !is_seen {
            self.most *= 3;
        }
    }

    fn next(&mut self) -> Duration {
        self.most.mul_f64(self.random.f64())
    }
}
