//! [`RequireScope`].

use std::sync::Arc;

use super::{Guard, Policy, guard_layer};
use crate::rejection::ProblemResponses;

/// Lets only tokens with a scope pass; the others get a 403 that names it (RFC 6750, section 3.1).
///
/// See the [module docs](crate::guard) for an example.
#[must_use = "a layer does nothing until it is put around a service"]
pub struct RequireScope<J = ProblemResponses> {
    guard: Arc<Guard<J>>,
}

impl RequireScope {
    /// The scope, compared byte by byte.
    pub fn new(scope: impl Into<String>) -> Self {
        Self {
            guard: Guard::new(Policy::Scope(scope.into())),
        }
    }
}

guard_layer!(RequireScope);
