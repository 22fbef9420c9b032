//! Ways that are too long for their time.

use std::fmt;
use std::time::Duration;

use super::sighting::Sighting;
use crate::clock::UnixTime;

/// A way that is too long for its time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Travel {
    /// Where it began.
    pub from: Spot,
    /// Where it ended.
    pub to: Spot,
    /// How many kilometres it is at least, however far off both points are.
    pub least_km: u32,
    /// The time between the two.
    pub elapsed: Duration,
}

/// An end of a way.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spot {
    /// City and country, as far as they are known.
    pub place: Option<String>,
    /// How far off the point may be.
    pub radius_km: u16,
    /// When somebody was there.
    pub at: UnixTime,
}

impl Travel {
    /// How fast one would have had to be; `None` where there was no time at all.
    #[must_use]
    pub fn least_kmh(&self) -> Option<u32> {
        let hours = self.elapsed.as_secs_f64() / 3_600.0;
        let speed = f64::from(self.least_km) / hours;
        // Above the range of `u32` the cast saturates.
        speed.is_finite().then_some(speed as u32)
    }

    pub(super) fn new(from: &Sighting, to: &Sighting, least_km: f64, elapsed: Duration) -> Self {
        Self {
            from: Spot::of(from),
            to: Spot::of(to),
            // At most half the girth of the Earth.
            least_km: least_km as u32,
            elapsed,
        }
    }
}

impl Spot {
    fn of(seen: &Sighting) -> Self {
        let coordinates = seen.device.coordinates;
        Self {
            place: seen.place(),
            radius_km: coordinates.map_or(0, |point| point.radius_km()),
            at: seen.at,
        }
    }
}

impl fmt::Display for Travel {
    /// That nothing is known of gateways is said, for it is what most of these turn out to be.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let elapsed = humantime::format_duration(Duration::from_secs(self.elapsed.as_secs()));
        write!(
            f,
            "from {} to {} in {elapsed}: at least {} km",
            self.from, self.to, self.least_km
        )?;
        if let Some(speed) = self.least_kmh() {
            write!(f, ", {speed} km/h")?;
        }
        f.write_str(
            "; whether a VPN, a data centre or a mobile gateway stands between is not known",
        )
    }
}

impl fmt::Display for Spot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Some(place) => write!(f, "{place:?}")?,
            None => f.write_str("somewhere")?,
        }
        write!(f, " (± {} km)", self.radius_km)
    }
}
