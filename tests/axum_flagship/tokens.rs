//! The token endpoints, in their envelope.

use serde_json::json;

use crate::server::{ADMIN, CHROME, PASSWORD, Server};
use crate::two_devices;

#[tokio::test]
async fn a_refresh_answers_in_camel_case_and_milliseconds() {
    let server = Server::start();
    let (laptop, _) = two_devices(&server).await;
    let form = json!({ "refreshToken": laptop.refresh_token });
    let answer = laptop.post("/api/token/refresh", form).await;
    assert_eq!(answer.accepted(200).body["success"], true);
    assert_eq!(answer.headers["cache-control"], "no-store");
    let data = &answer.body["data"];
    assert_eq!(data["expiresIn"], 7_200_000);
    assert!(data["accessToken"].is_string());
    assert_ne!(data["refreshToken"], json!(laptop.refresh_token));
    let session = laptop.get("/api/me").await.text("session_id");
    assert_eq!(data["sessionId"], session);
}

#[tokio::test]
async fn a_repeated_refresh_gets_the_same_successor() {
    let server = Server::start();
    let (laptop, _) = two_devices(&server).await;
    let form = json!({ "refresh_token": laptop.refresh_token });
    let first = laptop.post("/api/token/refresh", form.clone()).await;
    let again = laptop.post("/api/token/refresh", form).await;
    let successor = |answer: &crate::server::Answer| answer.body["data"]["refreshToken"].clone();
    assert_eq!(
        successor(first.accepted(200)),
        successor(again.accepted(200))
    );
}

#[tokio::test]
async fn a_token_is_valid_until_its_session_ends_and_then_tells_nothing() {
    let server = Server::start();
    let (laptop, phone) = two_devices(&server).await;
    let form = json!({ "accessToken": phone.access_token });

    let valid = laptop.post("/api/token/validate", form.clone()).await;
    let data = &valid.accepted(200).body["data"];
    assert_eq!(data["isValid"], true);
    assert_eq!(data["isExpired"], false);
    assert_eq!(data["needsRefresh"], false);
    assert_eq!(data["userId"], phone.get("/api/me").await.body["user_id"]);
    assert!(data["timeUntilExpiry"].as_u64().unwrap() > 7_000_000);
    let expires_at = data["expiresAt"].as_str().unwrap();
    assert!(
        expires_at.ends_with('Z') && expires_at.len() == 24,
        "{expires_at}"
    );

    laptop
        .post("/sessions/revoke-all", json!({}))
        .await
        .accepted(200);
    let invalid = laptop.post("/api/token/validate", form).await;
    assert_eq!(
        invalid.accepted(200).body["data"],
        json!({ "isValid": false })
    );
    let garbage = json!({ "accessToken": "garbage" });
    let invalid = laptop.post("/api/token/validate", garbage).await;
    assert_eq!(
        invalid.accepted(200).body["data"],
        json!({ "isValid": false })
    );
}

#[tokio::test]
async fn an_automatic_refresh_leaves_a_young_token_alone() {
    let server = Server::start();
    let (laptop, _) = two_devices(&server).await;
    let form = json!({
        "accessToken": laptop.access_token,
        "refreshToken": laptop.refresh_token,
    });
    let answer = laptop.post("/api/token/auto-refresh", form).await;
    assert_eq!(answer.accepted(200).body["data"]["refreshed"], false);

    let form = json!({ "accessToken": "garbage", "refreshToken": laptop.refresh_token });
    let answer = laptop.post("/api/token/auto-refresh", form).await;
    assert_eq!(answer.refused(401, "invalid_token").body["success"], false);
}

#[tokio::test]
async fn statistics_are_for_oneself_and_for_administrators() {
    let server = Server::start();
    let (laptop, _) = two_devices(&server).await;
    let user = laptop.get("/api/me").await.text("user_id");
    let path = format!("/api/token/session-stats/{user}");

    let answer = laptop.get(&path).await;
    let data = &answer.accepted(200).body["data"];
    assert_eq!(data["activeSessions"], 2);
    assert_eq!(data["maxSessions"], 10);
    assert_eq!(data["devices"].as_array().unwrap().len(), 2);

    for other in [
        "/api/token/session-stats/nobody",
        "/api/token/session-stats/%00",
    ] {
        let refused = laptop.get(other).await;
        assert_eq!(
            refused.refused(403, "insufficient_role").body["success"],
            false
        );
    }
    let mut admin = server.client(CHROME);
    admin.get(&path).await.refused(401, "missing_token");
    admin.sign_in(ADMIN, PASSWORD).await.accepted(200);
    admin.get(&path).await.accepted(200);
}

#[tokio::test]
async fn health_and_public_keys_are_public() {
    let server = Server::start();
    let anybody = server.client(CHROME);
    let health = anybody.get("/api/token/health").await;
    assert_eq!(health.accepted(200).body["data"]["status"], "ready");
    let keys = anybody.get("/.well-known/jwks.json").await;
    assert_eq!(keys.accepted(200).body, json!({ "keys": [] }));
}
