//! How often somebody may try: limits on sign-ins, registrations and refreshes.
//!
//! | attempt | counted by | at most, in a window |
//! |---|---|---|
//! | sign in, register, refresh | the client's address (IPv6: its /64, which one customer has) | the limit |
//! | sign in | the account *and* that address | a quarter of it, at least 5 |
//! | refresh | the session of a genuine token | the limit |
//!
//! An account is never counted by itself: else anybody who knows an e-mail address could keep its
//! owner out by guessing. So guessing is slowed where the guesses come from, and the owner, who
//! comes from elsewhere, does not notice. Whoever guesses from many networks at once is slowed by
//! each of them, and by the price of a password hash. A session is counted only by tokens that are
//! genuine, which no stranger has.
//!
//! Attempts come back one by one, evenly over the window, not all at its end. Where no address is
//! known, only sessions are counted, and that is logged once: all would share one count, and
//! whoever uses it up would keep everybody out.
//!
//! Counts are of this node, in a bounded amount of memory. When there are more addresses at once
//! than fit, further ones share counts, some thousand of them.

#[cfg(feature = "rate-limit")]
mod keyed;
#[cfg(not(feature = "rate-limit"))]
#[path = "without_keyed.rs"]
mod keyed;
mod limit;

use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub use limit::RateLimit;

use crate::clock::Clock;
use crate::telemetry;
use crate::token::SessionId;
use keyed::Keyed;

/// What somebody tries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Attempt<'a> {
    /// To refresh a session.
    Refresh,
    /// To make an account.
    Register,
    /// To sign in to an account, by the name as it was given.
    SignIn {
        /// The name.
        account: &'a str,
    },
}

/// What is left of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allowance {
    /// How many attempts there are in a window.
    pub limit: u32,
    /// How many are left right now.
    pub remaining: u32,
    /// When all of them are back.
    pub reset: Duration,
}

/// There were too many attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exceeded {
    /// The limit, with nothing left of it.
    pub allowance: Allowance,
    /// When the next attempt will be let through.
    pub retry_after: Duration,
}

/// Counts attempts. Cloning shares the counts.
#[derive(Clone)]
pub struct RateLimiter {
    counts: Option<Arc<Counts>>,
}

struct Counts {
    addresses: Keyed,
    accounts: Keyed,
    sessions: Keyed,
    // Seeded at random: nobody can choose names that share a count.
    hasher: RandomState,
    told: AtomicBool,
}

impl Counts {
    fn tell_of_unknown(&self) {
        if !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "attempts are not limited: no address of a client is known; put \
                 `client_addresses()` around the routes, and say who the peer is (told once)"
            );
        }
    }
}

impl RateLimiter {
    /// Counts by a clock. What [`RateLimit::is_off`] says is never counted.
    #[must_use]
    pub fn new(limit: RateLimit, clock: &Arc<dyn Clock>) -> Self {
        let counts = || {
            Some(Counts {
                addresses: Keyed::new(limit, clock)?,
                accounts: Keyed::new(limit.of_one_account(), clock)?,
                sessions: Keyed::new(limit, clock)?,
                hasher: RandomState::new(),
                told: AtomicBool::new(false),
            })
        };
        Self {
            counts: counts().map(Arc::new),
        }
    }

    /// Counts an attempt from an address, and says whether it may go on; `None` where nothing is
    /// limited.
    ///
    /// # Errors
    ///
    /// [`Exceeded`].
    pub fn attempt(
        &self,
        attempt: Attempt<'_>,
        address: Option<IpAddr>,
    ) -> Result<Option<Allowance>, Exceeded> {
        let result = self.take(attempt, address);
        if result.is_err() {
            telemetry::throttled(Some(attempt));
        }
        result
    }

    fn take(
        &self,
        attempt: Attempt<'_>,
        address: Option<IpAddr>,
    ) -> Result<Option<Allowance>, Exceeded> {
        let Some(counts) = &self.counts else {
            return Ok(None);
        };
        let Some(address) = address else {
            counts.tell_of_unknown();
            return Ok(None);
        };
        let network = network(address);
        let by_address = counts.addresses.take(counts.hasher.hash_one(network))?;
        let Attempt::SignIn { account } = attempt else {
            return Ok(Some(by_address));
        };
        let key = counts.hasher.hash_one((folded(account), network));
        let by_account = counts.accounts.take(key)?;
        let tighter = by_account.remaining < by_address.remaining;
        Ok(Some(if tighter { by_account } else { by_address }))
    }

    /// Counts a refresh of a session, by a token that is genuine.
    ///
    /// # Errors
    ///
    /// [`Exceeded`].
    pub fn session(&self, session: SessionId) -> Result<Option<Allowance>, Exceeded> {
        let take = |counts: &Arc<Counts>| {
            let key = counts.hasher.hash_one(session.to_string());
            counts.sessions.take(key)
        };
        let result = self.counts.as_ref().map(take).transpose();
        if result.is_err() {
            telemetry::throttled(None);
        }
        result
    }

    /// Whether this build can count.
    pub(crate) const IS_BUILT: bool = keyed::IS_BUILT;

    /// Whether anything is counted.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.counts.is_some()
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter")
            .field("is_on", &self.is_on())
            .finish_non_exhaustive()
    }
}

/// What one customer has of addresses: all of IPv4's, the first 64 bits of IPv6's.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).into(),
        address => address,
    }
}

/// Spellings of a name that an application may take for the same.
fn folded(account: &str) -> String {
    account.trim().to_lowercase()
}
