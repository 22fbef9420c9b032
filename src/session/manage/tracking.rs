//! A user's tokens by their ids: list them, end one.

use super::Sessions;
use super::done::Done;
use super::error::SessionError;
use crate::revocation::EndReason;
use crate::session::record::SessionRecord;
use crate::session::store::Listing;
use crate::token::{SessionId, TokenId, UserId};
use crate::verify::CustomClaims;

impl<C: CustomClaims> Sessions<C> {
    /// The ids (`jti`) of a user's active access tokens, one for each live session, that of the
    /// most recently used first.
    ///
    /// Every token that is issued is tracked so: it belongs to a session, and the session is
    /// counted. A token that a refresh has renewed may live on until it expires; it goes when its
    /// session goes, and is not listed.
    ///
    /// # Errors
    ///
    /// [`SessionError::Store`].
    ///
    /// # Security
    ///
    /// For programs that know tokens by their ids. Show people [`list`](Self::list) instead, which
    /// holds no token's id.
    pub async fn active_tokens(&self, user: &UserId) -> Result<Vec<TokenId>, SessionError> {
        let records = self.records(user, Listing::Live).await?;
        Ok(records.iter().map(current_token).collect())
    }

    /// Ends the session that a token of this id belongs to; the user's count goes down by one.
    /// Ending an ended one again is no error.
    ///
    /// Finds the last 256 generations of a session, more than live at once unless a client
    /// refreshes without pause.
    ///
    /// # Errors
    ///
    /// [`SessionError::NotFound`], also for another user's token; as for [`end`](Self::end).
    pub async fn revoke_token(&self, user: &UserId, token: &TokenId) -> Result<Done, SessionError> {
        let session = match self.session_of(user, token, Listing::Live).await? {
            Some(session) => session,
            None => self
                .session_of(user, token, Listing::Ended)
                .await?
                .ok_or(SessionError::NotFound)?,
        };
        self.end_own(user, session, EndReason::UserRevoked).await
    }

    async fn session_of(
        &self,
        user: &UserId,
        token: &TokenId,
        listing: Listing,
    ) -> Result<Option<SessionId>, SessionError> {
        let records = self.records(user, listing).await?;
        let current = records
            .iter()
            .find(|record| current_token(record) == *token);
        let found = current.or_else(|| {
            let mut records = records.iter();
            records.find(|record| had_token(record, token))
        });
        Ok(found.map(|record| record.id))
    }
}

fn current_token(record: &SessionRecord) -> TokenId {
    TokenId::of_generation(record.id, record.refresh.generation)
}

fn had_token(record: &SessionRecord, token: &TokenId) -> bool {
    let newest = record.refresh.generation;
    let oldest = newest.saturating_sub(SEARCHED - 1).max(1);
    (oldest..newest)
        .rev()
        .any(|generation| TokenId::of_generation(record.id, generation) == *token)
}

/// Bounds the hashes that an unknown id costs.
const SEARCHED: u32 = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::record::tests::record;

    #[test]
    fn as_many_earlier_tokens_are_looked_for_as_it_says() {
        let mut record = record();
        record.refresh.generation = 1_000;
        let had = |generation| had_token(&record, &TokenId::of_generation(record.id, generation));
        let oldest = 1_000 - (SEARCHED - 1);
        assert!(had(999) && had(oldest));
        assert!(!had(oldest - 1) && !had(1_000) && !had(1));
        let mut young = record.clone();
        young.refresh.generation = 3;
        let had = |generation| had_token(&young, &TokenId::of_generation(young.id, generation));
        assert!(had(1) && had(2) && !had(3) && !had(0));
    }
}
