//! [`JwtSession`]: everything put together.

mod edge;
#[cfg(feature = "encryption")]
mod encryption;
#[cfg(feature = "metrics")]
mod figures;
mod introspection;
mod keys;
mod parse;
#[cfg(feature = "endpoints")]
mod peek;
mod running;
mod status;
mod verify_only;

use std::fmt;
use std::sync::Arc;

pub use introspection::Introspection;
pub use parse::ParseError;
pub use running::Running;
pub use status::NodeStatus;
pub use verify_only::VerifyOnly;

use crate::audit::AuditLevel;
use crate::clock::Clock;
use crate::config::{
    Edge, Environment, IntrospectionClient, JwtSessionBuilder, SessionCookies, Web,
};
use crate::error::{ConfigError, StoreError};
use crate::middleware::{Gate, JwtSessionLayer};
use crate::revocation::ViewStatus;
use crate::session::core::Core;
use crate::session::{Lifetimes, Rotation, Session, SessionLimit, Sessions};
use crate::stores::SealedStore;
use crate::verify::{CustomClaims, KeyRing, NoClaims, TokenPolicy};

/// The session layer, put together: what an application holds. Cloning is cheap.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use tower_jwt_session::{Device, JwtSession, UserId};
///
/// let auth = JwtSession::builder()
///     .hmac_secret(b"an example; 32 random bytes in earnest")
///     .build()?;
/// let running = auth.start().await?;
///
/// let user = UserId::new("ada")?;
/// let ticket = auth.sessions().ticket(&user).await?; // before the password is looked at
/// let signed_in = auth.sessions().sign_in(ticket, Device::default()).await?;
/// assert_eq!(auth.sessions().count(&user).await?, 1);
/// # let _ = signed_in;
/// running.shutdown().await;
/// # Ok(())
/// # }
/// ```
pub struct JwtSession<C = NoClaims> {
    core: Arc<Core<C>>,
    sessions: Sessions<C>,
    introspection_client: Option<Arc<IntrospectionClient>>,
    web: Arc<Web>,
    edge: Arc<Edge>,
    sealed: Option<SealedStore>,
}

impl JwtSession {
    /// Starts to put one together. What is not said has the defaults of the documents: two hours
    /// for access tokens, 30 days for refresh tokens, ten sessions a user, the memory store.
    pub fn builder() -> JwtSessionBuilder {
        JwtSessionBuilder::new()
    }

    /// Puts one together from the environment of the process, see [`Environment`].
    ///
    /// # Errors
    ///
    /// [`ConfigError`] with every mistake at once, each with its fix.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::builder().with_env(&Environment::of_process()).build()
    }
}

impl<C: CustomClaims> JwtSession<C> {
    pub(crate) fn new(
        core: Arc<Core<C>>,
        introspection_client: Option<IntrospectionClient>,
        web: Web,
        edge: Edge,
        sealed: Option<SealedStore>,
    ) -> Self {
        Self {
            sessions: Sessions::new(core.clone()),
            introspection_client: introspection_client.map(Arc::new),
            web: Arc::new(web),
            edge: Arc::new(edge),
            sealed,
            core,
        }
    }

    /// The layer that goes around a service. Layers share the verified tokens and the view.
    pub fn layer(&self) -> JwtSessionLayer {
        gate(&self.core, &self.web)
    }

    /// The verbs: sign in, refresh, list, rename, end.
    #[must_use]
    pub fn sessions(&self) -> &Sessions<C> {
        &self.sessions
    }

    /// Joins the fleet, follows revocations, flushes and sweeps, until the guard is shut down.
    ///
    /// Nothing runs in the background before. Until then every request asks the store.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the store cannot be reached or refuses this node, or when it
    /// runs already.
    pub async fn start(&self) -> Result<Running, StoreError> {
        Running::start(self.core.clone()).await
    }

    /// Reads an access token as the layer does, for an application that has none around it. Counts
    /// as a use of the session, like a request.
    ///
    /// # Errors
    ///
    /// [`ParseError`]: what the layer would refuse, `"token is already revoked"` among it.
    pub async fn parse(&self, access_token: &str) -> Result<Session, ParseError> {
        parse::parse(&self.core, access_token).await
    }

    /// What an access token is worth, without letting anybody in (RFC 7662 asks the same).
    ///
    /// Leaves no trace: it is neither activity nor the first use of a token, by which a refresh
    /// tells a lost answer from theft. So a token that this node has not yet admitted costs two
    /// reads of the store each time, and a client whose tokens are only ever introspected is one
    /// that never used them: what comes back late is then replaced before it is called theft. For
    /// a check that counts there is [`parse`](Self::parse).
    pub async fn introspect(&self, access_token: &str) -> Introspection {
        Introspection::of(&self.core, access_token).await
    }

    /// How this node stands with the revocation log.
    #[must_use]
    pub fn view(&self) -> ViewStatus {
        self.core.revocations.status()
    }

    /// How this node stands with the log and with the store.
    #[must_use]
    pub fn status(&self) -> NodeStatus {
        NodeStatus::of(
            &self.core.revocations,
            &self.core.breakers,
            &self.core.audit,
        )
    }

    /// How much is written down in the [audit log](crate::audit); nothing where the store keeps none.
    #[must_use]
    pub fn audit_level(&self) -> AuditLevel {
        match self.core.audited() {
            Some(_) => self.core.audit.settings.level,
            None => AuditLevel::Off,
        }
    }

    /// Writes down what waits for the audit log, for a program that ends sessions and is not
    /// [started](Self::start), as a command of operators. Tries for five seconds, and returns how many
    /// entries the store did not take.
    pub async fn write_audit(&self) -> usize {
        running::writing(&self.core).finish().await
    }

    /// What tokens must say, and how ours are written.
    #[must_use]
    pub fn policy(&self) -> &TokenPolicy {
        self.core.verifier.policy()
    }

    /// The signing and verification keys; they can be exchanged while the service runs.
    #[must_use]
    pub fn keys(&self) -> &Arc<KeyRing> {
        self.core.verifier.keys()
    }

    /// The clock that everything here reads.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.core.clock
    }

    /// Who may introspect tokens, beside administrators.
    #[must_use]
    pub fn introspection_client(&self) -> Option<&IntrospectionClient> {
        self.introspection_client.as_deref()
    }

    /// How tokens travel in cookies.
    #[must_use]
    pub fn cookies(&self) -> &SessionCookies {
        &self.web.cookies
    }

    /// How long tokens and sessions live.
    pub fn lifetimes(&self) -> Lifetimes {
        self.core.lifetimes
    }

    /// How refresh tokens are rotated.
    pub fn rotation(&self) -> Rotation {
        self.core.rotation
    }

    /// How many sessions a user may have at once.
    #[must_use]
    pub fn limit(&self) -> SessionLimit {
        self.core.limit
    }
}

impl<C> Clone for JwtSession<C> {
    fn clone(&self) -> Self {
        Self {
            core: self.core.clone(),
            sessions: self.sessions.clone(),
            introspection_client: self.introspection_client.clone(),
            web: self.web.clone(),
            edge: self.edge.clone(),
            sealed: self.sealed.clone(),
        }
    }
}

impl<C> fmt::Debug for JwtSession<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JwtSession")
            .field("store", &self.core.store.backend())
            .field("lifetimes", &self.core.lifetimes)
            .field("rotation", &self.core.rotation)
            .field("limit", &self.core.limit)
            .finish_non_exhaustive()
    }
}

/// The layer over what a core shares.
fn gate<C>(core: &Core<C>, web: &Web) -> JwtSessionLayer {
    let gate = Gate {
        source: core.source.clone(),
        verifier: core.verifier.clone(),
        revocations: core.revocations.clone(),
        activity: core.activity.clone(),
        clock: core.clock.clone(),
        observer: core.observer.clone(),
        origins: web.origins.clone(),
        telemetry: core.telemetry.clone(),
    };
    JwtSessionLayer::new(Arc::new(gate))
        .with_confirm(core.terms.confirm)
        .with_on_store_failure(core.terms.on_store_failure)
}
