//! Requests on a schedule: a thousand a second, whatever becomes of those before.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// A second of requests beside each step, of which each is due a millisecond after the one before. As many are sent at
/// once as there are senders; whoever finds none free is sent when one is, and its wait counts.
pub struct Load<R> {
    request: R,
    began: Instant,
    /// When the next second of requests can begin.
    next: Instant,
    steps: Vec<(&'static str, Vec<Sent>)>,
}

/// What became of a request: how long after it was due it was answered, and what was wrong with the answer.
struct Sent {
    after: Duration,
    refused: Option<String>,
}

impl<R, F> Load<R>
where
    R: Fn(usize) -> F + Clone + Send + 'static,
    F: Future<Output = Option<String>> + Send + 'static,
{
    /// `request` sends the one of a number, and says what was wrong.
    pub fn new(request: R) -> Self {
        let began = Instant::now();
        Self {
            request,
            began,
            next: began,
            steps: Vec::new(),
        }
    }

    /// Sends a second of requests while something is done, and waits for that and for every answer.
    pub async fn beside(&mut self, step: &'static str, deed: impl Future<Output = ()>) {
        let began = self.next.max(Instant::now());
        self.next = began + EACH * A_SECOND;
        let next = Arc::new(AtomicUsize::new(0));
        let mut senders = JoinSet::new();
        for _ in 0..SENDERS {
            senders.spawn(send(began, next.clone(), self.request.clone()));
        }
        let ((), sent) = tokio::join!(deed, senders.join_all());
        self.steps
            .push((step, sent.into_iter().flatten().collect()));
    }

    /// Every request that was due was sent, and none was refused.
    #[track_caller]
    pub fn all_were_answered(&self) -> &Self {
        for (step, sent) in &self.steps {
            assert_eq!(sent.len(), A_SECOND as usize, "{step}");
            let refused = sent.iter().filter_map(|sent| sent.refused.as_ref());
            let refused: Vec<&String> = refused.collect();
            assert!(refused.is_empty(), "{step}: {refused:?}");
        }
        self
    }

    /// Says what was reached. A machine that had no time for it shows in how late the answers came.
    pub fn print(&self) {
        let sent: usize = self.steps.iter().map(|(_, sent)| sent.len()).sum();
        let took = self.began.elapsed();
        let rate = sent as f64 / took.as_secs_f64();
        eprintln!("{sent} requests in {took:.2?}, {rate:.0} a second");
        for (step, sent) in &self.steps {
            let mut after: Vec<Duration> = sent.iter().map(|sent| sent.after).collect();
            after.sort_unstable();
            let at = |share: usize| after[(after.len() - 1) * share / 100];
            let (median, most, longest) = (at(50), at(99), at(100));
            eprintln!(
                "  {step}: {} answered after {median:.1?} (p50), {most:.1?} (p99), {longest:.1?} (longest)",
                after.len()
            );
        }
    }
}

async fn send<F>(began: Instant, next: Arc<AtomicUsize>, request: impl Fn(usize) -> F) -> Vec<Sent>
where
    F: Future<Output = Option<String>>,
{
    let mut sent = Vec::new();
    loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= A_SECOND as usize {
            return sent;
        }
        let due = began + EACH * number as u32;
        sleep_until(due).await;
        let refused = request(number).await;
        sent.push(Sent {
            after: due.elapsed(),
            refused,
        });
    }
}

const A_SECOND: u32 = 1_000;
const EACH: Duration = Duration::from_millis(1);
const SENDERS: usize = 64;
