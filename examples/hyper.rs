//! Plain hyper 1: the layer around a `service_fn`, the endpoints by matching paths. No framework.
//! `cargo run --example hyper`

use std::convert::Infallible;
use std::error::Error;
use std::sync::Arc;

use http::{Request, StatusCode};
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use serde_json::json;
use subtle::ConstantTimeEq;
use tokio::net::TcpListener;
use tower::{Layer, ServiceExt, service_fn};
use tower_jwt_session::endpoints::{self, Endpoints, Problem, Response};
use tower_jwt_session::{Device, Environment, JwtSession, Session, UserId};

#[derive(serde::Deserialize)]
struct Credentials {
    user: UserId,
    password: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let env = Environment::of_process();
    let password: Arc<str> = match env.get("DEMO_PASSWORD") {
        Some(password) => password.into(),
        None => uuid::Uuid::new_v4().to_string().into(),
    };
    let auth = JwtSession::builder().with_env(&env).build()?;
    let running = auth.start().await?;
    let endpoints = Endpoints::new(auth.clone());

    let inner = endpoints.clone();
    let members = auth.layer().layer(service_fn(move |request| {
        let endpoints = inner.clone();
        async move { Ok::<_, Infallible>(for_members(&endpoints, request).await) }
    }));
    let expected = password.clone();
    let app = service_fn(move |request: Request<Incoming>| {
        let (endpoints, members) = (endpoints.clone(), members.clone());
        let password = expected.clone();
        async move {
            // Whoever has no token, or an expired one, must get to the public ones.
            Ok(match (request.method().as_str(), request.uri().path()) {
                ("POST", "/sign-in") => sign_in(&endpoints, &password, request)
                    .await
                    .unwrap_or_else(Problem::into_response),
                ("POST", "/api/auth/refresh") => endpoints.refresh(request).await,
                ("POST", "/api/auth/logout") => endpoints.sign_out(request).await,
                ("POST", "/oauth/revoke") => endpoints.revoke(request).await,
                ("GET", "/.well-known/jwks.json") => endpoints.jwks(request),
                _ => return members.oneshot(request).await,
            })
        }
    });

    let address = env.get("LISTEN_ADDR").unwrap_or("127.0.0.1:3000");
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    println!("everybody's password: {password}");
    let mut stop = std::pin::pin!(tokio::signal::ctrl_c());
    loop {
        let (stream, _) = tokio::select! {
            accepted = listener.accept() => accepted?,
            _ = &mut stop => break,
        };
        let service = TowerToHyperService::new(app.clone());
        tokio::spawn(async move {
            let connection = auto::Builder::new(TokioExecutor::new());
            // A client that goes away in the middle is nothing to do anything about.
            let served = connection.serve_connection(TokioIo::new(stream), service);
            let _ = served.await;
        });
    }
    running.shutdown().await;
    Ok(())
}

/// Behind the layer: the session is in the extensions of the request.
async fn for_members(endpoints: &Endpoints, request: Request<Incoming>) -> Response {
    let path = request.uri().path().to_owned();
    let parts: Vec<_> = path.split('/').skip(1).collect();
    match (request.method().as_str(), parts.as_slice()) {
        ("GET", ["me"]) => {
            let session = request.extensions().get::<Session>();
            let user = session.map(|session| session.subject().as_str());
            endpoints::json(StatusCode::OK, &json!({ "user_id": user }))
        }
        ("GET", ["sessions"]) => endpoints.list_sessions(request).await,
        ("POST", ["sessions", "revoke-all"]) => endpoints.end_sessions(request).await,
        ("DELETE", ["sessions", id]) => endpoints.end_session(id, request).await,
        ("PATCH", ["sessions", id, "name"]) => endpoints.rename_session(id, request).await,
        _ => Problem::not_found().into_response(),
    }
}

async fn sign_in(
    endpoints: &Endpoints,
    password: &str,
    request: Request<Incoming>,
) -> Result<Response, Problem> {
    let device = Device::from_headers(request.headers(), None);
    let form: Credentials = endpoints::read_json(request).await?;
    let sessions = endpoints.auth().sessions();
    let ticket = sessions.ticket(&form.user).await?; // before the password is looked at
    if !bool::from(form.password.as_bytes().ct_eq(password.as_bytes())) {
        return Err(Problem::invalid_credentials());
    }
    let signed_in = sessions.sign_in(ticket, device).await?;
    Ok(endpoints::json(StatusCode::OK, &signed_in.tokens()))
}
