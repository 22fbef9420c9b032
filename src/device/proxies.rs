//! [`TrustedProxies`].

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use http::HeaderMap;
use http::header::FORWARDED;

use super::address::{ClientAddress, Peer};
use super::forwarded::{self, Hop, X_FORWARDED_FOR};
use super::network::Network;
use crate::error::ConfigError;

/// The proxies whose forwarding headers are believed; none unless said otherwise.
///
/// From the connection outwards, a hop is believed as long as the one that reports it is trusted.
/// The first that is not trusted is the client: the *rightmost* one that counts, and never what a
/// client wrote further left.
///
/// | what comes | what the address is |
/// |---|---|
/// | the connection is not of a trusted proxy | that of the connection; headers are ignored, and that is logged once |
/// | all hops are trusted | that of the farthest one |
/// | a trusted proxy reports `unknown`, an obfuscated name (RFC 7239, section 6.3) or nonsense | that of this proxy: the nearest that is known |
/// | `Forwarded` and `X-Forwarded-For` that lead to the same address | that one |
/// | both, and they disagree | that of the connection, and that is logged once: a proxy writes one of them, so the other is the client's own; have the proxy remove it |
/// | several lines of a header | one list, in their order (RFC 9110, section 5.3) |
///
/// # Examples
///
/// ```
/// use http::HeaderMap;
/// use tower_jwt_session::{Peer, TrustedProxies};
///
/// let proxies = TrustedProxies::parse("10.0.0.0/8, unix")?;
/// let mut headers = HeaderMap::new();
/// headers.insert("x-forwarded-for", "198.51.100.1, 203.0.113.7, 10.0.0.3".parse()?);
///
/// let proxy = Peer::Address("10.0.0.2".parse()?);
/// let client = proxies.client(&headers, proxy).unwrap();
/// assert_eq!(client.ip().to_string(), "203.0.113.7");
///
/// let stranger = Peer::Address("192.0.2.9".parse()?);
/// let client = proxies.client(&headers, stranger).unwrap();
/// assert_eq!(client.ip().to_string(), "192.0.2.9");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
pub struct TrustedProxies {
    networks: Vec<Network>,
    unix: bool,
    told: Arc<Told>,
}

/// What was logged already.
#[derive(Default)]
struct Told {
    ignored: AtomicBool,
    conflict: AtomicBool,
}

impl TrustedProxies {
    /// Reads a comma list of addresses and networks, as `10.0.0.0/8, fd00::/8, 192.0.2.1`; also
    /// `loopback` for those of this machine, and `unix` for whoever comes by a Unix socket.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with each part that is none, and with `0.0.0.0/0`, which would let every
    /// client choose an address.
    pub fn parse(list: &str) -> Result<Self, ConfigError> {
        let mut problems = ConfigError::default();
        let mut proxies = Self::default();
        for item in list.split(',').map(str::trim) {
            match item {
                "" => {}
                "unix" => proxies.unix = true,
                "loopback" => proxies.networks.extend(LOOPBACK.map(|network| {
                    Network::parse(network).expect("a network that is written above")
                })),
                item => match Network::parse(item) {
                    Ok(network) => proxies.networks.push(network),
                    Err(fix) => problems.add(format!("{item:?} is no network of proxies"), fix),
                },
            }
        }
        problems.into_result(proxies)
    }

    /// Whether nobody is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.networks.is_empty() && !self.unix
    }

    /// The address of the client behind a connection; `None` where only a Unix socket is known.
    #[must_use]
    pub fn client(&self, headers: &HeaderMap, peer: Peer) -> Option<ClientAddress> {
        let nearest = match peer {
            Peer::Address(address) => Some(address.to_canonical()),
            Peer::Unix => None,
        };
        if !self.trusts(peer) {
            self.tell_of_ignored(headers, peer);
            return nearest.map(ClientAddress::from);
        }
        let older = forwarded::x_forwarded_for(headers).map(|hops| self.walk(nearest, hops));
        let newer = forwarded::forwarded(headers).map(|hops| self.walk(nearest, hops));
        let client = match (older, newer) {
            (None, None) => nearest,
            (Some(client), None) | (None, Some(client)) => client,
            (Some(older), Some(newer)) if older == newer => older,
            (Some(_), Some(_)) => {
                self.tell_of_conflict();
                nearest
            }
        };
        client.map(ClientAddress::from)
    }

    /// Whether a request came over TLS, by the word of a trusted proxy.
    #[must_use]
    pub fn is_secure(&self, headers: &HeaderMap, peer: Peer) -> bool {
        self.trusts(peer) && forwarded::is_secure(headers)
    }

    fn trusts(&self, peer: Peer) -> bool {
        match peer {
            Peer::Address(address) => self.trusts_address(address.to_canonical()),
            Peer::Unix => self.unix,
        }
    }

    fn trusts_address(&self, address: IpAddr) -> bool {
        self.networks
            .iter()
            .any(|network| network.contains(address))
    }

    /// From a trusted hop outwards, to the first that is not trusted or not known.
    fn walk(&self, nearest: Option<IpAddr>, hops: Vec<Hop>) -> Option<IpAddr> {
        let mut known = nearest;
        for hop in hops {
            let Some(address) = hop else { break };
            known = hop;
            if !self.trusts_address(address) {
                break;
            }
        }
        known
    }

    fn tell_of_ignored(&self, headers: &HeaderMap, peer: Peer) {
        let forwards = headers.contains_key(FORWARDED) || headers.contains_key(X_FORWARDED_FOR);
        if forwards && !self.told.ignored.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                ?peer,
                "a forwarding header is ignored: this peer is not among the trusted proxies; name \
                 it in TRUSTED_PROXIES if it is one (told once)"
            );
        }
    }

    fn tell_of_conflict(&self) {
        if !self.told.conflict.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                "Forwarded and X-Forwarded-For disagree, so neither is believed; have the proxy \
                 remove the one that it does not write (told once)"
            );
        }
    }
}

impl fmt::Debug for TrustedProxies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let networks = self.networks.iter().map(ToString::to_string);
        let unix = self.unix.then(|| "unix".to_owned());
        f.debug_list().entries(networks.chain(unix)).finish()
    }
}

const LOOPBACK: [&str; 2] = ["127.0.0.0/8", "::1/128"];

#[cfg(test)]
mod tests;
