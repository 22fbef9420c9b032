//! When sessions were last used, without a write per request.

use std::collections::HashMap;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use foldhash::fast::RandomState;

use super::refresh::bucket_of;
use super::store::Use;
use crate::clock::UnixTime;
use crate::revocation::ActiveToken;
use crate::token::SessionId;

type Uses = HashMap<SessionId, Use, RandomState>;

/// Collects uses in memory until they are flushed in a batch.
///
/// A token is noted at most once per [`INTERVAL`](Self::INTERVAL); between, a request costs one
/// atomic load.
#[derive(Debug)]
pub(crate) struct Activity {
    pending: Mutex<Uses>,
    /// The most uses held between two flushes; what exceeds it is noted by a later request.
    most: usize,
}

impl Default for Activity {
    fn default() -> Self {
        Self::of_at_most(1_000_000)
    }
}

impl Activity {
    /// How often at most a session's use is noted: people read these times in minutes.
    pub(crate) const INTERVAL: Duration = Duration::from_secs(60);

    fn of_at_most(most: usize) -> Self {
        Self {
            pending: Mutex::default(),
            most,
        }
    }

    /// Notes a use; cheap when this token was noted less than an interval ago.
    pub(crate) fn note(&self, token: &ActiveToken, wall: UnixTime) {
        let noted = &token.standing().noted;
        let now = wall.as_secs();
        let last = noted.load(Ordering::Relaxed);
        if now < last.saturating_add(Self::INTERVAL.as_secs()) {
            return;
        }
        let facts = token.claims().facts();
        let Some(session) = facts.session else { return };
        if noted
            .compare_exchange(last, now, Ordering::Relaxed, Ordering::Relaxed)
            .is_err()
        {
            return;
        }
        let mut pending = self.pending();
        if pending.len() >= self.most && !pending.contains_key(&session) {
            noted.store(last, Ordering::Relaxed);
            return;
        }
        let entry = pending.entry(session).or_insert_with(|| Use {
            session,
            bucket: bucket_of(&facts.user),
            at: wall,
        });
        entry.at = entry.at.max(wall);
    }

    /// Takes out what was noted since the last time.
    pub(crate) fn take(&self) -> Vec<Use> {
        std::mem::take(&mut *self.pending()).into_values().collect()
    }

    /// Puts uses back whose write failed; a later use of the same session wins.
    pub(crate) fn put_back(&self, uses: Vec<Use>) {
        let mut pending = self.pending();
        for used in uses {
            if pending.len() >= self.most && !pending.contains_key(&used.session) {
                continue;
            }
            let entry = pending.entry(used.session).or_insert(used);
            entry.at = entry.at.max(used.at);
        }
    }

    fn pending(&self) -> MutexGuard<'_, Uses> {
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::ManualClock;
    use crate::token::UserId;
    use crate::verify::{TokenFacts, VerifiedToken};

    fn token() -> ActiveToken {
        ActiveToken::unchecked(VerifiedToken::for_tests(TokenFacts {
            user: UserId::new("ada").expect("it is a name"),
            session: Some(SessionId::random()),
            token: None,
            binding: None,
            issued_at: None,
            expires_at: UnixTime::MAX,
        }))
    }

    fn session_of(token: &ActiveToken) -> SessionId {
        token.claims().facts().session.expect("it has one")
    }

    fn times(activity: &Activity) -> HashMap<SessionId, UnixTime> {
        let uses = activity.take().into_iter();
        uses.map(|used| (used.session, used.at)).collect()
    }

    #[test]
    fn a_use_is_noted_once_in_an_interval_and_the_last_counts() {
        let (activity, token, start) = (Activity::default(), token(), ManualClock::START);
        let later = start + Activity::INTERVAL;
        activity.note(&token, start);
        activity.note(&token, later - Duration::from_secs(1));
        assert_eq!(times(&activity), [(session_of(&token), start)].into());
        activity.note(&token, later);
        activity.note(&token, later + Activity::INTERVAL);
        let last = later + Activity::INTERVAL;
        assert_eq!(times(&activity), [(session_of(&token), last)].into());
        assert!(times(&activity).is_empty());
    }

    #[test]
    fn past_the_bound_who_is_noted_already_is_noted_again_and_others_later() {
        let (activity, start) = (Activity::of_at_most(1), ManualClock::START);
        let (one, other) = (token(), token());
        let later = start + Activity::INTERVAL;
        activity.note(&one, start);
        activity.note(&other, start);
        activity.note(&one, later);
        assert_eq!(times(&activity), [(session_of(&one), later)].into());
        // It does not count as noted, so that its next request may be.
        activity.note(&other, start);
        assert_eq!(times(&activity), [(session_of(&other), start)].into());
    }

    #[test]
    fn what_could_not_be_written_is_put_back_within_the_bound_and_the_later_use_wins() {
        let (activity, start) = (Activity::of_at_most(2), ManualClock::START);
        let uses: Vec<Use> = [
            session_of(&token()),
            session_of(&token()),
            session_of(&token()),
        ]
        .map(|session| Use {
            session,
            bucket: 0,
            at: start,
        })
        .into();
        let moved = |by: u64| Use {
            at: start + Duration::from_secs(by),
            ..uses[0]
        };
        activity.put_back(vec![moved(7)]);
        activity.put_back(vec![uses[1], uses[2], moved(3)]);
        assert_eq!(
            times(&activity),
            [(uses[0].session, moved(7).at), (uses[1].session, start)].into()
        );
        activity.put_back(vec![moved(3), uses[1], moved(9)]);
        assert_eq!(times(&activity)[&uses[0].session], moved(9).at);
    }
}
