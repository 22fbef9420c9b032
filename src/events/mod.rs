//! What happened, typed.

mod statistics;

use std::fmt;
use std::net::IpAddr;

pub use statistics::{Counts, SeenEvent, Statistics};

use crate::clock::UnixTime;
use crate::rejection::Rejection;
use crate::revocation::EndReason;
use crate::session::SessionRecord;
use crate::session::refresh::{Advance, ReplayKind};
use crate::session::{FailureCounts, RefreshFailure};
use crate::token::{SessionId, UserId};

/// Something that happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// A session ended.
    Ended {
        /// The session.
        session: SessionId,
        /// Its user.
        user: UserId,
        /// Why.
        reason: EndReason,
        /// Who ended it, where that was somebody.
        by: Option<UserId>,
    },
    /// A refresh failed by the token that came with it.
    RefreshFailed {
        /// The session that a genuine token is of.
        session: Option<SessionId>,
        /// Its user, where the session is remembered.
        user: Option<UserId>,
        /// Where it came from, where that is known.
        address: Option<IpAddr>,
        /// Why.
        why: RefreshFailure,
        /// How often that session and that address have failed so far on this node.
        failures: FailureCounts,
    },
    /// A session was refreshed.
    Refreshed {
        /// The session.
        session: SessionId,
        /// Its user.
        user: UserId,
        /// Its generation now.
        generation: u32,
        /// How it came to its new generation.
        how: Advance,
    },
    /// An answer to a refresh was given again.
    ReplayAccepted {
        /// The session.
        session: SessionId,
        /// Its user.
        user: UserId,
        /// Why it was taken for an accident.
        how: ReplayKind,
    },
    /// A request was refused, or would have been in report-only mode.
    Refused {
        /// What the client learnt.
        rejection: Rejection,
        /// The cause, for the log.
        cause: &'static str,
        /// Whether it was let through all the same.
        report_only: bool,
    },
    /// A name was given to a session.
    Renamed {
        /// The session.
        session: SessionId,
        /// Its user.
        user: UserId,
    },
    /// A user's roles changed.
    RolesChanged {
        /// The user.
        user: UserId,
    },
    /// A user signed in.
    SignedIn {
        /// The session.
        session: SessionId,
        /// Its user.
        user: UserId,
        /// Whether this is the user's first session that is remembered.
        first: bool,
    },
    /// A sign-in was refused because the user has as many sessions as allowed.
    SignInRefused {
        /// The user.
        user: UserId,
    },
}

impl Event {
    /// That a session ended, if it did.
    pub(crate) fn of_end(record: &SessionRecord) -> Option<Self> {
        let ended = record.ended.as_ref()?;
        Some(Self::Ended {
            session: record.id,
            user: record.user.clone(),
            reason: ended.reason.clone(),
            by: ended.by.clone(),
        })
    }
}

/// Hears of what the layers and the verbs do. What a guard or a handler refuses is not among it:
/// that stands in the extensions of the response, and in the log.
///
/// Called where it happens, so it must return at once and must not panic.
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
            Event::Ended {
                reason: EndReason::RefreshReused,
                ..
            } => tracing::warn!(?event, "refresh token used again; session ended"),
            _ => tracing::info!(?event),
        }
    }
}

impl fmt::Debug for dyn Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Observer")
    }
}
