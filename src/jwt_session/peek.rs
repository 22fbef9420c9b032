//! What cookies say of themselves: read for their endpoints, without the store.

use super::JwtSession;
use crate::middleware::Origins;
use crate::session::refresh::RefreshToken;
use crate::token::{RawToken, SessionId};
use crate::verify::{CustomClaims, TokenFacts};

impl<C: CustomClaims> JwtSession<C> {
    /// From which pages cookies may be used.
    pub(crate) fn origins(&self) -> &Origins {
        &self.web.origins
    }

    /// What a genuine access token says, whether or not it has expired. Lets nobody in.
    pub(crate) fn peek(&self, access_token: RawToken<'_>) -> Option<TokenFacts> {
        let now = self.core.clock.now();
        let verifier = &self.core.verifier;
        let token = verifier.read(access_token, now).ok()?;
        Some(token.claims().facts().clone())
    }

    /// The session and generation of a genuine refresh token.
    pub(crate) fn peek_refresh(&self, refresh_token: &str) -> Option<(SessionId, u32)> {
        let keys = self.core.refresh_keys.load();
        let token = RefreshToken::decode(refresh_token, &keys).ok()?;
        Some((token.session(), token.generation()))
    }
}
