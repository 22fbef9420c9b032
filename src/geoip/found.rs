//! What a database says of an address.

use std::collections::HashSet;
use std::net::IpAddr;

use maxminddb::{MaxMindDbError, Reader, WithinOptions};
use serde::Deserialize;

use crate::session::{Coordinates, Gateway, Place};

/// The members that count of what the databases of countries, cities and enterprises have. Each may
/// be missing.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Found<'a> {
    #[serde(borrow)]
    city: Named<'a>,
    #[serde(borrow)]
    country: Named<'a>,
    location: Location,
    #[serde(borrow)]
    traits: Traits<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named<'a> {
    #[serde(borrow)]
    names: Names<'a>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Names<'a> {
    en: Option<&'a str>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Location {
    accuracy_radius: Option<u16>,
    latitude: Option<f64>,
    longitude: Option<f64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Traits<'a> {
    is_anonymous: bool,
    is_anonymous_proxy: bool,
    is_anonymous_vpn: bool,
    is_anycast: bool,
    is_hosting_provider: bool,
    is_public_proxy: bool,
    is_satellite_provider: bool,
    is_tor_exit_node: bool,
    connection_type: Option<&'a str>,
    user_type: Option<&'a str>,
}

pub(super) fn place(
    reader: &Reader<Vec<u8>>,
    address: IpAddr,
) -> Result<Option<Place>, MaxMindDbError> {
    let found: Option<Found<'_>> = reader.lookup(address)?.decode()?;
    Ok(found.map(Found::place))
}

/// Reads everything once, as it will be read: what is nothing for us may be as it likes.
pub(super) fn all(reader: &Reader<Vec<u8>>) -> Result<(), MaxMindDbError> {
    let mut read = HashSet::new();
    for network in reader.networks(WithinOptions::default())? {
        let network = network?;
        // Many networks share one record.
        if network.offset().is_some_and(|offset| read.insert(offset)) {
            network.decode::<Found<'_>>()?;
        }
    }
    Ok(())
}

impl Found<'_> {
    fn place(self) -> Place {
        Place {
            coordinates: self.coordinates(),
            gateway: self.traits.gateway(),
            country: self.country.names.en.map(str::to_owned),
            city: self.city.names.en.map(str::to_owned),
        }
    }

    fn coordinates(&self) -> Option<Coordinates> {
        let Location {
            accuracy_radius,
            latitude,
            longitude,
        } = self.location;
        // Of a country without a city the point is somewhere in its middle.
        let unsaid = match self.city.names.en {
            Some(_) => RADIUS_OF_A_CITY_KM,
            None => RADIUS_OF_A_COUNTRY_KM,
        };
        Coordinates::new(latitude?, longitude?, accuracy_radius.unwrap_or(unsaid))
    }
}

impl Traits<'_> {
    /// The first that holds, from what says least of where somebody is to what says most.
    fn gateway(&self) -> Option<Gateway> {
        let hidden = self.is_anonymous
            || self.is_anonymous_proxy
            || self.is_anonymous_vpn
            || self.is_public_proxy
            || self.is_tor_exit_node;
        let of_type = |kind| self.user_type == Some(kind);
        let connected_by = |kind| self.connection_type == Some(kind);
        let kinds = [
            (hidden, Gateway::Anonymizer),
            (self.is_anycast, Gateway::Anycast),
            (
                self.is_hosting_provider || of_type("hosting"),
                Gateway::Hosting,
            ),
            (
                self.is_satellite_provider || connected_by("Satellite"),
                Gateway::Satellite,
            ),
            (
                of_type("cellular") || connected_by("Cellular"),
                Gateway::Mobile,
            ),
        ];
        let mut kinds = kinds.into_iter();
        kinds.find(|(holds, _)| *holds).map(|(_, gateway)| gateway)
    }
}

/// What databases say of most cities that they know.
const RADIUS_OF_A_CITY_KM: u16 = 50;
/// What they say of most addresses of which they know the country alone.
const RADIUS_OF_A_COUNTRY_KM: u16 = 1_000;
