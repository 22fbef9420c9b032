//! What a node knows by itself, and the order in which that is read and written.
//!
//! Every function here keeps an order that the others rely on:
//!
//! 1. A change is in the view before the epoch is raised, and the epoch is raised before
//!    anybody is told that the change holds.
//! 2. Who looks reads the epoch first, then whether the view can answer, then the view. What
//!    changes meanwhile raises the epoch, so the result is remembered for nobody.
//! 3. The view may answer longer only after everything that a poll read is in and raised; so a
//!    warm request asks whether the view may answer before it reads the epoch.
//! 4. A new era begins before the epochs are raised, so that whoever sees them raised asks anew.

use std::time::Duration;

use super::entry::{Effect, RevocationEntry};
use super::epochs::Epochs;
use super::fresh::Freshness;
use super::shelf::Put;
use super::view::View;
use crate::clock::Instants;
use crate::sync::{AtomicU64, Ordering};
use crate::verify::{Standing, TokenFacts};

/// Epochs, view, freshness and the era of confirmations.
#[derive(Debug)]
pub(crate) struct Local {
    epochs: Epochs,
    fresh: Freshness,
    /// The era of confirmations: what the store confirmed in an earlier one does not count.
    era: AtomicU64,
    view: View,
}

/// What was read before a question was sent or the view was searched. An answer counts only
/// for those who have read the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Stamp {
    pub(crate) epoch: u64,
    pub(crate) era: u64,
}

/// What a search of the view came to.
#[derive(Debug)]
pub(crate) struct Search {
    /// What was read before.
    pub(crate) stamp: Stamp,
    /// Whether finding nothing means that there is nothing.
    pub(crate) sure: bool,
    /// What was found.
    pub(crate) effect: Option<Effect>,
}

impl Local {
    pub(crate) fn new(shards: usize, max_entries: usize, skew: Duration) -> Self {
        Self {
            epochs: Epochs::new(shards),
            fresh: Freshness::never(),
            era: AtomicU64::new(1),
            view: View::new(shards, max_entries, skew),
        }
    }

    pub(crate) fn view(&self) -> &View {
        &self.view
    }

    pub(crate) fn fresh(&self) -> &Freshness {
        &self.fresh
    }

    /// Whether a token that was admitted before is still in: nothing about its user changed
    /// since. `confirmed` asks for a confirmation of this era, too.
    pub(crate) fn is_still_in(&self, standing: &Standing, confirmed: bool, now: Instants) -> bool {
        let Some(group) = standing.group.load(Ordering::Relaxed).checked_sub(1) else {
            return false;
        };
        self.fresh.holds(now)
            && self.epochs.current(group) == standing.epoch.load(Ordering::Acquire)
            && (!confirmed || self.is_confirmed(standing, self.era.load(Ordering::Acquire)))
    }

    /// Whether the store has confirmed a token in `era`.
    pub(crate) fn is_confirmed(&self, standing: &Standing, era: u64) -> bool {
        standing.confirmed.load(Ordering::Acquire) == era
    }

    /// Whether this node has admitted a token, and would know if it had heard of its end since: a
    /// view without room for all of it knows only that nothing came.
    pub(crate) fn may_go_on(&self, standing: &Standing) -> bool {
        let Some(group) = standing.group.load(Ordering::Relaxed).checked_sub(1) else {
            return false;
        };
        let epoch = standing.epoch.load(Ordering::Acquire);
        epoch != 0 && (self.epochs.current(group) == epoch || self.view.is_complete())
    }

    /// Searches the view for a token.
    pub(crate) fn search(&self, facts: &TokenFacts, now: Instants) -> Search {
        let stamp = self.stamp(facts);
        let sure = self.fresh.holds(now) && self.view.is_complete();
        Search {
            stamp,
            sure,
            effect: self.view.effect(facts),
        }
    }

    /// Remembers that a token was not found after `stamp` was read, and whether the store
    /// confirmed it in an answer to a question that was sent after that.
    pub(crate) fn admit(
        &self,
        facts: &TokenFacts,
        standing: &Standing,
        stamp: Stamp,
        confirmed: bool,
    ) {
        // Always the same number, so it matters to nobody when it is seen.
        let group = self.group(facts) + 1;
        standing.group.store(group, Ordering::Relaxed);
        if confirmed {
            standing.confirmed.fetch_max(stamp.era, Ordering::AcqRel);
        }
        standing.epoch.fetch_max(stamp.epoch, Ordering::AcqRel);
    }

    /// Takes in an entry of the log. When this returns it holds for every request to come.
    pub(crate) fn apply(&self, entry: RevocationEntry) -> Put {
        let user = self.subject(&entry);
        let put = self.view.put(entry);
        self.epochs.raise(user);
        put
    }

    /// Takes in an entry whose write is under way.
    pub(crate) fn hold(&self, entry: RevocationEntry) {
        let user = self.subject(&entry);
        self.view.hold(entry);
        self.epochs.raise(user);
    }

    /// Takes in a part of the whole log, of which [`reloaded`](Self::reloaded) says the end. What
    /// this node knew before stays: a log that lost its end, or was read before a write of ours,
    /// takes nothing back.
    pub(crate) fn fill(&self, part: impl IntoIterator<Item = RevocationEntry>) {
        for entry in part {
            self.view.put(entry);
        }
    }

    /// Says that the whole log, as it was read after `overflows`, is in the view.
    pub(crate) fn reloaded(&self, overflows: u64, new_era: bool) {
        self.view.settle(overflows);
        if new_era {
            self.era.fetch_add(1, Ordering::AcqRel);
        }
        self.epochs.raise(None);
    }

    /// The hash of the user that an entry concerns, where that is known.
    pub(crate) fn subject(&self, entry: &RevocationEntry) -> Option<u64> {
        let user = entry.revoked.user()?;
        Some(self.view.hashes().user(user))
    }

    fn stamp(&self, facts: &TokenFacts) -> Stamp {
        let epoch = self.epochs.current(self.group(facts));
        Stamp {
            epoch,
            era: self.era.load(Ordering::Acquire),
        }
    }

    fn group(&self, facts: &TokenFacts) -> usize {
        self.epochs.group(self.view.hashes().user(&facts.user))
    }
}
