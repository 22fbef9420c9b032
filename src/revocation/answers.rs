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
#[derive(Debug)]
pub(super) struct Answers {
    cache: Cache<(SessionId, u32), Arc<Remembered>, RandomState>,
}

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
        Self {
            cache: Cache::builder()
                .max_capacity(max)
                .time_to_live(lifetime.min(LONGEST))
                .build_with_hasher(RandomState::default()),
        }
    }

    /// The answer about a token, if one is remembered that was asked for under this stamp.
    pub(super) fn get(&self, facts: &TokenFacts, stamp: Stamp, now: UnixTime) -> Option<Answer> {
        let remembered = self.cache.get(&key(facts)?)?;
        let counts =
            remembered.stamp == stamp && now < remembered.until && remembered.facts == *facts;
        counts.then(|| remembered.answer.clone())
    }

    /// Remembers the answer to a question that was sent after `stamp` was read, at `asked`.
    pub(super) fn put(&self, facts: &TokenFacts, stamp: Stamp, asked: UnixTime, answer: &Answer) {
        let Some(key) = key(facts) else { return };
        let until = match answer {
            Answer::Alive => facts.expires_at,
            _ => asked + REFUSED,
        };
        let remembered = Remembered {
            facts: facts.clone(),
            stamp,
            answer: answer.clone(),
            until,
        };
        self.cache.insert(key, Arc::new(remembered));
    }

    /// Forgets everything.
    pub(super) fn clear(&self) {
        self.cache.invalidate_all();
    }
}

fn key(facts: &TokenFacts) -> Option<(SessionId, u32)> {
    Some((facts.session?, facts.binding?.generation))
}

/// How long a "no" is remembered: long enough that a token which is presented in a loop does not
/// reach the store each time, short enough that a store that finds its records again is heard.
const REFUSED: Duration = Duration::from_secs(1);

/// The cache takes no lifetime above a thousand years.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);
