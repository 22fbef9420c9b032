//! The JWT session management guide as a running server: five token endpoints, a token manager for
//! browsers, everything by the environment. `cp config/production.env .env`, change the secret,
//! `cargo run --example session_management`

#[expect(dead_code, reason = "the other example does more with its accounts")]
#[path = "../axum/accounts/mod.rs"]
mod accounts;
mod app;
#[path = "../axum/away.rs"]
mod away;
#[path = "../axum/data.rs"]
mod data;
#[path = "../axum/edge.rs"]
mod edge;
#[path = "../axum/email.rs"]
mod email;
#[path = "../axum/input.rs"]
mod input;
mod pages;
#[path = "../axum/passwords.rs"]
mod passwords;
#[path = "../axum/serve.rs"]
mod serve;
mod settings;
#[path = "../axum/sign_in.rs"]
mod sign_in;

use std::error::Error;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tower_jwt_session::Checklist;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::accounts::Accounts;
use crate::app::App;
use crate::data::Data;

#[tokio::main]
async fn main() -> ExitCode {
    // Failed refreshes and whatever else is suspicious is in the log.
    let filter = EnvFilter::builder().with_default_directive(LevelFilter::WARN.into());
    tracing_subscriber::fmt()
        .with_env_filter(filter.from_env_lossy())
        .with_writer(io::stderr)
        // Where the log cannot be written, requests are answered all the same.
        .log_internal_errors(false)
        .with_ansi(io::stderr().is_terminal())
        .init();
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
    let accounts = Accounts::new(data.accounts()?)?;
    let (listen, auth) = settings::read(&env, &accounts)?;

    let listener = TcpListener::bind(listen)
        .await
        .map_err(|error| format!("{listen}: {error}; set LISTEN_ADDR to another address"))?;
    let running = auth.start().await?;
    accounts.prepare().await?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let told_to_stop = async {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    };

    let bound = listener.local_addr()?;
    println!("listening on http://{bound}");
    data.print();
    let checklist = Checklist::of(&auth).listening_on(bound).with_env(&env);
    for finding in checklist.findings() {
        println!("  before production: {finding}");
    }
    println!(
        "  {} to look at before production",
        checklist.findings().len()
    );
    serve::serve(
        listener,
        app::router(App::new(auth, accounts)),
        told_to_stop,
    )
    .await;
    running.shutdown().await;
    Ok(())
}
