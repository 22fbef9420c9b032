//! What a store of sessions must do.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::audit::AuditLog;
use super::device::Device;
use super::limit::SessionLimit;
pub use super::pages::{Listing, Page, PageRequest};
use super::population::{self, Population};
use super::record::{Authentication, SessionRecord, Transport};
use super::refresh::{Advance, Presented, RefreshRules, ReplayKind, SeedHash};
use super::upkeep::Upkeep;
use crate::BoxFuture;
use crate::clock::UnixTime;
use crate::error::StoreError;
use crate::revocation::{Committed, EndReason, EntryId, RevocationStore};
use crate::token::{SessionId, UserId};
use crate::verify::Counter;

/// A store of sessions, on top of its revocation log.
///
/// One backend implements both, because ending a session and its log entry are one atomic write.
/// Each method is one atomic step on the user (or the session) that it names: two that run at
/// once behave as if one had run after the other. "Now" is the store's own clock, the same for
/// every node. Whatever ends a session here writes its log entry in the same step.
///
/// A write that names its log entry can be repeated by that name, as when its first answer was
/// lost: while the log holds the entry, the repetition raises no counter and ends nothing more.
///
/// `testing::conformance` checks all of it for any implementation.
pub trait SessionStore: RevocationStore {
    /// Reads a user's counters; [`Counters::default`] for a user of whom nothing is known.
    fn counters<'a>(&'a self, user: &'a UserId) -> BoxFuture<'a, Result<Counters, StoreError>>;

    /// Makes a session: looks the operation up, compares the ticket, counts, evicts or refuses,
    /// and creates.
    ///
    /// Sessions of the user that are over by [`SessionRecord::expired`] are ended in the same
    /// step and not counted. Operations of different users have nothing to do with each other.
    ///
    /// # Errors
    ///
    /// Also when the id of the new session is taken: a record is never overwritten.
    fn sign_in(&self, session: NewSession) -> BoxFuture<'_, Result<SignInOutcome, StoreError>>;

    /// Refreshes a session by [`RefreshState::decide`](super::refresh::RefreshState::decide).
    fn refresh(&self, attempt: RefreshAttempt)
    -> BoxFuture<'_, Result<RefreshOutcome, StoreError>>;

    /// Ends one session. Ending an ended one again changes nothing but the entry's end.
    fn end(&self, request: EndSession) -> BoxFuture<'_, Result<EndOutcome, StoreError>>;

    /// Ends all sessions of a user but one, and raises the user's revocation counter.
    fn end_all(&self, request: EndAll) -> BoxFuture<'_, Result<EndAllOutcome, StoreError>>;

    /// Raises the user's role counter; the sessions live on.
    fn raise_roles<'a>(
        &'a self,
        user: &'a UserId,
        entry: EntryId,
    ) -> BoxFuture<'a, Result<Committed, StoreError>>;

    /// Reads one session, ended or not.
    fn find(&self, id: SessionId) -> BoxFuture<'_, Result<Option<SessionRecord>, StoreError>>;

    /// Reads a user's sessions, the most recently used first.
    fn list<'a>(
        &'a self,
        user: &'a UserId,
        listing: Listing,
    ) -> BoxFuture<'a, Result<Vec<SessionRecord>, StoreError>>;

    /// Counts a user's live sessions.
    fn count<'a>(&'a self, user: &'a UserId) -> BoxFuture<'a, Result<u64, StoreError>>;

    /// Changes what may change about a live session; `None` where there is no such one.
    fn change<'a>(
        &'a self,
        id: SessionId,
        user: &'a UserId,
        change: SessionChange,
    ) -> BoxFuture<'a, Result<Option<SessionRecord>, StoreError>>;

    /// Writes uses down, a batch at a time. An earlier instant never replaces a later one, one
    /// ahead of the store's clock counts as now, and a session that had ended or was over by then
    /// stays as it is.
    fn touch<'a>(&'a self, uses: &'a [Use]) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Ends what is over, and forgets what ended longer ago than `retention`: at most `batch` of each.
    fn sweep(&self, retention: Duration, batch: usize) -> BoxFuture<'_, Result<Swept, StoreError>>;

    /// Reads a page over the live sessions of everybody, oldest first.
    fn page(&self, request: PageRequest) -> BoxFuture<'_, Result<Page, StoreError>>;

    /// The audit log beside the sessions; `None` where the store keeps none.
    fn audit_log(&self) -> Option<&dyn AuditLog>;

    /// Counts everybody's live sessions, for pages of administrators: not in one step with
    /// anything; until a sweep what is over may count, and what was prolonged may not.
    ///
    /// By default every page is read, so a store that can count does so itself.
    fn population(&self) -> BoxFuture<'_, Result<Population, StoreError>> {
        Box::pin(population::by_pages(self))
    }

    /// Ends all sessions of a user and removes every record of them; the log entry and the
    /// counters stay.
    fn erase<'a>(
        &'a self,
        user: &'a UserId,
        entry: EntryId,
    ) -> BoxFuture<'a, Result<EndAllOutcome, StoreError>>;

    /// What who runs the store may do with it; `None` unless implemented.
    fn upkeep(&self) -> Option<&dyn Upkeep> {
        None
    }
}

/// A user's two counters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Raised when everything of the user is ended.
    pub revoked_gen: Counter,
    /// Raised when the user's roles change.
    pub roles_gen: Counter,
}

/// A session to be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewSession {
    /// The session's id.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// The revocation counter that the ticket read; the sign-in is refused when it moved.
    pub revoked_gen: Counter,
    /// The hash of the refresh tokens' seed.
    pub seed: SeedHash,
    /// The hash of the sign-in's operation secret; a repeated sign-in finds its session by it.
    pub operation: [u8; 32],
    /// `iat` of the first access token.
    pub issued_at: UnixTime,
    /// `exp` of the first access token.
    pub access_expires_at: UnixTime,
    /// How long the refresh token lives, counted from the store's now.
    pub refresh_lifetime: Duration,
    /// How long the session lives, counted from the store's now.
    pub absolute_lifetime: Duration,
    /// How long it may stay unused.
    pub idle_lifetime: Option<Duration>,
    /// How many sessions the user may have.
    pub limit: SessionLimit,
    /// The device.
    pub device: Device,
    /// A name for it.
    pub name: Option<String>,
    /// How its tokens travel.
    pub transport: Transport,
    /// How the user proved who they are.
    pub authentication: Authentication,
    /// The application's data beside it.
    pub data: Option<String>,
}

/// How a sign-in went.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum SignInOutcome {
    /// There is a new session.
    Created {
        /// The session.
        record: SessionRecord,
        /// The sessions that gave way or were found to be over.
        ended: Vec<SessionRecord>,
        /// The log entries that this wrote; `None` when it ended nothing.
        committed: Option<Committed>,
        /// Whether the user has no other record of a session, alive or ended.
        first: bool,
    },
    /// The user has as many sessions as allowed, and nothing gives way.
    LimitReached {
        /// The sessions that were found to be over on the way.
        ended: Vec<SessionRecord>,
        /// The log entries that this wrote; `None` when it ended nothing.
        committed: Option<Committed>,
    },
    /// The operation ran before, and this is the session that it made.
    Repeated {
        /// The session.
        record: SessionRecord,
    },
    /// The operation ran before, and the session that it made has ended.
    Superseded,
    /// Everything of the user was ended after the ticket was taken.
    TicketOutdated,
}

/// A refresh whose token was genuine.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RefreshAttempt {
    /// The session.
    pub session: SessionId,
    /// Which part of the store holds it.
    pub bucket: u8,
    /// What its record has to hold.
    pub seed: SeedHash,
    /// The presented generation and what a rotation would make.
    pub presented: Presented,
    /// The rules of the deployment.
    pub rules: RefreshRules,
    /// Whether the predecessor's access token ends with a rotation.
    pub revoke_predecessor: bool,
    /// Names the log entry, should one be written.
    pub entry: EntryId,
}

/// How a refresh went.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RefreshOutcome {
    /// Here is the pair of this generation.
    Granted {
        /// The session as it stands now.
        record: SessionRecord,
        /// The user's counters, read in the same step.
        counters: Counters,
        /// How it came about.
        how: Granted,
        /// The log entry for a generation that is out from now on.
        committed: Option<Committed>,
    },
    /// The session, or the presented token, is over.
    Over {
        /// Why.
        reason: EndReason,
        /// The session, where this refresh was what ended it.
        record: Option<SessionRecord>,
        /// Its log entry then.
        committed: Option<Committed>,
    },
    /// The token was used again by somebody; the session ended.
    Reused {
        /// The session as it ended.
        record: SessionRecord,
        /// Its log entry.
        committed: Committed,
    },
    /// The same answer was given too often; come back later.
    TooMany,
    /// There is no such session.
    Unknown,
}

/// How a refresh came to its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granted {
    /// By a new generation.
    Advanced(Advance),
    /// By the answer of the current one.
    Repeated(ReplayKind),
}

/// One session to end.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EndSession {
    /// The session.
    pub session: SessionId,
    /// Whose it must be; `None` ends it whosever it is.
    pub owner: Option<UserId>,
    /// Why.
    pub reason: EndReason,
    /// Who ends it.
    pub by: Option<UserId>,
    /// Names the log entry.
    pub entry: EntryId,
}

/// How ending a session went.
#[derive(Clone, Debug)]
#[non_exhaustive]
#[expect(
    clippy::large_enum_variant,
    reason = "one a call, and mostly the large variant"
)]
pub enum EndOutcome {
    /// It is over.
    Ended {
        /// The session.
        record: SessionRecord,
        /// Whether this call ended it.
        now: bool,
        /// The log entry.
        committed: Committed,
    },
    /// There is no such session of that owner.
    NotFound,
}

/// All sessions of a user to end.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EndAll {
    /// The user.
    pub user: UserId,
    /// The session that stays; it must be alive.
    pub except: Option<SessionId>,
    /// Why.
    pub reason: EndReason,
    /// Who ends them.
    pub by: Option<UserId>,
    /// Names the log entry.
    pub entry: EntryId,
}

/// How ending all sessions went.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum EndAllOutcome {
    /// They are over.
    Ended {
        /// The sessions that this call ended.
        records: Vec<SessionRecord>,
        /// The log entry.
        committed: Committed,
    },
    /// The session that was to stay is not alive; nothing was changed.
    ExceptNotAlive,
}

/// What may change about a session.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionChange {
    /// The user proved again who they are.
    Authenticated {
        /// When.
        at: UnixTime,
        /// How.
        authentication: Authentication,
    },
    /// The application's data.
    Data(Option<String>),
    /// What is unusual about it.
    Flag(Option<String>),
    /// The name.
    Name(Option<String>),
    /// Where and on what it was last seen.
    Seen(Option<String>),
}

/// A use of a session by its user.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Use {
    /// The session.
    pub session: SessionId,
    /// The part of the store that holds it.
    pub bucket: u8,
    /// When.
    pub at: UnixTime,
}

/// What a sweep did.
#[derive(Clone, Debug, Default)]
pub struct Swept {
    /// The sessions that it found to be over, with their reasons.
    pub ended: Vec<SessionRecord>,
    /// The log entries that this wrote.
    pub committed: Option<Committed>,
    /// How many old records it forgot.
    pub forgotten: u64,
    /// Whether there is more to do.
    pub more: bool,
}
