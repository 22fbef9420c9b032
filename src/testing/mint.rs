//! Tokens for the tests of an application, in one line each.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::clock::ManualClock;
use crate::jwt_session::JwtSession;
use crate::session::{ClaimsSource, Device, Grants, SessionLimit, Tokens};
use crate::token::UserId;
use crate::verify::CustomClaims;

/// A [`JwtSession`] on the memory store whose clock is held, and a mint for its tokens.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use tower_jwt_session::testing;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (auth, mint, clock) = testing::session();
/// let token = mint.user("ada").role("admin").token().await;
/// clock.advance(Duration::from_secs(3 * 3600));
/// # let _ = (auth, token);
/// # }
/// ```
#[must_use]
pub fn session() -> (JwtSession, TokenMint, ManualClock) {
    let known = Known::default();
    let (auth, clock) = session_with(known.clone());
    let mint = TokenMint {
        auth: auth.clone(),
        known,
    };
    (auth, mint, clock)
}

/// The same for an application with claims of its own: the source says what users may do.
///
/// # Examples
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use tower_jwt_session::session::NoGrants;
/// use tower_jwt_session::{Device, UserId, testing};
///
/// let (auth, _clock) = testing::session_with(NoGrants);
/// let ticket = auth.sessions().ticket(&UserId::new("ada")?).await?;
/// let signed_in = auth.sessions().sign_in(ticket, Device::default()).await?;
/// # let _ = signed_in;
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn session_with<C: CustomClaims>(source: impl ClaimsSource<C>) -> (JwtSession<C>, ManualClock) {
    let clock = ManualClock::new();
    let auth = JwtSession::builder()
        .hmac_secret(SECRET)
        .clock(Arc::new(clock.clone()))
        .limit(SessionLimit::UNLIMITED)
        .claims_source(source)
        .build()
        .expect("the configuration above is sound");
    (auth, clock)
}

/// Signs users in for a test; see [`session`].
#[derive(Clone, Debug)]
pub struct TokenMint {
    auth: JwtSession,
    known: Known,
}

/// A user to sign in.
#[derive(Debug)]
#[must_use = "nothing happens before `token` or `tokens`"]
pub struct TokenFor<'m> {
    mint: &'m TokenMint,
    user: UserId,
    grants: Grants,
}

/// The users of a test and what they may do.
#[derive(Clone, Debug, Default)]
struct Known(Arc<Mutex<HashMap<UserId, Option<Grants>>>>);

impl TokenMint {
    /// A user without roles.
    ///
    /// # Panics
    ///
    /// When the name cannot be that of a user.
    pub fn user(&self, name: &str) -> TokenFor<'_> {
        TokenFor {
            mint: self,
            user: UserId::new(name)
                .expect("a user's name is not empty and has no control characters"),
            grants: Grants::default(),
        }
    }

    /// Changes what a user may do. Follow it by [`Sessions::roles_changed`](crate::Sessions::roles_changed), as an application does.
    pub fn set_grants(&self, user: &UserId, grants: Grants) {
        self.known.lock().insert(user.clone(), Some(grants));
    }

    /// Lets the application forget a user.
    pub fn remove(&self, user: &UserId) {
        self.known.lock().insert(user.clone(), None);
    }
}

impl TokenFor<'_> {
    /// Gives the user a role.
    pub fn role(mut self, role: &str) -> Self {
        self.grants = self.grants.role(role);
        self
    }

    /// Gives the user a scope.
    pub fn scope(mut self, scope: &str) -> Self {
        self.grants = self.grants.scope(scope);
        self
    }

    /// Signs the user in and answers the access token.
    ///
    /// # Panics
    ///
    /// When the sign-in fails, which it does not on the memory store.
    pub async fn token(self) -> String {
        self.tokens().await.access_token
    }

    /// Signs the user in and answers the pair.
    ///
    /// # Panics
    ///
    /// When the sign-in fails, which it does not on the memory store.
    pub async fn tokens(self) -> Tokens {
        self.mint.set_grants(&self.user, self.grants);
        let sessions = self.mint.auth.sessions();
        let ticket = sessions.ticket(&self.user).await;
        let ticket = ticket.expect("the memory store answers");
        let signed_in = sessions.sign_in(ticket, Device::default()).await;
        signed_in.expect("the memory store answers").tokens()
    }
}

impl Known {
    fn lock(&self) -> MutexGuard<'_, HashMap<UserId, Option<Grants>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClaimsSource for Known {
    type Error = Infallible;

    async fn claims(&self, user: &UserId) -> Result<Option<Grants>, Infallible> {
        let known = self.lock().get(user).cloned();
        Ok(known.unwrap_or_else(|| Some(Grants::default())))
    }
}

const SECRET: &[u8] = b"for tests alone: 9f2c7e1b5a8d4f60";
