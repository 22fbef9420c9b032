//! A real client of the examples that sign everybody in who knows the password.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::process::Server;

pub const PASSWORD: &str = "correct horse battery";

pub struct Client {
    http: HyperClient<HttpConnector, Full<Bytes>>,
    pub server: Server,
}

impl Client {
    pub fn new(example: &str) -> Self {
        Self::of(Server::start(example, &[("DEMO_PASSWORD", PASSWORD)]))
    }

    pub fn of(server: Server) -> Self {
        Self {
            http: HyperClient::builder(TokioExecutor::new()).build_http(),
            server,
        }
    }

    pub async fn send(
        &self,
        method: &str,
        path: &str,
        token: &str,
        (content_type, body): (&str, &str),
    ) -> (StatusCode, Value) {
        let mut request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.server.address))
            .header("content-type", content_type);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let body = Full::new(Bytes::copy_from_slice(body.as_bytes()));
        let response = self
            .http
            .request(request.body(body).unwrap())
            .await
            .unwrap();
        let status = response.status();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, serde_json::from_slice(&body).unwrap_or_default())
    }

    pub async fn get(&self, path: &str, token: &str) -> (StatusCode, Value) {
        self.send("GET", path, token, ("text/plain", "")).await
    }

    pub async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let body = body.to_string();
        self.send("POST", path, "", ("application/json", &body))
            .await
    }

    pub async fn sign_in(&self) -> Value {
        let form = json!({ "user": "ada", "password": PASSWORD });
        let (status, tokens) = self.post("/sign-in", form).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    }
}
