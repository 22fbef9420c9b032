//! What the application says about its users.

use std::convert::Infallible;
use std::future::Future;

use crate::BoxFuture;
use crate::error::BoxError;
use crate::token::UserId;
use crate::verify::NoClaims;

/// What a user may do, and the application's own claims about them.
///
/// # Examples
///
/// ```
/// use tower_jwt_session::Grants;
///
/// let grants: Grants = Grants::default().role("admin").scope("reports:read");
/// assert_eq!(grants.roles, ["admin"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants<C = NoClaims> {
    /// The user's roles.
    pub roles: Vec<String>,
    /// The user's scopes, one each.
    pub scopes: Vec<String>,
    /// The application's own claims.
    pub custom: C,
}

impl<C> Grants<C> {
    /// No roles and no scopes beside the application's own claims.
    #[must_use]
    pub fn new(custom: C) -> Self {
        Self {
            roles: Vec::new(),
            scopes: Vec::new(),
            custom,
        }
    }

    /// Adds a role.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.roles.push(role.into());
        self
    }

    /// Adds a scope.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        self.scopes.push(scope.into());
        self
    }
}

/// Where roles and custom claims come from: the application.
///
/// Asked at each sign-in and each refresh, after the user's counters were read. "No such user any
/// more" ends all sessions of that user.
///
/// # Examples
///
/// Roles from a table of the application, and the rest from the environment:
///
/// ```
/// use std::collections::HashMap;
/// use std::convert::Infallible;
/// use tower_jwt_session::{ClaimsSource, Environment, Grants, JwtSession, UserId};
///
/// struct Roles(HashMap<UserId, &'static str>);
///
/// impl ClaimsSource for Roles {
///     type Error = Infallible;
///
///     async fn claims(&self, user: &UserId) -> Result<Option<Grants>, Infallible> {
///         Ok(self.0.get(user).map(|role| Grants::default().role(*role)))
///     }
/// }
///
/// # let roles = Roles(HashMap::new());
/// # let env = Environment::from_pairs([("SESSION_STORE", "memory:")]);
/// // `Environment::of_process()` in a service.
/// let auth = JwtSession::builder().claims_source(roles).with_env(&env).build()?;
/// # let _ = auth;
/// # Ok::<(), tower_jwt_session::ConfigError>(())
/// ```
///
/// # Security
///
/// It has to read what the application last wrote. One that reads a lagging replica can put an
/// old role into a token that claims to know the new one. Write a new role first, then call
/// [`Sessions::roles_changed`](crate::Sessions::roles_changed).
pub trait ClaimsSource<C = NoClaims>: Send + Sync + 'static {
    /// What went wrong while looking.
    type Error: Into<BoxError>;

    /// Looks a user up; `None` means that there is no such user any more.
    fn claims(
        &self,
        user: &UserId,
    ) -> impl Future<Output = Result<Option<Grants<C>>, Self::Error>> + Send;
}

/// Says nothing about anybody: no roles, no scopes; the default.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoGrants;

impl ClaimsSource for NoGrants {
    type Error = Infallible;

    async fn claims(&self, _user: &UserId) -> Result<Option<Grants>, Infallible> {
        Ok(Some(Grants::default()))
    }
}

/// A [`ClaimsSource`] behind a pointer.
pub(crate) trait DynClaimsSource<C>: Send + Sync {
    fn claims<'a>(&'a self, user: &'a UserId)
    -> BoxFuture<'a, Result<Option<Grants<C>>, BoxError>>;
}

impl<C, S: ClaimsSource<C>> DynClaimsSource<C> for S {
    fn claims<'a>(
        &'a self,
        user: &'a UserId,
    ) -> BoxFuture<'a, Result<Option<Grants<C>>, BoxError>> {
        Box::pin(async move { ClaimsSource::claims(self, user).await.map_err(Into::into) })
    }
}
