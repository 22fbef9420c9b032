//! Which call goes where, and what it takes.

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode};
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use serde_json::json;
use tower_jwt_session::endpoints::{self, Problem, Response};
use tower_jwt_session::integrations::axum::drain_unread;
use tower_jwt_session::{JwtSession, Session, UserId};

use crate::database::Database;
use crate::settings::Settings;
use crate::{activity, notices, pages, second_factor, sign_in, single_sign_on};

#[derive(Clone)]
pub struct App {
    pub auth: JwtSession,
    pub database: Database,
    pub settings: Arc<Settings>,
}

impl App {
    pub fn new(auth: JwtSession, database: Database, settings: Settings) -> Self {
        Self {
            auth,
            database,
            settings: Arc::new(settings),
        }
    }

    /// Whom a sign-in is held against whose address has no account: it takes the same steps, and
    /// so the same time.
    pub fn nobody(&self) -> UserId {
        UserId::new("nobody").expect("a short text can be an id")
    }
}

pub fn router(app: App) -> Router {
    let auth = app.auth.clone();
    let for_users = Router::new()
        .route("/me", get(me))
        .route("/notices", get(notices::list))
        .route("/sessions/{id}/activity", get(activity::list))
        .route("/2fa", post(second_factor::prove))
        .route("/2fa/enroll", post(second_factor::enroll))
        .route("/2fa/confirm", post(second_factor::confirm));
    // Each user's own sessions, and everybody's for administrators.
    let sessions = auth
        .session_routes()
        .layer(from_fn_with_state(app.clone(), second_factor::demanded));
    let for_users = for_users
        .merge(sessions)
        .layer(from_fn_with_state(app.clone(), activity::note))
        .layer(auth.layer());
    let for_all = Router::new()
        .route("/", get(pages::home))
        .route("/docs", get(pages::docs))
        .route("/register", post(sign_in::register))
        .route("/verify", post(sign_in::verify))
        .route("/login", post(sign_in::login))
        .route("/login/sso", post(single_sign_on::login));
    for_all
        .merge(for_users)
        .merge(auth.admin_routes())
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(async |method: Method| endpoints::another_method(&method, ""))
        .layer(from_fn(drain_unread))
        .with_state(app)
}

/// `GET /me`
async fn me(
    axum::extract::State(app): axum::extract::State<App>,
    session: Session,
) -> Result<Response, Problem> {
    let email = app.database.email_of(session.subject()).await?;
    let about = json!({
        "id": session.subject().as_str(),
        "email": email.ok_or_else(Problem::not_found)?,
        "session_id": session.id().map(|id| id.to_string()),
        "roles": session.token().roles().collect::<Vec<_>>(),
    });
    Ok(endpoints::json(StatusCode::OK, &about))
}
