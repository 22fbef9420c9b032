//! The five calls.

use axum::Router;
use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::middleware::from_fn;
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use tower_jwt_session::endpoints::{self, Problem, Response};
use tower_jwt_session::integrations::axum::drain_unread;
use tower_jwt_session::session::Authentication;
use tower_jwt_session::{Device, JwtSession, Session};

use crate::accounts::{Accounts, id_of};
use crate::email::Email;
use crate::input::Input;
use crate::passwords;

#[derive(Clone)]
pub struct App {
    pub auth: JwtSession,
    pub accounts: Accounts,
}

pub fn router(app: App) -> Router {
    let auth = app.auth.clone();
    let for_users = Router::new()
        .route("/api/protected", get(protected))
        .route("/api/admin/dashboard", get(dashboard))
        .route_layer(auth.layer());
    // Outside of the layer: whoever has no token, or an expired one, must get here.
    for_users
        .route("/api/auth/login", post(login))
        .merge(auth.auth_routes()) // /api/auth/refresh and /api/auth/logout
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(async |method: Method| endpoints::another_method(&method, ""))
        .layer(from_fn(drain_unread))
        .with_state(app)
}

#[derive(Deserialize)]
struct Credentials {
    email: String,
    password: String,
}

/// `POST /api/auth/login`: a session of its own for each device.
async fn login(
    State(app): State<App>,
    device: Device,
    Input(form): Input<Credentials>,
) -> Result<Response, Problem> {
    let user = id_of(&Email::parse(&form.email).unwrap_or_default());
    // The ticket comes before the password is looked at: a session that is made with it cannot
    // outlast a change of the password meanwhile.
    let ticket = app.auth.sessions().ticket(&user).await?;
    if !passwords::verify(form.password, app.accounts.password_of(&user)).await {
        return Err(Problem::invalid_credentials());
    }
    let by_password = Authentication {
        acr: None,
        amr: vec!["pwd".to_owned()],
    };
    let sign_in = app.auth.sessions().sign_in(ticket, device);
    let signed_in = sign_in.authenticated_by(by_password).await?;
    Ok(endpoints::json(StatusCode::OK, &signed_in.tokens()))
}

/// `GET /api/protected`: to take a `Session` is all it takes to be protected.
async fn protected(session: Session) -> Response {
    endpoints::json(StatusCode::OK, &about(&session))
}

/// `GET /api/admin/dashboard`: 403 without the role.
async fn dashboard(session: Session) -> Result<Response, Problem> {
    session.require_role("admin")?;
    Ok(endpoints::json(StatusCode::OK, &about(&session)))
}

/// With the token's id, which is what follows `blacklist:` in Redis once it is revoked.
fn about(session: &Session) -> Value {
    json!({
        "user_id": session.subject().as_str(),
        "session_id": session.id().map(|id| id.to_string()),
        "token_id": session.token_id().map(|id| id.as_str()),
        "roles": session.token().roles().collect::<Vec<_>>(),
        "expires_at": session.expires_at().to_string(),
    })
}
