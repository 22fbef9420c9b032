//! What is decided about a request, without doing anything yet.

use super::knobs::{Anonymous, Enforcement};
use super::layer::{Gate, Rules};
use super::same_origin::{CrossOrigin, Head};
use crate::clock::{Clock, Instants};
use crate::events::{Event, Observer};
use crate::rejection::Rejection;
use crate::revocation::{Pending, Refusal, Verdict};
use crate::session::Session;
use crate::telemetry::Outcome;
use crate::token::{Carrier, Found, RawToken, SourceError, carrier_of};
use crate::verify::{Untracked, VerifiedToken, VerifyError};

/// What this node knows about a request.
pub(super) enum Admission<'h> {
    /// This is who sent it.
    Admit(Session),
    /// Nobody says who sent it, and that is allowed.
    Anonymous,
    /// Only the store knows of this token.
    Ask(RawToken<'h>, Box<Pending>),
    /// It has to stay out.
    Refuse(Box<Refused>),
}

/// A refusal: what the client learns, and what the log does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) rejection: Rejection,
    pub(super) cause: &'static str,
}

impl<'h> Admission<'h> {
    /// Decides about what was found in a request that arrived at `now`.
    pub(super) fn decide(
        gate: &Gate,
        found: Found<'h>,
        rules: &Rules,
        head: Head<'_>,
        now: Instants,
    ) -> Self {
        let carrier = carrier_of(&found);
        let refused = match found {
            Ok(None) => Self::without_token(rules.anonymous),
            Ok(Some(token)) => Self::check(gate, rules, token, head, now),
            Err(misread) => Err(misread.error.into()),
        };
        match refused {
            Ok(admission) => admission,
            Err(refused) if rules.passes_without(carrier, &refused) => Self::Anonymous,
            Err(refused) => Self::Refuse(Box::new(refused)),
        }
    }

    fn check(
        gate: &Gate,
        rules: &Rules,
        token: RawToken<'h>,
        head: Head<'_>,
        now: Instants,
    ) -> Result<Self, Refused> {
        // Before anything is looked up: a page elsewhere must not even make a token count as used.
        if token.carrier() == Carrier::Cookie {
            gate.origins.admit(head)?;
        }
        let verified = match gate.verifier.verify(token, now.wall) {
            Ok(verified) => verified,
            Err(error) => gate.second_look(token, head, now, error)?,
        };
        if rules.untracked == Untracked::Refuse && verified.is_untracked() {
            return Err(Refused {
                rejection: Rejection::InvalidToken,
                cause: "an untracked token, which this layer refuses",
            });
        }
        match gate.revocations.check(verified, &rules.terms, now) {
            Verdict::Active(active) => Ok(Self::Admit(Session::from_active(active))),
            Verdict::Ask(pending) => Ok(Self::Ask(token, pending)),
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

impl Gate {
    /// What became of a token that did not verify: a client of whom little bad is known is looked
    /// at also when others have to wait.
    #[cold]
    fn second_look(
        &self,
        token: RawToken<'_>,
        head: Head<'_>,
        now: Instants,
        error: VerifyError,
    ) -> Result<VerifiedToken, VerifyError> {
        let network = head.network();
        let error = if error.is_busy() {
            match self.verifier.verify_from(network, token, now.wall) {
                Ok(verified) => return Ok(verified),
                Err(error) => error,
            }
        } else {
            error
        };
        if !error.is_busy() {
            self.verifier.note_bad(network, now.wall);
        }
        Err(error)
    }
}

impl Rules {
    /// Whether a request goes on as if it had no token: a browser sends its cookies, whether or
    /// not they are good for anything. That the store is away, or too much to do, says nothing of
    /// a cookie.
    pub(super) fn passes_without(&self, carrier: Option<Carrier>, refused: &Refused) -> bool {
        self.anonymous == Anonymous::Allow
            && carrier == Some(Carrier::Cookie)
            && !matches!(
                refused.rejection,
                Rejection::Overloaded { .. } | Rejection::StoreUnavailable { .. }
            )
    }
}

impl Refused {
    pub(super) fn outcome(&self) -> Outcome {
        self.rejection.outcome()
    }

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

impl From<CrossOrigin> for Refused {
    fn from(error: CrossOrigin) -> Self {
        Self {
            rejection: Rejection::CsrfRejected,
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
