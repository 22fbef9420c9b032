mod edges;

use std::net::IpAddr;
use std::time::Duration;

use super::*;
use crate::clock::UnixTime;
use crate::revocation::EndReason;
use crate::session::record::tests::record;
use crate::session::{
    Coordinates, Device, DeviceCookie, DeviceKind, Ended, Gateway, SessionRecord,
};
use crate::testing::ManualClock;
use crate::token::UserId;

const NOW: UnixTime = ManualClock::START;
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(86_400);

fn device(label: &str, address: &str) -> Device {
    Device {
        label: label.to_owned(),
        address: address.parse().ok(),
        ..Device::default()
    }
}

fn seen(how: Sight, at: UnixTime, device: Device) -> Sighting {
    Sighting { at, device, how }
}

fn in_city(city: &str) -> Device {
    let (country, latitude, longitude, address) = match city {
        "Berlin" => ("Germany", 52.52, 13.40, "192.0.2.7"),
        "Tokyo" => ("Japan", 35.69, 139.69, "203.0.113.7"),
        _ => unreachable!("a city of these tests"),
    };
    Device {
        country: Some(country.to_owned()),
        city: Some(city.to_owned()),
        coordinates: Coordinates::new(latitude, longitude, 20),
        ..device("Chrome on Windows", address)
    }
}

fn names(signals: &[RiskSignal]) -> Vec<&'static str> {
    signals.iter().map(RiskSignal::name).collect()
}

#[test]
fn a_refresh_is_compared_with_the_last_sighting_of_its_session() {
    let rules = RiskRules::default();
    let last = seen(
        Sight::SignedIn,
        NOW,
        device("Chrome on Windows", "192.0.2.7"),
    );
    let of = |label, address| {
        let now = seen(Sight::Refreshed, NOW + HOUR, device(label, address));
        names(&rules.of_refresh(&now, &last, &[]))
    };
    assert_eq!(of("Chrome on Windows", "192.0.2.7"), [""; 0]);
    assert_eq!(of("Chrome on Windows", "192.0.2.250"), [""; 0]);
    assert_eq!(of("Chrome on Windows", "2001:db8::1"), [""; 0]);
    assert_eq!(of("Chrome on Windows", "198.51.100.7"), ["address_change"]);
    assert_eq!(of("curl", "192.0.2.7"), ["user_agent_change"]);
    assert_eq!(of("Unknown Device", "192.0.2.7"), [""; 0]);
}

#[test]
fn a_newer_version_of_a_program_is_the_same_program() {
    let with = |user_agent: &str| {
        let device = Device {
            user_agent: Some(user_agent.to_owned()),
            ..Device::default()
        };
        seen(Sight::Refreshed, NOW, device)
    };
    let rules = RiskRules::default();
    let last = with("app/1.9.2 (Linux 5.10)");
    assert!(
        rules
            .of_refresh(&with("app/2.0.11 (Linux 6.1)"), &last, &[])
            .is_empty()
    );
    let other = rules.of_refresh(&with("python-requests/2.31"), &last, &[]);
    assert_eq!(names(&other), ["user_agent_change"]);
}

#[test]
fn a_computer_that_was_left_at_home_refreshes_on_and_a_phone_is_carried() {
    let rules = RiskRules::default();
    let now = seen(Sight::SignedIn, NOW + HOUR, in_city("Tokyo"));
    let of = |how, kind| {
        let mut left = in_city("Berlin");
        left.kind = kind;
        names(&rules.of_sign_in(&now, &[seen(how, NOW, left)]))
    };
    let both = ["impossible_travel", "new_country"];
    assert_eq!(of(Sight::Refreshed, DeviceKind::Desktop), ["new_country"]);
    assert_eq!(of(Sight::Refreshed, DeviceKind::Phone), both);
    assert_eq!(of(Sight::Proven, DeviceKind::Desktop), both);
}

#[test]
fn a_country_is_new_only_where_another_is_known() {
    let rules = RiskRules::default();
    let now = seen(Sight::SignedIn, NOW + 20 * DAY, in_city("Tokyo"));
    let unknown = seen(Sight::SignedIn, NOW, device("curl", "192.0.2.7"));
    assert!(rules.of_sign_in(&now, &[unknown]).is_empty());
    assert!(rules.of_sign_in(&now, &[]).is_empty());
    let there = seen(Sight::SignedIn, NOW, in_city("Tokyo"));
    let home = seen(Sight::SignedIn, NOW, in_city("Berlin"));
    assert!(rules.of_sign_in(&now, &[home.clone(), there]).is_empty());
    let signals = rules.of_sign_in(&now, &[home]);
    let text = signals[0].to_string();
    assert_eq!(
        text,
        "from \"Japan\", seen so far in 1 country: \"Germany\""
    );
}

#[test]
fn many_new_devices_are_told_of_those_of_one_window_alone() {
    let rules = RiskRules::default();
    let on = |number: u8, at| {
        let address = IpAddr::from([10, number, 0, 1]).to_string();
        seen(Sight::SignedIn, at, device("Chrome on Windows", &address))
    };
    let before: Vec<_> = (1..5).map(|number| on(number, NOW)).collect();
    let fifth = rules.of_sign_in(&on(5, NOW + HOUR), &before);
    assert_eq!(names(&fifth), ["many_new_devices"]);
    assert_eq!(
        fifth[0].to_string(),
        "5 devices within 1day that were not seen before"
    );
    assert!(rules.of_sign_in(&on(5, NOW + 2 * DAY), &before).is_empty());
    assert!(rules.of_sign_in(&on(4, NOW + HOUR), &before).is_empty());
    // The same five, one of which is an old acquaintance.
    let mut known = before.clone();
    known.push(on(3, NOW - 3 * DAY));
    assert!(rules.of_sign_in(&on(5, NOW + HOUR), &known).is_empty());
    let none = rules.with_devices(0, DAY);
    assert!(none.of_sign_in(&on(5, NOW + HOUR), &before).is_empty());
}

#[test]
fn failures_are_told_at_ten_and_whenever_they_have_doubled() {
    let rules = RiskRules::default();
    let told: Vec<u32> = (0..=100)
        .filter(|failures| rules.of_failures(*failures).is_some())
        .collect();
    assert_eq!(told, [10, 20, 40, 80]);
    let none = RiskRules::default().with_failures(0);
    assert!((0..=100).all(|failures| none.of_failures(failures).is_none()));
}

#[test]
fn a_clock_that_steps_by_a_day_raises_no_alarm() {
    let rules = RiskRules::default();
    for (from, to) in [(NOW, NOW + DAY), (NOW + DAY, NOW), (NOW, NOW - DAY)] {
        let home = seen(Sight::SignedIn, from, in_city("Berlin"));
        let same = seen(Sight::SignedIn, to, in_city("Berlin"));
        assert!(
            rules
                .of_sign_in(&same, std::slice::from_ref(&home))
                .is_empty()
        );
        let away = seen(Sight::SignedIn, to, in_city("Tokyo"));
        assert_eq!(names(&rules.of_sign_in(&away, &[home])), ["new_country"]);
    }
    // The clocks of two nodes are a little apart, and that is no step.
    let home = seen(Sight::SignedIn, NOW + MINUTE, in_city("Berlin"));
    let away = seen(Sight::SignedIn, NOW, in_city("Tokyo"));
    let travel = rules.travel(&home, &away).expect("too far");
    assert_eq!((travel.elapsed, travel.least_kmh()), (Duration::ZERO, None));
}

#[test]
fn evidence_says_what_it_does_not_know_and_holds_no_line_of_its_own() {
    let rules = RiskRules::default();
    let mut device = in_city("Tokyo");
    device.city = Some("To\nkyo\u{202e}".to_owned());
    let home = seen(Sight::SignedIn, NOW, in_city("Berlin"));
    let away = seen(Sight::SignedIn, NOW + HOUR, device);
    let text = rules.of_sign_in(&away, &[home])[0].to_string();
    assert_eq!(
        text,
        "from \"Berlin, Germany\" (± 20 km) to \"To\\nkyo\\u{202e}, Japan\" (± 20 km) in 1h: at \
         least 8861 km, 8861 km/h; whether a VPN, a data centre or a mobile gateway stands between \
         is not known"
    );
}

#[test]
fn a_known_gateway_says_nothing_of_where_people_are() {
    let rules = RiskRules::default();
    let home = seen(Sight::SignedIn, NOW, in_city("Berlin"));
    let mut device = in_city("Tokyo");
    device.gateway = Some(Gateway::Anonymizer);
    let away = seen(Sight::SignedIn, NOW + HOUR, device);
    assert!(
        rules
            .of_sign_in(&away, std::slice::from_ref(&home))
            .is_empty()
    );
    let refreshed = rules.of_refresh(&away, &home, std::slice::from_ref(&home));
    assert_eq!(names(&refreshed), ["address_change"]);
    assert_eq!(rules.travel(&away, &home), None);
}

fn signed_in(device: Device) -> SessionRecord {
    SessionRecord { device, ..record() }
}

#[test]
fn a_device_with_a_cookie_is_known_by_that_alone() {
    let ada = UserId::new("ada").expect("a name");
    let [first, second] = [(); 2].map(|()| DeviceCookie::random().expect("randomness"));
    let mut marked = device("Chrome on Windows", "192.0.2.7");
    marked.mark = Some(first.mark(&ada));
    let others = [signed_in(marked.clone())];
    let mut elsewhere = device("Chrome on Windows", "203.0.113.9");
    assert!(!is_known(&elsewhere, &others));
    elsewhere.mark = Some(second.mark(&ada));
    assert!(!is_known(&elsewhere, &others));
    elsewhere.mark = Some(first.mark(&ada));
    assert!(is_known(&elsewhere, &others));
}

#[test]
fn a_device_without_cookies_is_known_by_its_program_in_the_same_country() {
    let home = in_city("Berlin");
    let others = [signed_in(home.clone())];
    assert!(is_known(&home, &others));
    assert!(is_known(
        &device("Chrome on Windows", "203.0.113.9"),
        &others
    ));
    assert!(!is_known(&in_city("Tokyo"), &others));
    assert!(!is_known(&device("Safari on iOS", "192.0.2.7"), &others));
    assert!(!is_known(
        &Device::default(),
        &[signed_in(Device::default())]
    ));
}

#[test]
fn a_session_that_was_ended_from_elsewhere_makes_no_device_known() {
    let home = in_city("Berlin");
    let known_after = |reason| {
        let mut other = signed_in(home.clone());
        other.ended = Some(Ended {
            at: NOW,
            reason,
            by: None,
        });
        is_known(&home, &[other])
    };
    for reason in [EndReason::SignedOut, EndReason::Expired, EndReason::Evicted] {
        assert!(known_after(reason));
    }
    for reason in [
        EndReason::UserRevoked,
        EndReason::AdminRevoked,
        EndReason::PasswordChanged,
        EndReason::RefreshReused,
        EndReason::Suspicious,
    ] {
        assert!(!known_after(reason));
    }
}

#[test]
fn a_flag_gathers_names_and_what_cannot_be_read_is_none() {
    let mut record = record();
    let failures = |failures| RiskSignal::RefreshFailures { failures };
    let change = RiskSignal::UserAgentChange {
        before: "a".to_owned(),
        now: "b".to_owned(),
    };
    record.flag = RiskFlag::text_with(&record, &[failures(10)], NOW);
    record.flag = RiskFlag::text_with(&record, &[failures(20), change], NOW + HOUR);
    let flag = RiskFlag::of(&record).expect("a flag");
    assert_eq!(flag.at, NOW + HOUR);
    assert_eq!(flag.signals, ["refresh_failures", "user_agent_change"]);
    for text in ["", "{}", "null", "sealed:1:x"] {
        record.flag = Some(text.to_owned());
        assert_eq!(RiskFlag::of(&record), None, "{text}");
        record.seen = Some(text.to_owned());
        assert_eq!(Sighting::latest(&record), Sighting::of_sign_in(&record));
    }
}

#[test]
fn a_sighting_is_read_back_without_what_a_device_is_recognised_by() {
    let cookie = DeviceCookie::random().expect("randomness");
    let mut device = in_city("Tokyo");
    device.mark = Some(cookie.mark(&UserId::new("ada").expect("a name")));
    device.cookie = Some(cookie);
    let seen = Sighting::new(NOW, &device, Sight::Refreshed);
    let mut record = record();
    record.seen = seen.to_text();
    assert!(!record.seen.as_deref().unwrap_or_default().contains("mark"));
    assert_eq!(Sighting::latest(&record), seen);
}

#[test]
fn names_of_signals_are_a_closed_set() {
    let rules = RiskRules::default();
    let home = seen(Sight::SignedIn, NOW, in_city("Berlin"));
    let away = seen(Sight::SignedIn, NOW, in_city("Tokyo"));
    let found = rules.of_sign_in(&away, &[home]);
    assert!(
        names(&found)
            .iter()
            .all(|name| RiskSignal::NAMES.contains(name))
    );
    assert!(RiskSignal::NAMES.is_sorted());
}
