//! [`JwtSessionBuilder`]: what an application may say, and what holds where it says nothing.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use zeroize::Zeroizing;

use super::client::IntrospectionClient;
use super::cookies::{SessionCookies, Web};
use super::edge::{Edge, EdgeSettings};
use super::env::Environment;
use super::origins::AllowedOrigins;
use crate::clock::{Clock, SystemClock};
use crate::error::ConfigError;
use crate::events::{LogObserver, Observer};
use crate::jwt_session::{JwtSession, VerifyOnly};
use crate::middleware::Origins;
use crate::revocation::{Breakers, FleetLimits, RevocationSettings, Revocations, Terms};
use crate::session::core::Core;
use crate::session::failures::Failures;
use crate::session::{
    Activity, ClaimsSource, DynClaimsSource, Guarded, Lifetimes, NoGrants, Rotation, SessionLimit,
    SessionStore,
};
use crate::stores::{MemoryStore, SealedStore};
use crate::token::TokenSource;
use crate::verify::{
    Algorithm, CustomClaims, Key, KeyState, NoClaims, Origin, TokenPolicy, Verifier,
};

/// Puts a [`JwtSession`] together. Mistakes are collected and reported all at once by
/// [`build`](Self::build).
#[must_use = "nothing is made before `build`"]
pub struct JwtSessionBuilder<C = NoClaims> {
    pub(super) keys: Vec<(Key, KeyState)>,
    pub(super) refresh_secrets: Vec<Zeroizing<Vec<u8>>>,
    pub(super) derived_secrets: Vec<Zeroizing<Vec<u8>>>,
    pub(super) seal_secret: Option<Zeroizing<Vec<u8>>>,
    pub(super) previous_seal_secrets: Vec<Zeroizing<Vec<u8>>>,
    pub(super) secret_for_the_run: Option<Algorithm>,
    pub(super) policy: TokenPolicy,
    pub(super) store: Option<Arc<dyn SessionStore>>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) observer: Arc<dyn Observer>,
    pub(super) source: Option<TokenSource>,
    pub(super) cookies: SessionCookies,
    pub(super) claims_source: Arc<dyn DynClaimsSource<C>>,
    pub(super) lifetimes: Lifetimes,
    pub(super) rotation: Option<Rotation>,
    pub(super) limit: SessionLimit,
    pub(super) retention: Duration,
    pub(super) terms: Terms,
    pub(super) revocation: RevocationSettings,
    pub(super) introspection_client: Option<IntrospectionClient>,
    pub(super) edge: EdgeSettings,
    pub(super) problems: ConfigError,
}

/// What a service is made of.
struct Parts<C> {
    core: Core<C>,
    web: Web,
    edge: Edge,
}

impl JwtSessionBuilder {
    pub(crate) fn new() -> Self {
        Self {
            keys: Vec::new(),
            refresh_secrets: Vec::new(),
            derived_secrets: Vec::new(),
            seal_secret: None,
            previous_seal_secrets: Vec::new(),
            secret_for_the_run: None,
            policy: TokenPolicy::new("tower-jwt-session", "tower-jwt-session"),
            store: None,
            clock: Arc::new(SystemClock),
            observer: Arc::new(LogObserver),
            source: None,
            cookies: SessionCookies::default(),
            claims_source: Arc::new(NoGrants),
            lifetimes: Lifetimes::default(),
            rotation: None,
            limit: SessionLimit::evicting(10),
            retention: Duration::from_secs(30 * 86_400),
            terms: Terms::default(),
            revocation: RevocationSettings::default(),
            introspection_client: None,
            edge: EdgeSettings::default(),
            problems: ConfigError::default(),
        }
    }
}

impl<C: CustomClaims> JwtSessionBuilder<C> {
    /// Signs with HS256 under this secret, at least 32 random bytes of it. Unless
    /// [`refresh_secret`](Self::refresh_secret) says otherwise, the refresh tokens' key is derived
    /// from it.
    pub fn hmac_secret(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.add_hmac(Algorithm::Hs256, secret.as_ref(), KeyState::Sign);
        self
    }

    /// Accepts tokens that were signed with HS256 under an earlier secret.
    pub fn previous_hmac_secret(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.add_hmac(Algorithm::Hs256, secret.as_ref(), KeyState::VerifyOnly);
        self
    }

    /// Adds a key.
    pub fn key(mut self, key: Key, state: KeyState) -> Self {
        self.keys.push((key, state));
        self
    }

    /// Makes refresh tokens under a secret of their own, at least 32 random bytes of it, the same
    /// on every node. Needed beside a private key.
    pub fn refresh_secret(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.refresh_secrets
            .insert(0, Zeroizing::new(secret.as_ref().to_vec()));
        self
    }

    /// Accepts refresh tokens that were made under an earlier secret; keep it for a refresh
    /// lifetime and the grace.
    pub fn previous_refresh_secret(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.refresh_secrets
            .push(Zeroizing::new(secret.as_ref().to_vec()));
        self
    }

    /// Encrypts each session's device, name and data before the store sees them, under a key from
    /// this secret: at least 32 random bytes, the same on every node. See
    /// [`SealedStore`](crate::stores::SealedStore).
    pub fn encryption_key(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.seal_secret = Some(Zeroizing::new(secret.as_ref().to_vec()));
        self
    }

    /// Still reads what was encrypted under an earlier secret; keep it for as long as sessions
    /// live and stay listed.
    pub fn previous_encryption_key(mut self, secret: impl AsRef<[u8]>) -> Self {
        self.previous_seal_secrets
            .push(Zeroizing::new(secret.as_ref().to_vec()));
        self
    }

    /// What tokens must say, and how ours are written.
    pub fn token_policy(mut self, policy: TokenPolicy) -> Self {
        self.policy = policy;
        self
    }

    /// Where sessions and revocations are kept. The memory store unless said otherwise: nothing
    /// survives the process, and nothing is shared.
    pub fn store(mut self, store: impl SessionStore) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// The clock that everything reads.
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.clock = clock;
        self
    }

    /// Who hears of everything that happens. The log unless said otherwise.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Arc::new(observer);
        self
    }

    /// Where tokens are looked for. Unless said otherwise the bearer header, and without one the
    /// access cookie where there are [`cookies`](Self::cookies).
    pub fn token_source(mut self, source: TokenSource) -> Self {
        self.source = Some(source);
        self
    }

    /// Where roles and custom claims come from. Nobody has any unless said otherwise.
    pub fn claims_source<D: CustomClaims>(
        self,
        source: impl ClaimsSource<D>,
    ) -> JwtSessionBuilder<D> {
        JwtSessionBuilder {
            keys: self.keys,
            refresh_secrets: self.refresh_secrets,
            derived_secrets: self.derived_secrets,
            seal_secret: self.seal_secret,
            previous_seal_secrets: self.previous_seal_secrets,
            secret_for_the_run: self.secret_for_the_run,
            policy: self.policy,
            store: self.store,
            clock: self.clock,
            observer: self.observer,
            source: self.source,
            cookies: self.cookies,
            claims_source: Arc::new(source),
            lifetimes: self.lifetimes,
            rotation: self.rotation,
            limit: self.limit,
            retention: self.retention,
            terms: self.terms,
            revocation: self.revocation,
            introspection_client: self.introspection_client,
            edge: self.edge,
            problems: self.problems,
        }
    }

    /// How long tokens and sessions live.
    pub fn lifetimes(mut self, lifetimes: Lifetimes) -> Self {
        self.lifetimes = lifetimes;
        self
    }

    /// How refresh tokens are rotated. Without it, the defaults of [`Rotation`], shortened to
    /// fit shorter access tokens.
    pub fn rotation(mut self, rotation: Rotation) -> Self {
        self.rotation = Some(rotation);
        self
    }

    /// How many sessions a user may have at once. Ten unless said otherwise, and then the least
    /// recently used one gives way.
    pub fn limit(mut self, limit: SessionLimit) -> Self {
        self.limit = limit;
        self
    }

    /// How long an ended session stays listed. 30 days unless said otherwise.
    pub fn retention(mut self, retention: Duration) -> Self {
        self.retention = retention;
        self
    }

    /// How much the layers ask the store and what they do without it; a layer may say otherwise.
    pub fn terms(mut self, terms: Terms) -> Self {
        self.terms = terms;
        self
    }

    /// How this node follows the revocation log.
    pub fn revocation(mut self, settings: RevocationSettings) -> Self {
        self.revocation = settings;
        self
    }

    /// Takes over what the environment says; see [`Environment`] for the variables.
    pub fn with_env(mut self, env: &Environment) -> Self {
        env.apply(&mut self);
        self
    }

    /// Puts it together. Nothing is connected and nothing runs before
    /// [`start`](JwtSession::start).
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every mistake at once, each with its fix.
    pub fn build(self) -> Result<JwtSession<C>, ConfigError> {
        let client = self.introspection_client.clone();
        let parts = self.parts(true)?;
        let core = Arc::new(parts.core);
        Ok(JwtSession::new(core, client, parts.web, parts.edge))
    }

    /// Puts a service together that only checks tokens: it follows the revocation log of the
    /// [`store`](Self::store) that those who make sessions share, and has no verbs.
    ///
    /// Its keys are all for checking; it needs no secret. Give it the lifetime of access tokens of
    /// those who make them, unless that is the default: a node that takes tokens for longer
    /// than the log remembers is refused at its start.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every mistake at once, each with its fix.
    ///
    /// # Examples
    ///
    /// ```
    /// # use tower_jwt_session::verify::{Algorithm, Key, KeyState};
    /// # use tower_jwt_session::{JwtSession, MemoryStore};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let (key_set, store) = (PUBLIC_KEYS, MemoryStore::new());
    /// let auth = JwtSession::builder()
    ///     .key_set(key_set)
    ///     .store(store)
    ///     .build_verify_only()?;
    /// # let _ = auth.layer();
    /// # Ok(()) }
    /// # const PUBLIC_KEYS: &str = r#"{"keys":[{"kty":"OKP","crv":"Ed25519","alg":"EdDSA","kid":"1",
    /// #     "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;
    /// ```
    pub fn build_verify_only(mut self) -> Result<VerifyOnly<C>, ConfigError> {
        for (_, state) in &mut self.keys {
            *state = KeyState::VerifyOnly;
        }
        // Nobody signs with a secret that only this process knows.
        self.secret_for_the_run = None;
        let parts = self.parts(false)?;
        Ok(VerifyOnly::new(Arc::new(parts.core), parts.web))
    }

    /// Accepts tokens by the public keys of a JWK Set (RFC 7517, section 5), each with `kid` and
    /// `alg`: those of the service that signs them.
    pub fn key_set(mut self, json: &str) -> Self {
        match Key::from_jwk_set(json) {
            Ok(keys) => {
                let keys = keys.into_iter().map(|key| (key, KeyState::VerifyOnly));
                self.keys.extend(keys);
            }
            Err(error) => self
                .problems
                .add(format!("the key set: {}", error.what()), error.fix()),
        }
        self
    }

    fn parts(mut self, sweeps: bool) -> Result<Parts<C>, ConfigError> {
        self.lifetimes.check(&mut self.problems);
        self.cookies.check(&mut self.problems);
        let origins = self.origins();
        self.revocation.check(&mut self.problems);
        let rotation = match self.rotation {
            Some(rotation) => rotation,
            None => Rotation::default().fitted(&self.lifetimes),
        };
        rotation.check(&self.lifetimes, &mut self.problems);
        if let Some(algorithm) = self.secret_for_the_run.take()
            && self.keys.is_empty()
        {
            self.add_secret_for_the_run(algorithm);
        }
        let refresh_keys = self.refresh_keys();
        let seal_keys = self.seal_keys();
        let policy = self.fitted_policy();
        policy.check(&mut self.problems);
        let ring = self.key_ring();
        let (Some(ring), Some(refresh_keys)) = (ring, refresh_keys) else {
            return Err(self.problems);
        };
        self.problems.into_result(())?;

        let clock = self.clock;
        let store = self
            .store
            .unwrap_or_else(|| Arc::new(MemoryStore::with_clock(clock.clone())));
        let store = match seal_keys {
            Some(keys) => Arc::new(SealedStore::new(store, keys)),
            None => store,
        };
        let mut settings = self.revocation;
        settings.limits = FleetLimits {
            access_lifetime: policy.max_lifetime(),
            leeway: policy.leeway,
            skew: settings.limits.skew,
        };
        let store_timeout = settings.store_timeout;
        let breakers = Arc::new(Breakers::new(clock.clone(), store.backend()));
        let store: Arc<dyn SessionStore> = Arc::new(Guarded::new(
            store,
            breakers.clone(),
            self.observer.clone(),
            store_timeout,
        ));
        let revocations = Revocations::new(store.clone(), settings, clock.clone());
        revocations.note_terms(self.terms.on_store_failure);
        revocations.watch_renewals(Arc::new(store.clone()), self.terms.on_store_failure);
        let plain_http = !self.cookies.are_secure();
        let core = Core {
            clock,
            source: self.source.unwrap_or(self.cookies.token_source()),
            verifier: Arc::new(Verifier::new::<C>(Arc::new(ring), policy)),
            revocations,
            activity: Arc::new(Activity::default()),
            store,
            breakers,
            observer: self.observer,
            claims_source: self.claims_source,
            refresh_keys: ArcSwap::from_pointee(refresh_keys),
            lifetimes: self.lifetimes,
            rotation,
            limit: self.limit,
            retention: self.retention,
            terms: self.terms,
            store_timeout,
            placing: self.edge.placing.clone(),
            failures: Failures::default(),
            sweeps,
            started: Arc::default(),
        };
        let web = Web {
            cookies: self.cookies,
            origins: Arc::new(origins.with_plain_http(plain_http)),
        };
        let edge = self.edge.build(&core.clock);
        Ok(Parts { core, web, edge })
    }

    /// From where pages may act in the name of a cookie. Who may read answers without being anybody
    /// may not.
    fn origins(&mut self) -> Origins {
        let mut origins = Origins::default();
        if let AllowedOrigins::Listed(listed) = &self.edge.origins {
            for origin in listed {
                if let Err(fix) = origins.add(origin) {
                    let what = format!("the allowed origin {origin:?} is none");
                    self.problems.add(what, fix);
                }
            }
        }
        origins
    }

    /// The policy with a longest lifetime that fits: no entry of the revocation log has to be kept
    /// for longer than a token can live.
    fn fitted_policy(&mut self) -> TokenPolicy {
        let policy = self.policy.clone();
        let needed = self.lifetimes.access() + ROUNDING;
        let others = policy.migration.is_some()
            || self
                .keys
                .iter()
                .any(|(key, _)| *key.origin() != Origin::Ours);
        match policy.max_lifetime {
            None if others => {
                let longest = policy.max_lifetime().max(needed);
                policy.with_max_lifetime(longest)
            }
            None => policy.with_max_lifetime(needed),
            Some(longest) => {
                if longest < needed {
                    self.problems.add(
                        "the policy accepts only tokens that live shorter than ours",
                        "raise its longest lifetime, or shorten JWT_ACCESS_TOKEN_EXPIRY",
                    );
                }
                policy
            }
        }
    }
}

impl<C> fmt::Debug for JwtSessionBuilder<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtSessionBuilder")
            .field("lifetimes", &self.lifetimes)
            .field("rotation", &self.rotation)
            .field("limit", &self.limit)
            .finish_non_exhaustive()
    }
}

/// `iat` is rounded down and `exp` up to whole seconds.
const ROUNDING: Duration = Duration::from_secs(2);
