//! Sessions on many devices: who is signed in where, and how to sign one of them out from
//! afar. `cd examples/session_devices && cp .env.example .env && cargo run --example session_devices`

mod activity;
mod app;
#[path = "../axum/away.rs"]
mod away;
#[path = "../axum/data.rs"]
mod data;
mod database;
#[path = "../axum/email.rs"]
mod email;
#[path = "../axum/input.rs"]
mod input;
mod notices;
mod pages;
#[path = "../axum/passwords.rs"]
mod passwords;
mod second_factor;
mod settings;
mod sign_in;
mod single_sign_on;

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;

use tokio::net::TcpListener;

use crate::app::App;
use crate::data::{Data, Where};
use crate::database::Database;

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
    let (data, env) = Data::of(settings::environment()?)?;
    let database = Database::new(match data.accounts()? {
        Where::File(file) => Some(file),
        Where::Memory => None,
        Where::Beside(_) => {
            return Err("accounts, notices and activity are kept in SQLite: set \
                 DATABASE_URL=sqlite:FILE beside SESSION_STORE"
                .into());
        }
    });
    let (settings, auth) = settings::read(&env, &database)?;
    let listener = TcpListener::bind(settings.listen).await?;
    let running = auth.start().await?;
    database.prepare().await?;

    println!("listening on http://{}", listener.local_addr()?);
    data.print();
    let app = app::router(App::new(auth, database, settings));
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
