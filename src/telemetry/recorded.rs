//! Counting, and telling the facade.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::names::{self, LOOKUPS, METRICS, OUTCOMES};
use super::tally::{Mine, Tally};
use super::{Lookup, Operation, Outcome, Verb};
use crate::clock::UnixTime;
use crate::events::{Event, Observer};
use crate::revocation::{BreakerState, StoreStatus, ViewStatus};
use crate::session::SessionStore;
use crate::throttle::Attempt;

/// What a node counts on the path of its requests. Cloning shares the counts.
#[derive(Clone, Debug)]
pub(crate) struct Telemetry {
    counted: Arc<Counted>,
}

#[derive(Debug)]
struct Counted {
    tally: Tally<NUMBERS>,
    /// What of it the facade has been told.
    told: Mutex<[u64; NUMBERS]>,
}

/// When something began, where it is measured.
#[derive(Debug)]
pub(crate) struct Watch(Option<Instant>);

impl Default for Telemetry {
    fn default() -> Self {
        Self {
            counted: Arc::new(Counted {
                tally: Tally::new(),
                told: Mutex::new([0; NUMBERS]),
            }),
        }
    }
}

impl Telemetry {
    /// Begins a check. One in so many that this node answers is measured: reading a clock costs more than all of the
    /// check.
    #[inline]
    pub(crate) fn begin(&self) -> Watch {
        let admitted = self.mine().read(Outcome::Admitted as usize);
        if admitted.is_multiple_of(SAMPLED) {
            Watch::started()
        } else {
            Watch(None)
        }
    }

    /// Counts a check that this node answered.
    #[inline]
    pub(crate) fn answered(&self, outcome: Outcome, watch: Watch) {
        self.mine().add(outcome as usize);
        if watch.0.is_some() && outcome == Outcome::Admitted {
            measured("node", &watch);
        }
    }

    /// Counts a check that waited for the store.
    pub(crate) fn confirmed(&self, outcome: Outcome, watch: Watch) {
        self.mine().add(outcome as usize);
        measured("store", &watch);
    }

    /// Counts whether a token was known.
    #[inline]
    pub(crate) fn looked_up(&self, lookup: Lookup) {
        self.mine().add(OUTCOMES.len() + lookup as usize);
    }

    /// Tells the facade what was counted since the last time, and how the node stands.
    pub(crate) fn publish(&self, view: &ViewStatus, store: StoreStatus) {
        METRICS.iter().for_each(|metric| metric.announce());
        self.publish_counts();
        publish_view(view);
        let classes = [
            ("confirm", store.confirm),
            ("follow", store.follow),
            ("list", store.list),
            ("write", store.write),
        ];
        for (class, state) in classes {
            names::BREAKER_STATE.gauge(&[class]).set(match state {
                BreakerState::Closed => 0.0,
                BreakerState::HalfOpen => 1.0,
                BreakerState::Open => 2.0,
            });
        }
    }

    fn publish_counts(&self) {
        let mut told = self
            .counted
            .told
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let counted = self.counted.tally.totals();
        let outcomes = OUTCOMES
            .iter()
            .map(|outcome| (&names::AUTHENTICATIONS, outcome));
        let lookups = LOOKUPS.iter().map(|lookup| (&names::TOKEN_CACHE, lookup));
        for (which, (metric, label)) in outcomes.chain(lookups).enumerate() {
            let more = counted[which].wrapping_sub(told[which]);
            if more > 0 {
                metric.counter(&[label]).increment(more);
            }
        }
        *told = counted;
    }

    #[inline]
    fn mine(&self) -> Mine<'_, NUMBERS> {
        self.counted.tally.mine()
    }
}

impl Watch {
    /// Measures from now on.
    pub(crate) fn started() -> Self {
        Self(Some(Instant::now()))
    }

    fn seconds(&self) -> Option<f64> {
        Some(self.0?.elapsed().as_secs_f64())
    }
}

#[cold]
fn measured(answered: &'static str, watch: &Watch) {
    if let Some(seconds) = watch.seconds() {
        let metric = &names::AUTHENTICATION_DURATION;
        metric.histogram(&[answered]).record(seconds);
    }
}

/// Counts a verb.
pub(super) fn ran(verb: Verb, outcome: &'static str, watch: &Watch) {
    match verb {
        Verb::Refresh => names::REFRESHES.counter(&[outcome]).increment(1),
        Verb::SignIn => names::SIGN_INS.counter(&[outcome]).increment(1),
        _ => {}
    }
    if let Some(seconds) = watch.seconds() {
        let metric = &names::OPERATION_DURATION;
        metric.histogram(&[verb.as_str()]).record(seconds);
    }
}

/// Counts a call to the store.
pub(super) fn called(operation: Operation, error: Option<&'static str>, watch: &Watch) {
    let operation = operation.as_str();
    if let Some(error) = error {
        let metric = &names::STORE_ERRORS;
        metric.counter(&[operation, error]).increment(1);
    }
    if let Some(seconds) = watch.seconds() {
        names::STORE_DURATION
            .histogram(&[operation])
            .record(seconds);
    }
}

/// Counts events that a subscriber misses.
pub(crate) fn missed(events: u64) {
    names::EVENTS_LOST
        .counter(&["subscriber"])
        .increment(events);
}

/// Counts a sign-in that came to nothing before it reached us.
pub(crate) fn credentials_refused() {
    names::SIGN_INS
        .counter(&["credentials_refused"])
        .increment(1);
}

/// Notes how long a revocation was on its way.
pub(crate) fn lagged(lag: Duration) {
    names::PROPAGATION_LAG
        .histogram(&[])
        .record(lag.as_secs_f64());
}

/// Counts an attempt that came too often.
pub(crate) fn throttled(attempt: Option<Attempt<'_>>) {
    let attempt = match attempt {
        Some(Attempt::Refresh) => "refresh",
        Some(Attempt::Register) => "register",
        Some(Attempt::SignIn { .. }) => "sign_in",
        None => "session",
    };
    names::THROTTLED.counter(&[attempt]).increment(1);
}

/// Counts what an observer hears.
pub(crate) fn counting(observer: Arc<dyn Observer>) -> Arc<dyn Observer> {
    Arc::new(Counting(observer))
}

struct Counting(Arc<dyn Observer>);

impl Observer for Counting {
    fn observe(&self, now: UnixTime, event: &Event) {
        // Refused requests are counted where they are answered.
        if !matches!(event, Event::Refused { .. }) {
            count(event);
        }
        self.0.observe(now, event);
    }
}

fn count(event: &Event) {
    let name = event.name();
    names::EVENTS.counter(&[name]).increment(1);
    match event {
        Event::AuditLost { entries } => {
            names::EVENTS_LOST.counter(&["audit"]).increment(*entries);
        }
        Event::Ended { reason, lasted, .. } => {
            let (reason, lasted) = (reason.as_str(), lasted.as_secs_f64());
            names::SESSIONS_ENDED.counter(&[reason]).increment(1);
            names::SESSION_LIFETIME.histogram(&[reason]).record(lasted);
        }
        _ => {}
    }
}

fn publish_view(view: &ViewStatus) {
    if let Some(age) = view.age {
        names::VIEW_AGE.gauge(&[]).set(age.as_secs_f64());
    }
    let yes = |yes: bool| if yes { 1.0 } else { 0.0 };
    names::VIEW_FRESH.gauge(&[]).set(yes(view.fresh));
    names::VIEW_COMPLETE.gauge(&[]).set(yes(view.complete));
    names::VIEW_ENTRIES.gauge(&[]).set(view.entries as f64);
    names::UNSETTLED_WRITES
        .gauge(&[])
        .set(view.unsettled as f64);
}

/// Publishes from time to time, until it is dropped.
pub(crate) struct Publishing {
    task: JoinHandle<()>,
    publish: Arc<dyn Fn() + Send + Sync>,
}

impl Publishing {
    pub(crate) fn start(
        telemetry: Telemetry,
        store: Arc<dyn SessionStore>,
        status: impl Fn() -> (ViewStatus, StoreStatus) + Send + Sync + 'static,
    ) -> Self {
        let publish = Arc::new(move || {
            let (view, store) = status();
            telemetry.publish(&view, store);
        });
        let often = publish.clone();
        let task = tokio::spawn(async move {
            tokio::join!(publishing(&*often), counting_sessions(&*store));
        });
        Self { task, publish }
    }

    /// Publishes once more: what pushes figures somewhere has the last of them.
    pub(crate) fn finish(&self) {
        (self.publish)();
    }
}

impl fmt::Debug for Publishing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Publishing").finish_non_exhaustive()
    }
}

impl Drop for Publishing {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn publishing(publish: &(dyn Fn() + Send + Sync)) {
    let mut ticks = interval(PUBLISHED);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        publish();
    }
}

/// Asks how many sessions live, where the store can say.
async fn counting_sessions(store: &dyn SessionStore) {
    let mut ticks = interval(COUNTED);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        match store.population().await {
            Ok(of) => names::ACTIVE_SESSIONS.gauge(&[]).set(of.sessions as f64),
            Err(error) => tracing::debug!(%error, "live sessions are not counted this time"),
        }
    }
}

impl fmt::Debug for Counting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Counting")
    }
}

/// How many numbers a thread has: the outcomes, and whether tokens were known.
const NUMBERS: usize = OUTCOMES.len() + LOOKUPS.len();

/// One in so many checks that this node answers is measured.
const SAMPLED: u64 = 1_024;

/// As often as Prometheus may look.
const PUBLISHED: Duration = Duration::from_secs(5);

/// A count of all sessions is work for a store of rows.
const COUNTED: Duration = Duration::from_secs(60);
