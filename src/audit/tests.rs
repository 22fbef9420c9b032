//! What is written down of which event.

use std::sync::Arc;

use super::backlog::Backlog;
use super::settings::{AuditLevel, AuditSettings};
use crate::clock::UnixTime;
use crate::events::Event;
use crate::revocation::{EndReason, NodeId};
use crate::session::refresh::{Advance, ReplayKind};
use crate::session::{AddressDetail, AuditEntry, Device, FailureCounts, RefreshFailure};
use crate::token::{SessionId, UserId};

const NOW: UnixTime = UnixTime::from_secs(1_795_000_000);

fn backlog(level: AuditLevel, detail: AddressDetail, room: usize) -> Arc<Backlog> {
    let settings = AuditSettings::default()
        .with_level(level)
        .with_backlog(room);
    Backlog::new(settings, NodeId(7), detail)
}

/// What becomes of events at a level.
fn kept(level: AuditLevel, events: &[Event]) -> Vec<AuditEntry> {
    let backlog = backlog(level, AddressDetail::Shortened, 100);
    let observer = backlog.before(Arc::new(|_: UnixTime, _: &Event| ()));
    for event in events {
        observer.observe(NOW, event);
    }
    let waiting = backlog.waiting();
    waiting.entries.iter().cloned().collect()
}

fn ada() -> UserId {
    UserId::new("ada").unwrap()
}

fn refreshed(how: Advance) -> Event {
    Event::Refreshed {
        session: SessionId::random(),
        user: ada(),
        generation: 2,
        how,
        address: "192.0.2.77".parse().ok(),
    }
}

fn replayed(how: ReplayKind) -> Event {
    Event::ReplayAccepted {
        session: SessionId::random(),
        user: ada(),
        how,
        address: None,
    }
}

fn failed(user: Option<UserId>, session: u32) -> Event {
    let failures = FailureCounts {
        session,
        address: 0,
    };
    Event::RefreshFailed {
        session: Some(SessionId::random()),
        user,
        address: None,
        why: RefreshFailure::Over,
        failures,
    }
}

fn ended(reason: EndReason) -> Event {
    Event::Ended {
        session: SessionId::random(),
        user: ada(),
        reason,
        by: Some(UserId::new("root").unwrap()),
        lasted: std::time::Duration::from_secs(60),
        device: Box::new(Device {
            address: "192.0.2.0".parse().ok(),
            label: "Lynx on Plan 9".to_owned(),
            ..Device::default()
        }),
    }
}

#[test]
fn an_end_says_who_why_and_where() {
    let [entry] = kept(AuditLevel::On, &[ended(EndReason::AdminRevoked)])
        .try_into()
        .unwrap();
    assert_eq!((entry.at, entry.node), (NOW, NodeId(7)));
    assert_eq!(entry.event, "ended");
    assert_eq!(entry.user, Some(ada()));
    assert_eq!(entry.by.unwrap().as_str(), "root");
    assert_eq!(entry.reason.unwrap(), "admin_revoked");
    assert_eq!(entry.address.unwrap().to_string(), "192.0.2.0");
    assert_eq!(entry.device.unwrap(), "Lynx on Plan 9");
}

#[test]
fn of_an_erased_user_no_device_is_written_down() {
    let [entry] = kept(AuditLevel::On, &[ended(EndReason::UserRemoved)])
        .try_into()
        .unwrap();
    assert_eq!((entry.address, entry.device), (None, None));
}

#[test]
fn an_address_is_shortened_as_those_of_sessions_are() {
    let [entry] = kept(AuditLevel::All, &[refreshed(Advance::Rotated)])
        .try_into()
        .unwrap();
    assert_eq!(entry.address.unwrap().to_string(), "192.0.2.0");
}

#[test]
fn what_happens_all_the_time_is_written_down_only_where_that_is_asked() {
    let events = [
        refreshed(Advance::Rotated),
        refreshed(Advance::Replaced),
        replayed(ReplayKind::HoldOff),
        replayed(ReplayKind::Predecessor),
        replayed(ReplayKind::SameOperation),
    ];
    let reasons = |level| -> Vec<_> {
        let kept = kept(level, &events).into_iter();
        kept.map(|entry| entry.reason.unwrap().into_owned())
            .collect()
    };
    assert_eq!(reasons(AuditLevel::On), ["replaced", "predecessor"]);
    assert_eq!(reasons(AuditLevel::All).len(), events.len());
    assert!(reasons(AuditLevel::Off).is_empty());
}

#[test]
fn nobody_can_wash_the_log_out_with_failures() {
    let mut flood: Vec<Event> = (0..500).map(|_| failed(None, 0)).collect();
    flood.extend((1..500).map(|count| failed(Some(ada()), count)));
    assert_eq!(kept(AuditLevel::All, &flood).len(), 10);
}

#[test]
fn what_has_no_room_is_counted() {
    let backlog = backlog(AuditLevel::On, AddressDetail::Full, 3);
    let observer = backlog.before(Arc::new(|_: UnixTime, _: &Event| ()));
    for _ in 0..5 {
        observer.observe(NOW, &ended(EndReason::SignedOut));
    }
    assert_eq!(backlog.counts(), (3, 2));
}

#[test]
fn every_event_may_stand_in_the_log_but_what_anybody_can_cause_and_what_subscribers_missed() {
    let source = include_str!("../events/event.rs");
    let names = source.split_once("fn name(").expect("events have names").1;
    let names = names.split_once("\n    }\n").expect("the function ends").0;
    let mut names: Vec<&str> = names.split('"').skip(1).step_by(2).collect();
    names.retain(|name| !["missed", "refused"].contains(name));
    assert_eq!(names, super::KINDS);
}
