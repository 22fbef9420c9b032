//! What the requests to a store come to: rules that every store would else repeat.

use super::record::SessionRecord;
use super::refresh::{Advance, RefreshState};
use super::store::{NewSession, RefreshAttempt, SessionChange};
use crate::clock::UnixTime;
use crate::verify::Counter;

impl NewSession {
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
            ended: None,
        }
    }
}

impl RefreshAttempt {
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
            Self::Name(name) => record.name = name,
        }
    }
}
