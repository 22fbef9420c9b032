//! Joining the fleet, reading the log, leases.
#![expect(missing_docs, reason = "the name of a rule is what it says")]

use std::time::Duration;

use super::Harness;
use super::fixture::{Case, HOUR, LIMITS, entry, some_entry, some_node, some_user};
use crate::clock::UnixTime;
use crate::error::StoreErrorKind;
use crate::revocation::{
    Cursor, EndReason, EntryId, FleetLimits, Glance, LogPosition, PollRequest, Revoked,
};
use crate::session::EndOutcome;
use crate::token::SessionId;

const MINUTE: Duration = Duration::from_secs(60);

pub async fn the_first_node_writes_the_limits_of_the_fleet_down(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let smaller = FleetLimits {
        access_lifetime: MINUTE,
        ..LIMITS
    };
    let attached = case.store.attach(smaller).await.expect("it fits");
    assert_eq!(attached.limits, LIMITS);
}

pub async fn a_node_beyond_the_limits_of_the_fleet_is_refused(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let beyond = [
        FleetLimits {
            access_lifetime: LIMITS.access_lifetime + MINUTE,
            ..LIMITS
        },
        FleetLimits {
            leeway: LIMITS.leeway + MINUTE,
            ..LIMITS
        },
        FleetLimits {
            skew: LIMITS.skew + MINUTE,
            ..LIMITS
        },
    ];
    for limits in beyond {
        let refused = case
            .store
            .attach(limits)
            .await
            .expect_err("it exceeds them");
        assert_eq!(refused.kind(), StoreErrorKind::Configuration);
    }
}

pub async fn every_node_joins_the_same_deployment(harness: &dyn Harness) {
    let (one, other) = (harness.store(), harness.store());
    let one = one.attach(LIMITS).await.expect("it fits");
    let other = other.attach(LIMITS).await.expect("it fits");
    assert_eq!(one, other);
}

pub async fn a_poll_without_a_cursor_reads_all_entries_in_their_order(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let mut written = Vec::new();
    for _ in 0..5 {
        written.extend(case.append(vec![some_entry(), some_entry()]).await.entries);
    }
    assert_eq!(case.poll(None).await.entries, written);
}

pub async fn a_long_log_is_read_whole_and_in_its_order(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let before = case.poll(None).await.cursor;
    let user = some_user();
    let about_a_session = |_| {
        let (session, user) = (SessionId::random(), Some(user.clone()));
        entry(Revoked::Session { session, user }, EndReason::SignedOut)
    };
    let mut written = Vec::new();
    for _ in 0..5 {
        let many = (0..1_000).map(about_a_session).collect();
        written.extend(case.append(many).await.entries);
    }
    let whole = case.poll(None).await;
    assert!(whole.entries == written, "it is not what was written");
    assert!(case.poll(Some(&whole.cursor)).await.entries.is_empty());
    let since = case.poll(Some(&before)).await;
    assert!(since.entries == written, "it is not what was written since");
}

pub async fn a_poll_with_a_cursor_reads_only_what_was_committed_since(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    case.append(vec![some_entry()]).await;
    let first = case.poll(None).await;
    assert!(case.poll(Some(&first.cursor)).await.entries.is_empty());
    let later = case.append(vec![some_entry()]).await;
    let second = case.poll(Some(&first.cursor)).await;
    assert_eq!(second.entries, later.entries);
    assert!(case.poll(Some(&second.cursor)).await.entries.is_empty());
}

pub async fn a_cursor_covers_what_was_read_and_nothing_later(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let before = case.poll(None).await.cursor;
    let committed = case.append(vec![some_entry(), some_entry()]).await;
    let after = case.poll(Some(&before)).await.cursor;
    assert_eq!(committed.positions.len(), 2);
    for position in committed.positions {
        assert!(!case.store.has_read(&before, position));
        assert!(case.store.has_read(&after, position));
        // What compares plainly may learn of it later, and not before.
        assert!(!before.covers(position));
    }
}

pub async fn what_one_node_writes_the_others_read(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let other = case.with_another_user();
    let committed = case.append(vec![some_entry()]).await;
    assert!(other.log_holds(&committed).await);
}

pub async fn a_poll_names_the_probes_that_the_log_does_not_hold(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let held = case.append(vec![some_entry()]).await.entries[0].id;
    let cursor = case.poll(None).await.cursor;
    let lost = EntryId::random();
    assert_eq!(case.poll_for(None, &[held, lost]).await.missing, [lost]);
    let poll = case.poll_for(Some(&cursor), &[lost, held]).await;
    assert_eq!(poll.missing, [lost]);
    assert!(case.poll_for(None, &[]).await.missing.is_empty());
}

pub async fn the_history_stays_the_same_while_nothing_is_lost(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let history = case.poll(None).await.history;
    let committed = case.append(vec![some_entry()]).await;
    assert_eq!(committed.history, history);
    assert_eq!(case.with_another_user().poll(None).await.history, history);
}

pub async fn a_poll_writes_the_lease_of_its_node(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let node = some_node();
    let applied = case.poll(None).await.cursor;
    let request = PollRequest {
        node,
        since: Some(&applied),
        history: None,
        lease: HOUR,
        probes: &[],
        pieces: None,
    };
    let poll = case.store.poll(request).await.expect("the store answers");
    let leases = case.store.leases().await.expect("the store answers");
    let lease = leases.iter().find(|lease| lease.node == node);
    let lease = lease.expect("the poll wrote it");
    assert_eq!((&lease.applied, lease.history), (&applied, poll.history));
    assert!(lease.until >= poll.now + HOUR - MINUTE);
    assert!(lease.until <= poll.now + HOUR + MINUTE);
}

pub async fn a_node_has_one_lease_which_says_what_it_applied_last(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let node = some_node();
    let mut applied: Option<Cursor> = None;
    for _ in 0..3 {
        case.append(vec![some_entry()]).await;
        let request = PollRequest {
            node,
            since: applied.as_ref(),
            history: None,
            lease: HOUR,
            probes: &[],
            pieces: None,
        };
        let poll = case.store.poll(request).await.expect("the store answers");
        let leases = case.store.leases().await.expect("the store answers");
        let mut of_node = leases.into_iter().filter(|lease| lease.node == node);
        let lease = of_node.next().expect("the poll wrote it");
        assert_eq!(lease.applied, applied.unwrap_or_default());
        assert_eq!(of_node.next(), None);
        applied = Some(poll.cursor);
    }
}

pub async fn leases_are_read_with_each_commit(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let node = some_node();
    let request = PollRequest {
        node,
        since: None,
        history: None,
        lease: HOUR,
        probes: &[],
        pieces: None,
    };
    case.store.poll(request).await.expect("the store answers");
    let committed = case.append(vec![some_entry()]).await;
    assert!(committed.leases.iter().any(|lease| lease.node == node));
}

pub async fn a_lease_runs_out(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let node = some_node();
    let request = PollRequest {
        node,
        since: None,
        history: None,
        lease: MINUTE,
        probes: &[],
        pieces: None,
    };
    case.store.poll(request).await.expect("the store answers");
    if !case.pass(2 * MINUTE) {
        return;
    }
    let now = case.now().await;
    let leases = case.store.leases().await.expect("the store answers");
    let holds = |lease: &crate::revocation::Lease| lease.node == node && lease.until > now;
    assert!(!leases.iter().any(holds));
}

pub async fn a_hint_comes_when_there_is_something_to_read(harness: &dyn Harness) {
    if !harness.gives_hints() {
        eprintln!("not run: this store gives no hints");
        return;
    }
    let case = Case::of(harness).await;
    let other = harness.store();
    let hint = other.hint();
    case.append(vec![some_entry()]).await;
    let came = tokio::time::timeout(Duration::from_secs(60), hint).await;
    assert!(came.is_ok(), "no hint came within a minute");
}

pub async fn a_glance_shows_nothing_but_what_the_next_poll_reads(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    case.append(vec![some_entry()]).await;
    let before = case.poll(None).await;
    let look = async |cursor: &Cursor, history| {
        let seen = case.store.glance(cursor, history).await;
        seen.expect("the store answers")
    };
    assert_eq!(look(&before.cursor, before.history).await.entries, []);
    let committed = case.append(vec![some_entry()]).await;
    let seen = look(&before.cursor, before.history).await;
    assert!(seen.entries.is_empty() || seen.entries == committed.entries);
    if let Some(cursor) = seen.cursor {
        // Whoever goes on from there has read it, and misses nothing that comes later.
        assert_eq!(seen.entries, committed.entries);
        let read = |position: &LogPosition| case.store.has_read(&cursor, *position);
        assert!(committed.positions.iter().all(read));
        let later = case.append(vec![some_entry()]).await;
        let poll = case.poll(Some(&cursor)).await;
        assert_eq!(poll.entries, later.entries);
        assert_eq!(poll.history, before.history);
    }
    let other = look(&before.cursor, before.history ^ 1).await;
    assert_eq!(other, Glance::default());
}

pub async fn an_entry_written_while_the_clock_is_behind_is_known_for_as_long(
    harness: &dyn Harness,
) {
    let case = Case::of(harness).await;
    let session = case.sign_in().await;
    let shown = case.now().await;
    if !harness.set_back(24 * HOUR) {
        eprintln!("not run: this store's clock cannot be set back");
        return;
    }
    // Polls that go by the new time change nothing about what was shown.
    assert!(case.now().await < shown);
    let appended = case.append(vec![some_entry()]).await;
    let EndOutcome::Ended { committed, .. } = case.end(&session).await else {
        panic!("the session is there to be ended");
    };
    for entry in appended.entries.iter().chain(&committed.entries) {
        assert!(entry.until >= shown + LIMITS.entry_lifetime());
    }
    // It is set right.
    case.pass(24 * HOUR + LIMITS.entry_lifetime() - MINUTE);
    assert!(case.log_holds(&appended).await);
    assert!(case.log_holds(&committed).await);
}

pub async fn an_entry_is_kept_for_as_long_as_a_token_may_live_and_not_for_ever(
    harness: &dyn Harness,
) {
    let case = Case::of(harness).await;
    let committed = case.append(vec![some_entry()]).await;
    let entry = &committed.entries[0];
    assert!(entry.until >= entry.at + LIMITS.entry_lifetime());
    let id = entry.id;
    let almost = entry.until.since(case.now().await) - Duration::from_secs(1);
    if !case.pass(almost) {
        return;
    }
    assert!(case.log_holds(&committed).await);
    case.pass(Duration::from_secs(2));
    let poll = case.poll_for(None, &[id]).await;
    assert!(poll.entries.is_empty());
    assert_eq!(poll.missing, [id]);
}

pub async fn the_log_goes_on_after_old_entries_were_forgotten(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    case.append(vec![some_entry(), some_entry()]).await;
    let cursor = case.poll(None).await.cursor;
    if !case.pass(LIMITS.entry_lifetime() + MINUTE) {
        return;
    }
    assert!(case.poll(Some(&cursor)).await.entries.is_empty());
    let later = case.append(vec![some_entry()]).await;
    assert_eq!(case.poll(Some(&cursor)).await.entries, later.entries);
    assert_eq!(case.poll(None).await.entries, later.entries);
}

pub async fn a_commit_tells_the_clock_of_the_store(harness: &dyn Harness) {
    let case = Case::of(harness).await;
    let before = case.now().await;
    let committed = case.append(vec![some_entry()]).await;
    assert!(before <= committed.now && committed.now <= case.now().await);
    assert_ne!(committed.now, UnixTime::EPOCH);
}
