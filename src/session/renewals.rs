//! Sessions that go on by a refresh, for those who wait for their end.

use std::sync::Arc;

use super::store::SessionStore;
use crate::BoxFuture;
use crate::error::StoreError;
use crate::revocation::{Renewal, Renewals};
use crate::token::SessionId;

impl Renewals for Arc<dyn SessionStore> {
    fn renewal(&self, session: SessionId) -> BoxFuture<'_, Result<Renewal, StoreError>> {
        Box::pin(async move {
            let Some(record) = self.find(session).await? else {
                return Ok(Renewal::Gone);
            };
            Ok(match record.ended {
                Some(ended) => Renewal::Ended(ended.reason),
                None => Renewal::Until(record.refresh.access_expires_at),
            })
        })
    }
}
