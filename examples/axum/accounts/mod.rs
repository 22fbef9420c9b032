//! The application's accounts, and what they tell the session layer: who exists, with which role.

mod keys;
mod sql;

use std::sync::Arc;

use tower_jwt_session::{ClaimsSource, Grants, UserId};
use uuid::Uuid;

use self::keys::Keys;
use self::sql::Sql;
use crate::away::Away;
use crate::data::Where;
use crate::email::Email;
use crate::passwords::Hash;

/// All accounts, where the sessions are as far as that can be. Cloning shares them.
#[derive(Clone)]
pub struct Accounts {
    table: Table,
}

/// The SHA-256 of the key under which a registration may be repeated.
pub type RegistrationKey = [u8; 32];

/// What is kept of an account.
struct Account {
    id: String,
    email: String,
    password: Hash,
    role: String,
    registration: Option<Vec<u8>>,
}

/// What can be changed of an account.
enum Change {
    /// The password, if it still is this one.
    Password {
        new: Hash,
        old: Option<Hash>,
    },
    Role(String),
}

#[derive(Clone)]
enum Table {
    Keys(Arc<Keys>),
    Sql(Sql),
}

impl Accounts {
    /// Opens nothing yet.
    pub fn new(place: Where) -> Result<Self, Away> {
        let table = match place {
            Where::Beside(address) if address.starts_with("redis") => {
                Table::Keys(Arc::new(Keys::new(&address)?))
            }
            Where::Beside(address) => Table::Sql(Sql::postgres(&address)?),
            Where::File(file) => Table::Sql(Sql::sqlite(Some(&file))),
            Where::Memory => Table::Sql(Sql::sqlite(None)),
        };
        Ok(Self { table })
    }

    /// Makes the table, once the session store has made the file.
    pub async fn prepare(&self) -> Result<(), Away> {
        match &self.table {
            Table::Keys(_) => Ok(()),
            Table::Sql(sql) => sql.prepare().await,
        }
    }

    /// Makes an account under a new id; `None` where the address has one.
    pub async fn create(
        &self,
        email: &Email,
        password: Hash,
        role: &str,
        registration: Option<&RegistrationKey>,
    ) -> Result<Option<UserId>, Away> {
        let id = UserId::new(Uuid::new_v4().to_string()).expect("a UUID can be an id");
        let account = Account {
            id: id.to_string(),
            email: email.to_string(),
            password,
            role: role.to_owned(),
            registration: registration.map(|key| key.to_vec()),
        };
        let made = match &self.table {
            Table::Keys(keys) => keys.insert(account).await?,
            Table::Sql(sql) => sql.insert(account).await?,
        };
        Ok(made.then_some(id))
    }

    pub async fn find(&self, email: &Email) -> Result<Option<UserId>, Away> {
        let account = self.by_email(email).await?;
        Ok(account.and_then(|account| UserId::new(account.id).ok()))
    }

    pub async fn password_of(&self, user: &UserId) -> Result<Option<Hash>, Away> {
        let account = self.by_id(user).await?;
        Ok(account.map(|account| account.password))
    }

    /// Sets a password, whatever it was before. Its sessions are the caller's to end.
    pub async fn set_password(&self, user: &UserId, new: Hash) -> Result<bool, Away> {
        self.change(user, Change::Password { new, old: None }).await
    }

    /// Replaces a password, unless it is another one by now. Its sessions are the caller's to end.
    pub async fn replace_password(
        &self,
        user: &UserId,
        old: &Hash,
        new: Hash,
    ) -> Result<bool, Away> {
        let old = Some(old.clone());
        self.change(user, Change::Password { new, old }).await
    }

    /// Whether the account of an address was made under this key.
    pub async fn was_registered_under(
        &self,
        email: &Email,
        key: &RegistrationKey,
    ) -> Result<bool, Away> {
        let account = self.by_email(email).await?;
        let made_under = account.and_then(|account| account.registration);
        Ok(made_under.is_some_and(|made_under| made_under == key))
    }

    /// Whether there is such an account; telling the sessions is up to the caller.
    pub async fn set_role(&self, user: &UserId, role: String) -> Result<bool, Away> {
        self.change(user, Change::Role(role)).await
    }

    async fn by_email(&self, email: &Email) -> Result<Option<Account>, Away> {
        match &self.table {
            Table::Keys(keys) => keys.by_email(&email.to_string()).await,
            Table::Sql(sql) => sql.by_email(email.to_string()).await,
        }
    }

    async fn by_id(&self, user: &UserId) -> Result<Option<Account>, Away> {
        match &self.table {
            Table::Keys(keys) => keys.by_id(user.as_str()).await,
            Table::Sql(sql) => sql.by_id(user.to_string()).await,
        }
    }

    async fn change(&self, user: &UserId, change: Change) -> Result<bool, Away> {
        match &self.table {
            Table::Keys(keys) => keys.change(user.as_str(), change).await,
            Table::Sql(sql) => sql.change(user.to_string(), change).await,
        }
    }
}

/// Asked at every sign-in and every refresh.
impl ClaimsSource for Accounts {
    type Error = Away;

    async fn claims(&self, user: &UserId) -> Result<Option<Grants>, Away> {
        let account = self.by_id(user).await?;
        Ok(account.map(|account| Grants::default().role(account.role)))
    }
}
