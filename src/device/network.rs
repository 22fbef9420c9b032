//! Ranges of addresses.

use std::fmt;
use std::net::IpAddr;

/// All addresses with the same first bits (RFC 4632, RFC 4291).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    base: IpAddr,
    prefix: u8,
}

impl Network {
    /// Reads `10.0.0.0/8`, `fd00::/8`, or one address; else says what to write.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let base: IpAddr = address.parse().map_err(|_| EXPECTED.to_owned())?;
        let width = width(base);
        let prefix = match prefix {
            None => width,
            Some(prefix) => prefix
                .parse()
                .ok()
                .filter(|prefix| *prefix <= width)
                .ok_or_else(|| format!("write a prefix of 1 to {width} bits behind the slash"))?,
        };
        if prefix == 0 {
            return Err(
                "name the networks of the proxies alone: this one is everybody, and everybody \
                 could then choose an address"
                    .to_owned(),
            );
        }
        let network = Self { base, prefix };
        let first = network.first();
        if first != base {
            return Err(format!("write {first}/{prefix}"));
        }
        Ok(network)
    }

    /// Takes an address in its shortest form: IPv4 never as a part of IPv6.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        width(address) == width(self.base)
            && bits(address) >> (128 - self.prefix) == bits(self.base) >> (128 - self.prefix)
    }

    fn first(&self) -> IpAddr {
        let kept = bits(self.base) & (u128::MAX << (128 - self.prefix));
        match self.base {
            IpAddr::V4(_) => IpAddr::V4(((kept >> 96) as u32).into()),
            IpAddr::V6(_) => IpAddr::V6(kept.into()),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.base, self.prefix)
    }
}

fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// Left-aligned, so that a prefix means the same for both families.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(u32::from(address)) << 96,
        IpAddr::V6(address) => address.into(),
    }
}

const EXPECTED: &str = "write addresses and networks as 10.0.0.0/8, fd00::/8 or 192.0.2.1, with \
                        commas between them; also loopback, and unix for Unix sockets";

#[cfg(test)]
mod tests {
    use super::*;

    fn is_in(network: &str, address: &str) -> bool {
        let network = Network::parse(network).unwrap();
        network.contains(address.parse().unwrap())
    }

    #[test]
    fn a_network_holds_the_addresses_that_share_its_prefix() {
        assert!(is_in("10.0.0.0/8", "10.255.0.1"));
        assert!(!is_in("10.0.0.0/8", "11.0.0.1"));
        assert!(is_in("192.0.2.7", "192.0.2.7"));
        assert!(!is_in("192.0.2.7", "192.0.2.6"));
        assert!(is_in("192.0.2.128/25", "192.0.2.200"));
        assert!(!is_in("192.0.2.128/25", "192.0.2.100"));
        assert!(is_in("fd00::/8", "fdff::1"));
        assert!(!is_in("fd00::/8", "2001:db8::1"));
        assert!(is_in("::1", "::1"));
        assert!(!is_in("::1/128", "0.0.0.1"));
    }

    #[test]
    fn what_is_no_network_is_refused_with_what_to_write() {
        for (text, fix) in [
            ("10.0.0.1/8", "write 10.0.0.0/8"),
            ("fd00::1/8", "write fd00::/8"),
            ("10.0.0.0/33", "1 to 32"),
            ("fd00::/129", "1 to 128"),
            ("10.0.0.0/x", "1 to 32"),
            ("proxy.internal", "write addresses"),
            ("", "write addresses"),
            ("0.0.0.0/0", "everybody"),
            ("::/0", "everybody"),
        ] {
            let refused = Network::parse(text).unwrap_err();
            assert!(refused.contains(fix), "{text}: {refused}");
        }
    }
}
