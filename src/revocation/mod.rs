//! Step 3: from a [`VerifiedToken`] to an [`ActiveToken`]: not revoked, by a view that is fresh enough.

mod answers;
mod backoff;
mod breaker;
mod check;
mod commit;
mod ended;
mod entry;
mod epochs;
mod everywhere;
mod flights;
mod follower;
mod fresh;
mod glance;
mod hashes;
#[cfg_attr(
    not(any(feature = "postgres", feature = "sqlite")),
    allow(dead_code, reason = "others keep it as it is")
)]
mod highest;
mod inspect;
mod local;
mod packed;
mod policy;
mod progress;
mod shelf;
mod signal;
mod store;
#[cfg(test)]
mod tests;
mod unsettled;
mod view;

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

pub use breaker::{BreakerState, Class as CallClass, StoreStatus};
pub use entry::{Effect, EndReason, EntryId, RevocationEntry, Revoked};
pub use policy::{Confirm, OnStoreFailure, RevocationSettings, Terms};
pub use store::{
    About, Answer, Attached, Committed, Cursor, FleetLimits, Glance, Lease, LogPosition, NodeId,
    Pieces, Poll, PollRequest, Question, RevocationStore,
};

pub(crate) use backoff::Backoff;
pub(crate) use breaker::{Breakers, Class};
pub(crate) use check::{Pending, RETRY_AFTER, Verdict};
pub(crate) use ended::{Renewal, Renewals};
pub(crate) use highest::Highest;
pub(crate) use signal::{Signal, Signals};
pub(crate) use unsettled::WriteKey;

use crate::clock::{Clock, UnixTime};
use crate::error::StoreError;
use crate::verify::{Standing, TokenClaims, VerifiedToken};
use answers::Answers;
use ended::{Wakers, Watching};
use flights::Flights;
use local::Local;
use progress::Progress;
use shelf::Put;
use unsettled::Unsettled;

/// One node's knowledge of who is out.
pub struct Revocations {
    /// Itself, for the tokens that it admits.
    me: Weak<Self>,
    node: NodeId,
    store: Arc<dyn RevocationStore>,
    settings: RevocationSettings,
    clock: Arc<dyn Clock>,
    local: Local,
    answers: Answers,
    flights: Flights,
    wakers: Wakers,
    unsettled: Unsettled,
    /// Whether the store was found to hold another deployment's data: then its answers are nobody's.
    stranger: AtomicBool,
    /// Whether any route goes on without the store.
    lenient: AtomicBool,
    watching: OnceLock<Watching>,
    signals: OnceLock<Signals>,
    progress: Mutex<Progress>,
}

/// A token that was verified and is not revoked.
#[derive(Clone)]
pub struct ActiveToken {
    token: VerifiedToken,
}

/// Why a verified token was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// It, its session, or everything of its user was ended.
    Revoked(EndReason),
    /// Its roles are out of date; refresh and come back.
    Stale,
    /// The store could not be asked, and the route does not go on without it.
    StoreUnavailable {
        /// When trying again makes sense.
        retry_after: Duration,
    },
    /// There is no such session of that user.
    UnknownSession,
}

/// How a node stands with the log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ViewStatus {
    /// Whether the log was loaded and followed since.
    pub following: bool,
    /// Whether the view may answer now.
    pub fresh: bool,
    /// How long ago the last complete poll began.
    pub age: Option<Duration>,
    /// How many entries it holds.
    pub entries: usize,
    /// Whether it holds all of them.
    pub complete: bool,
    /// Up to where it has read.
    pub cursor: Option<Cursor>,
    /// How many things this node is ending of which the store has not said that they are. They
    /// are refused here; other nodes may not know yet.
    pub unsettled: usize,
}

impl Revocations {
    /// The view of a node over a store. It asks the store about everything until the log was
    /// [loaded](Self::load) and is [followed](Self::follow).
    pub(crate) fn new(
        node: NodeId,
        store: Arc<dyn RevocationStore>,
        settings: RevocationSettings,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        let limits = settings.limits;
        let lifetime = limits.access_lifetime.saturating_add(limits.leeway);
        Arc::new_cyclic(|me| Self {
            me: me.clone(),
            node,
            store,
            local: Local::new(SHARDS, settings.max_entries, limits.skew),
            answers: Answers::new(settings.max_answers, lifetime),
            flights: Flights::default(),
            wakers: Wakers::new(SHARDS),
            unsettled: Unsettled::default(),
            stranger: AtomicBool::new(false),
            lenient: AtomicBool::new(false),
            watching: OnceLock::new(),
            signals: OnceLock::new(),
            progress: Mutex::new(Progress::new(limits.skew)),
            settings,
            clock,
        })
    }

    /// How this node stands with the log.
    #[must_use]
    pub fn status(&self) -> ViewStatus {
        let now = self.clock.instants();
        let view = self.local.view();
        let progress = self.progress();
        ViewStatus {
            following: progress.history().is_some(),
            fresh: self.local.fresh().holds(now),
            age: progress
                .began()
                .map(|began| now.monotonic.saturating_sub(began.monotonic)),
            entries: view.len(),
            complete: view.is_complete(),
            cursor: progress.cursor().cloned(),
            unsettled: self.unsettled.len(),
        }
    }

    /// The clock that it judges by.
    pub(crate) fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }

    /// What the store's clock shows now, as counters are raised by it; ours, before it was heard of.
    pub(crate) fn store_now(&self) -> UnixTime {
        let now = self.clock.instants();
        self.progress().store_at(now).unwrap_or(now.wall)
    }

    /// Says where signals go. Heard once.
    pub(crate) fn signal_to(&self, signals: Signals) {
        // There is one builder to say so, and one word of it.
        let _ = self.signals.set(signals);
    }

    fn signal(&self, signal: Signal) {
        if let Some(signals) = self.signals.get() {
            signals.tell(signal);
        }
    }

    /// Takes in an entry of the log, and wakes who waits for it.
    fn apply(&self, entry: RevocationEntry) -> Put {
        let user = self.local.subject(&entry);
        let put = self.local.apply(entry);
        self.wakers.wake(user);
        put
    }

    /// Takes in an entry whose write is under way.
    fn hold(&self, entry: RevocationEntry) {
        let user = self.local.subject(&entry);
        self.local.hold(entry);
        self.wakers.wake(user);
    }

    /// What the store answers within `limit`.
    async fn within<T>(
        &self,
        limit: Duration,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        tokio::time::timeout(limit, call)
            .await
            .unwrap_or_else(|_| Err(self.timed_out()))
    }

    /// The same of an answer that comes in pieces, each of them within `limit`.
    async fn each_within<T>(
        &self,
        limit: Duration,
        pieces: &Pieces,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let mut call = pin!(call);
        loop {
            let before = pieces.so_far();
            match tokio::time::timeout(limit, &mut call).await {
                Ok(answer) => return answer,
                Err(_) if pieces.so_far() > before => {}
                Err(_) => return Err(self.timed_out()),
            }
        }
    }

    /// Notes the terms of a route, for the status.
    pub(crate) fn note_terms(&self, on_store_failure: OnStoreFailure) {
        if on_store_failure == OnStoreFailure::AcceptVerifiedUntilExpiry {
            self.lenient.store(true, Ordering::Relaxed);
        }
    }

    /// Whether any route goes on with tokens that were admitted before while the store is away.
    pub(crate) fn is_lenient(&self) -> bool {
        self.lenient.load(Ordering::Relaxed)
    }

    /// Whether the store is another deployment's: what it says is not about our tokens.
    fn is_stranger(&self) -> bool {
        self.stranger.load(Ordering::Acquire)
    }

    /// Never held across an await.
    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ActiveToken {
    #[cfg(test)]
    pub(crate) fn unchecked(token: VerifiedToken) -> Self {
        Self { token }
    }

    /// What the token says.
    #[must_use]
    pub fn claims(&self) -> &TokenClaims {
        self.token.claims()
    }

    /// The view that admitted it, to be asked again.
    pub(crate) fn revocations(&self) -> Option<Arc<Revocations>> {
        let home = self.standing().home.get()?;
        Arc::clone(home).downcast().ok()
    }

    pub(crate) fn standing(&self) -> &Standing {
        self.token.standing()
    }
}

impl fmt::Debug for ActiveToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ActiveToken").field(self.claims()).finish()
    }
}

impl fmt::Debug for Revocations {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revocations")
            .field("store", &self.store)
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

/// Into how many parts epochs and view are divided: a raise makes one user in so many look again.
const SHARDS: usize = 256;
