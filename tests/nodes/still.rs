//! What a node does whose store stands still: it lets everybody connect, and answers nobody.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use futures_util::future::try_join_all;

use super::Node;
use super::process::Pair;

/// How a node fared meanwhile.
#[derive(Clone, Debug)]
pub struct Still {
    /// The longest that any answer took.
    pub longest_answer: Duration,
    /// How long each refusal of a live session took, from the second second without answers on:
    /// by then the breakers are open.
    pub refusals: Vec<Duration>,
    /// How long after the store's return a request came in and a sign-in worked again.
    pub recovered_after: Duration,
}

/// How many clients ask at once.
const CLIENTS: u64 = 8;

/// Has the store of a node stand still for so long, under a load, while clients ask for
/// everything: a request with a live session, one with a session that has ended, a sign-in and a
/// refresh.
pub async fn stand_still(
    node: &Node,
    lasts: Duration,
    stop: impl FnOnce(),
    resume: impl FnOnce(),
) -> Result<Still, String> {
    let (lives, dies) = (signed_in(node).await, signed_in(node).await);
    for pair in [&lives, &dies] {
        super::cuts::let_in(node, &pair.access).await?;
    }
    ended(node, &dies).await;
    node.ask("load 4").await;
    stop();
    let began = Instant::now();
    let seen = Mutex::new((Duration::ZERO, Vec::new()));
    let clients = (0..CLIENTS).map(|client| {
        let (lives, dies, seen) = (&lives, &dies, &seen);
        async move {
            let mut turn = client;
            while began.elapsed() < lasts || is_to_go_on(began, seen) {
                let asked = Instant::now();
                let refused = ask(node, turn, lives, dies).await?;
                let took = asked.elapsed();
                let open = asked - began > SETTLING;
                note(seen, took, refused && open);
                turn += 1;
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            Ok::<_, String>(())
        }
    });
    let outcome = try_join_all(clients).await;
    let returned = Instant::now();
    resume();
    outcome?;
    super::cuts::let_in(node, &lives.access).await?;
    while node.sign_in("ada").await.is_err() {
        if returned.elapsed() > ENOUGH {
            return Err("nobody can sign in any more".to_owned());
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let recovered_after = returned.elapsed();
    node.ask("rest").await;
    let answer = node.check(&dies.access).await;
    if answer.status != 401 {
        return Err(format!("an ended session is not refused: {answer:?}"));
    }
    let (longest_answer, refusals) = seen.into_inner().expect("nobody panicked");
    Ok(Still {
        longest_answer,
        refusals,
        recovered_after,
    })
}

/// The longest that any answer took, and each that counts as a refusal.
fn note(seen: &Mutex<(Duration, Vec<Duration>)>, took: Duration, refused: bool) {
    let mut seen = seen.lock().expect("nobody panicked");
    seen.0 = seen.0.max(took);
    if refused {
        seen.1.push(took);
    }
}

/// A machine that stood still itself may have let nobody ask in that time.
fn is_to_go_on(began: Instant, seen: &Mutex<(Duration, Vec<Duration>)>) -> bool {
    let seen = seen.lock().expect("nobody panicked");
    seen.1.is_empty() && began.elapsed() < ENOUGH
}

/// Somebody who tries until it works: deadlines here are shorter than a busy machine may need.
pub async fn signed_in(node: &Node) -> Pair {
    let began = Instant::now();
    loop {
        match node.sign_in("ada").await {
            Ok(pair) => return pair,
            Err(why) => assert!(began.elapsed() < ENOUGH, "nobody can sign in: {why}"),
        }
    }
}

/// The same for an end.
pub async fn ended(node: &Node, pair: &Pair) {
    let began = Instant::now();
    while let Err(why) = node.end(&pair.session).await {
        assert!(began.elapsed() < ENOUGH, "nothing can be ended: {why}");
    }
}

/// Asks for one thing in its turn; whether it was a live session that was refused.
async fn ask(node: &Node, turn: u64, lives: &Pair, dies: &Pair) -> Result<bool, String> {
    match turn % 4 {
        0 => {
            let answer = node.check(&dies.access).await;
            match answer.status {
                401 | 503 => Ok(false),
                _ => Err(format!("an ended session is let in: {answer:?}")),
            }
        }
        1 => {
            // It fails, but for those that the store took up before it stood still.
            let _ = node.sign_in("grace").await;
            Ok(false)
        }
        2 => {
            let _ = node.refresh(&lives.refresh).await;
            Ok(false)
        }
        _ => {
            let answer = node.check(&lives.access).await;
            match answer.status {
                200 => Ok(false),
                503 => Ok(true),
                _ => Err(format!("neither admitted nor put off: {answer:?}")),
            }
        }
    }
}

/// The staleness bound of the nodes, after which the view does not answer any more, and what three
/// calls may take until a breaker opens.
const SETTLING: Duration = Duration::from_millis(2_000 + 1_000);
/// More than anything here takes: only whether it comes at all is the matter.
const ENOUGH: Duration = Duration::from_secs(60);
