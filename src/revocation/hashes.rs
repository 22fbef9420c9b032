//! Where in the view a name is kept.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::entry::Revoked;
use crate::token::{SessionId, TokenId, UserId};
use crate::verify::TokenFacts;

/// Hashes names with a seed of this process, so that nobody can choose names that collide.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hashes(RandomState);

impl Hashes {
    pub(crate) fn user(&self, user: &UserId) -> u64 {
        self.0.hash_one(user.as_str())
    }

    /// What an entry is filed under.
    pub(crate) fn of_entry(&self, revoked: &Revoked) -> u64 {
        match revoked {
            Revoked::Roles { user, .. } | Revoked::User { user, .. } => self.user(user),
            Revoked::Session { session, .. } => self.session(session),
            Revoked::Token { token, .. } => self.token(token),
        }
    }

    /// Everything that an entry about a token may be filed under.
    pub(crate) fn of_token(&self, facts: &TokenFacts) -> impl Iterator<Item = u64> {
        let user = Some(self.user(&facts.user));
        let session = facts.session.as_ref().map(|session| self.session(session));
        let token = facts.token.as_ref().map(|token| self.token(token));
        [session, token, user].into_iter().flatten()
    }

    fn session(&self, session: &SessionId) -> u64 {
        self.0.hash_one(session.as_bytes())
    }

    fn token(&self, token: &TokenId) -> u64 {
        self.0.hash_one(token.as_str())
    }
}
