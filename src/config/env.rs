//! The configuration from environment variables.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use super::builder::JwtSessionBuilder;
use super::client::IntrospectionClient;
use super::store::store_at;
use crate::error::ConfigError;
use crate::revocation::{Confirm, OnStoreFailure};
use crate::session::{LimitPolicy, Rotation, SessionLimit};
use crate::verify::{Algorithm, BadTokenShare, CustomClaims, Key, KeyState};

/// The variables that configure a [`JwtSession`](crate::JwtSession).
///
/// | variable | default | meaning |
/// |---|---|---|
/// | `JWT_SECRET`, `JWT_SECRET_KEY` or `JWT_SECRET_FILE` | random for the run, with the memory store | signs access tokens; at least 32 bytes |
/// | `JWT_SECRET_PREVIOUS` | | comma list; verify only |
/// | `JWT_REFRESH_SECRET`, `JWT_REFRESH_SECRET_PREVIOUS` | derived from `JWT_SECRET` | authenticates refresh tokens |
/// | `SESSION_ENCRYPTION_KEY`, `SESSION_ENCRYPTION_KEY_PREVIOUS` | | encrypts session data in the store |
/// | each of these five with `_FILE` behind it | | a file that holds it; of earlier ones one a line |
/// | `JWT_PRIVATE_KEY_FILE`, `JWT_ALGORITHM` | , `HS256` | signs with a key from a PEM file |
/// | `JWT_JWKS_FILE` | | a JWK Set of further keys to trust; verify only |
/// | `JWT_ISSUER`, `JWT_AUDIENCE`, `JWT_LEEWAY` | `tower-jwt-session`, same, `5s` | checked on every token |
/// | `JWT_BAD_TOKEN_SHARE` | `10%` | of each core, for checking tokens that turn out to be bad; `off` is no limit |
/// | `JWT_ACCESS_TOKEN_EXPIRY` | `2h` | |
/// | `JWT_REFRESH_TOKEN_EXPIRY` | `30d` | from each refresh |
/// | `JWT_SESSION_EXPIRY` | `90d` | in all |
/// | `JWT_SESSION_IDLE_EXPIRY` | none | ends a session that was not used for so long |
/// | `JWT_MAX_CONCURRENT_SESSIONS` | `10` | 0 is unlimited |
/// | `JWT_SESSION_LIMIT_POLICY` | `evict` | or `reject` |
/// | `JWT_AUTO_REFRESH_THRESHOLD` | `15m` | at most half the access lifetime |
/// | `JWT_ROTATION_GRACE` | `30s` | at most a quarter of the access lifetime; `0s` is strict |
/// | `JWT_ROTATION_ENDS_PREDECESSOR` | `false` | `true` ends the former access token with each refresh |
/// | `REQUEST_BODY_TIMEOUT` | `10s` | how long the endpoints wait for a body |
/// | `REVOCATION_CONFIRM` | `first-sight` | or `never`, `always` |
/// | `REVOCATION_MAX_STALENESS` | `30s` | |
/// | `STORE_TIMEOUT` | `250ms` | |
/// | `STORE_OUTAGE_POLICY` | `closed` | or `accept-verified-until-expiry` |
/// | `SESSION_STORE` | `memory:` | or `sqlite:PATH`, with the feature `sqlite`; `postgres://…`, with the feature `postgres`; `redis://…`, `redis+sentinel://…`, `redis+cluster://…`, with the feature `redis`; `rediss://…`, with `tls` too |
/// | `DATABASE_URL` | | stands in for `SESSION_STORE` where it begins with `sqlite:`, `postgres:` or `postgresql:` |
/// | `SESSION_COOKIES` | `auto` | a sign-in may ask for cookies; or `off` |
/// | `SESSION_COOKIE_SECURE`, `SESSION_COOKIE_HTTP_ONLY`, `SESSION_COOKIE_SAME_SITE` | `true`, `true`, `strict` | insecure ones need a `LISTEN_ADDR` on this machine |
/// | `TRUSTED_PROXIES` | | whose forwarding headers are believed: networks, `loopback`, `unix` |
/// | `SESSION_ADDRESSES` | `full` | or `shortened`: the networks alone are kept with sessions |
/// | `SESSION_AUDIT`, `SESSION_AUDIT_RETENTION`, `SESSION_AUDIT_MAX_ENTRIES` | `on`, `90d`, `1000000` | the audit log: `on`, `all` with each refresh, or `off`; how long and how many entries are kept |
/// | `SESSION_RISK` | `off` | or `flag`: sessions with something unusual about them are flagged |
/// | `SESSION_DEVICE_COOKIE` | `auto` | a sign-in by cookie leaves one by which the device is recognised; or `always`, `off` |
/// | `GEOIP_DATABASE_FILE` | | the place of a session, with the feature `geoip` |
/// | `RATE_LIMIT_WINDOW_MS`, `RATE_LIMIT_MAX_REQUESTS` | `900000`, `100` | attempts to sign in, register and refresh, with the feature `rate-limit`; 0 is no limit |
/// | `CORS_ALLOWED_ORIGINS` | | comma list of origins whose pages may call and use the cookies, or `*`: any, without cookies |
/// | `INTROSPECTION_CLIENT_ID`, `INTROSPECTION_CLIENT_SECRET` | | who may introspect tokens, beside administrators; both or neither |
///
/// # Examples
///
/// ```
/// use tower_jwt_session::{Environment, JwtSession};
///
/// let env = Environment::from_pairs([
///     ("JWT_SECRET", "an example; 32 random bytes in earnest"),
///     ("JWT_LEEWAY", "5"),
///     ("JWT_MAX_CONCURRENT_SESSIONS", "many"),
/// ]);
/// let error = JwtSession::builder().with_env(&env).build().unwrap_err();
/// assert_eq!(error.len(), 2);
/// ```
#[derive(Clone, Default)]
pub struct Environment {
    variables: HashMap<String, String>,
    unreadable: Vec<String>,
}

impl Environment {
    /// The environment of this process, as it is now.
    #[must_use]
    pub fn of_process() -> Self {
        let mut env = Self::default();
        for (name, value) in std::env::vars_os() {
            let Ok(name) = name.into_string() else {
                continue;
            };
            match value.into_string() {
                Ok(value) => drop(env.variables.insert(name, value)),
                Err(_) => env.unreadable.push(name),
            }
        }
        env
    }

    /// An environment of its own, as for a test.
    #[must_use]
    pub fn from_pairs<N: Into<String>, V: Into<String>>(
        pairs: impl IntoIterator<Item = (N, V)>,
    ) -> Self {
        let variables = pairs
            .into_iter()
            .map(|(name, value)| (name.into(), value.into()));
        Self {
            variables: variables.collect(),
            unreadable: Vec::new(),
        }
    }

    /// The same with a value for a variable that is not set.
    #[must_use]
    pub fn with_default(mut self, name: &str, value: impl Into<String>) -> Self {
        if self.get(name).is_none() {
            self.variables.insert(name.to_owned(), value.into());
        }
        self
    }

    /// The value of a variable; an empty one counts as unset.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let value = self.variables.get(name)?.trim();
        (!value.is_empty()).then_some(value)
    }

    pub(super) fn apply<C: CustomClaims>(&self, builder: &mut JwtSessionBuilder<C>) {
        let ours = |name: &&String| OURS.iter().any(|prefix| name.starts_with(prefix));
        for name in self.unreadable.iter().filter(ours) {
            builder.problems.add(
                format!("{name} is not UTF-8 text"),
                "write it as text, or unset it",
            );
        }
        self.apply_store(builder);
        self.apply_keys(builder);
        self.apply_policy(builder);
        self.apply_lifetimes(builder);
        self.apply_revocation(builder);
        builder.apply_cookies(self);
        self.apply_edge(builder);
        self.apply_audit(builder);
        if let Some(client) = IntrospectionClient::read(self, &mut builder.problems) {
            builder.introspection_client = Some(client);
        }
    }

    fn apply_store<C: CustomClaims>(&self, builder: &mut JwtSessionBuilder<C>) {
        let (name, address) = match (self.get("SESSION_STORE"), self.get("DATABASE_URL")) {
            (Some(address), _) => ("SESSION_STORE", address),
            (None, Some(url)) if matches!(scheme(url), "postgres" | "postgresql" | "sqlite") => {
                ("DATABASE_URL", url)
            }
            (None, _) => return,
        };
        if address == "memory:" {
            builder.store = None;
            return;
        }
        match store_at(address, &builder.clock) {
            Ok(store) => builder.store = Some(store),
            Err((what, fix)) => builder
                .problems
                .add(format!("{name} {:?} {what}", scheme(address)), fix),
        }
    }

    pub(super) fn apply_keys<C: CustomClaims>(&self, builder: &mut JwtSessionBuilder<C>) {
        let algorithm = self.parsed("JWT_ALGORITHM", &mut builder.problems, |text| {
            Algorithm::from_str(text).map_err(|_| {
                "use HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA"
            })
        });
        let secret = self.secret(&mut builder.problems);
        let private = self.file("JWT_PRIVATE_KEY_FILE", &mut builder.problems);
        if let Some(pem) = &private {
            self.apply_private_key(builder, algorithm, pem);
        }
        let symmetric = match algorithm {
            Some(algorithm) if algorithm.is_symmetric() => algorithm,
            _ => Algorithm::Hs256,
        };
        match (&secret, &private) {
            (Some(secret), None) => {
                builder.add_named_hmac("JWT_SECRET", symmetric, secret, KeyState::Sign);
            }
            (Some(secret), Some(_)) => {
                builder.add_named_hmac("JWT_SECRET", symmetric, secret, KeyState::VerifyOnly);
            }
            (None, None) if self.get("JWT_JWKS_FILE").is_none() => {
                builder.secret_for_the_run = Some(symmetric);
            }
            (None, _) => {}
        }
        for previous in self.secrets(JWT_SECRET_PREVIOUS, &mut builder.problems) {
            let name = JWT_SECRET_PREVIOUS[0];
            builder.add_named_hmac(name, symmetric, &previous, KeyState::VerifyOnly);
        }
        self.apply_other_secrets(builder);
        if let Some(set) = self.file("JWT_JWKS_FILE", &mut builder.problems) {
            match Key::from_jwk_set(&set) {
                Ok(mut keys) => {
                    // The public half of the key that signs may stand among them.
                    let known = |key: &Key| builder.keys.iter().any(|(own, _)| own.admits_as(key));
                    keys.retain(|key| !known(key));
                    let keys = keys.into_iter().map(|key| (key, KeyState::VerifyOnly));
                    builder.keys.extend(keys);
                }
                Err(error) => builder
                    .problems
                    .add(format!("JWT_JWKS_FILE: {}", error.what()), error.fix()),
            }
        }
    }

    /// Those of refresh tokens and of data.
    fn apply_other_secrets<C: CustomClaims>(&self, builder: &mut JwtSessionBuilder<C>) {
        let problems = &mut builder.problems;
        let secret = self.secret_in(JWT_REFRESH_SECRET, problems);
        let secret = secret.as_deref().map(zeroizing);
        builder.refresh_secrets.splice(0..0, secret);
        let previous = self.secrets(JWT_REFRESH_SECRET_PREVIOUS, problems);
        let previous = previous.iter().map(|secret| zeroizing(secret));
        builder.refresh_secrets.extend(previous);
        if let Some(secret) = self.secret_in(SESSION_ENCRYPTION_KEY, problems) {
            builder.seal_secret = Some(zeroizing(&secret));
        }
        let previous = self.secrets(SESSION_ENCRYPTION_KEY_PREVIOUS, problems);
        let previous = previous.iter().map(|secret| zeroizing(secret));
        builder.previous_seal_secrets.extend(previous);
    }

    fn apply_private_key<C: CustomClaims>(
        &self,
        builder: &mut JwtSessionBuilder<C>,
        algorithm: Option<Algorithm>,
        pem: &str,
    ) {
        let algorithm = match algorithm {
            Some(algorithm) if !algorithm.is_symmetric() => algorithm,
            _ => {
                builder.problems.add(
                    "JWT_PRIVATE_KEY_FILE is set without the algorithm of its key",
                    "set JWT_ALGORITHM to RS256, ES256 or EdDSA, whichever the key is for",
                );
                return;
            }
        };
        match Key::from_private_pem(None, algorithm, pem.as_bytes()) {
            Ok(key) => builder.keys.push((key, KeyState::Sign)),
            Err(error) => builder.problems.add(
                format!("JWT_PRIVATE_KEY_FILE: {}", error.what()),
                error.fix(),
            ),
        }
    }

    fn apply_policy<C: CustomClaims>(&self, builder: &mut JwtSessionBuilder<C>) {
        let mut policy = builder.policy.clone();
        let issuer = self.get("JWT_ISSUER");
        if let Some(issuer) = issuer {
            policy = policy.with_issuer(issuer);
        }
        if let Some(audience) = self.get("JWT_AUDIENCE").or(issuer) {
            policy = policy.with_audience(audience);
        }
        if let Some(leeway) = self.duration("JWT_LEEWAY", &mut builder.problems) {
            policy = policy.with_leeway(leeway);
        }
        let share = self.parsed("JWT_BAD_TOKEN_SHARE", &mut builder.problems, |text| {
            let percent = text.strip_suffix('%').and_then(|text| text.parse().ok());
            match (text, percent) {
                ("off", _) => Ok(BadTokenShare::UNLIMITED),
                (_, Some(percent @ 1..=99)) => Ok(BadTokenShare::percent(percent)),
                _ => Err("write 1% to 99%, or off"),
            }
        });
        if let Some(share) = share {
            policy = policy.with_bad_token_share(share);
        }
        builder.policy = policy;
    }

    fn apply_lifetimes<C: CustomClaims>(&self, builder: &mut JwtSessionBuilder<C>) {
        let problems = &mut builder.problems;
        let mut lifetimes = builder.lifetimes;
        if let Some(access) = self.duration("JWT_ACCESS_TOKEN_EXPIRY", problems) {
            lifetimes = lifetimes.with_access(access);
        }
        if let Some(refresh) = self.duration("JWT_REFRESH_TOKEN_EXPIRY", problems) {
            lifetimes = lifetimes.with_refresh(refresh);
        }
        if let Some(session) = self.duration("JWT_SESSION_EXPIRY", problems) {
            lifetimes = lifetimes.with_session(session);
        }
        if let Some(idle) = self.duration("JWT_SESSION_IDLE_EXPIRY", problems) {
            lifetimes = lifetimes.with_idle(idle);
        }
        builder.lifetimes = lifetimes;

        let grace = self.duration("JWT_ROTATION_GRACE", problems);
        let suggestion = self.duration("JWT_AUTO_REFRESH_THRESHOLD", problems);
        let ends = self.flag("JWT_ROTATION_ENDS_PREDECESSOR", problems);
        if grace.is_some() || suggestion.is_some() || ends.is_some() {
            let fitted = Rotation::default().fitted(&lifetimes);
            let mut rotation = builder.rotation.unwrap_or(fitted);
            rotation = ends.map_or(rotation, |ends| rotation.with_predecessors_revoked(ends));
            rotation = grace.map_or(rotation, |grace| rotation.with_grace(grace));
            rotation = suggestion.map_or(rotation, |before| rotation.with_suggestion(before));
            builder.rotation = Some(rotation);
        }

        let max = self.parsed("JWT_MAX_CONCURRENT_SESSIONS", problems, |text| {
            text.parse::<u32>()
                .map_err(|_| "write a whole number; 0 is unlimited")
        });
        let policy = self.parsed("JWT_SESSION_LIMIT_POLICY", problems, |text| match text {
            "evict" => Ok(LimitPolicy::EvictLeastRecentlyUsed),
            "reject" => Ok(LimitPolicy::Reject),
            _ => Err("write evict or reject"),
        });
        let max = max.unwrap_or(builder.limit.max().unwrap_or(0));
        builder.limit = match policy.unwrap_or(builder.limit.policy()) {
            LimitPolicy::EvictLeastRecentlyUsed => SessionLimit::evicting(max),
            LimitPolicy::Reject => SessionLimit::rejecting(max),
        };
    }

    fn apply_revocation<C: CustomClaims>(&self, builder: &mut JwtSessionBuilder<C>) {
        let problems = &mut builder.problems;
        let confirm = self.parsed("REVOCATION_CONFIRM", problems, |text| match text {
            "never" => Ok(Confirm::Never),
            "first-sight" => Ok(Confirm::FirstSight),
            "always" => Ok(Confirm::Always),
            _ => Err("write never, first-sight or always"),
        });
        builder.terms.confirm = confirm.unwrap_or(builder.terms.confirm);
        let outage = self.parsed("STORE_OUTAGE_POLICY", problems, |text| match text {
            "closed" => Ok(OnStoreFailure::Reject),
            "accept-verified-until-expiry" => Ok(OnStoreFailure::AcceptVerifiedUntilExpiry),
            _ => Err("write closed or accept-verified-until-expiry"),
        });
        builder.terms.on_store_failure = outage.unwrap_or(builder.terms.on_store_failure);
        if let Some(bound) = self.duration("REVOCATION_MAX_STALENESS", problems) {
            builder.revocation.max_staleness = bound;
        }
        if let Some(timeout) = self.duration("STORE_TIMEOUT", problems) {
            builder.revocation.store_timeout = timeout;
        }
    }

    fn secret(&self, problems: &mut ConfigError) -> Option<String> {
        let name = match self.get("JWT_SECRET") {
            None if self.get("JWT_SECRET_KEY").is_some() => "JWT_SECRET_KEY",
            _ => "JWT_SECRET",
        };
        self.secret_in([name, "JWT_SECRET_FILE"], problems)
    }
}

impl fmt::Debug for Environment {
    /// Names alone: values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<_> = self.variables.keys().collect();
        names.sort();
        f.debug_tuple("Environment").field(&names).finish()
    }
}

/// What the names of our variables begin with.
const OURS: [&str; 9] = [
    "CORS_",
    "GEOIP_",
    "JWT_",
    "RATE_LIMIT_",
    "REQUEST_",
    "REVOCATION_",
    "SESSION_",
    "STORE_",
    "TRUSTED_",
];

/// A variable, and the one that names a file in its place.
const JWT_SECRET_PREVIOUS: [&str; 2] = ["JWT_SECRET_PREVIOUS", "JWT_SECRET_PREVIOUS_FILE"];
const JWT_REFRESH_SECRET: [&str; 2] = ["JWT_REFRESH_SECRET", "JWT_REFRESH_SECRET_FILE"];
const JWT_REFRESH_SECRET_PREVIOUS: [&str; 2] = [
    "JWT_REFRESH_SECRET_PREVIOUS",
    "JWT_REFRESH_SECRET_PREVIOUS_FILE",
];
const SESSION_ENCRYPTION_KEY: [&str; 2] = ["SESSION_ENCRYPTION_KEY", "SESSION_ENCRYPTION_KEY_FILE"];
const SESSION_ENCRYPTION_KEY_PREVIOUS: [&str; 2] = [
    "SESSION_ENCRYPTION_KEY_PREVIOUS",
    "SESSION_ENCRYPTION_KEY_PREVIOUS_FILE",
];

fn zeroizing(secret: &str) -> zeroize::Zeroizing<Vec<u8>> {
    zeroize::Zeroizing::new(secret.as_bytes().to_vec())
}

/// What stands before the colon: the rest of an address may hold a password.
fn scheme(address: &str) -> &str {
    address.split(':').next().unwrap_or_default()
}
