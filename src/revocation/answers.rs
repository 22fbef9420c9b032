//! What the store has said of sessions, so that it need not be asked twice.

use std::sync::Arc;
use std::time::Duration;

use foldhash::fast::RandomState;
use moka::sync::Cache;

use super::local::Stamp;
use super::store::Answer;
use crate::clock::UnixTime;
use crate::token::SessionId;
use crate::verify::TokenFacts;

/// Answers about sessions, by session and generation.
///
/// It may lose any of them: that costs a question and admits nobody. An answer counts only for
/// the very facts that were asked about and for whoever read the same stamp, and only for a time
/// of its own, measured by our clock and not by the cache's.
///
/// A "no" is of use for a moment, and anybody who was ever given a token can have as many as they
/// like: so these are few, stand by themselves, and take no room from those that let somebody in.
#[derive(Debug)]
pub(super) struct Answers {
    alive: Kept,
    refused: Kept,
}

type Kept = Cache<(SessionId, u32), Arc<Remembered>, RandomState>;

#[derive(Debug)]
struct Remembered {
    facts: TokenFacts,
    stamp: Stamp,
    answer: Answer,
    until: UnixTime,
}

impl Answers {
    /// Remembers up to `max` answers; none is of use for longer than `lifetime`.
    pub(super) fn new(max: u64, lifetime: Duration) -> Self {
        let kept = |max, lifetime| {
            Cache::builder()
                .max_capacity(max)
                .time_to_live(lifetime)
                .build_with_hasher(RandomState::default())
        };
        Self {
            alive: kept(max, lifetime.min(LONGEST)),
            refused: kept(max.min(MOST_REFUSED), LET_GO),
        }
    }

    /// The answer about a token, if one is remembered that was asked for under this stamp.
    pub(super) fn get(&self, facts: &TokenFacts, stamp: Stamp, now: UnixTime) -> Option<Answer> {
        let key = key(facts)?;
        let counts = |kept: &Kept| {
            let remembered = kept.get(&key)?;
            let counts =
                remembered.stamp == stamp && now < remembered.until && remembered.facts == *facts;
            counts.then(|| remembered.answer.clone())
        };
        counts(&self.refused).or_else(|| counts(&self.alive))
    }

    /// Remembers the answer to a question that was sent after `stamp` was read, at `asked`.
    pub(super) fn put(&self, facts: &TokenFacts, stamp: Stamp, asked: UnixTime, answer: &Answer) {
        let Some(key) = key(facts) else { return };
        let (until, here, there) = match answer {
            Answer::Alive => (facts.expires_at, &self.alive, &self.refused),
            _ => (asked + REFUSED, &self.refused, &self.alive),
        };
        let remembered = Remembered {
            facts: facts.clone(),
            stamp,
            answer: answer.clone(),
            until,
        };
        here.insert(key, Arc::new(remembered));
        there.invalidate(&key);
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        self.alive.invalidate_all();
        self.refused.invalidate_all();
    }

    /// How many there are of each.
    #[cfg(test)]
    pub(super) fn len(&self) -> (u64, u64) {
        let count = |kept: &Kept| {
            kept.run_pending_tasks();
            kept.entry_count()
        };
        (count(&self.alive), count(&self.refused))
    }
}

fn key(facts: &TokenFacts) -> Option<(SessionId, u32)> {
    Some((facts.session?, facts.binding?.generation))
}

/// How long a "no" is remembered: long enough that a token which is presented in a loop does not
/// reach the store each time, short enough that a store that finds its records again is heard.
const REFUSED: Duration = Duration::from_secs(1);

/// What ten cores may ask in that time by the default share for bad tokens.
const MOST_REFUSED: u64 = 10_000;

/// When the cache lets a "no" go by its own clock: well after it is of no more use by ours.
const LET_GO: Duration = Duration::from_secs(10);

/// The cache takes no lifetime above a thousand years.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);
