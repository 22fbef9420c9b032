//! The same without figures: nothing happens, and nothing is left of it in the program.

use std::sync::Arc;
use std::time::Duration;

use super::{Lookup, Operation, Outcome, Verb};
use crate::events::Observer;
use crate::revocation::{StoreStatus, ViewStatus};
use crate::session::SessionStore;
use crate::throttle::Attempt;

/// What a node counts on the path of its requests: nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Telemetry(());

/// When something began, were it measured.
#[derive(Debug)]
pub(crate) struct Watch;

impl Telemetry {
    #[inline(always)]
    pub(crate) fn begin(&self) -> Watch {
        Watch
    }

    #[inline(always)]
    pub(crate) fn answered(&self, _outcome: Outcome, _watch: Watch) {}

    #[inline(always)]
    pub(crate) fn confirmed(&self, _outcome: Outcome, _watch: Watch) {}

    #[inline(always)]
    pub(crate) fn looked_up(&self, _lookup: Lookup) {}
}

impl Watch {
    #[inline(always)]
    pub(crate) fn started() -> Self {
        Self
    }
}

#[inline(always)]
pub(super) fn ran(_verb: Verb, _outcome: &'static str, _watch: &Watch) {}

#[inline(always)]
pub(super) fn called(_operation: Operation, _error: Option<&'static str>, _watch: &Watch) {}

#[inline(always)]
pub(crate) fn lagged(_lag: Duration) {}

#[inline(always)]
pub(crate) fn throttled(_attempt: Option<Attempt<'_>>) {}

#[inline(always)]
pub(crate) fn missed(_events: u64) {}

#[inline(always)]
pub(crate) fn credentials_refused() {}

/// The observer as it is.
pub(crate) fn counting(observer: Arc<dyn Observer>) -> Arc<dyn Observer> {
    observer
}

/// Nothing is published.
#[derive(Debug)]
pub(crate) struct Publishing;

impl Publishing {
    pub(crate) fn start(
        _telemetry: Telemetry,
        _store: Arc<dyn SessionStore>,
        _status: impl Fn() -> (ViewStatus, StoreStatus) + Send + Sync + 'static,
    ) -> Self {
        Self
    }

    #[inline(always)]
    pub(crate) fn finish(&self) {}
}
