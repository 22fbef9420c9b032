//! Points on Earth, as far as they have to be known.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A point on Earth to a tenth of a degree, some ten kilometres, and how far off it may be.
///
/// That is enough to tell cities apart, and too little to find a house.
///
/// # Examples
///
/// ```
/// use tower_jwt_session::session::Coordinates;
///
/// let berlin = Coordinates::new(52.52, 13.405, 20).unwrap();
/// let tokyo = Coordinates::new(35.69, 139.69, 20).unwrap();
/// assert_eq!(berlin.distance_km(tokyo).round(), 8_917.0);
/// assert!(Coordinates::new(91.0, 0.0, 20).is_none());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "(i16, i16, u16)", into = "(i16, i16, u16)")]
pub struct Coordinates {
    /// Tenths of a degree, to the north.
    latitude: i16,
    /// Tenths of a degree, to the east.
    longitude: i16,
    radius_km: u16,
}

impl Coordinates {
    /// Degrees to the north and to the east, and the radius in kilometres within which the point
    /// lies. `None` where these are no coordinates.
    #[must_use]
    pub fn new(latitude: f64, longitude: f64, radius_km: u16) -> Option<Self> {
        let within = |degrees: f64, most: f64| degrees.is_finite() && degrees.abs() <= most;
        if !within(latitude, 90.0) || !within(longitude, 180.0) {
            return None;
        }
        // In range by the line above: at most 1,800 tenths.
        let tenths = |degrees: f64| (degrees * 10.0).round() as i16;
        Self::from_tenths((tenths(latitude), tenths(longitude), radius_km))
    }

    fn from_tenths((latitude, longitude, radius_km): (i16, i16, u16)) -> Option<Self> {
        let valid = (-900..=900).contains(&latitude) && (-1800..=1800).contains(&longitude);
        valid.then_some(Self {
            latitude,
            longitude,
            radius_km,
        })
    }

    /// Degrees to the north.
    #[must_use]
    pub fn latitude(self) -> f64 {
        f64::from(self.latitude) / 10.0
    }

    /// Degrees to the east.
    #[must_use]
    pub fn longitude(self) -> f64 {
        f64::from(self.longitude) / 10.0
    }

    /// Within how many kilometres the point lies.
    #[must_use]
    pub fn radius_km(self) -> u16 {
        self.radius_km
    }

    /// How many kilometres it is from one point to another along a great circle.
    #[must_use]
    pub fn distance_km(self, other: Self) -> f64 {
        let (from, to) = (self.latitude().to_radians(), other.latitude().to_radians());
        let north = (to - from) / 2.0;
        let east = (other.longitude() - self.longitude()).to_radians() / 2.0;
        let haversine = north.sin().powi(2) + from.cos() * to.cos() * east.sin().powi(2);
        // Rounding may put the haversine of antipodes a little above one.
        2.0 * EARTH_RADIUS_KM * haversine.clamp(0.0, 1.0).sqrt().asin()
    }

    /// How many kilometres it is at least, however far off both points are.
    #[must_use]
    pub fn least_km(self, other: Self) -> f64 {
        let off = self.off_km() + other.off_km();
        (self.distance_km(other) - off).max(0.0)
    }

    /// Whether the point stands for a country, as databases give one in its middle where they know
    /// no more.
    #[must_use]
    pub fn is_of_a_country(self) -> bool {
        self.radius_km >= COUNTRY_KM
    }

    fn off_km(self) -> f64 {
        let radius = if self.is_of_a_country() {
            self.radius_km.max(LARGE_COUNTRY_KM)
        } else {
            self.radius_km
        };
        f64::from(radius) + ROUNDED_OFF_KM
    }
}

impl TryFrom<(i16, i16, u16)> for Coordinates {
    type Error = &'static str;

    fn try_from(tenths: (i16, i16, u16)) -> Result<Self, Self::Error> {
        Self::from_tenths(tenths).ok_or("no coordinates")
    }
}

impl From<Coordinates> for (i16, i16, u16) {
    fn from(point: Coordinates) -> Self {
        (point.latitude, point.longitude, point.radius_km)
    }
}

impl fmt::Debug for Coordinates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { radius_km, .. } = self;
        let (latitude, longitude) = (self.latitude(), self.longitude());
        write!(f, "{latitude:.1} {longitude:.1} ± {radius_km} km")
    }
}

const EARTH_RADIUS_KM: f64 = 6_371.0;
const COUNTRY_KM: u16 = 500;
/// From the middle of a large country to its corners, whatever radius a database gives.
const LARGE_COUNTRY_KM: u16 = 2_500;
/// Half the diagonal of a tenth of a degree at the equator, where it is largest.
const ROUNDED_OFF_KM: f64 = 8.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(latitude: f64, longitude: f64) -> Coordinates {
        Coordinates::new(latitude, longitude, 0).expect("a point")
    }

    #[test]
    fn the_date_line_is_no_distance_and_the_poles_are_points() {
        let across = at(-17.7, 179.9).distance_km(at(-17.7, -179.9));
        assert!(across < 25.0, "{across}");
        assert!(at(90.0, 0.0).distance_km(at(90.0, 137.0)) < 0.001);
        assert!(at(10.0, 180.0).distance_km(at(10.0, -180.0)) < 0.001);
        let through = at(90.0, 0.0).distance_km(at(-90.0, 0.0));
        assert!((through - 20_015.0).abs() < 1.0, "{through}");
        let antipodes = at(12.3, 45.6).distance_km(at(-12.3, -134.4));
        assert!((antipodes - 20_015.0).abs() < 1.0, "{antipodes}");
    }

    #[test]
    fn a_point_is_printed_as_people_write_it() {
        let point = Coordinates::new(52.52, -13.4, 25).expect("a point");
        assert_eq!(format!("{point:?}"), "52.5 -13.4 ± 25 km");
    }

    #[test]
    fn what_is_no_point_is_refused_in_code_and_in_a_record() {
        for (latitude, longitude) in [
            (90.1, 0.0),
            (0.0, -180.1),
            (f64::NAN, 0.0),
            (0.0, f64::INFINITY),
        ] {
            assert_eq!(Coordinates::new(latitude, longitude, 1), None);
        }
        assert!(serde_json::from_str::<Coordinates>("[901,0,1]").is_err());
        assert!(serde_json::from_str::<Coordinates>("[0,-1801,1]").is_err());
    }

    #[test]
    fn a_point_is_kept_to_a_tenth_of_a_degree() {
        let kept = Coordinates::new(52.5234, -13.4114, 5).expect("a point");
        assert_eq!(serde_json::to_string(&kept).unwrap(), "[525,-134,5]");
        assert_eq!(
            serde_json::from_str::<Coordinates>("[525,-134,5]").unwrap(),
            kept
        );
    }

    #[test]
    fn the_radii_of_both_points_shorten_the_way_between_them_to_nothing_at_most() {
        let far = |radius| Coordinates::new(0.0, 10.0, radius).expect("a point");
        let whole = at(0.0, 0.0).distance_km(far(0));
        let least = at(0.0, 0.0).least_km(far(100));
        assert!((whole - least - 116.0).abs() < 0.001);
        assert_eq!(at(0.0, 0.0).least_km(far(u16::MAX)), 0.0);
    }
}
