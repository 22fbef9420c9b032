//! What is known of a write only after its commit.

use crate::revocation::{Answer, Attached, Committed, Lease};
use crate::session::{
    EndAllOutcome, EndOutcome, Imported, RefreshOutcome, SessionRecord, SignInOutcome, Swept, Use,
};
use crate::stores::sql::rows::Line;

/// What a write answers.
pub(super) trait Outcome: Send {
    /// What it says of its commit.
    fn committed(&mut self) -> Option<&mut Committed>;
}

/// What was read after a commit.
#[derive(Debug, Default)]
pub(super) struct Aftermath {
    /// The lines that were written, as they stand.
    pub(super) standing: Vec<Line>,
    pub(super) leases: Vec<Lease>,
    pub(super) history: u128,
}

impl Aftermath {
    /// Completes an answer.
    pub(super) fn complete(&self, outcome: &mut impl Outcome) {
        let Some(committed) = outcome.committed() else {
            return;
        };
        for (entry, position) in committed.entries.iter_mut().zip(&mut committed.positions) {
            let standing = self.standing.iter().find(|line| line.entry.id == entry.id);
            if let Some(line) = standing {
                entry.clone_from(&line.entry);
                *position = line.at;
            }
        }
        committed.leases.clone_from(&self.leases);
        committed.history = self.history;
    }
}

macro_rules! outcome {
    ($type:ty, $value:pat => $committed:expr) => {
        impl Outcome for $type {
            fn committed(&mut self) -> Option<&mut Committed> {
                match self {
                    $value => $committed,
                    #[allow(unreachable_patterns, reason = "some outcomes have one shape alone")]
                    _ => None,
                }
            }
        }
    };
}

outcome!((), () => None);
outcome!(Answer, _ => None);
outcome!(bool, _ => None);
outcome!(Vec<Use>, _ => None);
outcome!(Imported, _ => None);
outcome!(Attached, _ => None);
outcome!(Option<SessionRecord>, _ => None);
outcome!(Committed, committed => Some(committed));
outcome!(Swept, Self { committed, .. } => committed.as_mut());
outcome!(EndOutcome, Self::Ended { committed, .. } => Some(committed));
outcome!(EndAllOutcome, Self::Ended { committed, .. } => Some(committed));
outcome!(SignInOutcome, Self::Created { committed, .. } | Self::LimitReached { committed, .. } => committed.as_mut());

impl Outcome for RefreshOutcome {
    fn committed(&mut self) -> Option<&mut Committed> {
        match self {
            Self::Granted { committed, .. } | Self::Over { committed, .. } => committed.as_mut(),
            Self::Reused { committed, .. } => Some(committed),
            Self::TooMany | Self::Unknown => None,
        }
    }
}
