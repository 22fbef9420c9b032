//! How far a node has read, and what it must find again.

use std::collections::HashSet;
use std::time::Duration;

use foldhash::fast::RandomState;

use super::entry::{EntryId, RevocationEntry};
use super::store::{Attached, Committed, Cursor, LogPosition, Poll, RevocationStore};
use crate::clock::{Instants, UnixTime};

/// A set of entries by their ids.
pub(super) type EntryIds = HashSet<EntryId, RandomState>;

/// The bookkeeping of following the log; never on the path of a request.
#[derive(Debug, Default)]
pub(super) struct Progress {
    deployment: Option<u128>,
    skew: Duration,
    history: Option<u128>,
    cursor: Option<Cursor>,
    /// Up to where the last poll read.
    polled: Option<Cursor>,
    /// The last entry that a poll has read.
    last: Option<Probe>,
    /// The last one that a look has read since.
    looked: Option<Probe>,
    /// What this node wrote and has not read yet.
    own: Vec<OwnWrite>,
    /// What this node knows and the log has lost.
    back: Vec<RevocationEntry>,
    /// What was put into the view before a poll read it.
    glanced: EntryIds,
    /// When the last complete poll began.
    began: Option<Instants>,
    /// When the log was last found to have another history than before.
    changed: Option<Instants>,
    wall: UnixTime,
    store: UnixTime,
}

/// An entry that must still be in the log.
#[derive(Clone, Copy, Debug)]
pub(super) struct Probe {
    id: EntryId,
    until: UnixTime,
}

#[derive(Debug)]
struct OwnWrite {
    entries: Vec<RevocationEntry>,
    positions: Vec<LogPosition>,
    history: u128,
}

/// A load of the whole log.
#[derive(Debug)]
pub(super) struct Load {
    pub(super) history: u128,
    pub(super) cursor: Cursor,
    pub(super) began: Instants,
    /// The last entry of the log.
    pub(super) last: Option<Probe>,
    /// What stands in the log.
    pub(super) log: EntryIds,
    /// What the view holds and the log does not.
    pub(super) lost: Vec<RevocationEntry>,
    /// What ends until then does not count as lost.
    pub(super) beyond: UnixTime,
}

/// What the next poll asks.
#[derive(Debug)]
pub(super) struct NextPoll {
    pub(super) cursor: Option<Cursor>,
    pub(super) history: Option<u128>,
    pub(super) probes: Vec<EntryId>,
}

impl Progress {
    pub(super) fn new(skew: Duration) -> Self {
        Self {
            skew,
            ..Self::default()
        }
    }

    /// Takes note of the fleet; `false` when this is another deployment's store.
    pub(super) fn attached(&mut self, attached: &Attached) -> bool {
        self.skew = self.skew.max(attached.limits.skew);
        *self.deployment.get_or_insert(attached.deployment) == attached.deployment
    }

    pub(super) fn skew(&self) -> Duration {
        self.skew
    }

    pub(super) fn history(&self) -> Option<u128> {
        self.history
    }

    pub(super) fn cursor(&self) -> Option<&Cursor> {
        self.cursor.as_ref()
    }

    pub(super) fn began(&self) -> Option<Instants> {
        self.began
    }

    pub(super) fn changed(&self) -> Option<Instants> {
        self.changed
    }

    /// What the next poll asks, which begins at `now`. Entries near their end are left out of the
    /// probes: the store's clock may have ended them already.
    pub(super) fn next_poll(&self, now: Instants) -> NextPoll {
        let store = self.store_at(now).unwrap_or(self.store);
        let sure = self.wall.min(store) + self.skew.saturating_mul(2);
        let own = self
            .own
            .iter()
            .flat_map(|write| &write.entries)
            .map(Probe::of);
        let probes = self.last.into_iter().chain(self.looked).chain(own);
        // What a look read last may be this node's own.
        let mut asked = EntryIds::default();
        NextPoll {
            cursor: self.cursor.clone(),
            history: self.history,
            probes: probes
                .filter(|probe| probe.until > sure && asked.insert(probe.id))
                .map(|probe| probe.id)
                .collect(),
        }
    }

    /// Whether a poll continues what was read before.
    ///
    /// It does not where it brings once more what the last poll ended with. A log that lost its end and kept its name
    /// may have been given that entry again by another node, so that no probe misses it; and what came in between
    /// stands where this node believes to have read.
    pub(super) fn continues(&self, poll: &Poll) -> bool {
        self.history == Some(poll.history)
            && poll.missing.is_empty()
            && !self.was_read(&poll.entries)
    }

    /// Whether the last entry that a poll has read is among them, which come behind it.
    ///
    /// One that is over may have been written anew for a reason of its own. One that is about nobody known stands in
    /// every part of a log that has parts, which are not read at one instant.
    pub(super) fn was_read(&self, entries: &[RevocationEntry]) -> bool {
        let over = self.over();
        self.last
            .filter(|last| last.until > over)
            .is_some_and(|last| {
                let mut again = entries.iter().filter(|entry| entry.id == last.id);
                again.any(|entry| entry.revoked.user().is_some())
            })
    }

    /// Notes a complete poll whose entries were applied.
    pub(super) fn advanced(&mut self, poll: Poll, began: Instants, store: &dyn RevocationStore) {
        let looked = self.looked.take();
        self.last = poll.entries.last().map(Probe::of).or(looked).or(self.last);
        self.own.retain(|write| {
            let read = write.history == poll.history
                && write
                    .positions
                    .iter()
                    .all(|place| store.has_read(&poll.cursor, *place));
            !read
        });
        self.polled = Some(poll.cursor.clone());
        self.cursor = Some(poll.cursor);
        self.began = Some(began);
    }

    /// Notes that a look has read up to a cursor, and that its entries were applied.
    pub(super) fn looked(&mut self, cursor: Cursor, entries: &[RevocationEntry]) {
        for entry in entries {
            self.glanced.remove(&entry.id);
        }
        self.looked = entries.last().map(Probe::of).or(self.looked);
        self.cursor = Some(cursor);
    }

    /// Goes back to where the last poll read: a store that crashes may have forgotten what a look saw
    /// beyond that, and give the same place to something else.
    pub(super) fn fall_back(&mut self) {
        self.cursor.clone_from(&self.polled);
    }

    /// Notes an entry that is in the view before a poll has read it.
    pub(super) fn glanced(&mut self, id: EntryId) {
        self.glanced.insert(id);
    }

    /// Whether an entry that a poll has read was news when it was glanced at.
    pub(super) fn was_glanced(&mut self, id: EntryId) -> bool {
        self.glanced.remove(&id)
    }

    /// Which of the entries of this node count as lost when a load of the log does not show
    /// them: those that live longer than this.
    ///
    /// In a `gap` that is all that live. Else the log is as it was, and the store may merely have
    /// ended them by its own clock.
    pub(super) fn lost_beyond(&self, gap: bool) -> UnixTime {
        let margin = if gap {
            Duration::ZERO
        } else {
            self.skew.saturating_mul(2)
        };
        self.over() + margin
    }

    /// Notes a load of the whole log.
    pub(super) fn loaded(&mut self, load: Load) {
        let Load { mut lost, .. } = load;
        if self.history.is_some_and(|old| old != load.history) {
            self.changed = Some(load.began);
        }
        let mut known = load.log;
        known.extend(lost.iter().map(|entry| entry.id));
        // A full view may have had no room for a write of this node's own.
        let own = self.own.drain(..).flat_map(|write| write.entries);
        lost.extend(own.filter(|entry| entry.until > load.beyond && known.insert(entry.id)));
        self.back = lost;
        // Whoever is not in the log any more will not be read by a poll.
        self.glanced.clear();
        self.last = load.last;
        self.looked = None;
        self.history = Some(load.history);
        self.polled = Some(load.cursor.clone());
        self.cursor = Some(load.cursor);
        self.began = Some(load.began);
    }

    /// Remembers a write of this node's own until it was read.
    pub(super) fn wrote(&mut self, committed: &Committed) {
        if self.history.is_none() {
            return;
        }
        let over = self.over();
        self.own
            .retain(|write| write.entries.iter().any(|entry| entry.until > over));
        self.own.push(OwnWrite {
            entries: committed.entries.clone(),
            positions: committed.positions.clone(),
            history: committed.history,
        });
    }

    /// Up to `max` entries to write back: each starts its life anew, by the store's clock.
    pub(super) fn to_write_back(&self, max: usize) -> Vec<RevocationEntry> {
        let anew = |entry: &RevocationEntry| RevocationEntry {
            until: UnixTime::EPOCH,
            ..entry.clone()
        };
        self.back.iter().take(max).map(anew).collect()
    }

    /// Notes that entries were written back.
    pub(super) fn wrote_back(&mut self, written: &EntryIds) {
        self.back.retain(|entry| !written.contains(&entry.id));
    }

    /// What the store's clock shows while ours shows `wall`, as far as the last answers told.
    pub(super) fn store_time(&self, wall: UnixTime) -> UnixTime {
        self.store + wall.since(self.wall)
    }

    /// What the store's clock shows at `now`, or a little more, whatever our wall clock did meanwhile;
    /// `None` before it was heard of.
    pub(super) fn store_at(&self, now: Instants) -> Option<UnixTime> {
        let began = self.began?;
        Some(self.store + now.monotonic.saturating_sub(began.monotonic))
    }

    /// Notes both clocks; what ended before the answer is over by the highest time of either.
    ///
    /// Of the two the lower counts: one clock that jumps ahead then forgets nothing.
    pub(super) fn over_before(&mut self, wall: UnixTime, store: UnixTime) -> UnixTime {
        self.wall = self.wall.max(wall);
        self.store = self.store.max(store);
        self.over()
    }

    /// What ended before is over for certain, as far as the last answers told.
    fn over(&self) -> UnixTime {
        self.wall.min(self.store)
    }
}

impl Probe {
    pub(super) fn of(entry: &RevocationEntry) -> Self {
        Self {
            id: entry.id,
            until: entry.until,
        }
    }
}
