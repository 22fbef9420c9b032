//! A store that can be taken away.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tower_jwt_session::revocation::{
    Answer, Attached, Committed, EntryId, FleetLimits, Lease, Poll, PollRequest, Question,
    RevocationEntry, RevocationStore,
};
use tower_jwt_session::session::{
    AuditLog, Counters, EndAll, EndAllOutcome, EndOutcome, EndSession, Listing, NewSession, Page,
    PageRequest, RefreshAttempt, RefreshOutcome, SessionChange, SessionRecord, SignInOutcome,
    Swept, Use,
};
use tower_jwt_session::{
    BoxFuture, MemoryStore, SessionId, SessionStore, StoreError, StoreErrorKind, UserId,
};

/// The memory store, until it is [taken away](Self::take_away).
#[derive(Clone, Debug)]
pub struct Store {
    inner: MemoryStore,
    away: Arc<AtomicBool>,
}

type Answered<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

impl Store {
    pub fn new(inner: MemoryStore) -> Self {
        Self {
            inner,
            away: Arc::default(),
        }
    }

    pub fn take_away(&self) {
        self.away.store(true, Ordering::SeqCst);
    }

    fn unless_away<'a, T: Send + 'a>(&self, answer: Answered<'a, T>) -> Answered<'a, T> {
        if self.away.load(Ordering::SeqCst) {
            let error = StoreError::new(StoreErrorKind::Unavailable, "away");
            return Box::pin(async { Err(error) });
        }
        answer
    }
}

/// Each method, as the inner store has it.
macro_rules! forward {
    ($($name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*) => {
        $(
            fn $name<'a>(&'a self, $($arg: $type),*) -> Answered<'a, $answer> {
                self.unless_away(self.inner.$name($($arg),*))
            }
        )*
    };
}

/// The same for methods without a borrowed argument.
macro_rules! forward_owned {
    ($($name:ident($($arg:ident: $type:ty),*) -> $answer:ty;)*) => {
        $(
            fn $name(&self, $($arg: $type),*) -> Answered<'_, $answer> {
                self.unless_away(self.inner.$name($($arg),*))
            }
        )*
    };
}

impl RevocationStore for Store {
    fn backend(&self) -> &'static str {
        "away"
    }

    forward! {
        poll(request: PollRequest<'a>) -> Poll;
        ask(question: &'a Question) -> Answer;
    }

    forward_owned! {
        attach(limits: FleetLimits) -> Attached;
        append(entries: Vec<RevocationEntry>) -> Committed;
        leases() -> Vec<Lease>;
    }
}

impl SessionStore for Store {
    fn audit_log(&self) -> Option<&dyn AuditLog> {
        None
    }

    forward! {
        counters(user: &'a UserId) -> Counters;
        raise_roles(user: &'a UserId, entry: EntryId) -> Committed;
        list(user: &'a UserId, listing: Listing) -> Vec<SessionRecord>;
        count(user: &'a UserId) -> u64;
        change(id: SessionId, user: &'a UserId, change: SessionChange) -> Option<SessionRecord>;
        touch(uses: &'a [Use]) -> ();
        erase(user: &'a UserId, entry: EntryId) -> EndAllOutcome;
    }

    forward_owned! {
        sign_in(session: NewSession) -> SignInOutcome;
        refresh(attempt: RefreshAttempt) -> RefreshOutcome;
        end(request: EndSession) -> EndOutcome;
        end_all(request: EndAll) -> EndAllOutcome;
        find(id: SessionId) -> Option<SessionRecord>;
        sweep(retention: Duration, batch: usize) -> Swept;
        page(request: PageRequest) -> Page;
    }
}
