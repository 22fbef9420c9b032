//! What a refresh token means, written down from the table of rule F3 and from nothing else.

use std::collections::HashMap;

use tower_jwt_session::revocation::{Question, RevocationEntry, Revoked};
use tower_jwt_session::session::{Granted, RefreshAttempt, RefreshOutcome, SessionRecord};
use tower_jwt_session::verify::Counter;
use tower_jwt_session::{SessionId, UnixTime, UserId};

#[derive(Debug, Default)]
pub struct Table {
    lines: HashMap<SessionId, Line>,
}

/// One session.
#[derive(Clone, Debug)]
struct Line {
    user: UserId,
    revoked_gen: Counter,
    over: bool,
    generation: u32,
    predecessor: u32,
    rotated: UnixTime,
    used: bool,
    operation: u128,
}

/// What the table says of a refresh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expected {
    /// The same pair again.
    Again,
    /// The next generation.
    Next,
    /// The session ends.
    Theft,
    /// Nothing is left to refresh.
    Over,
    /// The store was restored.
    Onwards,
}

impl Table {
    pub fn made(&mut self, record: &SessionRecord) {
        let line = Line {
            user: record.user.clone(),
            revoked_gen: record.revoked_gen,
            over: false,
            generation: 1,
            predecessor: 0,
            rotated: UnixTime::EPOCH,
            used: false,
            operation: 0,
        };
        self.lines.insert(record.id, line);
    }

    pub fn ended(&mut self, session: SessionId) {
        if let Some(line) = self.lines.get_mut(&session) {
            line.over = true;
        }
    }

    pub fn entered(&mut self, entry: &RevocationEntry) {
        match &entry.revoked {
            Revoked::Session { session, .. } => self.ended(*session),
            Revoked::User {
                user,
                below,
                except,
            } => {
                for (id, line) in &mut self.lines {
                    let older = line.user == *user && line.revoked_gen < *below;
                    line.over |= older && Some(*id) != *except;
                }
            }
            _ => {}
        }
    }

    pub fn admitted(&mut self, question: &Question) {
        let facts = &question.facts;
        let line = facts.session.and_then(|id| self.lines.get_mut(&id));
        if let (Some(line), Some(binding)) = (line, facts.binding)
            && line.user == facts.user
            && line.generation == binding.generation
            && question.about == tower_jwt_session::revocation::About::Session
        {
            line.used = true;
        }
    }

    pub fn expected(&self, attempt: &RefreshAttempt, now: UnixTime) -> Expected {
        let Some(line) = self.lines.get(&attempt.session) else {
            return Expected::Over;
        };
        let grace = attempt.rules.grace;
        let strict = grace.is_zero();
        let presented = attempt.presented.generation;
        if line.over {
            Expected::Over
        } else if presented > line.generation {
            Expected::Onwards
        } else if presented == line.generation {
            let held = line.predecessor != 0 && !strict && now < line.rotated + 2 * grace;
            if held {
                Expected::Again
            } else {
                Expected::Next
            }
        } else if presented != line.predecessor {
            Expected::Theft
        } else if attempt.presented.operation == line.operation {
            Expected::Again
        } else if strict {
            Expected::Theft
        } else if now < line.rotated + grace {
            Expected::Again
        } else if line.used {
            Expected::Theft
        } else {
            Expected::Next
        }
    }

    pub fn refreshed(&mut self, attempt: &RefreshAttempt, outcome: &RefreshOutcome, now: UnixTime) {
        let expected = self.expected(attempt, now);
        let Some(line) = self.lines.get_mut(&attempt.session) else {
            return;
        };
        let presented = attempt.presented;
        match expected {
            Expected::Theft => line.over = true,
            Expected::Next | Expected::Onwards => {
                line.predecessor = presented.generation;
                line.generation = line.generation.max(presented.generation) + 1;
                line.rotated = now;
                line.used = false;
                line.operation = presented.operation;
            }
            Expected::Again if presented.generation == line.generation => line.used = true,
            Expected::Again if presented.operation != line.operation && !line.used => {
                line.rotated = now;
            }
            Expected::Again | Expected::Over => {}
        }
        debug_assert!(
            !matches!(
                outcome,
                RefreshOutcome::Granted {
                    how: Granted::Advanced(_),
                    ..
                }
            ) || !line.over
        );
    }
}

impl Expected {
    /// Whether an outcome is what the table says.
    pub fn is(self, outcome: &RefreshOutcome) -> bool {
        match (self, outcome) {
            (
                Self::Again,
                RefreshOutcome::Granted {
                    how: Granted::Repeated(_),
                    ..
                }
                | RefreshOutcome::TooMany,
            )
            | (
                Self::Next | Self::Onwards,
                RefreshOutcome::Granted {
                    how: Granted::Advanced(_),
                    ..
                },
            )
            | (Self::Theft, RefreshOutcome::Reused { .. })
            | (Self::Over, RefreshOutcome::Over { .. } | RefreshOutcome::Unknown)
            // The same write run again finds what it did.
            | (Self::Over, RefreshOutcome::Reused { .. }) => true,
            _ => false,
        }
    }
}
