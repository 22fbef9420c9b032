//! The two accounts of this run, in memory: sessions and what was revoked are in Redis.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, PoisonError, RwLock};

use tower_jwt_session::{ClaimsSource, Grants, UserId};

use crate::email::Email;
use crate::passwords::{self, Hash};
use crate::settings::DemoAccount;

/// Accounts by their ids. Cloning shares them.
#[derive(Clone, Default)]
pub struct Accounts {
    by_id: Arc<RwLock<HashMap<UserId, Account>>>,
}

#[derive(Clone)]
struct Account {
    password: Hash,
    role: &'static str,
}

impl Accounts {
    pub async fn create(&self, demo: &DemoAccount) {
        let account = Account {
            password: passwords::hash(demo.password.clone()).await,
            role: demo.role,
        };
        let mut by_id = self.by_id.write().unwrap_or_else(PoisonError::into_inner);
        by_id.insert(id_of(&demo.email), account);
    }

    pub fn password_of(&self, user: &UserId) -> Option<Hash> {
        self.account(user).map(|account| account.password)
    }

    fn account(&self, user: &UserId) -> Option<Account> {
        let by_id = self.by_id.read().unwrap_or_else(PoisonError::into_inner);
        by_id.get(user).cloned()
    }
}

/// Asked at every sign-in and every refresh.
impl ClaimsSource for Accounts {
    type Error = Infallible;

    async fn claims(&self, user: &UserId) -> Result<Option<Grants>, Infallible> {
        let account = self.account(user);
        Ok(account.map(|account| Grants::default().role(account.role)))
    }
}

/// The address is the id, so that sessions of an earlier run are still somebody's. One that
/// cannot be an id is nobody's: a sign-in with it takes the same steps, and so the same time.
pub fn id_of(email: &Email) -> UserId {
    UserId::new(email.to_string())
        .unwrap_or_else(|_| UserId::new("nobody").expect("a short text can be an id"))
}
