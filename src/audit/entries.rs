//! What of an event is written down.

use std::borrow::Cow;

use super::settings::AuditLevel;
use crate::clock::UnixTime;
use crate::events::Event;
use crate::revocation::{EndReason, NodeId};
use crate::session::refresh::{Advance, ReplayKind};
use crate::session::{AddressDetail, AuditEntry, Device, RefreshFailure};

/// The entry of an event, if it is one to be written down.
pub(super) fn entry_of(
    level: AuditLevel,
    detail: AddressDetail,
    node: NodeId,
    at: UnixTime,
    event: &Event,
) -> Option<AuditEntry> {
    if !is_kept(level, event) {
        return None;
    }
    let mut entry = AuditEntry::new(at, node, event.name());
    entry.user = event.user().cloned();
    entry.session = event.session();
    entry.reason = reason(event);
    if let Event::Ended { by, .. } = event {
        entry.by.clone_from(by);
    }
    let address = match event {
        Event::Refreshed { address, .. }
        | Event::RefreshFailed { address, .. }
        | Event::ReplayAccepted { address, .. }
        | Event::TooManyRefreshFailures { address, .. } => *address,
        _ => None,
    };
    // The address of a device is that of its sign-in, of which as much is kept as is to be.
    entry.address = address.map(|address| detail.of(address));
    if let Some(device) = device(event) {
        entry.address = device.address;
        entry.device = Some(device.label.clone());
    }
    Some(entry)
}

fn is_kept(level: AuditLevel, event: &Event) -> bool {
    match (level, event) {
        (AuditLevel::Off, _) => false,
        // Anybody can cause these, and would wash everything else out.
        (
            _,
            Event::Refused { .. } | Event::Missed { .. } | Event::RefreshFailed { user: None, .. },
        ) => false,
        // So could whoever has an old token; the round numbers are told by an event of their own.
        (_, Event::RefreshFailed { failures, .. }) => failures.session <= FIRST_FAILURES,
        (_, Event::TooManyRefreshFailures { user, .. }) => user.is_some(),
        (AuditLevel::On, Event::Refreshed { how, .. }) => *how != Advance::Rotated,
        (AuditLevel::On, Event::ReplayAccepted { how, .. }) => *how == ReplayKind::Predecessor,
        _ => true,
    }
}

fn reason(event: &Event) -> Option<Cow<'static, str>> {
    let number = |number: u64| Some(Cow::Owned(number.to_string()));
    match event {
        Event::AuditLost { entries } => number(*entries),
        Event::WrittenBack { entries } => number(*entries as u64),
        Event::Ended { reason, .. } | Event::TokenRevoked { reason, .. } => {
            Some(reason.as_str().into())
        }
        Event::RefreshFailed { why, .. } => Some(failure(*why).into()),
        Event::Refreshed { how, .. } => Some(advance(*how).into()),
        Event::ReplayAccepted { how, .. } => Some(replay(*how).into()),
        Event::RestoredAhead { generation, .. } => number((*generation).into()),
        Event::SignedIn { first: true, .. } => Some("first".into()),
        Event::StoreBack { class, .. } | Event::StoreLost { class, .. } => {
            Some(class.as_str().into())
        }
        Event::TooManyRefreshFailures { failures, .. } => {
            number(failures.session.max(failures.address).into())
        }
        Event::ViewFresh { stale } => Some(humantime::format_duration(*stale).to_string().into()),
        _ => None,
    }
}

/// The device that an event brings along; not of a user who is erased, of whom nothing is to stay.
fn device(event: &Event) -> Option<&Device> {
    match event {
        Event::Ended {
            reason: EndReason::UserRemoved,
            ..
        } => None,
        Event::Ended { device, .. }
        | Event::NewDevice { device, .. }
        | Event::SignedIn { device, .. } => Some(device),
        _ => None,
    }
}

fn failure(why: RefreshFailure) -> &'static str {
    match why {
        RefreshFailure::InvalidToken => "invalid_token",
        RefreshFailure::Over => "over",
        RefreshFailure::Repeated => "repeated",
        RefreshFailure::Reused => "reused",
        RefreshFailure::UnknownUser => "unknown_user",
    }
}

fn advance(how: Advance) -> &'static str {
    match how {
        Advance::Forwarded => "forwarded",
        Advance::Replaced => "replaced",
        Advance::Rotated => "rotated",
    }
}

fn replay(how: ReplayKind) -> &'static str {
    match how {
        ReplayKind::HoldOff => "hold_off",
        ReplayKind::Predecessor => "predecessor",
        ReplayKind::SameOperation => "same_operation",
    }
}

/// What may stand in the log, by the [names](Event::name) of events.
pub const KINDS: &[&str] = &[
    "audit_lost",
    "ended",
    "erased",
    "log_changed",
    "new_device",
    "reauthenticated",
    "refresh_failed",
    "refreshed",
    "renamed",
    "replay_accepted",
    "restored_ahead",
    "risk_raised",
    "roles_changed",
    "signed_in",
    "sign_in_refused",
    "store_back",
    "store_lost",
    "token_revoked",
    "too_many_refresh_failures",
    "untracked_issued",
    "view_fresh",
    "view_stale",
    "written_back",
];

/// How many failures of one session have an entry each.
const FIRST_FAILURES: u32 = 10;
