//! What a request's headers say of the device behind it.

mod hints;
#[cfg(feature = "user-agent")]
mod long_tail;
#[cfg(not(feature = "user-agent"))]
#[path = "reading/short_tail.rs"]
mod long_tail;
mod products;
mod text;
mod user_agent;

use std::net::IpAddr;

use http::HeaderMap;
use http::header::USER_AGENT;

use super::cookie;
use crate::session::{Device, DeviceKind};

impl Device {
    /// The most bytes of a `User-Agent` header that are kept.
    pub const MAX_USER_AGENT: usize = 512;

    /// Reads a `User-Agent` header (RFC 9110, section 10.1.5).
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_jwt_session::Device;
    ///
    /// let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 14_0 like Mac OS X)";
    /// assert_eq!(Device::from_user_agent(phone).label, "Safari on iOS");
    /// assert_eq!(Device::from_user_agent("curl/8.5.0").label, "curl");
    /// assert_eq!(Device::from_user_agent("").label, "Unknown Device");
    /// ```
    #[must_use]
    pub fn from_user_agent(user_agent: &str) -> Self {
        let user_agent = text::shown(user_agent, Self::MAX_USER_AGENT);
        let guess = user_agent::read(&user_agent);
        Self::from_guess(guess, user_agent, None)
    }

    /// Reads the `Sec-CH-UA` hints where the client sends them, else its `User-Agent`; and its
    /// device cookie.
    #[must_use]
    pub fn from_headers(headers: &HeaderMap, address: Option<IpAddr>) -> Self {
        let user_agent = headers
            .get(USER_AGENT)
            .map(|value| String::from_utf8_lossy(value.as_bytes()))
            .unwrap_or_default();
        let user_agent = text::shown(&user_agent, Self::MAX_USER_AGENT);
        let guess = hints::read(headers).or(user_agent::read(&user_agent));
        Self {
            cookie: cookie::read(headers),
            ..Self::from_guess(guess, user_agent, address)
        }
    }

    fn from_guess(guess: Guess, user_agent: String, address: Option<IpAddr>) -> Self {
        Self {
            label: guess.label(),
            address,
            user_agent: (!user_agent.is_empty()).then_some(user_agent),
            kind: guess.kind,
            ..Self::default()
        }
    }
}

/// What the headers seem to say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Guess {
    client: Option<String>,
    platform: Option<&'static str>,
    kind: DeviceKind,
}

impl Guess {
    /// What this one does not know is taken from another.
    fn or(self, other: Self) -> Self {
        let kind = if self.kind == DeviceKind::Unknown {
            other.kind
        } else {
            self.kind
        };
        Self {
            client: self.client.or(other.client),
            platform: self.platform.or(other.platform),
            kind,
        }
    }

    fn label(&self) -> String {
        match (&self.client, self.platform) {
            (Some(client), Some(platform)) => format!("{client} on {platform}"),
            (Some(client), None) => client.clone(),
            (None, Some(platform)) => format!("Unknown Browser on {platform}"),
            (None, None) => "Unknown Device".to_owned(),
        }
    }
}

#[cfg(test)]
mod recent;
#[cfg(test)]
mod tests;
