//! What is decided about a request, without doing anything yet.

use http::HeaderMap;

use super::knobs::{Anonymous, Enforcement};
use super::layer::{Gate, Rules};
use crate::clock::{Clock, Instants};
use crate::events::{Event, Observer};
use crate::rejection::Rejection;
use crate::revocation::{Pending, Refusal, Verdict};
use crate::session::Session;
use crate::token::{SourceError, TokenSource};
use crate::verify::VerifyError;

/// What this node knows about a request.
pub(super) enum Admission {
    /// This is who sent it.
    Admit(Session),
    /// Nobody says who sent it, and that is allowed.
    Anonymous,
    /// Only the store knows.
    Ask(Box<Pending>),
    /// It has to stay out.
    Refuse(Box<Refused>),
}

/// A refusal: what the client learns, and what the log does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) rejection: Rejection,
    pub(super) cause: &'static str,
}

impl Admission {
    /// Decides about the headers of a request that arrived at `now`.
    pub(super) fn decide(
        gate: &Gate,
        source: &TokenSource,
        rules: &Rules,
        headers: &HeaderMap,
        now: Instants,
    ) -> Self {
        Self::check(gate, source, rules, headers, now)
            .unwrap_or_else(|refused| Self::Refuse(Box::new(refused)))
    }

    fn check(
        gate: &Gate,
        source: &TokenSource,
        rules: &Rules,
        headers: &HeaderMap,
        now: Instants,
    ) -> Result<Self, Refused> {
        let Some(token) = source.find(headers)? else {
            return Self::without_token(rules.anonymous);
        };
        let verified = gate.verifier.verify(token, now.wall)?;
        match gate.revocations.check(verified, &rules.terms, now) {
            Verdict::Active(active) => Ok(Self::Admit(Session::from_active(active))),
            Verdict::Ask(pending) => Ok(Self::Ask(pending)),
            Verdict::Refused(refusal) => Err(refusal.into()),
        }
    }

    fn without_token(anonymous: Anonymous) -> Result<Self, Refused> {
        match anonymous {
            Anonymous::Allow => Ok(Self::Anonymous),
            Anonymous::Reject => Err(Refused {
                rejection: Rejection::MissingToken,
                cause: "no token",
            }),
        }
    }
}

impl Refused {
    /// Reports the refusal.
    ///
    /// # Errors
    ///
    /// The rejection, unless the layer only reports.
    pub(super) fn enforce(
        self,
        enforcement: Enforcement,
        clock: &dyn Clock,
        observer: &dyn Observer,
    ) -> Result<(), Rejection> {
        let report_only = enforcement == Enforcement::ReportOnly;
        let event = Event::Refused {
            rejection: self.rejection.clone(),
            cause: self.cause,
            report_only,
        };
        observer.observe(clock.now(), &event);
        if report_only {
            Ok(())
        } else {
            Err(self.rejection)
        }
    }
}

impl From<SourceError> for Refused {
    fn from(error: SourceError) -> Self {
        Self {
            rejection: error.into(),
            cause: error.as_str(),
        }
    }
}

impl From<VerifyError> for Refused {
    fn from(error: VerifyError) -> Self {
        let cause = error.cause();
        Self {
            rejection: error.into(),
            cause,
        }
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let cause = match &refusal {
            Refusal::Revoked(reason) => reason.as_str(),
            Refusal::Stale => "roles read before they changed",
            Refusal::StoreUnavailable { .. } => "the session store could not be asked",
            Refusal::UnknownSession => "no such session of that user",
        };
        Self {
            rejection: refusal.into(),
            cause,
        }
    }
}

#[cfg(test)]
mod tests;
