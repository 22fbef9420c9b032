//! The device that a session was signed in on.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::coordinates::Coordinates;
use super::mark::{DeviceCookie, DeviceMark};
use super::place::Gateway;

/// What is known of the device behind a session.
///
/// All of it is what the client said of itself, so it helps people recognise their devices and
/// proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Device {
    /// For people, as `"Chrome on Windows"`; `"Unknown Device"` where nothing is known.
    pub label: String,
    /// The address that the sign-in came from.
    pub address: Option<IpAddr>,
    /// The `User-Agent` header, at most 512 bytes of it.
    pub user_agent: Option<String>,
    /// What kind of device it is.
    pub kind: DeviceKind,
    /// Where the address is, by name.
    pub country: Option<String>,
    /// Where the address is, by name.
    pub city: Option<String>,
    /// Where the address is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coordinates: Option<Coordinates>,
    /// What is known to stand between the address and the device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gateway: Option<Gateway>,
    /// What it is recognised by at the next sign-in, where it took a cookie.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<DeviceMark>,
    /// The cookie that it brought. Never written down.
    #[serde(skip)]
    pub cookie: Option<DeviceCookie>,
}

impl Default for Device {
    /// A device of which nothing is known.
    fn default() -> Self {
        Self {
            label: "Unknown Device".to_owned(),
            address: None,
            user_agent: None,
            kind: DeviceKind::Unknown,
            country: None,
            city: None,
            coordinates: None,
            gateway: None,
            mark: None,
            cookie: None,
        }
    }
}

/// What kind of device a client runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum DeviceKind {
    /// A native application.
    App,
    /// A desktop or laptop computer.
    Desktop,
    /// A telephone.
    Phone,
    /// A command-line client, library or bot.
    Script,
    /// A tablet.
    Tablet,
    /// Nothing is known.
    #[default]
    Unknown,
}
