//! [`RequireConfirmed`].

use std::sync::Arc;

use super::{Guard, Policy, guard_layer};
use crate::rejection::ProblemResponses;

/// Asks the store on every request whether the session is alive.
///
/// For the few routes where a revocation on another node must count at once, whatever the layer
/// is set to. Costs a round trip; while the store is away the answer is 503.
///
/// See the [module docs](crate::guard) for an example.
#[must_use = "a layer does nothing until it is put around a service"]
pub struct RequireConfirmed<J = ProblemResponses> {
    guard: Arc<Guard<J>>,
}

impl RequireConfirmed {
    /// Every request asks.
    pub fn always() -> Self {
        Self {
            guard: Guard::new(Policy::Confirmed),
        }
    }
}

guard_layer!(RequireConfirmed);
