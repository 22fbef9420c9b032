//! What stands between the network and the endpoints: addresses, places, limits, origins.

use std::sync::Arc;
use std::time::Duration;

use super::builder::JwtSessionBuilder;
use super::env::Environment;
use super::locator;
use super::origins::AllowedOrigins;
use crate::clock::Clock;
use crate::device::TrustedProxies;
use crate::error::ConfigError;
use crate::session::risk::{NewDevice, NewDeviceNotices, RiskWatch};
use crate::session::{AddressDetail, Locator, Placing};
use crate::throttle::{RateLimit, RateLimiter};
use crate::verify::CustomClaims;

/// What was said of it.
#[derive(Clone, Debug)]
pub(crate) struct EdgeSettings {
    pub(super) proxies: TrustedProxies,
    pub(super) origins: AllowedOrigins,
    pub(super) placing: Placing,
    pub(super) watch: Option<RiskWatch>,
    pub(super) notices: Option<NewDeviceNotices>,
    pub(super) rate_limit: RateLimit,
    pub(super) body_timeout: Duration,
}

/// What comes of it.
#[derive(Clone, Debug)]
pub(crate) struct Edge {
    pub(crate) proxies: TrustedProxies,
    pub(crate) origins: AllowedOrigins,
    pub(crate) limiter: RateLimiter,
    /// How long a body may take that the endpoints read.
    pub(crate) body_timeout: Duration,
}

impl Default for EdgeSettings {
    fn default() -> Self {
        Self {
            proxies: TrustedProxies::default(),
            origins: AllowedOrigins::default(),
            placing: Placing::default(),
            watch: None,
            notices: None,
            rate_limit: RateLimit::off(),
            body_timeout: BODY_TIMEOUT,
        }
    }
}

impl EdgeSettings {
    pub(super) fn check(&self, problems: &mut ConfigError) {
        if self.body_timeout.is_zero() {
            problems.add(
                "REQUEST_BODY_TIMEOUT is nothing, so that no body could be read",
                "write how long a slow client may take, as 10s",
            );
        }
    }

    pub(super) fn build(self, clock: &Arc<dyn Clock>) -> Edge {
        Edge {
            limiter: RateLimiter::new(self.rate_limit, clock),
            proxies: self.proxies,
            origins: self.origins,
            body_timeout: self.body_timeout,
        }
    }
}

impl<C: CustomClaims> JwtSessionBuilder<C> {
    /// Whose forwarding headers are believed. Nobody's unless said otherwise.
    pub fn trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.edge.proxies = proxies;
        self
    }

    /// Which pages of other origins may call the service, for the CORS layer of the application.
    pub fn allowed_origins(mut self, origins: AllowedOrigins) -> Self {
        self.edge.origins = origins;
        self
    }

    /// How much of a client's address is kept with a session. All of it unless said otherwise.
    pub fn stored_addresses(mut self, detail: AddressDetail) -> Self {
        self.edge.placing.detail = detail;
        self
    }

    /// Who knows where addresses are; asked at each sign-in, and at each refresh where risk is
    /// watched. Nobody unless said otherwise.
    pub fn locator(mut self, locator: impl Locator) -> Self {
        self.edge.placing.locator = Some(Arc::new(locator));
        self
    }

    /// What is watched for at sign-ins, refreshes and re-authentications, and who decides; see
    /// [`risk`](crate::session::risk). Nothing unless said otherwise.
    pub fn watch_risk(mut self, watch: RiskWatch) -> Self {
        self.edge.watch = Some(watch);
        self
    }

    /// Who is told when a user signs in on a device that was not seen before: not at their first
    /// sign-in, and not on a device of theirs that is remembered. Nobody unless said otherwise.
    ///
    /// It is called in the middle of the sign-in, so it must return at once and must not panic: put
    /// what is slow, as mail, into a queue.
    ///
    /// # Examples
    ///
    /// ```
    /// use tower_jwt_session::JwtSession;
    /// use tower_jwt_session::session::risk::NewDevice;
    ///
    /// # fn main() -> Result<(), tower_jwt_session::ConfigError> {
    /// let (queue, mut mails) = tokio::sync::mpsc::channel::<NewDevice>(1_000);
    /// let auth = JwtSession::builder()
    ///     .hmac_secret(b"an example; 32 random bytes in earnest")
    ///     .on_new_device(move |device| {
    ///         if queue.try_send(device).is_err() {
    ///             eprintln!("too many messages wait to be sent");
    ///         }
    ///     })
    ///     .build()?;
    /// # let _ = (auth, mails.try_recv());
    /// # Ok(())
    /// # }
    /// ```
    pub fn on_new_device(mut self, told: impl Fn(NewDevice) + Send + Sync + 'static) -> Self {
        self.edge.notices = Some(NewDeviceNotices(Arc::new(told)));
        self
    }

    /// How often somebody may sign in, register or refresh; see [`RateLimit`]. Without the feature
    /// `rate-limit` nothing is counted, and a limit is a mistake that
    /// [`build`](Self::build) reports.
    pub fn rate_limit(mut self, limit: RateLimit) -> Self {
        if !limit.is_off() && !RateLimiter::IS_BUILT {
            self.problems.add("a rate limit is set", WITHOUT_LIMITS);
        }
        self.edge.rate_limit = limit;
        self
    }

    /// How long the endpoints wait for the whole body of a request; then the answer is 408. Ten
    /// seconds unless said otherwise, enough for the few kilobytes that they read from anywhere. Without
    /// such a bound a client that sends a byte now and then holds what serves it for ever.
    pub fn body_timeout(mut self, timeout: Duration) -> Self {
        self.edge.body_timeout = timeout;
        self
    }
}

impl Environment {
    pub(super) fn apply_edge<C: CustomClaims>(&self, builder: &mut JwtSessionBuilder<C>) {
        let (edge, problems) = (&mut builder.edge, &mut builder.problems);
        if let Some(list) = self.get("TRUSTED_PROXIES") {
            let parsed = TrustedProxies::parse(list);
            edge.proxies = named("TRUSTED_PROXIES", parsed, problems);
        }
        if let Some(list) = self.get("CORS_ALLOWED_ORIGINS") {
            let parsed = AllowedOrigins::parse(list);
            edge.origins = named("CORS_ALLOWED_ORIGINS", parsed, problems);
        }
        let detail = self.parsed("SESSION_ADDRESSES", problems, |text| match text {
            "full" => Ok(AddressDetail::Full),
            "shortened" => Ok(AddressDetail::Shortened),
            _ => Err("write full or shortened"),
        });
        edge.placing.detail = detail.unwrap_or(edge.placing.detail);
        let watched = self.parsed("SESSION_RISK", problems, |text| match text {
            "flag" => Ok(true),
            "off" => Ok(false),
            _ => Err("write flag or off"),
        });
        match watched {
            Some(true) => drop(edge.watch.get_or_insert_default()),
            Some(false) => edge.watch = None,
            None => {}
        }
        if let Some(path) = self.get("GEOIP_DATABASE_FILE") {
            match locator::open(path) {
                Ok(locator) => edge.placing.locator = Some(locator),
                Err((what, fix)) => {
                    problems.add(format!("GEOIP_DATABASE_FILE {path:?} {what}"), fix);
                }
            }
        }
        if let Some(timeout) = self.duration("REQUEST_BODY_TIMEOUT", problems) {
            edge.body_timeout = timeout;
        }
        edge.rate_limit = self.rate_limit(edge.rate_limit, problems);
    }

    fn rate_limit(&self, said: RateLimit, problems: &mut ConfigError) -> RateLimit {
        let window = self.parsed("RATE_LIMIT_WINDOW_MS", problems, |text| {
            let millis = text.parse::<u64>().ok();
            let millis = millis.filter(|millis| *millis <= LONGEST_WINDOW_MS);
            millis.map(Duration::from_millis).ok_or(
                "write whole milliseconds without a unit, as 900000 for 15 minutes; at most a day",
            )
        });
        let max = self.parsed("RATE_LIMIT_MAX_REQUESTS", problems, |text| {
            text.parse::<u32>()
                .map_err(|_| "write a whole number; 0 is no limit")
        });
        let set = max.is_some() || window.is_some();
        let standard = if said.is_off() {
            RateLimit::default()
        } else {
            said
        };
        let limit = RateLimit::new(
            max.unwrap_or(standard.max()),
            window.unwrap_or(standard.window()),
        );
        if RateLimiter::IS_BUILT {
            return limit;
        }
        if set && !limit.is_off() {
            problems.add("RATE_LIMIT_MAX_REQUESTS limits nothing", WITHOUT_LIMITS);
        }
        RateLimit::off()
    }
}

/// The parts that were understood, or none; each problem under the name of its variable.
fn named<T: Default>(name: &str, parsed: Result<T, ConfigError>, problems: &mut ConfigError) -> T {
    parsed.unwrap_or_else(|more| {
        problems.append(more.in_variable(name));
        T::default()
    })
}

const WITHOUT_LIMITS: &str = "build with the feature rate-limit, or leave the limit to something \
                              in front of this service";
const BODY_TIMEOUT: Duration = Duration::from_secs(10);
const LONGEST_WINDOW_MS: u64 = 86_400_000;
