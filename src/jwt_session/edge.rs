//! What stands between the network and an application.

use std::sync::Arc;
use std::time::Duration;

use super::JwtSession;
use crate::config::AllowedOrigins;
use crate::device::{ClientAddressLayer, TrustedProxies};
use crate::revocation::Terms;
use crate::session::SessionStore;
use crate::throttle::RateLimiter;
use crate::verify::CustomClaims;

impl<C: CustomClaims> JwtSession<C> {
    /// The layer that finds out where requests come from, by the trusted proxies; around the
    /// routes that sign in, register and refresh, or around everything.
    pub fn client_addresses(&self) -> ClientAddressLayer {
        ClientAddressLayer::new(self.edge.proxies.clone())
    }

    /// Whose forwarding headers are believed.
    #[must_use]
    pub fn trusted_proxies(&self) -> &TrustedProxies {
        &self.edge.proxies
    }

    /// Which pages of other origins may call, for the CORS layer of the application.
    #[must_use]
    pub fn allowed_origins(&self) -> &AllowedOrigins {
        &self.edge.origins
    }

    /// Counts attempts to sign in, register and refresh. The endpoints ask it for refreshes by
    /// themselves; the application asks it for the others, see
    /// [`throttle`](crate::throttle).
    #[must_use]
    pub fn rate_limiter(&self) -> &RateLimiter {
        &self.edge.limiter
    }

    /// How long the endpoints wait for the whole body of a request; the application's own handlers
    /// may do the same by `endpoints::read_json_within`.
    #[must_use]
    pub fn body_timeout(&self) -> Duration {
        self.edge.body_timeout
    }

    /// How much the layers ask the store and what they do without it.
    #[must_use]
    pub fn terms(&self) -> &Terms {
        &self.core.terms
    }

    /// The store, for who runs it: past the verbs nothing is told to observers, and what is ended
    /// there holds here only when it has been read.
    #[must_use]
    pub fn store(&self) -> &Arc<dyn SessionStore> {
        &self.core.store
    }

    pub(crate) fn store_timeout(&self) -> Duration {
        self.core.store_timeout
    }

    /// Which kind of store keeps the sessions, as `"memory"`.
    #[must_use]
    pub fn store_name(&self) -> &'static str {
        self.core.store.backend()
    }
}
