//! Where addresses are, and how much of them is kept.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::coordinates::Coordinates;
use super::device::Device;

/// Where an address is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The country, by name.
    pub country: Option<String>,
    /// The city, by name.
    pub city: Option<String>,
    /// The point, as far as it is known.
    pub coordinates: Option<Coordinates>,
    /// What is known to stand between the address and its user.
    pub gateway: Option<Gateway>,
}

/// What is known to stand between an address and its user, so that the place of the one says
/// little of that of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Gateway {
    /// A VPN, a proxy or Tor.
    Anonymizer,
    /// An address that is in many places at once.
    Anycast,
    /// A data centre: a VPN as like as not, or a remote desktop.
    Hosting,
    /// A mobile network, which leads its traffic out where it likes.
    Mobile,
    /// A satellite link, whose ground station may be countries away.
    Satellite,
}

/// Knows where addresses are. Asked once at each sign-in, and at each refresh where
/// [`risk`](crate::session::risk) is watched, so it should answer from memory.
pub trait Locator: Send + Sync + 'static {
    /// Where it is; `None` where that is not known. It must not fail a sign-in.
    fn locate(&self, address: IpAddr) -> Option<Place>;

    /// Looks whether what it knows has a newer edition. Called now and then in the background, on
    /// a thread where it may wait for a disk. Does nothing unless written.
    fn renew(&self) {}
}

/// How much of an address is kept with a session.
///
/// The country and city are looked up before it is shortened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AddressDetail {
    /// All of it. The default: people recognise their devices by it.
    #[default]
    Full,
    /// The network alone: 24 bits of IPv4, 48 bits of IPv6.
    Shortened,
}

impl AddressDetail {
    /// What is kept of an address.
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_jwt_session::session::AddressDetail;
    ///
    /// let kept = AddressDetail::Shortened.of("192.0.2.77".parse()?);
    /// assert_eq!(kept.to_string(), "192.0.2.0");
    /// # Ok::<(), std::net::AddrParseError>(())
    /// ```
    #[must_use]
    pub fn of(self, address: IpAddr) -> IpAddr {
        match (self, address.to_canonical()) {
            (Self::Full, _) => address,
            (Self::Shortened, IpAddr::V4(address)) => {
                Ipv4Addr::from_bits(address.to_bits() & (u32::MAX << 8)).into()
            }
            (Self::Shortened, IpAddr::V6(address)) => {
                Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 80)).into()
            }
        }
    }
}

/// What becomes of the address of a device at a sign-in.
#[derive(Clone, Default)]
pub(crate) struct Placing {
    pub(crate) locator: Option<Arc<dyn Locator>>,
    pub(crate) detail: AddressDetail,
}

impl Placing {
    pub(crate) fn apply(&self, device: &mut Device) {
        let Some(address) = device.address else {
            return;
        };
        let known = device.country.is_some() || device.city.is_some();
        if let Some(locator) = self.locator.as_ref().filter(|_| !known) {
            let place = locator.locate(address).unwrap_or_default();
            device.country = place.country;
            device.city = place.city;
            device.coordinates = place.coordinates;
            device.gateway = place.gateway;
        }
        device.address = Some(self.detail.of(address));
    }
}

impl fmt::Debug for Placing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Placing")
            .field("locates", &self.locator.is_some())
            .field("detail", &self.detail)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Berlin;

    impl Locator for Berlin {
        fn locate(&self, address: IpAddr) -> Option<Place> {
            let whole = address.to_string() == "192.0.2.77";
            whole.then(|| Place {
                country: Some("Germany".to_owned()),
                city: Some("Berlin".to_owned()),
                ..Place::default()
            })
        }
    }

    fn device(address: &str) -> Device {
        Device {
            address: Some(address.parse().unwrap()),
            ..Device::default()
        }
    }

    #[test]
    fn a_shortened_address_is_that_of_its_network() {
        for (address, kept) in [
            ("192.0.2.77", "192.0.2.0"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1::"),
            ("::ffff:192.0.2.77", "192.0.2.0"),
        ] {
            let address = address.parse().unwrap();
            assert_eq!(AddressDetail::Shortened.of(address).to_string(), kept);
            assert_eq!(AddressDetail::Full.of(address), address);
        }
    }

    #[test]
    fn a_place_is_looked_up_by_the_whole_address_before_it_is_shortened() {
        let placing = Placing {
            locator: Some(Arc::new(Berlin)),
            detail: AddressDetail::Shortened,
        };
        let mut found = device("192.0.2.77");
        placing.apply(&mut found);
        assert_eq!(found.city.as_deref(), Some("Berlin"));
        assert_eq!(found.address.unwrap().to_string(), "192.0.2.0");

        let mut unknown = device("192.0.2.78");
        placing.apply(&mut unknown);
        assert_eq!((unknown.country, unknown.city), (None, None));

        let mut nowhere = Device::default();
        placing.apply(&mut nowhere);
        assert_eq!(nowhere, Device::default());
    }

    #[test]
    fn a_place_that_the_application_knows_is_left_as_it_is() {
        let placing = Placing {
            locator: Some(Arc::new(Berlin)),
            detail: AddressDetail::Full,
        };
        let mut known = device("192.0.2.77");
        known.country = Some("Deutschland".to_owned());
        placing.apply(&mut known);
        assert_eq!(known.country.as_deref(), Some("Deutschland"));
        assert_eq!(known.city, None);
    }
}
