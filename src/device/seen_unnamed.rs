//! The device behind a request in a build that names none.

use std::net::IpAddr;

use http::HeaderMap;
use http::header::USER_AGENT;

use super::cookie;
use crate::session::Device;

pub(crate) fn seen(headers: &HeaderMap, address: Option<IpAddr>) -> Device {
    let user_agent = headers
        .get(USER_AGENT)
        .and_then(|value| value.to_str().ok());
    Device {
        address,
        user_agent: user_agent.map(|text| text.chars().take(MAX_USER_AGENT).collect()),
        cookie: cookie::read(headers),
        ..Device::default()
    }
}

/// As much as is kept where devices are named.
const MAX_USER_AGENT: usize = 512;
