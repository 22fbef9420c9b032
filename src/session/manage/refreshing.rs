//! Refreshing, and proving again who one is.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::Sessions;
use super::error::{SessionError, outcome};
use super::sign_in::expiry;
use super::tokens::Tokens;
use crate::clock::UnixTime;
use crate::events::Event;
use crate::revocation::{EndReason, EntryId};
use crate::session::core::Core;
use crate::session::mint::{AccessToken, StandsFor};
use crate::session::refresh::{Advance, Presented, RefreshKeys, RefreshRules, RefreshToken};
use crate::session::store::{
    Counters, EndAll, Granted, RefreshAttempt, RefreshOutcome, SessionChange,
};
use crate::session::{Authentication, Device, Grants, Session, SessionRecord};
use crate::telemetry::{Verb, verb};
use crate::token::UserId;
use crate::verify::{Binding, Counter, CustomClaims, TokenFacts};

impl<C: CustomClaims> Sessions<C> {
    /// Refreshes a session by the text of a refresh token.
    ///
    /// Safe to repeat with the same token while the grace lasts: whoever lost the answer gets the
    /// same successor again, however many ask at once.
    ///
    /// # Errors
    ///
    /// [`SessionError::InvalidToken`] for a text that is none of ours or whose session is forgotten,
    /// [`SessionError::RefreshReused`] when the token was used before and the session has ended
    /// for it, [`SessionError::Over`] when there is nothing left to refresh,
    /// [`SessionError::UnknownUser`] when the application knows no such user any more,
    /// [`SessionError::TooManyRepeats`], and [`SessionError::Store`] or
    /// [`SessionError::ClaimsSource`] after which the client tries again with the same token.
    pub async fn refresh(&self, refresh_token: &str) -> Result<Tokens, SessionError> {
        self.refresh_from(refresh_token, None).await
    }

    pub(super) async fn refresh_once(
        &self,
        refresh_token: &str,
        device: Device,
    ) -> Result<Tokens, SessionError> {
        let core = &self.core;
        let keys = core.refresh_keys.load_full();
        let token =
            RefreshToken::decode(refresh_token, &keys).map_err(|_| SessionError::InvalidToken)?;
        let begun = core.clock.now();
        let attempt = core.attempt(&token, begun);
        let this = core.clone();
        let address = device.address;
        let step = async move {
            let write = || this.store.refresh(attempt.clone());
            let (record, counters, how) =
                this.refreshed(this.outcome(begun, write).await?, address)?;
            let record = this.watch_refresh(record, device).await?;
            Ok((record, counters, how))
        };
        let (record, counters, how) = core.to_the_end(step).await?;
        core.in_time(begun)?;
        let Some(grants) = core.grants(&record.user).await? else {
            core.forget_user(&record.user).await?;
            return Err(SessionError::UnknownUser);
        };
        let mut tokens = core.pair(&record, counters.roles_gen, grants, token, &keys)?;
        if let Granted::Repeated(how) = how {
            tokens.repeated = Some(how);
        }
        Ok(tokens)
    }

    /// Answers a new access token to a user who has just proved again who they are; the refresh
    /// token stays as it is. The token satisfies [`RequireFresh`](crate::guard::RequireFresh)
    /// and expires when the presented one does.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotFound`] when the session is not alive or is no session of ours;
    /// [`SessionError::UnknownUser`]; [`SessionError::Store`].
    pub async fn reauthenticated<D>(
        &self,
        session: &Session<D>,
        authentication: Authentication,
    ) -> Result<Tokens, SessionError> {
        let nowhere = Device::default();
        self.reauthenticated_on(session, authentication, nowhere)
            .await
    }

    /// The same on a device, which [`risk`](crate::session::risk) is watched by.
    ///
    /// # Errors
    ///
    /// As for [`reauthenticated`](Self::reauthenticated); [`SessionError::Over`] where the policy
    /// of the application ended the session.
    pub async fn reauthenticated_on<D>(
        &self,
        session: &Session<D>,
        authentication: Authentication,
        device: Device,
    ) -> Result<Tokens, SessionError> {
        let renewed = self.renewed(session.token().facts(), authentication, device);
        verb(Verb::Reauthenticate, renewed, outcome).await
    }

    async fn renewed(
        &self,
        facts: &TokenFacts,
        authentication: Authentication,
        device: Device,
    ) -> Result<Tokens, SessionError> {
        let core = &self.core;
        let (Some(id), Some(binding)) = (facts.session, facts.binding) else {
            return Err(SessionError::NotFound);
        };
        let counters = core.within(core.store.counters(&facts.user)).await?;
        let Some(grants) = core.grants(&facts.user).await? else {
            core.forget_user(&facts.user).await?;
            return Err(SessionError::UnknownUser);
        };
        let change = SessionChange::Authenticated {
            at: core.clock.now(),
            authentication,
        };
        let record = self.change(&facts.user, id, change).await?;
        core.observe(&Event::Reauthenticated {
            session: id,
            user: facts.user.clone(),
        });
        let record = core.watch_proof(record, device).await?;
        let access_token = core.access_token(
            &record,
            Binding {
                roles_gen: counters.roles_gen,
                ..binding
            },
            grants,
            facts.expires_at,
        )?;
        Ok(Tokens {
            access_token,
            token_type: "Bearer",
            expires_in: facts.expires_at.since(core.clock.now()).as_secs(),
            refresh_token: None,
            session_id: id,
            generation: binding.generation,
            transport: record.transport,
            refresh_expires_in: record.refresh.expires_at.since(core.clock.now()),
            repeated: None,
            device_cookie: None,
        })
    }
}

impl<C: CustomClaims> Core<C> {
    pub(super) fn attempt(&self, token: &RefreshToken, begun: UnixTime) -> RefreshAttempt {
        RefreshAttempt {
            session: token.session(),
            bucket: token.bucket(),
            seed: token.seed_hash(),
            presented: Presented {
                generation: token.generation(),
                operation: Uuid::now_v7().as_u128(),
                issued_at: begun.floor_to_secs(),
                access_expires_at: expiry(begun, self.lifetimes.access()),
            },
            rules: RefreshRules {
                grace: self.rotation.grace(),
                lifetime: self.lifetimes.refresh(),
            },
            revoke_predecessor: self.rotation.revokes_predecessors(),
            entry: EntryId::random(),
        }
    }

    /// Makes what a store says of a refresh hold here, and tells it.
    fn refreshed(
        &self,
        outcome: RefreshOutcome,
        address: Option<IpAddr>,
    ) -> Result<(SessionRecord, Counters, Granted), SessionError> {
        match outcome {
            RefreshOutcome::Granted {
                record,
                counters,
                how,
                committed,
            } => {
                if let Some(committed) = &committed {
                    self.revocations.committed(committed);
                }
                let (session, user) = (record.id, record.user.clone());
                let generation = record.refresh.generation;
                if how == Granted::Advanced(Advance::Forwarded) {
                    self.observe(&Event::RestoredAhead {
                        session,
                        user: user.clone(),
                        generation,
                    });
                }
                self.observe(&match how {
                    Granted::Advanced(how) => Event::Refreshed {
                        session,
                        user,
                        generation,
                        how,
                        address,
                    },
                    Granted::Repeated(how) => Event::ReplayAccepted {
                        session,
                        user,
                        how,
                        address,
                    },
                });
                Ok((record, counters, how))
            }
            RefreshOutcome::Over {
                reason,
                record,
                committed,
            } => {
                if let Some(committed) = &committed {
                    self.revocations.committed(committed);
                    self.observe_ends(&record);
                }
                Err(SessionError::Over(reason))
            }
            RefreshOutcome::Reused { record, committed } => {
                self.revocations.committed(&committed);
                self.observe_ends([&record]);
                Err(SessionError::RefreshReused)
            }
            RefreshOutcome::TooMany => Err(SessionError::TooManyRepeats {
                // Shorter than the grace: whoever waits so long must not look like a thief.
                retry_after: (self.rotation.grace() / 2).max(Duration::from_secs(1)),
            }),
            RefreshOutcome::Unknown => Err(SessionError::InvalidToken),
        }
    }

    /// The pair of a session's current generation.
    pub(super) fn pair(
        &self,
        record: &SessionRecord,
        roles_gen: Counter,
        grants: Grants<C>,
        token: RefreshToken,
        keys: &RefreshKeys,
    ) -> Result<Tokens, SessionError> {
        let state = &record.refresh;
        let binding = Binding {
            generation: state.generation,
            revoked_gen: record.revoked_gen,
            roles_gen,
        };
        let access_token = self.access_token(record, binding, grants, state.access_expires_at)?;
        let now = self.clock.now();
        Ok(Tokens {
            access_token,
            token_type: "Bearer",
            expires_in: state.access_expires_at.since(now).as_secs(),
            refresh_token: Some(token.at_generation(state.generation).encode(keys)),
            session_id: record.id,
            generation: state.generation,
            transport: record.transport,
            refresh_expires_in: state.expires_at.since(now),
            repeated: None,
            device_cookie: None,
        })
    }

    fn access_token(
        &self,
        record: &SessionRecord,
        binding: Binding,
        grants: Grants<C>,
        expires_at: UnixTime,
    ) -> Result<String, SessionError> {
        let policy = self.verifier.policy();
        let token = AccessToken {
            user: &record.user,
            stands_for: StandsFor::Session {
                id: record.id,
                authenticated_at: record.authenticated_at,
                authentication: &record.authentication,
            },
            binding,
            issued_at: record.refresh.issued_at,
            expires_at,
            roles: &grants.roles,
            scopes: &grants.scopes,
            custom: &grants.custom,
        };
        Ok(token.mint(self.verifier.keys(), policy)?)
    }

    /// Ends everything of a user whom the application does not know any more.
    pub(super) async fn forget_user(self: &Arc<Self>, user: &UserId) -> Result<(), SessionError> {
        let entry = EntryId::random();
        let reason = EndReason::UserRemoved;
        let tentative = self.everything_of(user, None, entry, reason.clone());
        let request = EndAll {
            user: user.clone(),
            except: None,
            reason,
            by: None,
            entry,
        };
        let outcome = self.end_all(tentative, request).await?;
        self.all_done(outcome).map(drop)
    }
}
