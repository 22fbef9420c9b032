//! Breakers: a store that does not answer is asked by one call at a time, and the others fail at once.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, timeout};

use super::signal::{Signal, Signals};
use crate::clock::Clock;
use crate::error::{StoreError, StoreErrorKind};

/// What a call is for. Each class fails and recovers by itself, so that a slow list stops no
/// confirmation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// Questions about one session or user, which a request waits for.
    Confirm,
    /// Following the log. One task does it, and paces itself: it is watched and never held back.
    Follow,
    /// Reading many sessions.
    List,
    /// Whatever changes something.
    Write,
}

/// How calls of one class fare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum BreakerState {
    /// Calls go to the store.
    #[default]
    Closed,
    /// One call is on its way to find out whether the store is back; the others fail at once.
    HalfOpen,
    /// The last calls failed, and calls fail at once.
    Open,
}

/// How calls to the store fare, by what they are for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StoreStatus {
    /// Questions that requests wait for.
    pub confirm: BreakerState,
    /// Following the log. Never held back, so never half open: each try is a probe.
    pub follow: BreakerState,
    /// Reading lists of sessions.
    pub list: BreakerState,
    /// Sign-ins, refreshes, ends and all other changes.
    pub write: BreakerState,
}

/// The breakers of one store.
#[derive(Debug)]
pub(crate) struct Breakers {
    clock: Arc<dyn Clock>,
    backend: &'static str,
    signals: Signals,
    confirm: Breaker,
    follow: Breaker,
    list: Breaker,
    write: Breaker,
}

/// Why a call was not sent.
#[derive(Debug)]
pub(crate) struct Shed;

#[derive(Debug, Default)]
struct Breaker {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How many calls failed since one succeeded.
    failures: u32,
    /// When the last one did, on the monotonic clock.
    failed_at: Duration,
    /// When the first of them did.
    failing_since: Duration,
    probing: bool,
    /// How often the breaker closed: who was sent before tells nothing of now.
    era: u64,
}

/// A call that was let through. Dropped without a word, it was given up: that is a failure where
/// it had waited for as long as the store is waited for.
struct Pass<'a> {
    breakers: &'a Breakers,
    class: Class,
    era: u64,
    probe: bool,
    settled: bool,
    begun: Instant,
    deadline: Duration,
}

impl Breakers {
    pub(crate) fn new(clock: Arc<dyn Clock>, backend: &'static str) -> Self {
        Self {
            clock,
            backend,
            signals: Signals::default(),
            confirm: Breaker::default(),
            follow: Breaker::default(),
            list: Breaker::default(),
            write: Breaker::default(),
        }
    }

    /// The same, and tells when the store is lost and when it is back.
    pub(crate) fn with_signals(mut self, signals: Signals) -> Self {
        self.signals = signals;
        self
    }

    /// Makes a call, unless calls of its class have been failing.
    ///
    /// What takes longer than `deadline` counts as failed. It is not given up: who waits longer
    /// has a reason.
    pub(crate) async fn call<T>(
        &self,
        class: Class,
        deadline: Duration,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let mut pass = self.enter(class, deadline)?;
        let mut call = pin!(call);
        match timeout(deadline, &mut call).await {
            Ok(outcome) => {
                let failed = matches!(&outcome, Err(error) if error.is_unavailable());
                pass.settle(failed);
                outcome
            }
            Err(_) => {
                pass.settle(true);
                call.await
            }
        }
    }

    pub(crate) fn status(&self) -> StoreStatus {
        StoreStatus {
            confirm: self.confirm.status(),
            follow: self.follow.status(),
            list: self.list.status(),
            write: self.write.status(),
        }
    }

    fn of(&self, class: Class) -> &Breaker {
        match class {
            Class::Confirm => &self.confirm,
            Class::Follow => &self.follow,
            Class::List => &self.list,
            Class::Write => &self.write,
        }
    }

    fn enter(&self, class: Class, deadline: Duration) -> Result<Pass<'_>, StoreError> {
        let mut state = self.of(class).state();
        let mut probe = false;
        if state.is_open() && class != Class::Follow {
            let now = self.clock.instants().monotonic;
            // A write is worth a try at any time, a question only now and then.
            let due = class == Class::Write || now >= state.failed_at + PAUSE;
            if state.probing || !due {
                let kind = StoreErrorKind::Unavailable;
                return Err(StoreError::new(kind, self.backend).with_source(Shed));
            }
            state.probing = true;
            probe = true;
        }
        Ok(Pass {
            breakers: self,
            class,
            era: state.era,
            probe,
            settled: false,
            begun: Instant::now(),
            deadline,
        })
    }
}

impl Breaker {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn status(&self) -> BreakerState {
        let state = self.state();
        match (state.is_open(), state.probing) {
            (false, _) => BreakerState::Closed,
            (true, false) => BreakerState::Open,
            (true, true) => BreakerState::HalfOpen,
        }
    }
}

impl State {
    fn is_open(&self) -> bool {
        self.failures >= FAILURES
    }
}

impl Pass<'_> {
    fn settle(&mut self, failed: bool) {
        self.settled = true;
        let (clock, backend) = (&self.breakers.clock, self.breakers.backend);
        let now = clock.instants().monotonic;
        let mut state = self.breakers.of(self.class).state();
        if self.probe {
            state.probing = false;
        }
        let was_open = state.is_open();
        if !failed {
            state.failures = 0;
            state.era += u64::from(was_open);
        } else if state.era == self.era {
            if state.failures == 0 {
                state.failing_since = now;
            }
            state.failures = state.failures.saturating_add(1);
            state.failed_at = now;
        }
        let (is_open, away) = (state.is_open(), now.saturating_sub(state.failing_since));
        // Whoever hears of it may ask how the breakers stand.
        drop(state);
        let class = self.class;
        let signal = match (was_open, is_open) {
            (false, true) => {
                tracing::warn!(?class, backend, "the store does not answer");
                Signal::StoreLost { backend, class }
            }
            (true, false) => {
                tracing::info!(?class, backend, ?away, "the store answers again");
                Signal::StoreBack {
                    backend,
                    class,
                    away,
                }
            }
            _ => return,
        };
        self.breakers.signals.tell(signal);
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        if self.settled {
            return;
        }
        // Who waits for no longer than the deadline gives up a moment before it is over here.
        let waited = self.begun.elapsed() >= self.deadline.mul_f64(0.9);
        if waited || std::thread::panicking() {
            self.settle(true);
        } else if self.probe {
            self.breakers.of(self.class).state().probing = false;
        }
    }
}

impl Shed {
    /// Whether an error is that a call was not sent.
    pub(crate) fn is(error: &StoreError) -> bool {
        std::error::Error::source(error).is_some_and(|source| source.is::<Self>())
    }
}

impl fmt::Display for Shed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the last calls failed, and another one tries right now")
    }
}

impl std::error::Error for Shed {}

impl Class {
    /// A word for it, one of a closed set.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Confirm => "confirm",
            Self::Follow => "follow",
            Self::List => "list",
            Self::Write => "write",
        }
    }
}

impl BreakerState {
    /// A word for it, as in a report.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::HalfOpen => "half_open",
            Self::Open => "open",
        }
    }
}

impl StoreStatus {
    /// Whether calls of every class go to the store.
    #[must_use]
    pub fn is_well(&self) -> bool {
        *self == Self::default()
    }
}

/// So many failures in a row are no accident.
const FAILURES: u32 = 3;

/// How long no question is sent after one failed: short beside the second in which everything is
/// to be well after the store's return.
const PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
#[path = "tests/breaker.rs"]
mod tests;
