//! A service looked at before it runs, and while it does.

use std::time::Duration;

use super::checklist::{Checklist, FindingKind};
use super::env::Environment;
use super::origins::AllowedOrigins;
use crate::diagnosis::{Check, ClockReading, Diagnosis, StoreReport};
use crate::jwt_session::JwtSession;
use crate::revocation::Confirm;
use crate::session::SessionStore;
use crate::token::UserId;
use crate::verify::{CustomClaims, KeyInfo, KeyState, Origin};

impl<C: CustomClaims> JwtSession<C> {
    /// What is configured, a line for each area, and what of it should not stay so: the findings of
    /// a [`Checklist`] among it. Asks nobody.
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_jwt_session::{Checklist, JwtSession};
    ///
    /// let auth = JwtSession::builder()
    ///     .hmac_secret(b"an example; 32 random bytes in earnest")
    ///     .build()?;
    /// for check in auth.configuration(&Checklist::of(&auth)).checks() {
    ///     println!("{}: {} {}", check.name, check.state, check.seen);
    /// }
    /// # Ok::<(), tower_jwt_session::ConfigError>(())
    /// ```
    pub fn configuration(&self, checklist: &Checklist) -> Diagnosis {
        let mut diagnosis = Diagnosis::default();
        diagnosis.add(self.keys_in_use());
        let kept = if self.seals() {
            "encrypted"
        } else {
            "as it is"
        };
        diagnosis.add(Check::ok("session data", format!("kept {kept}")));
        for (name, kinds) in AREAS {
            let findings = checklist.findings().iter();
            let found: Vec<_> = findings
                .filter(|found| kinds.contains(&found.kind))
                .collect();
            if found.is_empty() {
                diagnosis.extend(self.in_order(name).map(|seen| Check::ok(name, seen)));
            }
            diagnosis.extend(
                found
                    .into_iter()
                    .map(|found| Check::warn(name, found.what.as_str(), found.fix)),
            );
        }
        let all = || AREAS.iter().flat_map(|(_, kinds)| *kinds);
        let others = checklist.findings().iter();
        let others = others.filter(|found| !all().any(|kind| *kind == found.kind));
        diagnosis.extend(others.map(|found| Check::warn("other", found.what.as_str(), found.fix)));
        diagnosis
    }

    /// Looks at the store as well: what it is, whether it promises what sessions need, how long it
    /// takes to answer, whether its clock is ours, whether this node would be let into its fleet.
    ///
    /// Changes nothing, also where the store was never used.
    pub async fn diagnose(&self, checklist: &Checklist) -> Diagnosis {
        let mut diagnosis = self.configuration(checklist);
        let Some(upkeep) = self.store().upkeep() else {
            let seen = format!("{}, which tells nothing of itself", self.store_name());
            diagnosis.add(Check::ok("store", seen));
            return diagnosis;
        };
        let report = upkeep.inspect().await;
        diagnosis.extend(report.clock.map(|reading| self.clocks(reading)));
        diagnosis.extend(self.membership(&report));
        let asks = report.deployment.is_some() && self.store_name() != "memory";
        diagnosis.extend(report.checks);
        if asks {
            diagnosis.add(self.latency(&**self.store()).await);
        }
        diagnosis
    }

    fn keys_in_use(&self) -> Check {
        let keys = self.keys().list();
        let of = |wanted: fn(&KeyInfo) -> bool| keys.iter().filter(move |key| wanted(key));
        let checking = of(|key| key.state == KeyState::VerifyOnly && key.origin == Origin::Ours);
        let foreign = of(|key| key.origin != Origin::Ours).count();
        let mut seen = match of(|key| key.state == KeyState::Sign).next() {
            Some(key) => format!("{} signs as {}", key.kid, key.algorithm),
            None => "none signs".to_owned(),
        };
        match checking.count() {
            0 => {}
            count => seen.push_str(&format!(", {count} more checked")),
        }
        if foreign > 0 {
            seen.push_str(&format!(", {foreign} of other issuers"));
        }
        if self.keys().can_sign() {
            return Check::ok(KEYS, seen);
        }
        let fix = "set JWT_SECRET or JWT_PRIVATE_KEY_FILE: without it nobody can sign in here";
        Check::fail(KEYS, seen, fix)
    }

    /// What is said of an area in which nothing is wrong.
    fn in_order(&self, area: &str) -> Option<String> {
        let lifetimes = self.lifetimes();
        Some(match area {
            LIFETIMES => {
                let idle = lifetimes
                    .idle()
                    .map(|idle| format!(", unused {}", shown(idle)));
                format!(
                    "access {}, refresh {}, session {}{}; grace {}, suggested {} before the end; {} a user",
                    shown(lifetimes.access()),
                    shown(lifetimes.refresh()),
                    shown(lifetimes.session()),
                    idle.unwrap_or_default(),
                    shown(self.rotation().grace()),
                    shown(self.rotation().suggestion()),
                    self.limit()
                        .max()
                        .map_or_else(|| "any number".to_owned(), |max| max.to_string()),
                )
            }
            TLS if self.trusted_proxies().is_empty() => "listens on this machine alone".to_owned(),
            TLS => "behind proxies that are trusted by name".to_owned(),
            COOKIES if self.cookies().allow(crate::session::Transport::Cookie) => format!(
                "where a sign-in asks for them, as {} and {}",
                self.cookies().access_name(),
                self.cookies().refresh_name()
            ),
            COOKIES => "none".to_owned(),
            ORIGINS => match self.allowed_origins() {
                AllowedOrigins::Listed(origins) => format!("{} may call", origins.join(", ")),
                _ => "no other may call".to_owned(),
            },
            LIMIT => "attempts are limited".to_owned(),
            REVOCATION => {
                let asked = match self.terms().confirm {
                    Confirm::Always => "at every request",
                    _ => "at first sight",
                };
                format!(
                    "the store is asked {asked}; without it nobody is let in whom it would have to know"
                )
            }
            _ => return None,
        })
    }

    fn clocks(&self, reading: ClockReading) -> Check {
        let apart = reading.apart();
        let which = if reading.is_ahead() {
            "ahead"
        } else {
            "behind"
        };
        let shown = format!("{:.1} s", apart.as_secs_f64());
        let fix = "keep both clocks by NTP";
        match apart {
            apart if apart > APART => {
                Check::fail(CLOCK, format!("the store's is {shown} {which}"), fix)
            }
            apart if apart > APART / 5 => {
                Check::warn(CLOCK, format!("the store's is {shown} {which}"), fix)
            }
            _ => Check::ok(CLOCK, "the store's agrees with this machine's"),
        }
    }

    /// Whether the fleet remembers for as long as this node's tokens live.
    fn membership(&self, report: &StoreReport) -> Option<Check> {
        let fleet = report.limits?;
        let own = (self.policy().max_lifetime(), self.policy().leeway);
        let seen = format!(
            "access tokens for up to {}, leeway {}",
            shown(fleet.access_lifetime),
            shown(fleet.leeway)
        );
        if own.0 <= fleet.access_lifetime && own.1 <= fleet.leeway {
            return Some(Check::ok(FLEET, seen));
        }
        Some(Check::fail(
            FLEET,
            format!("{seen}; this node goes beyond that and would be refused"),
            "give all nodes the same JWT_ACCESS_TOKEN_EXPIRY and JWT_LEEWAY; see docs/troubleshooting.md",
        ))
    }

    /// Asks what a sign-in asks first, one question after the other.
    async fn latency(&self, store: &dyn SessionStore) -> Check {
        let Ok(nobody) = UserId::new("doctor") else {
            return Check::ok(LATENCY, "not measured");
        };
        let clock = self.clock();
        let mut took = Vec::new();
        for _ in 0..QUESTIONS {
            let begun = clock.now();
            if let Err(error) = store.counters(&nobody).await {
                let why = std::error::Error::source(&error).map(ToString::to_string);
                let seen = why.unwrap_or_else(|| error.to_string());
                return Check::fail(LATENCY, seen, "see what is said of the store");
            }
            took.push(clock.now().since(begun));
        }
        took.sort_unstable();
        let (half, most) = (took[QUESTIONS / 2], took[QUESTIONS - 1 - QUESTIONS / 100]);
        let seen = format!(
            "p50 {:.1} ms, p99 {:.1} ms over {QUESTIONS} questions, STORE_TIMEOUT {} ms",
            half.as_secs_f64() * 1e3,
            most.as_secs_f64() * 1e3,
            self.store_timeout().as_millis()
        );
        if most > self.store_timeout() / 2 {
            let fix =
                "bring the store nearer, or raise STORE_TIMEOUT: slow answers are refused with 503";
            return Check::warn(LATENCY, seen, fix);
        }
        Check::ok(LATENCY, seen)
    }
}

/// A duration as the variables have it.
fn shown(duration: Duration) -> String {
    let secs = duration.as_secs();
    match secs {
        0 => format!("{duration:?}"),
        secs if secs % 86_400 == 0 => format!("{}d", secs / 86_400),
        secs if secs % 3_600 == 0 => format!("{}h", secs / 3_600),
        secs if secs % 60 == 0 => format!("{}m", secs / 60),
        secs => format!("{secs}s"),
    }
}

impl Environment {
    /// Looks at the files that the variables name: secrets that others on this machine can read.
    #[must_use]
    pub fn check_files(&self) -> Vec<Check> {
        let named = SECRET_FILES
            .iter()
            .filter_map(|name| Some((*name, self.get(name)?)));
        named
            .filter_map(|(name, path)| check_file(name, path))
            .collect()
    }
}

#[cfg(unix)]
fn check_file(name: &'static str, path: &str) -> Option<Check> {
    use std::os::unix::fs::PermissionsExt;
    // What cannot be read is refused where it is read.
    let mode = std::fs::metadata(path).ok()?.permissions().mode() & 0o777;
    let seen = format!("{path} has mode {mode:04o}");
    let fix = format!("chmod 600 {path}");
    Some(match mode {
        mode if mode & 0o007 != 0 => Check::fail(name, seen, fix),
        mode if mode & 0o070 != 0 => Check::warn(name, seen, fix),
        _ => Check::ok(name, seen),
    })
}

#[cfg(not(unix))]
fn check_file(_name: &'static str, _path: &str) -> Option<Check> {
    None
}

const SECRET_FILES: [&str; 7] = [
    "JWT_SECRET_FILE",
    "JWT_SECRET_PREVIOUS_FILE",
    "JWT_PRIVATE_KEY_FILE",
    "JWT_REFRESH_SECRET_FILE",
    "JWT_REFRESH_SECRET_PREVIOUS_FILE",
    "SESSION_ENCRYPTION_KEY_FILE",
    "SESSION_ENCRYPTION_KEY_PREVIOUS_FILE",
];

/// What is looked at together, and the findings that belong there.
const AREAS: [(&str, &[FindingKind]); 7] = [
    ("store", &[FindingKind::MemoryStore]),
    (
        LIFETIMES,
        &[FindingKind::LongAccessTokens, FindingKind::LongSessions],
    ),
    (TLS, &[FindingKind::NoTls]),
    (COOKIES, &[FindingKind::InsecureCookies]),
    (ORIGINS, &[FindingKind::OpenOrigins]),
    (LIMIT, &[FindingKind::NoRateLimit]),
    (
        REVOCATION,
        &[
            FindingKind::OutageAccepted,
            FindingKind::UnconfirmedSessions,
        ],
    ),
];
const KEYS: &str = "keys";
const LIFETIMES: &str = "lifetimes";
const TLS: &str = "tls";
const COOKIES: &str = "cookies";
const ORIGINS: &str = "origins";
const LIMIT: &str = "rate limit";
const REVOCATION: &str = "revocation";
const CLOCK: &str = "clock";
const FLEET: &str = "fleet";
const LATENCY: &str = "store latency";
/// How far any clock may be from true time, unless configured.
const APART: Duration = Duration::from_secs(5);
const QUESTIONS: usize = 100;

#[cfg(test)]
mod tests;
