//! Where a request came from.

use std::net::IpAddr;

/// The address of the client, as an extension of a request.
///
/// For servers that know better than the socket does: behind a proxy that is trusted, or where the
/// framework does not pass the socket's address on. It is preferred to the framework's own.
///
/// # Security
///
/// Put in only what a trusted hop said. A forwarding header of the client's own making names
/// whatever address the client likes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ClientAddress(IpAddr);

impl ClientAddress {
    /// The address.
    #[must_use]
    pub fn ip(self) -> IpAddr {
        self.0
    }
}

/// Who is at the other end of the connection, as an extension of a request; what a
/// [`ClientAddressLayer`](crate::ClientAddressLayer) starts from.
///
/// The server puts it in where the framework does not already say it in its own manner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Peer {
    /// A socket of this address.
    Address(IpAddr),
    /// A Unix socket: whoever may open its file.
    Unix,
}

/// That a request came over TLS, as an extension of it: a proxy that is trusted said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SecureTransport;

impl From<IpAddr> for ClientAddress {
    /// IPv4 addresses in their IPv6 form become plain ones, so that one client has one address.
    fn from(address: IpAddr) -> Self {
        Self(address.to_canonical())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapped_ipv4_address_is_shown_as_what_it_is() {
        let mapped: IpAddr = "::ffff:192.0.2.7".parse().unwrap();
        assert_eq!(ClientAddress::from(mapped).ip().to_string(), "192.0.2.7");
    }
}
