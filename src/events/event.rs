//! The events themselves.

use std::net::IpAddr;
use std::time::Duration;

use crate::clock::UnixTime;
use crate::rejection::Rejection;
use crate::revocation::{CallClass, EndReason, Signal};
use crate::session::refresh::{Advance, ReplayKind};
use crate::session::risk::{RiskSignal, RiskStep, RiskVerdict};
use crate::session::{Device, FailureCounts, RefreshFailure, SessionRecord};
use crate::token::{SessionId, TokenId, UserId};

/// Something that happened.
///
/// Each is told once, on the node where it happened: that which did the deed, or which found a session
/// to be over. What a node notices of its store and of its own view, each node tells for itself.
/// No event holds a token or anything that could be replayed.
///
/// `docs/events.md` lists when each is told.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Event {
    /// The audit log had no room for entries while it could not be written; they are lost.
    AuditLost {
        /// How many, since the last time this was told.
        entries: u64,
    },
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
        /// How long it had lasted.
        lasted: Duration,
        /// The device that it was signed in on.
        device: Box<Device>,
    },
    /// Everything of a user was ended, and the records of it were removed.
    Erased {
        /// The user.
        user: UserId,
    },
    /// The revocation log was found to have lost entries, or to be another one than before, as when the
    /// store was restored, promoted or emptied. What this node still knows is written back.
    LogChanged,
    /// The one that hears this has missed events, because it did not keep up.
    Missed {
        /// How many, since the last one that it heard.
        events: u64,
    },
    /// A user signed in on a device that was not known before; never with the first session.
    NewDevice {
        /// The session.
        session: SessionId,
        /// Its user.
        user: UserId,
        /// The device.
        device: Box<Device>,
    },
    /// A user proved again who they are.
    Reauthenticated {
        /// The session.
        session: SessionId,
        /// Its user.
        user: UserId,
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
        /// Where it came from, where that is known.
        address: Option<IpAddr>,
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
    /// An answer to a refresh was given again.
    ReplayAccepted {
        /// The session.
        session: SessionId,
        /// Its user.
        user: UserId,
        /// Why it was taken for an accident.
        how: ReplayKind,
        /// Where it came from, where that is known.
        address: Option<IpAddr>,
    },
    /// A client held a refresh token of a generation that the store has never made: the store was
    /// restored from a backup. The session went on after it.
    RestoredAhead {
        /// The session.
        session: SessionId,
        /// Its user.
        user: UserId,
        /// Its generation now.
        generation: u32,
    },
    /// Something about a session was unusual.
    RiskRaised {
        /// The session.
        session: SessionId,
        /// Its user.
        user: UserId,
        /// At what.
        step: RiskStep,
        /// What, with the evidence.
        signals: Vec<RiskSignal>,
        /// What the application decided.
        verdict: RiskVerdict,
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
        /// The device, as it is kept with the session.
        device: Box<Device>,
    },
    /// A sign-in was refused because the user has as many sessions as allowed.
    SignInRefused {
        /// The user.
        user: UserId,
    },
    /// The store answers again.
    StoreBack {
        /// Which kind of store, as `"postgres"`.
        backend: &'static str,
        /// What the calls are for that are answered again.
        class: CallClass,
        /// How long it did not, as far as this node knows.
        away: Duration,
    },
    /// The store does not answer.
    StoreLost {
        /// Which kind of store, as `"postgres"`.
        backend: &'static str,
        /// What the calls are for that are not answered.
        class: CallClass,
    },
    /// A token was revoked that belongs to no session of ours: another issuer's, an untracked or an
    /// older one.
    TokenRevoked {
        /// Its user.
        user: UserId,
        /// The session that it names.
        session: Option<SessionId>,
        /// Its own id, where it names no session.
        token: Option<TokenId>,
        /// Why.
        reason: EndReason,
    },
    /// Refreshes have failed often. Told at ten and then each time that the number has doubled.
    TooManyRefreshFailures {
        /// The session that the last token was of.
        session: Option<SessionId>,
        /// Its user, where the session is remembered.
        user: Option<UserId>,
        /// Where the last one came from, where that is known.
        address: Option<IpAddr>,
        /// How often that session and that address have failed so far on this node.
        failures: FailureCounts,
    },
    /// A token was made that no session stands behind.
    UntrackedIssued {
        /// Its user.
        user: UserId,
        /// Its id.
        token: TokenId,
        /// When it expires.
        expires_at: UnixTime,
    },
    /// The view of this node answers requests again.
    ViewFresh {
        /// For how long it did not.
        stale: Duration,
    },
    /// The log could not be followed for so long that the view of this node must not answer any more:
    /// each request asks the store.
    ViewStale,
    /// Revocations that the log had lost were written back by this node, which knew them.
    WrittenBack {
        /// How many.
        entries: usize,
    },
}

impl Event {
    /// The name of its kind, one of a closed set: for logs, labels and the audit log.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::AuditLost { .. } => "audit_lost",
            Self::Ended { .. } => "ended",
            Self::Erased { .. } => "erased",
            Self::LogChanged => "log_changed",
            Self::Missed { .. } => "missed",
            Self::NewDevice { .. } => "new_device",
            Self::Reauthenticated { .. } => "reauthenticated",
            Self::RefreshFailed { .. } => "refresh_failed",
            Self::Refreshed { .. } => "refreshed",
            Self::Refused { .. } => "refused",
            Self::Renamed { .. } => "renamed",
            Self::ReplayAccepted { .. } => "replay_accepted",
            Self::RestoredAhead { .. } => "restored_ahead",
            Self::RiskRaised { .. } => "risk_raised",
            Self::RolesChanged { .. } => "roles_changed",
            Self::SignedIn { .. } => "signed_in",
            Self::SignInRefused { .. } => "sign_in_refused",
            Self::StoreBack { .. } => "store_back",
            Self::StoreLost { .. } => "store_lost",
            Self::TokenRevoked { .. } => "token_revoked",
            Self::TooManyRefreshFailures { .. } => "too_many_refresh_failures",
            Self::UntrackedIssued { .. } => "untracked_issued",
            Self::ViewFresh { .. } => "view_fresh",
            Self::ViewStale => "view_stale",
            Self::WrittenBack { .. } => "written_back",
        }
    }

    /// Whom it is about, where that is known.
    #[must_use]
    pub fn user(&self) -> Option<&UserId> {
        match self {
            Self::Ended { user, .. }
            | Self::Erased { user }
            | Self::NewDevice { user, .. }
            | Self::Reauthenticated { user, .. }
            | Self::Refreshed { user, .. }
            | Self::Renamed { user, .. }
            | Self::ReplayAccepted { user, .. }
            | Self::RestoredAhead { user, .. }
            | Self::RiskRaised { user, .. }
            | Self::RolesChanged { user }
            | Self::SignedIn { user, .. }
            | Self::SignInRefused { user }
            | Self::TokenRevoked { user, .. }
            | Self::UntrackedIssued { user, .. } => Some(user),
            Self::RefreshFailed { user, .. } | Self::TooManyRefreshFailures { user, .. } => {
                user.as_ref()
            }
            _ => None,
        }
    }

    /// The session that it is about, where there is one.
    #[must_use]
    pub fn session(&self) -> Option<SessionId> {
        match self {
            Self::Ended { session, .. }
            | Self::NewDevice { session, .. }
            | Self::Reauthenticated { session, .. }
            | Self::Refreshed { session, .. }
            | Self::Renamed { session, .. }
            | Self::ReplayAccepted { session, .. }
            | Self::RestoredAhead { session, .. }
            | Self::RiskRaised { session, .. }
            | Self::SignedIn { session, .. } => Some(*session),
            Self::RefreshFailed { session, .. }
            | Self::TokenRevoked { session, .. }
            | Self::TooManyRefreshFailures { session, .. } => *session,
            _ => None,
        }
    }

    /// That a session ended, if it did.
    pub(crate) fn of_end(record: &SessionRecord) -> Option<Self> {
        let ended = record.ended.as_ref()?;
        Some(Self::Ended {
            session: record.id,
            user: record.user.clone(),
            reason: ended.reason.clone(),
            by: ended.by.clone(),
            lasted: ended.at.since(record.created_at),
            device: Box::new(record.device.clone()),
        })
    }
}

impl From<Signal> for Event {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::LogChanged => Self::LogChanged,
            Signal::StoreBack {
                backend,
                class,
                away,
            } => Self::StoreBack {
                backend,
                class,
                away,
            },
            Signal::StoreLost { backend, class } => Self::StoreLost { backend, class },
            Signal::ViewFresh { stale } => Self::ViewFresh { stale },
            Signal::ViewStale => Self::ViewStale,
            Signal::WrittenBack { entries } => Self::WrittenBack { entries },
        }
    }
}
