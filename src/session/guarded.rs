//! The store behind its breakers: every call of this crate passes here.

use std::sync::Arc;
use std::time::Duration;

use super::record::SessionRecord;
use super::store::{
    Counters, EndAll, EndAllOutcome, EndOutcome, EndSession, Listing, NewSession, Page,
    PageRequest, RefreshAttempt, RefreshOutcome, SessionChange, SessionStore, SignInOutcome, Swept,
    Use,
};
use crate::BoxFuture;
use crate::error::StoreError;
use crate::revocation::{
    Answer, Attached, Breakers, Class, Committed, EntryId, FleetLimits, Lease, Poll, PollRequest,
    Question, RevocationEntry, RevocationStore,
};
use crate::token::{SessionId, UserId};

/// A store behind its breakers.
#[derive(Debug)]
pub(crate) struct Guarded {
    inner: Arc<dyn SessionStore>,
    breakers: Arc<Breakers>,
    /// After how long a call counts as failed.
    deadline: Duration,
}

impl Guarded {
    pub(crate) fn new(
        inner: Arc<dyn SessionStore>,
        breakers: Arc<Breakers>,
        deadline: Duration,
    ) -> Self {
        Self {
            inner,
            breakers,
            deadline,
        }
    }

    fn call<'a, T: Send + 'a>(
        &'a self,
        class: Class,
        deadline: Duration,
        call: Answered<'a, T>,
    ) -> Answered<'a, T> {
        Box::pin(self.breakers.call(class, deadline, call))
    }

    fn confirm<'a, T: Send + 'a>(&'a self, call: Answered<'a, T>) -> Answered<'a, T> {
        self.call(Class::Confirm, self.deadline, call)
    }

    fn follow<'a, T: Send + 'a>(&'a self, call: Answered<'a, T>) -> Answered<'a, T> {
        self.call(Class::Follow, self.deadline.max(SLOW), call)
    }

    fn list_of<'a, T: Send + 'a>(&'a self, call: Answered<'a, T>) -> Answered<'a, T> {
        self.call(Class::List, self.deadline, call)
    }

    fn write<'a, T: Send + 'a>(&'a self, call: Answered<'a, T>) -> Answered<'a, T> {
        self.call(Class::Write, self.deadline, call)
    }

    /// A write of many rows, which nobody waits for.
    fn long_write<'a, T: Send + 'a>(&'a self, call: Answered<'a, T>) -> Answered<'a, T> {
        self.call(Class::Write, self.deadline.max(LONG), call)
    }
}

type Answered<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

impl RevocationStore for Guarded {
    fn backend(&self) -> &'static str {
        self.inner.backend()
    }

    fn attach(&self, limits: FleetLimits) -> Answered<'_, Attached> {
        self.follow(self.inner.attach(limits))
    }

    fn poll<'a>(&'a self, request: PollRequest<'a>) -> Answered<'a, Poll> {
        self.follow(self.inner.poll(request))
    }

    fn hint(&self) -> BoxFuture<'_, ()> {
        self.inner.hint()
    }

    fn ask<'a>(&'a self, question: &'a Question) -> Answered<'a, Answer> {
        self.confirm(self.inner.ask(question))
    }

    fn append(&self, entries: Vec<RevocationEntry>) -> Answered<'_, Committed> {
        let one = entries.len() <= 1;
        let call = self.inner.append(entries);
        if one {
            self.write(call)
        } else {
            self.long_write(call)
        }
    }

    fn leases(&self) -> Answered<'_, Vec<Lease>> {
        self.follow(self.inner.leases())
    }
}

impl SessionStore for Guarded {
    fn counters<'a>(&'a self, user: &'a UserId) -> Answered<'a, Counters> {
        self.confirm(self.inner.counters(user))
    }

    fn sign_in(&self, session: NewSession) -> Answered<'_, SignInOutcome> {
        self.write(self.inner.sign_in(session))
    }

    fn refresh(&self, attempt: RefreshAttempt) -> Answered<'_, RefreshOutcome> {
        self.write(self.inner.refresh(attempt))
    }

    fn end(&self, request: EndSession) -> Answered<'_, EndOutcome> {
        self.write(self.inner.end(request))
    }

    fn end_all(&self, request: EndAll) -> Answered<'_, EndAllOutcome> {
        self.write(self.inner.end_all(request))
    }

    fn raise_roles<'a>(&'a self, user: &'a UserId, entry: EntryId) -> Answered<'a, Committed> {
        self.write(self.inner.raise_roles(user, entry))
    }

    fn find(&self, id: SessionId) -> Answered<'_, Option<SessionRecord>> {
        self.confirm(self.inner.find(id))
    }

    fn list<'a>(&'a self, user: &'a UserId, listing: Listing) -> Answered<'a, Vec<SessionRecord>> {
        self.list_of(self.inner.list(user, listing))
    }

    fn count<'a>(&'a self, user: &'a UserId) -> Answered<'a, u64> {
        self.list_of(self.inner.count(user))
    }

    fn change<'a>(
        &'a self,
        id: SessionId,
        user: &'a UserId,
        change: SessionChange,
    ) -> Answered<'a, Option<SessionRecord>> {
        self.write(self.inner.change(id, user, change))
    }

    fn touch<'a>(&'a self, uses: &'a [Use]) -> Answered<'a, ()> {
        self.write(self.inner.touch(uses))
    }

    fn sweep(&self, retention: Duration, batch: usize) -> Answered<'_, Swept> {
        self.long_write(self.inner.sweep(retention, batch))
    }

    fn page(&self, request: PageRequest) -> Answered<'_, Page> {
        self.list_of(self.inner.page(request))
    }

    fn erase<'a>(&'a self, user: &'a UserId, entry: EntryId) -> Answered<'a, EndAllOutcome> {
        self.write(self.inner.erase(user, entry))
    }
}

/// A poll may bring much.
const SLOW: Duration = Duration::from_secs(1);

/// A sweep or a write-back touches up to a thousand rows.
const LONG: Duration = Duration::from_secs(10);
