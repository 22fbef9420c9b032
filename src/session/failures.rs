//! Refreshes that failed, counted on this node.

use std::net::IpAddr;

use moka::sync::Cache;

use crate::token::{SessionId, UserId};

/// Why a refresh failed. That a store was away is no failure of the client and not counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RefreshFailure {
    /// It is no token of ours, or its session is forgotten.
    InvalidToken,
    /// Its session is over.
    Over,
    /// It was repeated too often.
    Repeated,
    /// It was used before: theft, and the session has ended for it.
    Reused,
    /// The application knows no such user any more.
    UnknownUser,
}

/// How often a refresh failed since this node started, up to now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct FailureCounts {
    /// With a token of this session.
    pub session: u32,
    /// From this address.
    pub address: u32,
}

/// Counts of a bounded number of subjects: who failed long ago gives way to who fails now.
pub(crate) struct Failures {
    sessions: Counts,
    users: Counts,
    addresses: Counts,
}

/// Of one kind of subject. The caches are of one type, so that the code of a cache is there once.
type Counts = Cache<Subject, u32>;

#[derive(Clone, PartialEq, Eq, Hash)]
enum Subject {
    Address(IpAddr),
    Session(SessionId),
    User(UserId),
}

impl Failures {
    pub(crate) fn note(
        &self,
        session: Option<SessionId>,
        user: Option<&UserId>,
        address: Option<IpAddr>,
    ) -> FailureCounts {
        if let Some(user) = user {
            count(&self.users, Subject::User(user.clone()));
        }
        FailureCounts {
            session: session.map_or(0, |session| {
                count(&self.sessions, Subject::Session(session))
            }),
            address: address.map_or(0, |address| {
                count(&self.addresses, Subject::Address(address))
            }),
        }
    }

    pub(crate) fn of_user(&self, user: &UserId) -> u32 {
        let user = Subject::User(user.clone());
        self.users.get(&user).unwrap_or_default()
    }

    pub(crate) fn of_session(&self, session: SessionId) -> u32 {
        self.sessions
            .get(&Subject::Session(session))
            .unwrap_or_default()
    }

    pub(crate) fn of_address(&self, address: IpAddr) -> u32 {
        self.addresses
            .get(&Subject::Address(address))
            .unwrap_or_default()
    }
}

impl Default for Failures {
    fn default() -> Self {
        Self {
            sessions: recent(),
            users: recent(),
            addresses: recent(),
        }
    }
}

fn count(counts: &Counts, subject: Subject) -> u32 {
    let entry = counts
        .entry(subject)
        .and_upsert_with(|before| before.map_or(1, |before| before.into_value().saturating_add(1)));
    entry.into_value()
}

fn recent() -> Counts {
    Cache::builder()
        .max_capacity(MAX_SUBJECTS)
        .eviction_policy(moka::policy::EvictionPolicy::lru())
        .build()
}

const MAX_SUBJECTS: u64 = 10_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_counted_by_session_user_and_address() {
        let failures = Failures::default();
        let session = SessionId::random();
        let user = UserId::new("ada").unwrap();
        let address = IpAddr::from([192, 0, 2, 1]);
        let first = failures.note(Some(session), Some(&user), Some(address));
        assert_eq!((first.session, first.address), (1, 1));
        let second = failures.note(None, None, Some(address));
        assert_eq!((second.session, second.address), (0, 2));
        assert_eq!(failures.of_user(&user), 1);
        assert_eq!(failures.of_session(session), 1);
        assert_eq!(failures.of_address(address), 2);
        assert_eq!(failures.of_session(SessionId::random()), 0);
    }

    #[test]
    fn any_number_of_strangers_takes_no_more_than_so_much_memory() {
        let failures = Failures::default();
        for stranger in 0..30_000_u32 {
            failures.note(None, None, Some(IpAddr::V4(stranger.into())));
        }
        failures.addresses.run_pending_tasks();
        assert!(failures.addresses.entry_count() <= MAX_SUBJECTS);
    }
}
