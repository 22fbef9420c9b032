//! What the requests to a store come to: rules that every store would else repeat.

use super::device::Device;
use super::lifetimes::Lifetimes;
use super::limit::SessionLimit;
use super::record::{Authentication, SessionRecord, Transport};
use super::refresh::{Advance, Presented, RefreshRules, RefreshState, SeedHash};
use super::store::{
    EndAll, EndSession, NewSession, PageRequest, RefreshAttempt, SessionChange, Use,
};
use crate::clock::UnixTime;
use crate::revocation::{EndReason, EntryId};
use crate::token::{SessionId, UserId};
use crate::verify::Counter;

impl NewSession {
    /// A session of no particular device that a sign-in with a fresh ticket makes: of the default
    /// lifetimes, and beside any number of others.
    #[must_use]
    pub fn new(
        id: SessionId,
        user: UserId,
        seed: SeedHash,
        operation: [u8; 32],
        issued_at: UnixTime,
    ) -> Self {
        let lifetimes = Lifetimes::default();
        Self {
            id,
            user,
            revoked_gen: Counter::ZERO,
            seed,
            operation,
            issued_at,
            access_expires_at: issued_at + lifetimes.access(),
            refresh_lifetime: lifetimes.refresh(),
            absolute_lifetime: lifetimes.session(),
            idle_lifetime: None,
            limit: SessionLimit::UNLIMITED,
            device: Device::default(),
            name: None,
            transport: Transport::default(),
            authentication: Authentication::default(),
            data: None,
        }
    }

    /// The record of the session, made at `now`, the store's clock.
    #[must_use]
    pub fn into_record(self, now: UnixTime) -> SessionRecord {
        let absolute_expires_at = now + self.absolute_lifetime;
        SessionRecord {
            id: self.id,
            user: self.user,
            device: self.device,
            name: self.name,
            created_at: now,
            last_active_at: now,
            authenticated_at: now,
            authentication: self.authentication,
            transport: self.transport,
            revoked_gen: self.revoked_gen,
            spared: Counter::ZERO,
            refresh: RefreshState::first(
                self.seed,
                self.issued_at,
                self.access_expires_at.min(absolute_expires_at),
                (now + self.refresh_lifetime).min(absolute_expires_at),
            ),
            absolute_expires_at,
            idle_lifetime: self.idle_lifetime,
            refresh_count: 0,
            data: self.data,
            seen: None,
            flag: None,
            ended: None,
        }
    }
}

impl EndSession {
    /// The end of a session whosever it is, under a name of its own.
    #[must_use]
    pub fn new(session: SessionId, reason: EndReason) -> Self {
        Self {
            session,
            owner: None,
            reason,
            by: None,
            entry: EntryId::random(),
        }
    }
}

impl EndAll {
    /// The end of all sessions of a user, under a name of its own.
    #[must_use]
    pub fn new(user: UserId, reason: EndReason) -> Self {
        Self {
            user,
            except: None,
            reason,
            by: None,
            entry: EntryId::random(),
        }
    }
}

impl Use {
    /// A use at an instant of a session in a part of the store.
    #[must_use]
    pub fn new(session: SessionId, bucket: u8, at: UnixTime) -> Self {
        Self {
            session,
            bucket,
            at,
        }
    }
}

impl PageRequest {
    /// The first page over the sessions of everybody.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            user: None,
            after: None,
            limit,
        }
    }
}

impl RefreshAttempt {
    /// An attempt that leaves the predecessor's access token alone, under a name of its own.
    #[must_use]
    pub fn new(
        session: SessionId,
        bucket: u8,
        seed: SeedHash,
        presented: Presented,
        rules: RefreshRules,
    ) -> Self {
        Self {
            session,
            bucket,
            seed,
            presented,
            rules,
            revoke_predecessor: false,
            entry: EntryId::random(),
        }
    }

    /// The generation whose access token an advance of this attempt puts out, if any.
    #[must_use]
    pub fn replaced(&self, how: Advance, skipped: Option<u32>) -> Option<u32> {
        match how {
            Advance::Replaced => skipped,
            Advance::Forwarded | Advance::Rotated => {
                self.revoke_predecessor.then_some(self.presented.generation)
            }
        }
    }
}

impl SessionChange {
    /// Makes the change.
    pub fn apply(self, record: &mut SessionRecord) {
        match self {
            Self::Authenticated { at, authentication } => {
                record.authenticated_at = at;
                record.authentication = authentication;
            }
            Self::Data(data) => record.data = data,
            Self::Flag(flag) => record.flag = flag,
            Self::Name(name) => record.name = name,
            Self::Seen(seen) => record.seen = seen,
        }
    }
}
