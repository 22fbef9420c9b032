//! The pages of the example itself: the first one, and those to sign in and to register at.

mod entry;
mod words;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::response::IntoResponse;
use axum::routing::get;
use tower_jwt_session::endpoints;
use tower_jwt_session::middleware::Anonymous;

use self::words::{Sheet, Words};
use crate::app::App;

/// `GET /`, the pages to sign in and to register at with what their forms do, and the script of the
/// first page.
pub fn routes(app: &App) -> Router<App> {
    let layer = app.auth.layer().with_anonymous(Anonymous::Allow);
    Router::new()
        .route("/", get(first))
        .route("/sign-in", get(entry::sign_in_page).post(entry::sign_in))
        .route("/register", get(entry::register_page).post(entry::register))
        .route_layer(layer)
        .route("/demo.js", get(demo))
}

async fn first(State(app): State<App>, request: Parts) -> endpoints::Response {
    let Sheet { title, main } = &Words::of(app.pages.language(&request)).first;
    app.pages.page(&request, StatusCode::OK, title, main, None)
}

async fn demo() -> impl IntoResponse {
    let headers = [
        (CONTENT_TYPE, "text/javascript; charset=utf-8"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, include_str!("demo.js"))
}
