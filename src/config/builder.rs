//! [`JwtSessionBuilder`]: what an application may say, and what holds where it says nothing.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use zeroize::Zeroizing;

use super::client::IntrospectionClient;
use super::cookies::SessionCookies;
use super::edge::EdgeSettings;
use super::env::Environment;
use crate::audit::AuditSettings;
use crate::clock::{Clock, SystemClock};
use crate::error::ConfigError;
use crate::events::{LogObserver, Observer};
use crate::revocation::{RevocationSettings, Terms};
use crate::session::{
    ClaimsSource, DynClaimsSource, Lifetimes, NoGrants, Rotation, SessionLimit, SessionStore,
};
use crate::token::TokenSource;
use crate::verify::{Algorithm, CustomClaims, Key, KeyState, NoClaims, TokenPolicy};

/// Puts a [`JwtSession`](crate::JwtSession) together. Mistakes are collected and reported all at once by
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
    pub(super) audit: AuditSettings,
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
            audit: AuditSettings::default(),
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
    /// `stores::SealedStore`. Needs the feature `encryption`, which each store that outlives the
    /// process brings along; without it [`build`](Self::build) says so.
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

    /// What is written into the audit log, and for how long. See [`audit`](crate::audit).
    pub fn audit(mut self, settings: AuditSettings) -> Self {
        self.audit = settings;
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
            audit: self.audit,
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
