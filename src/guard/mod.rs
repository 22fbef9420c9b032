//! Who may enter a route: layers for behind a [`JwtSessionLayer`](crate::JwtSessionLayer).
//!
//! A guard looks at the [`Session`] that the layer left. Where there is none it
//! answers 401 and a challenge; where it is the wrong one, 403, or a 401 that asks for a new
//! sign-in (RFC 9470) where a new sign-in helps. Each is also a method of the session, for
//! decisions inside a handler: [`require_role`](crate::Session::require_role) and its siblings.
//!
//! A guard without a `JwtSessionLayer` outside of it lets nobody pass.
//!
//! # Examples
//!
//! ```
//! use std::time::Duration;
//!
//! use tower::ServiceBuilder;
//! use tower_jwt_session::JwtSessionLayer;
//! use tower_jwt_session::guard::{RequireFresh, RequireRole};
//!
//! # fn build(layer: JwtSessionLayer) {
//! let delete_account = ServiceBuilder::new()
//!     .layer(layer)
//!     .layer(RequireRole::new("owner"))
//!     .layer(RequireFresh::within(Duration::from_secs(5 * 60)));
//! # let _ = delete_account;
//! # }
//! ```

mod any_role;
mod confirmed;
mod fresh;
mod role;
mod scope;
mod service;

use std::sync::Arc;
use std::time::Duration;

pub use any_role::RequireAnyRole;
pub use confirmed::RequireConfirmed;
pub use fresh::RequireFresh;
pub use role::RequireRole;
pub use scope::RequireScope;
pub use service::GuardService;

use crate::middleware::Passage;
use crate::rejection::{ProblemResponses, Rejection};
use crate::session::Session;

/// What a guard's layer and its services share.
#[derive(Debug)]
struct Guard<J> {
    policy: Policy,
    responses: Arc<J>,
}

/// What a guard asks of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Policy {
    AnyRole(Vec<String>),
    Confirmed,
    Fresh(Duration),
    Role(String),
    Scope(String),
}

impl Guard<ProblemResponses> {
    fn new(policy: Policy) -> Arc<Self> {
        Arc::new(Self {
            policy,
            responses: Arc::new(ProblemResponses),
        })
    }
}

impl<J> Guard<J> {
    fn with_responses<K>(&self, responses: K) -> Arc<Guard<K>> {
        Arc::new(Guard {
            policy: self.policy.clone(),
            responses: Arc::new(responses),
        })
    }
}

impl Policy {
    fn passage(&self, session: Option<&Session>) -> Passage {
        let Some(session) = session else {
            return Passage::Refuse(Rejection::MissingToken);
        };
        let decided = match self {
            Self::AnyRole(roles) => session.require_any_role(roles.iter().map(String::as_str)),
            Self::Confirmed => {
                let confirmed = session.confirm();
                return Passage::Ask(Box::pin(async { confirmed.await.map(|()| None) }));
            }
            Self::Fresh(max_age) => session.require_fresh(*max_age),
            Self::Role(role) => session.require_role(role),
            Self::Scope(scope) => session.require_scope(scope),
        };
        match decided {
            Ok(()) => Passage::Open(None),
            Err(rejection) => Passage::Refuse(rejection),
        }
    }
}

/// Gives a guard what all of them have.
macro_rules! guard_layer {
    ($guard:ident) => {
        impl<J> $guard<J> {
            /// How the responses of refused requests are made. Defaults to
            /// [`ProblemResponses`](crate::rejection::ProblemResponses).
            pub fn with_responses<K>(self, responses: K) -> $guard<K> {
                $guard {
                    guard: self.guard.with_responses(responses),
                }
            }
        }

        impl<S, J> tower_layer::Layer<S> for $guard<J> {
            type Service = $crate::guard::GuardService<S, J>;

            fn layer(&self, inner: S) -> Self::Service {
                $crate::guard::GuardService::new(inner, self.guard.clone())
            }
        }

        impl<J> Clone for $guard<J> {
            fn clone(&self) -> Self {
                Self {
                    guard: self.guard.clone(),
                }
            }
        }

        impl<J> std::fmt::Debug for $guard<J> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_tuple(stringify!($guard))
                    .field(&self.guard.policy)
                    .finish()
            }
        }
    };
}
use guard_layer;

#[cfg(test)]
mod tests;
