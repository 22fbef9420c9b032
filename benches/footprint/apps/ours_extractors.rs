use axum::{Router, extract::State, http::StatusCode, routing::get, routing::post};
use tower_jwt_session::{Device, JwtSession, Session, Sessions, UserId};

async fn me(session: Session) -> String {
    session.subject().to_string()
}

async fn sign_in(State(sessions): State<Sessions>) -> Result<String, StatusCode> {
    let user = UserId::new("ada").unwrap();
    let unavailable = |_| StatusCode::SERVICE_UNAVAILABLE;
    let ticket = sessions.ticket(&user).await.map_err(unavailable)?;
    let signed_in = sessions.sign_in(ticket, Device::default()).await;
    Ok(signed_in.map_err(unavailable)?.tokens().access_token)
}

#[tokio::main]
async fn main() {
    let secret = "a secret that is long enough for a footprint";
    let auth = JwtSession::builder().hmac_secret(secret).build().unwrap();
    let running = auth.start().await.unwrap();
    let app = Router::new().route("/me", get(me)).layer(auth.layer());
    let app = app.route("/sign-in", post(sign_in));
    let app = app.route("/", get(async || "hello"));
    let app = app.with_state(auth.sessions().clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    axum::serve(listener, app).await.unwrap();
    running.shutdown().await;
}
