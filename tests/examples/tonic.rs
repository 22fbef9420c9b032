//! gRPC by tonic's own client, and what it looks like on the wire.

use std::time::Duration;

use http::{HeaderMap, Request};
use http_body_util::{BodyExt, Empty};
use hyper_util::client::legacy::Client as HyperClient;
use hyper_util::rt::TokioExecutor;
use tokio::time::timeout;
use tonic::transport::Channel;
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::client::Client;

async fn health(client: &Client) -> HealthClient<Channel> {
    let address = client.server.address.clone();
    let endpoint = Channel::from_shared(address).unwrap();
    HealthClient::new(endpoint.connect().await.unwrap())
}

fn asked(token: &str) -> tonic::Request<HealthCheckRequest> {
    let service = "demo".to_owned();
    let mut request = tonic::Request::new(HealthCheckRequest { service });
    if !token.is_empty() {
        let value = format!("Bearer {token}").parse().unwrap();
        request.metadata_mut().insert("authorization", value);
    }
    request
}

fn code_of(status: &Status) -> (Code, String) {
    let code = status.metadata().get("error-code").unwrap();
    (status.code(), code.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_call_needs_a_token_and_a_role_where_it_says_so() {
    let client = Client::new("tonic");
    let mut health = health(&client).await;
    let tokens = client.sign_in().await;
    let token = tokens["access_token"].as_str().unwrap();
    assert_eq!(
        health
            .check(asked(token))
            .await
            .unwrap()
            .into_inner()
            .status,
        1
    );

    let refused = health.check(asked("")).await.unwrap_err();
    assert_eq!(
        code_of(&refused),
        (Code::Unauthenticated, "missing_token".to_owned())
    );
    let refused = health.check(asked("garbage")).await.unwrap_err();
    assert_eq!(
        code_of(&refused),
        (Code::Unauthenticated, "malformed_token".to_owned())
    );
    let mut request = asked(token);
    request
        .metadata_mut()
        .insert("needs-role", "admin".parse().unwrap());
    let refused = health.check(request).await.unwrap_err();
    assert_eq!(
        code_of(&refused),
        (Code::PermissionDenied, "insufficient_role".to_owned())
    );

    let id = tokens["session_id"].as_str().unwrap();
    let path = format!("/sessions/{id}");
    let ended = client
        .send("DELETE", &path, token, ("text/plain", ""))
        .await;
    assert_eq!(ended.0, 204);
    let refused = health.check(asked(token)).await.unwrap_err();
    assert_eq!(
        code_of(&refused),
        (Code::Unauthenticated, "token_revoked".to_owned())
    );
}

#[tokio::test]
async fn a_stream_ends_when_its_session_does_and_says_why() {
    let client = Client::new("tonic");
    let mut health = health(&client).await;
    let refused = health.watch(asked("")).await.unwrap_err();
    assert_eq!(refused.code(), Code::Unauthenticated);

    let (phone, laptop) = (client.sign_in().await, client.sign_in().await);
    let phone_token = phone["access_token"].as_str().unwrap();
    let laptop = laptop["access_token"].as_str().unwrap();
    let watched = health.watch(asked(phone_token)).await.unwrap();
    let mut kept = health.watch(asked(laptop)).await.unwrap().into_inner();
    let mut stream = watched.into_inner();
    assert_eq!(stream.message().await.unwrap().unwrap().status, 1);
    assert_eq!(kept.message().await.unwrap().unwrap().status, 1);
    let path = format!("/sessions/{}", phone["session_id"].as_str().unwrap());
    let ended = client
        .send("DELETE", &path, laptop, ("text/plain", ""))
        .await;
    assert_eq!(ended.0, 204);
    let over = timeout(Duration::from_secs(20), stream.message()).await;
    let over = over.expect("the stream ends").unwrap_err();
    assert_eq!(
        code_of(&over),
        (Code::Unauthenticated, "token_revoked".to_owned())
    );
    // The other one is still open: there is nothing to read yet, and no end either.
    assert!(futures_util::FutureExt::now_or_never(kept.message()).is_none());
}

#[tokio::test]
async fn on_the_wire_a_refusal_is_200_with_trailers_alone() {
    let client = Client::new("tonic");
    let mut http = HyperClient::builder(TokioExecutor::new());
    let http = http.http2_only(true).build_http::<Empty<bytes::Bytes>>();
    let request = Request::post(format!(
        "{}/grpc.health.v1.Health/Check",
        client.server.address
    ))
    .header("content-type", "application/grpc")
    .header("te", "trailers")
    .body(Empty::new())
    .unwrap();
    let (head, body) = http.request(request).await.unwrap().into_parts();
    assert_eq!(head.status, 200);
    let told: &HeaderMap = &head.headers;
    assert_eq!(told["grpc-status"], "16");
    assert_eq!(told["content-type"], "application/grpc");
    let message = told["grpc-message"].to_str().unwrap();
    assert!(message.starts_with("sign%20in"), "{message}");
    let rest = body.collect().await.unwrap();
    assert!(rest.trailers().is_none() && rest.to_bytes().is_empty());
}
