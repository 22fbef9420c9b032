//! One node: a key ring, a verified-token cache, what it knows by itself, and a store to ask.

use std::sync::Arc as StdArc;
use std::time::Duration;

use loom::sync::Mutex;
use loom::sync::atomic::{AtomicBool, Ordering};

use crate::clock::{Instants, UnixTime};
use crate::revocation::entry::{EntryId, RevocationEntry, Revoked};
use crate::revocation::local::{Local, Stamp};
use crate::verify::stamp::{RingVersion, Stamp as RingStamp};
use crate::verify::{Standing, TokenFacts};

pub(crate) const TOKEN: TokenFacts = TokenFacts {
    user: 1,
    session: 0,
};
pub(crate) const BOUND: Duration = Duration::from_secs(30);

pub(crate) struct Node {
    pub(crate) local: Local,
    pub(crate) store: Store,
    pub(crate) ring: Ring,
    cache: Mutex<Option<Cached>>,
    confirm: bool,
}

/// The store answers at one instant: whether the session is there and not ended.
pub(crate) struct Store {
    pub(crate) ended: AtomicBool,
    pub(crate) lost: AtomicBool,
}

pub(crate) struct Ring {
    pub(crate) key: AtomicBool,
    pub(crate) version: RingVersion,
}

struct Cached {
    ring: RingStamp,
    standing: StdArc<Standing>,
}

/// How a request goes about it. `true` keeps the rule.
#[derive(Clone, Copy)]
pub(crate) struct Order {
    /// The version of the ring is read before the signature is checked.
    pub(crate) version_first: bool,
    /// The epoch is read before the view is searched.
    pub(crate) epoch_first: bool,
    /// The stamp is read before the store is asked.
    pub(crate) stamp_first: bool,
    /// A warm request asks for freshness before it reads the epoch.
    pub(crate) fresh_first: bool,
}

pub(crate) const KEPT: Order = Order {
    version_first: true,
    epoch_first: true,
    stamp_first: true,
    fresh_first: true,
};

impl Node {
    /// A node with a fresh and empty view that has room for `room` entries. `confirm` asks the
    /// store once about each token.
    pub(crate) fn new(room: usize, confirm: bool) -> Self {
        let node = Self::stale(room, confirm);
        node.local.fresh().extend(now(), BOUND);
        node
    }

    /// The same with a view that may not answer.
    pub(crate) fn stale(room: usize, confirm: bool) -> Self {
        Self {
            local: Local::new(2, room, Duration::ZERO),
            store: Store {
                ended: AtomicBool::new(false),
                lost: AtomicBool::new(false),
            },
            ring: Ring {
                key: AtomicBool::new(true),
                version: RingVersion::default(),
            },
            cache: Mutex::new(None),
            confirm,
        }
    }

    /// One request with the token; whether it was admitted.
    pub(crate) fn request(&self, order: Order) -> bool {
        let Some(standing) = self.verify(order) else {
            return false;
        };
        if self.is_warm(&standing, order) {
            return true;
        }
        let Some((stamp, sure)) = self.search(order) else {
            return false;
        };
        let first_sight = self.confirm && !self.local.is_confirmed(&standing, stamp.era);
        if sure && !first_sight {
            self.local.admit(&TOKEN, &standing, stamp, false);
            return true;
        }
        if !self.store.says_alive() {
            return false;
        }
        let stamp = if order.stamp_first {
            stamp
        } else {
            self.local.search(&TOKEN, now()).stamp
        };
        if self.local.view().effect(&TOKEN).is_some() {
            return false;
        }
        self.local.admit(&TOKEN, &standing, stamp, true);
        true
    }

    /// Ends the session here; when this returns no later request may be admitted.
    pub(crate) fn revoke(&self) {
        self.local.hold(entry());
        self.store.ended.store(true, Ordering::Release);
        self.local.apply(entry());
        self.local.view().release(&entry());
    }

    /// Reads what the store's log holds at this instant.
    pub(crate) fn log(&self) -> Option<RevocationEntry> {
        let ended = self.store.ended.load(Ordering::Acquire);
        ended.then(entry)
    }

    /// Loads the whole log.
    pub(crate) fn reload(&self, new_era: bool) {
        let overflows = self.local.view().overflows();
        self.local.fill(self.log());
        self.local.reloaded(overflows, new_era);
    }

    /// Takes the key out of the ring; when this returns no later request may be admitted.
    pub(crate) fn remove_key(&self) {
        self.ring.key.store(false, Ordering::Release);
        self.ring.version.raise();
        self.purge();
    }

    pub(crate) fn purge(&self) {
        self.cache.lock().unwrap().take();
    }

    fn verify(&self, order: Order) -> Option<StdArc<Standing>> {
        let version = self.ring.version.read();
        if let Some(cached) = self.cache.lock().unwrap().as_ref()
            && self.ring.version.admits(cached.ring)
        {
            return Some(cached.standing.clone());
        }
        if !self.ring.key.load(Ordering::Acquire) {
            return None;
        }
        let ring = if order.version_first {
            version
        } else {
            self.ring.version.read()
        };
        let standing = StdArc::new(Standing::new());
        *self.cache.lock().unwrap() = Some(Cached {
            ring,
            standing: standing.clone(),
        });
        Some(standing)
    }

    fn is_warm(&self, standing: &Standing, order: Order) -> bool {
        if order.fresh_first {
            return self.local.is_still_in(standing, self.confirm, now());
        }
        let stamp = self.local.search(&TOKEN, now()).stamp;
        let confirmed = !self.confirm || self.local.is_confirmed(standing, stamp.era);
        let same = standing.epoch.load(Ordering::Acquire) == stamp.epoch;
        confirmed && same && self.local.fresh().holds(now())
    }

    /// What was read before, and whether nothing found means that there is nothing; `None` when
    /// something was found.
    fn search(&self, order: Order) -> Option<(Stamp, bool)> {
        let early = (!order.epoch_first).then(|| self.local.view().effect(&TOKEN));
        let search = self.local.search(&TOKEN, now());
        let effect = early.unwrap_or(search.effect);
        effect.is_none().then_some((search.stamp, search.sure))
    }
}

impl Store {
    fn says_alive(&self) -> bool {
        !self.ended.load(Ordering::Acquire) && !self.lost.load(Ordering::Acquire)
    }
}

pub(crate) fn entry() -> RevocationEntry {
    RevocationEntry {
        id: EntryId(1),
        revoked: Revoked {
            session: TOKEN.session,
            user: Some(TOKEN.user),
        },
    }
}

pub(crate) fn now() -> Instants {
    Instants {
        wall: UnixTime::from_micros(1_000_000),
        monotonic: Duration::from_secs(1),
    }
}
