//! The audit log, where a store keeps one.

use std::sync::Arc;
use std::time::Duration;

use super::Harness;
use super::fixture::{some_node, some_user};
use crate::clock::UnixTime;
use crate::revocation::EntryId;
use crate::session::{AuditCursor, AuditEntry, AuditLog, AuditPage, AuditRequest, SessionStore};
use crate::token::{SessionId, UserId};

const DAY: Duration = Duration::from_secs(86_400);
const NO_BOUND: u64 = 1_000_000;

/// A store that keeps an audit log.
struct Case {
    store: Arc<dyn SessionStore>,
    user: UserId,
    now: UnixTime,
}

impl Case {
    /// `None` for a store that keeps none: what it does not promise is not looked at.
    async fn new(harness: &dyn Harness) -> Option<Self> {
        let store = harness.store();
        if store.audit_log().is_none() {
            eprintln!("not run: the store keeps no audit log");
            return None;
        }
        let committed = store.append(Vec::new()).await.expect("the store answers");
        Some(Self {
            store,
            user: some_user(),
            now: committed.now,
        })
    }

    fn log(&self) -> &dyn AuditLog {
        self.store.audit_log().expect("it was there before")
    }

    fn entry(&self, event: &'static str) -> AuditEntry {
        AuditEntry {
            user: Some(self.user.clone()),
            ..AuditEntry::new(self.now, some_node(), event)
        }
    }

    /// Writes entries of the user, one by one.
    async fn written(&self, count: usize) -> Vec<AuditEntry> {
        let entries: Vec<_> = (0..count).map(|_| self.entry("renamed")).collect();
        for entry in &entries {
            self.write(std::slice::from_ref(entry)).await;
        }
        entries
    }

    async fn write(&self, entries: &[AuditEntry]) {
        let written = self.log().record(entries).await;
        written.expect("the store answers");
    }

    async fn page(&self, request: &AuditRequest, before: Option<AuditCursor>) -> AuditPage {
        let request = request.clone().before(before);
        self.log().read(request).await.expect("the store answers")
    }

    /// All pages from a place on.
    async fn rest(&self, request: &AuditRequest, from: Option<AuditCursor>) -> Vec<AuditEntry> {
        let (mut entries, mut before) = (Vec::new(), from);
        loop {
            let page = self.page(request, before).await;
            assert!(page.entries.len() <= request.limit.max(1));
            entries.extend(page.entries);
            assert!(page.next.is_none() || page.next != before, "pages go on");
            before = page.next;
            if before.is_none() {
                return entries;
            }
        }
    }

    async fn all(&self) -> Vec<AuditEntry> {
        self.rest(&AuditRequest::new(100), None).await
    }

    async fn tidy(&self, keep: Duration, most: u64, batch: usize) {
        for _ in 0..100 {
            let tidied = self.log().tidy(keep, most, batch).await;
            if !tidied.expect("the store answers") {
                return;
            }
        }
        panic!("tidying has no end");
    }
}

/// The names of entries, in their order.
fn ids(entries: &[AuditEntry]) -> Vec<EntryId> {
    entries.iter().map(|entry| entry.id).collect()
}

fn reversed(entries: &[AuditEntry]) -> Vec<EntryId> {
    entries.iter().rev().map(|entry| entry.id).collect()
}

/// Nothing of an entry is lost, whatever stands in it.
pub async fn an_entry_is_read_back_as_it_was_written<H: Harness>(harness: &H) {
    let Some(case) = Case::new(harness).await else {
        return;
    };
    let whole = AuditEntry {
        session: Some(SessionId::random()),
        by: Some(some_user()),
        reason: Some("admin_revoked".into()),
        address: "2001:db8::7".parse().ok(),
        device: Some("Lynx on \"O'Hara\" \\ \u{1f984} \u{0} %s $1".to_owned()),
        ..case.entry("ended")
    };
    let empty = AuditEntry::new(case.now, some_node(), "view_stale");
    case.write(std::slice::from_ref(&whole)).await;
    case.write(std::slice::from_ref(&empty)).await;
    let mut read = case.all().await;
    read.sort_by_key(|entry| entry.id != empty.id);
    assert_eq!(read, [empty, whole]);
}

/// Whoever looks sees what was last.
pub async fn entries_are_read_the_last_that_was_written_first<H: Harness>(harness: &H) {
    let Some(case) = Case::new(harness).await else {
        return;
    };
    let mut written = case.written(3).await;
    let together: Vec<_> = (0..3).map(|_| case.entry("signed_in")).collect();
    case.write(&together).await;
    written.extend(together);
    assert_eq!(ids(&case.all().await), reversed(&written));
}

/// What comes while somebody pages is on no later page, and pushes nothing onto one.
pub async fn pages_meet_each_entry_once_while_new_ones_come<H: Harness>(harness: &H) {
    let Some(case) = Case::new(harness).await else {
        return;
    };
    let written = case.written(7).await;
    let request = AuditRequest::new(3);
    let first = case.page(&request, None).await;
    assert_eq!(ids(&first.entries), reversed(&written[4..]));
    assert!(first.next.is_some());
    case.written(5).await;
    let rest = case.rest(&request, first.next).await;
    assert_eq!(ids(&rest), reversed(&written[..4]));
}

/// Nobody reads of others what is asked about one.
pub async fn pages_about_a_user_or_a_session_hold_nothing_else<H: Harness>(harness: &H) {
    let Some(case) = Case::new(harness).await else {
        return;
    };
    let (session, other) = (SessionId::random(), some_user());
    let mine = case.written(2).await;
    let of_session = AuditEntry {
        session: Some(session),
        ..case.entry("signed_in")
    };
    let of_other = AuditEntry {
        user: Some(other.clone()),
        session: Some(SessionId::random()),
        ..case.entry("signed_in")
    };
    let of_nobody = AuditEntry {
        user: None,
        ..case.entry("store_lost")
    };
    for entry in [&of_session, &of_other, &of_nobody] {
        case.write(std::slice::from_ref(entry)).await;
    }
    let request = AuditRequest::new(2);
    let about = |user: &UserId| request.clone().about_user(user.clone());
    let expected = [of_session.id, mine[1].id, mine[0].id];
    assert_eq!(ids(&case.rest(&about(&case.user), None).await), expected);
    assert_eq!(ids(&case.rest(&about(&other), None).await), [of_other.id]);
    let by_session = request.clone().about_session(session);
    assert_eq!(ids(&case.rest(&by_session, None).await), [of_session.id]);
    let both = about(&other).about_session(session);
    assert!(case.rest(&both, None).await.is_empty());
}

/// A write whose answer was lost is repeated, perhaps with more that came meanwhile.
pub async fn an_entry_that_is_written_again_stands_once<H: Harness>(harness: &H) {
    let Some(case) = Case::new(harness).await else {
        return;
    };
    let entries: Vec<_> = (0..3).map(|_| case.entry("renamed")).collect();
    case.write(&entries[..2]).await;
    case.write(&entries).await;
    case.write(&entries[..1]).await;
    case.write(&[]).await;
    assert_eq!(ids(&case.all().await), reversed(&entries));
}

/// The retention is kept, by the clock of the store.
pub async fn what_is_too_old_is_removed<H: Harness>(harness: &H) {
    let Some(mut case) = Case::new(harness).await else {
        return;
    };
    let old = case.written(7).await;
    if !harness.advance(2 * DAY) {
        eprintln!("not run: the clock of the store cannot be moved");
        return;
    }
    case.now = case.now + 2 * DAY;
    let new = case.written(2).await;
    case.tidy(3 * DAY, NO_BOUND, 3).await;
    assert_eq!(case.all().await.len(), old.len() + new.len());
    case.tidy(DAY, NO_BOUND, 3).await;
    assert_eq!(ids(&case.all().await), reversed(&new));
}

/// Whoever floods the log fills no disk.
pub async fn what_is_too_much_is_removed_the_oldest_first<H: Harness>(harness: &H) {
    let Some(case) = Case::new(harness).await else {
        return;
    };
    let written = case.written(9).await;
    case.tidy(DAY, 4, 2).await;
    let left = case.all().await;
    assert!(
        !left.is_empty() && left.len() <= 4,
        "{} are left",
        left.len()
    );
    let newest = reversed(&written);
    assert_eq!(ids(&left), newest[..left.len()]);
}

/// Tidying takes nothing that is to be kept.
pub async fn what_is_neither_too_old_nor_too_much_stays<H: Harness>(harness: &H) {
    let Some(case) = Case::new(harness).await else {
        return;
    };
    let written = case.written(3).await;
    case.tidy(DAY, NO_BOUND, 2).await;
    assert_eq!(ids(&case.all().await), reversed(&written));
}

/// Data protection may ask for it.
pub async fn forgetting_a_user_removes_what_is_about_them<H: Harness>(harness: &H) {
    let Some(case) = Case::new(harness).await else {
        return;
    };
    case.written(3).await;
    let other = AuditEntry {
        user: Some(some_user()),
        by: Some(case.user.clone()),
        ..case.entry("ended")
    };
    case.write(std::slice::from_ref(&other)).await;
    let forgotten = case.log().forget(&case.user).await;
    forgotten.expect("the store answers");
    assert_eq!(ids(&case.all().await), [other.id]);
    let later = case.written(1).await;
    let read = case.all().await;
    assert_eq!(read.len(), 2);
    assert!(read.contains(&later[0]));
}
