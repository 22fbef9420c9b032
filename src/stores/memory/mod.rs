//! The memory store: everything in the memory of this process, and gone with it.
//!
//! One lock around a [`State`] whose methods are plain functions of what they are asked and of
//! `now`. What a refresh, a limit or an expiry means is decided where every other store asks too.

mod ask;
mod audit;
mod end;
mod follow;
mod log;
mod manage;
mod moving;
mod records;
mod refresh;
mod sign_in;
mod state;
mod sweep;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use self::audit::Ring;
use self::state::State;
use crate::BoxFuture;
use crate::clock::{Clock, SystemClock, UnixTime};
use crate::error::StoreError;
use crate::revocation::{
    Answer, Attached, Committed, EntryId, FleetLimits, Lease, Poll, PollRequest, Question,
    RevocationEntry, RevocationStore,
};
use crate::session::{
    AuditLog, Counters, EndAll, EndAllOutcome, EndOutcome, EndSession, Listing, NewSession, Page,
    PageRequest, Population, RefreshAttempt, RefreshOutcome, SessionChange, SessionRecord,
    SessionStore, SignInOutcome, Swept, Upkeep, Use,
};
use crate::token::{SessionId, UserId};

/// Keeps everything in the memory of this process.
///
/// For one process, for tests and for a first try: what it holds ends with the process, so every
/// session ends with a restart, and two processes know nothing of each other. Cloning shares the
/// contents, so that several nodes of a test can stand on one store.
///
/// # Examples
///
/// ```
/// use tower_jwt_session::MemoryStore;
///
/// let store = MemoryStore::new();
/// let same = store.clone();
/// # let _ = same;
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    audit: Mutex<Ring>,
    news: Notify,
}

impl MemoryStore {
    /// An empty store that goes by the clock of the machine.
    #[must_use]
    pub fn new() -> Self {
        Self::with_clock(Arc::new(SystemClock))
    }

    /// An empty store that goes by another clock.
    #[must_use]
    pub fn with_clock(clock: Arc<dyn Clock>) -> Self {
        Self {
            shared: Arc::new(Shared {
                clock,
                state: Mutex::new(State::new()),
                audit: Mutex::default(),
                news: Notify::new(),
            }),
        }
    }

    /// Runs one atomic step. The clock is read under the lock, so that steps and instants have
    /// the same order.
    fn step<T>(&self, step: impl FnOnce(&mut State, UnixTime) -> T) -> T {
        let mut state = self.lock();
        let end = state.log.end();
        let now = self.shared.clock.now();
        let result = step(&mut state, now);
        let grown = state.log.end() != end;
        drop(state);
        if grown {
            self.shared.news.notify_waiters();
        }
        result
    }

    /// The guard of a poisoned lock is taken all the same: a panic in here would be a defect, and
    /// refusing everybody from then on would not make it a smaller one.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.shared
            .state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn run<'a, T: Send + 'a>(
        &'a self,
        step: impl FnOnce(&mut State, UnixTime) -> T + Send + 'a,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        Box::pin(async move { Ok(self.step(step)) })
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

impl RevocationStore for MemoryStore {
    fn backend(&self) -> &'static str {
        BACKEND
    }

    fn attach(&self, limits: FleetLimits) -> BoxFuture<'_, Result<Attached, StoreError>> {
        Box::pin(async move { self.step(|state, _| state.attach(limits)) })
    }

    fn poll<'a>(&'a self, request: PollRequest<'a>) -> BoxFuture<'a, Result<Poll, StoreError>> {
        self.run(move |state, now| state.poll(&request, now))
    }

    fn hint(&self) -> BoxFuture<'_, ()> {
        // Made now, not at the first poll of the future: what happens in between counts too.
        Box::pin(self.shared.news.notified())
    }

    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Result<Answer, StoreError>> {
        self.run(move |state, now| state.ask(question, now))
    }

    fn append(
        &self,
        entries: Vec<RevocationEntry>,
    ) -> BoxFuture<'_, Result<Committed, StoreError>> {
        self.run(move |state, now| state.append(entries, now))
    }

    fn leases(&self) -> BoxFuture<'_, Result<Vec<Lease>, StoreError>> {
        self.run(|state, now| state.leases(now))
    }
}

impl SessionStore for MemoryStore {
    fn audit_log(&self) -> Option<&dyn AuditLog> {
        Some(self)
    }

    fn counters<'a>(&'a self, user: &'a UserId) -> BoxFuture<'a, Result<Counters, StoreError>> {
        self.run(move |state, _| state.counters(user))
    }

    fn sign_in(&self, session: NewSession) -> BoxFuture<'_, Result<SignInOutcome, StoreError>> {
        Box::pin(async move { self.step(|state, now| state.sign_in(session, now)) })
    }

    fn refresh(
        &self,
        attempt: RefreshAttempt,
    ) -> BoxFuture<'_, Result<RefreshOutcome, StoreError>> {
        self.run(move |state, now| state.refresh(&attempt, now))
    }

    fn end(&self, request: EndSession) -> BoxFuture<'_, Result<EndOutcome, StoreError>> {
        self.run(move |state, now| state.end_one(request, now))
    }

    fn end_all(&self, request: EndAll) -> BoxFuture<'_, Result<EndAllOutcome, StoreError>> {
        self.run(move |state, now| state.end_all(&request, now))
    }

    fn raise_roles<'a>(
        &'a self,
        user: &'a UserId,
        entry: EntryId,
    ) -> BoxFuture<'a, Result<Committed, StoreError>> {
        self.run(move |state, now| state.raise_roles(user, entry, now))
    }

    fn find(&self, id: SessionId) -> BoxFuture<'_, Result<Option<SessionRecord>, StoreError>> {
        self.run(move |state, _| state.find(id))
    }

    fn list<'a>(
        &'a self,
        user: &'a UserId,
        listing: Listing,
    ) -> BoxFuture<'a, Result<Vec<SessionRecord>, StoreError>> {
        self.run(move |state, now| state.list(user, listing, now))
    }

    fn count<'a>(&'a self, user: &'a UserId) -> BoxFuture<'a, Result<u64, StoreError>> {
        self.run(move |state, now| state.count(user, now))
    }

    fn change<'a>(
        &'a self,
        id: SessionId,
        user: &'a UserId,
        change: SessionChange,
    ) -> BoxFuture<'a, Result<Option<SessionRecord>, StoreError>> {
        self.run(move |state, now| state.change(id, user, change, now))
    }

    fn touch<'a>(&'a self, uses: &'a [Use]) -> BoxFuture<'a, Result<(), StoreError>> {
        self.run(move |state, now| state.touch(uses, now))
    }

    fn sweep(&self, retention: Duration, batch: usize) -> BoxFuture<'_, Result<Swept, StoreError>> {
        self.run(move |state, now| state.sweep(retention, batch, now))
    }

    fn page(&self, request: PageRequest) -> BoxFuture<'_, Result<Page, StoreError>> {
        self.run(move |state, now| state.page(&request, now))
    }

    fn population(&self) -> BoxFuture<'_, Result<Population, StoreError>> {
        self.run(|state, now| state.population(now))
    }

    fn erase<'a>(
        &'a self,
        user: &'a UserId,
        entry: EntryId,
    ) -> BoxFuture<'a, Result<EndAllOutcome, StoreError>> {
        self.run(move |state, now| state.erase(user, entry, now))
    }

    fn upkeep(&self) -> Option<&dyn Upkeep> {
        Some(self)
    }
}

const BACKEND: &str = "memory";
