//! Where in the view a name is kept.

use std::hash::BuildHasher;

use foldhash::fast::RandomState;

use super::entry::Revoked;
use crate::token::UserId;
use crate::verify::TokenFacts;

/// Hashes names with a seed of this process, so that nobody can choose names that collide.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hashes(RandomState);

impl Hashes {
    pub(crate) fn user(&self, user: &UserId) -> u64 {
        self.text(user.as_str())
    }

    /// What an entry is filed under.
    pub(crate) fn of_entry(&self, revoked: &Revoked) -> u64 {
        match revoked {
            Revoked::Roles { user, .. } | Revoked::User { user, .. } => self.user(user),
            Revoked::Session { session, .. } => self.session(session.as_bytes()),
            Revoked::Token { token, .. } => self.text(token.as_str()),
        }
    }

    /// Everything that an entry about a token may be filed under.
    pub(crate) fn of_token(&self, facts: &TokenFacts) -> impl Iterator<Item = u64> {
        let user = Some(self.user(&facts.user));
        let session = facts.session.as_ref();
        let session = session.map(|session| self.session(session.as_bytes()));
        let token = facts.token.as_ref().map(|token| self.text(token.as_str()));
        [session, token, user].into_iter().flatten()
    }

    /// Of the bytes of its id.
    pub(super) fn session(&self, id: &[u8]) -> u64 {
        self.0.hash_one(id)
    }

    /// Of a user, or of a token.
    pub(super) fn text(&self, id: &str) -> u64 {
        self.0.hash_one(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::token::SessionId;

    #[test]
    fn each_name_has_a_place_of_its_own() {
        let hashes = Hashes::default();
        let (one, other) = (SessionId::random(), SessionId::random());
        assert_eq!(
            hashes.session(one.as_bytes()),
            hashes.session(one.as_bytes())
        );
        assert_ne!(
            hashes.session(one.as_bytes()),
            hashes.session(other.as_bytes())
        );
        assert_ne!(hashes.text("ada"), hashes.text("bob"));
    }
}
