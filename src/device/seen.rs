//! The device behind a request, by its headers.

use std::net::IpAddr;

use http::HeaderMap;

use crate::session::Device;

pub(crate) fn seen(headers: &HeaderMap, address: Option<IpAddr>) -> Device {
    Device::from_headers(headers, address)
}
