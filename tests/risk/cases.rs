//! The table of cases in `docs/risk.md`, as it stands there.

use std::time::Duration;

use tower_jwt_session::revocation::EndReason;
use tower_jwt_session::session::risk::{
    FlagUnusual, RiskAssessment, RiskPolicy, RiskRules, RiskSignal, RiskStep, Sight, Sighting,
};
use tower_jwt_session::session::{Coordinates, DeviceKind, Gateway};
use tower_jwt_session::{Device, SessionId, UnixTime, UserId};

const DOCUMENT: &str = include_str!("../../docs/risk.md");
const START: UnixTime = UnixTime::from_secs(1_767_225_600);

struct Case<'a> {
    number: &'a str,
    occasion: &'a str,
    before: Device,
    after: Device,
    at: UnixTime,
    known: Vec<&'a str>,
    verdict: &'a str,
}

impl<'a> Case<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [
            number,
            _story,
            occasion,
            before,
            after,
            between,
            known,
            verdict,
            _because,
        ] = cells[..]
        else {
            return None;
        };
        number.parse::<u32>().ok()?;
        let span = |text: &str| -> Duration { humantime::parse_duration(text).expect(text) };
        let at = match between.strip_prefix('-') {
            Some(back) => START - span(back),
            None => START + span(between),
        };
        Some(Self {
            number,
            occasion,
            before: device(before, 1),
            after: device(after, 2),
            at,
            known: known
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
                .collect(),
            verdict,
        })
    }

    fn signals(&self) -> Vec<RiskSignal> {
        let rules = RiskRules::default();
        let (how, kind) = match self.occasion {
            "sign-in" => (Sight::SignedIn, DeviceKind::Desktop),
            "refresh" => (Sight::SignedIn, DeviceKind::Phone),
            "laptop at home" => (Sight::Refreshed, DeviceKind::Desktop),
            "phone at home" => (Sight::Refreshed, DeviceKind::Phone),
            other => panic!("no occasion: {other}"),
        };
        let mut before = self.before.clone();
        before.kind = kind;
        let last = seen(START, before, how);
        let long_ago = START - Duration::from_secs(90 * 86_400);
        let known = self.known.iter().map(|country| {
            let mut device = Device::default();
            device.country = Some((*country).to_owned());
            seen(long_ago, device, Sight::SignedIn)
        });
        let all: Vec<_> = known.chain([last.clone()]).collect();
        if self.occasion == "refresh" {
            let now = seen(self.at, self.after.clone(), Sight::Refreshed);
            rules.of_refresh(&now, &last, &all)
        } else {
            rules.of_sign_in(&seen(self.at, self.after.clone(), Sight::SignedIn), &all)
        }
    }
}

fn seen(at: UnixTime, device: Device, how: Sight) -> Sighting {
    Sighting { at, device, how }
}

/// `City, Country @ north, east ± km via gateway`, or less of it.
fn device(text: &str, network: u8) -> Device {
    let mut device = Device::default();
    device.label = "Chrome on Windows".to_owned();
    let (text, network) = match text.strip_suffix(" same network") {
        Some(text) => (text, 1),
        None => (text, network),
    };
    device.address = Some([10, network, 0, 1].into());
    if text == "?" {
        return device;
    }
    let (text, gateway) = text.split_once(" via ").unwrap_or((text, ""));
    device.gateway = match gateway {
        "" => None,
        "anonymizer" => Some(Gateway::Anonymizer),
        "hosting" => Some(Gateway::Hosting),
        "mobile" => Some(Gateway::Mobile),
        "satellite" => Some(Gateway::Satellite),
        other => panic!("no gateway: {other}"),
    };
    let (place, point) = text.split_once(" @ ").unwrap_or((text, ""));
    let (city, country) = match place.split_once(", ") {
        Some((city, country)) => (Some(city), country),
        None => (None, place),
    };
    device.city = city.map(str::to_owned);
    device.country = Some(country.to_owned());
    if !point.is_empty() {
        let numbers: Vec<f64> = point
            .split([',', '±'])
            .map(|number| number.trim().parse().expect(point))
            .collect();
        let [north, east, radius] = numbers[..] else {
            panic!("no point: {point}");
        };
        let point = Coordinates::new(north, east, radius as u16);
        device.coordinates = Some(point.expect("on Earth"));
    }
    device
}

/// What the default policy says of signals, in the words of the table.
fn verdict(signals: Vec<RiskSignal>) -> String {
    if signals.is_empty() {
        return "allow".to_owned();
    }
    let mut names: Vec<_> = signals.iter().map(RiskSignal::name).collect();
    // The cases are about places; that addresses change with them goes without saying.
    names.retain(|name| *name != "address_change");
    let ada = UserId::new("ada").expect("a name");
    let session = SessionId::from_bytes([7; 16]);
    let case = RiskAssessment::new(ada, session, RiskStep::SignIn, START, signals);
    let decided = FlagUnusual.decide(&case).as_str();
    if names.is_empty() {
        decided.to_owned()
    } else {
        format!("{decided}: {}", names.join(", "))
    }
}

#[test]
fn every_case_of_the_document_has_the_verdict_that_stands_there() {
    let cases: Vec<_> = DOCUMENT.lines().filter_map(Case::read).collect();
    assert!(cases.len() >= 40, "{} cases were found", cases.len());
    let wrong: Vec<_> = cases
        .iter()
        .map(|case| (case.number, verdict(case.signals()), case.verdict))
        .filter(|(_, said, meant)| said != meant)
        .collect();
    assert!(wrong.is_empty(), "case, said, meant: {wrong:#?}");
}

#[test]
fn the_document_names_every_signal_with_its_severity_and_every_verdict() {
    for name in RiskSignal::NAMES {
        let row = format!("| `{name}` | ");
        assert!(DOCUMENT.contains(&row), "{row}");
    }
    for verdict in ["Allow", "Flag", "AskFresh", "End"] {
        assert!(DOCUMENT.contains(&format!("| `{verdict}` | ")), "{verdict}");
    }
    assert!(DOCUMENT.contains(EndReason::Suspicious.as_str()));
}
