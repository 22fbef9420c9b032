//! [`RequireRole`].

use std::sync::Arc;

use super::{Guard, Policy, guard_layer};
use crate::rejection::ProblemResponses;

/// Lets only users with a role pass; the others get a 403.
///
/// A role that was taken away counts until the application says so with
/// [`Sessions::roles_changed`](crate::Sessions::roles_changed), and no request longer.
///
/// See the [module docs](crate::guard) for an example.
#[must_use = "a layer does nothing until it is put around a service"]
pub struct RequireRole<J = ProblemResponses> {
    guard: Arc<Guard<J>>,
}

impl RequireRole {
    /// The role, compared byte by byte.
    pub fn new(role: impl Into<String>) -> Self {
        Self {
            guard: Guard::new(Policy::Role(role.into())),
        }
    }
}

guard_layer!(RequireRole);
