//! What the file `.env` and the environment say.

use std::error::Error;
use std::fs::OpenOptions;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use tower_jwt_session::session::Rotation;
use tower_jwt_session::{ConfigError, Environment, JwtSession, SqliteStore};

use crate::accounts::Accounts;
use crate::data::Data;

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
    Ok(env.with_default("LISTEN_ADDR", "127.0.0.1:3000"))
}

/// Accounts are in the file of the sessions, or in that of `DATABASE_URL` where sessions are
/// elsewhere, as in Redis.
pub fn accounts(data: &Data, env: &Environment) -> io::Result<Accounts> {
    let Some(file) = file_of_its_own(data, env) else {
        return Ok(Accounts::new(data.file.as_deref()));
    };
    // There are hashes of passwords in it.
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600).open(file)?;
    Ok(Accounts::new(Some(file)))
}

fn file_of_its_own<'e>(data: &Data, env: &'e Environment) -> Option<&'e Path> {
    let url = env.get("DATABASE_URL").filter(|_| data.file.is_none());
    url.and_then(SqliteStore::path_of)
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
        // "Old tokens are blacklisted": also the access token, with each refresh.
        .rotation(Rotation::default().revoking_predecessors())
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

/// Says what survives a restart.
pub fn print_where(data: &Data, env: &Environment, auth: &JwtSession) {
    if data.file.is_some() || auth.store_name() == "memory" {
        return data.print();
    }
    let accounts = match file_of_its_own(data, env) {
        Some(file) => format!("in {}", file.display()),
        None => "in memory; set DATABASE_URL=sqlite:FILE to keep them".to_owned(),
    };
    println!(
        "  sessions are kept in {}, accounts {accounts}",
        auth.store_name()
    );
}
