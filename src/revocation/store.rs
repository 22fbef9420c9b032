//! What a store of revocations must do.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::entry::{EndReason, EntryId, RevocationEntry};
use crate::BoxFuture;
use crate::clock::UnixTime;
use crate::error::StoreError;
use crate::verify::TokenFacts;

/// A store's revocation log, and its answers about single tokens.
///
/// The log is ordered; every node loads the entries that still matter and then follows it. A node
/// answers requests from what it has read, so the contract below is what revocation rests on.
/// `testing::conformance` checks it for any implementation.
///
/// Every method may be called at any time, from any task, and its future may be dropped: what a
/// dropped call has begun either happens wholly or not at all.
pub trait RevocationStore: fmt::Debug + Send + Sync + 'static {
    /// A short name for messages, as `"memory"`.
    fn backend(&self) -> &'static str;

    /// Joins a node to the fleet, before it does anything else.
    ///
    /// The first node writes the fleet's limits down. A node whose limits exceed them is refused
    /// with [`StoreErrorKind::Configuration`](crate::StoreErrorKind::Configuration): entries
    /// would be forgotten while its tokens still live.
    fn attach(&self, limits: FleetLimits) -> BoxFuture<'_, Result<Attached, StoreError>>;

    /// Reads the log.
    ///
    /// Writes the lease first, then reads, in this order and from the same primary: all unexpired
    /// entries without a cursor, else those committed since. The answer also says which of the
    /// `probes` the log no longer holds; both come from one snapshot.
    fn poll<'a>(&'a self, request: PollRequest<'a>) -> BoxFuture<'a, Result<Poll, StoreError>>;

    /// Resolves when there may be something new to read; never, where the store cannot tell.
    ///
    /// A hint proves nothing: it only makes the next poll come sooner.
    fn hint(&self) -> BoxFuture<'_, ()> {
        Box::pin(std::future::pending())
    }

    /// A look at what was committed since a cursor that this store gave for this history, where
    /// that is quicker than a poll; it need not be complete, and is empty unless implemented.
    ///
    /// It writes nothing, so it proves nothing: what it answers is put into the view at once,
    /// and only a poll extends the time that the view may answer.
    fn glance<'a>(
        &'a self,
        _since: &'a Cursor,
        _history: u128,
    ) -> BoxFuture<'a, Result<Glance, StoreError>> {
        Box::pin(std::future::ready(Ok(Glance::default())))
    }

    /// Whether who has read up to a cursor has read what landed at a position of the same history:
    /// [`Cursor::covers`], where a store knows nothing better.
    ///
    /// It must never say so too early.
    fn has_read(&self, cursor: &Cursor, position: LogPosition) -> bool {
        cursor.covers(position)
    }

    /// Answers about one token from the primary.
    ///
    /// About the log, and where the question is about the session: whether it exists, belongs to
    /// the user, is alive by the store's clock and was made under a counter that still stands. A
    /// "yes" to the current generation marks it used in the same step.
    fn ask<'a>(&'a self, question: &'a Question) -> BoxFuture<'a, Result<Answer, StoreError>>;

    /// Appends entries atomically and durably; one whose id is known is left as it is and where it is, but its
    /// later end wins: who has read it does not read it again. (A node to which a poll brings once more what the last one
    /// ended with takes the log for one that lost its end, and reads all of it.)
    ///
    /// An entry that ends a session or everything of a user also ends the session records and
    /// raises the counters that it names. The `at` and `until` of an entry are taken as given
    /// where they are not [`UnixTime::EPOCH`], else filled in by the store's clock.
    fn append(&self, entries: Vec<RevocationEntry>)
    -> BoxFuture<'_, Result<Committed, StoreError>>;

    /// The leases as they stand now: how far each node has read.
    fn leases(&self) -> BoxFuture<'_, Result<Vec<Lease>, StoreError>>;
}

/// The largest values of any node; an entry lives long enough for all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FleetLimits {
    /// The longest lifetime of an access token.
    pub access_lifetime: Duration,
    /// The longest leeway in checking one.
    pub leeway: Duration,
    /// How far any clock may be from true time.
    pub skew: Duration,
}

impl FleetLimits {
    /// How long an entry must be known after its commit: access lifetime + leeway + 4 x skew.
    #[must_use]
    pub fn entry_lifetime(&self) -> Duration {
        self.access_lifetime
            .saturating_add(self.leeway)
            .saturating_add(self.skew.saturating_mul(4))
    }
}

/// What a node learns when it joins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// Names the deployment; a store that holds another one's data is not ours.
    pub deployment: u128,
    /// The limits of the fleet, at least this node's.
    pub limits: FleetLimits,
}

/// Names a process that follows the log; a new one at every start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub u128);

impl NodeId {
    /// A name unlike any other.
    #[must_use]
    pub fn random() -> Self {
        Self(EntryId::random().as_u128())
    }
}

impl fmt::Display for NodeId {
    /// 32 hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Up to where a log was read; only the store that made it can tell what it means.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor(pub Vec<u64>);

/// Where in the log a write landed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPosition {
    /// Which part of the log.
    pub part: u16,
    /// A cursor that has at least this value there has read it.
    pub value: u64,
}

impl Cursor {
    /// Whether whoever read up to here has seen what was written there.
    #[must_use]
    pub fn covers(&self, position: LogPosition) -> bool {
        self.0
            .get(usize::from(position.part))
            .is_some_and(|read| *read >= position.value)
    }
}

/// One poll of the log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PollRequest<'a> {
    /// Who asks.
    pub node: NodeId,
    /// How far the view of this node has *applied* the log; `None` loads all that still matters.
    pub since: Option<&'a Cursor>,
    /// The history that the cursor belongs to.
    pub history: Option<u128>,
    /// How long the lease of this poll lasts: the node stops answering by itself before.
    pub lease: Duration,
    /// Entries that must still be there: the last applied one, and this node's own newer writes.
    pub probes: &'a [EntryId],
    /// Told of each piece that comes, where the store reads a long log in pieces: then who asks
    /// waits for the next one, and not for all of them.
    pub pieces: Option<&'a Pieces>,
}

/// How many pieces of a long answer have come.
#[derive(Debug, Default)]
pub struct Pieces(AtomicU64);

impl Pieces {
    /// There is one more.
    pub fn one_more(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    /// So many have come.
    #[must_use]
    pub fn so_far(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl PollRequest<'_> {
    /// A load of the whole log.
    #[must_use]
    pub fn new(node: NodeId, lease: Duration) -> Self {
        Self {
            node,
            since: None,
            history: None,
            lease,
            probes: &[],
            pieces: None,
        }
    }
}

/// What a poll read.
#[derive(Clone, Debug)]
pub struct Poll {
    /// Names the history of the log; it changes when the store restarts empty, is promoted or restored.
    pub history: u128,
    /// The new entries, in the order of the log.
    pub entries: Vec<RevocationEntry>,
    /// Up to where this poll read.
    pub cursor: Cursor,
    /// The probes that the log does not hold.
    pub missing: Vec<EntryId>,
    /// The store's clock.
    pub now: UnixTime,
}

/// What a look at the log showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Glance {
    /// What was committed since the cursor, in the order of the log.
    pub entries: Vec<RevocationEntry>,
    /// Up to where the entries are all that there is, in one snapshot with them; `None` where more
    /// may have been committed before, so that the next poll has to read from where this look did.
    pub cursor: Option<Cursor>,
}

/// How far a node has read, and until when it may answer from that.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lease {
    /// The node.
    pub node: NodeId,
    /// The history that it follows.
    pub history: u128,
    /// What it has applied.
    pub applied: Cursor,
    /// When it stops answering unless it polls again, by the store's clock.
    pub until: UnixTime,
}

/// A question about one token.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct Question {
    /// The token.
    pub facts: TokenFacts,
    /// How much is asked.
    pub about: About,
}

impl Question {
    /// A question about one token.
    #[must_use]
    pub fn new(facts: TokenFacts, about: About) -> Self {
        Self { facts, about }
    }
}

/// How much a [`Question`] asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum About {
    /// Whether the log puts the token out.
    Log,
    /// That, and whether its session is alive; its generation is marked used.
    Session,
}

/// What the store says of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Nothing speaks against it.
    Alive,
    /// It was revoked, or its session ended.
    Revoked(EndReason),
    /// Its roles are out of date.
    Stale,
    /// No such session of that user.
    Unknown,
}

/// A write that is durable.
#[derive(Clone, Debug)]
pub struct Committed {
    /// The entries as they stand in the log.
    pub entries: Vec<RevocationEntry>,
    /// Where they stand.
    pub positions: Vec<LogPosition>,
    /// The leases as read with the commit.
    pub leases: Vec<Lease>,
    /// The history that it was written to.
    pub history: u128,
    /// The store's clock at the commit.
    pub now: UnixTime,
}
