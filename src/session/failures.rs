//! Refreshes that failed, counted on this node.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

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
#[derive(Default)]
pub(crate) struct Failures {
    sessions: Counts,
    users: Counts,
    addresses: Counts,
}

/// Of one kind of subject. All are of one type, so that its code is there once.
#[derive(Default)]
struct Counts(Mutex<Generations>);

/// Half of the subjects at most each: when the newer ones are so many, the older ones are forgotten.
#[derive(Default)]
struct Generations {
    newer: HashMap<Subject, u32>,
    older: HashMap<Subject, u32>,
}

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
            self.users.count(Subject::User(user.clone()));
        }
        let session = session.map(Subject::Session);
        let address = address.map(Subject::Address);
        FailureCounts {
            session: session.map_or(0, |session| self.sessions.count(session)),
            address: address.map_or(0, |address| self.addresses.count(address)),
        }
    }

    pub(crate) fn of_user(&self, user: &UserId) -> u32 {
        self.users.of(&Subject::User(user.clone()))
    }

    pub(crate) fn of_session(&self, session: SessionId) -> u32 {
        self.sessions.of(&Subject::Session(session))
    }

    pub(crate) fn of_address(&self, address: IpAddr) -> u32 {
        self.addresses.of(&Subject::Address(address))
    }
}

impl Counts {
    fn count(&self, subject: Subject) -> u32 {
        let mut generations = self.generations();
        let count = generations.of(&subject).saturating_add(1);
        let known = generations.newer.contains_key(&subject);
        if !known && generations.newer.len() >= MAX_SUBJECTS / 2 {
            generations.older = std::mem::take(&mut generations.newer);
        }
        generations.newer.insert(subject, count);
        count
    }

    fn of(&self, subject: &Subject) -> u32 {
        self.generations().of(subject)
    }

    fn generations(&self) -> MutexGuard<'_, Generations> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Generations {
    fn of(&self, subject: &Subject) -> u32 {
        let count = self.newer.get(subject).or_else(|| self.older.get(subject));
        count.copied().unwrap_or_default()
    }
}

const MAX_SUBJECTS: usize = 10_000;

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
        let held = failures.addresses.generations();
        assert!(held.newer.len() + held.older.len() <= MAX_SUBJECTS);
    }

    #[test]
    fn who_fails_again_and_again_is_not_forgotten_among_strangers() {
        let failures = Failures::default();
        let address = IpAddr::from([192, 0, 2, 1]);
        for stranger in 0..30_000_u32 {
            failures.note(None, None, Some(IpAddr::V4(stranger.into())));
            if stranger % 1_000 == 0 {
                failures.note(None, None, Some(address));
            }
        }
        assert_eq!(failures.of_address(address), 30);
        assert_eq!(failures.of_address([0, 0, 0, 0].into()), 0);
    }
}
