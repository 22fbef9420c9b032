//! What a node does whose link to the store fails.

use std::time::{Duration, Instant};

use super::Node;
use crate::proxy::{Link, Proxy};

/// How a node fared without its store.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    pub how: Link,
    /// How long after the link failed the last request was sent that a revoked token came in with.
    pub admitted_until: Duration,
    /// The longest that any request took meanwhile.
    pub longest_answer: Duration,
    /// How long after the link's return a live session came in again.
    pub recovered_after: Duration,
}

/// Lets the link of `behind` fail, ends a session at `beside`, and watches until some time after
/// `staleness` what becomes of its token; then lets the link return.
pub async fn cut(
    beside: &Node,
    behind: &Node,
    proxy: &Proxy,
    how: Link,
    staleness: Duration,
) -> Result<Cut, String> {
    let lives = beside.sign_in("ada").await?;
    let dies = beside.sign_in("ada").await?;
    for pair in [&lives, &dies] {
        let_in(behind, &pair.access).await?;
    }
    proxy.set(how);
    let failed = Instant::now();
    beside.end(&dies.session).await?;
    let (mut admitted_until, mut longest_answer) = (Duration::ZERO, Duration::ZERO);
    while failed.elapsed() < staleness + Duration::from_secs(1) {
        let sent = Instant::now();
        let answer = behind.check(&dies.access).await;
        longest_answer = longest_answer.max(sent.elapsed());
        match answer.status {
            200 => admitted_until = sent - failed,
            401 | 503 => {}
            _ => return Err(format!("neither admitted nor refused: {answer:?}")),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let returned = Instant::now();
    proxy.set(Link::Forward);
    let_in(behind, &lives.access).await?;
    let recovered_after = returned.elapsed();
    behind.await_refusal(&dies.access).await?;
    Ok(Cut {
        how,
        admitted_until,
        longest_answer,
        recovered_after,
    })
}

/// Waits until a node admits a token of a live session: a busy machine may miss a short deadline.
pub async fn let_in(node: &Node, access: &str) -> Result<(), String> {
    let began = Instant::now();
    loop {
        let answer = node.check(access).await;
        if answer.status == 200 {
            return Ok(());
        }
        if answer.status != 503 || began.elapsed() > Duration::from_secs(60) {
            return Err(format!("a live session is not let in: {answer:?}"));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
