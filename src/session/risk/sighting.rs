//! When somebody was where, and on what.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use crate::clock::UnixTime;
use crate::session::device::{Device, DeviceKind};
use crate::session::place::AddressDetail;
use crate::session::record::SessionRecord;

/// When a user was seen where, and on what.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sighting {
    /// When.
    pub at: UnixTime,
    /// On what, and where that was.
    pub device: Device,
    /// At what occasion.
    pub how: Sight,
}

/// The occasion of a sighting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Sight {
    /// They proved again who they are.
    Proven,
    /// A program refreshed the tokens; nobody need have been there.
    Refreshed,
    /// They signed in.
    SignedIn,
}

impl Sighting {
    pub(crate) fn new(at: UnixTime, device: &Device, how: Sight) -> Self {
        let mut device = device.clone();
        // What it is recognised by stays with the sign-in.
        device.mark = None;
        device.cookie = None;
        Self { at, device, how }
    }

    pub(crate) fn of_sign_in(record: &SessionRecord) -> Self {
        Self::new(record.created_at, &record.device, Sight::SignedIn)
    }

    /// The latest of a session. What cannot be read is none.
    pub(crate) fn latest(record: &SessionRecord) -> Self {
        Self::after_sign_in(record).unwrap_or_else(|| Self::of_sign_in(record))
    }

    /// All that are remembered of some sessions.
    pub(crate) fn all(records: &[SessionRecord]) -> Vec<Self> {
        let later = records.iter().filter_map(Self::after_sign_in);
        records.iter().map(Self::of_sign_in).chain(later).collect()
    }

    fn after_sign_in(record: &SessionRecord) -> Option<Self> {
        serde_json::from_str(record.seen.as_deref()?).ok()
    }

    /// What a record keeps of it.
    pub(crate) fn to_text(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    /// Whether a person was there, or at least what people carry with them. A computer that was
    /// left at home goes on refreshing while its owner travels.
    pub(super) fn is_of_a_person(&self) -> bool {
        self.how != Sight::Refreshed || self.device.kind == DeviceKind::Phone
    }

    /// Whether there is anything to go by.
    pub(crate) fn says_something(&self) -> bool {
        self.device.address.is_some() || client(&self.device).is_some()
    }

    /// City and country, as far as they are known.
    pub(super) fn place(&self) -> Option<String> {
        let parts = [&self.device.city, &self.device.country];
        let known: Vec<&str> = parts.into_iter().flatten().map(String::as_str).collect();
        (!known.is_empty()).then(|| known.join(", "))
    }

    /// The network of the address: within one, addresses change by themselves.
    pub(super) fn network(&self) -> Option<IpAddr> {
        let address = self.device.address?;
        Some(AddressDetail::Shortened.of(address).to_canonical())
    }

    /// Whether both were on the same network; `None` where that cannot be said, as when a device that
    /// has addresses of both families takes now one and now the other.
    pub(super) fn same_network(&self, other: &Self) -> Option<bool> {
        let (here, there) = (self.network()?, other.network()?);
        (here.is_ipv4() == there.is_ipv4()).then_some(here == there)
    }

    /// Whether both were the same program on the same system; `None` where that cannot be said. A
    /// newer version is the same.
    pub(super) fn same_client(&self, other: &Self) -> Option<bool> {
        Some(client(&self.device)? == client(&other.device)?)
    }
}

/// The program and the system, without versions.
pub(super) fn client(device: &Device) -> Option<String> {
    if device.label != Device::default().label && !device.label.is_empty() {
        return Some(device.label.clone());
    }
    let user_agent = device.user_agent.as_deref()?;
    Some(
        user_agent
            .chars()
            .filter(|c| !c.is_ascii_digit() && *c != '.')
            .collect(),
    )
}
