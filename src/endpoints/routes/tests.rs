use std::collections::HashSet;
use std::convert::Infallible;

use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::{BodyExt, Full};
use serde_json::Value;
use tower::{Layer, ServiceExt, service_fn};

use super::super::Endpoints;
use super::*;
use crate::jwt_session::JwtSession;

fn endpoints() -> Endpoints {
    let auth = JwtSession::builder().hmac_secret(b"8e6f1a3c5d7b9f0e2a4c6d8e0f1b3a5c7d9e");
    Endpoints::new(auth.build().unwrap())
}

async fn ask(endpoints: &Endpoints, method: &str, path: &str) -> (http::response::Parts, Bytes) {
    let inner = service_fn(|_: Request<RequestBody>| async {
        let mut response = Response::new(Full::from("inner"));
        *response.status_mut() = StatusCode::IM_A_TEAPOT;
        Ok::<_, Infallible>(response)
    });
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Full::<Bytes>::default()).unwrap();
    let answer = endpoints.around(inner).oneshot(request).await.unwrap();
    let (parts, body) = answer.into_parts();
    (parts, body.collect().await.unwrap().to_bytes())
}

#[test]
fn no_call_stands_twice_in_the_table() {
    let mut seen = HashSet::new();
    for route in routes() {
        assert!(seen.insert((route.method.clone(), route.path)), "{route:?}");
    }
}

#[tokio::test]
async fn what_is_no_call_goes_to_the_inner_service() {
    let endpoints = endpoints();
    let (parts, body) = ask(&endpoints, "GET", "/elsewhere").await;
    assert_eq!((parts.status.as_u16(), &body[..]), (418, &b"inner"[..]));
    let (parts, _) = ask(&endpoints, "POST", "/api/auth/refresh").await;
    assert_eq!(parts.status, 418, "not among the default groups");
    let all = endpoints.with_groups(Group::ALL);
    let (parts, _) = ask(&all, "POST", "/api/auth/refresh").await;
    assert_eq!(parts.status, 401);
}

#[tokio::test]
async fn the_wrong_method_is_a_problem_document_with_the_right_ones() {
    let endpoints = endpoints();
    let rows = [
        ("PUT", "/sessions", "GET,HEAD"),
        ("DELETE", "/sessions/revoke-all", "POST"),
        ("GET", "/sessions/7", "DELETE"),
        ("POST", "/api/token/health", "GET,HEAD"),
    ];
    for (method, path, allow) in rows {
        let (parts, body) = ask(&endpoints, method, path).await;
        assert_eq!(parts.status, 405);
        assert_eq!(parts.headers["allow"], allow);
        let document: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(document["code"], "method_not_allowed");
        let enveloped = path.starts_with("/api/token/");
        assert_eq!(document.get("success").is_some(), enveloped);
    }
}

#[tokio::test]
async fn which_methods_there_are_is_told_to_who_asks_for_it() {
    let (parts, body) = ask(&endpoints(), "OPTIONS", "/api/token/health").await;
    assert_eq!(parts.status, 204);
    assert_eq!(parts.headers["allow"], "GET,HEAD");
    assert!(body.is_empty());
}

#[tokio::test]
async fn a_head_request_gets_what_get_gets_without_the_body() {
    let endpoints = endpoints();
    let (get, body) = ask(&endpoints, "GET", "/.well-known/jwks.json").await;
    let (mut head, empty) = ask(&endpoints, "HEAD", "/.well-known/jwks.json").await;
    assert!(empty.is_empty());
    let length = head.headers.remove("content-length").unwrap();
    assert_eq!(length, body.len().to_string().as_str());
    assert_eq!((head.status, head.headers), (get.status, get.headers));
}

#[tokio::test]
async fn a_challenge_says_where_the_metadata_is_where_it_is_mounted() {
    let policy = crate::verify::TokenPolicy::new("https://id.example", "https://api.example/v1");
    let auth = JwtSession::builder()
        .hmac_secret(b"8e6f1a3c5d7b9f0e2a4c6d8e0f1b3a5c7d9e")
        .token_policy(policy);
    let endpoints = Endpoints::new(auth.build().unwrap());
    let told = "Bearer resource_metadata=\
                \"https://api.example/.well-known/oauth-protected-resource/v1\"";
    let (parts, _) = ask(&endpoints, "GET", "/sessions").await;
    assert_eq!(parts.headers["www-authenticate"], told);
    let layer = endpoints
        .auth()
        .layer()
        .with_responses(endpoints.responses());
    let own = layer.layer(service_fn(|_: Request<()>| async {
        Ok::<_, Infallible>(Response::new(Full::<Bytes>::default()))
    }));
    let refused = own.oneshot(Request::new(())).await.unwrap();
    assert_eq!(refused.headers()["www-authenticate"], told);
    let unmounted = endpoints.with_groups([Group::Sessions]);
    let (parts, _) = ask(&unmounted, "GET", "/sessions").await;
    assert_eq!(parts.headers["www-authenticate"], "Bearer");
}
