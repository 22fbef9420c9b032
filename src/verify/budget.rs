//! How much of the processor checking may take that comes to nothing.

use std::net::IpAddr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::available_parallelism;
use std::time::Duration;

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;

use super::cache::seed;
use super::keys::Algorithm;
use crate::clock::UnixTime;
use crate::crypto::COSTS;

/// How much of each processor core may go into signatures of tokens that turn out to be good for
/// nothing: forged, expired, for somebody else, or of a session that the store does not know.
///
/// Only failures are charged, so any number of good tokens that are new to a node is checked at
/// once. When the share is spent, tokens that are not known yet are answered with 503 and
/// `Retry-After` instead of being checked; those that were admitted before never notice. Half of
/// what may be owed is kept for clients whose network has sent next to nothing bad of late, where
/// [their address is known](crate::ClientAddress).
///
/// It is reckoned by what a signature costs on an ordinary core, so on one that is half as fast
/// the share is twice as large. MACs cost less than a refusal and are not charged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadTokenShare(Option<u8>);

/// What was spent of the share, and who spent it.
pub(super) struct Budget {
    /// How long a nanosecond that was spent takes to be made up for; `None` without a limit.
    price: Option<u64>,
    /// When all that was spent is made up for, in nanoseconds of the wall clock.
    even_at: AtomicU64,
    /// The same for each of many groups of networks, each bad token for a second.
    networks: OnceLock<Box<[AtomicU64]>>,
    hasher: SeedableRandomState,
}

/// How much of what may be owed is open to a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purse {
    /// All of it and more: for what must be read, whatever it costs.
    Any,
    /// The half that is open to everybody.
    Common,
    /// All of it.
    Reserve,
}

impl BadTokenShare {
    /// No limit: every token is checked as soon as it comes.
    pub const UNLIMITED: Self = Self(None);

    /// So many percent of each core; below one it is one, and a hundred or more is no limit.
    #[must_use]
    pub const fn percent(percent: u8) -> Self {
        match percent {
            0 => Self(Some(1)),
            1..100 => Self(Some(percent)),
            _ => Self::UNLIMITED,
        }
    }
}

impl Default for BadTokenShare {
    /// A tenth: thousands of forged tokens a second on each core before anybody new is asked to
    /// wait, and good requests still have nine tenths.
    fn default() -> Self {
        Self::percent(10)
    }
}

impl Budget {
    pub(super) fn new(share: BadTokenShare) -> Self {
        let cores = available_parallelism().map_or(1, |cores| cores.get() as u64);
        Self {
            price: share.0.map(|percent| PRICE / (u64::from(percent) * cores)),
            even_at: AtomicU64::new(0),
            networks: OnceLock::new(),
            hasher: SeedableRandomState::with_seed(seed(), SharedSeed::global_random()),
        }
    }

    /// Whether another signature may be checked.
    pub(super) fn allows(&self, algorithm: Algorithm, purse: Purse, now: UnixTime) -> bool {
        let limit = match purse {
            Purse::Any => return true,
            Purse::Common => MOST_OWED / 2,
            Purse::Reserve => MOST_OWED,
        };
        let owed = self.even_at.load(Ordering::Relaxed);
        let owed = owed.saturating_sub(nanos(now));
        // A clock that was set back makes it look like more than can be.
        self.price.is_none() || algorithm.is_symmetric() || owed < limit || owed > 2 * MOST_OWED
    }

    /// Notes that so much was spent in vain.
    pub(super) fn charge(&self, spent: Duration, now: UnixTime) {
        if let Some(price) = self.price
            && !spent.is_zero()
        {
            let spent = u64::try_from(spent.as_nanos()).unwrap_or(u64::MAX);
            owe(
                &self.even_at,
                spent.saturating_mul(price) / PRICE_UNIT,
                MOST_OWED,
                now,
            );
        }
    }

    /// Notes that a client of this network sent something bad.
    pub(super) fn note(&self, network: IpAddr, now: UnixTime) {
        if self.price.is_some() {
            owe(self.network(network), EACH_BAD_TOKEN, LONGEST_GRUDGE, now);
        }
    }

    /// Whether next to nothing bad has come from there of late.
    pub(super) fn trusts(&self, network: IpAddr, now: UnixTime) -> bool {
        let owed = self.network(network).load(Ordering::Relaxed);
        let owed = owed.saturating_sub(nanos(now));
        !(FORGIVEN..=2 * LONGEST_GRUDGE).contains(&owed)
    }

    fn network(&self, network: IpAddr) -> &AtomicU64 {
        use std::hash::BuildHasher as _;

        let networks = self
            .networks
            .get_or_init(|| (0..NETWORKS).map(|_| AtomicU64::new(0)).collect());
        &networks[self.hasher.hash_one(network) as usize % networks.len()]
    }
}

/// What checking a signature costs on a core of the early 2020s. RSA as of 2048 bits.
pub(super) const fn cost(algorithm: Algorithm) -> Duration {
    Duration::from_micros(match algorithm {
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => 0,
        Algorithm::Rs256 | Algorithm::Rs384 | Algorithm::Rs512 => COSTS.rsa,
        Algorithm::Ps256 | Algorithm::Ps384 | Algorithm::Ps512 => COSTS.rsa,
        Algorithm::EdDsa => COSTS.ed,
        Algorithm::Es256 => COSTS.p256,
        Algorithm::Es384 => COSTS.p384,
    })
}

/// What a question to the store costs a node and its store, with the signature before it.
pub(super) fn question(algorithm: Algorithm) -> Duration {
    LEAST_QUESTION.max(cost(algorithm) + ASKING)
}

const LEAST_QUESTION: Duration = Duration::from_micros(100);
const ASKING: Duration = Duration::from_micros(40);

/// Moves the instant when all is made up for, never further than `most` from now.
fn owe(even_at: &AtomicU64, more: u64, most: u64, now: UnixTime) {
    let now = nanos(now);
    // Never refused: the function always has a next value.
    let _ = even_at.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |at| {
        let at = at.max(now).min(now.saturating_add(most));
        Some(at.saturating_add(more))
    });
}

fn nanos(now: UnixTime) -> u64 {
    now.as_micros().saturating_mul(1_000)
}

/// A whole share of one core costs one for one; the price is counted in hundredths of this.
const PRICE_UNIT: u64 = 1_000_000;
const PRICE: u64 = 100 * PRICE_UNIT;

/// How far ahead may be spent. In quiet times that much is free, and after a flood it takes as
/// long until all is as before.
const MOST_OWED: u64 = 1_000_000_000;

/// A network is trusted with ten bad tokens at once and one a second from then on: an office full
/// of people who come back to expired tokens is no flood. After a minute nothing is left of it.
const EACH_BAD_TOKEN: u64 = 1_000_000_000;
const FORGIVEN: u64 = 10_000_000_000;
const LONGEST_GRUDGE: u64 = 60_000_000_000;

/// Networks share counts, so whoever floods from a hundred of them takes one in 160 others along.
const NETWORKS: usize = 16 * 1_024;

#[cfg(test)]
mod tests;
