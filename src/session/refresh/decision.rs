//! The decision itself.
//!
//! What a genuine refresh token of a live session means, in the order in which it is asked:
//!
//! 1. A generation above the store's: the store was restored; go on after the token's generation.
//! 2. The current generation within the hold-off (two graces after the last rotation): the same
//!    answer again, since two tabs or a retry overtook each other. Later: rotate.
//! 3. The immediate predecessor, by the very operation that made its successor: a write of ours
//!    that is being settled; the same answer again.
//! 4. The immediate predecessor after its own lifetime and the grace: expired, like any other.
//! 5. The immediate predecessor within the grace: a lost answer; the same answer again.
//! 6. The immediate predecessor later, its successor never used: the answer never arrived, or a
//!    thief waits. The successor is *replaced*, and whoever shows it from now on is a thief.
//! 7. The immediate predecessor later, its successor used; anything older; anything replaced:
//!    two parties hold the session's tokens. It ends.
//!
//! A grace of zero is strict: 2 always rotates, 5 and 6 are theft.

use std::cmp::Ordering;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::token::SeedHash;
use crate::clock::UnixTime;

/// Where the refresh tokens of a session stand: all that a decision looks at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefreshState {
    /// The hash of the seed that every token of this session carries.
    pub seed: SeedHash,
    /// The current generation; the first is 1.
    pub generation: u32,
    /// The generation whose rotation made the current one; 0 before the first rotation.
    pub predecessor: u32,
    /// When the grace began to run: the last rotation, or a later replay of its predecessor while
    /// the successor was unused. Store time.
    pub rotated_at: UnixTime,
    /// Whether the current generation is known to be used.
    pub used: bool,
    /// Whether any generation ever was; never reset.
    pub ever_used: bool,
    /// `iat` of the current generation's access token.
    pub issued_at: UnixTime,
    /// `exp` of the current generation's access token.
    pub access_expires_at: UnixTime,
    /// When the current refresh token expires.
    pub expires_at: UnixTime,
    /// When the predecessor expires, before the grace is added.
    pub predecessor_expires_at: UnixTime,
    /// The operation that made the current generation, so that a repeated write finds itself.
    pub operation: u128,
    /// How many answers were given again since `repeats_since`.
    pub repeats: u32,
    /// When that count began.
    pub repeats_since: UnixTime,
}

/// What a deployment asks of rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefreshRules {
    /// How long a replay of the predecessor is taken for an accident; zero is strict.
    pub grace: Duration,
    /// How long a refresh token lives unless it is rotated.
    pub lifetime: Duration,
}

/// One attempt to refresh, as the decision sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presented {
    /// The generation of the presented token.
    pub generation: u32,
    /// Names this attempt; a repeated write of the same attempt carries the same. Chosen by the
    /// server, never by the client; 0 names none.
    pub operation: u128,
    /// `iat` of the access token that a rotation would make.
    pub issued_at: UnixTime,
    /// `exp` of that token, at most the session's absolute end.
    pub access_expires_at: UnixTime,
}

/// What [`RefreshState::decide`] was asked.
struct Attempt<'a> {
    presented: &'a Presented,
    rules: &'a RefreshRules,
    absolute_end: UnixTime,
    now: UnixTime,
}

/// What a presented refresh token means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefreshDecision {
    /// The session goes on to a new generation.
    Advance {
        /// What to write.
        state: RefreshState,
        /// A generation whose tokens are out from now on.
        skipped: Option<u32>,
        /// How it came about.
        how: Advance,
    },
    /// The presented predecessor has expired by its own lifetime.
    Expired,
    /// The answer of the current generation is given again; nothing is prolonged.
    Repeat {
        /// What to write.
        state: RefreshState,
        /// Why the replay was accepted.
        how: ReplayKind,
    },
    /// Someone else may have the token: the session ends.
    Theft,
    /// The answer was given again too often in one grace window.
    TooMany,
}

/// How a session came to a new generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Advance {
    /// The token was of a generation above the store's, as after a restored backup.
    Forwarded,
    /// The successor was never used, and its predecessor came back after the grace.
    Replaced,
    /// The current token was presented.
    Rotated,
}

/// Why an answer was given again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplayKind {
    /// The current token came again right after it was made.
    HoldOff,
    /// The immediate predecessor came again inside the grace.
    Predecessor,
    /// The very same write was repeated.
    SameOperation,
}

impl RefreshState {
    /// The most answers given again to one session within one grace.
    pub const MAX_REPEATS: u32 = 200;

    /// The state of a new session.
    #[must_use]
    pub fn first(
        seed: SeedHash,
        issued_at: UnixTime,
        access_expires_at: UnixTime,
        expires_at: UnixTime,
    ) -> Self {
        Self {
            seed,
            generation: 1,
            predecessor: 0,
            rotated_at: issued_at,
            used: false,
            ever_used: false,
            issued_at,
            access_expires_at,
            expires_at,
            predecessor_expires_at: UnixTime::EPOCH,
            operation: 0,
            repeats: 0,
            repeats_since: UnixTime::EPOCH,
        }
    }

    /// Decides what a presented token of this session means at `now`, the store's clock.
    ///
    /// The caller has already seen that the token's seed is the session's and that the session is
    /// alive; `absolute_end` bounds every new lifetime.
    #[must_use]
    pub fn decide(
        &self,
        presented: &Presented,
        rules: &RefreshRules,
        absolute_end: UnixTime,
        now: UnixTime,
    ) -> RefreshDecision {
        let attempt = Attempt {
            presented,
            rules,
            absolute_end,
            now,
        };
        match presented.generation.cmp(&self.generation) {
            Ordering::Greater => self.ahead(&attempt),
            Ordering::Equal => self.current(&attempt),
            // No token is of generation 0, which stands for "no predecessor".
            Ordering::Less if presented.generation == 0 => RefreshDecision::Theft,
            Ordering::Less if presented.generation == self.predecessor => self.previous(&attempt),
            Ordering::Less => RefreshDecision::Theft,
        }
    }

    /// A generation above the store's: the store was restored from a backup.
    fn ahead(&self, attempt: &Attempt<'_>) -> RefreshDecision {
        let generation = attempt.presented.generation;
        let Some(mut state) = self.advanced(generation, attempt) else {
            return RefreshDecision::Theft;
        };
        state.predecessor = generation;
        state.predecessor_expires_at = attempt.lifetime_from_now();
        RefreshDecision::Advance {
            state,
            skipped: None,
            how: Advance::Forwarded,
        }
    }

    fn current(&self, attempt: &Attempt<'_>) -> RefreshDecision {
        let rotated = self.predecessor != 0;
        if rotated && attempt.is_within(self.rotated_at, 2 * attempt.rules.grace) {
            let mut state = self.clone();
            state.used = true;
            state.ever_used = true;
            return state.repeated(ReplayKind::HoldOff, attempt);
        }
        let Some(mut state) = self.advanced(self.generation, attempt) else {
            return RefreshDecision::Theft;
        };
        state.predecessor = self.generation;
        state.predecessor_expires_at = self.expires_at;
        RefreshDecision::Advance {
            state,
            skipped: None,
            how: Advance::Rotated,
        }
    }

    fn previous(&self, attempt: &Attempt<'_>) -> RefreshDecision {
        let operation = attempt.presented.operation;
        if operation != 0 && operation == self.operation {
            return self.clone().repeated(ReplayKind::SameOperation, attempt);
        }
        if attempt.now >= self.predecessor_expires_at + attempt.rules.grace {
            return RefreshDecision::Expired;
        }
        if attempt.rules.is_strict() {
            return RefreshDecision::Theft;
        }
        if attempt.is_within(self.rotated_at, attempt.rules.grace) {
            let mut state = self.clone();
            // The client may not have got this answer either, so its next try gets a whole grace.
            // Once the successor was used it did get one, and the grace must end.
            if !state.used {
                state.rotated_at = attempt.now;
            }
            return state.repeated(ReplayKind::Predecessor, attempt);
        }
        if self.used {
            return RefreshDecision::Theft;
        }
        match self.advanced(self.generation, attempt) {
            Some(state) => RefreshDecision::Advance {
                state,
                skipped: Some(self.generation),
                how: Advance::Replaced,
            },
            None => RefreshDecision::Theft,
        }
    }

    /// The state with the generation after `generation`; `None` where numbers end.
    fn advanced(&self, generation: u32, attempt: &Attempt<'_>) -> Option<Self> {
        let presented = attempt.presented;
        Some(Self {
            generation: generation.checked_add(1)?,
            rotated_at: attempt.now,
            used: false,
            ever_used: true,
            issued_at: presented.issued_at,
            access_expires_at: presented.access_expires_at.min(attempt.absolute_end),
            expires_at: attempt.lifetime_from_now(),
            operation: presented.operation,
            ..self.clone()
        })
    }

    fn repeated(mut self, how: ReplayKind, attempt: &Attempt<'_>) -> RefreshDecision {
        let counting = self.repeats_since <= attempt.now
            && attempt.is_within(self.repeats_since, attempt.rules.grace);
        if !counting {
            self.repeats_since = attempt.now;
            self.repeats = 0;
        }
        if self.repeats >= Self::MAX_REPEATS {
            return RefreshDecision::TooMany;
        }
        self.repeats += 1;
        RefreshDecision::Repeat { state: self, how }
    }
}

impl RefreshRules {
    fn is_strict(&self) -> bool {
        self.grace.is_zero()
    }
}

impl Attempt<'_> {
    /// Whether `window` after `start` is not over yet. It never is open under strict rules, not
    /// even when the store's clock was set back.
    fn is_within(&self, start: UnixTime, window: Duration) -> bool {
        !self.rules.is_strict() && self.now < start + window
    }

    fn lifetime_from_now(&self) -> UnixTime {
        (self.now + self.rules.lifetime).min(self.absolute_end)
    }
}
