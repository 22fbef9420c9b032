//! A mail to the user when somebody signs in on a device that was not seen before.
//! `cargo run --example new_device_mail`, with a mail server at `SMTP_ADDR`
//!
//! | variable | default | |
//! |---|---|---|
//! | `SMTP_ADDR` | `127.0.0.1:1025` | a relay on this machine, which takes mail without TLS |
//! | `MAIL_FROM` | `Example <no-reply@localhost>` | |
//! | `MAIL_RETRY` | `1s` | the first pause where the relay is away; each is twice the one before |
//! | `LISTEN_ADDR` | `127.0.0.1:3000` | |

mod mail;

use std::error::Error;
use std::net::SocketAddr;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde::Deserialize;
use tokio::net::TcpListener;
use tower_jwt_session::endpoints::{self, Problem, Response};
use tower_jwt_session::integrations::axum::peer;
use tower_jwt_session::session::risk::RiskWatch;
use tower_jwt_session::{Device, Environment, JwtSession, UserId};

use crate::mail::Mailer;

/// Stands for a table of accounts, whose passwords are hashed: see `examples/axum`.
const ACCOUNT: (&str, &str) = ("ada@example.com", "a passphrase for trying it out");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let log = tracing_subscriber::fmt().with_ansi(false).without_time();
    log.with_target(false).init();
    let env = Environment::of_process()
        .with_default("SMTP_ADDR", "127.0.0.1:1025")
        .with_default("MAIL_FROM", "Example <no-reply@localhost>")
        .with_default("MAIL_RETRY", "1s")
        .with_default("LISTEN_ADDR", "127.0.0.1:3000");
    let of = |name| env.get(name).unwrap_or_default();
    let retry = humantime::parse_duration(of("MAIL_RETRY"))?;
    let mailer = Mailer::new(of("SMTP_ADDR").parse()?, of("MAIL_FROM").parse()?, retry);

    let (queue, notices) = mail::queue();
    let sending = tokio::spawn(mailer.run(notices));
    let auth = JwtSession::builder()
        .with_env(&env)
        .watch_risk(RiskWatch::default())
        .on_new_device(move |device| mail::put(&queue, device))
        .build()?;
    let listener = TcpListener::bind(of("LISTEN_ADDR")).await?;
    let running = auth.start().await?;
    println!("listening on http://{}", listener.local_addr()?);

    let app = Router::new()
        .route("/login", post(login))
        .with_state(auth.clone())
        .merge(auth.session_routes().layer(auth.layer()))
        .layer(auth.client_addresses().with_peer(peer));
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
    // What still waits is in memory alone; a service that must not lose it keeps a table.
    sending.abort();
    Ok(())
}

#[derive(Deserialize)]
struct Credentials {
    email: String,
    password: String,
}

/// `POST /login`
async fn login(
    State(auth): State<JwtSession>,
    device: Device,
    Json(form): Json<Credentials>,
) -> Result<Response, Problem> {
    let user = UserId::new(ACCOUNT.0).expect("a short text can be an id");
    let ticket = auth.sessions().ticket(&user).await?;
    if (form.email.as_str(), form.password.as_str()) != ACCOUNT {
        return Err(Problem::invalid_credentials());
    }
    let tokens = auth.sessions().sign_in(ticket, device).await?.tokens();
    Ok(endpoints::json(StatusCode::OK, &tokens))
}
