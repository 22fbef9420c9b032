use super::*;

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
