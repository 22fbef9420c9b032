//! Which call goes where.

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::middleware::from_fn;
use axum::routing::{get, post};
use serde_json::json;
use tower_jwt_session::browser::Pages;
use tower_jwt_session::endpoints::{self, Problem, Response};
use tower_jwt_session::integrations::axum::drain_unread;
use tower_jwt_session::{JwtSession, Session, UserId};

use crate::accounts::Accounts;
use crate::{edge, pages, sign_in};

#[derive(Clone)]
pub struct App {
    pub auth: JwtSession,
    pub accounts: Accounts,
    pub pages: Pages,
}

impl App {
    pub fn new(auth: JwtSession, accounts: Accounts) -> Self {
        let pages = Pages::new(auth.clone());
        Self {
            auth,
            accounts,
            pages,
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
        .route("/api/protected-endpoint", get(protected))
        .route_layer(auth.layer());
    let for_all = Router::new()
        .route("/api/auth/register", post(sign_in::register))
        .route("/api/auth/login", post(sign_in::login))
        // Sign-out, and the refresh that the token manager uses.
        .merge(auth.auth_routes())
        // The five endpoints of the guide.
        .merge(auth.token_routes())
        .merge(auth.session_routes())
        .merge(pages::routes());
    let app = for_users
        .merge(for_all)
        .fallback(nothing_here)
        .method_not_allowed_fallback(async |method: Method| endpoints::another_method(&method, ""))
        .layer(from_fn(drain_unread))
        .with_state(app);
    edge::around(app, &auth)
}

/// `GET /api/protected-endpoint`
async fn protected(session: Session) -> Response {
    let about = json!({
        "message": "only those who are signed in see this",
        "userId": session.subject().as_str(),
        "sessionId": session.id().map(|id| id.to_string()),
    });
    endpoints::json(StatusCode::OK, &about)
}

async fn nothing_here(uri: Uri) -> Problem {
    let problem = Problem::not_found();
    if uri.path().starts_with("/api/token/") {
        problem.in_envelope()
    } else {
        problem
    }
}
