//! [`RequireFresh`].

use std::sync::Arc;
use std::time::Duration;

use super::{Guard, Policy, guard_layer};
use crate::rejection::ProblemResponses;

/// Lets only users pass who proved who they are not long ago.
///
/// The others get a 401 that asks for a new sign-in and says how recent it has to be (RFC 9470).
/// Refreshing tokens is no such proof; a token that does not say when there was one is refused.
/// [`Sessions::reauthenticated`](crate::Sessions::reauthenticated) makes one that passes.
///
/// See the [module docs](crate::guard) for an example.
#[must_use = "a layer does nothing until it is put around a service"]
pub struct RequireFresh<J = ProblemResponses> {
    guard: Arc<Guard<J>>,
}

impl RequireFresh {
    /// How long ago it may have been.
    pub fn within(max_age: Duration) -> Self {
        Self {
            guard: Guard::new(Policy::Fresh(max_age)),
        }
    }
}

guard_layer!(RequireFresh);
