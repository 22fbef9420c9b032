//! Every answer, by its kind.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::model::{Asked, Verdict};
use super::weather::{Cause, Weather};

#[derive(Default)]
pub struct Tally(Mutex<Counted>);

#[derive(Default)]
struct Counted {
    kinds: BTreeMap<(String, &'static str), u64>,
    unexplained: Vec<String>,
    /// The longest that a node let somebody in of whom another had said that it is over.
    behind: Duration,
    /// The longest after the end of a fault that the store was still said to be away.
    after: Duration,
    /// Of good requests with known tokens since the last sample, in quiet times.
    latencies: Vec<u32>,
}

impl Tally {
    /// Notes what came of `what`, and how the model sees it.
    pub fn note(&self, what: &str, came: &str, asked: Asked, verdict: &Verdict, began: Instant) {
        let mut counted = self.0.lock().expect("nobody panicked");
        let seen = match verdict {
            Verdict::Right => "as it should",
            Verdict::Behind(behind) => {
                counted.behind = counted.behind.max(*behind);
                "within the bound"
            }
            Verdict::Explained(Cause::Fault) => "a fault",
            Verdict::Explained(Cause::After(after)) => {
                counted.after = counted.after.max(*after);
                "just after a fault"
            }
            Verdict::Explained(Cause::Machine) => "the machine stood still",
            Verdict::Explained(Cause::Host) => "the host was elsewhere",
            Verdict::Explained(Cause::Store) => "the store stood still",
            Verdict::Away => "the node was killed",
            Verdict::Unexplained => {
                let at = asked.sent.saturating_duration_since(began);
                let took = asked.answered - asked.sent;
                let line = format!(
                    "{:.3} s: node {}: {what}: {came}, after {:.1} ms",
                    at.as_secs_f64(),
                    asked.node,
                    took.as_secs_f64() * 1_000.0
                );
                eprintln!("UNEXPLAINED {line}");
                counted.unexplained.push(line);
                "unexplained"
            }
        };
        let came = came.split(':').next().unwrap_or_default();
        let kind = (format!("{what}: {came}"), seen);
        *counted.kinds.entry(kind).or_default() += 1;
    }

    pub fn warm(&self, took: Duration) {
        let micros = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        self.0
            .lock()
            .expect("nobody panicked")
            .latencies
            .push(micros);
    }

    /// The latencies since this was asked last.
    pub fn latencies(&self) -> Vec<u32> {
        std::mem::take(&mut self.0.lock().expect("nobody panicked").latencies)
    }

    pub fn taken(&self) -> Self {
        Self(Mutex::new(std::mem::take(
            &mut *self.0.lock().expect("nobody panicked"),
        )))
    }

    pub fn kinds(&self) -> Vec<(String, &'static str, u64)> {
        let counted = self.0.lock().expect("nobody panicked");
        let kinds = counted.kinds.iter();
        kinds
            .map(|((kind, seen), count)| (kind.clone(), *seen, *count))
            .collect()
    }

    pub fn all(&self) -> u64 {
        self.0.lock().expect("nobody panicked").kinds.values().sum()
    }

    pub fn unexplained(&self) -> Vec<String> {
        self.0.lock().expect("nobody panicked").unexplained.clone()
    }

    pub fn behind(&self) -> Duration {
        self.0.lock().expect("nobody panicked").behind
    }

    pub fn after(&self) -> Duration {
        self.0.lock().expect("nobody panicked").after
    }
}

/// Whether it is so quiet that an answer says how quick nodes are.
pub fn is_quiet(weather: &Weather) -> bool {
    weather.quiet_for().is_some_and(|quiet| quiet > SETTLED)
}

const SETTLED: Duration = Duration::from_secs(3);
