//! What the decision and the token have to hold.

mod clauses;
mod clients;
mod stories;
mod thieves;
mod token;

use std::time::Duration;

use super::{
    Advance, Presented, RefreshDecision, RefreshRules, RefreshState, ReplayKind, SeedHash,
};
use crate::clock::UnixTime;
use crate::testing::ManualClock;

const GRACE: Duration = Duration::from_secs(30);
const ACCESS: Duration = Duration::from_secs(2 * 60 * 60);
const LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const ABSOLUTE: Duration = Duration::from_secs(90 * 24 * 60 * 60);
const SECOND: Duration = Duration::from_secs(1);

/// A session's refresh state with the rules and the clock of its store.
#[derive(Clone)]
struct Line {
    state: RefreshState,
    rules: RefreshRules,
    absolute_end: UnixTime,
    now: UnixTime,
    operation: u128,
    /// Skipped generations, whose access tokens the log puts out.
    skipped: Vec<u32>,
    ended: bool,
}

/// What a client gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answer {
    /// A new generation.
    New(u32, Advance),
    /// The current generation's answer.
    Same(u32, ReplayKind),
    /// Nothing; the session goes on.
    Expired,
    TooMany,
    /// Nothing; the session ended by this.
    Theft,
    /// Nothing; it had ended before.
    Over,
}

impl Line {
    fn new() -> Self {
        Self::with_grace(GRACE)
    }

    fn with_grace(grace: Duration) -> Self {
        let now = ManualClock::START;
        let seed = SeedHash::from_bytes([1; 32]);
        Self {
            state: RefreshState::first(seed, now, now + ACCESS, now + LIFETIME),
            rules: RefreshRules {
                grace,
                lifetime: LIFETIME,
            },
            absolute_end: now + ABSOLUTE,
            now,
            operation: 0,
            skipped: Vec::new(),
            ended: false,
        }
    }

    /// One that rotated for the last time just now, so that 2 is current and 1 its predecessor.
    fn rotated() -> Self {
        let mut line = Self::new();
        assert_eq!(line.refresh(1), Answer::New(2, Advance::Rotated));
        line
    }

    fn pass(&mut self, time: Duration) -> &mut Self {
        self.now = self.now + time;
        self
    }

    fn refresh(&mut self, generation: u32) -> Answer {
        self.operation += 1;
        self.refresh_by(generation, self.operation)
    }

    fn decide(&self, generation: u32, operation: u128) -> RefreshDecision {
        let presented = Presented {
            generation,
            operation,
            issued_at: self.now,
            access_expires_at: self.now + ACCESS,
        };
        self.state
            .decide(&presented, &self.rules, self.absolute_end, self.now)
    }

    fn refresh_by(&mut self, generation: u32, operation: u128) -> Answer {
        if self.ended {
            return Answer::Over;
        }
        if self.now >= self.state.expires_at || self.now >= self.absolute_end {
            return Answer::Expired;
        }
        match self.decide(generation, operation) {
            RefreshDecision::Advance {
                state,
                skipped,
                how,
            } => {
                self.state = state;
                self.skipped.extend(skipped);
                Answer::New(self.state.generation, how)
            }
            RefreshDecision::Repeat { state, how } => {
                self.assert_nothing_prolonged_by(&state);
                self.state = state;
                Answer::Same(self.state.generation, how)
            }
            RefreshDecision::Expired => Answer::Expired,
            RefreshDecision::TooMany => Answer::TooMany,
            RefreshDecision::Theft => {
                self.ended = true;
                Answer::Theft
            }
        }
    }

    /// An access token of this generation comes to a node that asks the store about it.
    fn admit(&mut self, generation: u32) -> bool {
        if self.ended || self.skipped.contains(&generation) {
            return false;
        }
        self.state.ever_used = true;
        self.state.used |= generation == self.state.generation;
        true
    }

    fn assert_nothing_prolonged_by(&self, after: &RefreshState) {
        let lifetimes = |state: &RefreshState| {
            (
                state.generation,
                state.predecessor,
                state.issued_at,
                state.access_expires_at,
                state.expires_at,
                state.predecessor_expires_at,
                state.operation,
            )
        };
        assert_eq!(lifetimes(after), lifetimes(&self.state));
    }
}

impl Answer {
    /// The generation of the pair that came.
    fn generation(self) -> Option<u32> {
        match self {
            Self::New(generation, _) | Self::Same(generation, _) => Some(generation),
            _ => None,
        }
    }

    /// Whether this answer sets a refresh cookie: that of the hold-off does not.
    fn sets_cookie(self) -> bool {
        self.generation().is_some() && !matches!(self, Self::Same(_, ReplayKind::HoldOff))
    }
}

/// A small generator, so that a failing run can be repeated (SplitMix64).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn percent(&mut self, chance: u64) -> bool {
        self.next() % 100 < chance
    }

    fn up_to(&mut self, time: Duration) -> Duration {
        Duration::from_micros(self.next() % (time.as_micros() as u64 + 1))
    }
}
