//! What comes of a sign-in: made to hold here, and told.

use super::error::SessionError;
use super::info::SessionInfo;
use crate::events::Event;
use crate::revocation::EndReason;
use crate::session::core::Core;
use crate::session::mint::{AccessToken, StandsFor};
use crate::session::store::{Listing, NewSession, SignInOutcome};
use crate::session::{Grants, SessionRecord};
use crate::verify::{Binding, CustomClaims};

/// What came of a sign-in, as it was told.
pub(super) struct Told {
    pub(super) record: SessionRecord,
    pub(super) ended: Vec<SessionInfo>,
    pub(super) first: bool,
    /// Whether this sign-in made the session, or found it made by another.
    pub(super) made: bool,
}

impl<C: CustomClaims> Core<C> {
    /// Makes what a store says of a sign-in hold here, and tells it.
    pub(super) async fn signed_in(
        &self,
        session: &NewSession,
        outcome: SignInOutcome,
    ) -> Result<Told, SessionError> {
        let user = &session.user;
        match outcome {
            SignInOutcome::Created {
                record,
                ended,
                committed,
                first,
            } => {
                if let Some(committed) = &committed {
                    self.revocations.committed(committed);
                }
                Ok(self.tell(record, ended, first))
            }
            SignInOutcome::LimitReached { ended, committed } => {
                if let Some(committed) = &committed {
                    self.revocations.committed(committed);
                }
                self.observe_ends(&ended);
                self.observe(&Event::SignInRefused { user: user.clone() });
                Err(SessionError::LimitReached)
            }
            // Our own write, whose first answer was lost.
            SignInOutcome::Repeated { record } if record.id == session.id => {
                let ended = self.store.list(user, Listing::Ended).await?;
                let ended = ended
                    .into_iter()
                    .filter(|one| gave_way(one, &record))
                    .collect();
                Ok(self.tell(record, ended, false))
            }
            SignInOutcome::Repeated { record } => Ok(Told {
                record,
                ended: Vec::new(),
                first: false,
                made: false,
            }),
            SignInOutcome::Superseded => Err(SessionError::SignInSuperseded),
            SignInOutcome::TicketOutdated => Err(SessionError::TicketOutdated),
        }
    }

    fn tell(&self, record: SessionRecord, ended: Vec<SessionRecord>, first: bool) -> Told {
        self.observe_ends(&ended);
        self.observe(&Event::SignedIn {
            session: record.id,
            user: record.user.clone(),
            first,
            device: Box::new(record.device.clone()),
        });
        Told {
            record,
            ended: ended.into_iter().map(SessionInfo::from).collect(),
            first,
            made: true,
        }
    }

    /// Refuses claims of which no token can be made, before there is a session without one.
    pub(super) fn check_claims(
        &self,
        session: &NewSession,
        grants: &Grants<C>,
    ) -> Result<(), SessionError> {
        let token = AccessToken {
            user: &session.user,
            stands_for: StandsFor::Session {
                id: session.id,
                authenticated_at: session.issued_at,
                authentication: &session.authentication,
            },
            binding: Binding {
                generation: 1,
                revoked_gen: session.revoked_gen,
                roles_gen: session.revoked_gen,
            },
            issued_at: session.issued_at,
            expires_at: session.access_expires_at,
            roles: &grants.roles,
            scopes: &grants.scopes,
            custom: &grants.custom,
        };
        Ok(token.check(self.verifier.policy())?)
    }
}

/// Whether a session ended in the step that made another.
fn gave_way(one: &SessionRecord, made: &SessionRecord) -> bool {
    let by_itself = |reason: &EndReason| {
        matches!(
            reason,
            EndReason::Evicted | EndReason::Expired | EndReason::Idle
        )
    };
    one.ended
        .as_ref()
        .is_some_and(|ended| ended.at == made.created_at && by_itself(&ended.reason))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::session::record::Ended;
    use crate::session::record::tests::record;

    #[test]
    fn who_ended_by_itself_in_that_very_step_gave_way() {
        let made = record();
        let later = made.created_at + Duration::from_micros(1);
        for (at, reason, expected) in [
            (made.created_at, EndReason::Evicted, true),
            (made.created_at, EndReason::Expired, true),
            (made.created_at, EndReason::Idle, true),
            (made.created_at, EndReason::SignedOut, false),
            (later, EndReason::Evicted, false),
        ] {
            let mut one = record();
            assert!(!gave_way(&one, &made));
            one.ended = Some(Ended {
                at,
                reason,
                by: None,
            });
            assert_eq!(gave_way(&one, &made), expected, "{one:?}");
        }
    }
}
