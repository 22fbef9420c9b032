//! What happens, in figures and spans.
//!
//! # Figures
//!
//! With the feature `metrics` this crate counts through the facade of the `metrics` crate, for whichever exporter
//! the application installs. `METRICS` lists every name with its kind, unit, labels and meaning; the labels are
//! closed sets, so no client can make up a series. `JwtSession::publish_metrics` brings everything up to date and is
//! called before a scrape is answered; while the work in the background runs, that happens every five seconds
//! by itself.
//!
//! A request that this node answers by itself touches no facade: it adds one to two numbers that only its own
//! thread writes, and what they come to is published. Nothing is resolved before it is used, so an exporter may be installed at
//! any time; what was counted before it was installed is not told to it.
//!
//! # Spans
//!
//! At the level `debug`, whatever the features. No span ever holds a token, a name or an address.
//!
//! | span | fields | around |
//! |---|---|---|
//! | `session` | `verb`, `outcome` | a verb of [`Sessions`](crate::Sessions) that signs in, refreshes or ends |
//! | `confirm` | – | a request that waits for the store |
//! | `store` | `operation`, `error` | a call to the store |

#[cfg(feature = "metrics")]
mod metric;
#[cfg(feature = "metrics")]
mod names;
#[cfg(feature = "metrics")]
mod recorded;
#[cfg(not(feature = "metrics"))]
#[path = "unrecorded.rs"]
mod recorded;
mod spans;
#[cfg(feature = "metrics")]
mod tally;

#[cfg(feature = "metrics")]
pub use metric::{Metric, MetricKind};
#[cfg(feature = "metrics")]
pub use names::METRICS;

pub(crate) use recorded::{
    Publishing, Telemetry, Watch, counting, credentials_refused, lagged, missed, throttled,
};
pub(crate) use spans::{Operation, Verb, confirm, store_call, verb};

/// What an authentication came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Admitted,
    Anonymous,
    CsrfRejected,
    InvalidToken,
    MalformedToken,
    Misconfigured,
    MissingToken,
    Overloaded,
    StoreUnavailable,
    TokenExpired,
    TokenRevoked,
    TokenStale,
}

/// Whether a token was known by its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lookup {
    Hit,
    Miss,
}
