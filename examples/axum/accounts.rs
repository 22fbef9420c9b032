//! The application's accounts, and what they tell the session layer: who exists, with which role.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use tower_jwt_session::{ClaimsSource, Grants, UserId};
use uuid::Uuid;

use crate::passwords::Hash;

/// All accounts, in memory. Cloning shares them.
#[derive(Clone, Default)]
pub struct Accounts {
    tables: Arc<RwLock<Tables>>,
}

#[derive(Default)]
struct Tables {
    by_email: HashMap<Email, UserId>,
    by_id: HashMap<UserId, Account>,
}

struct Account {
    password: Hash,
    role: String,
}

/// An address in the one spelling that accounts go by.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Email(String);

/// There is an account of that address.
#[derive(Debug)]
pub struct Taken;

impl Accounts {
    /// Makes an account under a new id, unless the address has one.
    pub fn create(&self, email: Email, password: Hash, role: &str) -> Result<UserId, Taken> {
        let id = UserId::new(Uuid::new_v4().to_string()).expect("a UUID can be an id");
        self.write(|tables| {
            if tables.by_email.contains_key(&email) {
                return Err(Taken);
            }
            tables.by_email.insert(email, id.clone());
            let role = role.to_owned();
            tables.by_id.insert(id.clone(), Account { password, role });
            Ok(id)
        })
    }

    pub fn find(&self, email: &Email) -> Option<UserId> {
        self.read(|tables| tables.by_email.get(email).cloned())
    }

    pub fn password_of(&self, user: &UserId) -> Option<Hash> {
        self.read(|tables| Some(tables.by_id.get(user)?.password.clone()))
    }

    /// Whether there is such an account; its sessions are the caller's to end.
    pub fn set_password(&self, user: &UserId, password: Hash) -> bool {
        self.change(user, |account| account.password = password)
    }

    /// Whether there is such an account; telling the sessions is up to the caller.
    pub fn set_role(&self, user: &UserId, role: String) -> bool {
        self.change(user, |account| account.role = role)
    }

    fn change(&self, user: &UserId, change: impl FnOnce(&mut Account)) -> bool {
        self.write(|tables| tables.by_id.get_mut(user).map(change).is_some())
    }

    fn read<T>(&self, read: impl FnOnce(&Tables) -> T) -> T {
        read(&self.tables.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write<T>(&self, write: impl FnOnce(&mut Tables) -> T) -> T {
        write(&mut self.tables.write().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Asked at every sign-in and every refresh.
impl ClaimsSource for Accounts {
    type Error = Infallible;

    async fn claims(&self, user: &UserId) -> Result<Option<Grants>, Infallible> {
        let role = self.read(|tables| Some(tables.by_id.get(user)?.role.clone()));
        Ok(role.map(|role| Grants::default().role(role)))
    }
}

impl Email {
    /// Something, an `@`, something, no blanks, of a length that mail servers take.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim().to_lowercase();
        let (local, domain) = text.split_once('@')?;
        let sound = !local.is_empty()
            && !domain.is_empty()
            && !domain.contains('@')
            && text.len() <= 254
            && !text.chars().any(|c| c.is_whitespace() || c.is_control());
        sound.then_some(Self(text))
    }
}

impl fmt::Display for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("there is an account of that address")
    }
}

impl std::error::Error for Taken {}
