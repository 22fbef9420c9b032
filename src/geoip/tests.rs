use super::*;
use crate::session::{Coordinates, Gateway};

const PLACES: &str = "tests/geoip/places.mmdb";

fn path(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn place(address: &str) -> (Option<String>, Option<String>) {
    let database = GeoIpDatabase::open(&path(PLACES)).unwrap();
    let place = database.locate(address.parse().unwrap());
    let place = place.unwrap_or_default();
    (place.country, place.city)
}

#[test]
fn an_address_has_a_country_and_perhaps_a_city() {
    let named = |name: &str| Some(name.to_owned());
    assert_eq!(place("192.0.2.7"), (named("Germany"), named("Berlin")));
    assert_eq!(place("198.51.100.7"), (named("Japan"), None));
    assert_eq!(place("2001:db8:1::7"), (named("Brazil"), named("Recife")));
    assert_eq!(place("127.0.0.1"), (None, None));
    assert_eq!(place("::1"), (None, None));
}

#[test]
fn a_file_that_is_missing_damaged_or_of_something_else_is_refused_in_one_line() {
    let damaged = std::env::temp_dir().join(format!("damaged-{}.mmdb", std::process::id()));
    std::fs::write(&damaged, b"no database at all").unwrap();
    for (file, said) in [
        (path("tests/geoip/none.mmdb"), "cannot be read"),
        (damaged.clone(), "is no database of places, or is damaged"),
        (
            path("tests/geoip/numbers.mmdb"),
            "something else than places",
        ),
    ] {
        let error = GeoIpDatabase::open(&file).unwrap_err().to_string();
        assert!(error.contains(said), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
    std::fs::remove_file(damaged).unwrap();
}

#[test]
fn damage_that_shows_only_later_is_no_place_and_never_a_panic() {
    let whole = std::fs::read(path(PLACES)).unwrap();
    let mut opened = 0;
    for at in 0..whole.len() {
        for byte in [0x00, 0xff, whole[at] ^ 0x55] {
            let mut damaged = whole.clone();
            damaged[at] = byte;
            let Ok(reader) = Reader::from_source(damaged) else {
                continue;
            };
            opened += 1;
            let database = GeoIpDatabase {
                path: PathBuf::new(),
                reader: ArcSwap::from_pointee(reader),
                seen: Mutex::default(),
                told: AtomicBool::new(true),
            };
            for address in ["192.0.2.7", "198.51.100.1", "2001:db8:1::7", "::"] {
                let _ = database.locate(address.parse().unwrap());
            }
        }
    }
    assert!(opened > whole.len(), "{opened}");
}

#[test]
fn an_address_has_a_point_and_what_is_known_to_stand_before_it() {
    let database = GeoIpDatabase::open(&path(PLACES)).unwrap();
    let of = |address: &str| database.locate(address.parse().unwrap()).unwrap();
    let berlin = of("192.0.2.7");
    assert_eq!(berlin.coordinates, Coordinates::new(52.5, 13.4, 20));
    assert_eq!(berlin.gateway, None);
    let japan = of("198.51.100.7").coordinates.unwrap();
    assert!(japan.is_of_a_country(), "no radius and no city: {japan:?}");
    assert_eq!(of("2001:db8:1::7").coordinates, None);
    assert_eq!(of("203.0.113.200").gateway, Some(Gateway::Hosting));
}

/// A database in a folder of its own, which goes with it.
struct File(PathBuf);

impl File {
    fn new(name: &str) -> Self {
        let file = format!("{name}-{}.mmdb", std::process::id());
        Self(std::env::temp_dir().join(file))
    }

    /// Puts something in its place, as who takes care does: by renaming.
    fn becomes(&self, content: &[u8]) {
        let aside = self.0.with_extension("new");
        fs::write(&aside, content).unwrap();
        fs::rename(aside, &self.0).unwrap();
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // A test may have removed it.
        let _ = fs::remove_file(&self.0);
    }
}

#[test]
fn a_newer_file_takes_the_place_of_the_old_and_garbage_does_not() {
    let file = File::new("renewed");
    let whole = fs::read(path(PLACES)).unwrap();
    let city = "Berlin".as_bytes();
    let found = whole.windows(city.len()).position(|part| part == city);
    let mut newer = whole.clone();
    newer[found.unwrap()..][..city.len()].copy_from_slice(b"Bernau");

    file.becomes(&whole);
    let database = GeoIpDatabase::open(&file.0).unwrap();
    let city = || {
        database
            .locate([192, 0, 2, 7].into())
            .unwrap()
            .city
            .unwrap()
    };
    database.renew();
    assert_eq!(city(), "Berlin");
    let half = &whole[..whole.len() / 2];
    for garbage in [&b"no database at all"[..], b"", half] {
        file.becomes(garbage);
        database.renew();
        database.renew();
        assert_eq!(city(), "Berlin");
    }
    fs::remove_file(&file.0).unwrap();
    database.renew();
    assert_eq!(city(), "Berlin");
    file.becomes(&newer);
    database.renew();
    assert_eq!(city(), "Bernau");
}

#[test]
fn a_file_that_is_no_better_is_looked_at_and_told_of_once() {
    let file = File::new("told");
    file.becomes(&fs::read(path(PLACES)).unwrap());
    let database = GeoIpDatabase::open(&file.0).unwrap();
    assert!(!database.news());
    file.becomes(b"no database at all");
    assert!(database.news());
    assert!(!database.news());
    fs::remove_file(&file.0).unwrap();
    assert!(database.news());
    assert!(!database.news());
}
