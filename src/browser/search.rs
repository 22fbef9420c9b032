//! Whom an administrator means.

use std::sync::Arc;

use super::{Pages, Texts};
use crate::BoxFuture;
use crate::error::BoxError;
use crate::token::UserId;
use crate::verify::CustomClaims;

/// How the application finds its users by what people know of them.
pub(super) type UserSearch =
    Arc<dyn Fn(String) -> BoxFuture<'static, Result<Option<UserId>, BoxError>> + Send + Sync>;

impl<C: CustomClaims> Pages<C> {
    /// Finds users for administrators by what people know of them, as an e-mail address. What it
    /// does not find is taken for an id, which is all that can be looked for without it.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::sync::Arc;
    /// use tower_jwt_session::browser::Pages;
    /// use tower_jwt_session::{JwtSession, UserId};
    ///
    /// # struct Accounts;
    /// # impl Accounts {
    /// #     async fn by_email(&self, _: &str) -> Result<Option<UserId>, std::io::Error> { Ok(None) }
    /// # }
    /// fn pages(auth: &JwtSession, accounts: Arc<Accounts>) -> Pages {
    ///     Pages::new(auth.clone()).with_user_search(move |text| {
    ///         let accounts = accounts.clone();
    ///         async move { Ok(accounts.by_email(&text).await?) }
    ///     })
    /// }
    /// ```
    ///
    /// # Security
    ///
    /// Only administrators come to it. What they typed is passed on as it is, up to what fits into
    /// an address.
    #[must_use]
    pub fn with_user_search<F, A>(self, find: F) -> Self
    where
        F: Fn(String) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Option<UserId>, BoxError>> + Send + 'static,
    {
        let search: UserSearch = Arc::new(move |text| Box::pin(find(text)));
        self.with(|settings| settings.search = Some(search))
    }

    /// The id of whom an administrator typed, or what was typed, where nobody is found by it.
    pub(super) async fn meant(&self, typed: String) -> Result<String, BoxError> {
        let Some(find) = self.settings.search.as_ref().filter(|_| !typed.is_empty()) else {
            return Ok(typed);
        };
        let found = find(typed.trim().to_owned()).await?;
        Ok(found.map_or(typed, |user| user.to_string()))
    }

    /// What to type.
    pub(super) fn wanted_of_user<'t>(&self, texts: &'t Texts) -> &'t str {
        match self.settings.search {
            None => &texts.user_id,
            Some(_) => &texts.user,
        }
    }
}
