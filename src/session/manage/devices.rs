//! A user's sessions as a list of devices shows them.

use std::collections::HashSet;

use super::Sessions;
use super::error::SessionError;
use super::info::SessionInfo;
use crate::clock::UnixTime;
use crate::session::record::SessionRecord;
use crate::session::risk::is_known;
use crate::session::store::Listing;
use crate::token::{SessionId, UserId};
use crate::verify::CustomClaims;

/// A user's sessions.
pub(crate) struct UserDevices {
    pub(crate) live: Vec<SessionInfo>,
    pub(crate) ended: Vec<SessionInfo>,
    /// Those on a device that none of the earlier ones had.
    pub(crate) new: HashSet<SessionId>,
}

impl<C: CustomClaims> Sessions<C> {
    /// Reads a user's sessions; only those that began after `since` can be new.
    pub(crate) async fn devices(
        &self,
        user: &UserId,
        since: UnixTime,
    ) -> Result<UserDevices, SessionError> {
        let live = self.records(user, Listing::Live).await?;
        let ended = self.records(user, Listing::Ended).await?;
        let new = on_new_devices(&live, &ended, since);
        let infos = |records: Vec<_>| records.into_iter().map(SessionInfo::from).collect();
        Ok(UserDevices {
            live: infos(live),
            ended: infos(ended),
            new,
        })
    }
}

fn on_new_devices(
    live: &[SessionRecord],
    ended: &[SessionRecord],
    since: UnixTime,
) -> HashSet<SessionId> {
    let all = || live.iter().chain(ended);
    let lately = live.iter().filter(|record| record.created_at > since);
    let new = lately.take(MOST_NEW).filter(|record| {
        // Earlier ones alone: else two sign-ins of a stranger would vouch for each other.
        let earlier = all().filter(|other| other.created_at < record.created_at);
        !is_known(&record.device, earlier)
    });
    new.map(|record| record.id).collect()
}

/// So many are compared with all others, which somebody with thousands of sessions would notice.
const MOST_NEW: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::record::tests::record;

    #[test]
    fn only_what_began_later_can_be_new() {
        let record = record();
        let since = |since| on_new_devices(std::slice::from_ref(&record), &[], since);
        assert!(since(record.created_at).is_empty());
        let before = UnixTime::from_micros(record.created_at.as_micros() - 1);
        assert_eq!(since(before), HashSet::from([record.id]));
    }
}
