//! A site in this process, and browsers that keep its cookies.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request as AxumRequest, State};
use axum::routing::get;
use http::header::{CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde::Deserialize;
use serde_json::Value;
use tower::ServiceExt;
use tower_jwt_session::endpoints::{self, Problem, Response};
use tower_jwt_session::middleware::Anonymous;
use tower_jwt_session::session::Transport;
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::{
    Device, JwtSession, JwtSessionBuilder, Running, Session, SessionCookies, UserId,
};

pub const AT: &str = "__Host-at";
pub const RT: &str = "__Secure-rt";
pub const OURS: (&str, &str) = ("sec-fetch-site", "same-origin");

/// A site, its clock, and what runs behind it.
pub struct Site {
    pub app: Router,
    pub auth: JwtSession,
    pub clock: ManualClock,
    running: Option<Running>,
}

#[derive(Deserialize)]
struct SignIn {
    user: String,
    #[serde(default)]
    transport: Transport,
}

impl Site {
    pub async fn new() -> Self {
        Self::with(|builder| builder).await
    }

    pub async fn with(change: impl FnOnce(JwtSessionBuilder) -> JwtSessionBuilder) -> Self {
        let clock = ManualClock::new();
        let builder = JwtSession::builder()
            .hmac_secret(b"8e6f1a3c5d7b9f0e2a4c6d8e0f1b3a5c7d9e")
            .clock(Arc::new(clock.clone()));
        let auth = change(builder).build().expect("it is sound");
        let running = auth.start().await.expect("memory is always there");
        Self {
            app: router(&auth),
            auth,
            clock,
            running: Some(running),
        }
    }

    /// With the plain names, as on a developer's machine.
    pub async fn insecure() -> Self {
        let here = "127.0.0.1:3000".parse().expect("an address");
        Self::with(|builder| {
            builder.cookies(SessionCookies::default().dangerous_without_secure(here))
        })
        .await
    }

    pub fn browser(&self) -> Browser {
        Browser {
            app: self.app.clone(),
            jar: Vec::new(),
        }
    }

    /// Stops what runs in the background, which writes down what it still holds.
    pub async fn stop(&mut self) {
        self.running.take().expect("once").shutdown().await;
    }

    /// Past the hold-off of a rotation, so that the next refresh rotates.
    pub async fn pass_hold_off(&self) {
        self.clock.advance(Duration::from_secs(61));
        tokio::task::yield_now().await;
    }
}

/// The cookies of one browser: name, value and path.
#[derive(Clone)]
pub struct Browser {
    app: Router,
    pub jar: Vec<(String, String, String)>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Browser {
    pub async fn sign_in(&mut self, user: &str, transport: &str) -> Answer {
        let form = format!(r#"{{"user":"{user}","transport":"{transport}"}}"#);
        let answer = self.post("/api/auth/login", &form, &[OURS]).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer
    }

    pub async fn refresh(&mut self) -> Answer {
        self.post("/api/auth/refresh", "", &[OURS]).await
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, "", &[]).await
    }

    pub async fn post(&mut self, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        self.send("POST", path, body, headers).await
    }

    pub async fn send(
        &mut self,
        method: &str,
        path: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !headers.iter().any(|(name, _)| *name == "host") {
            request = request.header(HOST, "app.example");
        }
        if !body.is_empty() {
            request = request.header(CONTENT_TYPE, "application/json");
        }
        let cookies = self.cookies_for(path);
        if !cookies.is_empty() {
            request = request.header(COOKIE, cookies);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).expect("sound");
        let response = self.app.clone().oneshot(request).await.expect("infallible");
        let (parts, body) = response.into_parts();
        let body = body.collect().await.expect("complete").to_bytes();
        let answer = Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_slice(&body).unwrap_or_default(),
        };
        self.keep(&answer);
        answer
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        let found = self.jar.iter().find(|(have, ..)| have == name);
        found.map(|(_, value, _)| value.as_str())
    }

    /// As a sibling domain does: beside what there is, not in its place.
    pub fn toss(&mut self, name: &str, value: &str) {
        let tossed = (name.to_owned(), value.to_owned(), "/".to_owned());
        self.jar.insert(0, tossed);
    }

    pub fn drop_cookie(&mut self, name: &str) {
        self.jar.retain(|(have, ..)| have != name);
    }

    fn cookies_for(&self, path: &str) -> String {
        let sent = self
            .jar
            .iter()
            .filter(|(_, _, below)| path.starts_with(below));
        let sent: Vec<_> = sent
            .map(|(name, value, _)| format!("{name}={value}"))
            .collect();
        sent.join("; ")
    }

    fn keep(&mut self, answer: &Answer) {
        for set in answer.cookies() {
            let (pair, attributes) = set.split_once("; ").expect("there are attributes");
            let (name, value) = pair.split_once('=').expect("it has a value");
            let attribute = |key: &str| {
                let found = attributes.split("; ").find_map(|one| one.strip_prefix(key));
                found.expect("it is always there").to_owned()
            };
            self.drop_cookie(name);
            if attribute("Max-Age=") != "0" {
                let kept = (name.to_owned(), value.to_owned(), attribute("Path="));
                self.jar.push(kept);
            }
        }
    }
}

impl Answer {
    pub fn cookies(&self) -> Vec<&str> {
        let set = self.headers.get_all(SET_COOKIE).iter();
        set.map(|value| value.to_str().expect("text")).collect()
    }

    pub fn sets(&self, name: &str) -> bool {
        let begin = format!("{name}=");
        self.cookies()
            .iter()
            .any(|cookie| cookie.starts_with(&begin))
    }

    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.body["code"], code, "{self:?}");
        assert!(self.cookies().is_empty(), "{self:?}");
    }

    #[track_caller]
    pub fn text(&self, name: &str) -> String {
        let text = self.body[name].as_str();
        text.unwrap_or_else(|| panic!("{name} in {self:?}"))
            .to_owned()
    }
}

fn router(auth: &JwtSession) -> Router {
    let members = Router::new()
        .route("/me", get(who).post(who))
        .route_layer(auth.layer());
    let everybody = Router::new()
        .route("/public", get(who).post(who))
        .route_layer(auth.layer().with_anonymous(Anonymous::Allow));
    Router::new()
        .route("/api/auth/login", axum::routing::post(sign_in))
        .merge(auth.auth_routes())
        .merge(auth.routes())
        .merge(members)
        .merge(everybody)
        .with_state(auth.clone())
}

async fn who(session: Option<Session>) -> Response {
    let name = session.map(|session| session.subject().to_string());
    endpoints::json(StatusCode::OK, &serde_json::json!({ "user": name }))
}

async fn sign_in(
    State(auth): State<JwtSession>,
    request: AxumRequest,
) -> Result<Response, Problem> {
    let (head, body) = request.into_parts();
    let request = AxumRequest::from_parts(head.clone(), body);
    let form: SignIn = endpoints::read_json(request).await?;
    auth.check_transport(&head, form.transport)?;
    let user = UserId::new(form.user)?;
    let ticket = auth.sessions().ticket(&user).await?;
    let sign_in = auth.sessions().sign_in(ticket, Device::default());
    let signed_in = sign_in.transport(form.transport).await?;
    auth.hand_out(&head, StatusCode::OK, signed_in.tokens())
}

pub fn bearer(token: &str) -> (&'static str, String) {
    ("authorization", format!("Bearer {token}"))
}
