//! The application's accounts, and what they tell the session layer: who exists, with which role.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{query, query_scalar};
use tower_jwt_session::{ClaimsSource, Grants, UserId};
use uuid::Uuid;

use crate::away::Away;
use crate::email::Email;
use crate::passwords::Hash;

/// All accounts, in a table of their own beside the sessions. Cloning shares them.
#[derive(Clone)]
pub struct Accounts {
    pool: SqlitePool,
}

/// The SHA-256 of the key under which a registration may be repeated.
pub type RegistrationKey = [u8; 32];

impl Accounts {
    /// Opens nothing yet. Without a file they are kept in memory.
    pub fn new(file: Option<&Path>) -> Self {
        let memory = SqliteConnectOptions::new().in_memory(true);
        let in_file = |file| SqliteConnectOptions::new().filename(file);
        let options = file.map_or(memory, in_file);
        // In memory they are those of the one connection, and live as long.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None);
        Self {
            pool: pool.connect_lazy_with(options),
        }
    }

    /// Makes the table, once the session store has made the file.
    pub async fn prepare(&self) -> Result<(), Away> {
        let table = "CREATE TABLE IF NOT EXISTS accounts (id TEXT PRIMARY KEY, \
             email TEXT NOT NULL UNIQUE, password TEXT NOT NULL, role TEXT NOT NULL, \
             registration BLOB) STRICT";
        query(table).execute(&self.pool).await?;
        Ok(())
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
        let insert = "INSERT INTO accounts (id, email, password, role, registration) \
             VALUES (?, ?, ?, ?, ?) ON CONFLICT (email) DO NOTHING";
        let insert = query(insert).bind(id.to_string()).bind(email.to_string());
        let insert = insert.bind(password.0).bind(role.to_owned());
        let insert = insert.bind(registration.map(|key| key.to_vec()));
        let made = insert.execute(&self.pool).await?.rows_affected() == 1;
        Ok(made.then_some(id))
    }

    pub async fn find(&self, email: &Email) -> Result<Option<UserId>, Away> {
        let id = query_scalar("SELECT id FROM accounts WHERE email = ?").bind(email.to_string());
        let id: Option<String> = id.fetch_optional(&self.pool).await?;
        Ok(id.and_then(|id| UserId::new(id).ok()))
    }

    pub async fn password_of(&self, user: &UserId) -> Result<Option<Hash>, Away> {
        let hash =
            query_scalar("SELECT password FROM accounts WHERE id = ?").bind(user.to_string());
        Ok(hash.fetch_optional(&self.pool).await?.map(Hash))
    }

    /// Sets a password, whatever it was before. Its sessions are the caller's to end.
    pub async fn set_password(&self, user: &UserId, password: Hash) -> Result<bool, Away> {
        let set = "UPDATE accounts SET password = ? WHERE id = ?";
        let set = query(set).bind(password.0).bind(user.to_string());
        Ok(set.execute(&self.pool).await?.rows_affected() == 1)
    }

    /// Replaces a password, unless it is another one by now. Its sessions are the caller's to end.
    pub async fn replace_password(
        &self,
        user: &UserId,
        old: &Hash,
        new: Hash,
    ) -> Result<bool, Away> {
        let set = "UPDATE accounts SET password = ? WHERE id = ? AND password = ?";
        let set = query(set).bind(new.0).bind(user.to_string());
        let set = set.bind(old.0.clone());
        Ok(set.execute(&self.pool).await?.rows_affected() == 1)
    }

    /// Whether the account of an address was made under this key.
    pub async fn was_registered_under(
        &self,
        email: &Email,
        key: &RegistrationKey,
    ) -> Result<bool, Away> {
        let found = "SELECT COUNT(*) FROM accounts WHERE email = ? AND registration = ?";
        let found = query_scalar(found)
            .bind(email.to_string())
            .bind(key.to_vec());
        let found: i64 = found.fetch_one(&self.pool).await?;
        Ok(found == 1)
    }

    /// Whether there is such an account; telling the sessions is up to the caller.
    pub async fn set_role(&self, user: &UserId, role: String) -> Result<bool, Away> {
        let set = "UPDATE accounts SET role = ? WHERE id = ?";
        let set = query(set).bind(role).bind(user.to_string());
        Ok(set.execute(&self.pool).await?.rows_affected() == 1)
    }
}

/// Asked at every sign-in and every refresh.
impl ClaimsSource for Accounts {
    type Error = Away;

    async fn claims(&self, user: &UserId) -> Result<Option<Grants>, Away> {
        let role = query_scalar("SELECT role FROM accounts WHERE id = ?").bind(user.to_string());
        let role: Option<String> = role.fetch_optional(&self.pool).await?;
        Ok(role.map(|role| Grants::default().role(role)))
    }
}
