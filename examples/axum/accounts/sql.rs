//! Accounts in a table, of SQLite or of PostgreSQL.

use std::path::Path;

use sqlx::postgres::{PgPool, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{query, query_as};

use super::{Account, Change};
use crate::away::Away;
use crate::passwords::Hash;

#[derive(Clone)]
pub(super) enum Sql {
    Postgres(PgPool),
    Sqlite(SqlitePool),
}

type Row = (String, String, String, String, Option<Vec<u8>>);

/// The same of either pool: both write parameters as `$1`.
macro_rules! on {
    ($sql:expr, |$pool:ident| $then:expr) => {
        match $sql {
            Sql::Postgres($pool) => $then,
            Sql::Sqlite($pool) => $then,
        }
    };
}

impl Sql {
    /// Without a file they are kept in memory.
    pub(super) fn sqlite(file: Option<&Path>) -> Self {
        let memory = SqliteConnectOptions::new().in_memory(true);
        let in_file = |file| SqliteConnectOptions::new().filename(file);
        let options = file.map_or(memory, in_file);
        // In memory they are those of the one connection, and live as long: it is not asked whether it
        // is well before it is used, since a request that goes away meanwhile would close it.
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .test_before_acquire(false)
            .idle_timeout(None)
            .max_lifetime(None);
        Self::Sqlite(pool.connect_lazy_with(options))
    }

    pub(super) fn postgres(address: &str) -> Result<Self, Away> {
        let pool = PgPoolOptions::new().max_connections(4);
        Ok(Self::Postgres(pool.connect_lazy(address)?))
    }

    pub(super) async fn prepare(&self) -> Result<(), Away> {
        match self {
            Self::Postgres(pool) => {
                // Of two servers that start at once, one may find that the other was quicker.
                if query(TABLE_POSTGRES).execute(pool).await.is_err() {
                    query(TABLE_POSTGRES).execute(pool).await?;
                }
            }
            Self::Sqlite(pool) => {
                query(TABLE_SQLITE).execute(pool).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn insert(&self, account: Account) -> Result<bool, Away> {
        let insert = "INSERT INTO accounts (id, email, password, role, registration) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (email) DO NOTHING";
        let made = on!(self, |pool| {
            let insert = query(insert).bind(account.id).bind(account.email);
            let insert = insert.bind(account.password.0).bind(account.role);
            let insert = insert.bind(account.registration);
            insert.execute(pool).await?.rows_affected()
        });
        Ok(made == 1)
    }

    pub(super) async fn by_email(&self, email: String) -> Result<Option<Account>, Away> {
        let select =
            "SELECT id, email, password, role, registration FROM accounts WHERE email = $1";
        self.one(select, email).await
    }

    pub(super) async fn by_id(&self, id: String) -> Result<Option<Account>, Away> {
        let select = "SELECT id, email, password, role, registration FROM accounts WHERE id = $1";
        self.one(select, id).await
    }

    pub(super) async fn change(&self, id: String, change: Change) -> Result<bool, Away> {
        let (update, value, old) = match change {
            Change::Password { new, old: None } => (SET_PASSWORD, new.0, None),
            Change::Password { new, old } => (REPLACE_PASSWORD, new.0, old),
            Change::Role(role) => (SET_ROLE, role, None),
        };
        let changed = on!(self, |pool| {
            let update = query(update).bind(value).bind(id);
            let update = match old {
                Some(old) => update.bind(old.0),
                None => update,
            };
            update.execute(pool).await?.rows_affected()
        });
        Ok(changed == 1)
    }

    async fn one(&self, select: &'static str, key: String) -> Result<Option<Account>, Away> {
        let row: Option<Row> = on!(self, |pool| {
            query_as(select).bind(key).fetch_optional(pool).await?
        });
        Ok(
            row.map(|(id, email, password, role, registration)| Account {
                id,
                email,
                password: Hash(password),
                role,
                registration,
            }),
        )
    }
}

const TABLE_SQLITE: &str = "CREATE TABLE IF NOT EXISTS accounts (id TEXT PRIMARY KEY, \
     email TEXT NOT NULL UNIQUE, password TEXT NOT NULL, role TEXT NOT NULL, \
     registration BLOB) STRICT";

const TABLE_POSTGRES: &str = "CREATE TABLE IF NOT EXISTS accounts (id TEXT PRIMARY KEY, \
     email TEXT NOT NULL UNIQUE, password TEXT NOT NULL, role TEXT NOT NULL, registration BYTEA)";

const SET_PASSWORD: &str = "UPDATE accounts SET password = $1 WHERE id = $2";

const REPLACE_PASSWORD: &str = "UPDATE accounts SET password = $1 WHERE id = $2 AND password = $3";

const SET_ROLE: &str = "UPDATE accounts SET role = $1 WHERE id = $2";
