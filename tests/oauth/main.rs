//! `/oauth/revoke` and `/oauth/introspect` over the axum router.

mod away;
mod introspection;
mod revocation;
mod service;

use axum::body::Body;
use http::Request;
use serde_json::json;
use tower_jwt_session::verify::TokenPolicy;

use crate::service::{FORM, Service, encoded};

/// What no call takes for a form with a token, and why: headers, body, status, code.
#[tokio::test]
async fn bad_bodies_are_refused_as_invalid_requests() {
    let service = Service::new();
    let root = service.sign_in("root").await;
    let bearer = format!("Bearer {}", root.access_token);
    let large = format!("token={}", "x".repeat(100_000));
    let twice = "token=a&token=b";
    let hints = "token=a&token_type_hint=x&token_type_hint=y";
    let rows: &[(&str, &str, u16)] = &[
        (FORM, "", 400),
        (FORM, "token=", 400),
        (FORM, "token", 400),
        (FORM, "access_token=abc", 400),
        (FORM, twice, 400),
        (FORM, hints, 400),
        (FORM, &large, 413),
        ("application/json", r#"{"token":"abc"}"#, 415),
        ("text/plain", "token=abc", 415),
        ("multipart/form-data; boundary=x", "token=abc", 415),
        ("", "token=abc", 415),
    ];
    for path in ["/oauth/revoke", "/oauth/introspect"] {
        for (content_type, body, status) in rows {
            let headers = [
                ("content-type", *content_type),
                ("authorization", bearer.as_str()),
            ];
            let answer = service.post(path, &headers, body).await;
            answer.refused(*status, "invalid_request", "invalid_input");
        }
    }
    assert!(service.is_alive(&root).await);
}

#[tokio::test]
async fn a_token_in_the_query_is_not_read() {
    let service = Service::new();
    let ada = service.sign_in("ada").await;
    let query = encoded(&[("token", &ada.access_token)]);
    let path = format!("/oauth/revoke?{query}");
    let answer = service.post(&path, &[], "").await;
    answer.refused(400, "invalid_request", "invalid_input");
    assert!(service.is_alive(&ada).await);
}

#[tokio::test]
async fn other_methods_are_405() {
    let service = Service::new();
    for path in ["/oauth/revoke", "/oauth/introspect"] {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let answer = service.send(request).await;
        assert_eq!(answer.status, 405);
        assert_eq!(answer.headers["allow"], "POST");
        assert_eq!(answer.headers["content-type"], "application/problem+json");
    }
}

#[tokio::test(start_paused = true)]
async fn without_the_store_both_are_503_and_say_when_to_come_back() {
    let service = Service::new();
    let ada = service.sign_in("ada").await;
    service.store.take_away();
    let access = ada.access_token.as_str();
    let refresh = ada.refresh_token.as_deref().unwrap();
    for token in [access, refresh] {
        for answer in [
            service.introspect(token).await,
            service.revoke(&[("token", token)]).await,
        ] {
            assert_eq!(answer.status, 503, "{answer:?}");
            assert_eq!(answer.body["code"], "store_unavailable");
            assert!(answer.headers.contains_key("retry-after"));
        }
    }
    // Garbage is refused by arithmetic.
    service.revoke(&[("token", "abc")]).await.done();
    service.introspect("abc").await.inactive();
}

#[tokio::test]
async fn a_service_that_is_known_by_a_url_describes_itself() {
    let unnamed = Service::new();
    let path = "/.well-known/oauth-protected-resource";
    let request = Request::get(path).body(Body::empty()).unwrap();
    assert_eq!(unnamed.send(request).await.status, 404);
    let policy = TokenPolicy::new("https://id.example", "https://api.example/v1");
    let named = Service::with(|builder| builder.token_policy(policy));
    let request = Request::get(path).body(Body::empty()).unwrap();
    assert_eq!(named.send(request).await.status, 404);
    let path = format!("{path}/v1");
    let request = Request::get(path).body(Body::empty()).unwrap();
    let answer = named.send(request).await;
    assert_eq!(
        answer.body,
        json!({
            "resource": "https://api.example/v1",
            "authorization_servers": ["https://id.example"],
            "bearer_methods_supported": ["header"],
        })
    );
    assert_eq!(answer.headers["content-type"], "application/json");
}

#[tokio::test]
async fn the_public_keys_are_not_sent_to_who_has_them() {
    let service = Service::new();
    let ask = |tag: Option<String>| {
        let mut request = Request::get("/.well-known/jwks.json");
        if let Some(tag) = tag {
            request = request.header("if-none-match", tag);
        }
        service.send(request.body(Body::empty()).unwrap())
    };
    let first = ask(None).await;
    assert_eq!(first.status, 200);
    assert_eq!(first.headers["cache-control"], "public, max-age=300");
    assert_eq!(first.headers["content-type"], "application/jwk-set+json");
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    let again = ask(Some(tag)).await;
    assert_eq!(again.status, 304);
    assert_eq!(again.text, "");
}
