//! The routers over a store that can be taken away, and a client that sends forms.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use serde_json::Value;
use tower::ServiceExt;
use tower_jwt_session::session::SessionRecord;
use tower_jwt_session::testing::ManualClock;
use tower_jwt_session::{
    ClaimsSource, Device, Grants, IntrospectionClient, JwtSession, JwtSessionBuilder, MemoryStore,
    SessionLimit, SessionStore, Tokens, UserId,
};

use crate::away::Store;

pub const CLIENT: &str = "gateway";
pub const SECRET: &str = "6f1d0c9ab27e4853f0e19d7c5a3b8264";
pub const FORM: &str = "application/x-www-form-urlencoded";

pub struct Service {
    pub auth: JwtSession,
    pub clock: ManualClock,
    pub store: Store,
    router: Router,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
    pub body: Value,
}

/// `root` is an administrator, everybody may read.
struct Directory;

impl ClaimsSource for Directory {
    type Error = Infallible;

    async fn claims(&self, user: &UserId) -> Result<Option<Grants>, Infallible> {
        let role = if user.as_str() == "root" {
            "admin"
        } else {
            "user"
        };
        Ok(Some(
            Grants::default().role(role).scope("read").scope("write"),
        ))
    }
}

impl Service {
    pub fn new() -> Self {
        Self::signing_with(b"8e6f1a3c5d7b9f0e2a4c6d8e0f1b3a5c7d9e")
    }

    pub fn signing_with(secret: &[u8]) -> Self {
        Self::build(secret, |builder| builder)
    }

    pub fn with(change: impl FnOnce(JwtSessionBuilder) -> JwtSessionBuilder) -> Self {
        Self::build(b"8e6f1a3c5d7b9f0e2a4c6d8e0f1b3a5c7d9e", change)
    }

    fn build(secret: &[u8], change: impl FnOnce(JwtSessionBuilder) -> JwtSessionBuilder) -> Self {
        let clock = ManualClock::new();
        let store = Store::new(MemoryStore::with_clock(Arc::new(clock.clone())));
        let auth = change(JwtSession::builder())
            .hmac_secret(secret)
            .clock(Arc::new(clock.clone()))
            .store(store.clone())
            .limit(SessionLimit::UNLIMITED)
            .claims_source(Directory)
            .introspection_client(IntrospectionClient::new(CLIENT, SECRET).unwrap())
            .build()
            .unwrap();
        Self {
            router: auth.routes(),
            auth,
            clock,
            store,
        }
    }

    pub fn clock_secs(&self) -> u64 {
        use tower_jwt_session::Clock;
        self.clock.now().as_secs()
    }

    pub async fn sign_in(&self, name: &str) -> Tokens {
        let user = UserId::new(name).unwrap();
        let ticket = self.auth.sessions().ticket(&user).await.unwrap();
        let signed_in = self.auth.sessions().sign_in(ticket, Device::default());
        signed_in.await.unwrap().tokens()
    }

    pub async fn refresh(&self, tokens: &Tokens) -> Tokens {
        let refresh_token = tokens.refresh_token.as_deref().unwrap();
        self.auth.sessions().refresh(refresh_token).await.unwrap()
    }

    pub async fn record(&self, tokens: &Tokens) -> SessionRecord {
        self.store.find(tokens.session_id).await.unwrap().unwrap()
    }

    pub async fn is_alive(&self, tokens: &Tokens) -> bool {
        self.record(tokens).await.ended.is_none()
    }

    pub async fn revoke(&self, form: &[(&str, &str)]) -> Answer {
        self.post("/oauth/revoke", &[], &encoded(form)).await
    }

    /// Asks as the client.
    pub async fn introspect(&self, token: &str) -> Answer {
        let form = [
            ("token", token),
            ("client_id", CLIENT),
            ("client_secret", SECRET),
        ];
        self.post("/oauth/introspect", &[], &encoded(&form)).await
    }

    /// Asks with this `Authorization` header.
    pub async fn introspect_as(&self, authorization: &str, token: &str) -> Answer {
        let headers = [("authorization", authorization)];
        let form = encoded(&[("token", token)]);
        self.post("/oauth/introspect", &headers, &form).await
    }

    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::post(path);
        if !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", FORM);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap())
            .await
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8(body.to_vec()).unwrap(),
            body: serde_json::from_slice(&body).unwrap_or_default(),
        }
    }
}

impl Answer {
    /// Nothing is told but that it is not active.
    #[track_caller]
    pub fn inactive(&self) {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!(self.text, r#"{"active":false}"#);
        assert_eq!(self.headers["cache-control"], "no-store");
    }

    #[track_caller]
    pub fn active(&self) -> &Value {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!(self.body["active"], true, "{self:?}");
        assert_eq!(self.headers["cache-control"], "no-store");
        assert_eq!(self.headers["content-type"], "application/json");
        &self.body
    }

    /// 200 with nothing in it.
    #[track_caller]
    pub fn done(&self) {
        assert_eq!(self.status, 200, "{self:?}");
        assert_eq!(self.text, "");
    }

    /// A refusal that is an OAuth error and a problem document at once.
    #[track_caller]
    pub fn refused(&self, status: u16, error: &str, code: &str) -> &Self {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.headers["content-type"], "application/json");
        assert_eq!(self.headers["cache-control"], "no-store");
        assert_eq!(self.body["error"], error, "{self:?}");
        assert_eq!(self.body["code"], code, "{self:?}");
        assert_eq!(self.body["status"], status, "{self:?}");
        assert_eq!(self.body["error_description"], self.body["detail"]);
        self
    }

    pub fn challenges(&self) -> Vec<&str> {
        let all = self.headers.get_all("www-authenticate").iter();
        all.map(|value| value.to_str().unwrap()).collect()
    }
}

pub fn encoded(form: &[(&str, &str)]) -> String {
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    encoded.extend_pairs(form);
    encoded.finish()
}
