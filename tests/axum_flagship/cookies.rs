//! Browsers whose tokens are in cookies.

use http::header::{COOKIE, SET_COOKIE};
use serde_json::json;

use crate::ADA;
use crate::server::{Answer, CHROME, Client, PASSWORD, Server};

/// A page of the site itself.
const OURS: &str = "same-origin";

/// What a browser would send back: name and value of each cookie that was set.
fn kept(answer: &Answer) -> String {
    let set = answer.headers.get_all(SET_COOKIE).iter();
    let pairs = set.map(|cookie| {
        let text = cookie.to_str().expect("a cookie is text");
        text.split(';').next().unwrap_or_default()
    });
    pairs.collect::<Vec<_>>().join("; ")
}

async fn post(client: &Client, path: &str, site: &str, cookies: &str, body: &str) -> Answer {
    let mut request = client
        .request("POST", path)
        .header("sec-fetch-site", site)
        .header(COOKIE, cookies);
    if !body.is_empty() {
        request = request.header("content-type", "application/json");
    }
    client.send(request, body.to_owned().into()).await
}

fn form(transport: &str) -> String {
    json!({ "email": ADA, "password": PASSWORD, "transport": transport }).to_string()
}

async fn me(client: &Client, cookies: &str) -> Answer {
    let request = client.request("GET", "/api/me").header(COOKIE, cookies);
    client.send(request, "".into()).await
}

#[tokio::test]
async fn a_browser_lives_by_cookies_alone_from_registration_to_sign_out() {
    let server = Server::start();
    let page = server.client(CHROME);
    let register = "/api/auth/register";
    let refused = post(&page, register, "cross-site", "", &form("cookie")).await;
    refused.refused(403, "csrf_rejected");
    let signed_up = post(&page, register, OURS, "", &form("cookie")).await;
    signed_up.accepted(201);
    assert!(signed_up.body.get("access_token").is_none());
    assert!(signed_up.body.get("refresh_token").is_none());
    let cookies = kept(&signed_up);
    assert!(cookies.contains("__Host-at=") && cookies.contains("__Secure-rt="));
    me(&page, &cookies).await.accepted(200);

    let refreshed = post(&page, "/api/auth/refresh", OURS, &cookies, "").await;
    refreshed.accepted(200);
    assert_eq!(refreshed.body["generation"], 2);
    let cookies = kept(&refreshed);
    me(&page, &cookies).await.accepted(200);

    let proof = json!({ "password": PASSWORD }).to_string();
    let again = post(&page, "/api/auth/reauthenticate", OURS, &cookies, &proof).await;
    again.accepted(200);
    assert!(again.body.get("access_token").is_none());
    assert!(kept(&again).starts_with("__Host-at=") && !kept(&again).contains("__Secure-rt"));
    let refused = post(&page, "/sessions/revoke-all", "same-site", &cookies, "").await;
    refused.refused(403, "csrf_rejected");

    let out = post(&page, "/api/auth/logout", OURS, &cookies, "").await;
    out.accepted(204);
    assert_eq!(kept(&out), "__Host-at=; __Secure-rt=");
    me(&page, &cookies).await.refused(401, "token_revoked");
}

#[tokio::test]
async fn a_hybrid_page_holds_its_access_token_and_never_sees_the_other() {
    let server = Server::start();
    let mut page = server.client(CHROME);
    let register = "/api/auth/register";
    let signed_up = post(&page, register, OURS, "", &form("hybrid")).await;
    assert!(signed_up.accepted(201).body.get("refresh_token").is_none());
    let cookies = kept(&signed_up);
    assert!(cookies.starts_with("__Secure-rt="), "{cookies}");
    me(&page, &cookies).await.refused(401, "missing_token");
    page.access_token = Some(signed_up.text("access_token"));
    page.get("/api/me").await.accepted(200);
    let refreshed = post(&page, "/api/auth/refresh", OURS, &cookies, "").await;
    assert_eq!(refreshed.accepted(200).body["generation"], 2);
    assert!(refreshed.body.get("refresh_token").is_none());
}

#[tokio::test]
async fn a_server_without_cookies_says_so() {
    let server = Server::start_with(&[("SESSION_COOKIES", "off")]);
    let page = server.client(CHROME);
    for transport in ["cookie", "hybrid", "carrier pigeon"] {
        let register = "/api/auth/register";
        let refused = post(&page, register, OURS, "", &form(transport)).await;
        refused.refused(422, "invalid_input");
    }
    let body = post(&page, "/api/auth/register", OURS, "", &form("body")).await;
    body.accepted(201);
}

#[tokio::test]
async fn insecure_cookies_are_said_aloud_and_need_this_machine() {
    let insecure = ("SESSION_COOKIE_SECURE", "false");
    let log = Server::start_logging(&[insecure]).log();
    assert!(log.contains("without TLS"), "{log}");
    let elsewhere = [insecure, ("LISTEN_ADDR", "0.0.0.0:0")];
    let refusal = Server::refusal(&[("SESSION_STORE", "memory:"), elsewhere[0], elsewhere[1]]);
    assert!(refusal.contains("LISTEN_ADDR"), "{refusal}");
}
