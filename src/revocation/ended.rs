//! Hearing of the end of a token that is already in.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::entry::{Effect, EndReason};
use super::epochs::shard;
use super::{ActiveToken, Refusal, Revocations};

/// Wakes those who wait for the end of a token, by groups of users as the epochs are.
#[derive(Debug)]
pub(super) struct Wakers {
    shards: Box<[Notify]>,
}

impl Wakers {
    pub(super) fn new(shards: usize) -> Self {
        Self {
            shards: (0..shards.max(1)).map(|_| Notify::new()).collect(),
        }
    }

    /// Wakes those who wait about a user; everybody without one.
    pub(super) fn wake(&self, user: Option<u64>) {
        match user {
            Some(user) => self.of(user).notify_waiters(),
            None => self.shards.iter().for_each(Notify::notify_waiters),
        }
    }

    fn of(&self, user: u64) -> &Notify {
        &self.shards[shard(user, self.shards.len())]
    }
}

impl Revocations {
    /// Resolves when a token is out: with the reason when it was ended.
    ///
    /// Also when it expires, and with [`EndReason::Unconfirmed`] when the view may not answer any
    /// more and the store, asked instead, is away.
    pub(crate) async fn ended(self: Arc<Self>, token: ActiveToken) -> EndReason {
        let facts = token.claims().facts().clone();
        let user = self.local.view().hashes().user(&facts.user);
        let over = facts.expires_at + self.settings.limits.leeway;
        loop {
            // Before the look: what happens in between is not missed.
            let mut woken = pin!(self.wakers.of(user).notified());
            woken.as_mut().enable();

            let now = self.clock.instants();
            let search = self.local.search(&facts, now);
            match search.effect {
                Some(Effect::Revoked(reason)) => return reason,
                Some(Effect::Stale) => return EndReason::RolesChanged,
                None if now.wall >= over => return EndReason::Expired,
                None => {}
            }
            let good_for = if search.sure {
                self.local.fresh().left(now)
            } else {
                match self.clone().confirm(token.clone()).await {
                    Ok(_) => self.settings.max_staleness,
                    Err(Refusal::Revoked(reason)) => return reason,
                    Err(Refusal::Stale) => return EndReason::RolesChanged,
                    Err(_) => return EndReason::Unconfirmed,
                }
            };
            let wait = good_for.min(over.since(now.wall)).max(SHORTEST_WAIT);
            let _ = tokio::time::timeout(wait, woken).await;
        }
    }
}

/// The coarse clocks are behind by up to this: waking earlier would find nothing changed.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);
