//! The flagship: accounts, sign-in, sessions and an admin page's worth of calls, in one server
//! that needs nothing installed. `cargo run --example axum`

mod accounts;
mod app;
mod auth;
mod away;
mod cli;
mod commands;
mod contract;
mod credentials;
mod data;
mod docs;
mod edge;
mod email;
mod figures;
mod input;
mod pages;
mod passwords;
mod protected;
mod serve;
mod settings;
mod sign_in;
mod turns;

use std::error::Error;
use std::future::pending;
use std::io::{self, IsTerminal};
use std::process::ExitCode;

use clap::Parser;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tower_jwt_session::events::Statistics;
use tower_jwt_session::{Checklist, Environment, JwtSession};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::filter::LevelFilter;

use crate::accounts::Accounts;
use crate::app::App;
use crate::cli::Cli;
use crate::data::Data;
use crate::figures::Figures;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = Cli::parse();
    log_to_stderr();
    let done = match cli.command {
        Some(command) => commands::run(command).await,
        None => serve().await,
    };
    match done {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            let mut cause = error.source();
            while let Some(deeper) = cause {
                eprintln!("  {deeper}");
                cause = deeper.source();
            }
            ExitCode::FAILURE
        }
    }
}

/// Warnings and errors, or what `RUST_LOG` asks for.
fn log_to_stderr() {
    let filter = EnvFilter::builder()
        .with_default_directive(LevelFilter::WARN.into())
        .from_env_lossy();
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        // Where the log cannot be written, requests are answered all the same.
        .log_internal_errors(false)
        .with_ansi(io::stderr().is_terminal())
        .init();
}

async fn serve() -> Result<ExitCode, Box<dyn Error>> {
    let env = Environment::of_process().with_default("LISTEN_ADDR", "127.0.0.1:3000");
    let (data, env) = Data::of(env)?;
    let accounts = Accounts::new(data.accounts()?)?;
    let statistics = Statistics::default();
    let (settings, auth) = auth::build(&env, &accounts, &statistics)?;
    let figures = Figures::record()?;

    let listener = TcpListener::bind(settings.listen).await.map_err(|error| {
        format!(
            "{}: {error}; set LISTEN_ADDR to another address",
            settings.listen
        )
    })?;
    let scraped = settings.scraped().await?;
    let running = auth.start().await?;
    accounts.prepare().await?;
    settings.admin.create(&accounts).await?;
    let told_to_stop = told_to_stop()?;
    let bound = listener.local_addr()?;
    let checklist = Checklist::of(&auth).listening_on(bound).with_env(&env);
    let figures_at = scraped.as_ref().map(TcpListener::local_addr).transpose()?;
    settings.print(bound, figures_at, &data, &auth.configuration(&checklist));
    reload_keys_when_told(auth.clone(), env)?;

    let app = App::new(auth, accounts, statistics);
    match scraped {
        Some(own) => {
            tokio::spawn(serve::serve(own, figures.routes(&app.auth), pending()));
            serve::serve(listener, app::router(app, None), told_to_stop).await;
        }
        None => serve::serve(listener, app::router(app, Some(figures)), told_to_stop).await,
    }
    running.shutdown().await;
    Ok(ExitCode::SUCCESS)
}

/// Reads the files of the keys anew at each SIGHUP; docs/key-rotation.md says when.
fn reload_keys_when_told(auth: JwtSession, env: Environment) -> io::Result<()> {
    let mut hang_up = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hang_up.recv().await.is_some() {
            match auth.reload_keys(&env) {
                Ok(()) => tracing::warn!(keys = %kids(&auth), "the keys were read anew"),
                Err(error) => tracing::error!(%error, "the keys stay as they were"),
            }
        }
    });
    Ok(())
}

fn kids(auth: &JwtSession) -> String {
    let keys = auth.keys().list().into_iter();
    let keys: Vec<_> = keys
        .map(|key| format!("{} ({:?})", key.kid, key.state))
        .collect();
    keys.join(", ")
}

/// Listens for Ctrl-C and for what a service manager sends, from now on.
fn told_to_stop() -> io::Result<impl Future<Output = ()>> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}
