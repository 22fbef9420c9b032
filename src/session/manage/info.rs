//! What people see of a session.

use serde::{Serialize, Serializer};

use crate::clock::UnixTime;
use crate::session::risk::RiskFlag;
use crate::session::{DeviceKind, SessionRecord};
use crate::token::{SessionId, UserId};

/// What people see of a session: nothing that could be replayed, and no token's id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SessionInfo {
    /// Its name among sessions.
    #[serde(serialize_with = "display")]
    pub id: SessionId,
    /// Whose it is.
    pub user_id: UserId,
    /// The device, as `"Chrome on Windows"`.
    pub device: String,
    /// What kind of device.
    pub device_kind: DeviceKind,
    /// Whether it is a phone or a tablet.
    pub is_mobile: bool,
    /// The address that it was signed in from.
    pub ip_address: Option<std::net::IpAddr>,
    /// What the device said of itself.
    pub user_agent: Option<String>,
    /// Where the address is.
    pub country: Option<String>,
    /// Where the address is.
    pub city: Option<String>,
    /// When it was last used.
    #[serde(serialize_with = "display")]
    pub last_active: UnixTime,
    /// When it was signed in.
    #[serde(serialize_with = "display")]
    pub created_at: UnixTime,
    /// Whether the request that lists is of this session.
    pub is_current: bool,
    /// The name that the user gave it.
    pub name: Option<String>,
    /// When it ended.
    #[serde(
        serialize_with = "display_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub ended_at: Option<UnixTime>,
    /// Why it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_reason: Option<&'static str>,
    /// What is unusual about it, as far as [`risk`](crate::session::risk) is watched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flag: Option<RiskFlag>,
    /// How often it was refreshed.
    #[serde(skip)]
    pub refresh_count: u32,
}

/// A user's live sessions, summed up.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionStatistics {
    /// How many there are.
    pub active: u64,
    /// How many there may be; `None` without a limit.
    pub limit: Option<u32>,
    /// When the oldest was signed in.
    pub oldest: Option<UnixTime>,
    /// When the newest was signed in.
    pub newest: Option<UnixTime>,
    /// How often they were refreshed, all together.
    pub refreshes: u64,
    /// How often a refresh of the user failed, as far as this node has seen since it started.
    pub failed_refreshes: u64,
    /// Their devices, the most recently used first.
    pub devices: Vec<String>,
}

impl SessionStatistics {
    pub(super) fn of(sessions: &[SessionInfo], limit: Option<u32>, failed: u32) -> Self {
        let signed_in = || sessions.iter().map(|session| session.created_at);
        Self {
            active: sessions.len() as u64,
            limit,
            oldest: signed_in().min(),
            newest: signed_in().max(),
            refreshes: sessions
                .iter()
                .map(|session| u64::from(session.refresh_count))
                .sum(),
            failed_refreshes: failed.into(),
            devices: sessions
                .iter()
                .map(|session| session.device.clone())
                .collect(),
        }
    }
}

impl SessionInfo {
    /// The same with `is_current` set where it is the session of the request.
    #[must_use]
    pub fn seen_from(mut self, current: Option<SessionId>) -> Self {
        self.is_current = current == Some(self.id);
        self
    }
}

impl From<SessionRecord> for SessionInfo {
    fn from(record: SessionRecord) -> Self {
        let flag = RiskFlag::of(&record);
        let (ended_at, ended_reason) = record
            .ended
            .map(|ended| (ended.at, ended.reason.as_str()))
            .unzip();
        Self {
            id: record.id,
            user_id: record.user,
            device: record.device.label,
            device_kind: record.device.kind,
            is_mobile: matches!(record.device.kind, DeviceKind::Phone | DeviceKind::Tablet),
            ip_address: record.device.address,
            user_agent: record.device.user_agent,
            country: record.device.country,
            city: record.device.city,
            last_active: record.last_active_at,
            created_at: record.created_at,
            is_current: false,
            name: record.name,
            ended_at,
            ended_reason,
            flag,
            refresh_count: record.refresh_count,
        }
    }
}

fn display<S: Serializer>(
    value: &impl std::fmt::Display,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_str(value)
}

fn display_option<S: Serializer>(
    value: &Option<UnixTime>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => serializer.serialize_none(),
    }
}
