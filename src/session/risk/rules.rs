//! The rules: what is unusual about a sighting, by those before it.

use std::collections::BTreeSet;
use std::time::Duration;

use super::sighting::{Sight, Sighting, client};
use super::signal::RiskSignal;
use super::travel::Travel;

/// What is unusual, and from where on. The reasons for the figures are in `docs/risk.md`.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use tower_jwt_session::session::risk::{RiskRules, Sight, Sighting};
/// use tower_jwt_session::session::{Coordinates, Device};
/// use tower_jwt_session::UnixTime;
///
/// let seen = |at, latitude, longitude| {
///     let mut device = Device::default();
///     device.coordinates = Coordinates::new(latitude, longitude, 20);
///     Sighting { at: UnixTime::from_secs(at), device, how: Sight::SignedIn }
/// };
/// let berlin = seen(0, 52.52, 13.40);
/// let tokyo = seen(3_600, 35.69, 139.69);
/// let signals = RiskRules::default().of_sign_in(&tokyo, &[berlin]);
/// assert_eq!(signals[0].name(), "impossible_travel");
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RiskRules {
    speed_kmh: f64,
    least_km: f64,
    devices: u32,
    devices_within: Duration,
    failures: u32,
}

impl Default for RiskRules {
    fn default() -> Self {
        Self {
            speed_kmh: 1_100.0,
            least_km: 500.0,
            devices: 5,
            devices_within: Duration::from_secs(86_400),
            failures: 10,
        }
    }
}

impl RiskRules {
    /// Sets how fast people travel at most, in kilometres an hour. Defaults to 1,100: airliners
    /// with the wind behind them.
    #[must_use]
    pub fn with_speed_kmh(mut self, speed: u32) -> Self {
        self.speed_kmh = speed.into();
        self
    }

    /// Sets how many kilometres a way has at least to be called one. Defaults to 500: below that,
    /// where mobile networks and providers lead traffic out says nothing of where people are.
    #[must_use]
    pub fn with_least_km(mut self, least: u32) -> Self {
        self.least_km = least.into();
        self
    }

    /// Sets how many new devices within how long are many. Defaults to five within a day. None of
    /// them is no rule.
    #[must_use]
    pub fn with_devices(mut self, devices: u32, within: Duration) -> Self {
        self.devices = devices;
        self.devices_within = within;
        self
    }

    /// Sets how many failed refreshes of a session are many. Defaults to ten; told again whenever
    /// there are twice as many. None is no rule.
    #[must_use]
    pub fn with_failures(mut self, failures: u32) -> Self {
        self.failures = failures;
        self
    }

    /// What is unusual about a sign-in, or another proof of who somebody is, by what is remembered of
    /// the user.
    #[must_use]
    pub fn of_sign_in(&self, now: &Sighting, before: &[Sighting]) -> Vec<RiskSignal> {
        let people = before.iter().filter(|seen| seen.is_of_a_person());
        let travel = people.filter_map(|seen| self.travel(seen, now));
        // One way is told, that of the latest sighting.
        let travel = travel.max_by_key(|travel| travel.from.at);
        let signals = [
            travel.map(RiskSignal::ImpossibleTravel),
            new_country(now, before),
            self.many_new_devices(now, before),
        ];
        signals.into_iter().flatten().collect()
    }

    /// What is unusual about a refresh, by the last sighting of its session and, where the country is
    /// another than then, by what is remembered of the user.
    #[must_use]
    pub fn of_refresh(
        &self,
        now: &Sighting,
        last: &Sighting,
        before: &[Sighting],
    ) -> Vec<RiskSignal> {
        let travel = self.travel(last, now).map(RiskSignal::ImpossibleTravel);
        let country = if changed_country(last, now) {
            new_country(now, before)
        } else {
            None
        };
        let signals = [travel, country, new_client(now, last), moved(now, last)];
        signals.into_iter().flatten().collect()
    }

    /// Whether a session's failed refreshes are to be told now that there are so many.
    #[must_use]
    pub fn of_failures(&self, failures: u32) -> Option<RiskSignal> {
        let times = failures.checked_div(self.failures)?;
        let told = failures.is_multiple_of(self.failures) && times.is_power_of_two();
        told.then_some(RiskSignal::RefreshFailures { failures })
    }

    /// The way between two sightings, where it is too long for the time.
    ///
    /// It is not where either point is unknown, or a gateway is known to stand before one; nor where
    /// the network is the same, which did not move. Nor where the clock went back in between: then
    /// there is no time to measure by.
    #[must_use]
    pub fn travel(&self, from: &Sighting, to: &Sighting) -> Option<Travel> {
        if from.device.gateway.is_some() || to.device.gateway.is_some() {
            return None;
        }
        let (start, end) = (from.device.coordinates?, to.device.coordinates?);
        if from.at > to.at + SLACK || from.same_network(to) == Some(true) {
            return None;
        }
        let elapsed = to.at.since(from.at);
        let same_country =
            from.device.country.is_some() && from.device.country == to.device.country;
        if same_country && (start.is_of_a_country() || end.is_of_a_country()) {
            return None;
        }
        let least_km = start.least_km(end);
        let hours = (elapsed + SLACK).as_secs_f64() / 3_600.0;
        let impossible = least_km >= self.least_km && least_km > self.speed_kmh * hours;
        impossible.then(|| Travel::new(from, to, least_km, elapsed))
    }

    /// The devices that began within the window, and were not seen before it. Programs on networks
    /// are counted, not cookies: a private window would be another device each time.
    fn many_new_devices(&self, now: &Sighting, before: &[Sighting]) -> Option<RiskSignal> {
        let begun = now.at - self.devices_within;
        let signed_in = || before.iter().filter(|seen| seen.how == Sight::SignedIn);
        let device = |seen: &Sighting| Some((client(&seen.device), seen.network()?));
        let old: BTreeSet<_> = signed_in()
            .filter(|seen| seen.at < begun)
            .filter_map(device)
            .collect();
        let recent = signed_in().filter(|seen| seen.at >= begun && seen.at <= now.at + SLACK);
        let new: BTreeSet<_> = recent
            .chain([now])
            .filter_map(device)
            .filter(|device| !old.contains(device))
            .collect();
        // That this sign-in is one of them: else it would be told of every one after.
        let one_more = device(now).is_some_and(|device| new.contains(&device));
        let devices = u32::try_from(new.len()).unwrap_or(u32::MAX);
        let many = self.devices > 0 && one_more && devices >= self.devices;
        many.then_some(RiskSignal::ManyNewDevices {
            devices,
            within: self.devices_within,
        })
    }
}

pub(crate) fn changed_country(last: &Sighting, now: &Sighting) -> bool {
    now.device.country.is_some() && now.device.country != last.device.country
}

/// Whether a session has to be seen anew: something is another than it was.
pub(crate) fn is_news(last: &Sighting, now: &Sighting) -> bool {
    last.device != now.device
}

fn new_country(now: &Sighting, before: &[Sighting]) -> Option<RiskSignal> {
    // What stands between is abroad, and says nothing of who is behind it.
    if now.device.gateway.is_some() {
        return None;
    }
    let country = now.device.country.clone()?;
    let seen = before.iter().filter_map(|seen| seen.device.country.clone());
    let seen: BTreeSet<_> = seen.collect();
    let near = before.iter().any(|seen| is_near(seen, now));
    let new = !seen.is_empty() && !seen.contains(&country) && !near;
    new.then(|| RiskSignal::NewCountry {
        country,
        before: seen.into_iter().take(MAX_TOLD).collect(),
    })
}

/// Whether another country is only the other side of a border, or the other opinion of a database.
fn is_near(seen: &Sighting, now: &Sighting) -> bool {
    if seen.same_network(now) == Some(true) {
        return true;
    }
    let (Some(there), Some(here)) = (seen.device.coordinates, now.device.coordinates) else {
        return false;
    };
    let known = !there.is_of_a_country() && !here.is_of_a_country();
    known && there.distance_km(here) < NEAR_KM
}

fn new_client(now: &Sighting, last: &Sighting) -> Option<RiskSignal> {
    let changed = !now.same_client(last)?;
    let name = |seen: &Sighting| client(&seen.device).unwrap_or_default();
    changed.then(|| RiskSignal::UserAgentChange {
        before: name(last),
        now: name(now),
    })
}

fn moved(now: &Sighting, last: &Sighting) -> Option<RiskSignal> {
    let moved = !now.same_network(last)?;
    let (before, now) = (last.device.address?, now.device.address?);
    moved.then_some(RiskSignal::AddressChange { before, now })
}

/// How far the clocks of two nodes may be apart, and how late an answer may come.
const SLACK: Duration = Duration::from_secs(600);
/// Over a border for shopping, or with the neighbour's network in the phone.
const NEAR_KM: f64 = 100.0;
const MAX_TOLD: usize = 20;
