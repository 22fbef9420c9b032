//! What stands between the network and the application: limits, addresses, what browsers are told.

use bytes::Bytes;
use serde_json::json;

use crate::server::{Answer, CHROME, Client, PASSWORD, Server};

const ADA: &str = "ada@example.com";
const PROXIED: (&str, &str) = ("TRUSTED_PROXIES", "loopback");

/// A request as a proxy passes it on, for a client of this address.
async fn from(client: &Client, address: &str, path: &str, body: serde_json::Value) -> Answer {
    let request = client
        .request("POST", path)
        .header("content-type", "application/json")
        .header("x-forwarded-for", format!("198.51.100.200, {address}"));
    client.send(request, Bytes::from(body.to_string())).await
}

fn guess(password: &str) -> serde_json::Value {
    json!({ "email": ADA, "password": password })
}

#[tokio::test]
async fn a_stranger_who_guesses_is_slowed_and_the_owner_still_signs_in() {
    let limit = [PROXIED, ("RATE_LIMIT_MAX_REQUESTS", "20")];
    let server = Server::start_with(&limit);
    let client = server.client(CHROME);
    let registered = from(&client, "192.0.2.1", "/api/auth/register", guess(PASSWORD)).await;
    registered.accepted(201);
    assert_eq!(registered.headers["ratelimit-limit"], "20");
    assert_eq!(registered.headers["ratelimit-remaining"], "19");

    for left in (0..5).rev() {
        let answer = from(
            &client,
            "203.0.113.5",
            "/api/auth/login",
            guess("wrong one"),
        )
        .await;
        answer.refused(401, "invalid_credentials");
        assert_eq!(answer.headers["ratelimit-remaining"], left.to_string());
    }
    let right = from(&client, "203.0.113.5", "/api/auth/login", guess(PASSWORD)).await;
    right.refused(429, "rate_limited");
    // One in five of 900 seconds, less what has passed meanwhile.
    let wait: u64 = right.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((60..=180).contains(&wait), "{wait}");
    let owner = from(&client, "192.0.2.1", "/api/auth/login", guess(PASSWORD)).await;
    owner.accepted(200);
}

#[tokio::test]
async fn a_session_shows_the_clients_own_address_and_place_and_never_a_forged_one() {
    let places = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/geoip/places.mmdb");
    let server = Server::start_with(&[PROXIED, ("GEOIP_DATABASE_FILE", places)]);
    let mut client = server.client(CHROME);
    let answer = from(&client, "192.0.2.33", "/api/auth/register", guess(PASSWORD)).await;
    client.access_token = Some(answer.accepted(201).text("access_token"));
    let session = client.get("/sessions").await.body[0].clone();
    assert_eq!(session["ip_address"], "192.0.2.33");
    assert_eq!(session["country"], "Germany");
    assert_eq!(session["city"], "Berlin");
    assert_eq!(session["is_mobile"], false);

    let direct = Server::start();
    let mut client = direct.client(CHROME);
    let answer = from(&client, "192.0.2.33", "/api/auth/register", guess(PASSWORD)).await;
    client.access_token = Some(answer.accepted(201).text("access_token"));
    let session = client.get("/sessions").await.body[0].clone();
    assert_eq!(session["ip_address"], "127.0.0.1");
    assert_eq!(session["country"], serde_json::Value::Null);
}

#[tokio::test]
async fn pages_of_allowed_origins_alone_may_call_and_read_what_they_need() {
    let origins = [("CORS_ALLOWED_ORIGINS", "https://app.example.com")];
    let server = Server::start_with(&origins);
    let client = server.client(CHROME);
    let preflight = |origin: &str| {
        let request = client
            .request("OPTIONS", "/api/auth/login")
            .header("origin", origin)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "content-type");
        client.send(request, Bytes::new())
    };
    let allowed = preflight("https://app.example.com").await;
    let headers = &allowed.headers;
    assert_eq!(
        headers["access-control-allow-origin"],
        "https://app.example.com"
    );
    assert_eq!(headers["access-control-allow-credentials"], "true");
    let other = preflight("https://evil.example").await;
    assert!(!other.headers.contains_key("access-control-allow-origin"));

    let request = client.request("GET", "/api/me");
    let request = request.header("origin", "https://app.example.com");
    let refused = client.send(request, Bytes::new()).await;
    let exposed = refused.headers["access-control-expose-headers"].to_str();
    let exposed = exposed.unwrap();
    for name in ["www-authenticate", "retry-after", "ratelimit-remaining"] {
        assert!(exposed.contains(name), "{exposed}");
    }
}

#[tokio::test]
async fn what_is_no_preflight_is_told_the_methods_that_there_are() {
    for origins in ["", "*", "https://app.example.com"] {
        let server = Server::start_with(&[("CORS_ALLOWED_ORIGINS", origins)]);
        let client = server.client(CHROME);
        for (path, status, allow) in [
            ("/api/auth/login", 204, Some("POST")),
            ("/api/me", 204, Some("GET,HEAD")),
            ("/sessions", 204, Some("GET,HEAD")),
            ("/api/token/refresh", 204, Some("POST")),
            ("/devices", 204, Some("GET,HEAD")),
            ("/nowhere", 404, None),
        ] {
            let answer = client.send(client.request("OPTIONS", path), Bytes::new());
            let answer = answer.await;
            assert_eq!(answer.status, status, "{path}: {answer:?}");
            let told = answer
                .headers
                .get("allow")
                .map(|told| told.to_str().unwrap());
            assert_eq!(told, allow, "{path}");
        }
    }
}

#[tokio::test]
async fn any_origin_may_call_without_cookies_alone() {
    let server = Server::start_with(&[("CORS_ALLOWED_ORIGINS", "*")]);
    let client = server.client(CHROME);
    let request = client.request("GET", "/livez");
    let request = request.header("origin", "https://anybody.example");
    let answer = client.send(request, Bytes::new()).await;
    assert_eq!(answer.headers["access-control-allow-origin"], "*");
    assert!(
        !answer
            .headers
            .contains_key("access-control-allow-credentials")
    );
}

#[tokio::test]
async fn every_answer_of_the_application_carries_the_security_headers() {
    let server = Server::start_with(&[PROXIED]);
    let client = server.client(CHROME);
    for path in ["/livez", "/api/me", "/nowhere", "/api/token/health"] {
        let answer = client.get(path).await;
        assert_eq!(
            answer.headers["x-content-type-options"], "nosniff",
            "{path}"
        );
        assert_eq!(answer.headers["referrer-policy"], "no-referrer", "{path}");
        assert!(
            answer.headers.contains_key("content-security-policy"),
            "{path}"
        );
        assert!(
            !answer.headers.contains_key("strict-transport-security"),
            "{path}"
        );
    }
    let request = client.request("GET", "/livez");
    let request = request.header("x-forwarded-proto", "https");
    let secure = client.send(request, Bytes::new()).await;
    assert_eq!(
        secure.headers["strict-transport-security"],
        "max-age=31536000"
    );
}

#[test]
fn what_must_not_stay_so_in_production_is_said_at_the_start() {
    let mut server = Server::start_with(&[("CORS_ALLOWED_ORIGINS", "*")]);
    let said = server.greeting();
    assert!(said.contains("before production: "), "{said}");
    assert!(said.contains("kept in memory"), "{said}");
    assert!(said.contains("CORS_ALLOWED_ORIGINS"), "{said}");
    assert!(!said.contains("plain HTTP"), "{said}");
    let mut open = Server::start_with(&[("LISTEN_ADDR", "0.0.0.0:0")]);
    assert!(open.greeting().contains("plain HTTP"));
}

#[test]
fn a_database_of_places_that_is_named_and_missing_is_one_clear_line() {
    let said = Server::refusal(&[
        ("SESSION_STORE", "memory:"),
        ("GEOIP_DATABASE_FILE", "/nowhere/places.mmdb"),
    ]);
    assert!(said.contains("GEOIP_DATABASE_FILE"), "{said}");
    assert!(said.contains("cannot be read"), "{said}");
}

/// The form of the sign-in page, as a script sends it.
async fn by_form(client: &Client, content_type: &str, form: String) -> Answer {
    let request = client
        .request("POST", "/sign-in")
        .header("content-type", content_type)
        .header("sec-fetch-site", "same-origin");
    client.send(request, Bytes::from(form)).await
}

#[tokio::test]
async fn the_form_to_sign_in_at_is_as_limited_and_as_bounded_as_the_call() {
    const FORM: &str = "application/x-www-form-urlencoded";
    let server = Server::start_with(&[("RATE_LIMIT_MAX_REQUESTS", "20")]);
    let client = server.client(CHROME);
    for (content_type, form, status) in [
        ("text/plain", String::new(), 415),
        (
            FORM,
            format!("email=a%40b&password={}", "x".repeat(100_000)),
            413,
        ),
        (FORM, "email=a%40b".to_owned(), 422),
    ] {
        let answer = by_form(&client, content_type, form).await;
        answer.refused(status, "invalid_input");
    }
    let guess = || "email=admin%40example.com&password=wrong+one".to_owned();
    for _ in 0..5 {
        let answer = by_form(&client, FORM, guess()).await;
        assert_eq!(answer.status, 401);
        assert_eq!(answer.challenge(), "Bearer");
    }
    let right = format!("email=admin%40example.com&password={PASSWORD}");
    let right = by_form(&client, FORM, right).await;
    assert_eq!(right.status, 429);
    assert!(right.headers.contains_key("retry-after"), "{right:?}");
    assert!(!right.headers.contains_key("set-cookie"), "{right:?}");
}

#[tokio::test]
async fn passwords_are_not_guessed_faster_with_a_stolen_token() {
    let server = Server::start_with(&[("RATE_LIMIT_MAX_REQUESTS", "20")]);
    let mut client = server.client(CHROME);
    client.register(ADA).await.accepted(201);
    for _ in 0..5 {
        let wrong = json!({ "password": "wrong one" });
        let answer = client.post("/api/auth/reauthenticate", wrong).await;
        answer.refused(401, "invalid_credentials");
    }
    let right = json!({ "password": PASSWORD });
    let answer = client.post("/api/auth/reauthenticate", right).await;
    answer.refused(429, "rate_limited");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_log_that_cannot_be_written_stops_nobody() {
    let server = Server::start_logging_to_a_full_disk();
    let mut client = server.client(CHROME);
    client.register(ADA).await.accepted(201);
    let unknown = "/sessions/01a1fe50-59c0-703f-be2d-ae58bf44e07f/name";
    for _ in 0..3 {
        let form = json!({ "name": "x" });
        client
            .with_body("PATCH", unknown, form)
            .await
            .refused(404, "not_found");
    }
    client.get("/api/me").await.accepted(200);
}
