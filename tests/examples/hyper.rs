//! Plain hyper, by a real client.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

use crate::process::Server;

const PASSWORD: &str = "correct horse battery";

struct Client {
    http: HyperClient<HttpConnector, Full<Bytes>>,
    server: Server,
}

impl Client {
    fn new() -> Self {
        Self {
            http: HyperClient::builder(TokioExecutor::new()).build_http(),
            server: Server::start("hyper", &[("DEMO_PASSWORD", PASSWORD)]),
        }
    }

    async fn send(
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

    async fn get(&self, path: &str, token: &str) -> (StatusCode, Value) {
        self.send("GET", path, token, ("text/plain", "")).await
    }

    async fn post(&self, path: &str, body: Value) -> (StatusCode, Value) {
        let body = body.to_string();
        self.send("POST", path, "", ("application/json", &body))
            .await
    }

    async fn sign_in(&self) -> Value {
        let form = json!({ "user": "ada", "password": PASSWORD });
        let (status, tokens) = self.post("/sign-in", form).await;
        assert_eq!(status, 200, "{tokens}");
        tokens
    }
}

#[tokio::test]
async fn one_device_ends_another_and_goes_on() {
    let client = Client::new();
    let (laptop, phone) = (client.sign_in().await, client.sign_in().await);
    let laptop = laptop["access_token"].as_str().unwrap();
    let phone_id = phone["session_id"].as_str().unwrap();
    let phone = phone["access_token"].as_str().unwrap();
    assert_eq!(client.get("/me", phone).await.1["user_id"], "ada");
    let (_, sessions) = client.get("/sessions", laptop).await;
    assert_eq!(sessions.as_array().unwrap().len(), 2);

    let path = format!("/sessions/{phone_id}");
    let (status, _) = client
        .send("DELETE", &path, laptop, ("text/plain", ""))
        .await;
    assert_eq!(status, 204);
    let (status, problem) = client.get("/me", phone).await;
    assert_eq!(
        (status.as_u16(), &problem["code"]),
        (401, &json!("token_revoked"))
    );
    assert_eq!(client.get("/me", laptop).await.0, 200);
}

#[tokio::test]
async fn a_refresh_and_a_revocation_need_no_access_token() {
    let client = Client::new();
    let tokens = client.sign_in().await;
    let form = json!({ "refresh_token": tokens["refresh_token"] });
    let (status, renewed) = client.post("/api/auth/refresh", form).await;
    assert_eq!((status.as_u16(), &renewed["generation"]), (200, &json!(2)));
    let token = renewed["access_token"].as_str().unwrap();
    let form = format!("token={}", renewed["refresh_token"].as_str().unwrap());
    let body = ("application/x-www-form-urlencoded", form.as_str());
    let (status, _) = client.send("POST", "/oauth/revoke", "", body).await;
    assert_eq!(status, 200);
    assert_eq!(client.get("/me", token).await.0, 401);
}

#[tokio::test]
async fn strangers_are_refused_and_keys_are_public() {
    let client = Client::new();
    let (status, problem) = client.get("/me", "").await;
    assert_eq!(
        (status.as_u16(), &problem["code"]),
        (401, &json!("missing_token"))
    );
    assert_eq!(client.get("/.well-known/jwks.json", "").await.0, 200);
    let form = json!({ "user": "ada", "password": "a guess" });
    assert_eq!(client.post("/sign-in", form).await.0, 401);
    let token = client.sign_in().await;
    let token = token["access_token"].as_str().unwrap();
    assert_eq!(client.get("/nowhere", token).await.0, 404);
}
