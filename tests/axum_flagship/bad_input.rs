//! What clients should not send, and that it harms nobody.

use bytes::Bytes;
use serde_json::json;

use crate::server::{ADMIN, Client, PASSWORD, Server};
use crate::two_devices;

const JSON: &str = "application/json";

/// Method, path, content type, body, and what must come of it.
type Row<'r> = (&'r str, &'r str, &'r str, &'r str, u16, &'r str);

/// Sends all rows, and sees that the session of `witness` is unharmed.
async fn check(client: &Client, witness: &Client, rows: &[Row<'_>]) {
    for (method, path, content_type, body, status, code) in rows {
        let mut request = client.request(method, path);
        if !content_type.is_empty() {
            request = request.header("content-type", *content_type);
        }
        let shown: String = body.chars().take(60).collect();
        println!("{method} {path} {content_type:?} {shown:?}");
        let body = Bytes::copy_from_slice(body.as_bytes());
        client.send(request, body).await.refused(*status, code);
    }
    witness.get("/api/me").await.accepted(200);
}

#[tokio::test]
async fn bad_bodies_are_refused_with_what_is_wrong() {
    let server = Server::start();
    let (laptop, _) = two_devices(&server).await;
    let mut anybody = laptop.clone();
    anybody.access_token = None;
    let large = format!(r#"{{"email":"{}"}}"#, "x".repeat(10_000_000));
    let nested = "[".repeat(60_000);
    let half = r#"{"email":"x","password":"\ud800"}"#;
    let half_elsewhere = r#"{"refreshToken":"x","more":"\ud800"}"#;
    let short = r#"{"email":"b@example.com","password":"short"}"#;
    let no_address = r#"{"email":"x","password":"long enough"}"#;
    let wrong_type = r#"{"email":1,"password":"x"}"#;
    let unknown = r#"{"email":"x","password":"y"}"#;
    let no_token = r#"{"refresh_token":""}"#;
    let null = r#"{"accessToken":null}"#;
    let login = "/api/auth/login";
    let register = "/api/auth/register";
    let refresh = "/api/token/refresh";
    let rows: &[Row<'_>] = &[
        ("POST", login, JSON, "", 400, "invalid_input"),
        ("POST", login, JSON, "{", 400, "invalid_input"),
        ("POST", login, JSON, &nested, 400, "invalid_input"),
        ("POST", login, JSON, half, 400, "invalid_input"),
        ("POST", refresh, JSON, half_elsewhere, 400, "invalid_input"),
        ("POST", login, "", "{}", 415, "invalid_input"),
        ("POST", login, "text/plain", "{}", 415, "invalid_input"),
        ("POST", login, JSON, "{}", 422, "invalid_input"),
        ("POST", login, JSON, "[]", 422, "invalid_input"),
        ("POST", login, JSON, wrong_type, 422, "invalid_input"),
        ("POST", login, JSON, unknown, 401, "invalid_credentials"),
        ("POST", login, JSON, &large, 413, "invalid_input"),
        ("POST", register, JSON, no_address, 422, "invalid_input"),
        ("POST", register, JSON, short, 422, "invalid_input"),
        ("POST", refresh, JSON, "nonsense", 400, "invalid_input"),
        ("POST", refresh, "text/plain", "{}", 415, "invalid_input"),
        (
            "POST",
            refresh,
            JSON,
            r#"{"refreshToken":"x"}"#,
            401,
            "invalid_token",
        ),
        ("POST", refresh, JSON, &large, 413, "invalid_input"),
        (
            "POST",
            "/api/auth/refresh",
            JSON,
            no_token,
            401,
            "invalid_token",
        ),
        (
            "POST",
            "/api/auth/logout",
            JSON,
            no_token,
            401,
            "invalid_token",
        ),
        (
            "POST",
            "/api/token/validate",
            JSON,
            null,
            422,
            "invalid_input",
        ),
    ];
    check(&anybody, &laptop, rows).await;
}

#[tokio::test]
async fn what_is_not_there_is_404_and_the_wrong_method_405() {
    let server = Server::start();
    let (laptop, _) = two_devices(&server).await;
    let unknown = "/sessions/0197a0d2-5c4e-7000-8000-000000000001";
    let unknown_name = format!("{unknown}/name");
    let name = r#"{"name":"x"}"#;
    let role = r#"{"role":"admin"}"#;
    let rows: &[Row<'_>] = &[
        ("GET", "/nowhere", "", "", 404, "not_found"),
        ("DELETE", unknown, "", "", 404, "not_found"),
        ("DELETE", "/sessions/not-an-id", "", "", 404, "not_found"),
        ("DELETE", "/sessions/%00%ff", "", "", 404, "not_found"),
        ("PATCH", &unknown_name, JSON, name, 404, "not_found"),
        ("PUT", "/sessions", "", "", 405, "method_not_allowed"),
        ("GET", "/api/auth/login", "", "", 405, "method_not_allowed"),
        (
            "GET",
            "/api/token/refresh",
            "",
            "",
            405,
            "method_not_allowed",
        ),
        ("POST", "/api/me", "", "", 405, "method_not_allowed"),
        ("GET", "/sessions?state=both", "", "", 422, "invalid_input"),
        (
            "POST",
            "/sessions/revoke-all?keep_current=1",
            "",
            "",
            422,
            "invalid_input",
        ),
        (
            "PUT",
            "/api/admin/users/x/role",
            JSON,
            role,
            403,
            "insufficient_role",
        ),
    ];
    check(&laptop, &laptop, rows).await;

    let wrong = laptop.request("PUT", "/sessions");
    let wrong = laptop.send(wrong, Bytes::new()).await;
    assert_eq!(wrong.headers["allow"], "GET,HEAD");
}

#[tokio::test]
async fn below_the_token_endpoints_what_is_not_there_is_an_envelope_as_well() {
    let server = Server::start();
    let (laptop, _) = two_devices(&server).await;
    for path in ["/api/token/nowhere", "/api/token/session-stats/%ff"] {
        let answer = laptop.get(path).await;
        let document = &answer.refused(404, "not_found").body;
        assert_eq!(document["success"], false, "{path}");
        assert_eq!(document["message"], document["detail"], "{path}");
    }
    let elsewhere = laptop.get("/nowhere").await;
    assert!(elsewhere.body.get("success").is_none());
}

#[tokio::test]
async fn whoever_may_not_set_a_role_learns_no_more_than_that() {
    let server = Server::start();
    let (laptop, _) = two_devices(&server).await;
    let path = "/api/admin/users/x/role";
    let forbidden = "insufficient_role";
    let rows: &[Row<'_>] = &[
        ("PUT", path, JSON, "{", 403, forbidden),
        ("PUT", path, "text/plain", "{}", 403, forbidden),
        ("PUT", path, JSON, "{}", 403, forbidden),
        (
            "PUT",
            "/api/admin/users/%ff/role",
            JSON,
            "{",
            403,
            forbidden,
        ),
    ];
    check(&laptop, &laptop, rows).await;
}

#[tokio::test]
async fn no_cache_keeps_what_is_said_of_a_user() {
    let server = Server::start();
    let mut admin = server.client("curl/8.5.0");
    admin.sign_in(ADMIN, PASSWORD).await.accepted(200);
    for path in [
        "/api/me",
        "/api/protected",
        "/api/admin/dashboard",
        "/sessions",
    ] {
        let answer = admin.get(path).await;
        assert_eq!(
            answer.accepted(200).headers["cache-control"],
            "no-store",
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_session_of_another_user_is_not_there() {
    let server = Server::start();
    let (laptop, _) = two_devices(&server).await;
    let id = laptop.get("/api/me").await.text("session_id");
    let mut stranger = server.client("curl/8.5.0");
    stranger.register("eve@example.com").await.accepted(201);

    let refused = stranger.delete(&format!("/sessions/{id}")).await;
    refused.refused(404, "not_found");
    let path = format!("/sessions/{id}/name");
    let mine = json!({ "name": "mine" });
    let refused = stranger.with_body("PATCH", &path, mine).await;
    refused.refused(404, "not_found");
    laptop.get("/api/me").await.accepted(200);
    assert_eq!(stranger.get("/sessions").await.body[0]["device"], "curl");
}

#[tokio::test]
async fn names_that_are_too_long_or_hold_control_characters_are_refused() {
    let server = Server::start();
    let (laptop, _) = two_devices(&server).await;
    let id = laptop.get("/api/me").await.text("session_id");
    let path = format!("/sessions/{id}/name");
    for name in ["x".repeat(65), "a\nb".to_owned(), "\u{0}".to_owned()] {
        let answer = laptop
            .with_body("PATCH", &path, json!({ "name": name }))
            .await;
        answer.refused(422, "invalid_input");
    }
    let longest = json!({ "name": "ä".repeat(64) });
    let answer = laptop.with_body("PATCH", &path, longest).await;
    answer.accepted(200);
}

#[tokio::test]
async fn bad_authorization_headers_are_refused_with_a_challenge() {
    let server = Server::start();
    let (laptop, _) = two_devices(&server).await;
    let mut anybody = laptop.clone();
    anybody.access_token = None;

    let missing = anybody.get("/api/me").await;
    assert_eq!(missing.refused(401, "missing_token").challenge(), "Bearer");
    let huge = format!("Bearer {}", "x".repeat(60_000));
    let bad: [&[u8]; 4] = [b"Bearer", b"Bearer a b", b"Bearer \xff", huge.as_bytes()];
    for header in bad {
        let request = anybody.request("GET", "/api/me");
        let request = request.header("authorization", header);
        let answer = anybody.send(request, Bytes::new()).await;
        assert_eq!(answer.status, 401, "{answer:?}");
        assert!(answer.challenge().contains("invalid_token"), "{answer:?}");
    }
    let twice = laptop.request("GET", "/api/me");
    let twice = twice.header("authorization", "Bearer x");
    let twice = laptop.send(twice, Bytes::new()).await;
    twice.refused(401, "malformed_token");
    laptop.get("/api/me").await.accepted(200);
}
