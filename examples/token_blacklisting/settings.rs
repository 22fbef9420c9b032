//! What the environment says, and what it leaves to this example.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use tower_jwt_session::{ConfigError, Environment, JwtSession, RedisStore};

use crate::accounts::Accounts;
use crate::email::Email;
use crate::passwords;

pub struct Settings {
    pub listen: SocketAddr,
    pub accounts: [DemoAccount; 2],
    has_own_secret: bool,
}

pub struct DemoAccount {
    pub email: Email,
    pub password: String,
    pub role: &'static str,
    made_for_this_run: bool,
}

/// Where Redis is, unless `SESSION_STORE` or `REDIS_URL` says otherwise.
pub const REDIS: &str = "redis://127.0.0.1:6379";

/// Reads everything before it complains, so that all mistakes are seen at once.
pub fn read(env: &Environment, accounts: &Accounts) -> Result<(Settings, JwtSession), ConfigError> {
    let mut problems = ConfigError::default();
    let listen = env.get("LISTEN_ADDR").map(str::parse).transpose();
    let listen = listen.unwrap_or_else(|_| {
        problems.add(
            "LISTEN_ADDR is not an address",
            "write it as 127.0.0.1:3000",
        );
        None
    });
    let store = store(env, &mut problems);
    let settings = Settings {
        listen: listen.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 3000))),
        accounts: [
            DemoAccount::read(env, "user", "USER_PASSWORD", &mut problems),
            DemoAccount::read(env, "admin", "ADMIN_PASSWORD", &mut problems),
        ],
        has_own_secret: !SIGNING.iter().any(|name| env.get(name).is_some()),
    };
    let mut env = env.clone();
    if settings.has_own_secret {
        env = env.with_default("JWT_SECRET", random::<32>());
    }
    let mut auth = JwtSession::builder()
        .claims_source(accounts.clone())
        .with_env(&env);
    if let Some(store) = store {
        auth = auth.store(store);
    }
    match auth.build() {
        Ok(auth) => problems.into_result((settings, auth)),
        Err(more) => {
            problems.append(more);
            Err(problems)
        }
    }
}

/// The server of `REDIS_URL`; `None` where `SESSION_STORE` names the store, or there is a problem.
fn store(env: &Environment, problems: &mut ConfigError) -> Option<RedisStore> {
    let others = ["memory:", "sqlite:", "postgres:", "postgresql:"];
    if let Some(store) = env.get("SESSION_STORE") {
        if others.iter().any(|other| store.starts_with(other)) {
            problems.add(
                "SESSION_STORE is not a Redis server, and the keys of this example are in one",
                format!("write it as {REDIS}"),
            );
        }
        return None;
    }
    match RedisStore::new(env.get("REDIS_URL").unwrap_or(REDIS)) {
        Ok(store) => Some(store),
        Err(error) => {
            // Nothing of the address is repeated: it may hold a password.
            let why = error.source().map(ToString::to_string);
            let why = why.unwrap_or_else(|| error.to_string());
            problems.add(
                format!("REDIS_URL: {why}"),
                format!("the usual one is {REDIS}"),
            );
            None
        }
    }
}

impl Settings {
    pub fn print(&self) {
        for account in &self.accounts {
            // A password that somebody chose is not for the screen.
            let shown = match account.made_for_this_run {
                true => account.password.as_str(),
                false => "the password from the environment",
            };
            println!("  {} / {shown}", account.email);
        }
        if self.has_own_secret {
            println!(
                "  the signing secret is of this run; set JWT_SECRET for tokens that outlive it"
            );
        }
        println!("  docs/token-blacklisting.md has what to try");
    }
}

impl DemoAccount {
    fn read(
        env: &Environment,
        role: &'static str,
        variable: &str,
        problems: &mut ConfigError,
    ) -> Self {
        let chosen = env.get(variable);
        if chosen.is_some_and(|password| !passwords::acceptable(password)) {
            let what = format!("{variable} is too short or too long");
            problems.add(what, passwords::RULE);
        }
        Self {
            email: Email::parse(&format!("{role}@example.com")).unwrap_or_default(),
            password: chosen.map_or_else(random::<15>, str::to_owned),
            role,
            made_for_this_run: chosen.is_none(),
        }
    }
}

fn random<const BYTES: usize>() -> String {
    let mut bytes = [0; BYTES];
    aws_lc_rs::rand::fill(&mut bytes).expect("the system has a source of randomness");
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What signs access tokens.
const SIGNING: [&str; 4] = [
    "JWT_SECRET",
    "JWT_SECRET_KEY",
    "JWT_SECRET_FILE",
    "JWT_PRIVATE_KEY_FILE",
];
