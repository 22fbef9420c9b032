//! Where each rule begins and ends.

use super::super::rules::{changed_country, is_news};
use super::super::sighting::client;
use super::*;

const MICRO: Duration = Duration::from_micros(1);
/// How far clocks may be apart.
const SLACK: Duration = Duration::from_secs(600);

fn at_home(at: UnixTime) -> Sighting {
    seen(Sight::SignedIn, at, in_city("Berlin"))
}

fn abroad(at: UnixTime) -> Sighting {
    seen(Sight::SignedIn, at, in_city("Tokyo"))
}

#[test]
fn speeds_and_ways_are_those_that_were_set() {
    let rules = RiskRules::default;
    let in_four_hours = |rules: RiskRules| rules.travel(&at_home(NOW), &abroad(NOW + 4 * HOUR));
    assert!(in_four_hours(rules()).is_some());
    assert!(in_four_hours(rules().with_speed_kmh(5_000)).is_none());
    assert!(in_four_hours(rules().with_least_km(9_500)).is_none());
    let watch = RiskWatch::default().with_rules(rules().with_speed_kmh(7));
    assert_eq!(watch.rules, rules().with_speed_kmh(7));
    assert!(format!("{watch:?}").starts_with("RiskWatch { rules: RiskRules { speed_kmh: 7.0"));
    let notices = NewDeviceNotices(std::sync::Arc::new(|_| {}));
    assert_eq!(format!("{notices:?}"), "NewDeviceNotices");
}

#[test]
fn who_stays_where_they_are_has_travelled_no_way_however_slow_people_are() {
    let rules = RiskRules::default().with_speed_kmh(0).with_least_km(0);
    let mut elsewhere = at_home(NOW);
    elsewhere.device.address = "203.0.113.7".parse().ok();
    assert!(rules.travel(&at_home(NOW), &elsewhere).is_none());
}

#[test]
fn clocks_that_are_a_little_apart_hide_no_way() {
    let rules = RiskRules::default();
    assert!(rules.travel(&at_home(NOW + SLACK), &abroad(NOW)).is_some());
    let beyond = at_home(NOW + SLACK + MICRO);
    assert!(rules.travel(&beyond, &abroad(NOW)).is_none());
}

#[test]
fn the_middle_of_the_same_country_is_no_place() {
    let rules = RiskRules::default();
    let (start, mut end) = (at_home(NOW), abroad(NOW));
    assert!(rules.travel(&start, &end).is_some());
    end.device.country = start.device.country.clone();
    assert!(rules.travel(&start, &end).is_some(), "two places of it are");
    let precise = end.device.coordinates;
    end.device.coordinates = Coordinates::new(35.69, 139.69, 600);
    assert!(rules.travel(&start, &end).is_none());
    assert!(rules.travel(&end, &start).is_none());
    end.device.country = Some("Japan".to_owned());
    assert!(rules.travel(&start, &end).is_some(), "of another it is one");
    assert_ne!(precise, end.device.coordinates);
}

#[test]
fn a_window_of_devices_has_two_ends() {
    let rules = RiskRules::default().with_devices(2, DAY);
    let on = |number: u8, at| {
        let address = IpAddr::from([10, number, 0, 1]).to_string();
        seen(Sight::SignedIn, at, device("Chrome on Windows", &address))
    };
    for (other, told) in [
        (NOW - DAY, true),
        (NOW - DAY - MICRO, false),
        (NOW + SLACK, true),
        (NOW + SLACK + MICRO, false),
    ] {
        let signals = rules.of_sign_in(&on(1, NOW), &[on(2, other)]);
        assert_eq!(!signals.is_empty(), told, "{other:?}");
    }
}

#[test]
fn a_refresh_in_the_country_of_the_last_tells_of_no_new_one() {
    let rules = RiskRules::default();
    let (last, now) = (abroad(NOW), abroad(NOW + HOUR));
    assert!(!changed_country(&last, &now));
    assert!(changed_country(&at_home(NOW), &now));
    let nowhere = seen(
        Sight::Refreshed,
        NOW,
        device("Chrome on Windows", "192.0.2.7"),
    );
    assert!(!changed_country(&last, &nowhere) && changed_country(&nowhere, &now));
    assert!(
        rules
            .of_refresh(&now, &last, &[at_home(NOW - DAY)])
            .is_empty()
    );
    assert!(!is_news(&last, &now) && is_news(&at_home(NOW), &now));
}

#[test]
fn across_a_border_is_near_only_where_both_points_are_places() {
    let rules = RiskRules::default();
    let here = abroad(NOW);
    let beside = |radius| {
        let mut seen = abroad(NOW - DAY);
        seen.device.country = Some("Elsewhere".to_owned());
        seen.device.address = "192.0.2.7".parse().ok();
        seen.device.coordinates = Coordinates::new(35.69, 139.69, radius);
        seen
    };
    assert!(rules.of_sign_in(&here, &[beside(20)]).is_empty());
    let signals = rules.of_sign_in(&here, &[beside(600)]);
    assert_eq!(names(&signals), ["new_country"]);
}

#[test]
fn a_device_says_something_by_its_address_or_its_program() {
    let of = |device| seen(Sight::SignedIn, NOW, device).says_something();
    assert!(!of(Device::default()));
    assert!(of(device("", "192.0.2.7")));
    assert!(of(device("Chrome on Windows", "")));
    let agent = Device {
        user_agent: Some("Tool/1.2".to_owned()),
        ..Device::default()
    };
    assert_eq!(client(&agent).as_deref(), Some("Tool/"));
    let named = Device {
        label: "Chrome on Windows".to_owned(),
        ..agent
    };
    assert_eq!(client(&named).as_deref(), Some("Chrome on Windows"));
}
