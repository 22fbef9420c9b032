//! A server of axum behind axum_session, in memory.

#[path = "../setup/axum_session.rs"]
mod setup;

use axum::Router;
use axum::routing::get;
use axum_session::{Session, SessionNullPool};
use tower_jwt_session_peers::{announced, cookie_line, hello};

#[tokio::main(flavor = "current_thread")]
async fn main() {
    tower_jwt_session_peers::refuse_a_debug_build();
    let (layer, cookies) = setup::signed_in().await;
    let handler = async |session: Session<SessionNullPool>| hello(session.get::<String>("user"));
    let app = Router::new().route("/", get(handler)).layer(layer);
    let listener = announced(&cookie_line(&cookies)).await;
    axum::serve(listener, app).await.expect("it serves");
}
