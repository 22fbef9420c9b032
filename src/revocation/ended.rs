//! Hearing of the end of a token that is already in.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Notify;

use super::entry::{Effect, EndReason};
use super::epochs::shard;
use super::policy::OnStoreFailure;
use super::{ActiveToken, Refusal, Revocations};
use crate::BoxFuture;
use crate::clock::UnixTime;
use crate::error::StoreError;
use crate::token::SessionId;
use crate::verify::TokenFacts;

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

/// Whether sessions go on by a refresh, which the log does not tell.
pub(crate) trait Renewals: Send + Sync {
    /// What became of a session, one of whose access tokens has expired.
    fn renewal(&self, session: SessionId) -> BoxFuture<'_, Result<Renewal, StoreError>>;
}

/// What became of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Renewal {
    /// It ended.
    Ended(EndReason),
    /// There is none.
    Gone,
    /// Its newest access token expires then.
    Until(UnixTime),
}

/// What those who wait go by, beside the log.
pub(super) struct Watching {
    renewals: Arc<dyn Renewals>,
    on_store_failure: OnStoreFailure,
}

impl Revocations {
    /// Says who knows of renewals, and what to do without the store. Heard once.
    pub(crate) fn watch_renewals(
        &self,
        renewals: Arc<dyn Renewals>,
        on_store_failure: OnStoreFailure,
    ) {
        // There is one builder to say so, and one word of it.
        let _ = self.watching.set(Watching {
            renewals,
            on_store_failure,
        });
    }

    /// Resolves when a token is out: with the reason when it was ended.
    ///
    /// Also when it expires and its session was not refreshed by then, and with
    /// [`EndReason::Unconfirmed`] when the view may not answer any more and the store, asked
    /// instead, is away.
    pub(crate) async fn ended(self: Arc<Self>, token: ActiveToken) -> EndReason {
        let facts = token.claims().facts().clone();
        let user = self.local.view().hashes().user(&facts.user);
        let mut over = facts.expires_at + self.settings.limits.leeway;
        loop {
            // Before the look: what happens in between is not missed.
            let mut woken = pin!(self.wakers.of(user).notified());
            woken.as_mut().enable();

            let now = self.clock.instants();
            let search = self.local.search(&facts, now);
            match search.effect {
                Some(Effect::Revoked(reason)) => return reason,
                Some(Effect::Stale) => return EndReason::RolesChanged,
                None if now.wall >= over => match self.renewed(&facts).await {
                    Ok(until) if until > over => {
                        over = until;
                        continue;
                    }
                    Ok(_) => return EndReason::Expired,
                    Err(reason) => return reason,
                },
                None => {}
            }
            let good_for = if search.sure {
                self.local.fresh().left(now)
            } else {
                match self.still_in(token.clone()).await {
                    Ok(good_for) => good_for,
                    Err(reason) => return reason,
                }
            };
            let wait = good_for.min(over.since(now.wall)).max(SHORTEST_WAIT);
            let _ = tokio::time::timeout(wait, woken).await;
        }
    }

    /// Until when the session of an expired token goes on. Without the store it does not.
    async fn renewed(&self, facts: &TokenFacts) -> Result<UnixTime, EndReason> {
        let (Some(session), Some(_), Some(watching)) =
            (facts.session, facts.binding, self.watching.get())
        else {
            return Err(EndReason::Expired);
        };
        let asked = watching.renewals.renewal(session);
        match self.within(self.settings.store_timeout, asked).await {
            Ok(Renewal::Ended(reason)) => Err(reason),
            Ok(Renewal::Gone) => Err(EndReason::Expired),
            Ok(Renewal::Until(end)) => Ok(end + self.settings.limits.leeway),
            Err(error) => {
                tracing::debug!(%error, "the store could not be asked for a renewal");
                Err(EndReason::Expired)
            }
        }
    }

    /// For how long a token stays in of which the view cannot tell.
    async fn still_in(self: &Arc<Self>, token: ActiveToken) -> Result<Duration, EndReason> {
        let goes_on = self.watching.get().is_some_and(|watching| {
            watching.on_store_failure == OnStoreFailure::AcceptVerifiedUntilExpiry
        });
        match self.clone().confirm(token.clone()).await {
            Ok(_) => Ok(self.settings.max_staleness),
            Err(Refusal::Revoked(reason)) => Err(reason),
            Err(Refusal::Stale) => Err(EndReason::RolesChanged),
            Err(Refusal::StoreUnavailable { retry_after })
                if goes_on && self.local.may_go_on(token.token.standing()) =>
            {
                Ok(retry_after)
            }
            Err(_) => Err(EndReason::Unconfirmed),
        }
    }
}

/// The coarse clocks are behind by up to this: waking earlier would find nothing changed.
const SHORTEST_WAIT: Duration = Duration::from_millis(10);
