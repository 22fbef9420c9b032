//! A server of axum behind axum-login, over the memory of tower-sessions.

#[path = "../setup/axum_login.rs"]
mod setup;

use axum::Router;
use axum::routing::get;
use axum_login::AuthSession;
use setup::Backend;
use tower_jwt_session_peers::{announced, cookie_line, hello};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    tower_jwt_session_peers::refuse_a_debug_build();
    let (layer, cookie) = setup::signed_in().await;
    let handler = async |auth: AuthSession<Backend>| hello(auth.user);
    let app = Router::new().route("/", get(handler)).layer(layer);
    let listener = announced(&cookie_line(&cookie)).await;
    axum::serve(listener, app).await.expect("it serves");
}
