//! What all nodes together did, by the minute, as the audit log tells it.

use std::time::Duration;

use serde_json::{Value, json};

use super::Pages;
use super::census::Counted;
use super::statistics::totals;
use crate::audit::AuditLevel;
use crate::clock::UnixTime;
use crate::events::Counts;
use crate::jwt_session::JwtSession;
use crate::session::{AuditEntry, AuditRequest, SessionError};
use crate::verify::CustomClaims;

/// The last day, or as much of it as may be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct FleetCounts {
    minutes: Vec<Counts>,
    /// From when on everything is counted.
    pub(super) since: UnixTime,
    /// Whether each refresh is an entry.
    pub(super) has_refreshes: bool,
}

impl<C: CustomClaims> Pages<C> {
    /// `None` where no log is kept, or none has been read yet.
    pub(super) async fn of_fleet(&self) -> Option<Counted<FleetCounts>> {
        if self.auth.audit_level() == AuditLevel::Off {
            return None;
        }
        let count = |auth| read(auth, MOST);
        self.fleet.lately(&self.auth, count).await
    }
}

impl FleetCounts {
    fn empty(now: UnixTime, level: AuditLevel) -> Self {
        Self {
            minutes: vec![Counts::default(); MINUTES],
            since: now - DAY,
            has_refreshes: level == AuditLevel::All,
        }
    }

    /// The last of them, the current one at the end.
    pub(super) fn of(&self, minutes: usize) -> &[Counts] {
        let first = self.minutes.len().saturating_sub(minutes);
        self.minutes.get(first..).unwrap_or_default()
    }

    /// Whether a window is counted as a whole.
    pub(super) fn covers(&self, minutes: usize, at: UnixTime) -> bool {
        self.since <= at - Duration::from_secs(60 * minutes as u64)
    }

    pub(super) fn to_json(&self, minutes: usize, at: UnixTime) -> Value {
        let counts = self.of(minutes);
        json!({
            "as_of": at.to_string(),
            "since": self.since.to_string(),
            "covers_window": self.covers(minutes, at),
            "has_refreshes": self.has_refreshes,
            "totals": totals(counts),
            "minutes": counts,
        })
    }

    fn count(&mut self, now: UnixTime, entry: &AuditEntry) {
        // What a node with a fast clock wrote happened just now.
        let ago = minute_of(now).saturating_sub(minute_of(entry.at));
        let place = usize::try_from(ago).ok();
        let place = place.and_then(|ago| self.minutes.len().checked_sub(ago + 1));
        let Some(counts) = place.and_then(|place| self.minutes.get_mut(place)) else {
            return;
        };
        match &*entry.event {
            "signed_in" => counts.signed_in += 1,
            "refreshed" if self.has_refreshes => counts.refreshed += 1,
            "ended" => counts.ended += 1,
            "refresh_failed" | "sign_in_refused" => counts.refused += 1,
            _ => {}
        }
    }
}

/// Reads back until a day ago, and no more than so many entries.
async fn read<C: CustomClaims>(
    auth: JwtSession<C>,
    most: usize,
) -> Result<FleetCounts, SessionError> {
    let now = auth.clock().now();
    let mut counts = FleetCounts::empty(now, auth.audit_level());
    let sessions = auth.sessions();
    let mut request = AuditRequest::new(AT_ONCE);
    let (mut read, mut looks) = (0, 0);
    loop {
        let page = sessions.audit(request.clone()).await?;
        for entry in &page.entries {
            counts.count(now, entry);
        }
        read += page.entries.len();
        looks += 1;
        // Entries come nearly in the order of their instants, so one is not enough.
        let over = page.entries.iter().all(|entry| entry.at < counts.since);
        if page.next.is_none() || (over && !page.entries.is_empty()) {
            return Ok(counts);
        }
        if read >= most || looks >= LOOKS {
            let last = page.entries.iter().map(|entry| entry.at).max();
            counts.since = last.unwrap_or(now).max(counts.since);
            return Ok(counts);
        }
        request.before = page.next;
    }
}

fn minute_of(at: UnixTime) -> u64 {
    at.since(UnixTime::EPOCH).as_secs() / 60
}

/// How long what was read is good for: it is as much as a page of administrators may cost a store.
pub(super) const FRESH: Duration = Duration::from_secs(15);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MINUTES: usize = 24 * 60;
const AT_ONCE: usize = 1_000;
/// How many entries are read for one look at the page.
const MOST: usize = 20_000;
const LOOKS: usize = 40;

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::clock::Clock;
    use crate::revocation::NodeId;
    use crate::session::SessionStore;
    use crate::stores::MemoryStore;
    use crate::testing::ManualClock;

    const NOW: UnixTime = UnixTime::from_secs(1_795_000_000);

    fn counted(level: AuditLevel, entries: &[(u64, &'static str)]) -> FleetCounts {
        let mut counts = FleetCounts::empty(NOW, level);
        for (ago, event) in entries {
            let at = NOW - Duration::from_secs(*ago);
            counts.count(NOW, &AuditEntry::new(at, NodeId(1), *event));
        }
        counts
    }

    #[test]
    fn entries_are_counted_in_the_minute_that_they_tell_of() {
        let day = 24 * 60 * 60;
        let of = [
            (0, "signed_in"),
            (120, "signed_in"),
            (120, "ended"),
            (2 * day, "ended"),
        ];
        let counts = counted(AuditLevel::On, &of);
        assert_eq!(counts.of(1)[0].signed_in, 1);
        assert_eq!((counts.of(3)[0].signed_in, counts.of(3)[0].ended), (1, 1));
        let all = totals(counts.of(MINUTES));
        assert_eq!((all.signed_in, all.ended), (2, 1));
        assert_eq!(counts.of(100_000).len(), MINUTES);
    }

    #[test]
    fn refreshes_are_counted_only_where_each_is_an_entry() {
        let some = [(0, "refreshed")];
        assert_eq!(counted(AuditLevel::On, &some).of(1)[0].refreshed, 0);
        assert_eq!(counted(AuditLevel::All, &some).of(1)[0].refreshed, 1);
    }

    #[tokio::test]
    async fn of_a_long_log_a_part_is_read_and_it_is_said_from_when_on() -> Result<(), SessionError>
    {
        let clock = Arc::new(ManualClock::new());
        let store = MemoryStore::with_clock(clock.clone());
        let auth = JwtSession::builder()
            .hmac_secret(b"2f8c1d5e9a7b3f6c0d4e8a1b5c9f3d7e")
            .clock(clock.clone())
            .store(store.clone())
            .build()
            .expect("it is sound");
        let log = store.audit_log().expect("memory keeps one");
        for _ in 0..30 {
            clock.advance(Duration::from_secs(60));
            let entry = || AuditEntry::new(clock.now(), NodeId(1), "signed_in");
            let entries: Vec<_> = (0..100).map(|_| entry()).collect();
            log.record(&entries).await?;
        }
        let part = read(auth.clone(), 1_500).await?;
        let now = clock.now();
        // Two thousand are read, of which the last thousand may be cut in the midst of an instant.
        assert_eq!(part.since, now - Duration::from_secs(10 * 60));
        assert_eq!(totals(part.of(10)).signed_in, 1_000);
        assert!(part.covers(10, now) && !part.covers(11, now));
        let all = read(auth, 5_000).await?;
        assert!(all.covers(MINUTES, now));
        assert_eq!(totals(all.of(60)).signed_in, 3_000);
        Ok(())
    }

    #[test]
    fn a_window_is_covered_when_all_of_it_was_read() {
        let mut counts = counted(AuditLevel::On, &[]);
        assert!(counts.covers(MINUTES, NOW));
        counts.since = NOW - Duration::from_secs(90 * 60);
        assert!(counts.covers(60, NOW) && !counts.covers(120, NOW));
    }
}
