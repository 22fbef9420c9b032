//! How many sessions there are in all.

use std::collections::HashSet;

use serde::Serialize;

use super::store::{PageRequest, SessionStore};
use crate::error::StoreError;

/// How many live sessions there are, and of how many users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Population {
    /// Live sessions.
    pub sessions: u64,
    /// Users who have one.
    pub users: u64,
}

/// Counts what is on the pages, for a store that cannot count by itself.
pub(super) async fn by_pages<S: SessionStore + ?Sized>(
    store: &S,
) -> Result<Population, StoreError> {
    let mut users = HashSet::new();
    let mut population = Population::default();
    let mut after = None;
    loop {
        let mut request = PageRequest::new(AT_ONCE);
        request.after = after;
        let page = store.page(request).await?;
        population.sessions += page.records.len() as u64;
        users.extend(page.records.into_iter().map(|record| record.user));
        after = page.next;
        if after.is_none() {
            population.users = users.len() as u64;
            return Ok(population);
        }
    }
}

const AT_ONCE: usize = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::{Device, SessionError};
    use crate::stores::MemoryStore;
    use crate::{JwtSession, UserId};

    #[tokio::test]
    async fn counting_by_pages_finds_what_the_store_counts() -> Result<(), SessionError> {
        let store = MemoryStore::new();
        let auth = JwtSession::builder()
            .hmac_secret(b"2f8c1d5e9a7b3f6c0d4e8a1b5c9f3d7e")
            .store(store.clone())
            .build()
            .expect("it is sound");
        for user in ["ada", "bob", "ada"] {
            let user = UserId::new(user).expect("an id");
            let ticket = auth.sessions().ticket(&user).await?;
            auth.sessions().sign_in(ticket, Device::default()).await?;
        }
        let counted = by_pages(&store).await?;
        assert_eq!((counted.sessions, counted.users), (3, 2));
        assert_eq!(store.population().await?, counted);
        Ok(())
    }
}
