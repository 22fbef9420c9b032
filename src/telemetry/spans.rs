//! Spans around the verbs and the calls to the store, and what both are called.

use std::future::Future;

use tracing::field::Empty;
use tracing::{Instrument, Span, debug_span};

use super::recorded::{self, Watch};
use crate::error::{StoreError, StoreErrorKind};

/// Makes an enum whose variants have names.
macro_rules! named {
    ($(#[$meta:meta])* $enum:ident: $($variant:ident = $name:literal),* $(,)?) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum $enum {
            $($variant),*
        }

        impl $enum {
            // Only figures list them.
            #[allow(dead_code)]
            pub(super) const NAMES: &'static [&'static str] = &[$($name),*];

            pub(crate) const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),*
                }
            }
        }
    };
}

named! {
    /// What is asked of the sessions.
    Verb:
    End = "end",
    EndAll = "end_all",
    Erase = "erase",
    Reauthenticate = "reauthenticate",
    Refresh = "refresh",
    RolesChanged = "roles_changed",
    SignIn = "sign_in",
}

named! {
    /// What is asked of the store.
    Operation:
    Append = "append",
    Ask = "ask",
    Attach = "attach",
    Change = "change",
    Count = "count",
    Counters = "counters",
    End = "end",
    EndAll = "end_all",
    Erase = "erase",
    Find = "find",
    Glance = "glance",
    Leases = "leases",
    List = "list",
    Page = "page",
    Poll = "poll",
    Population = "population",
    RaiseRoles = "raise_roles",
    Refresh = "refresh",
    SignIn = "sign_in",
    Sweep = "sweep",
    Touch = "touch",
}

/// Runs a verb in a span, and counts what it came to.
pub(crate) async fn verb<T, E>(
    verb: Verb,
    work: impl Future<Output = Result<T, E>>,
    outcome: impl FnOnce(&Result<T, E>) -> &'static str,
) -> Result<T, E> {
    let mut run = Run {
        verb,
        outcome: ABANDONED,
        watch: Watch::started(),
        span: debug_span!("session", verb = verb.as_str(), outcome = Empty),
    };
    let result = work.instrument(run.span.clone()).await;
    run.outcome = outcome(&result);
    result
}

/// Runs a call to the store in a span, and counts how it went.
pub(crate) async fn store_call<T>(
    operation: Operation,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let mut run = Call {
        operation,
        error: Some(ABANDONED),
        watch: Watch::started(),
        span: debug_span!("store", operation = operation.as_str(), error = Empty),
    };
    let result = call.instrument(run.span.clone()).await;
    run.error = result.as_ref().err().map(class);
    result
}

/// Around a question to the store that a request waits for.
pub(crate) fn confirm() -> Span {
    debug_span!("confirm")
}

/// A verb under way; dropped before its end, it was given up.
struct Run {
    verb: Verb,
    outcome: &'static str,
    watch: Watch,
    span: Span,
}

impl Drop for Run {
    fn drop(&mut self) {
        self.span.record("outcome", self.outcome);
        recorded::ran(self.verb, self.outcome, &self.watch);
    }
}

/// A call under way; dropped before its end, it was given up: as when nobody waits any longer.
struct Call {
    operation: Operation,
    error: Option<&'static str>,
    watch: Watch,
    span: Span,
}

impl Drop for Call {
    fn drop(&mut self) {
        if let Some(error) = self.error {
            self.span.record("error", error);
        }
        recorded::called(self.operation, self.error, &self.watch);
    }
}

fn class(error: &StoreError) -> &'static str {
    match error.kind() {
        StoreErrorKind::Configuration => "configuration",
        StoreErrorKind::Corrupt => "corrupt",
        StoreErrorKind::Timeout => "timeout",
        StoreErrorKind::Unavailable => "unavailable",
    }
}

/// What a call to the store comes to that fails.
#[allow(dead_code)]
pub(super) const ERROR_CLASSES: &[&str] = &[
    ABANDONED,
    "configuration",
    "corrupt",
    "timeout",
    "unavailable",
];

/// What a verb comes to: what its error is called, or one of the first three.
#[allow(dead_code)]
pub(super) const OUTCOMES: &[&str] = &[
    ABANDONED,
    "done",
    "repeated",
    "claims_failed",
    "credentials_refused",
    "invalid_input",
    "invalid_token",
    "limit_reached",
    "not_found",
    "over",
    "overloaded",
    "refresh_reused",
    "sign_in_superseded",
    "store_failed",
    "store_unavailable",
    "ticket_outdated",
    "token_failed",
    "too_many_repeats",
    "unknown_user",
];

const ABANDONED: &str = "abandoned";
