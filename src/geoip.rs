//! Where addresses are, from a file.

mod found;

use std::fmt;
use std::fs::{self, Metadata};
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use arc_swap::ArcSwap;
use maxminddb::{MaxMindDbError, Reader};

use crate::session::{Locator, Place};

/// A database in the MaxMind DB format, as GeoLite2-City or GeoLite2-Country, read into memory.
///
/// Names are the English ones. What it does not know, and what cannot be read, is no place; the
/// latter is logged once. Databases with coordinates give the point and its radius, those with
/// traits (GeoIP2 Enterprise) what stands between an address and its user.
///
/// While a [`JwtSession`](crate::JwtSession) with it runs, the file is looked at every minute: a
/// newer one takes the place of what is in memory once all of it was read without a fault. Else
/// what is in memory stays, and the log says so once for each file.
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
    path: PathBuf,
    reader: ArcSwap<Reader<Vec<u8>>>,
    /// The file that was read last, good or bad.
    seen: Mutex<Option<Metadata>>,
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
        // Looked at first: what is written meanwhile is found to be newer.
        let seen = fs::metadata(path).ok();
        let reader = read(path)?;
        Ok(Self {
            path: path.to_owned(),
            reader: ArcSwap::from_pointee(reader),
            seen: Mutex::new(seen),
            told: AtomicBool::new(false),
        })
    }

    /// The file, where it is another than the one that was read last.
    fn news(&self) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let now = fs::metadata(&self.path).ok();
        let news = match (seen.as_ref(), now.as_ref()) {
            (Some(seen), Some(now)) => {
                seen.len() != now.len() || seen.modified().ok() != now.modified().ok()
            }
            (None, None) => false,
            _ => true,
        };
        *seen = now;
        news
    }
}

impl Locator for GeoIpDatabase {
    fn locate(&self, address: IpAddr) -> Option<Place> {
        match found::place(&self.reader.load(), address) {
            Ok(place) => place,
            Err(error) => {
                if !self.told.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "the database of places cannot be read (told once)");
                }
                None
            }
        }
    }

    fn renew(&self) {
        if !self.news() {
            return;
        }
        let file = self.path.display();
        match read(&self.path).and_then(whole) {
            Ok(reader) => {
                self.reader.store(reader.into());
                self.told.store(false, Ordering::Relaxed);
                tracing::info!(%file, "a newer database of places is in use");
            }
            Err(error) => {
                tracing::warn!(%file, %error, "the newer database of places is not used: the one before stays");
            }
        }
    }
}

impl fmt::Debug for GeoIpDatabase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GeoIpDatabase")
            .field(
                "database_type",
                &self.reader.load().metadata().database_type,
            )
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

fn read(path: &Path) -> Result<Reader<Vec<u8>>, GeoIpError> {
    let reader = Reader::open_readfile(path)?;
    let kind = &reader.metadata().database_type;
    if !kind.contains("City") && !kind.contains("Country") && !kind.contains("Enterprise") {
        return Err(GeoIpError { source: None });
    }
    // Whether records can be read at all. To check all of them takes seconds, which a start
    // should not.
    for address in TRIED {
        found::place(&reader, address)?;
    }
    Ok(reader)
}

fn whole(reader: Reader<Vec<u8>>) -> Result<Reader<Vec<u8>>, GeoIpError> {
    found::all(&reader)?;
    Ok(reader)
}

const TRIED: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::LOCALHOST),
    IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8)),
    IpAddr::V4(Ipv4Addr::new(193, 0, 0, 1)),
];

#[cfg(test)]
mod tests;
