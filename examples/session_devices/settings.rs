//! What the file `.env` and the environment say.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};

use tower_jwt_session::verify::{ClaimNames, TokenPolicy};
use tower_jwt_session::{ConfigError, Environment, JwtSession};

use crate::database::Database;
use crate::single_sign_on::Provider;

pub struct Settings {
    pub listen: SocketAddr,
    pub email_must_be_verified: bool,
    pub provider: Option<Provider>,
}

/// The environment over what `.env` says, where there is one. A user may have five devices, and
/// one that was not used for 30 days is signed out: the sweep of the session layer does it.
pub fn environment() -> Result<Environment, Box<dyn Error>> {
    let mut env = Environment::of_process()
        .with_default("JWT_MAX_CONCURRENT_SESSIONS", "5")
        .with_default("JWT_SESSION_IDLE_EXPIRY", "30d");
    match dotenvy::from_path_iter(".env") {
        Ok(lines) => {
            for line in lines {
                let (name, value) = line?;
                env = env.with_default(&name, value);
            }
        }
        Err(error) if error.not_found() => {}
        Err(error) => return Err(error.into()),
    }
    Ok(env.with_default("DATABASE_URL", "sqlite:///./sessions.db"))
}

/// Reads everything before it complains, so that all mistakes are seen at once.
pub fn read(env: &Environment, database: &Database) -> Result<(Settings, JwtSession), ConfigError> {
    let mut problems = ConfigError::default();
    let listen = env.get("LISTEN_ADDR").map(str::parse).transpose();
    let listen = listen.unwrap_or_else(|_| {
        problems.add(
            "LISTEN_ADDR is not an address",
            "write it as 127.0.0.1:8000",
        );
        None
    });
    let email_must_be_verified = match env.get("REQUIRE_EMAIL_VERIFICATION") {
        None | Some("false") => false,
        Some("true") => true,
        Some(_) => {
            problems.add(
                "REQUIRE_EMAIL_VERIFICATION is not understood",
                "write true or false",
            );
            false
        }
    };
    let provider = Provider::read(env, &mut problems);
    let names = ClaimNames::default().with_session("session_id");
    let auth = JwtSession::builder()
        .token_policy(TokenPolicy::new("session-devices", "session-devices").with_names(names))
        .claims_source(database.clone())
        .with_env(env)
        .build();
    let settings = Settings {
        listen: listen.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 8000))),
        email_must_be_verified,
        provider,
    };
    match auth {
        Ok(auth) => problems.into_result((settings, auth)),
        Err(more) => {
            problems.append(more);
            Err(problems)
        }
    }
}
