//! [`VerifyOnly`]: a service that checks tokens which another one makes.

use std::fmt;
use std::sync::Arc;

use super::gate;
use super::parse::{self, ParseError};
use super::running::Running;
use super::status::NodeStatus;
use crate::clock::Clock;
use crate::config::Web;
use crate::error::StoreError;
use crate::middleware::JwtSessionLayer;
use crate::session::Session;
use crate::session::core::Core;
use crate::verify::{CustomClaims, KeyRing, NoClaims};

/// A service that only checks tokens: it follows the log of revocations, and makes, refreshes and
/// ends no session. Cloning is cheap.
///
/// Made by [`build_verify_only`](crate::JwtSessionBuilder::build_verify_only). It asks the store what
/// the layer of a [`JwtSession`](crate::JwtSession) asks, so a session that ended is refused on its next request
/// here, too, and the uses that it sees keep a session from being idle.
///
/// # Examples
///
/// `examples/verify_only.rs` is such a service.
pub struct VerifyOnly<C = NoClaims> {
    pub(super) core: Arc<Core<C>>,
    web: Web,
}

impl<C: CustomClaims> VerifyOnly<C> {
    pub(crate) fn new(core: Arc<Core<C>>, web: Web) -> Self {
        Self { core, web }
    }

    /// The layer that goes around a service, as [`JwtSession::layer`](crate::JwtSession::layer).
    pub fn layer(&self) -> JwtSessionLayer {
        gate(&self.core, &self.web)
    }

    /// Joins the fleet, follows revocations and flushes uses, as [`JwtSession::start`](crate::JwtSession::start); it leaves
    /// sweeping to those who make sessions.
    ///
    /// # Errors
    ///
    /// As for [`JwtSession::start`](crate::JwtSession::start).
    pub async fn start(&self) -> Result<Running, StoreError> {
        Running::start(self.core.clone()).await
    }

    /// Reads an access token as the layer does, as [`JwtSession::parse`](crate::JwtSession::parse).
    ///
    /// # Errors
    ///
    /// As for [`JwtSession::parse`](crate::JwtSession::parse).
    pub async fn parse(&self, access_token: &str) -> Result<Session, ParseError> {
        parse::parse(&self.core, access_token).await
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

    /// The keys that tokens are checked by; they can be exchanged while the service runs.
    #[must_use]
    pub fn keys(&self) -> &Arc<KeyRing> {
        self.core.verifier.keys()
    }

    /// The clock that everything here reads.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.core.clock
    }
}

impl<C> Clone for VerifyOnly<C> {
    fn clone(&self) -> Self {
        Self {
            core: self.core.clone(),
            web: self.web.clone(),
        }
    }
}

impl<C> fmt::Debug for VerifyOnly<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyOnly")
            .field("store", &self.core.store.backend())
            .finish_non_exhaustive()
    }
}
