//! Which call goes where, and which of them need somebody to be signed in.

use axum::Router;
use axum::http::{Method, Uri};
use axum::middleware::from_fn;
use axum::routing::{get, post, put};
use tower_jwt_session::browser::Pages;
use tower_jwt_session::endpoints::{Endpoints, Problem, another_method};
use tower_jwt_session::events::Statistics;
use tower_jwt_session::guard::RequireRole;
use tower_jwt_session::integrations::axum::drain_unread;
use tower_jwt_session::middleware::CountAs;
use tower_jwt_session::{JwtSession, UserId};

use crate::accounts::Accounts;
use crate::email::Email;
use crate::figures::Figures;
use crate::turns::Turns;
use crate::{contract, credentials, docs, edge, pages, protected, sign_in};

#[derive(Clone)]
pub struct App {
    pub auth: JwtSession,
    pub accounts: Accounts,
    pub turns: Turns,
    pub pages: Pages,
}

impl App {
    pub fn new(auth: JwtSession, accounts: Accounts, statistics: Statistics) -> Self {
        let turns = Turns::default();
        let pages = Pages::new(auth.clone()).with_statistics(statistics);
        let known = accounts.clone();
        let pages = pages.with_user_search(move |text| {
            let known = known.clone();
            async move {
                match Email::parse(&text) {
                    Some(email) => Ok(known.find(&email).await?),
                    None => Ok(None),
                }
            }
        });
        Self {
            auth,
            accounts,
            turns,
            pages,
        }
    }

    /// Whom a sign-in is held against whose address has no account: it takes the same steps, and
    /// so the same time.
    pub fn nobody(&self) -> UserId {
        UserId::new("nobody").expect("a short text can be an id")
    }
}

/// All routes; the figures are among them where they have no address of their own.
pub fn router(app: App, figures: Option<Figures>) -> Router {
    let auth = app.auth.clone();
    let figures = figures.map_or_else(Router::new, |figures| {
        figures
            .routes(&auth)
            .route_layer(RequireRole::new("admin"))
            .route_layer(auth.layer().with_activity(CountAs::Background))
    });
    // Looked at before the body is: who may not do it learns no more than that.
    let set_role = put(protected::set_role).route_layer(RequireRole::new("admin"));
    let for_users = Router::new()
        .route("/api/auth/password", post(credentials::change_password))
        .route(
            "/api/auth/reauthenticate",
            post(credentials::reauthenticate),
        )
        .route("/api/me", get(protected::me))
        .route("/api/protected", get(protected::protected))
        .route("/api/admin/dashboard", get(protected::dashboard))
        .route("/api/admin/users/{user}/role", set_role)
        .route_layer(auth.layer());

    // Outside of the layer: whoever has no token, or an expired one, must get here.
    let for_all = Router::new()
        .route("/api/auth/register", post(sign_in::register))
        .route("/api/auth/login", post(sign_in::login))
        .route("/livez", get(|| async { "alive" }))
        .route("/docs", get(docs::page))
        .merge(auth.auth_routes())
        .merge(
            Endpoints::new(auth.clone())
                .with_document(contract::json())
                .routes(),
        )
        .merge(app.pages.routes())
        .merge(pages::routes(&app));

    let app = for_users
        .merge(for_all)
        .merge(figures)
        .fallback(nothing_here)
        .method_not_allowed_fallback(async |method: Method| another_method(&method, ""))
        .layer(from_fn(drain_unread))
        .with_state(app);
    edge::around(app, &auth)
}

async fn nothing_here(uri: Uri) -> Problem {
    let problem = Problem::not_found();
    if uri.path().starts_with("/api/token/") {
        problem.in_envelope()
    } else {
        problem
    }
}
