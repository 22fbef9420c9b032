//! What a token must say to be accepted.

use std::time::Duration;

use super::budget::BadTokenShare;
use super::claims::Known;
use crate::clock::UnixTime;
use crate::error::ConfigError;

/// What a token must say to be accepted, and how ours are written.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use tower_jwt_session::verify::{ClaimNames, RolesClaim, TokenPolicy};
///
/// let names = ClaimNames::default()
///     .with_session("session_id")
///     .with_roles(RolesClaim::Single("role".to_owned()));
/// let policy = TokenPolicy::new("https://id.example", "https://api.example")
///     .with_leeway(Duration::from_secs(2))
///     .with_names(names);
/// # let _ = policy;
/// ```
#[derive(Clone, Debug)]
pub struct TokenPolicy {
    pub(crate) issuer: String,
    pub(crate) audience: String,
    pub(crate) client_id: Option<String>,
    pub(crate) more_issuers: Vec<String>,
    pub(crate) more_audiences: Vec<String>,
    pub(crate) more_types: Vec<String>,
    pub(crate) required: Vec<String>,
    pub(crate) leeway: Duration,
    pub(crate) max_lifetime: Option<Duration>,
    pub(crate) max_size: usize,
    pub(crate) cache_bytes: u64,
    pub(crate) bad_token_share: BadTokenShare,
    pub(crate) names: ClaimNames,
    pub(crate) migration: Option<Migration>,
    pub(crate) untracked: Untracked,
}

/// Whether [untracked tokens](crate::Sessions::issue_untracked) are good for anything: our own that no
/// session stands behind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Untracked {
    /// They are, until they expire or are revoked.
    Accept,
    /// They are refused as invalid. The default: whoever sees a token of ours can count on a
    /// session that is listed, counted and ended.
    #[default]
    Refuse,
}

/// The names of the claims that differ between applications.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimNames {
    pub(crate) session: String,
    pub(crate) roles: RolesClaim,
}

/// How roles are written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RolesClaim {
    /// A list of strings under this name; a single string is read as a list of one.
    List(String),
    /// A single string under this name; the first role is written.
    Single(String),
    /// Among the words of `scope`: each scope is a role, too.
    Scope,
}

/// Accepts an application's older tokens, which have no session and no id, until a date.
///
/// They are signed by a key of the ring, and issuer, audience and times are checked as ever. What
/// they may lack is the session id, `jti`, the counters, a `kid` and the type `at+jwt`. A token
/// without `kid` is tried with each of our own keys in turn, and each holds it to its own
/// algorithm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Migration {
    pub(crate) until: UnixTime,
}

impl TokenPolicy {
    /// A policy for the tokens of `issuer` (`iss`) that are meant for `audience` (`aud`).
    #[must_use]
    pub fn new(issuer: impl Into<String>, audience: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            audience: audience.into(),
            client_id: None,
            more_issuers: Vec::new(),
            more_audiences: Vec::new(),
            more_types: Vec::new(),
            required: Vec::new(),
            leeway: Duration::from_secs(5),
            max_lifetime: None,
            max_size: 8 * 1024,
            cache_bytes: 64 * 1024 * 1024,
            bad_token_share: BadTokenShare::default(),
            names: ClaimNames::default(),
            migration: None,
            untracked: Untracked::default(),
        }
    }

    /// How far the clock of whoever made a token may be off.
    ///
    /// Defaults to 5 s: machines that keep time agree far better, and each second is one that a
    /// token outlives its end.
    #[must_use]
    pub fn with_leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// The longest time from `iat` (from now, where a token has none) to `exp`.
    ///
    /// Defaults to that of our own tokens, and to 24 h where there are tokens of other issuers or
    /// a migration: what lives longer is no access token, and a revocation would have to be
    /// remembered for as long. Tokens from before a lifetime was shortened need it raised.
    #[must_use]
    pub fn with_max_lifetime(mut self, max_lifetime: Duration) -> Self {
        self.max_lifetime = Some(max_lifetime);
        self
    }

    /// The longest token in bytes; longer ones are refused before anything is decoded.
    ///
    /// Defaults to 8 KiB, what common servers allow for a header.
    #[must_use]
    pub fn with_max_size(mut self, bytes: usize) -> Self {
        self.max_size = bytes;
        self
    }

    /// How much memory verified tokens may take, in bytes; 0 verifies each token each time.
    ///
    /// Defaults to 64 MiB, some 40,000 tokens.
    #[must_use]
    pub fn with_cache_size(mut self, bytes: u64) -> Self {
        self.cache_bytes = bytes;
        self
    }

    /// How much of each core may go into tokens that turn out to be bad, before new ones have to
    /// wait. Defaults to a tenth; see [`BadTokenShare`].
    #[must_use]
    pub fn with_bad_token_share(mut self, share: BadTokenShare) -> Self {
        self.bad_token_share = share;
        self
    }

    /// The names of the claims for the session and the roles. Defaults to `sid` and `roles`.
    #[must_use]
    pub fn with_names(mut self, names: ClaimNames) -> Self {
        self.names = names;
        self
    }

    /// Accepts an application's older tokens for a while. Defaults to not doing so.
    #[must_use]
    pub fn with_migration(mut self, migration: Migration) -> Self {
        self.migration = Some(migration);
        self
    }

    /// Whether tokens are made and read that no session stands behind. Defaults to
    /// [`Untracked::Refuse`]. A layer takes them where
    /// [it is told so, too](crate::JwtSessionLayer::with_untracked).
    ///
    /// # Security
    ///
    /// Nobody sees such a token in a list, and no store is asked about it at first sight. Every
    /// node that is to read them needs the setting, so set it everywhere before any is made.
    #[must_use]
    pub fn with_untracked(mut self, untracked: Untracked) -> Self {
        self.untracked = untracked;
        self
    }

    /// The `client_id` of the tokens that we make (RFC 9068, section 2.2).
    ///
    /// Defaults to the audience: a first-party application is its own client.
    #[must_use]
    pub fn with_client_id(mut self, client_id: impl Into<String>) -> Self {
        self.client_id = Some(client_id.into());
        self
    }

    /// Accepts a further issuer from keys that are not ours and not bound to an issuer.
    #[must_use]
    pub fn add_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.more_issuers.push(issuer.into());
        self
    }

    /// Accepts tokens for a further audience.
    #[must_use]
    pub fn add_audience(mut self, audience: impl Into<String>) -> Self {
        self.more_audiences.push(audience.into());
        self
    }

    /// Accepts a further `typ`, compared without regard to case.
    ///
    /// Ours must be `at+jwt` (RFC 9068, section 2.1) without it, so that no other kind of token
    /// is taken for an access token; those of other issuers, and older ones while a
    /// [`Migration`] lasts, may also be `JWT` or say nothing.
    #[must_use]
    pub fn add_type(mut self, typ: impl Into<String>) -> Self {
        self.more_types.push(typ.into());
        self
    }

    /// Refuses tokens without a claim of this name. At most 64 names.
    #[must_use]
    pub fn add_required_claim(mut self, name: impl Into<String>) -> Self {
        self.required.push(name.into());
        self
    }

    /// Names another issuer.
    #[must_use]
    pub fn with_issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuer = issuer.into();
        self
    }

    /// Names another audience.
    #[must_use]
    pub fn with_audience(mut self, audience: impl Into<String>) -> Self {
        self.audience = audience.into();
        self
    }

    pub(crate) fn max_lifetime(&self) -> Duration {
        self.max_lifetime.unwrap_or(DAY)
    }

    /// Notes what is wrong with the policy.
    pub(crate) fn check(&self, problems: &mut ConfigError) {
        for (what, text) in [("issuer", &self.issuer), ("audience", &self.audience)] {
            if text.is_empty() {
                problems.add(
                    format!("the {what} is empty"),
                    "name the service, say by its URL",
                );
            }
        }
        if self.max_size < 512 {
            problems.add(
                format!("a token may have {} bytes at most", self.max_size),
                "allow at least 512, better 8192",
            );
        }
        if self.leeway > MAX_LEEWAY {
            problems.add(
                "the leeway is above 5m",
                "mend the clocks, and allow a few seconds",
            );
        }
        if self.max_lifetime().is_zero() {
            problems.add(
                "the maximum lifetime of a token is zero",
                "allow some hours",
            );
        }
        if self.required.len() > MAX_REQUIRED {
            problems.add("more than 64 claims are required", "require fewer");
        }
        self.names.check(problems);
    }

    /// Whether older tokens are accepted at `now`.
    pub(crate) fn is_migrating(&self, now: UnixTime) -> bool {
        self.migration
            .is_some_and(|migration| now < migration.until)
    }
}

impl ClaimNames {
    /// Names the claim that holds the session id. Defaults to `sid`, the registered name.
    #[must_use]
    pub fn with_session(mut self, name: impl Into<String>) -> Self {
        self.session = name.into();
        self
    }

    /// Says how roles are written. Defaults to a list under `roles` (RFC 9068, section 2.2.3.1).
    #[must_use]
    pub fn with_roles(mut self, roles: RolesClaim) -> Self {
        self.roles = roles;
        self
    }

    fn check(&self, problems: &mut ConfigError) {
        let roles = match &self.roles {
            RolesClaim::List(name) | RolesClaim::Single(name) => Some(name),
            RolesClaim::Scope => None,
        };
        for name in [Some(&self.session), roles].into_iter().flatten() {
            if name.is_empty() || Known::is_registered(name) {
                problems.add(
                    format!("the claim name {name:?} is empty or has a meaning already"),
                    "choose another, such as sid, session_id, roles or role",
                );
            }
        }
        if roles == Some(&self.session) {
            problems.add("session and roles share a claim name", "choose two names");
        }
    }
}

impl Default for ClaimNames {
    fn default() -> Self {
        Self {
            session: "sid".to_owned(),
            roles: RolesClaim::List("roles".to_owned()),
        }
    }
}

impl Migration {
    /// Accepts older tokens before this instant.
    #[must_use]
    pub const fn until(until: UnixTime) -> Self {
        Self { until }
    }
}

/// More is no difference between clocks but a fault of one.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const MAX_LEEWAY: Duration = Duration::from_secs(5 * 60);
pub(super) const MAX_REQUIRED: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_have_no_problem() {
        let mut problems = ConfigError::default();
        TokenPolicy::new("a", "b").check(&mut problems);
        assert!(problems.is_empty());
    }

    #[test]
    fn each_problem_is_reported() {
        let mut problems = ConfigError::default();
        TokenPolicy::new("", "")
            .with_max_size(10)
            .with_leeway(Duration::from_secs(3600))
            .with_max_lifetime(Duration::ZERO)
            .with_names(
                ClaimNames::default()
                    .with_session("sub")
                    .with_roles(RolesClaim::List("sub".to_owned())),
            )
            .check(&mut problems);
        assert_eq!(problems.len(), 8);
    }

    #[test]
    fn what_is_just_allowed_is_no_problem_and_one_more_is() {
        let problems = |policy: TokenPolicy| {
            let mut problems = ConfigError::default();
            policy.check(&mut problems);
            problems.len()
        };
        let policy = || TokenPolicy::new("a", "b");
        let requiring = |many| {
            (0..many).fold(policy(), |policy, name: usize| {
                policy.add_required_claim(name.to_string())
            })
        };
        let second = Duration::from_secs(1);
        for (allowed, too_much) in [
            (policy().with_max_size(512), policy().with_max_size(511)),
            (
                policy().with_leeway(MAX_LEEWAY),
                policy().with_leeway(MAX_LEEWAY + second),
            ),
            (requiring(MAX_REQUIRED), requiring(MAX_REQUIRED + 1)),
        ] {
            assert_eq!((problems(allowed), problems(too_much)), (0, 1));
        }
    }

    #[test]
    fn a_migration_ends_at_its_instant() {
        let policy =
            TokenPolicy::new("a", "b").with_migration(Migration::until(UnixTime::from_secs(10)));
        assert!(policy.is_migrating(UnixTime::from_secs(9)));
        assert!(!policy.is_migrating(UnixTime::from_secs(10)));
    }
}
