//! What the rules are written with.

use std::sync::Arc;
use std::time::Duration;

use super::Harness;
use crate::clock::UnixTime;
use crate::error::StoreError;
use crate::revocation::{
    About, Answer, Committed, Cursor, EndReason, EntryId, FleetLimits, NodeId, Poll, PollRequest,
    Question, RevocationEntry, Revoked,
};
use crate::session::refresh::{Presented, RefreshRules, SeedHash};
use crate::session::{
    Authentication, Counters, Device, EndAll, EndAllOutcome, EndOutcome, EndSession, NewSession,
    RefreshAttempt, RefreshOutcome, SessionLimit, SessionRecord, SessionStore, SignInOutcome,
    Transport, Use,
};
use crate::token::{SessionId, TokenId, UserId};
use crate::verify::{Binding, TokenFacts};

/// One store and one user of it.
pub(super) struct Case<'h> {
    harness: &'h dyn Harness,
    pub(super) store: Arc<dyn SessionStore>,
    pub(super) user: UserId,
}

pub(super) const HOUR: Duration = Duration::from_secs(60 * 60);
pub(super) const LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);
pub(super) const LIMITS: FleetLimits = FleetLimits {
    access_lifetime: Duration::from_secs(2 * 60 * 60),
    leeway: Duration::from_secs(5),
    skew: Duration::from_secs(10),
};
/// So long that nothing that a rule lets pass looks like an outage, unless it means to.
const LEASE: Duration = Duration::from_secs(24 * 60 * 60);
/// A grace that is over at once, but is not the strict one: store clocks count microseconds.
pub(super) const NO_TIME: Duration = Duration::from_nanos(1);

/// It is known for no shorter than it must be, and for hardly longer.
pub(super) fn lives_long_enough(entry: &RevocationEntry, written: UnixTime) {
    let least = written + LIMITS.entry_lifetime();
    let most = least + Duration::from_secs(60);
    assert!((least..=most).contains(&entry.until), "{entry:?}");
}

impl<'h> Case<'h> {
    pub(super) async fn of(harness: &'h dyn Harness) -> Self {
        let store = harness.store();
        let mut joined = store.attach(LIMITS).await;
        for _ in 0..3 {
            // The first connection of all may be to a server that is still busy with its start.
            if joined.as_ref().is_err_and(StoreError::is_unavailable) {
                joined = store.attach(LIMITS).await;
            }
        }
        joined.expect("a node can join");
        Self {
            harness,
            store,
            user: some_user(),
        }
    }

    /// The same store with another user.
    pub(super) fn with_another_user(&self) -> Self {
        Self {
            harness: self.harness,
            store: self.harness.store(),
            user: some_user(),
        }
    }

    pub(super) fn seals(&self) -> bool {
        self.harness.seals()
    }

    /// Lets a moment pass, enough for the store's clock to show another instant.
    pub(super) async fn pass_a_moment(&self) {
        let moment = Duration::from_millis(5);
        if !self.harness.advance(moment) {
            tokio::time::sleep(moment).await;
        }
    }

    /// Lets time pass; `false`, and a word about it, where that cannot be done.
    pub(super) fn pass(&self, time: Duration) -> bool {
        let passed = self.harness.advance(time);
        if !passed {
            eprintln!("not run: needs {time:?} to pass, and this store's clock cannot be held");
        }
        passed
    }

    pub(super) async fn now(&self) -> UnixTime {
        self.poll(None).await.now
    }

    pub(super) async fn counters(&self) -> Counters {
        let counters = self.store.counters(&self.user).await;
        counters.expect("counters can be read")
    }

    /// A session as a sign-in would make it now, of an operation of its own.
    pub(super) async fn new_session(&self) -> NewSession {
        let now = self.now().await;
        NewSession {
            id: SessionId::random(),
            user: self.user.clone(),
            revoked_gen: self.counters().await.revoked_gen,
            seed: SeedHash::from_bytes(some_bytes()),
            operation: some_bytes(),
            issued_at: now,
            access_expires_at: now + LIMITS.access_lifetime,
            refresh_lifetime: LIFETIME,
            absolute_lifetime: 3 * LIFETIME,
            idle_lifetime: None,
            limit: SessionLimit::UNLIMITED,
            device: Device::default(),
            name: None,
            transport: Transport::Body,
            authentication: Authentication::default(),
            data: None,
        }
    }

    pub(super) async fn try_sign_in(&self, new: NewSession) -> SignInOutcome {
        self.store.sign_in(new).await.expect("the store answers")
    }

    pub(super) async fn sign_in_with(&self, new: NewSession) -> SessionRecord {
        match self.try_sign_in(new).await {
            SignInOutcome::Created { record, .. } => record,
            other => panic!("the sign-in makes a session, not {other:?}"),
        }
    }

    pub(super) async fn sign_in(&self) -> SessionRecord {
        self.sign_in_with(self.new_session().await).await
    }

    /// A session that is over as soon as it is made.
    pub(super) async fn sign_in_expired(&self) -> SessionRecord {
        let mut new = self.new_session().await;
        new.refresh_lifetime = Duration::ZERO;
        self.sign_in_with(new).await
    }

    /// A session that has been idle for too long as soon as it is made.
    pub(super) async fn sign_in_idle(&self) -> SessionRecord {
        let mut new = self.new_session().await;
        new.idle_lifetime = Some(Duration::ZERO);
        self.sign_in_with(new).await
    }

    pub(super) async fn find(&self, id: SessionId) -> SessionRecord {
        let found = self.store.find(id).await.expect("the store answers");
        found.expect("the session is there")
    }

    pub(super) async fn ended_reason(&self, id: SessionId) -> Option<EndReason> {
        self.find(id).await.ended.map(|ended| ended.reason)
    }

    pub(super) async fn ask(&self, facts: TokenFacts, about: About) -> Answer {
        let question = Question { facts, about };
        self.store.ask(&question).await.expect("the store answers")
    }

    /// What the store says to the access token of a generation, made now.
    pub(super) async fn confirm(&self, record: &SessionRecord, generation: u32) -> Answer {
        let facts = facts_of(record, generation, self.counters().await);
        self.ask(facts, About::Session).await
    }

    pub(super) async fn is_admitted(&self, record: &SessionRecord) -> bool {
        let generation = self.find(record.id).await.refresh.generation;
        self.confirm(record, generation).await == Answer::Alive
    }

    pub(super) async fn refresh(&self, attempt: RefreshAttempt) -> RefreshOutcome {
        self.store
            .refresh(attempt)
            .await
            .expect("the store answers")
    }

    /// Refreshes by the token of a generation, by a grace that this call chooses.
    pub(super) async fn refresh_by(
        &self,
        record: &SessionRecord,
        generation: u32,
        grace: Duration,
    ) -> RefreshOutcome {
        self.refresh(self.attempt(record, generation, grace).await)
            .await
    }

    pub(super) async fn attempt(
        &self,
        record: &SessionRecord,
        generation: u32,
        grace: Duration,
    ) -> RefreshAttempt {
        attempt_at(record, generation, grace, self.now().await)
    }

    /// Refreshes and expects the pair of a generation.
    pub(super) async fn granted(
        &self,
        record: &SessionRecord,
        generation: u32,
        grace: Duration,
    ) -> SessionRecord {
        match self.refresh_by(record, generation, grace).await {
            RefreshOutcome::Granted { record, .. } => record,
            other => panic!("the refresh is granted, not {other:?}"),
        }
    }

    pub(super) async fn end(&self, record: &SessionRecord) -> EndOutcome {
        let request = EndSession {
            session: record.id,
            owner: Some(record.user.clone()),
            reason: EndReason::SignedOut,
            by: Some(record.user.clone()),
            entry: EntryId::random(),
        };
        self.store.end(request).await.expect("the store answers")
    }

    pub(super) fn everything(&self, except: Option<SessionId>) -> EndAll {
        EndAll {
            user: self.user.clone(),
            except,
            reason: EndReason::PasswordChanged,
            by: Some(self.user.clone()),
            entry: EntryId::random(),
        }
    }

    pub(super) async fn end_all(
        &self,
        except: Option<SessionId>,
    ) -> (Vec<SessionRecord>, Committed) {
        let outcome = self.store.end_all(self.everything(except)).await;
        match outcome.expect("the store answers") {
            EndAllOutcome::Ended { records, committed } => (records, committed),
            EndAllOutcome::ExceptNotAlive => panic!("the exception is alive"),
        }
    }

    pub(super) async fn touch(&self, record: &SessionRecord, at: UnixTime) {
        let used = Use {
            session: record.id,
            bucket: crate::session::refresh::bucket_of(&record.user),
            at,
        };
        self.store.touch(&[used]).await.expect("the store answers");
    }

    pub(super) async fn append(&self, entries: Vec<RevocationEntry>) -> Committed {
        let committed = self.store.append(entries).await;
        committed.expect("the store answers")
    }

    pub(super) async fn poll(&self, since: Option<&Cursor>) -> Poll {
        self.poll_for(since, &[]).await
    }

    pub(super) async fn poll_for(&self, since: Option<&Cursor>, probes: &[EntryId]) -> Poll {
        let request = PollRequest {
            node: some_node(),
            since,
            history: None,
            lease: LEASE,
            probes,
            pieces: None,
        };
        self.store.poll(request).await.expect("the store answers")
    }

    /// Whether somebody who reads the whole log finds the entries of a commit in it.
    pub(super) async fn log_holds(&self, committed: &Committed) -> bool {
        let log = self.poll(None).await.entries;
        !committed.entries.is_empty() && committed.entries.iter().all(|entry| log.contains(entry))
    }
}

pub(super) fn attempt_at(
    record: &SessionRecord,
    generation: u32,
    grace: Duration,
    now: UnixTime,
) -> RefreshAttempt {
    RefreshAttempt {
        session: record.id,
        bucket: crate::session::refresh::bucket_of(&record.user),
        seed: record.refresh.seed,
        presented: Presented {
            generation,
            operation: some_node().0,
            issued_at: now,
            access_expires_at: now + LIMITS.access_lifetime,
        },
        rules: RefreshRules {
            grace,
            lifetime: LIFETIME,
        },
        revoke_predecessor: false,
        entry: EntryId::random(),
    }
}

pub(super) fn facts_of(record: &SessionRecord, generation: u32, counters: Counters) -> TokenFacts {
    TokenFacts {
        user: record.user.clone(),
        session: Some(record.id),
        token: Some(TokenId::of_generation(record.id, generation)),
        binding: Some(Binding {
            generation,
            revoked_gen: record.revoked_gen,
            roles_gen: counters.roles_gen,
        }),
        issued_at: Some(record.refresh.issued_at),
        expires_at: record.refresh.access_expires_at,
    }
}

/// An entry whose instants the store fills in.
pub(super) fn entry(revoked: Revoked, reason: EndReason) -> RevocationEntry {
    RevocationEntry {
        id: EntryId::random(),
        revoked,
        reason,
        at: UnixTime::EPOCH,
        until: UnixTime::EPOCH,
    }
}

/// An entry about a token that nobody has.
pub(super) fn some_entry() -> RevocationEntry {
    entry(
        Revoked::Token {
            token: TokenId::of_generation(SessionId::random(), 1),
            user: None,
        },
        EndReason::AdminRevoked,
    )
}

pub(super) fn some_user() -> UserId {
    UserId::new(format!("user-{}", SessionId::random())).expect("a UUID has no control characters")
}

pub(super) fn some_node() -> NodeId {
    NodeId(u128::from_be_bytes(*EntryId::random().as_bytes()))
}

fn some_bytes() -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes[..16].copy_from_slice(EntryId::random().as_bytes());
    bytes[16..].copy_from_slice(EntryId::random().as_bytes());
    bytes
}

/// The ids of some records, in their order.
pub(super) fn ids(records: &[SessionRecord]) -> Vec<SessionId> {
    records.iter().map(|record| record.id).collect()
}
