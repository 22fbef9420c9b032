//! Token blacklisting on Redis: who signs out on one device is out there on the next request, and
//! other services read it as `blacklist:<jti>`. `cargo run --example token_blacklisting`

mod accounts;
mod app;
#[path = "../axum/email.rs"]
mod email;
#[path = "../axum/input.rs"]
mod input;
#[path = "../axum/passwords.rs"]
mod passwords;
mod settings;

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;

use tokio::net::TcpListener;
use tower_jwt_session::{Environment, StoreError, StoreErrorKind};

use crate::accounts::Accounts;
use crate::app::App;

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let env = Environment::of_process();
    let accounts = Accounts::default();
    let (settings, auth) = settings::read(&env, &accounts)?;
    let listener = TcpListener::bind(settings.listen).await?;
    let running = auth.start().await.map_err(no_redis)?;
    for account in &settings.accounts {
        accounts.create(account).await;
    }

    println!("listening on http://{}", listener.local_addr()?);
    settings.print();
    let app = app::router(App { auth, accounts });
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app)
        .with_graceful_shutdown(async {
            // Without a way to listen for it, the server runs until it is killed.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<()>().await;
            }
        })
        .await?;
    running.shutdown().await;
    Ok(())
}

/// In one line: what is wrong with the server, and the way out. The address may hold a password, so
/// it is not repeated.
fn no_redis(error: StoreError) -> String {
    let why = error.source().map(ToString::to_string).unwrap_or_default();
    // Whoever answers without being Redis may have said it in many lines.
    let why = why.split_whitespace().collect::<Vec<_>>().join(" ");
    let way_out = match error.kind() {
        StoreErrorKind::Timeout | StoreErrorKind::Unavailable => {
            "start one with `redis-server`, or set REDIS_URL to one that runs"
        }
        _ => "set REDIS_URL to one as redis://user:password@host:6379/0",
    };
    let usual = settings::REDIS;
    format!("{error}: {why}; {way_out} (where it is unset: {usual})")
}
