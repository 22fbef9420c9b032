//! The application's own tables, beside those of the sessions.

use std::path::PathBuf;

use sqlx::sqlite::{SqliteConnectOptions, SqlitePool, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, Row, query, query_scalar};
use tower_jwt_session::{ClaimsSource, Grants, SessionId, UserId};
use uuid::Uuid;

use crate::away::Away;
use crate::email::Email;
use crate::passwords::Hash;

/// Accounts, notices and what was done in each session. Cloning shares them.
#[derive(Clone)]
pub struct Database {
    pool: SqlitePool,
}

/// Where a user's second factor stands.
#[derive(Clone)]
pub enum SecondFactor {
    /// There is none.
    None,
    /// A secret was handed out, and no code of it seen yet.
    Offered(Vec<u8>),
    /// It is asked for.
    Confirmed(Vec<u8>),
}

/// A line of a user's notices, or of what was done in a session.
pub struct Line {
    pub at: String,
    pub text: String,
}

impl Database {
    /// Opens nothing yet. Without a file it is kept in memory.
    pub fn new(file: Option<PathBuf>) -> Self {
        let memory = SqliteConnectOptions::new().in_memory(true);
        let in_file = |file| SqliteConnectOptions::new().filename(file);
        let pool = SqlitePoolOptions::new().max_connections(1);
        // In memory all is gone with its connection, and so it is not asked whether it is well before
        // it is used: a request that goes away meanwhile would close it.
        let pool = pool.idle_timeout(None).max_lifetime(None);
        let pool = pool.test_before_acquire(false);
        Self {
            pool: pool.connect_lazy_with(file.map_or(memory, in_file)),
        }
    }

    /// Makes the tables, once the session store has made the file.
    pub async fn prepare(&self) -> Result<(), Away> {
        for table in TABLES {
            query(AssertSqlSafe(*table)).execute(&self.pool).await?;
        }
        Ok(())
    }

    /// Makes an account; `None` where the address has one. The first one is an administrator's.
    pub async fn create(
        &self,
        email: &Email,
        password: Option<Hash>,
        verification: Option<&str>,
    ) -> Result<Option<UserId>, Away> {
        let id = UserId::new(Uuid::new_v4().to_string()).expect("a UUID can be an id");
        let made = query(
            "INSERT INTO users (id, email, password, verification, role) VALUES (?, ?, ?, ?, \
             CASE WHEN EXISTS (SELECT 1 FROM users) THEN 'user' ELSE 'admin' END) \
             ON CONFLICT (email) DO NOTHING",
        )
        .bind(id.to_string())
        .bind(email.to_string())
        .bind(password.map(|hash| hash.0))
        .bind(verification.map(str::to_owned))
        .execute(&self.pool)
        .await?;
        Ok((made.rows_affected() == 1).then_some(id))
    }

    pub async fn find(&self, email: &Email) -> Result<Option<UserId>, Away> {
        let id = query_scalar("SELECT id FROM users WHERE email = ?").bind(email.to_string());
        let id: Option<String> = id.fetch_optional(&self.pool).await?;
        Ok(id.and_then(|id| UserId::new(id).ok()))
    }

    pub async fn email_of(&self, user: &UserId) -> Result<Option<String>, Away> {
        let email = query_scalar("SELECT email FROM users WHERE id = ?").bind(user.to_string());
        Ok(email.fetch_optional(&self.pool).await?)
    }

    /// The password's hash, and whether the address still waits to be verified.
    pub async fn password_of(&self, user: &UserId) -> Result<(Option<Hash>, bool), Away> {
        let row = query("SELECT password, verification FROM users WHERE id = ?")
            .bind(user.to_string())
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else {
            return Ok((None, false));
        };
        let password: Option<String> = row.try_get(0)?;
        let verification: Option<String> = row.try_get(1)?;
        Ok((password.map(Hash), verification.is_some()))
    }

    /// Marks the address verified whose code this is.
    pub async fn verify(&self, code: &str) -> Result<bool, Away> {
        let update = query("UPDATE users SET verification = NULL WHERE verification = ?");
        let verified = update.bind(code.to_owned()).execute(&self.pool).await?;
        Ok(verified.rows_affected() == 1)
    }

    pub async fn second_factor_of(&self, user: &UserId) -> Result<SecondFactor, Away> {
        let row = query("SELECT totp, totp_confirmed FROM users WHERE id = ?")
            .bind(user.to_string())
            .fetch_optional(&self.pool)
            .await?;
        let Some(row) = row else {
            return Ok(SecondFactor::None);
        };
        let (secret, confirmed): (Option<Vec<u8>>, bool) = (row.try_get(0)?, row.try_get(1)?);
        Ok(match secret {
            None => SecondFactor::None,
            Some(secret) if confirmed => SecondFactor::Confirmed(secret),
            Some(secret) => SecondFactor::Offered(secret),
        })
    }

    /// Keeps a secret for a second factor, unless one is confirmed.
    pub async fn offer_second_factor(&self, user: &UserId, secret: &[u8]) -> Result<bool, Away> {
        let update = query("UPDATE users SET totp = ? WHERE id = ? AND NOT totp_confirmed");
        let update = update.bind(secret.to_vec()).bind(user.to_string());
        Ok(update.execute(&self.pool).await?.rows_affected() == 1)
    }

    /// Takes a code of a step that is later than that of the last one, so that none works twice.
    pub async fn take_code(&self, user: &UserId, step: i64) -> Result<bool, Away> {
        let update = "UPDATE users SET totp_confirmed = TRUE, totp_step = ? \
             WHERE id = ? AND totp_step < ?";
        let update = query(update).bind(step).bind(user.to_string()).bind(step);
        Ok(update.execute(&self.pool).await?.rows_affected() == 1)
    }

    pub async fn add_notice(&self, user: &UserId, at: &str, text: &str) -> Result<(), Away> {
        let insert = query("INSERT INTO notices (user, at, text) VALUES (?, ?, ?)");
        let insert = insert.bind(user.to_string()).bind(at.to_owned());
        insert.bind(text.to_owned()).execute(&self.pool).await?;
        Ok(())
    }

    pub async fn notices_of(&self, user: &UserId) -> Result<Vec<Line>, Away> {
        let lines = "SELECT at, text FROM notices WHERE user = ? ORDER BY rowid DESC LIMIT 100";
        self.lines(lines, user.to_string()).await
    }

    /// Notes what was done in a session; the last hundred things are kept.
    pub async fn add_activity(&self, session: SessionId, at: &str, what: &str) -> Result<(), Away> {
        let insert = query("INSERT INTO activity (session, at, text) VALUES (?, ?, ?)");
        let insert = insert.bind(session.to_string()).bind(at.to_owned());
        insert.bind(what.to_owned()).execute(&self.pool).await?;
        let forget = "DELETE FROM activity WHERE session = ? AND rowid NOT IN \
             (SELECT rowid FROM activity WHERE session = ? ORDER BY rowid DESC LIMIT 100)";
        let forget = query(forget).bind(session.to_string());
        forget.bind(session.to_string()).execute(&self.pool).await?;
        Ok(())
    }

    pub async fn activity_of(&self, session: SessionId) -> Result<Vec<Line>, Away> {
        let lines = "SELECT at, text FROM activity WHERE session = ? ORDER BY rowid DESC";
        self.lines(lines, session.to_string()).await
    }

    async fn lines(&self, select: &'static str, of: String) -> Result<Vec<Line>, Away> {
        let rows = query(select).bind(of).fetch_all(&self.pool).await?;
        rows.iter()
            .map(|row| {
                Ok(Line {
                    at: row.try_get(0)?,
                    text: row.try_get(1)?,
                })
            })
            .collect()
    }
}

impl ClaimsSource for Database {
    type Error = Away;

    /// The role that a token carries; `None` for an account that is gone.
    async fn claims(&self, user: &UserId) -> Result<Option<Grants>, Away> {
        let role = query_scalar("SELECT role FROM users WHERE id = ?").bind(user.to_string());
        let role: Option<String> = role.fetch_optional(&self.pool).await?;
        Ok(role.map(|role| Grants::default().role(role)))
    }
}

const TABLES: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, email TEXT NOT NULL UNIQUE, \
     password TEXT, verification TEXT, role TEXT NOT NULL, totp BLOB, \
     totp_confirmed INTEGER NOT NULL DEFAULT FALSE, totp_step INTEGER NOT NULL DEFAULT 0) STRICT",
    "CREATE TABLE IF NOT EXISTS notices (user TEXT NOT NULL, at TEXT NOT NULL, text TEXT NOT NULL) STRICT",
    "CREATE INDEX IF NOT EXISTS notices_of ON notices (user)",
    "CREATE TABLE IF NOT EXISTS activity (session TEXT NOT NULL, at TEXT NOT NULL, text TEXT NOT NULL) STRICT",
    "CREATE INDEX IF NOT EXISTS activity_of ON activity (session)",
];
