//! A session as the stores keep it.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::device::Device;
use super::refresh::RefreshState;
use crate::clock::UnixTime;
use crate::revocation::EndReason;
use crate::token::{SessionId, UserId};
use crate::verify::Counter;

/// A session as the stores keep it. It holds nothing that could be replayed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// Its name.
    pub id: SessionId,
    /// Whose it is.
    pub user: UserId,
    /// The device that it was signed in on.
    pub device: Device,
    /// The name that the user gave it.
    pub name: Option<String>,
    /// When it was signed in.
    pub created_at: UnixTime,
    /// When it was last used by its user; coalesced, so up to a flush interval behind.
    pub last_active_at: UnixTime,
    /// When the user last proved who they are.
    pub authenticated_at: UnixTime,
    /// The authentication context class and methods of that proof.
    pub authentication: Authentication,
    /// How its tokens travel.
    pub transport: Transport,
    /// The user's revocation counter that it was made under, for life.
    pub revoked_gen: Counter,
    /// The highest value of that counter that spared this session.
    pub spared: Counter,
    /// Where its refresh tokens stand.
    pub refresh: RefreshState,
    /// When it is over, whatever happens.
    pub absolute_expires_at: UnixTime,
    /// How long it may stay unused.
    pub idle_lifetime: Option<Duration>,
    /// How often it was refreshed.
    pub refresh_count: u32,
    /// The application's data, JSON text of at most [`SessionRecord::MAX_DATA`] bytes.
    pub data: Option<String>,
    /// Where and on what it was last seen after its sign-in: JSON text, kept where
    /// [`risk`](super::risk) is watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// What is unusual about it: JSON text, see [`RiskFlag`](super::risk::RiskFlag).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub flag: Option<String>,
    /// When and why it ended.
    pub ended: Option<Ended>,
}

/// How a user proved who they are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Authentication {
    /// The `acr` claim (RFC 9470, section 5).
    pub acr: Option<String>,
    /// The `amr` claim (RFC 8176).
    pub amr: Vec<String>,
}

/// How the tokens of a session travel to a browser and back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// Both in bodies and headers.
    #[default]
    Body,
    /// Both in cookies.
    Cookie,
    /// The refresh token in a cookie, the access token in bodies and headers.
    Hybrid,
}

/// When and why a session ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    /// When.
    pub at: UnixTime,
    /// Why.
    pub reason: EndReason,
    /// Who ended it, where that was somebody.
    pub by: Option<UserId>,
}

impl SessionRecord {
    /// The most bytes of application data beside a session.
    pub const MAX_DATA: usize = 4096;

    /// Why the session is over at `now` although nobody ended it; `None` while it is not.
    ///
    /// The one predicate for counting, sweeping, confirming and refreshing alike. `now` is the
    /// store's clock. While `idle_suspended`, being unused ends nothing: after an outage the
    /// uses of that time are still on their way.
    #[must_use]
    pub fn expired(&self, now: UnixTime, idle_suspended: bool) -> Option<EndReason> {
        if now >= self.absolute_expires_at || now >= self.refresh.expires_at {
            return Some(EndReason::Expired);
        }
        let idle = self.idle_lifetime?;
        (!idle_suspended && now >= self.last_active_at + idle).then_some(EndReason::Idle)
    }

    /// When [`expired`](Self::expired) begins to hold unless something happens before: the order in
    /// which a store looks for sessions that are over.
    #[must_use]
    pub fn due_at(&self) -> UnixTime {
        let end = self.absolute_expires_at.min(self.refresh.expires_at);
        match self.idle_lifetime {
            Some(idle) => end.min(self.last_active_at + idle),
            None => end,
        }
    }

    /// Whether the session neither ended nor expired, and the user's counter still stands for it.
    #[must_use]
    pub fn is_alive(&self, now: UnixTime, revoked_gen: Counter, idle_suspended: bool) -> bool {
        self.over(now, revoked_gen, idle_suspended).is_none()
    }

    /// Why the session is over, whether or not anybody ended it; `None` where
    /// [`is_alive`](Self::is_alive) holds.
    #[must_use]
    pub fn over(
        &self,
        now: UnixTime,
        revoked_gen: Counter,
        idle_suspended: bool,
    ) -> Option<EndReason> {
        if let Some(ended) = &self.ended {
            return Some(ended.reason.clone());
        }
        if !self.stands(revoked_gen) {
            return Some(EndReason::UserRevoked);
        }
        self.expired(now, idle_suspended)
    }

    /// Whether a user's revocation counter of this value leaves the session alive.
    #[must_use]
    pub fn stands(&self, revoked_gen: Counter) -> bool {
        revoked_gen <= self.revoked_gen.max(self.spared)
    }
}

#[cfg(test)]
pub(in crate::session) mod tests {
    use super::*;
    use crate::session::refresh::SeedHash;
    use crate::testing::ManualClock;

    const NOW: UnixTime = ManualClock::START;
    const HOUR: Duration = Duration::from_secs(60 * 60);
    const MICRO: Duration = Duration::from_micros(1);

    /// A session that was just made, for an hour; absolutely for two.
    pub(in crate::session) fn record() -> SessionRecord {
        let seed = SeedHash::from_bytes([1; 32]);
        SessionRecord {
            id: SessionId::random(),
            user: UserId::new("ada").expect("it is a name"),
            device: Device::default(),
            name: None,
            created_at: NOW,
            last_active_at: NOW,
            authenticated_at: NOW,
            authentication: Authentication::default(),
            transport: Transport::Body,
            revoked_gen: Counter::from_u64(5),
            spared: Counter::ZERO,
            refresh: RefreshState::first(seed, NOW, NOW + HOUR, NOW + HOUR),
            absolute_expires_at: NOW + 2 * HOUR,
            idle_lifetime: None,
            refresh_count: 0,
            data: None,
            seen: None,
            flag: None,
            ended: None,
        }
    }

    #[test]
    fn a_session_expires_at_its_refresh_tokens_very_end() {
        let record = record();
        assert_eq!(record.expired(NOW + HOUR - MICRO, false), None);
        let expired = record.expired(NOW + HOUR, false);
        assert_eq!(expired, Some(EndReason::Expired));
    }

    #[test]
    fn a_session_expires_at_its_absolute_end_however_often_it_is_refreshed() {
        let mut record = record();
        record.refresh.expires_at = NOW + 30 * HOUR;
        assert_eq!(record.expired(NOW + 2 * HOUR - MICRO, false), None);
        let expired = record.expired(NOW + 2 * HOUR, false);
        assert_eq!(expired, Some(EndReason::Expired));
    }

    #[test]
    fn a_session_is_idle_at_the_very_end_of_its_idle_lifetime() {
        let mut record = record();
        record.idle_lifetime = Some(HOUR / 2);
        record.last_active_at = NOW + HOUR / 4;
        let end = NOW + HOUR / 4 + HOUR / 2;
        assert_eq!(record.expired(end - MICRO, false), None);
        assert_eq!(record.expired(end, false), Some(EndReason::Idle));
    }

    #[test]
    fn being_idle_is_excused_while_that_is_suspended_and_nothing_else_is() {
        let mut record = record();
        record.idle_lifetime = Some(HOUR / 2);
        assert_eq!(record.expired(NOW + HOUR - MICRO, true), None);
        let expired = record.expired(NOW + HOUR, true);
        assert_eq!(expired, Some(EndReason::Expired));
    }

    #[test]
    fn a_session_without_an_idle_lifetime_is_never_idle() {
        assert_eq!(record().expired(NOW + HOUR - MICRO, false), None);
    }

    #[test]
    fn it_is_due_when_it_begins_to_be_expired() {
        let mut record = record();
        for idle in [None, Some(HOUR / 2), Some(3 * HOUR)] {
            record.idle_lifetime = idle;
            for refresh in [HOUR, 3 * HOUR] {
                record.refresh.expires_at = NOW + refresh;
                let due = record.due_at();
                assert_eq!(record.expired(due - MICRO, false), None);
                assert!(record.expired(due, false).is_some());
            }
        }
    }

    #[test]
    fn a_session_stands_up_to_the_counter_it_was_made_under_or_spared_by() {
        let mut record = record();
        assert!(record.stands(Counter::ZERO));
        assert!(record.stands(Counter::from_u64(5)));
        assert!(!record.stands(Counter::from_u64(6)));
        record.spared = Counter::from_u64(9);
        assert!(record.stands(Counter::from_u64(9)));
        assert!(!record.stands(Counter::from_u64(10)));
        record.spared = Counter::from_u64(3);
        assert!(record.stands(Counter::from_u64(5)));
    }

    #[test]
    fn only_what_neither_ended_nor_expired_and_still_stands_is_alive() {
        let mut record = record();
        let counter = record.revoked_gen;
        assert!(record.is_alive(NOW, counter, false));
        assert!(!record.is_alive(NOW + HOUR, counter, false));
        assert!(!record.is_alive(NOW, Counter::from_u64(6), false));
        record.ended = Some(Ended {
            at: NOW,
            reason: EndReason::SignedOut,
            by: None,
        });
        assert!(!record.is_alive(NOW, counter, false));
    }
}
