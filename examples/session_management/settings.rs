//! What the file `.env` and the environment say.

use std::error::Error;
use std::net::{Ipv4Addr, SocketAddr};

use tower_jwt_session::{ConfigError, Environment, JwtSession};

use crate::accounts::Accounts;

/// The environment over what `.env` says, where there is one.
pub fn environment() -> Result<Environment, Box<dyn Error>> {
    let mut env = Environment::of_process();
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
    // "Old tokens are blacklisted": also the access token, with each refresh.
    let env = env.with_default("JWT_ROTATION_ENDS_PREDECESSOR", "true");
    Ok(env.with_default("LISTEN_ADDR", "127.0.0.1:3000"))
}

/// Reads everything before it complains, so that all mistakes are seen at once.
pub fn read(
    env: &Environment,
    accounts: &Accounts,
) -> Result<(SocketAddr, JwtSession), ConfigError> {
    let mut problems = ConfigError::default();
    let listen = env.get("LISTEN_ADDR").map(str::parse).transpose();
    let listen = listen.unwrap_or_else(|_| {
        problems.add(
            "LISTEN_ADDR is not an address",
            "write it as 127.0.0.1:3000; port 0 takes any free one",
        );
        None
    });
    let listen = listen.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 3000)));
    let auth = JwtSession::builder()
        .claims_source(accounts.clone())
        .with_env(env)
        .build();
    match auth {
        Ok(auth) => problems.into_result((listen, auth)),
        Err(more) => {
            problems.append(more);
            Err(problems)
        }
    }
}
