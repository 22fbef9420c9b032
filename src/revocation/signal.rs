//! What a node notices of its store and of its own view.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::breaker::Class;

/// Something that a node noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// The log has lost entries, or is another one than before.
    LogChanged,
    /// Calls of a class are answered again.
    StoreBack {
        backend: &'static str,
        class: Class,
        away: Duration,
    },
    /// Calls of a class are not answered.
    StoreLost { backend: &'static str, class: Class },
    /// The view answers again.
    ViewFresh { stale: Duration },
    /// The view may not answer any more.
    ViewStale,
    /// Entries that the log had lost were written back.
    WrittenBack { entries: usize },
}

/// Where signals go; nowhere unless said otherwise.
#[derive(Clone, Default)]
pub(crate) struct Signals(Option<Arc<dyn Fn(Signal) + Send + Sync>>);

impl Signals {
    /// Tells this one, which must return at once.
    pub(crate) fn to(tell: impl Fn(Signal) + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(tell)))
    }

    pub(super) fn tell(&self, signal: Signal) {
        if let Some(tell) = &self.0 {
            tell(signal);
        }
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signals")
    }
}
