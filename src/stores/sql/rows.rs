//! The tables, as the steps see them.

use std::future::Future;

use crate::clock::UnixTime;
use crate::error::StoreError;
use crate::revocation::{
    Cursor, EntryId, FleetLimits, Highest, Lease, LogPosition, Pieces, RevocationEntry,
};
use crate::session::{Counters, Idleness, Population, SessionRecord};
use crate::token::{SessionId, UserId};

/// The tables within one transaction (or, to read alone, beside all of them).
///
/// Nothing is decided here. "Open" is a session that has not ended, whether or not its time is
/// over. Records that cannot be read back are left out, unless a method says otherwise.
pub(super) trait Rows: Send {
    /// The name of the store, for messages.
    const BACKEND: &'static str;

    /// What the whole fleet shares.
    fn fleet(&mut self) -> impl Future<Output = Result<Fleet, StoreError>> + Send;

    /// Writes the fleet's limits down.
    fn set_limits(
        &mut self,
        limits: FleetLimits,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Writes down when being unused counts, and what the store's clock has shown; later instants
    /// that are there stay.
    fn set_clocks(
        &mut self,
        idleness: Idleness,
        highest: Highest,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// A user's counters; the default where nothing is known.
    fn counters(
        &mut self,
        user: &UserId,
    ) -> impl Future<Output = Result<Counters, StoreError>> + Send;

    /// Writes a user's counters down.
    fn set_counters(
        &mut self,
        user: &UserId,
        counters: Counters,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Raises a user's counters to at least these.
    fn raise_counters(
        &mut self,
        user: &UserId,
        counters: Counters,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// A user's counters, and whether there is a record of any session of theirs, readable or not.
    fn knows(
        &mut self,
        user: &UserId,
    ) -> impl Future<Output = Result<(Counters, bool), StoreError>> + Send;

    /// One session.
    fn session(
        &mut self,
        id: SessionId,
    ) -> impl Future<Output = Result<Option<Found>, StoreError>> + Send;

    /// The open sessions of a user by id, and the one that an operation of theirs made, open or
    /// not, as the second.
    fn before_sign_in(
        &mut self,
        user: &UserId,
        operation: &[u8; 32],
    ) -> impl Future<Output = Result<(Vec<Found>, Option<Found>), StoreError>> + Send;

    /// The open sessions of a user, by id.
    fn open_of(
        &mut self,
        user: &UserId,
    ) -> impl Future<Output = Result<Vec<Found>, StoreError>> + Send;

    /// The ended sessions of a user, the latest first.
    fn ended_of(
        &mut self,
        user: &UserId,
    ) -> impl Future<Output = Result<Vec<Found>, StoreError>> + Send;

    /// The open sessions of one user or of everybody after an id, by id.
    fn open_after(
        &mut self,
        user: Option<&UserId>,
        after: Option<SessionId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Row>, StoreError>> + Send;

    /// All sessions after an id, by id, ended ones too, with the operations that made them.
    fn all_after(
        &mut self,
        after: Option<SessionId>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<StoredRow>, StoreError>> + Send;

    /// The open sessions whose time is over, the longest overdue first.
    fn due(
        &mut self,
        now: UnixTime,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<Row>, StoreError>> + Send;

    /// How many open sessions there are whose time is not over, and how many users have an open one.
    fn population(
        &mut self,
        now: UnixTime,
    ) -> impl Future<Output = Result<Population, StoreError>> + Send;

    /// Adds a session.
    ///
    /// # Errors
    ///
    /// Also when there is one of that id, or of that operation of its user.
    fn insert(
        &mut self,
        record: &SessionRecord,
        operation: &[u8; 32],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Writes an open session down as it has become; `by` names the log entry of one that ended.
    fn update(
        &mut self,
        record: &SessionRecord,
        by: Option<EntryId>,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes a session.
    fn forget(&mut self, id: SessionId) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes the ended sessions of a user.
    fn forget_ended_of(
        &mut self,
        user: &UserId,
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Removes sessions that ended before an instant, the first to end first, and says how many
    /// it were and whether there are more.
    fn forget_ended_before(
        &mut self,
        before: UnixTime,
        limit: usize,
    ) -> impl Future<Output = Result<(u64, bool), StoreError>> + Send;

    /// Adds an entry to the end of the log. One whose id is there is left as it is, but its later
    /// end wins. Answers the entry as it stands.
    fn log_put(
        &mut self,
        entry: &RevocationEntry,
        now: UnixTime,
    ) -> impl Future<Output = Result<Line, StoreError>> + Send;

    /// One entry of the log.
    fn log_get(
        &mut self,
        id: EntryId,
        now: UnixTime,
    ) -> impl Future<Output = Result<Option<Line>, StoreError>> + Send;

    /// The entries that a reader of `since` has not seen, in the order of the log, and up to where
    /// that is. A cursor that the log cannot have given reads everything. `pieces` are told of
    /// each that comes.
    fn log_since(
        &mut self,
        since: Option<&Cursor>,
        now: UnixTime,
        pieces: Option<&Pieces>,
    ) -> impl Future<Output = Result<(Vec<Line>, Cursor), StoreError>> + Send;

    /// All entries, in the order of the log.
    fn log_all(
        &mut self,
        now: UnixTime,
    ) -> impl Future<Output = Result<Vec<Line>, StoreError>> + Send;

    /// The entries about any of the subjects.
    fn log_about(
        &mut self,
        subjects: &[String; 3],
        now: UnixTime,
    ) -> impl Future<Output = Result<Vec<RevocationEntry>, StoreError>> + Send;

    /// Forgets the entries and leases whose time is over.
    fn purge(&mut self, now: UnixTime) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Writes a lease down in the place of the node's last one.
    fn put_lease(&mut self, lease: &Lease) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The leases that have not run out.
    fn leases(
        &mut self,
        now: UnixTime,
    ) -> impl Future<Output = Result<Vec<Lease>, StoreError>> + Send;
}

/// What the whole fleet shares.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fleet {
    pub(super) deployment: u128,
    pub(super) history: u128,
    pub(super) limits: Option<FleetLimits>,
    pub(super) idleness: Idleness,
    pub(super) highest: Highest,
}

/// A session, and its user's counters as they are in the same moment.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) record: SessionRecord,
    pub(super) ended_by: Option<EntryId>,
    pub(super) counters: Counters,
}

/// A session that may be unreadable.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) id: SessionId,
    pub(super) found: Option<Found>,
}

/// An entry of the log and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) entry: RevocationEntry,
    pub(super) at: LogPosition,
}

/// A session that may be unreadable, and the operation that made it.
pub(super) type StoredRow = (Row, Option<[u8; 32]>);
