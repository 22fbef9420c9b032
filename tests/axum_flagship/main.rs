//! The flagship example from outside: what its users live through.

mod bad_input;
mod connections;
mod contract;
mod cookies;
mod credentials;
mod edge;
mod figures;
#[path = "../folder/mod.rs"]
mod folder;
#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../redis_server/mod.rs"]
mod redis_server;
mod restart;
mod server;
mod shared;
mod stores;
mod tokens;

use serde_json::json;

use crate::server::{ADMIN, CHROME, Client, IPHONE, PASSWORD, Server};

const ADA: &str = "ada@example.com";

/// One user on two devices.
async fn two_devices(server: &Server) -> (Client, Client) {
    let mut laptop = server.client(CHROME);
    laptop.register(ADA).await.accepted(201);
    let mut phone = server.client(IPHONE);
    phone.sign_in(ADA, PASSWORD).await.accepted(200);
    (laptop, phone)
}

#[tokio::test]
async fn a_revoked_device_is_out_on_its_next_request_and_the_other_goes_on() {
    let server = Server::start();
    let (laptop, phone) = two_devices(&server).await;

    let list = laptop.get("/sessions").await;
    let sessions = list.accepted(200).body.as_array().unwrap().clone();
    assert_eq!(sessions.len(), 2);
    assert_eq!(sessions[0]["device"], "Chrome on Windows");
    assert_eq!(sessions[0]["is_current"], true);
    assert_eq!(sessions[0]["ip_address"], "127.0.0.1");
    assert_eq!(sessions[1]["device"], "Safari on iOS");
    assert_eq!(sessions[1]["is_current"], false);
    phone.get("/api/me").await.accepted(200);

    let id = sessions[1]["id"].as_str().unwrap();
    laptop
        .delete(&format!("/sessions/{id}"))
        .await
        .accepted(204);

    let refused = phone.get("/api/me").await;
    let challenge = refused.refused(401, "token_revoked").challenge();
    assert!(challenge.contains("error=\"invalid_token\""), "{challenge}");
    laptop.get("/api/me").await.accepted(200);

    let ended = laptop.get("/sessions?state=ended").await;
    assert_eq!(ended.accepted(200).body[0]["id"], id);
    assert_eq!(ended.body[0]["ended_reason"], "user_revoked");
    assert!(ended.body[0]["ended_at"].is_string());
    // Once more changes nothing.
    laptop
        .delete(&format!("/sessions/{id}"))
        .await
        .accepted(204);
}

#[tokio::test]
async fn a_revoked_device_cannot_refresh_itself_back_in() {
    let server = Server::start();
    let (laptop, mut phone) = two_devices(&server).await;
    laptop
        .post("/sessions/revoke-all", json!({}))
        .await
        .accepted(200);
    phone.refresh().await.refused(401, "invalid_token");
    phone.get("/api/me").await.refused(401, "token_revoked");
}

#[tokio::test]
async fn all_devices_are_signed_out_but_the_current_one_unless_it_is_asked_for() {
    let server = Server::start();
    let (laptop, phone) = two_devices(&server).await;

    let ended = laptop
        .post("/sessions/revoke-all?keep_current=true", json!({}))
        .await;
    assert_eq!(ended.accepted(200).body, json!({ "revoked": 1 }));
    phone.get("/api/me").await.refused(401, "token_revoked");
    laptop.get("/api/me").await.accepted(200);

    let ended = laptop
        .post("/sessions/revoke-all?keep_current=false", json!({}))
        .await;
    assert_eq!(ended.accepted(200).body, json!({ "revoked": 1 }));
    laptop.get("/api/me").await.refused(401, "token_revoked");
}

#[tokio::test]
async fn a_session_can_be_named() {
    let server = Server::start();
    let (laptop, _) = two_devices(&server).await;
    let id = laptop.get("/api/me").await.text("session_id");

    let path = format!("/sessions/{id}/name");
    let named = laptop
        .with_body("PATCH", &path, json!({ "name": "Work" }))
        .await;
    assert_eq!(named.accepted(200).body["name"], "Work");
    assert_eq!(named.body["is_current"], true);

    let request = laptop.request("PATCH", &format!("{path}?name=My+laptop"));
    let named = laptop.send(request, bytes::Bytes::new()).await;
    assert_eq!(named.accepted(200).body["name"], "My laptop");
    assert_eq!(laptop.get("/sessions").await.body[0]["name"], "My laptop");
}

#[tokio::test]
async fn a_role_change_is_felt_on_the_next_request_and_a_refresh_brings_the_role() {
    let server = Server::start();
    let (mut laptop, _) = two_devices(&server).await;
    laptop
        .get("/api/admin/dashboard")
        .await
        .refused(403, "insufficient_role");
    let user = laptop.get("/api/me").await.text("user_id");

    let mut admin = server.client(CHROME);
    admin.sign_in(ADMIN, PASSWORD).await.accepted(200);
    admin.get("/api/admin/dashboard").await.accepted(200);
    let path = format!("/api/admin/users/{user}/role");
    admin
        .with_body("PUT", &path, json!({ "role": "admin" }))
        .await
        .accepted(204);

    laptop.get("/api/me").await.refused(401, "token_stale");
    laptop.refresh().await.accepted(200);
    laptop.get("/api/admin/dashboard").await.accepted(200);
    assert_eq!(laptop.get("/api/me").await.body["roles"], json!(["admin"]));
}

#[tokio::test]
async fn a_new_password_ends_the_other_sessions_and_the_old_one_opens_nothing() {
    let server = Server::start();
    let (laptop, mut phone) = two_devices(&server).await;
    let new = "a better horse";

    let wrong = json!({ "current": "not it at all", "new": new });
    laptop
        .post("/api/auth/password", wrong)
        .await
        .refused(401, "invalid_credentials");
    phone.get("/api/me").await.accepted(200);

    let change = json!({ "current": PASSWORD, "new": new });
    laptop
        .post("/api/auth/password", change)
        .await
        .accepted(204);
    phone.get("/api/me").await.refused(401, "token_revoked");
    let over = phone.refresh().await;
    let told = over.refused(401, "invalid_token");
    assert_eq!(told.body["reason"], "password_changed");
    laptop.get("/api/me").await.accepted(200);

    phone.access_token = None;
    phone
        .sign_in(ADA, PASSWORD)
        .await
        .refused(401, "invalid_credentials");
    phone.sign_in(ADA, new).await.accepted(200);
}

#[tokio::test]
async fn signing_out_ends_this_session_only_by_either_token() {
    let server = Server::start();
    let (laptop, mut phone) = two_devices(&server).await;

    phone
        .post("/api/auth/logout", json!({}))
        .await
        .accepted(204);
    phone.get("/api/me").await.refused(401, "token_revoked");
    laptop.get("/api/me").await.accepted(200);
    phone
        .post("/api/auth/logout", json!({}))
        .await
        .accepted(204);

    phone.access_token = None;
    phone.sign_in(ADA, PASSWORD).await.accepted(200);
    let mut bare = phone.clone();
    bare.access_token = None;
    let form = json!({ "refresh_token": phone.refresh_token });
    bare.post("/api/auth/logout", form).await.accepted(204);
    phone.get("/api/me").await.refused(401, "token_revoked");

    let nothing = bare.request("POST", "/api/auth/logout");
    bare.send(nothing, bytes::Bytes::new())
        .await
        .refused(401, "missing_token");
}

#[tokio::test]
async fn a_repeated_sign_in_finds_its_session_by_the_idempotency_key() {
    let server = Server::start();
    let (laptop, phone) = two_devices(&server).await;
    let form = json!({ "email": ADA, "password": PASSWORD }).to_string();
    let mut answers = Vec::new();
    for _ in 0..2 {
        let request = phone.request("POST", "/api/auth/login");
        let request = request
            .header("content-type", "application/json")
            .header("idempotency-key", "6d1c0b46-6c4d-4a1e-9d4a-2a44bd0f7f55");
        answers.push(phone.send(request, form.clone().into()).await);
    }
    assert_eq!(answers[0].text("session_id"), answers[1].text("session_id"));
    assert_eq!(
        answers[0].text("refresh_token"),
        answers[1].text("refresh_token")
    );
    let sessions = laptop.get("/sessions").await;
    assert_eq!(sessions.body.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn an_account_cannot_be_made_twice() {
    let server = Server::start();
    let mut laptop = server.client(CHROME);
    laptop.register(ADA).await.accepted(201);
    laptop.access_token = None;
    laptop
        .register("Ada@Example.com ")
        .await
        .refused(409, "account_exists");
}

#[tokio::test]
async fn an_administrator_sees_and_ends_the_sessions_of_others() {
    let server = Server::start();
    let (laptop, phone) = two_devices(&server).await;
    let user = laptop.get("/api/me").await.text("user_id");
    laptop
        .get("/api/admin/sessions")
        .await
        .refused(403, "insufficient_role");

    let mut admin = server.client(CHROME);
    admin.sign_in(ADMIN, PASSWORD).await.accepted(200);
    let first = admin
        .get(&format!("/api/admin/sessions?user={user}&limit=1"))
        .await;
    assert_eq!(
        first.accepted(200).body["sessions"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    let cursor = first.text("next_cursor");
    let path = format!("/api/admin/sessions?user={user}&limit=1&cursor={cursor}");
    let second = admin.get(&path).await;
    let id = second.body["sessions"][0]["id"].as_str().unwrap();
    assert_ne!(first.body["sessions"][0]["id"], id);

    admin
        .delete(&format!("/api/admin/sessions/{id}"))
        .await
        .accepted(204);
    phone.get("/api/me").await.refused(401, "token_revoked");
    let path = format!("/api/admin/users/{user}/revoke-all");
    let ended = admin.post(&path, json!({})).await;
    assert_eq!(ended.accepted(200).body, json!({ "revoked": 1 }));
    laptop.get("/api/me").await.refused(401, "token_revoked");

    let path = format!("/api/admin/users/{user}/sessions");
    admin.delete(&path).await.accepted(204);
    let mut laptop = server.client(CHROME);
    laptop.sign_in(ADA, PASSWORD).await.accepted(200);
    let ended = laptop.get("/sessions?state=ended").await;
    assert_eq!(ended.accepted(200).body, json!([]));
}

#[tokio::test]
async fn proving_again_who_one_is_brings_an_access_token_alone() {
    let server = Server::start();
    let (laptop, _) = two_devices(&server).await;
    let wrong = json!({ "password": "not it at all" });
    let refused = laptop.post("/api/auth/reauthenticate", wrong).await;
    refused.refused(401, "invalid_credentials");

    let right = json!({ "password": PASSWORD });
    let answer = laptop.post("/api/auth/reauthenticate", right).await;
    assert!(answer.accepted(200).body.get("refresh_token").is_none());
    let mut fresh = laptop.clone();
    fresh.access_token = Some(answer.text("access_token"));
    fresh.get("/api/me").await.accepted(200);
}

#[test]
fn it_says_who_the_administrator_is_and_what_to_try_but_not_a_chosen_password() {
    let mut server = Server::start();
    let said = server.greeting();
    assert!(said.contains(ADMIN), "{said}");
    assert!(said.contains("curl "), "{said}");
    assert!(!said.contains(PASSWORD), "{said}");
}

#[tokio::test]
async fn it_logs_what_it_is_asked_for_and_else_nothing_of_what_went_well() {
    let quiet = Server::start_logging(&[]);
    quiet.client(CHROME).register(ADA).await.accepted(201);
    assert_eq!(quiet.log(), "");
    let talkative = Server::start_logging(&[("RUST_LOG", "tower_jwt_session=trace")]);
    talkative.client(CHROME).register(ADA).await.accepted(201);
    let log = talkative.log();
    assert!(log.contains("tower_jwt_session"), "{log}");
    assert!(!log.contains(PASSWORD), "{log}");
}

#[cfg(unix)]
#[test]
fn it_stops_cleanly_when_it_is_asked_to() {
    let server = Server::start();
    assert!(server.terminate().success());
}
