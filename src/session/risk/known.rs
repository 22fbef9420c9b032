//! Devices that were seen before, and being told of the others.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use super::sighting::Sighting;
use crate::clock::UnixTime;
use crate::revocation::EndReason;
use crate::session::device::{Device, DeviceKind};
use crate::session::record::SessionRecord;
use crate::token::{SessionId, UserId};

/// A user signed in on a device that was not seen before: what a message to them needs.
///
/// # Security
///
/// `device`, `country` and `city` are what a client and a database said: escape them for whatever
/// they go into. A link to the session should lead to a page where one signs in first, as the
/// list of devices; an id alone ends nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NewDevice {
    /// Who.
    pub user: UserId,
    /// The session that began, to be ended where it was somebody else.
    pub session: SessionId,
    /// The device, as `"Chrome on Windows"`.
    pub device: String,
    /// What kind of device.
    pub kind: DeviceKind,
    /// Where it came from, shortened where addresses are kept so.
    pub address: Option<IpAddr>,
    /// The city, where it is known.
    pub city: Option<String>,
    /// The country, where it is known.
    pub country: Option<String>,
    /// When.
    pub at: UnixTime,
}

/// Who is told.
#[derive(Clone)]
pub(crate) struct NewDeviceNotices(pub(crate) Arc<dyn Fn(NewDevice) + Send + Sync>);

impl NewDevice {
    /// City and country, as far as they are known.
    #[must_use]
    pub fn place(&self) -> Option<String> {
        let parts = [&self.city, &self.country].into_iter().flatten();
        let known: Vec<&str> = parts.map(String::as_str).collect();
        (!known.is_empty()).then(|| known.join(", "))
    }

    pub(crate) fn of(record: &SessionRecord) -> Self {
        Self {
            user: record.user.clone(),
            session: record.id,
            device: record.device.label.clone(),
            kind: record.device.kind,
            address: record.device.address,
            city: record.device.city.clone(),
            country: record.device.country.clone(),
            at: record.created_at,
        }
    }
}

/// Whether a device is one of those of earlier sessions.
///
/// One that was given a cookie is known by that alone: anybody can have the same browser. One that
/// takes no cookies is known by its program, unless it is in another country than that was. A session
/// that was ended from elsewhere, by a new password or for theft makes no device known: it may have
/// been a stranger's.
pub(crate) fn is_known<'r>(
    device: &Device,
    others: impl IntoIterator<Item = &'r SessionRecord>,
) -> bool {
    let now = seen(device);
    others
        .into_iter()
        .filter(|record| was_the_users(record))
        .any(|record| {
            if let Some(mark) = &record.device.mark {
                return device.mark.as_ref() == Some(mark);
            }
            let then = seen(&record.device);
            let elsewhere = match (&device.country, &record.device.country) {
                (Some(here), Some(there)) => here != there,
                _ => false,
            };
            !elsewhere && now.same_client(&then).unwrap_or(false)
        })
}

fn was_the_users(record: &SessionRecord) -> bool {
    let by_itself = |reason: &EndReason| {
        matches!(
            reason,
            EndReason::Evicted | EndReason::Expired | EndReason::Idle | EndReason::SignedOut
        )
    };
    let ended = record.ended.as_ref();
    ended.is_none_or(|ended| by_itself(&ended.reason))
}

fn seen(device: &Device) -> Sighting {
    Sighting {
        at: UnixTime::EPOCH,
        device: device.clone(),
        how: super::Sight::SignedIn,
    }
}

impl fmt::Debug for NewDeviceNotices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewDeviceNotices")
    }
}
