//! The store behind its breakers: every call of this crate passes here, and what nobody else tells
//! of is told.

use std::sync::Arc;
use std::time::Duration;

use super::audit::AuditLog;
use super::population::Population;
use super::record::SessionRecord;
use super::store::{
    Counters, EndAll, EndAllOutcome, EndOutcome, EndSession, Listing, NewSession, Page,
    PageRequest, RefreshAttempt, RefreshOutcome, SessionChange, SessionStore, SignInOutcome, Swept,
    Use,
};
use super::upkeep::Upkeep;
use crate::BoxFuture;
use crate::error::StoreError;
use crate::events::{Event, Observer};
use crate::revocation::{
    Answer, Attached, Breakers, Class, Committed, Cursor, EntryId, FleetLimits, Glance, Lease,
    LogPosition, Poll, PollRequest, Question, RevocationEntry, RevocationStore, Revoked,
};
use crate::tasks;
use crate::telemetry::{Operation, store_call};
use crate::token::{SessionId, UserId};

/// A store behind its breakers.
#[derive(Debug)]
pub(crate) struct Guarded {
    inner: Arc<dyn SessionStore>,
    breakers: Arc<Breakers>,
    observer: Arc<dyn Observer>,
    /// After how long a call counts as failed.
    deadline: Duration,
}

impl Guarded {
    pub(crate) fn new(
        inner: Arc<dyn SessionStore>,
        breakers: Arc<Breakers>,
        observer: Arc<dyn Observer>,
        deadline: Duration,
    ) -> Self {
        Self {
            inner,
            breakers,
            observer,
            deadline,
        }
    }

    /// Tells of the sessions that appended entries ended, which the answer does not name: those
    /// that ended in that very step, by the store's clock.
    ///
    /// Beside the caller, who has to know that the write is durable and not who hears of it.
    fn tell_ends(&self, committed: &Committed) {
        let (inner, observer) = (self.inner.clone(), self.observer.clone());
        let (entries, now) = (committed.entries.clone(), committed.now);
        tasks::spawn(Box::pin(async move {
            for entry in entries {
                let ended = match ended_by(&*inner, &entry.revoked).await {
                    Ok(ended) => ended,
                    Err(error) => {
                        tracing::warn!(%error, "the ends of sessions by an entry are not told");
                        continue;
                    }
                };
                let just_now = |record: &SessionRecord| {
                    let ended = record.ended.as_ref();
                    ended.is_some_and(|ended| ended.at == now)
                };
                for record in ended.iter().filter(|record| just_now(record)) {
                    if let Some(event) = Event::of_end(record) {
                        observer.observe(now, &event);
                    }
                }
            }
        }));
    }

    fn call<'a, T: Send + 'a>(
        &'a self,
        class: Class,
        deadline: Duration,
        operation: Operation,
        call: Answered<'a, T>,
    ) -> Answered<'a, T> {
        let call = store_call(operation, call);
        Box::pin(self.breakers.call(class, deadline, call))
    }

    fn confirm<'a, T: Send + 'a>(
        &'a self,
        operation: Operation,
        call: Answered<'a, T>,
    ) -> Answered<'a, T> {
        self.call(Class::Confirm, self.deadline, operation, call)
    }

    fn follow<'a, T: Send + 'a>(
        &'a self,
        operation: Operation,
        call: Answered<'a, T>,
    ) -> Answered<'a, T> {
        self.call(Class::Follow, self.deadline.max(SLOW), operation, call)
    }

    fn list_of<'a, T: Send + 'a>(
        &'a self,
        operation: Operation,
        call: Answered<'a, T>,
    ) -> Answered<'a, T> {
        self.call(Class::List, self.deadline, operation, call)
    }

    fn write<'a, T: Send + 'a>(
        &'a self,
        operation: Operation,
        call: Answered<'a, T>,
    ) -> Answered<'a, T> {
        self.call(Class::Write, self.deadline, operation, call)
    }

    /// A write of many rows, which nobody waits for.
    fn long_write<'a, T: Send + 'a>(
        &'a self,
        operation: Operation,
        call: Answered<'a, T>,
    ) -> Answered<'a, T> {
        self.call(Class::Write, self.deadline.max(LONG), operation, call)
    }
}

type Answered<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

impl RevocationStore for Guarded {
    fn backend(&self) -> &'static str {
        self.inner.backend()
    }

    fn attach(&self, limits: FleetLimits) -> Answered<'_, Attached> {
        self.follow(Operation::Attach, self.inner.attach(limits))
    }

    fn poll<'a>(&'a self, request: PollRequest<'a>) -> Answered<'a, Poll> {
        self.follow(Operation::Poll, self.inner.poll(request))
    }

    fn hint(&self) -> BoxFuture<'_, ()> {
        self.inner.hint()
    }

    fn glance<'a>(&'a self, since: &'a Cursor, history: u128) -> Answered<'a, Glance> {
        self.follow(Operation::Glance, self.inner.glance(since, history))
    }

    fn has_read(&self, cursor: &Cursor, position: LogPosition) -> bool {
        self.inner.has_read(cursor, position)
    }

    fn ask<'a>(&'a self, question: &'a Question) -> Answered<'a, Answer> {
        self.confirm(Operation::Ask, self.inner.ask(question))
    }

    fn append(&self, entries: Vec<RevocationEntry>) -> Answered<'_, Committed> {
        let one = entries.len() <= 1;
        let call = self.inner.append(entries);
        let call = if one {
            self.write(Operation::Append, call)
        } else {
            self.long_write(Operation::Append, call)
        };
        Box::pin(async move {
            let committed = call.await?;
            self.tell_ends(&committed);
            Ok(committed)
        })
    }

    fn leases(&self) -> Answered<'_, Vec<Lease>> {
        self.follow(Operation::Leases, self.inner.leases())
    }
}

impl SessionStore for Guarded {
    fn counters<'a>(&'a self, user: &'a UserId) -> Answered<'a, Counters> {
        self.confirm(Operation::Counters, self.inner.counters(user))
    }

    fn sign_in(&self, session: NewSession) -> Answered<'_, SignInOutcome> {
        self.write(Operation::SignIn, self.inner.sign_in(session))
    }

    fn refresh(&self, attempt: RefreshAttempt) -> Answered<'_, RefreshOutcome> {
        self.write(Operation::Refresh, self.inner.refresh(attempt))
    }

    fn end(&self, request: EndSession) -> Answered<'_, EndOutcome> {
        self.write(Operation::End, self.inner.end(request))
    }

    fn end_all(&self, request: EndAll) -> Answered<'_, EndAllOutcome> {
        self.write(Operation::EndAll, self.inner.end_all(request))
    }

    fn raise_roles<'a>(&'a self, user: &'a UserId, entry: EntryId) -> Answered<'a, Committed> {
        self.write(Operation::RaiseRoles, self.inner.raise_roles(user, entry))
    }

    fn find(&self, id: SessionId) -> Answered<'_, Option<SessionRecord>> {
        self.confirm(Operation::Find, self.inner.find(id))
    }

    fn list<'a>(&'a self, user: &'a UserId, listing: Listing) -> Answered<'a, Vec<SessionRecord>> {
        self.list_of(Operation::List, self.inner.list(user, listing))
    }

    fn count<'a>(&'a self, user: &'a UserId) -> Answered<'a, u64> {
        self.list_of(Operation::Count, self.inner.count(user))
    }

    fn change<'a>(
        &'a self,
        id: SessionId,
        user: &'a UserId,
        change: SessionChange,
    ) -> Answered<'a, Option<SessionRecord>> {
        self.write(Operation::Change, self.inner.change(id, user, change))
    }

    fn touch<'a>(&'a self, uses: &'a [Use]) -> Answered<'a, ()> {
        self.write(Operation::Touch, self.inner.touch(uses))
    }

    fn sweep(&self, retention: Duration, batch: usize) -> Answered<'_, Swept> {
        self.long_write(Operation::Sweep, self.inner.sweep(retention, batch))
    }

    fn page(&self, request: PageRequest) -> Answered<'_, Page> {
        self.list_of(Operation::Page, self.inner.page(request))
    }

    /// Past the breakers: whether the audit log can be written says nothing of sessions.
    fn audit_log(&self) -> Option<&dyn AuditLog> {
        self.inner.audit_log()
    }

    fn population(&self) -> Answered<'_, Population> {
        // Nobody waits for all of it.
        self.call(
            Class::List,
            self.deadline.max(LONG),
            Operation::Population,
            self.inner.population(),
        )
    }

    fn erase<'a>(&'a self, user: &'a UserId, entry: EntryId) -> Answered<'a, EndAllOutcome> {
        self.write(Operation::Erase, self.inner.erase(user, entry))
    }

    /// No request waits for it.
    fn upkeep(&self) -> Option<&dyn Upkeep> {
        self.inner.upkeep()
    }
}

/// The ended sessions that an entry is about.
async fn ended_by(
    store: &dyn SessionStore,
    revoked: &Revoked,
) -> Result<Vec<SessionRecord>, StoreError> {
    match revoked {
        Revoked::Session { session, .. } => Ok(store.find(*session).await?.into_iter().collect()),
        Revoked::User { user, .. } => store.list(user, Listing::Ended).await,
        Revoked::Roles { .. } | Revoked::Token { .. } => Ok(Vec::new()),
    }
}

/// A poll may bring much.
const SLOW: Duration = Duration::from_secs(1);

/// A sweep or a write-back touches up to a thousand rows.
const LONG: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::clock::UnixTime;
    use crate::revocation::EndReason;
    use crate::session::refresh::SeedHash;
    use crate::stores::MemoryStore;
    use crate::testing::ManualClock;
    use crate::verify::Counter;

    fn entry(revoked: Revoked) -> RevocationEntry {
        RevocationEntry {
            id: EntryId::random(),
            revoked,
            reason: EndReason::AdminRevoked,
            at: UnixTime::EPOCH,
            until: UnixTime::EPOCH,
        }
    }

    async fn sign_in(store: &Guarded, number: u8, user: &UserId) -> SessionId {
        let (id, seed) = (SessionId::random(), SeedHash::from_bytes([number; 32]));
        let new = NewSession::new(id, user.clone(), seed, [number; 32], ManualClock::START);
        store.sign_in(new).await.expect("memory is always there");
        id
    }

    #[tokio::test]
    async fn what_appended_entries_end_is_told_once() {
        let clock = ManualClock::new();
        let told: Arc<Mutex<Vec<SessionId>>> = Arc::default();
        let heard = told.clone();
        let observer = move |_: UnixTime, event: &Event| {
            if let Event::Ended { session, .. } = event {
                heard.lock().expect("nobody panicked").push(*session);
            }
        };
        let shared: Arc<dyn crate::Clock> = Arc::new(clock.clone());
        let store = Guarded::new(
            Arc::new(MemoryStore::with_clock(shared.clone())),
            Arc::new(Breakers::new(shared, "memory")),
            Arc::new(observer),
            Duration::from_secs(1),
        );
        assert!(store.upkeep().is_some(), "what the store has is reached");
        let read = Cursor(vec![7]);
        let at = |value| LogPosition { part: 0, value };
        assert_eq!(
            [7, 8].map(|value| store.has_read(&read, at(value))),
            [true, false]
        );
        let (ada, bob) = ("ada", "bob");
        let [ada, bob] = [ada, bob].map(|name| UserId::new(name).expect("a good name"));
        let first = sign_in(&store, 1, &ada).await;
        let second = sign_in(&store, 2, &bob).await;
        sign_in(&store, 3, &UserId::new("eve").expect("a good name")).await;
        clock.advance(Duration::from_secs(1));
        let entries = vec![
            entry(Revoked::Session {
                session: first,
                user: Some(ada),
            }),
            entry(Revoked::User {
                user: bob,
                below: Counter::ZERO.raised(ManualClock::START),
                except: None,
            }),
        ];
        for _ in 0..2 {
            store.append(entries.clone()).await.expect("it is there");
            // What was ended before is not told again.
            clock.advance(Duration::from_secs(1));
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            assert_eq!(*told.lock().expect("nobody panicked"), [first, second]);
        }
    }
}
