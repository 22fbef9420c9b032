//! What can be unusual.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::travel::Travel;

/// Something unusual, with its evidence. Its text is for whoever looks into it: it holds places,
/// addresses as they are kept, and names of devices, and nothing that could be replayed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RiskSignal {
    /// A session is used from another network than before.
    AddressChange {
        /// Where it was.
        before: IpAddr,
        /// Where it is.
        now: IpAddr,
    },
    /// The way is too long for the time.
    ImpossibleTravel(Travel),
    /// One user signed in on many devices within a short time that had not been seen before.
    ManyNewDevices {
        /// How many.
        devices: u32,
        /// In how long.
        within: Duration,
    },
    /// A country where the user has not been seen.
    NewCountry {
        /// Which.
        country: String,
        /// Where they have been seen.
        before: Vec<String>,
    },
    /// Refreshes of the session failed again and again.
    RefreshFailures {
        /// How often on this node so far.
        failures: u32,
    },
    /// A session is used by another program or on another system than before.
    UserAgentChange {
        /// What it was.
        before: String,
        /// What it is.
        now: String,
    },
}

/// How much a signal weighs by itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// Ordinary life brings it about every day.
    #[default]
    Low,
    /// Worth a look.
    Medium,
    /// One person did not do both things by themselves.
    High,
}

impl RiskSignal {
    /// Every name that [`name`](Self::name) gives.
    pub const NAMES: [&'static str; 6] = [
        "address_change",
        "impossible_travel",
        "many_new_devices",
        "new_country",
        "refresh_failures",
        "user_agent_change",
    ];

    /// The name that flags, labels and logs use.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AddressChange { .. } => "address_change",
            Self::ImpossibleTravel(_) => "impossible_travel",
            Self::ManyNewDevices { .. } => "many_new_devices",
            Self::NewCountry { .. } => "new_country",
            Self::RefreshFailures { .. } => "refresh_failures",
            Self::UserAgentChange { .. } => "user_agent_change",
        }
    }

    /// How much it weighs by itself.
    #[must_use]
    pub const fn severity(&self) -> Severity {
        match self {
            Self::AddressChange { .. } => Severity::Low,
            Self::ImpossibleTravel(_) => Severity::High,
            Self::ManyNewDevices { .. }
            | Self::NewCountry { .. }
            | Self::RefreshFailures { .. }
            | Self::UserAgentChange { .. } => Severity::Medium,
        }
    }
}

impl fmt::Display for RiskSignal {
    /// Names are quoted and escaped: some of them are what a client said of itself.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddressChange { before, now } => {
                write!(f, "the session moved from {before} to {now}")
            }
            Self::ImpossibleTravel(travel) => travel.fmt(f),
            Self::ManyNewDevices { devices, within } => {
                let within = humantime::format_duration(*within);
                write!(
                    f,
                    "{devices} devices within {within} that were not seen before"
                )
            }
            Self::NewCountry { country, before } => {
                write!(f, "from {country:?}, seen so far in {}", before.len())?;
                write!(f, " {}: {}", countries(before.len()), quoted(before))
            }
            Self::RefreshFailures { failures } => {
                write!(f, "{failures} refreshes of the session failed on this node")
            }
            Self::UserAgentChange { before, now } => {
                write!(f, "the session moved from {before:?} to {now:?}")
            }
        }
    }
}

fn countries(count: usize) -> &'static str {
    if count == 1 { "country" } else { "countries" }
}

fn quoted(names: &[String]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("{name:?}")).collect();
    quoted.join(", ")
}
