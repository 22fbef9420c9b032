//! Accounts in Redis: a hash for each, and a key for each address that says whose it is.

use std::collections::HashMap;

use redis::aio::ConnectionManager;
use redis::{AsyncCommands, Client, Script};
use tokio::sync::OnceCell;

use super::{Account, Change};
use crate::away::Away;
use crate::passwords::Hash;

pub(super) struct Keys {
    client: Client,
    connection: OnceCell<ConnectionManager>,
}

impl Keys {
    pub(super) fn new(address: &str) -> Result<Self, Away> {
        Ok(Self {
            client: Client::open(address)?,
            connection: OnceCell::new(),
        })
    }

    pub(super) async fn insert(&self, account: Account) -> Result<bool, Away> {
        let mut connection = self.connection().await?;
        let made: bool = Script::new(INSERT)
            .key(by_email(&account.email))
            .key(by_id(&account.id))
            .arg(account.id)
            .arg(account.email)
            .arg(account.password.0)
            .arg(account.role)
            .arg(account.registration.unwrap_or_default())
            .invoke_async(&mut connection)
            .await?;
        Ok(made)
    }

    pub(super) async fn by_email(&self, email: &str) -> Result<Option<Account>, Away> {
        let mut connection = self.connection().await?;
        let id: Option<String> = connection.get(by_email(email)).await?;
        match id {
            Some(id) => self.by_id(&id).await,
            None => Ok(None),
        }
    }

    pub(super) async fn by_id(&self, id: &str) -> Result<Option<Account>, Away> {
        let mut connection = self.connection().await?;
        let mut fields: HashMap<String, Vec<u8>> = connection.hgetall(by_id(id)).await?;
        let registration = fields.remove("registration");
        let mut text = |name: &str| String::from_utf8(fields.remove(name)?).ok();
        let account = text("email").zip(text("password")).zip(text("role"));
        Ok(account.map(|((email, password), role)| Account {
            id: id.to_owned(),
            email,
            password: Hash(password),
            role,
            registration: registration.filter(|key| !key.is_empty()),
        }))
    }

    pub(super) async fn change(&self, id: &str, change: Change) -> Result<bool, Away> {
        let (field, value, old) = match change {
            Change::Password { new, old } => ("password", new.0, old),
            Change::Role(role) => ("role", role, None),
        };
        let mut connection = self.connection().await?;
        let changed: bool = Script::new(CHANGE)
            .key(by_id(id))
            .arg(field)
            .arg(value)
            .arg(old.map_or_else(String::new, |old| old.0))
            .invoke_async(&mut connection)
            .await?;
        Ok(changed)
    }

    async fn connection(&self) -> Result<ConnectionManager, Away> {
        let connect = || self.client.get_connection_manager();
        Ok(self.connection.get_or_try_init(connect).await?.clone())
    }
}

fn by_email(email: &str) -> String {
    format!("accounts:email:{email}")
}

fn by_id(id: &str) -> String {
    format!("accounts:id:{id}")
}

const INSERT: &str = "
    if not redis.call('SET', KEYS[1], ARGV[1], 'NX') then return 0 end
    redis.call('HSET', KEYS[2], 'email', ARGV[2], 'password', ARGV[3], 'role', ARGV[4],
        'registration', ARGV[5])
    return 1";

const CHANGE: &str = "
    local password = redis.call('HGET', KEYS[1], 'password')
    if not password or (ARGV[3] ~= '' and password ~= ARGV[3]) then return 0 end
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
    return 1";
