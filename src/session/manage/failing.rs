//! Refreshes and sign-ins that fail, tracked.

use std::net::IpAddr;

use super::Sessions;
use super::error::{SessionError, outcome};
use super::tokens::Tokens;
use crate::events::Event;
use crate::session::Device;
use crate::session::failures::{FailureCounts, RefreshFailure};
use crate::session::refresh::RefreshToken;
use crate::telemetry::{self, Verb, verb};
use crate::token::{SessionId, UserId};
use crate::verify::CustomClaims;

impl<C: CustomClaims> Sessions<C> {
    /// Refreshes as [`refresh`](Self::refresh) does, for a client of this address: where it fails,
    /// that is counted by session and address and told as [`Event::RefreshFailed`].
    ///
    /// # Errors
    ///
    /// As for [`refresh`](Self::refresh).
    pub async fn refresh_from(
        &self,
        refresh_token: &str,
        address: Option<IpAddr>,
    ) -> Result<Tokens, SessionError> {
        let device = Device {
            address,
            ..Device::default()
        };
        self.refresh_on(refresh_token, device).await
    }

    /// Refreshes as [`refresh_from`](Self::refresh_from) does, on a device, whose program is
    /// compared as well where [`risk`](crate::session::risk) is watched.
    ///
    /// # Errors
    ///
    /// As for [`refresh`](Self::refresh); [`SessionError::Over`] also where the policy of the
    /// application ended the session.
    pub async fn refresh_on(
        &self,
        refresh_token: &str,
        device: Device,
    ) -> Result<Tokens, SessionError> {
        let address = device.address;
        let tracked = async {
            let result = self.refresh_once(refresh_token, device).await;
            if let Some(why) = result.as_ref().err().and_then(failure) {
                self.failed(refresh_token, address, why).await;
            }
            result
        };
        verb(Verb::Refresh, tracked, |result| match result {
            Ok(tokens) if tokens.repeated.is_some() => "repeated",
            result => outcome(result),
        })
        .await
    }

    /// Counts somebody who could not prove who they are: for the [figures](crate::telemetry) of failed
    /// sign-ins, of which this crate learns nothing else.
    pub fn credentials_refused(&self) {
        telemetry::credentials_refused();
    }

    /// How often refreshes have failed on this node since it started, by a session and by an
    /// address. The counts of those who failed long ago may be gone.
    #[must_use]
    pub fn failures(&self, session: Option<SessionId>, address: Option<IpAddr>) -> FailureCounts {
        let failures = &self.core.failures;
        FailureCounts {
            session: session.map_or(0, |session| failures.of_session(session)),
            address: address.map_or(0, |address| failures.of_address(address)),
        }
    }

    /// The session that a refresh token is of, by the token alone: it is genuine, and nothing more
    /// is known.
    pub(crate) fn session_by_token(&self, refresh_token: &str) -> Option<SessionId> {
        let keys = self.core.refresh_keys.load();
        let token = RefreshToken::decode(refresh_token, &keys).ok()?;
        Some(token.session())
    }

    async fn failed(&self, refresh_token: &str, address: Option<IpAddr>, why: RefreshFailure) {
        let session = self.session_by_token(refresh_token);
        let user = match session {
            Some(session) => self.user_of(session).await,
            None => None,
        };
        let failures = self.core.failures.note(session, user.as_ref(), address);
        if is_many(failures.session) || is_many(failures.address) {
            self.core.observe(&Event::TooManyRefreshFailures {
                session,
                user: user.clone(),
                address,
                failures,
            });
        }
        self.core.observe(&Event::RefreshFailed {
            session,
            user,
            address,
            why,
            failures,
        });
        if let Some(session) = session {
            self.core.watch_failure(session, failures.session).await;
        }
    }

    /// Whose session it is, where that can be found out: the failure is told either way.
    async fn user_of(&self, session: SessionId) -> Option<UserId> {
        match self.core.within(self.core.store.find(session)).await {
            Ok(record) => record.map(|record| record.user),
            Err(error) => {
                tracing::debug!(%error, "the user of a failed refresh is not known");
                None
            }
        }
    }
}

/// Whether so many failures are worth a word: at ten, and each time that the number has doubled.
fn is_many(failures: u32) -> bool {
    failures.is_multiple_of(MANY) && (failures / MANY).is_power_of_two()
}

/// A client with several tabs that all hold a dead token fails a few times.
const MANY: u32 = 10;

/// What a client did wrong; `None` where it was the server.
fn failure(error: &SessionError) -> Option<RefreshFailure> {
    match error {
        SessionError::InvalidToken => Some(RefreshFailure::InvalidToken),
        SessionError::Over(_) => Some(RefreshFailure::Over),
        SessionError::RefreshReused => Some(RefreshFailure::Reused),
        SessionError::TooManyRepeats { .. } => Some(RefreshFailure::Repeated),
        SessionError::UnknownUser => Some(RefreshFailure::UnknownUser),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::error::{StoreError, StoreErrorKind};
    use crate::revocation::EndReason;

    #[test]
    fn what_a_client_did_wrong_is_counted_and_what_the_server_did_is_not() {
        let retry_after = Duration::from_secs(1);
        for (error, expected) in [
            (
                SessionError::InvalidToken,
                Some(RefreshFailure::InvalidToken),
            ),
            (
                SessionError::Over(EndReason::Idle),
                Some(RefreshFailure::Over),
            ),
            (SessionError::RefreshReused, Some(RefreshFailure::Reused)),
            (
                SessionError::TooManyRepeats { retry_after },
                Some(RefreshFailure::Repeated),
            ),
            (SessionError::UnknownUser, Some(RefreshFailure::UnknownUser)),
            (
                StoreError::new(StoreErrorKind::Unavailable, "tests").into(),
                None,
            ),
        ] {
            assert_eq!(failure(&error), expected, "{error}");
        }
    }
}
