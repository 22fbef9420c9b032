//! Putting it together: what was said is checked as a whole, and made into a service.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;

use super::builder::JwtSessionBuilder;
use super::cookies::Web;
use super::edge::Edge;
use super::origins::AllowedOrigins;
use crate::audit::{AuditLevel, Backlog};
use crate::error::ConfigError;
use crate::events::Event;
use crate::jwt_session::{JwtSession, VerifyOnly};
use crate::middleware::Origins;
use crate::revocation::{Breakers, FleetLimits, NodeId, Revocations, Signals};
use crate::session::core::Core;
use crate::session::failures::Failures;
use crate::session::{Activity, Guarded, Rotation, SessionStore};
use crate::stores::{MemoryStore, SealedStore};
use crate::telemetry::{self, Telemetry};
use crate::verify::{CustomClaims, KeyState, Origin, TokenPolicy, Verifier};

/// What a service is made of.
struct Parts<C> {
    core: Core<C>,
    web: Web,
    edge: Edge,
    sealed: Option<SealedStore>,
}

impl<C: CustomClaims> JwtSessionBuilder<C> {
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
        let sealed = parts.sealed;
        Ok(JwtSession::new(core, client, parts.web, parts.edge, sealed))
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

    fn parts(mut self, sweeps: bool) -> Result<Parts<C>, ConfigError> {
        self.lifetimes.check(&mut self.problems);
        self.cookies.check(&mut self.problems);
        self.edge.check(&mut self.problems);
        let origins = self.origins();
        self.revocation.check(&mut self.problems);
        self.audit.check(&mut self.problems);
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
        let telemetry = Telemetry::default();
        let observer = telemetry::counting(self.observer);
        let store = self
            .store
            .unwrap_or_else(|| Arc::new(MemoryStore::with_clock(clock.clone())));
        let sealed = seal_keys.map(|keys| SealedStore::new(store.clone(), keys));
        let store = match &sealed {
            Some(sealed) => sealed.as_store(),
            None => store,
        };
        let mut settings = self.revocation;
        settings.limits = FleetLimits {
            access_lifetime: policy.max_lifetime(),
            leeway: policy.leeway,
            skew: settings.limits.skew,
        };
        let store_timeout = settings.store_timeout;
        let node = NodeId::random();
        let mut audit = self.audit;
        if store.audit_log().is_none() {
            audit = audit.with_level(AuditLevel::Off);
        }
        let audit = Backlog::new(audit, node, self.edge.placing.detail);
        let told = audit.before(observer);
        let (observer, at) = (told.clone(), clock.clone());
        let signals = Signals::to(move |signal| observer.observe(at.now(), &Event::from(signal)));
        let breakers = Breakers::new(clock.clone(), store.backend());
        let breakers = Arc::new(breakers.with_signals(signals.clone()));
        let store: Arc<dyn SessionStore> = Arc::new(Guarded::new(
            store,
            breakers.clone(),
            told.clone(),
            store_timeout,
        ));
        let revocations = Revocations::new(node, store.clone(), settings, clock.clone());
        revocations.signal_to(signals);
        revocations.note_terms(self.terms.on_store_failure);
        revocations.watch_renewals(Arc::new(store.clone()), self.terms.on_store_failure);
        let verifier = Verifier::new::<C>(Arc::new(ring), policy);
        let plain_http = !self.cookies.are_secure();
        let core = Core {
            clock,
            source: self.source.unwrap_or(self.cookies.token_source()),
            verifier: Arc::new(verifier.with_telemetry(telemetry.clone())),
            revocations,
            activity: Arc::new(Activity::default()),
            store,
            breakers,
            observer: told,
            claims_source: self.claims_source,
            refresh_keys: ArcSwap::from_pointee(refresh_keys),
            lifetimes: self.lifetimes,
            rotation,
            limit: self.limit,
            retention: self.retention,
            terms: self.terms,
            store_timeout,
            placing: self.edge.placing.clone(),
            watch: self.edge.watch.take(),
            notices: self.edge.notices.take(),
            device_cookies: self.cookies.device_cookies(),
            failures: Failures::default(),
            audit,
            sweeps,
            started: Arc::default(),
            telemetry,
        };
        let web = Web {
            cookies: self.cookies,
            origins: Arc::new(origins.with_plain_http(plain_http)),
        };
        let edge = self.edge.build(&core.clock);
        Ok(Parts {
            core,
            web,
            edge,
            sealed,
        })
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

/// `iat` is rounded down and `exp` up to whole seconds.
const ROUNDING: Duration = Duration::from_secs(2);
