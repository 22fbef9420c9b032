//! [`RequireAnyRole`].

use std::sync::Arc;

use super::{Guard, Policy, guard_layer};
use crate::rejection::ProblemResponses;

/// Lets only users with at least one of several roles pass; the others get a 403.
///
/// See the [module docs](crate::guard) for an example.
#[must_use = "a layer does nothing until it is put around a service"]
pub struct RequireAnyRole<J = ProblemResponses> {
    guard: Arc<Guard<J>>,
}

impl RequireAnyRole {
    /// The roles, compared byte by byte. Of no roles nobody has one.
    pub fn new(roles: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let roles = roles.into_iter().map(Into::into).collect();
        Self {
            guard: Guard::new(Policy::AnyRole(roles)),
        }
    }
}

guard_layer!(RequireAnyRole);
