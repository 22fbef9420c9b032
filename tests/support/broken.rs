//! A store that does what the memory store does, where it is let.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::Notify;
use tower_jwt_session::revocation::{
    Answer, Attached, Committed, Confirm, EntryId, FleetLimits, Lease, Poll, PollRequest, Question,
    RevocationEntry, RevocationSettings, RevocationStore, Terms,
};
use tower_jwt_session::session::{
    AuditEntry, AuditLog, AuditPage, AuditRequest, Counters, EndAll, EndAllOutcome, EndOutcome,
    EndSession, Listing, NewSession, Page, PageRequest, RefreshAttempt, RefreshOutcome,
    SessionChange, SessionRecord, SignInOutcome, Swept, Use,
};
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::{
    BoxFuture, JwtSessionBuilder, MemoryStore, SessionId, SessionStore, StoreError, StoreErrorKind,
    UserId,
};

/// The methods that can be broken; the others always answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Method {
    Ask,
    Attach,
    Audit,
    Change,
    End,
    EndAll,
    Erase,
    List,
    Poll,
    Refresh,
    SignIn,
    Sweep,
    Touch,
}

/// What is wrong with a method.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Answers that it is not there, and does nothing.
    Fails,
    /// Answers that it will not, however often it is asked, and does nothing.
    Refuses,
    /// Begins only when it is mended.
    Held,
    /// Does what it should, and answers only when it is mended.
    Silent,
    /// Does what it should, and then the whole process stands still for so long.
    Stops(Duration),
    /// Panics.
    Panics,
}

/// The terms by which nothing but what this node knows decides.
pub const BY_THE_VIEW: Terms = Terms::new(Confirm::Never);

#[derive(Clone, Debug)]
pub struct Broken {
    inner: MemoryStore,
    clock: ManualClock,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    faults: Mutex<HashMap<Method, Fault>>,
    calls: Mutex<HashMap<Method, usize>>,
    mended: Notify,
}

/// A builder on a store that can be broken and is waited for no longer than usual, and on a clock
/// that stands still.
pub fn builder() -> (JwtSessionBuilder, Broken, ManualClock) {
    let (builder, clock) = super::builder();
    let store = Broken::new(clock.clone(), clock.clone());
    let builder = builder.revocation(RevocationSettings::default());
    (builder.store(store.clone()), store, clock)
}

impl Broken {
    /// A store whose own clock is `own`, in a process whose clock is `clock`.
    pub fn new(own: ManualClock, clock: ManualClock) -> Self {
        Self {
            inner: MemoryStore::with_clock(Arc::new(own)),
            clock,
            state: Arc::default(),
        }
    }

    pub fn set(&self, method: Method, fault: Fault) {
        self.faults().insert(method, fault);
    }

    pub fn mend(&self, method: Method) {
        self.faults().remove(&method);
        self.state.mended.notify_waiters();
    }

    /// Neither reads nor asks succeed from now on: only what this node did itself can tell it.
    pub fn cut_off(&self) {
        self.set(Method::Poll, Fault::Held);
        self.set(Method::Ask, Fault::Fails);
    }

    /// How often a method was called.
    pub fn calls(&self, method: Method) -> usize {
        let calls = self.state.calls.lock().expect("nobody panicked");
        calls.get(&method).copied().unwrap_or_default()
    }

    fn count(&self, method: Method) {
        let mut calls = self.state.calls.lock().expect("nobody panicked");
        *calls.entry(method).or_default() += 1;
    }

    fn faults(&self) -> MutexGuard<'_, HashMap<Method, Fault>> {
        self.state.faults.lock().expect("nobody panicked")
    }

    fn fault(&self, method: Method) -> Option<Fault> {
        self.faults().get(&method).copied()
    }

    async fn until_mended(&self, method: Method) {
        loop {
            let mended = self.state.mended.notified();
            if self.fault(method).is_none() {
                return;
            }
            mended.await;
        }
    }

    fn through<'a, T: Send + 'a>(
        &'a self,
        method: Method,
        call: BoxFuture<'a, Result<T, StoreError>>,
    ) -> BoxFuture<'a, Result<T, StoreError>> {
        Box::pin(async move {
            self.count(method);
            match self.fault(method) {
                Some(Fault::Fails) => {
                    return Err(StoreError::new(StoreErrorKind::Unavailable, "broken"));
                }
                Some(Fault::Refuses) => {
                    return Err(StoreError::new(StoreErrorKind::Configuration, "broken"));
                }
                Some(Fault::Panics) => panic!("a defect of the store"),
                Some(Fault::Held) => self.until_mended(method).await,
                Some(Fault::Silent | Fault::Stops(_)) | None => {}
            }
            let answer = call.await;
            match self.fault(method) {
                Some(Fault::Silent) => self.until_mended(method).await,
                Some(Fault::Stops(time)) => self.clock.advance(time),
                _ => {}
            }
            answer
        })
    }
}

type Answered<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

impl RevocationStore for Broken {
    fn backend(&self) -> &'static str {
        "broken"
    }

    fn attach(&self, limits: FleetLimits) -> Answered<'_, Attached> {
        self.through(Method::Attach, self.inner.attach(limits))
    }

    fn poll<'a>(&'a self, request: PollRequest<'a>) -> Answered<'a, Poll> {
        self.through(Method::Poll, self.inner.poll(request))
    }

    fn hint(&self) -> BoxFuture<'_, ()> {
        self.inner.hint()
    }

    fn ask<'a>(&'a self, question: &'a Question) -> Answered<'a, Answer> {
        self.through(Method::Ask, self.inner.ask(question))
    }

    fn append(&self, entries: Vec<RevocationEntry>) -> Answered<'_, Committed> {
        self.inner.append(entries)
    }

    fn leases(&self) -> Answered<'_, Vec<Lease>> {
        self.inner.leases()
    }
}

impl AuditLog for Broken {
    fn record<'a>(&'a self, entries: &'a [AuditEntry]) -> Answered<'a, ()> {
        self.through(Method::Audit, self.inner.record(entries))
    }

    fn read(&self, request: AuditRequest) -> Answered<'_, AuditPage> {
        self.inner.read(request)
    }

    fn tidy(&self, keep: Duration, most: u64, batch: usize) -> Answered<'_, bool> {
        self.inner.tidy(keep, most, batch)
    }

    fn forget<'a>(&'a self, user: &'a UserId) -> Answered<'a, ()> {
        self.inner.forget(user)
    }
}

impl SessionStore for Broken {
    fn audit_log(&self) -> Option<&dyn AuditLog> {
        Some(self)
    }

    fn counters<'a>(&'a self, user: &'a UserId) -> Answered<'a, Counters> {
        self.inner.counters(user)
    }

    fn sign_in(&self, session: NewSession) -> Answered<'_, SignInOutcome> {
        self.through(Method::SignIn, self.inner.sign_in(session))
    }

    fn refresh(&self, attempt: RefreshAttempt) -> Answered<'_, RefreshOutcome> {
        self.through(Method::Refresh, self.inner.refresh(attempt))
    }

    fn end(&self, request: EndSession) -> Answered<'_, EndOutcome> {
        self.through(Method::End, self.inner.end(request))
    }

    fn end_all(&self, request: EndAll) -> Answered<'_, EndAllOutcome> {
        self.through(Method::EndAll, self.inner.end_all(request))
    }

    fn raise_roles<'a>(&'a self, user: &'a UserId, entry: EntryId) -> Answered<'a, Committed> {
        self.inner.raise_roles(user, entry)
    }

    fn find(&self, id: SessionId) -> Answered<'_, Option<SessionRecord>> {
        self.inner.find(id)
    }

    fn list<'a>(&'a self, user: &'a UserId, listing: Listing) -> Answered<'a, Vec<SessionRecord>> {
        self.through(Method::List, self.inner.list(user, listing))
    }

    fn count<'a>(&'a self, user: &'a UserId) -> Answered<'a, u64> {
        self.inner.count(user)
    }

    fn change<'a>(
        &'a self,
        id: SessionId,
        user: &'a UserId,
        change: SessionChange,
    ) -> Answered<'a, Option<SessionRecord>> {
        self.through(Method::Change, self.inner.change(id, user, change))
    }

    fn touch<'a>(&'a self, uses: &'a [Use]) -> Answered<'a, ()> {
        self.through(Method::Touch, self.inner.touch(uses))
    }

    fn sweep(&self, retention: Duration, batch: usize) -> Answered<'_, Swept> {
        self.through(Method::Sweep, self.inner.sweep(retention, batch))
    }

    fn page(&self, request: PageRequest) -> Answered<'_, Page> {
        self.inner.page(request)
    }

    fn erase<'a>(&'a self, user: &'a UserId, entry: EntryId) -> Answered<'a, EndAllOutcome> {
        self.through(Method::Erase, self.inner.erase(user, entry))
    }
}
