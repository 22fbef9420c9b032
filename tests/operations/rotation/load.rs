//! Requests on a schedule: a thousand a second, whatever becomes of those before.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// Requests under way, of which each is due a millisecond after the one before. As many are sent at once as there
/// are senders; whoever finds none free is sent when one is, and its wait counts.
pub struct Load {
    schedule: Arc<Schedule>,
    senders: JoinSet<Vec<Sent>>,
    steps: Vec<(&'static str, u64)>,
}

struct Schedule {
    began: Instant,
    next: AtomicU64,
    /// The first number that is not sent any more.
    end: AtomicU64,
}

/// What became of a request: how long after it was due it was answered, and what was wrong with the answer.
struct Sent {
    number: u64,
    after: Duration,
    refused: Option<String>,
}

/// What became of all of them.
pub struct Outcome {
    scheduled: u64,
    took: Duration,
    sent: Vec<Sent>,
    steps: Vec<(&'static str, u64)>,
}

impl Load {
    /// Starts to send, with the first step. `request` sends the one of a number, and says what was wrong.
    pub fn start<F>(step: &'static str, request: impl Fn(u64) -> F + Clone + Send + 'static) -> Self
    where
        F: Future<Output = Option<String>> + Send + 'static,
    {
        let schedule = Arc::new(Schedule {
            began: Instant::now(),
            next: AtomicU64::new(0),
            end: AtomicU64::new(u64::MAX),
        });
        let mut senders = JoinSet::new();
        for _ in 0..SENDERS {
            senders.spawn(send(schedule.clone(), request.clone()));
        }
        Self {
            schedule,
            senders,
            steps: vec![(step, 0)],
        }
    }

    /// Notes that a step begins with the request that is due now.
    pub fn step(&mut self, name: &'static str) {
        self.steps.push((name, self.schedule.due_by_now()));
    }

    /// Ends the schedule with the second that has begun, and waits for every answer.
    pub async fn finish(self) -> Outcome {
        let end = self.schedule.due_by_now().next_multiple_of(A_SECOND);
        self.schedule.end.store(end, Ordering::SeqCst);
        let sent = self.senders.join_all().await.into_iter().flatten();
        Outcome {
            scheduled: end,
            sent: sent.collect(),
            took: self.schedule.began.elapsed(),
            steps: self.steps,
        }
    }
}

impl Schedule {
    fn due(&self, number: u64) -> Instant {
        self.began + Duration::from_secs(number / A_SECOND) + EACH * (number % A_SECOND) as u32
    }

    fn due_by_now(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }
}

async fn send<F>(schedule: Arc<Schedule>, request: impl Fn(u64) -> F) -> Vec<Sent>
where
    F: Future<Output = Option<String>>,
{
    let mut sent = Vec::new();
    loop {
        let number = schedule.next.fetch_add(1, Ordering::SeqCst);
        let due = schedule.due(number);
        sleep_until(due).await;
        if number >= schedule.end.load(Ordering::SeqCst) {
            return sent;
        }
        let refused = request(number).await;
        sent.push(Sent {
            number,
            after: due.elapsed(),
            refused,
        });
    }
}

impl Outcome {
    /// Every request of the schedule was sent, once, and none was refused; each step had some.
    #[track_caller]
    pub fn all_were_answered(&self) -> &Self {
        let mut numbers: Vec<u64> = self.sent.iter().map(|sent| sent.number).collect();
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..self.scheduled), "not all of them");
        for (name, requests) in self.by_step() {
            assert!(!requests.is_empty(), "no request while {name}");
            let refused = requests.iter().filter_map(|sent| sent.refused.as_ref());
            let refused: Vec<&String> = refused.collect();
            assert!(refused.is_empty(), "{name}: {refused:?}");
        }
        self
    }

    /// Says what was reached. A machine that had no time for it shows in how late the answers came.
    pub fn print(&self) {
        let rate = self.scheduled as f64 / self.took.as_secs_f64();
        eprintln!(
            "{} requests, {A_SECOND} due in each second; all answered {:.2?} after the first was due, {rate:.0} a second",
            self.scheduled, self.took
        );
        for (name, requests) in self.by_step() {
            let mut after: Vec<Duration> = requests.iter().map(|sent| sent.after).collect();
            after.sort_unstable();
            let at = |share: usize| after[(after.len() - 1) * share / 100];
            let (median, most, longest) = (at(50), at(99), at(100));
            eprintln!(
                "  {name}: {} requests, answered after {median:.1?} (p50), {most:.1?} (p99), {longest:.1?} (longest)",
                after.len()
            );
        }
    }

    fn by_step(&self) -> Vec<(&'static str, Vec<&Sent>)> {
        let begins = self.steps.iter().map(|(_, begins)| *begins);
        let ends = begins.skip(1).chain([self.scheduled]);
        let steps = self.steps.iter().zip(ends);
        let within = steps.map(|((name, begins), end)| {
            let within = |sent: &&Sent| (*begins..end).contains(&sent.number);
            (*name, self.sent.iter().filter(within).collect())
        });
        within.collect()
    }
}

const A_SECOND: u64 = 1_000;
const EACH: Duration = Duration::from_millis(1);
const SENDERS: usize = 64;
