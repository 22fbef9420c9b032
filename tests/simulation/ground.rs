//! One copy of the store's data: the memory store, under a name of its history that the story
//! chooses, and with leases that know it.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::time::Duration;

use futures_util::FutureExt;
use tower_jwt_session::revocation::{
    Answer, Attached, Committed, Cursor, Glance, Lease, NodeId, Poll, PollRequest, RevocationEntry,
    RevocationStore,
};
use tower_jwt_session::session::{
    EndAllOutcome, EndOutcome, Listing, NewSession, RefreshAttempt, RefreshOutcome, SessionRecord,
    SignInOutcome, Swept,
};
use tower_jwt_session::{
    BoxFuture, Clock, MemoryStore, SessionId, SessionStore, StoreError, UnixTime, UserId,
};

use crate::clock::{Millis, StoreClock};
use crate::link::{Op, Reading, Reply};
use crate::table::{Expected, Table};

pub struct Ground {
    pub memory: MemoryStore,
    /// What nodes are told that the history is.
    pub history: u128,
    inner: u128,
    clock: StoreClock,
    leases: BTreeMap<NodeId, Lease>,
    /// The lines of the log by their numbers, for looks, which write nothing and so are no polls.
    lines: BTreeMap<u64, RevocationEntry>,
    table: Table,
}

/// What an operation did, for the model.
#[derive(Debug)]
pub enum Did {
    Entered(RevocationEntry),
    SignedIn {
        new: NewSession,
        before: Vec<SessionRecord>,
        outcome: SignInOutcome,
    },
    Refreshed {
        session: SessionId,
        presented: u32,
        expected: Expected,
        outcome: RefreshOutcome,
    },
    Ended(SessionRecord),
}

const DEPLOYMENT: u128 = 7;

impl Ground {
    pub fn new(clock: &StoreClock, history: u128) -> Self {
        let memory = MemoryStore::with_clock(std::sync::Arc::new(clock.clone()));
        let first = now(memory.poll(PollRequest::new(NodeId(0), Duration::ZERO)));
        Self {
            memory,
            history,
            inner: first.expect("memory answers").history,
            clock: clock.clone(),
            leases: BTreeMap::new(),
            lines: BTreeMap::new(),
            table: Table::default(),
        }
    }

    /// Runs an operation, and says what it did.
    pub fn run(&mut self, op: &Op) -> (Reply, Vec<Did>) {
        let mut did = Vec::new();
        let memory = self.memory.clone();
        let reply: Reply = match op.clone() {
            Op::Attach(limits) => Box::new(now(memory.attach(limits)).map(|attached| Attached {
                deployment: DEPLOYMENT,
                ..attached
            })),
            Op::Poll(reading) => Box::new(self.poll(&reading)),
            Op::Glance(since, history) => {
                Box::new(Ok::<_, StoreError>(self.glance(&since, history)))
            }
            Op::Ask(question) => {
                let answer = now(memory.ask(&question));
                if matches!(answer, Ok(Answer::Alive)) {
                    self.table.admitted(&question);
                }
                Box::new(answer)
            }
            Op::Append(entries) => {
                let committed = now(memory.append(entries));
                Box::new(self.committed(committed, &mut did))
            }
            Op::Leases => Box::new(Ok::<_, StoreError>(self.live_leases())),
            Op::Counters(user) => Box::new(now(memory.counters(&user))),
            Op::SignIn(new) => Box::new(self.sign_in(new, &mut did)),
            Op::Refresh(attempt) => Box::new(self.refresh(attempt, &mut did)),
            Op::End(request) => {
                let mut outcome = now(memory.end(request));
                if let Ok(EndOutcome::Ended {
                    committed,
                    record,
                    now,
                }) = &mut outcome
                {
                    self.note(committed, &mut did);
                    if *now {
                        self.ended([&*record], &mut did);
                    }
                }
                Box::new(outcome)
            }
            Op::EndAll(request) => Box::new(self.all(now(memory.end_all(request)), &mut did)),
            Op::Erase(user, entry) => Box::new(self.all(now(memory.erase(&user, entry)), &mut did)),
            Op::RaiseRoles(user, entry) => {
                let committed = now(memory.raise_roles(&user, entry));
                Box::new(self.committed(committed, &mut did))
            }
            Op::Find(id) => Box::new(now(memory.find(id))),
            Op::List(user, listing) => Box::new(now(memory.list(&user, listing))),
            Op::Count(user) => Box::new(now(memory.count(&user))),
            Op::Change(id, user, change) => Box::new(now(memory.change(id, &user, change))),
            Op::Touch(uses) => Box::new(now(memory.touch(&uses))),
            Op::Sweep(retention, batch) => {
                let mut swept: Result<Swept, StoreError> = now(memory.sweep(retention, batch));
                if let Ok(swept) = &mut swept {
                    if let Some(committed) = &mut swept.committed {
                        self.note(committed, &mut did);
                    }
                    self.ended(&swept.ended, &mut did);
                }
                Box::new(swept)
            }
            Op::Page(request) => Box::new(now(memory.page(request))),
        };
        (reply, did)
    }

    /// The server starts again, under another name of its history.
    pub fn rename(&mut self) {
        self.history += 1;
    }

    /// Leases that named this copy's own history name the one that it has now.
    fn rename_leases(&mut self, from: u128) {
        for lease in self.leases.values_mut() {
            if lease.history == from {
                lease.history = self.history;
            }
        }
    }

    pub fn live(&self, user: &UserId) -> Vec<SessionRecord> {
        now(self.memory.list(user, Listing::Live)).expect("memory answers")
    }

    pub fn find(&self, id: SessionId) -> Option<SessionRecord> {
        now(self.memory.find(id)).expect("memory answers")
    }

    fn poll(&mut self, reading: &Reading) -> Result<Poll, StoreError> {
        let mut request = PollRequest::new(reading.node, reading.lease);
        request.since = reading.since.as_ref();
        request.probes = &reading.probes;
        request.history = reading.history.map(|known| self.inside(known));
        let poll = now(self.memory.poll(request))?;
        let lease = Lease {
            node: reading.node,
            history: reading.history.unwrap_or(self.history),
            applied: reading.since.clone().unwrap_or_default(),
            until: poll.now + reading.lease,
        };
        self.leases.insert(reading.node, lease);
        Ok(Poll {
            history: self.history,
            ..poll
        })
    }

    fn glance(&self, since: &Cursor, history: u128) -> Glance {
        if history != self.history {
            return Glance::default();
        }
        let read = since.0.first().copied().unwrap_or(0);
        let now = self.clock.now();
        let end = self.lines.last_key_value().map_or(0, |(number, _)| *number);
        let lines = self.lines.range((Bound::Excluded(read), Bound::Unbounded));
        Glance {
            entries: lines
                .map(|(_, entry)| entry.clone())
                .filter(|entry| now < entry.until)
                .collect(),
            cursor: (read <= end).then_some(Cursor(vec![end])),
        }
    }

    fn sign_in(
        &mut self,
        new: NewSession,
        did: &mut Vec<Did>,
    ) -> Result<SignInOutcome, StoreError> {
        let before = self.live(&new.user);
        let mut outcome = now(self.memory.sign_in(new.clone()));
        let Ok(done) = &mut outcome else {
            return outcome;
        };
        did.push(Did::SignedIn {
            new,
            before,
            outcome: done.clone(),
        });
        let (ended, committed) = match done {
            SignInOutcome::Created {
                record,
                ended,
                committed,
                ..
            } => {
                self.table.made(record);
                (ended, committed)
            }
            SignInOutcome::LimitReached { ended, committed } => (ended, committed),
            _ => return outcome,
        };
        if let Some(committed) = committed {
            self.note(committed, did);
        }
        self.ended(&*ended, did);
        outcome
    }

    fn refresh(
        &mut self,
        attempt: RefreshAttempt,
        did: &mut Vec<Did>,
    ) -> Result<RefreshOutcome, StoreError> {
        let expected = self.table.expected(&attempt, self.clock.now());
        let mut outcome = now(self.memory.refresh(attempt.clone()))?;
        match &mut outcome {
            RefreshOutcome::Granted {
                committed: Some(committed),
                ..
            } => self.note(committed, did),
            RefreshOutcome::Over {
                record, committed, ..
            } => {
                if let Some(committed) = committed {
                    self.note(committed, did);
                }
                self.ended(record.as_ref(), did);
            }
            RefreshOutcome::Reused { record, committed } => {
                self.note(committed, did);
                self.ended([&*record], did);
            }
            _ => {}
        }
        self.table.refreshed(&attempt, &outcome, self.clock.now());
        did.push(Did::Refreshed {
            session: attempt.session,
            presented: attempt.presented.generation,
            expected,
            outcome: outcome.clone(),
        });
        Ok(outcome)
    }

    fn all(
        &mut self,
        mut outcome: Result<EndAllOutcome, StoreError>,
        did: &mut Vec<Did>,
    ) -> Result<EndAllOutcome, StoreError> {
        if let Ok(EndAllOutcome::Ended { records, committed }) = &mut outcome {
            self.note(committed, did);
            self.ended(&*records, did);
        }
        outcome
    }

    fn committed(
        &mut self,
        mut outcome: Result<Committed, StoreError>,
        did: &mut Vec<Did>,
    ) -> Result<Committed, StoreError> {
        if let Ok(committed) = &mut outcome {
            self.note(committed, did);
        }
        outcome
    }

    fn note(&mut self, committed: &mut Committed, did: &mut Vec<Did>) {
        committed.history = self.history;
        committed.leases = self.live_leases();
        for (entry, position) in committed.entries.iter().zip(&committed.positions) {
            self.lines.insert(position.value, entry.clone());
            self.table.entered(entry);
            did.push(Did::Entered(entry.clone()));
        }
    }

    fn ended<'r>(
        &mut self,
        records: impl IntoIterator<Item = &'r SessionRecord>,
        did: &mut Vec<Did>,
    ) {
        for record in records {
            self.table.ended(record.id);
            did.push(Did::Ended(record.clone()));
        }
    }

    fn live_leases(&mut self) -> Vec<Lease> {
        let now = self.clock.now();
        self.leases.retain(|_, lease| now < lease.until);
        self.leases.values().cloned().collect()
    }

    fn inside(&self, history: u128) -> u128 {
        if history == self.history {
            self.inner
        } else {
            // Another history, whatever the memory store calls its own.
            self.inner ^ 1
        }
    }
}

/// An operation that the replica has not heard of.
struct Pending {
    ran: u64,
    at: Millis,
    shown: UnixTime,
    op: Op,
}

/// The store's copies, and what has not reached the second one.
pub struct Copies {
    pub primary: Ground,
    pub replica: Option<Replica>,
    pub clock: StoreClock,
    pub ran: u64,
}

pub struct Replica {
    ground: Ground,
    pending: Vec<Pending>,
}

impl Copies {
    pub fn new(clock: StoreClock, replicated: bool) -> Self {
        Self {
            primary: Ground::new(&clock, 100),
            replica: replicated.then(|| Replica {
                ground: Ground::new(&clock, 200),
                pending: Vec::new(),
            }),
            clock,
            ran: 0,
        }
    }

    /// Runs an operation on the primary; its number, the answer, what it did, and whether the log grew.
    pub fn run(&mut self, at: Millis, op: &Op) -> (u64, Reply, Vec<Did>, bool) {
        let memory = self.primary.memory.clone();
        let mut grown = memory.hint();
        let (reply, did) = self.primary.run(op);
        let grown = (&mut grown).now_or_never().is_some();
        self.ran += 1;
        if let Some(replica) = &mut self.replica
            && writes(op)
        {
            replica.pending.push(Pending {
                ran: self.ran,
                at,
                shown: self.clock.now(),
                op: op.clone(),
            });
        }
        (self.ran, reply, did, grown)
    }

    /// Tells the replica what was done until then.
    pub fn replicate(&mut self, until: Millis) {
        let now = self.clock.now();
        let Some(replica) = &mut self.replica else {
            return;
        };
        let reached = replica
            .pending
            .partition_point(|pending| pending.at <= until);
        for pending in replica.pending.drain(..reached) {
            self.clock.put(pending.shown);
            replica.ground.run(&pending.op);
        }
        self.clock.put(now);
    }

    /// Promotes the replica; the numbers of the operations that are lost.
    pub fn promote(&mut self, renamed: bool) -> Vec<u64> {
        let Some(mut replica) = self.replica.take() else {
            return Vec::new();
        };
        if !renamed {
            replica.ground.history = self.primary.history;
            replica.ground.rename_leases(200);
        }
        self.primary = replica.ground;
        replica.pending.iter().map(|pending| pending.ran).collect()
    }
}

fn writes(op: &Op) -> bool {
    !matches!(
        op,
        Op::Glance(..)
            | Op::Leases
            | Op::Counters(_)
            | Op::Find(_)
            | Op::List(..)
            | Op::Count(_)
            | Op::Page(_)
    )
}

fn now<T>(answer: BoxFuture<'_, T>) -> T {
    answer.now_or_never().expect("memory answers at once")
}
