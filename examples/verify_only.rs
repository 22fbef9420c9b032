//! A service that only checks tokens, which another service makes: it has their public keys and
//! follows their log of revocations. What ends there is refused here on its next request.
//!
//! ```sh
//! JWT_JWKS_FILE=jwks.json SESSION_STORE=sqlite:sessions.db cargo run --example verify_only
//! ```
//!
//! `JWT_ISSUER` and `JWT_AUDIENCE` are those of the service that signs; where its tokens do not live
//! for the default two hours, `JWT_ACCESS_TOKEN_EXPIRY` too.

use axum::{Router, routing::get};
use tower_jwt_session::{Environment, JwtSession, Session};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let env = Environment::of_process();
    let auth = JwtSession::builder().with_env(&env).build_verify_only()?;
    let running = auth.start().await?;

    let invoices = |session: Session| async move { format!("invoices of {}", session.subject()) };
    let app = Router::new()
        .route("/invoices", get(invoices))
        .layer(auth.layer());

    let address = env.get("LISTEN_ADDR").unwrap_or("127.0.0.1:3001");
    let listener = tokio::net::TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    axum::serve(listener, app)
        .with_graceful_shutdown(stop)
        .await?;
    running.shutdown().await;
    Ok(())
}
