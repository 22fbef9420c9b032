//! What the tests of the databases put into them.

use std::time::Duration;

use crate::revocation::{EndReason, EntryId};
use crate::session::refresh::SeedHash;
use crate::session::{
    Authentication, Device, EndSession, NewSession, SessionLimit, SessionRecord, Transport,
};
use crate::testing::ManualClock;
use crate::token::{SessionId, UserId};
use crate::verify::Counter;

pub(super) const HOUR: Duration = Duration::from_secs(60 * 60);

pub(super) fn user() -> UserId {
    UserId::new("ada").expect("it is a name")
}

pub(super) fn new_session(number: u8) -> NewSession {
    NewSession {
        id: SessionId::random(),
        user: user(),
        revoked_gen: Counter::ZERO,
        seed: SeedHash::from_bytes([number; 32]),
        operation: [number; 32],
        issued_at: ManualClock::START,
        access_expires_at: ManualClock::START + HOUR,
        refresh_lifetime: HOUR,
        absolute_lifetime: 2 * HOUR,
        idle_lifetime: None,
        limit: SessionLimit::UNLIMITED,
        device: Device::default(),
        name: None,
        transport: Transport::Body,
        authentication: Authentication::default(),
        data: None,
    }
}

pub(super) fn end(record: &SessionRecord) -> EndSession {
    EndSession {
        session: record.id,
        owner: None,
        reason: EndReason::SignedOut,
        by: None,
        entry: EntryId::random(),
    }
}
