//! What who runs a store may do with it: look at it, and move its sessions to another.

use serde::{Deserialize, Serialize};

use super::record::SessionRecord;
use super::store::Counters;
use crate::BoxFuture;
use crate::diagnosis::StoreReport;
use crate::error::StoreError;
use crate::revocation::{EntryId, RevocationEntry};

/// What who runs a store may do with it, beside what nodes do.
///
/// `testing::conformance` checks it for any implementation whose harness says that it can be moved.
pub trait Upkeep: Send + Sync {
    /// Looks at the store from outside: what it is, whether it promises what sessions need, its
    /// clock. Makes and changes nothing, not even what the store makes when it is first used.
    ///
    /// What is wrong is a [`Check`](crate::diagnosis::Check) of the report, never an error.
    fn inspect(&self) -> BoxFuture<'_, StoreReport>;

    /// Reads all sessions, ended ones too, with what only a store keeps of them: about `limit`
    /// from where the last part ended, in an order that holds still. Data that is sealed stays so.
    fn export(
        &self,
        from: Option<ExportCursor>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Export, StoreError>>;

    /// Reads the entries of the log that still matter, without joining the fleet.
    fn export_log(&self) -> BoxFuture<'_, Result<Vec<RevocationEntry>, StoreError>>;

    /// Takes sessions over as another store exported them, and raises their users' counters to at
    /// least what they were there. What is here already becomes what
    /// [`SessionRecord::brought`] says: nothing that ended comes back to life, and the same
    /// import again changes nothing.
    ///
    /// Each session is taken over wholly or not at all. No log entry is written: those of the other
    /// store are [appended](crate::revocation::RevocationStore::append) beside it.
    fn import(&self, sessions: Vec<StoredSession>) -> BoxFuture<'_, Result<Imported, StoreError>>;
}

/// A session with what only its store keeps beside it. It holds nothing that could be replayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSession {
    /// The session, ended or not.
    pub record: SessionRecord,
    /// The hash of the operation secret of its sign-in.
    pub operation: [u8; 32],
    /// The log entry by which it ended.
    pub ended_by: Option<EntryId>,
    /// Its user's counters at the moment of the reading.
    pub counters: Counters,
}

/// Where an export goes on; only the store that gave it can tell what it means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ExportCursor(pub String);

/// A part of all sessions.
#[derive(Clone, Debug, Default)]
pub struct Export {
    /// The sessions; one may come twice where sessions end meanwhile.
    pub sessions: Vec<StoredSession>,
    /// Where the next part begins; `None` at the end.
    pub next: Option<ExportCursor>,
    /// How many records nobody can read; the log says which.
    pub unreadable: u64,
}

/// What came of an import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Sessions that were not there.
    pub made: u64,
    /// Sessions that were there as they were before.
    pub changed: u64,
    /// Sessions that were there like that, or had gone on since.
    pub kept: u64,
}

impl SessionRecord {
    /// What this record becomes when another store's record of the same session is brought to it;
    /// `None` where it stays as it is.
    ///
    /// What ended stays ended, and a session that went on since is not set back. Another user's
    /// record changes nothing.
    #[must_use]
    pub fn brought(&self, other: &Self) -> Option<Self> {
        if self.ended.is_some() || self.id != other.id || self.user != other.user {
            return None;
        }
        let later = self.progress() > other.progress() && other.ended.is_none();
        let mut record = if later { self.clone() } else { other.clone() };
        record.spared = self.spared.max(other.spared);
        record.refresh.ever_used = self.refresh.ever_used || other.refresh.ever_used;
        if self.refresh.generation == other.refresh.generation {
            record.refresh.used = self.refresh.used || other.refresh.used;
        }
        (record != *self).then_some(record)
    }

    /// How far the session has come: of two records of it, the later one is the greater.
    fn progress(&self) -> impl Ord + use<> {
        let refresh = &self.refresh;
        (refresh.generation, refresh.rotated_at, self.last_active_at)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::revocation::EndReason;
    use crate::session::Ended;
    use crate::session::record::tests::record;
    use crate::token::UserId;
    use crate::verify::Counter;

    fn ended(record: &SessionRecord) -> SessionRecord {
        let mut record = record.clone();
        record.ended = Some(Ended {
            at: record.created_at,
            reason: EndReason::SignedOut,
            by: None,
        });
        record
    }

    #[test]
    fn what_ended_here_stays_ended() {
        let record = record();
        assert_eq!(ended(&record).brought(&record), None);
    }

    #[test]
    fn what_ended_elsewhere_ends_here_however_far_it_has_come() {
        let there = record();
        let mut here = there.clone();
        here.refresh.generation = 9;
        let brought = here.brought(&ended(&there)).expect("it ends");
        assert_eq!(brought.ended, ended(&there).ended);
    }

    #[test]
    fn a_session_that_went_on_is_not_set_back() {
        let there = record();
        for change in [
            |record: &mut SessionRecord| record.refresh.generation += 1,
            |record: &mut SessionRecord| {
                let at = record.refresh.rotated_at;
                record.refresh.rotated_at = at + Duration::from_secs(1);
            },
            |record: &mut SessionRecord| {
                record.last_active_at = record.last_active_at + Duration::from_secs(1);
            },
        ] {
            let mut here = there.clone();
            change(&mut here);
            assert_eq!(here.brought(&there), None);
            assert_eq!(there.brought(&here), Some(here));
        }
    }

    #[test]
    fn that_a_token_was_used_is_never_forgotten() {
        let mut here = record();
        here.refresh.used = true;
        here.refresh.ever_used = true;
        here.spared = Counter::from_u64(7);
        let mut there = record();
        there.id = here.id;
        there.name = Some("renamed".to_owned());
        let brought = here.brought(&there).expect("the name is new");
        assert!(brought.refresh.used && brought.refresh.ever_used);
        assert_eq!(brought.spared, here.spared);
    }

    #[test]
    fn another_users_record_changes_nothing() {
        let here = record();
        let mut there = ended(&here);
        there.user = UserId::new("eve").expect("it is a name");
        assert_eq!(here.brought(&there), None);
    }
}
