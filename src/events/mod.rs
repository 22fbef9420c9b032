//! What happened, typed.
//!
//! An [`Observer`] hears of each event where it happens, and must return at once. What may take longer listens to a
//! [`Broadcast`], or stands behind a [`Queued`]. [`LogObserver`] writes the log, [`Statistics`] counts
//! for pages of administrators, and the [audit log](crate::audit) keeps what happened in the store.

mod broadcast;
mod event;
mod queued;
mod statistics;

use std::fmt;

pub use broadcast::{Broadcast, Subscription, Told};
pub use event::Event;
pub use queued::Queued;
pub use statistics::{Counts, SeenEvent, Statistics};

use crate::clock::UnixTime;
use crate::revocation::EndReason;
use crate::session::risk::RiskVerdict;

/// Hears of what the layers and the verbs do. What a guard or a handler refuses is not among it:
/// that stands in the extensions of the response, and in the log.
///
/// Called where it happens, so it must return at once and must not panic: [`Queued`] is for what does not.
pub trait Observer: Send + Sync + 'static {
    /// Hears of an event at `now`.
    fn observe(&self, now: UnixTime, event: &Event);
}

impl<F: Fn(UnixTime, &Event) + Send + Sync + 'static> Observer for F {
    fn observe(&self, now: UnixTime, event: &Event) {
        self(now, event);
    }
}

/// Two that hear of everything, one after the other.
impl<A: Observer, B: Observer> Observer for (A, B) {
    fn observe(&self, now: UnixTime, event: &Event) {
        self.0.observe(now, event);
        self.1.observe(now, event);
    }
}

/// Writes every event to the `tracing` log; the default.
#[derive(Clone, Copy, Debug, Default)]
pub struct LogObserver;

impl Observer for LogObserver {
    fn observe(&self, _now: UnixTime, event: &Event) {
        match event {
            Event::Refused {
                report_only: true, ..
            } => tracing::info!(?event, "request would be refused"),
            Event::Refused { .. } => tracing::debug!(?event, "request refused"),
            // Without the device: where people are is not for every log.
            Event::Ended {
                session,
                user,
                reason,
                by,
                lasted,
                ..
            } if *reason == EndReason::RefreshReused => {
                tracing::warn!(%session, %user, ?by, ?lasted, "refresh token used again; session ended");
            }
            Event::Ended {
                session,
                user,
                reason,
                by,
                lasted,
                ..
            } => tracing::info!(%session, %user, %reason, ?by, ?lasted, "session ended"),
            Event::SignedIn {
                session,
                user,
                first,
                ..
            } => tracing::info!(%session, %user, first, "signed in"),
            Event::NewDevice { session, user, .. } => {
                tracing::info!(%session, %user, "signed in on a new device");
            }
            Event::TooManyRefreshFailures { .. } => tracing::warn!(?event, "refreshes fail often"),
            Event::RiskRaised {
                signals, verdict, ..
            } => {
                let found: Vec<_> = signals.iter().map(ToString::to_string).collect();
                let (session, user) = (event.session(), event.user());
                let (found, decided) = (found.join("; "), verdict.as_str());
                if *verdict == RiskVerdict::Allow {
                    tracing::info!(?session, ?user, verdict = decided, "unusual: {found}");
                } else {
                    tracing::warn!(?session, ?user, verdict = decided, "unusual: {found}");
                }
            }
            Event::ViewStale => {
                tracing::warn!("the log cannot be followed; each request asks the store");
            }
            Event::ViewFresh { stale } => {
                tracing::info!(?stale, "the log is followed again, and answers requests");
            }
            // Said by whoever noticed, with the cause at hand.
            Event::AuditLost { .. }
            | Event::LogChanged
            | Event::StoreBack { .. }
            | Event::StoreLost { .. }
            | Event::WrittenBack { .. } => tracing::debug!(?event),
            _ => tracing::info!(?event),
        }
    }
}

impl fmt::Debug for dyn Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}
