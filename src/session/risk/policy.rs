//! Who decides what becomes of what is unusual.

use std::fmt;
use std::sync::Arc;

use super::rules::RiskRules;
use super::signal::{RiskSignal, Severity};
use crate::clock::UnixTime;
use crate::token::{SessionId, UserId};

/// What is unusual about one step of a session.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RiskAssessment {
    /// Whose session.
    pub user: UserId,
    /// Which.
    pub session: SessionId,
    /// At what.
    pub step: RiskStep,
    /// When.
    pub at: UnixTime,
    /// What is unusual; never nothing.
    pub signals: Vec<RiskSignal>,
}

/// What a user or their program was about to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RiskStep {
    /// To prove again who they are.
    Reauthentication,
    /// To refresh, which succeeded.
    Refresh,
    /// To refresh, which failed.
    RefreshFailure,
    /// To sign in.
    SignIn,
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RiskVerdict {
    /// Nothing, but for the event.
    #[default]
    Allow,
    /// Flags the session, and takes its proof of who the user is for long ago: behind
    /// [`RequireFresh`](crate::guard::RequireFresh) they prove it again, everything else goes
    /// on. To a proof that has just been given it is a flag.
    AskFresh,
    /// The session ends, with [`EndReason::Suspicious`](crate::revocation::EndReason::Suspicious).
    End,
    /// Flags the session: its user sees it in the list of sessions.
    Flag,
}

/// Decides what becomes of what is unusual. Asked only where something is.
///
/// It is called in the middle of a sign-in or refresh, so it should answer at once, and must not
/// panic.
pub trait RiskPolicy: Send + Sync + 'static {
    /// Decides.
    fn decide(&self, case: &RiskAssessment) -> RiskVerdict;
}

impl<F: Fn(&RiskAssessment) -> RiskVerdict + Send + Sync + 'static> RiskPolicy for F {
    fn decide(&self, case: &RiskAssessment) -> RiskVerdict {
        self(case)
    }
}

/// Flags what is of [`Severity::Medium`] or more, and lets everybody go on: the default.
#[derive(Clone, Copy, Debug, Default)]
pub struct FlagUnusual;

impl RiskPolicy for FlagUnusual {
    fn decide(&self, case: &RiskAssessment) -> RiskVerdict {
        if case.severity() >= Severity::Medium {
            RiskVerdict::Flag
        } else {
            RiskVerdict::Allow
        }
    }
}

impl RiskAssessment {
    /// A case, as for trying a policy out.
    #[must_use]
    pub fn new(
        user: UserId,
        session: SessionId,
        step: RiskStep,
        at: UnixTime,
        signals: Vec<RiskSignal>,
    ) -> Self {
        Self {
            user,
            session,
            step,
            at,
            signals,
        }
    }

    /// That of the weightiest signal.
    #[must_use]
    pub fn severity(&self) -> Severity {
        let severities = self.signals.iter().map(RiskSignal::severity);
        severities.max().unwrap_or_default()
    }
}

/// What is watched for, and who decides.
#[derive(Clone)]
pub struct RiskWatch {
    pub(crate) rules: RiskRules,
    pub(crate) policy: Arc<dyn RiskPolicy>,
}

impl RiskWatch {
    /// The default rules, and a policy of the application's.
    #[must_use]
    pub fn deciding(policy: impl RiskPolicy) -> Self {
        Self {
            rules: RiskRules::default(),
            policy: Arc::new(policy),
        }
    }

    /// Sets the rules.
    #[must_use]
    pub fn with_rules(mut self, rules: RiskRules) -> Self {
        self.rules = rules;
        self
    }
}

impl Default for RiskWatch {
    /// The default rules, and [`FlagUnusual`].
    fn default() -> Self {
        Self::deciding(FlagUnusual)
    }
}

impl fmt::Debug for RiskWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RiskWatch")
            .field("rules", &self.rules)
            .finish_non_exhaustive()
    }
}

impl RiskVerdict {
    /// The name that labels and logs use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::AskFresh => "ask_fresh",
            Self::End => "end",
            Self::Flag => "flag",
        }
    }
}

impl RiskStep {
    /// The name that labels and logs use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Reauthentication => "reauthentication",
            Self::Refresh => "refresh",
            Self::RefreshFailure => "refresh_failure",
            Self::SignIn => "sign_in",
        }
    }
}
