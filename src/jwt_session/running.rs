//! The work in the background.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{MissedTickBehavior, interval};

use super::status::NodeStatus;
use crate::BoxFuture;
use crate::audit::{Backlog, Writing};
use crate::error::{StoreError, StoreErrorKind};
use crate::revocation::{Breakers, Revocations};
use crate::session::Placing;
use crate::session::core::Core;
use crate::tasks;
use crate::telemetry::Publishing;
use crate::verify::CustomClaims;

/// The work in the background: following the log, flushing uses, sweeping up, writing the audit log.
///
/// Keep it while requests are served, and call [`shutdown`](Self::shutdown) after the last: it
/// flushes. Dropping it stops the work without flushing.
#[must_use = "dropping it stops the work in the background"]
#[derive(Debug)]
pub struct Running {
    follow: JoinHandle<()>,
    keep: JoinHandle<()>,
    audit: JoinHandle<()>,
    stop: watch::Sender<bool>,
    stop_audit: watch::Sender<bool>,
    revocations: Arc<Revocations>,
    breakers: Arc<Breakers>,
    backlog: Arc<Backlog>,
    publishing: Publishing,
    _started: Started,
}

impl Running {
    pub(super) async fn start<C: CustomClaims>(core: Arc<Core<C>>) -> Result<Self, StoreError> {
        let Some(started) = Started::begin(&core.started) else {
            return Err(
                StoreError::new(StoreErrorKind::Configuration, core.store.backend())
                    .with_source("this JwtSession runs already"),
            );
        };
        core.revocations.load().await?;
        let (stop, mut stopped) = watch::channel(false);
        let follow = tasks::spawn(Box::pin(following(core.revocations.clone())));
        let (revocations, breakers) = (core.revocations.clone(), core.breakers.clone());
        let (stop_audit, audit_stopped) = watch::channel(false);
        let backlog = core.audit.clone();
        let audit = tasks::spawn(Box::pin(auditing(writing(&core), audit_stopped)));
        let publishing = Publishing::start(core.telemetry.clone(), core.store.clone(), {
            let (revocations, breakers) = (revocations.clone(), breakers.clone());
            move || (revocations.status(), breakers.status())
        });
        let keep = tasks::spawn(Box::pin(async move {
            let mut flush = interval(FLUSH_INTERVAL);
            let mut sweep = interval(SWEEP_INTERVAL);
            flush.set_missed_tick_behavior(MissedTickBehavior::Delay);
            sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut places = interval(PLACES_INTERVAL);
            places.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                tokio::select! {
                    biased;
                    _ = flush.tick() => guarded(Box::pin(flushing(core.clone()))).await,
                    _ = places.tick() => renew_places(&core.placing),
                    _ = sweep.tick(), if core.sweeps => guarded(Box::pin(sweeping(core.clone(), stopped.clone()))).await,
                    _ = stopped.changed() => break guarded(Box::pin(flushing(core.clone()))).await,
                }
            }
        }));
        Ok(Self {
            follow,
            keep,
            audit,
            stop,
            stop_audit,
            revocations,
            breakers,
            backlog,
            publishing,
            _started: started,
        })
    }

    /// How this node stands with the log and with the store.
    #[must_use]
    pub fn status(&self) -> NodeStatus {
        NodeStatus::of(&self.revocations, &self.breakers, &self.backlog)
    }

    /// Flushes what is in memory and stops the work in the background.
    pub async fn shutdown(mut self) {
        // Fails only when the task has ended already.
        let _ = self.stop.send(true);
        let _ = (&mut self.keep).await;
        // Last: the others have told what they did.
        let _ = self.stop_audit.send(true);
        let _ = (&mut self.audit).await;
        self.publishing.finish();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.follow.abort();
        self.keep.abort();
        self.audit.abort();
    }
}

/// That it runs; taken back when a start fails or is dropped midway, and when the work stops.
#[derive(Debug)]
struct Started(Arc<AtomicBool>);

impl Started {
    fn begin(flag: &Arc<AtomicBool>) -> Option<Self> {
        let before = flag.swap(true, Ordering::AcqRel);
        (!before).then(|| Self(flag.clone()))
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Runs work in a task of its own: a panic in a store or an observer stops this piece of it, and
/// not all that is to come.
async fn guarded(work: BoxFuture<'static, ()>) {
    // A set ends its tasks with itself: who stops waiting stops the work.
    let mut task = JoinSet::new();
    task.spawn(work);
    if let Some(Err(error)) = task.join_next().await {
        tracing::error!(%error, "work in the background failed; it goes on with the next");
    }
}

async fn following(revocations: Arc<Revocations>) {
    loop {
        guarded(Box::pin(revocations.clone().follow())).await;
        tokio::time::sleep(AFTER_A_PANIC).await;
    }
}

/// What writes the audit log.
pub(super) fn writing<C>(core: &Core<C>) -> Writing {
    Writing {
        backlog: core.audit.clone(),
        store: core.store.clone(),
        observer: core.observer.clone(),
        clock: core.clock.clone(),
    }
}

async fn auditing(writing: Writing, stopped: watch::Receiver<bool>) {
    loop {
        guarded(Box::pin(writing.clone().run(stopped.clone()))).await;
        if *stopped.borrow() {
            return;
        }
        tokio::time::sleep(AFTER_A_PANIC).await;
    }
}

async fn flushing<C: CustomClaims>(core: Arc<Core<C>>) {
    core.verifier.keys().retire_due(core.clock.now());
    core.flush().await;
}

/// Beside everything else: a database of places is large, and read for seconds.
fn renew_places(placing: &Placing) {
    if let Some(locator) = placing.locator.clone() {
        tokio::task::spawn_blocking(move || locator.renew());
    }
}

async fn sweeping<C: CustomClaims>(core: Arc<Core<C>>, stopped: watch::Receiver<bool>) {
    while core.sweep().await && !*stopped.borrow() {
        // A store in memory never waits by itself.
        tokio::task::yield_now().await;
    }
    while core.tidy_audit().await && !*stopped.borrow() {}
}

impl<C: CustomClaims> Core<C> {
    /// Writes the uses down that were noted since the last time.
    pub(crate) async fn flush(&self) {
        let uses = self.activity.take();
        for batch in uses.chunks(FLUSH_BATCH) {
            if let Err(error) = self.within(self.store.touch(batch)).await {
                tracing::warn!(%error, uses = batch.len(), "uses of sessions not written down yet");
                self.activity.put_back(batch.to_vec());
            }
        }
    }

    /// Removes a batch of what is too old or too much in the audit log; says whether there is more.
    pub(crate) async fn tidy_audit(&self) -> bool {
        let Some(log) = self.audited() else {
            return false;
        };
        let settings = &self.audit.settings;
        let most = settings.most.unwrap_or_else(|| log.usual_bound());
        let tidied = log.tidy(settings.keep, most, TIDY_BATCH);
        match self.at_last(tidied).await {
            Ok(more) => more,
            Err(error) => {
                tracing::warn!(%error, "the audit log is not tidied");
                false
            }
        }
    }

    /// Ends a batch of what is over and forgets a batch of what is old; says whether there is more.
    pub(crate) async fn sweep(&self) -> bool {
        match self.swept().await {
            Ok(swept) => swept.more,
            Err(error) => {
                tracing::warn!(%error, "sessions not swept");
                false
            }
        }
    }
}

/// A quarter of the interval at which uses are noted, so that what people see is at most a minute
/// and a quarter old.
const FLUSH_INTERVAL: Duration = Duration::from_secs(15);
const FLUSH_BATCH: usize = 1_000;
const SWEEP_INTERVAL: Duration = Duration::from_secs(60);
const TIDY_BATCH: usize = 500;
const PLACES_INTERVAL: Duration = Duration::from_secs(60);
const AFTER_A_PANIC: Duration = Duration::from_secs(1);
