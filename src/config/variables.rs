//! Every variable by name, for documents, and for who prints them.

use super::env::Environment;

/// One variable of the environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Variable {
    /// Its name.
    pub name: &'static str,
    /// What holds where it is not set, for people; empty where that is nothing.
    pub default: &'static str,
    /// What it is for.
    pub meaning: &'static str,
}

impl Environment {
    /// Every variable that a [`JwtSession`](crate::JwtSession) is configured by.
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_jwt_session::Environment;
    ///
    /// let leeway = Environment::variables().iter().find(|variable| variable.name == "JWT_LEEWAY");
    /// assert_eq!(leeway.unwrap().default, "5s");
    /// ```
    #[must_use]
    pub const fn variables() -> &'static [Variable] {
        VARIABLES
    }
}

const fn variable(name: &'static str, default: &'static str, meaning: &'static str) -> Variable {
    Variable {
        name,
        default,
        meaning,
    }
}

const VARIABLES: &[Variable] = &[
    variable(
        "SESSION_STORE",
        "memory:",
        "where sessions are kept: memory:, sqlite:PATH, postgres://USER@HOST/DATABASE, redis://HOST, redis+sentinel://HOST,HOST/NAME or redis+cluster://HOST,HOST, rediss: with TLS (features sqlite, postgres, redis, tls)",
    ),
    variable(
        "DATABASE_URL",
        "",
        "stands in for SESSION_STORE where it begins with sqlite: or postgres:",
    ),
    variable(
        "SESSION_ENCRYPTION_KEY",
        "",
        "encrypts session data in the store; at least 32 bytes",
    ),
    variable("SESSION_ENCRYPTION_KEY_FILE", "", "a file that holds it"),
    variable(
        "SESSION_ENCRYPTION_KEY_PREVIOUS",
        "",
        "earlier ones, with commas between; they decrypt only",
    ),
    variable(
        "SESSION_ENCRYPTION_KEY_PREVIOUS_FILE",
        "",
        "a file that holds them, one a line",
    ),
    variable(
        "SESSION_COOKIES",
        "auto",
        "auto: a sign-in may ask for cookies; or off",
    ),
    variable(
        "SESSION_COOKIE_SECURE",
        "true",
        "false sends cookies without TLS; needs a LISTEN_ADDR on this machine",
    ),
    variable(
        "SESSION_COOKIE_HTTP_ONLY",
        "true",
        "false lets scripts read the tokens; needs a LISTEN_ADDR on this machine",
    ),
    variable(
        "SESSION_COOKIE_SAME_SITE",
        "strict",
        "when the refresh cookie goes across sites: strict or lax; none needs a LISTEN_ADDR on this machine",
    ),
    variable(
        "JWT_SECRET",
        "random for the run, with the memory store",
        "signs access tokens; at least 32 bytes, nothing that can be guessed",
    ),
    variable("JWT_SECRET_KEY", "", "another name of JWT_SECRET"),
    variable("JWT_SECRET_FILE", "", "a file that holds it"),
    variable(
        "JWT_SECRET_PREVIOUS",
        "",
        "earlier secrets, with commas between; they verify only",
    ),
    variable(
        "JWT_SECRET_PREVIOUS_FILE",
        "",
        "a file that holds them, one a line",
    ),
    variable(
        "JWT_REFRESH_SECRET",
        "derived from JWT_SECRET",
        "authenticates refresh tokens; the same on all nodes",
    ),
    variable("JWT_REFRESH_SECRET_FILE", "", "a file that holds it"),
    variable(
        "JWT_REFRESH_SECRET_PREVIOUS",
        "",
        "earlier ones, with commas between",
    ),
    variable(
        "JWT_REFRESH_SECRET_PREVIOUS_FILE",
        "",
        "a file that holds them, one a line",
    ),
    variable(
        "JWT_PRIVATE_KEY_FILE",
        "",
        "signs with a key from a PEM file",
    ),
    variable(
        "JWT_ALGORITHM",
        "HS256",
        "what that key, or the secret, is for",
    ),
    variable(
        "JWT_JWKS_FILE",
        "",
        "a JWK Set of further keys to trust; they verify only",
    ),
    variable(
        "JWT_ISSUER",
        "tower-jwt-session",
        "who issues tokens; checked on each",
    ),
    variable(
        "JWT_AUDIENCE",
        "JWT_ISSUER",
        "whom they are for; checked on each",
    ),
    variable("JWT_LEEWAY", "5s", "how far clocks may differ"),
    variable(
        "JWT_BAD_TOKEN_SHARE",
        "10%",
        "how much of each core may go into tokens that turn out to be bad, before new ones get 503; off is no limit",
    ),
    variable(
        "JWT_ACCESS_TOKEN_EXPIRY",
        "2h",
        "how long an access token lives",
    ),
    variable(
        "JWT_REFRESH_TOKEN_EXPIRY",
        "30d",
        "how long a refresh token lives, from each refresh",
    ),
    variable(
        "JWT_SESSION_EXPIRY",
        "90d",
        "how long a session lives in all",
    ),
    variable(
        "JWT_SESSION_IDLE_EXPIRY",
        "",
        "ends a session that was not used for so long",
    ),
    variable(
        "JWT_MAX_CONCURRENT_SESSIONS",
        "10",
        "sessions of one user at once; 0 is unlimited",
    ),
    variable(
        "JWT_SESSION_LIMIT_POLICY",
        "evict",
        "evict the least recently used one, or reject the new one",
    ),
    variable(
        "JWT_AUTO_REFRESH_THRESHOLD",
        "15m",
        "how long before its end a token should be refreshed; at most half its lifetime",
    ),
    variable(
        "JWT_ROTATION_GRACE",
        "30s",
        "how long a refresh may be repeated; at most a quarter of the access lifetime, 0s is strict",
    ),
    variable(
        "JWT_ROTATION_ENDS_PREDECESSOR",
        "false",
        "true ends the former access token with each refresh, instead of letting it expire",
    ),
    variable(
        "REQUEST_BODY_TIMEOUT",
        "10s",
        "how long the endpoints wait for the whole body of a request",
    ),
    variable(
        "RATE_LIMIT_WINDOW_MS",
        "900000",
        "the window of the limit below, in milliseconds (feature rate-limit)",
    ),
    variable(
        "RATE_LIMIT_MAX_REQUESTS",
        "100",
        "attempts to sign in, register and refresh in a window; 0 is no limit",
    ),
    variable(
        "REVOCATION_CONFIRM",
        "first-sight",
        "when the store is asked: never, first-sight or always",
    ),
    variable(
        "REVOCATION_MAX_STALENESS",
        "30s",
        "how old a node's view may be before it asks for each request",
    ),
    variable(
        "STORE_TIMEOUT",
        "250ms",
        "how long a question to the store may take",
    ),
    variable(
        "STORE_OUTAGE_POLICY",
        "closed",
        "without the store: closed, or accept-verified-until-expiry",
    ),
    variable(
        "TRUSTED_PROXIES",
        "",
        "whose forwarding headers are believed: networks, loopback, unix; with commas between",
    ),
    variable(
        "SESSION_ADDRESSES",
        "full",
        "how much of a client's address is kept: full or shortened",
    ),
    variable(
        "SESSION_AUDIT",
        "on",
        "what goes into the audit log: on, all with an entry for each refresh, or off",
    ),
    variable(
        "SESSION_AUDIT_RETENTION",
        "90d",
        "how long an entry of the audit log is kept",
    ),
    variable(
        "SESSION_AUDIT_MAX_ENTRIES",
        "1000000, in Redis 100000",
        "how many are kept at most",
    ),
    variable(
        "SESSION_RISK",
        "off",
        "flag: sessions with something unusual about them are flagged",
    ),
    variable(
        "SESSION_DEVICE_COOKIE",
        "auto",
        "whether sign-ins leave a cookie to recognise the device by: auto (those by cookie, where risk is watched), always or off",
    ),
    variable(
        "GEOIP_DATABASE_FILE",
        "",
        "place of a session, from a MaxMind DB file (feature geoip)",
    ),
    variable(
        "CORS_ALLOWED_ORIGINS",
        "",
        "origins whose pages may call, with commas between; * is any, without cookies",
    ),
    variable(
        "INTROSPECTION_CLIENT_ID",
        "",
        "who may introspect tokens, beside administrators",
    ),
    variable(
        "INTROSPECTION_CLIENT_SECRET",
        "",
        "and its secret; at least 32 bytes",
    ),
];
