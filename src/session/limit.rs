//! How many sessions a user may have at once, and what happens to one too many.

use serde::{Deserialize, Serialize};

use super::record::SessionRecord;
use crate::token::SessionId;

/// How many sessions a user may have at once.
///
/// Held atomically by every store: however many sign-ins run at once, never more stay alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionLimit {
    max: u32,
    policy: LimitPolicy,
}

/// What happens when a user signs in once too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LimitPolicy {
    /// The session that was least recently used ends; those that were never used end first.
    EvictLeastRecentlyUsed,
    /// The sign-in is refused: "maximum concurrent sessions exceeded".
    Reject,
}

/// What the limit says to one more session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LimitDecision {
    /// There is room once these have ended.
    Admit {
        /// The sessions that give way.
        evict: Vec<SessionId>,
    },
    /// There is no room.
    Refuse,
}

impl SessionLimit {
    /// As many as they like.
    pub const UNLIMITED: Self = Self {
        max: 0,
        policy: LimitPolicy::Reject,
    };

    /// At most `max`; then the least recently used one ends. 0 is unlimited.
    #[must_use]
    pub const fn evicting(max: u32) -> Self {
        Self {
            max,
            policy: LimitPolicy::EvictLeastRecentlyUsed,
        }
    }

    /// At most `max`; then sign-ins are refused. 0 is unlimited.
    #[must_use]
    pub const fn rejecting(max: u32) -> Self {
        Self {
            max,
            policy: LimitPolicy::Reject,
        }
    }

    /// The most sessions at once; `None` where there is no limit.
    #[must_use]
    pub const fn max(&self) -> Option<u32> {
        if self.max == 0 { None } else { Some(self.max) }
    }

    /// What happens to one too many.
    #[must_use]
    pub const fn policy(&self) -> LimitPolicy {
        self.policy
    }

    /// Decides about one more session beside the `live` ones of its user.
    ///
    /// `live` holds exactly the sessions that are alive by
    /// [`SessionRecord::is_alive`]; a store calls this inside the atomic step that creates.
    #[must_use]
    pub fn decide(&self, live: &[&SessionRecord]) -> LimitDecision {
        let room = match self.max() {
            None => return LimitDecision::Admit { evict: Vec::new() },
            Some(max) => (max - 1) as usize,
        };
        let excess = live.len().saturating_sub(room);
        if excess == 0 {
            return LimitDecision::Admit { evict: Vec::new() };
        }
        if self.policy == LimitPolicy::Reject {
            return LimitDecision::Refuse;
        }
        let mut order: Vec<_> = live.to_vec();
        order.sort_by_key(|record| {
            (
                record.refresh.ever_used,
                record.last_active_at,
                record.created_at,
                record.id,
            )
        });
        LimitDecision::Admit {
            evict: order[..excess].iter().map(|record| record.id).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::session::record::tests::record;

    fn admits(decision: LimitDecision) -> Vec<SessionId> {
        match decision {
            LimitDecision::Admit { evict } => evict,
            LimitDecision::Refuse => panic!("there is room, or somebody gives way"),
        }
    }

    /// Sessions used a minute after each other, the first one longest ago.
    fn used(count: u32) -> Vec<SessionRecord> {
        let later = |minutes: u32, mut record: SessionRecord| {
            record.refresh.ever_used = true;
            record.last_active_at = record.last_active_at + minutes * Duration::from_secs(60);
            record
        };
        (0..count).map(|minutes| later(minutes, record())).collect()
    }

    #[test]
    fn there_is_room_below_the_limit() {
        let records = used(2);
        let live: Vec<_> = records.iter().collect();
        for limit in [SessionLimit::evicting(3), SessionLimit::rejecting(3)] {
            assert!(admits(limit.decide(&live)).is_empty());
        }
    }

    #[test]
    fn at_the_limit_rejection_refuses_and_eviction_takes_one() {
        let records = used(3);
        let live: Vec<_> = records.iter().collect();
        let refused = SessionLimit::rejecting(3).decide(&live);
        assert_eq!(refused, LimitDecision::Refuse);
        let evicted = admits(SessionLimit::evicting(3).decide(&live));
        assert_eq!(evicted, [records[0].id]);
    }

    #[test]
    fn zero_is_unlimited_under_both_policies() {
        let records = used(50);
        let live: Vec<_> = records.iter().collect();
        for limit in [
            SessionLimit::UNLIMITED,
            SessionLimit::evicting(0),
            SessionLimit::rejecting(0),
        ] {
            assert_eq!(limit.max(), None);
            assert!(admits(limit.decide(&live)).is_empty());
        }
    }

    #[test]
    fn a_limit_of_one_leaves_only_the_new_session() {
        let records = used(4);
        let live: Vec<_> = records.iter().collect();
        let evicted = admits(SessionLimit::evicting(1).decide(&live));
        assert_eq!(evicted.len(), 4);
        let nobody = SessionLimit::rejecting(1).decide(&[]);
        assert!(admits(nobody).is_empty());
    }

    #[test]
    fn sessions_never_used_go_first_then_the_least_recently_used() {
        let mut records = used(4);
        records[3].refresh.ever_used = false;
        let live: Vec<_> = records.iter().rev().collect();
        let evicted = admits(SessionLimit::evicting(2).decide(&live));
        assert_eq!(evicted, [records[3].id, records[0].id, records[1].id]);
    }

    #[test]
    fn of_sessions_never_used_the_oldest_goes_first() {
        let (mut older, mut newer) = (record(), record());
        older.created_at = older.created_at - Duration::from_secs(1);
        older.last_active_at = older.created_at;
        newer.refresh.ever_used = false;
        let evicted = admits(SessionLimit::evicting(2).decide(&[&newer, &older]));
        assert_eq!(evicted, [older.id]);
    }
}
