//! What a node holds instead of a store: every call becomes a message, and waits for its answer.

use std::any::Any;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tower_jwt_session::revocation::{
    Answer, Attached, Committed, Cursor, EntryId, FleetLimits, Glance, Lease, NodeId, Poll,
    PollRequest, Question, RevocationEntry, RevocationStore,
};
use tower_jwt_session::session::{
    AuditLog, Counters, EndAll, EndAllOutcome, EndOutcome, EndSession, Listing, NewSession, Page,
    PageRequest, RefreshAttempt, RefreshOutcome, SessionChange, SessionRecord, SignInOutcome,
    Swept, Use,
};
use tower_jwt_session::{BoxFuture, SessionId, SessionStore, StoreError, StoreErrorKind, UserId};

/// One call, with all that it names.
#[derive(Clone, Debug)]
pub enum Op {
    Append(Vec<RevocationEntry>),
    Ask(Question),
    Attach(FleetLimits),
    Change(SessionId, UserId, SessionChange),
    Count(UserId),
    Counters(UserId),
    End(EndSession),
    EndAll(EndAll),
    Erase(UserId, EntryId),
    Find(SessionId),
    Glance(Cursor, u128),
    Leases,
    List(UserId, Listing),
    Page(PageRequest),
    Poll(Reading),
    RaiseRoles(UserId, EntryId),
    Refresh(RefreshAttempt),
    SignIn(NewSession),
    Sweep(Duration, usize),
    Touch(Vec<Use>),
}

/// A [`PollRequest`] that owns what it names.
#[derive(Clone, Debug)]
pub struct Reading {
    pub node: NodeId,
    pub since: Option<Cursor>,
    pub history: Option<u128>,
    pub lease: Duration,
    pub probes: Vec<EntryId>,
}

/// `Result<T, StoreError>` of whatever the call answers.
pub type Reply = Box<dyn Any + Send>;

/// A call on its way.
#[derive(Debug)]
pub struct Sent {
    pub op: Op,
    pub reply: oneshot::Sender<Reply>,
}

/// Where calls leave a process, and what wakes the scheduler for them.
#[derive(Debug, Default)]
pub struct Outbox {
    pub sent: Mutex<Vec<Sent>>,
    pub stirred: Notify,
    pub hints: Notify,
}

#[derive(Clone, Debug)]
pub struct Link {
    outbox: Arc<Outbox>,
}

type Answered<'a, T> = BoxFuture<'a, Result<T, StoreError>>;

impl Link {
    pub fn new(outbox: Arc<Outbox>) -> Self {
        Self { outbox }
    }

    fn call<T: Send + 'static>(&self, op: Op) -> Answered<'static, T> {
        let outbox = self.outbox.clone();
        Box::pin(async move {
            let (reply, answer) = oneshot::channel();
            outbox.sent.lock().unwrap().push(Sent { op, reply });
            outbox.stirred.notify_one();
            match answer.await {
                Ok(answer) => *answer
                    .downcast::<Result<T, StoreError>>()
                    .expect("a call is answered in kind"),
                Err(_) => Err(reset()),
            }
        })
    }
}

/// What a connection that broke is told as.
pub fn reset() -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, "simulated").with_source("connection reset")
}

impl RevocationStore for Link {
    fn backend(&self) -> &'static str {
        "simulated"
    }

    fn attach(&self, limits: FleetLimits) -> Answered<'_, Attached> {
        self.call(Op::Attach(limits))
    }

    fn poll<'a>(&'a self, request: PollRequest<'a>) -> Answered<'a, Poll> {
        self.call(Op::Poll(Reading {
            node: request.node,
            since: request.since.cloned(),
            history: request.history,
            lease: request.lease,
            probes: request.probes.to_vec(),
        }))
    }

    fn hint(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.outbox.hints.notified())
    }

    fn glance<'a>(&'a self, since: &'a Cursor, history: u128) -> Answered<'a, Glance> {
        self.call(Op::Glance(since.clone(), history))
    }

    fn ask<'a>(&'a self, question: &'a Question) -> Answered<'a, Answer> {
        self.call(Op::Ask(question.clone()))
    }

    fn append(&self, entries: Vec<RevocationEntry>) -> Answered<'_, Committed> {
        self.call(Op::Append(entries))
    }

    fn leases(&self) -> Answered<'_, Vec<Lease>> {
        self.call(Op::Leases)
    }
}

impl SessionStore for Link {
    fn counters<'a>(&'a self, user: &'a UserId) -> Answered<'a, Counters> {
        self.call(Op::Counters(user.clone()))
    }

    fn sign_in(&self, session: NewSession) -> Answered<'_, SignInOutcome> {
        self.call(Op::SignIn(session))
    }

    fn refresh(&self, attempt: RefreshAttempt) -> Answered<'_, RefreshOutcome> {
        self.call(Op::Refresh(attempt))
    }

    fn end(&self, request: EndSession) -> Answered<'_, EndOutcome> {
        self.call(Op::End(request))
    }

    fn end_all(&self, request: EndAll) -> Answered<'_, EndAllOutcome> {
        self.call(Op::EndAll(request))
    }

    fn raise_roles<'a>(&'a self, user: &'a UserId, entry: EntryId) -> Answered<'a, Committed> {
        self.call(Op::RaiseRoles(user.clone(), entry))
    }

    fn find(&self, id: SessionId) -> Answered<'_, Option<SessionRecord>> {
        self.call(Op::Find(id))
    }

    fn list<'a>(&'a self, user: &'a UserId, listing: Listing) -> Answered<'a, Vec<SessionRecord>> {
        self.call(Op::List(user.clone(), listing))
    }

    fn count<'a>(&'a self, user: &'a UserId) -> Answered<'a, u64> {
        self.call(Op::Count(user.clone()))
    }

    fn change<'a>(
        &'a self,
        id: SessionId,
        user: &'a UserId,
        change: SessionChange,
    ) -> Answered<'a, Option<SessionRecord>> {
        self.call(Op::Change(id, user.clone(), change))
    }

    fn touch<'a>(&'a self, uses: &'a [Use]) -> Answered<'a, ()> {
        self.call(Op::Touch(uses.to_vec()))
    }

    fn sweep(&self, retention: Duration, batch: usize) -> Answered<'_, Swept> {
        self.call(Op::Sweep(retention, batch))
    }

    fn page(&self, request: PageRequest) -> Answered<'_, Page> {
        self.call(Op::Page(request))
    }

    fn audit_log(&self) -> Option<&dyn AuditLog> {
        None
    }

    fn erase<'a>(&'a self, user: &'a UserId, entry: EntryId) -> Answered<'a, EndAllOutcome> {
        self.call(Op::Erase(user.clone(), entry))
    }
}
