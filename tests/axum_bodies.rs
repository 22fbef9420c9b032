//! Bodies over a real connection: whoever sends too much still reads why it was refused.

use std::net::SocketAddr;

use axum::Router;
use axum::extract::Request;
use axum::middleware::from_fn;
use axum::routing::post;
use serde::Deserialize;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tower_jwt_session::endpoints::{Problem, read_json};
use tower_jwt_session::integrations::axum::drain_unread;

#[derive(Deserialize)]
struct Form {
    name: String,
}

async fn read(request: Request) -> Result<String, Problem> {
    read_json::<Form, _>(request).await.map(|form| form.name)
}

async fn serve() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = Router::new()
        .route("/", post(read))
        .route(
            "/echo",
            post(|request: Request| async { request.into_body() }),
        )
        .layer(from_fn(drain_unread));
    tokio::spawn(async move { axum::serve(listener, app).await });
    address
}

/// Sends a head and a body to the last byte, and only then reads.
async fn exchange(head: &str, body: &[u8]) -> String {
    exchange_at("/", head, body).await
}

async fn exchange_at(path: &str, head: &str, body: &[u8]) -> String {
    let mut connection = TcpStream::connect(serve().await).await.unwrap();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Content-Type: application/json\r\n{head}\r\n\r\n"
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    connection.write_all(body).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_large_body_of_announced_length_is_refused_with_an_answer() {
    let body = vec![b'x'; 10_000_000];
    let answer = exchange("Content-Length: 10000000", &body).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("application/problem+json"), "{answer}");
}

#[tokio::test]
async fn a_large_body_in_chunks_is_refused_with_an_answer() {
    let mut body = Vec::new();
    for _ in 0..100 {
        body.extend_from_slice(b"186a0\r\n");
        body.extend_from_slice(&[b'x'; 100_000]);
        body.extend_from_slice(b"\r\n");
    }
    body.extend_from_slice(b"0\r\n\r\n");
    let answer = exchange("Transfer-Encoding: chunked", &body).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn whoever_waits_for_leave_to_send_is_refused_before_sending() {
    let head = "Content-Length: 10000000\r\nExpect: 100-continue";
    let answer = exchange(head, b"").await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
}

#[tokio::test]
async fn a_body_of_any_modest_size_is_read() {
    let answer = exchange("Content-Length: 14", br#"{"name":"ada"}"#).await;
    assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    assert!(answer.ends_with("ada"), "{answer}");
}

#[tokio::test]
async fn a_body_that_is_answered_with_while_it_comes_is_left_to_its_reader() {
    let body = vec![b'x'; 200_000];
    let answer = exchange_at("/echo", "Content-Length: 200000", &body).await;
    let (_, echoed) = answer.split_once("\r\n\r\n").unwrap();
    assert_eq!(echoed.matches('x').count(), body.len());
}

#[tokio::test]
async fn a_large_body_for_nobody_is_refused_with_an_answer() {
    let body = vec![b'x'; 10_000_000];
    let answer = exchange_at("/nowhere", "Content-Length: 10000000", &body).await;
    assert!(answer.starts_with("HTTP/1.1 404 "), "{answer}");
}
