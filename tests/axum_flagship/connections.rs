//! What goes over the connection: bodies that nobody wants, and clients that are slow.

use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::server::{Client, PASSWORD, Server};
use crate::{ADA, two_devices};

/// Until something is taken for never: far beyond the bounds of the server, which are ten seconds
/// at most where none is set.
const PATIENCE: Duration = Duration::from_secs(60);

/// A body larger than what the buffers of two sockets hold.
const LARGE: usize = 10_000_000;

/// Sends a request to the last byte and only then reads, as simple clients do.
async fn exchange(server: &Server, head: &str, body: &[u8]) -> (u16, Value) {
    let mut connection = server.connect().await;
    let (request_line, fields) = head.split_once('\n').unwrap_or((head, ""));
    let mut sent = format!("{request_line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
    for field in fields.lines() {
        sent.push_str(field);
        sent.push_str("\r\n");
    }
    sent.push_str("\r\n");
    connection.write_all(sent.as_bytes()).await.unwrap();
    let written = connection.write_all(body).await;
    written.unwrap_or_else(|error| panic!("{head}: the body was cut off: {error}"));
    let mut answer = String::new();
    let read = connection.read_to_string(&mut answer).await;
    read.unwrap_or_else(|error| panic!("{head}: the answer was cut off: {error}"));
    let (head, body) = answer.split_once("\r\n\r\n").expect("there is a head");
    let status = head.split(' ').nth(1).expect("there is a status");
    let status = status.parse().expect("a status is a number");
    (status, serde_json::from_str(body).unwrap_or_default())
}

fn bearer(client: &Client) -> String {
    let token = client.access_token.as_deref().expect("it is signed in");
    format!("Authorization: Bearer {token}")
}

#[tokio::test]
async fn whoever_sends_much_too_early_still_reads_why_it_was_refused() {
    let server = Server::start();
    let (laptop, _) = two_devices(&server).await;
    let token = bearer(&laptop);
    let json = "Content-Type: application/json";
    let rows = [
        ("POST /api/auth/password".to_owned(), 401),
        (
            "POST /api/auth/password\nAuthorization: Bearer x".to_owned(),
            401,
        ),
        ("POST /sessions/revoke-all".to_owned(), 401),
        (format!("PUT /api/admin/users/x/role\n{token}\n{json}"), 403),
        (format!("POST /api/admin/users/x/revoke-all\n{token}"), 403),
        ("POST /nowhere".to_owned(), 404),
        (format!("DELETE /sessions/x\n{token}"), 404),
        ("POST /api/me".to_owned(), 405),
        ("PUT /sessions".to_owned(), 405),
        (format!("POST /api/auth/login\n{json}"), 413),
        (format!("POST /api/token/refresh\n{json}"), 413),
        ("POST /api/auth/logout".to_owned(), 413),
        (
            "POST /api/auth/login\nContent-Type: text/plain".to_owned(),
            415,
        ),
        ("POST /api/token/refresh".to_owned(), 415),
    ];
    let body = vec![b'x'; LARGE];
    for (head, expected) in rows {
        let head = format!("{head}\nContent-Length: {LARGE}");
        let (status, document) = exchange(&server, &head, &body).await;
        assert_eq!(status, expected, "{head}");
        assert_eq!(document["status"], expected, "{head}: {document}");
    }
    laptop.get("/api/me").await.accepted(200);
}

#[tokio::test]
async fn whoever_waits_for_leave_to_send_is_refused_before_sending() {
    let server = Server::start();
    for (path, expected) in [
        ("/api/auth/password", 401),
        ("/nowhere", 404),
        ("/api/auth/login", 415),
    ] {
        let head = format!("POST {path}\nContent-Length: {LARGE}\nExpect: 100-continue");
        let (status, _) = exchange(&server, &head, b"").await;
        assert_eq!(status, expected, "{path}");
    }
}

#[tokio::test]
async fn an_empty_body_is_none_however_it_is_framed() {
    let server = Server::start();
    for call in ["auth/logout", "auth/refresh", "token/refresh"] {
        for (framed, body) in [
            ("Transfer-Encoding: chunked", &b"0\r\n\r\n"[..]),
            ("Content-Length: 0", b""),
        ] {
            let head = format!("POST /api/{call}\n{framed}");
            let (status, document) = exchange(&server, &head, body).await;
            assert_eq!(status, 401, "{head}");
            let code = document.get("code").or(document.pointer("/error/code"));
            assert_eq!(code, Some(&"missing_token".into()), "{document}");
        }
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_client_that_never_ends_its_request_does_not_keep_the_server_from_stopping() {
    // Longer than it may take to stop, so that nothing but stopping ends the second one.
    let server = Server::start_with(&[("REQUEST_BODY_TIMEOUT", "120s")]);
    let mut in_its_head = server.connect().await;
    let sent = b"GET /livez HTTP/1.1\r\nHost:";
    in_its_head.write_all(sent).await.unwrap();
    let mut in_its_body = server.connect().await;
    let sent = b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
        Content-Length: 100\r\n\r\n{";
    in_its_body.write_all(sent).await.unwrap();
    // By the time that another request is answered, the server has taken the connections before.
    server
        .client("curl/8.5.0")
        .get("/livez")
        .await
        .accepted(200);
    let begun = Instant::now();
    assert!(server.terminate().success());
    assert!(begun.elapsed() < PATIENCE, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_connection_may_not_dawdle_over_the_head_of_a_request() {
    let server = Server::start();
    let mut slow = server.connect().await;
    slow.write_all(b"GET /livez HTTP/1.1\r\nHost:")
        .await
        .unwrap();
    let mut answer = Vec::new();
    let ended = slow.read_to_end(&mut answer);
    let ended = tokio::time::timeout(PATIENCE, ended).await;
    assert!(ended.is_ok(), "the connection is still open");
}

#[tokio::test]
async fn a_connection_may_not_dawdle_over_a_body_either() {
    let server = Server::start_with(&[("REQUEST_BODY_TIMEOUT", "200ms")]);
    let json = "Content-Type: application/json";
    for path in [
        "/api/auth/login",
        "/api/token/refresh",
        "/oauth/revoke",
        "/sign-in",
    ] {
        let kind = match path {
            "/oauth/revoke" | "/sign-in" => "Content-Type: application/x-www-form-urlencoded",
            _ => json,
        };
        let head = format!("POST {path}\n{kind}\nContent-Length: 100");
        let answer = exchange(&server, &head, b"{");
        let answer = tokio::time::timeout(PATIENCE, answer).await;
        let (status, document) = answer.expect("the connection is still open");
        assert_eq!(status, 408, "{path}: {document}");
        if kind == json {
            assert_eq!(document["code"], "request_timeout", "{path}");
        }
    }
}

#[tokio::test]
async fn whoever_goes_away_in_the_middle_of_a_request_takes_nothing_along() {
    let server = Server::start_with(&[("RATE_LIMIT_MAX_REQUESTS", "0")]);
    let (mut laptop, _) = two_devices(&server).await;
    let body = r#"{"email": "nobody@example.com", "password": "a wrong one"}"#;
    let request = format!(
        "POST /api/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    for _ in 0..20 {
        let mut going = Vec::new();
        for _ in 0..10 {
            let mut connection = server.connect().await;
            connection.write_all(request.as_bytes()).await.unwrap();
            going.push(connection);
        }
    }
    let begun = Instant::now();
    // Passwords of those who went are still looked at, and a few may wait for that at a time.
    while laptop.sign_in(ADA, PASSWORD).await.status != 200 {
        assert!(begun.elapsed() < PATIENCE, "the accounts are gone");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn a_request_for_two_hosts_or_for_none_is_refused() {
    let server = Server::start();
    for (hosts, expected) in [
        ("Host: a\r\n", "200"),
        ("Host: a\r\nHost: b\r\n", "400"),
        ("Host: a\r\nHost: a\r\n", "400"),
        ("", "400"),
    ] {
        let mut connection = server.connect().await;
        let sent = format!("GET /livez HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
        connection.write_all(sent.as_bytes()).await.unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await.unwrap();
        let status = answer.split(' ').nth(1);
        assert_eq!(status, Some(expected), "{hosts:?}: {answer}");
    }
}
