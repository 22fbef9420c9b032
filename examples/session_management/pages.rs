//! The page to try the guide's lines on, and its scripts.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use tower_jwt_session::endpoints::Response;

use crate::app::App;

pub fn routes() -> Router<App> {
    Router::new()
        .route(
            "/",
            get(|| async { Html(include_str!("pages/guide.html")) }),
        )
        .route("/guide.js", get(script))
        .route("/token-manager.js", get(asset))
        .route("/pages.css", get(asset))
        // Browsers ask for it.
        .route("/favicon.ico", get(|| async { StatusCode::NO_CONTENT }))
}

/// What the library brings along.
async fn asset(State(app): State<App>, request: Request) -> Response {
    app.pages.asset(request)
}

async fn script() -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, include_str!("pages/guide.js"))
}
