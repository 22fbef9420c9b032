//! What should not stay so in production.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use super::env::Environment;
use super::origins::AllowedOrigins;
use crate::jwt_session::JwtSession;
use crate::revocation::{Confirm, OnStoreFailure};
use crate::verify::CustomClaims;

/// How a configuration looks before it goes into production: typed findings, each with its fix.
///
/// What is a mistake wherever it stands is refused by
/// [`build`](crate::JwtSessionBuilder::build): short, guessable and known secrets, lifetimes
/// that contradict each other, a shared store without a secret. What is right on a developer's
/// machine and wrong in front of users is found here, and said at the start.
///
/// # Examples
///
/// ```
/// use tower_jwt_session::{Checklist, JwtSession};
///
/// let auth = JwtSession::builder()
///     .hmac_secret(b"an example; 32 random bytes in earnest")
///     .build()?;
/// let checklist = Checklist::of(&auth).listening_on("0.0.0.0:3000".parse()?);
/// for finding in checklist.findings() {
///     println!("{finding}");
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "the findings are to be shown"]
pub struct Checklist {
    findings: Vec<Finding>,
    has_proxies: bool,
    has_limit: bool,
}

/// One thing that should not stay so in production.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// What kind of thing.
    pub kind: FindingKind,
    /// What it is, for people.
    pub what: String,
    /// What to do.
    pub fix: &'static str,
}

/// What kind of thing a [`Finding`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FindingKind {
    /// Cookies travel over plain HTTP, or scripts can read them.
    InsecureCookies,
    /// Access tokens live for longer than a day.
    LongAccessTokens,
    /// A session lives for longer than a year.
    LongSessions,
    /// Sessions are gone when the process ends, and no other process knows of them.
    MemoryStore,
    /// Nothing limits attempts.
    NoRateLimit,
    /// Tokens travel over plain HTTP.
    NoTls,
    /// Pages of any origin may call.
    OpenOrigins,
    /// Tokens are accepted without asking the store while it is away.
    OutageAccepted,
    /// Another node's revocations are heard of late, or never asked for.
    UnconfirmedSessions,
}

impl Checklist {
    /// Looks at what was put together.
    pub fn of<C: CustomClaims>(auth: &JwtSession<C>) -> Self {
        let mut checklist = Self {
            findings: Vec::new(),
            has_proxies: !auth.trusted_proxies().is_empty(),
            has_limit: auth.rate_limiter().is_on(),
        };
        checklist.look_at_store(auth);
        checklist.look_at_lifetimes(auth);
        if *auth.allowed_origins() == AllowedOrigins::Any {
            checklist.note(
                FindingKind::OpenOrigins,
                "pages of any origin may call this service",
                "name them in CORS_ALLOWED_ORIGINS",
            );
        }
        if !checklist.has_limit {
            checklist.note(
                FindingKind::NoRateLimit,
                "nothing limits how often somebody may try to sign in",
                "set RATE_LIMIT_MAX_REQUESTS (feature rate-limit), or limit it in a proxy",
            );
        }
        checklist
    }

    /// Looks at where the server listens: without TLS beyond this machine, a proxy with TLS has to
    /// stand in front, and to be trusted by name.
    pub fn listening_on(mut self, address: SocketAddr) -> Self {
        if !address.ip().to_canonical().is_loopback() && !self.has_proxies {
            self.note(
                FindingKind::NoTls,
                format!("{address} is reached over plain HTTP, and no proxy is trusted"),
                "put a proxy with TLS in front and name it in TRUSTED_PROXIES, or listen on 127.0.0.1",
            );
        }
        self
    }

    /// Looks at what the environment says of cookies.
    pub fn with_env(mut self, env: &Environment) -> Self {
        let weak = [
            ("SESSION_COOKIE_SECURE", "false", "travel over plain HTTP"),
            (
                "SESSION_COOKIE_HTTP_ONLY",
                "false",
                "can be read by scripts",
            ),
            (
                "SESSION_COOKIE_SAME_SITE",
                "none",
                "are sent by pages of other sites",
            ),
        ];
        for (name, value, what) in weak {
            if env
                .get(name)
                .is_some_and(|said| said.eq_ignore_ascii_case(value))
            {
                self.note(
                    FindingKind::InsecureCookies,
                    format!("{name}={value}: session cookies {what}"),
                    "leave it unset",
                );
            }
        }
        self
    }

    /// Adds what an application has found.
    pub fn with_finding(
        mut self,
        kind: FindingKind,
        what: impl Into<String>,
        fix: &'static str,
    ) -> Self {
        self.note(kind, what, fix);
        self
    }

    /// What was found.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    fn look_at_store<C: CustomClaims>(&mut self, auth: &JwtSession<C>) {
        if auth.store_name() == "memory" {
            self.note(
                FindingKind::MemoryStore,
                "sessions are kept in memory: gone at the next start, unknown to other nodes",
                "set SESSION_STORE",
            );
        }
        let terms = auth.terms();
        if terms.on_store_failure == OnStoreFailure::AcceptVerifiedUntilExpiry {
            self.note(
                FindingKind::OutageAccepted,
                "while the store is away, tokens are accepted that may have been revoked",
                "set STORE_OUTAGE_POLICY=closed, unless that is what you want",
            );
        }
        if terms.confirm == Confirm::Never {
            self.note(
                FindingKind::UnconfirmedSessions,
                "the store is never asked whether a session exists",
                "set REVOCATION_CONFIRM=first-sight",
            );
        }
    }

    fn look_at_lifetimes<C: CustomClaims>(&mut self, auth: &JwtSession<C>) {
        let lifetimes = auth.lifetimes();
        if lifetimes.access() > DAY {
            self.note(
                FindingKind::LongAccessTokens,
                format!(
                    "access tokens live for {}",
                    humantime::format_duration(lifetimes.access())
                ),
                "set JWT_ACCESS_TOKEN_EXPIRY to hours; a refresh costs nobody anything",
            );
        }
        if lifetimes.session() > 366 * DAY {
            self.note(
                FindingKind::LongSessions,
                "sessions live for longer than a year",
                "set JWT_SESSION_EXPIRY, so that everybody signs in again some day",
            );
        }
    }

    fn note(&mut self, kind: FindingKind, what: impl Into<String>, fix: &'static str) {
        self.findings.push(Finding {
            kind,
            what: what.into(),
            fix,
        });
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.what, self.fix)
    }
}

const DAY: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests;
