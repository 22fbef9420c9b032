//! The verbs: sign in, refresh, list, rename, end.

mod audit;
mod clean_up;
#[cfg(feature = "browser")]
mod devices;
mod done;
mod end;
mod error;
mod failing;
mod info;
mod inspect;
mod refreshing;
mod sign_in;
mod sign_out;
mod signed_in;
mod tokens;
mod tracking;
mod untracked;
mod watching;

use std::fmt;
use std::sync::Arc;

pub use clean_up::CleanedUp;
#[cfg(feature = "browser")]
pub(crate) use devices::UserDevices;
pub use done::Done;
pub use end::EndAll;
pub use error::SessionError;
pub use info::{SessionInfo, SessionStatistics};
pub use inspect::RefreshTokenInfo;
pub use sign_in::{SignIn, SignInTicket, SignedIn};
pub use tokens::Tokens;
pub use untracked::{IssueUntracked, UntrackedToken};

use super::population::Population;
use super::record::SessionRecord;
use super::store::{Listing, PageRequest, SessionChange};
use crate::events::Event;
use crate::session::core::Core;
use crate::token::{SessionId, UserId};
use crate::verify::{CustomClaims, NoClaims};

/// The verbs of sessions. Cloning is cheap.
///
/// Every verb may fail with [`SessionError::Store`]; of a write that failed so it is not known
/// whether it happened, and it may be repeated.
pub struct Sessions<C = NoClaims> {
    core: Arc<Core<C>>,
}

impl<C: CustomClaims> Sessions<C> {
    pub(crate) fn new(core: Arc<Core<C>>) -> Self {
        Self { core }
    }

    /// Reads a user's live sessions, the most recently used first.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`].
    pub async fn list(&self, user: &UserId) -> Result<Vec<SessionInfo>, SessionError> {
        self.listed(user, Listing::Live).await
    }

    /// Reads a user's ended sessions that are remembered, the latest first.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`].
    pub async fn list_ended(&self, user: &UserId) -> Result<Vec<SessionInfo>, SessionError> {
        self.listed(user, Listing::Ended).await
    }

    async fn listed(
        &self,
        user: &UserId,
        listing: Listing,
    ) -> Result<Vec<SessionInfo>, SessionError> {
        let records = self.records(user, listing).await?;
        Ok(records.into_iter().map(SessionInfo::from).collect())
    }

    async fn records(
        &self,
        user: &UserId,
        listing: Listing,
    ) -> Result<Vec<SessionRecord>, SessionError> {
        let listed = self.core.store.list(user, listing);
        Ok(self.core.within(listed).await?)
    }

    /// Counts a user's live sessions.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`].
    pub async fn count(&self, user: &UserId) -> Result<u64, SessionError> {
        Ok(self.core.within(self.core.store.count(user)).await?)
    }

    /// Reads one live session of a user.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotFound`], also for another user's; [`SessionError::Store`].
    pub async fn find(&self, user: &UserId, id: SessionId) -> Result<SessionInfo, SessionError> {
        self.live(user, id).await.map(SessionInfo::from)
    }

    /// Names a session of a user; `None` takes the name away.
    ///
    /// # Errors
    ///
    /// [`SessionError::InvalidInput`] for a name of more than 64 characters, of none, or with
    /// control or invisible characters; [`SessionError::NotFound`], also for another user's session.
    pub async fn rename(
        &self,
        user: &UserId,
        id: SessionId,
        name: Option<&str>,
    ) -> Result<SessionInfo, SessionError> {
        let name = name.map(checked_name).transpose()?;
        let record = self.change(user, id, SessionChange::Name(name)).await?;
        self.core.observe(&Event::Renamed {
            session: id,
            user: user.clone(),
        });
        Ok(record.into())
    }

    /// Reads the application's data beside a session: JSON text.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotFound`], also for another user's session; [`SessionError::Store`].
    pub async fn data(&self, user: &UserId, id: SessionId) -> Result<Option<String>, SessionError> {
        Ok(self.live(user, id).await?.data)
    }

    /// Writes the application's data beside a session: JSON text of at most
    /// [`SessionRecord::MAX_DATA`] bytes.
    ///
    /// # Errors
    ///
    /// [`SessionError::InvalidInput`] when it is longer or not JSON; [`SessionError::NotFound`],
    /// also for another user's session; [`SessionError::Store`].
    pub async fn set_data(
        &self,
        user: &UserId,
        id: SessionId,
        data: Option<String>,
    ) -> Result<(), SessionError> {
        data.as_deref().map(check_data).transpose()?;
        self.change(user, id, SessionChange::Data(data)).await?;
        Ok(())
    }

    /// Reads a page over all live sessions, or all of one user, oldest first; also says where the
    /// next page starts.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`].
    pub async fn page(
        &self,
        user: Option<&UserId>,
        after: Option<SessionId>,
        limit: usize,
    ) -> Result<(Vec<SessionInfo>, Option<SessionId>), SessionError> {
        let request = PageRequest {
            user: user.cloned(),
            after,
            limit: limit.clamp(1, MAX_PAGE),
        };
        let page = self.core.within(self.core.store.page(request)).await?;
        let records = page.records.into_iter().map(SessionInfo::from).collect();
        Ok((records, page.next))
    }

    /// Counts everybody's live sessions in the store. It may take a second where there are
    /// millions, so it is for now and then, and not for each request.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`].
    pub async fn population(&self) -> Result<Population, SessionError> {
        Ok(self.core.store.population().await?)
    }

    /// Sums a user's live sessions up.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`].
    pub async fn statistics(&self, user: &UserId) -> Result<SessionStatistics, SessionError> {
        let sessions = self.list(user).await?;
        let failed = self.core.failures.of_user(user);
        Ok(SessionStatistics::of(
            &sessions,
            self.core.limit.max(),
            failed,
        ))
    }

    async fn live(&self, user: &UserId, id: SessionId) -> Result<SessionRecord, SessionError> {
        let session = self.core.live_session(user, id).await?;
        session.ok_or(SessionError::NotFound)
    }

    async fn change(
        &self,
        user: &UserId,
        id: SessionId,
        change: SessionChange,
    ) -> Result<SessionRecord, SessionError> {
        self.core
            .settle(|| self.core.store.change(id, user, change.clone()))
            .await?
            .ok_or(SessionError::NotFound)
    }
}

impl<C> Clone for Sessions<C> {
    fn clone(&self) -> Self {
        Self {
            core: self.core.clone(),
        }
    }
}

impl<C> fmt::Debug for Sessions<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}

fn checked_name(name: &str) -> Result<String, SessionError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(is_invisible) {
        return Err(SessionError::InvalidInput {
            what: "a name has 1 to 64 characters, none of them invisible or a control character",
        });
    }
    Ok(name.to_owned())
}

/// Whether a character could make a name look empty, or like another.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn check_data(data: &str) -> Result<(), SessionError> {
    let fits = data.len() <= SessionRecord::MAX_DATA;
    if fits && serde_json::from_str::<serde::de::IgnoredAny>(data).is_ok() {
        return Ok(());
    }
    Err(SessionError::InvalidInput {
        what: "session data is JSON of at most 4096 bytes",
    })
}

const MAX_NAME: usize = 64;
const MAX_PAGE: usize = 1_000;
