//! Country and city of an address, from a file.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use maxminddb::{MaxMindDbError, Reader, geoip2};

use crate::session::{Locator, Place};

/// A database in the MaxMind DB format, as GeoLite2-City or GeoLite2-Country, read into memory.
///
/// Names are the English ones. What it does not know, and what cannot be read, is no place; the
/// latter is logged once.
///
/// # Examples
///
/// ```no_run
/// use tower_jwt_session::{GeoIpDatabase, JwtSession};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let places = GeoIpDatabase::open("/var/lib/GeoIP/GeoLite2-City.mmdb".as_ref())?;
/// let auth = JwtSession::builder().locator(places);
/// # let _ = auth;
/// # Ok(())
/// # }
/// ```
pub struct GeoIpDatabase {
    reader: Reader<Vec<u8>>,
    told: AtomicBool,
}

/// A file is no database of places.
#[derive(Debug)]
pub struct GeoIpError {
    source: Option<MaxMindDbError>,
}

impl GeoIpDatabase {
    /// Reads a file into memory.
    ///
    /// # Errors
    ///
    /// [`GeoIpError`] when it cannot be read, is damaged where that shows, or is a database of
    /// something else than places.
    pub fn open(path: &Path) -> Result<Self, GeoIpError> {
        let reader = Reader::open_readfile(path)?;
        let kind = &reader.metadata().database_type;
        if !kind.contains("City") && !kind.contains("Country") && !kind.contains("Enterprise") {
            return Err(GeoIpError { source: None });
        }
        let database = Self {
            reader,
            told: AtomicBool::new(false),
        };
        // Whether records can be read at all. To check all of them would take seconds.
        for address in TRIED {
            database.found(address)?;
        }
        Ok(database)
    }

    fn found(&self, address: IpAddr) -> Result<Option<Place>, MaxMindDbError> {
        let found = self.reader.lookup(address)?;
        // A database of countries has the same members, but for the city.
        let city: Option<geoip2::City> = found.decode()?;
        Ok(city.map(|found| Place {
            country: found.country.names.english.map(str::to_owned),
            city: found.city.names.english.map(str::to_owned),
        }))
    }
}

impl Locator for GeoIpDatabase {
    fn locate(&self, address: IpAddr) -> Option<Place> {
        match self.found(address) {
            Ok(place) => place,
            Err(error) => {
                if !self.told.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "the database of places cannot be read (told once)");
                }
                None
            }
        }
    }
}

impl fmt::Debug for GeoIpDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GeoIpDatabase")
            .field("database_type", &self.reader.metadata().database_type)
            .finish_non_exhaustive()
    }
}

impl From<MaxMindDbError> for GeoIpError {
    fn from(error: MaxMindDbError) -> Self {
        Self {
            source: Some(error),
        }
    }
}

impl fmt::Display for GeoIpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(MaxMindDbError::Io(error)) => write!(f, "cannot be read ({error})"),
            Some(_) => f.write_str("is no database of places, or is damaged"),
            None => f.write_str("is a database of something else than places"),
        }
    }
}

impl std::error::Error for GeoIpError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.as_ref().map(|source| source as _)
    }
}

const TRIED: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8)),
    IpAddr::V4(Ipv4Addr::new(193, 0, 0, 1)),
];

#[cfg(test)]
mod tests;
