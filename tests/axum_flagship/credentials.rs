//! Registrations that are repeated, and passwords that are changed by several at once.

use futures_util::future::join_all;
use serde_json::json;

use crate::server::{Answer, CHROME, Client, IPHONE, PASSWORD, Server};
use crate::{ADA, two_devices};

const KEY: &str = "0b7b5f5e-0a54-4d0c-8b1e-6a8a0a8ad3d1";

async fn register_under(client: &Client, password: &str, keys: &[&str]) -> Answer {
    let mut request = client
        .request("POST", "/api/auth/register")
        .header("content-type", "application/json");
    for key in keys {
        request = request.header("idempotency-key", *key);
    }
    let form = json!({ "email": ADA, "password": password }).to_string();
    client.send(request, form.into()).await
}

async fn change(client: &Client, new: &str) -> u16 {
    let form = json!({ "current": PASSWORD, "new": new });
    let answer = client.post("/api/auth/password", form).await;
    answer.status.as_u16()
}

async fn opens(server: &Server, email: &str, password: &str) -> bool {
    let answer = server.client(CHROME).sign_in(email, password).await;
    answer.status == 200
}

async fn sessions(client: &Client) -> usize {
    let answer = client.get("/sessions").await;
    answer.accepted(200).body.as_array().unwrap().len()
}

#[tokio::test]
async fn a_repeated_registration_finds_its_session_and_never_makes_one() {
    let server = Server::start();
    let mut anybody = server.client(CHROME);
    let first = register_under(&anybody, PASSWORD, &[KEY]).await;
    let again = register_under(&anybody, PASSWORD, &[KEY]).await;
    let session = first.accepted(201).text("session_id");
    assert_eq!(again.accepted(201).text("session_id"), session);

    let other_key = register_under(&anybody, PASSWORD, &["another"]).await;
    other_key.refused(409, "account_exists");
    let no_key = register_under(&anybody, PASSWORD, &[]).await;
    no_key.refused(409, "account_exists");
    let guessed = register_under(&anybody, "not it at all", &[KEY]).await;
    guessed.refused(409, "account_exists");
    anybody.access_token = Some(first.text("access_token"));
    assert_eq!(sessions(&anybody).await, 1);

    let path = format!("/sessions/{session}");
    anybody.delete(&path).await.accepted(204);
    anybody.access_token = None;
    let late = register_under(&anybody, PASSWORD, &[KEY]).await;
    late.refused(409, "sign_in_superseded");
}

#[tokio::test]
async fn two_idempotency_keys_are_none() {
    let server = Server::start();
    let anybody = server.client(CHROME);
    let refused = register_under(&anybody, PASSWORD, &[KEY, "another"]).await;
    refused.refused(422, "invalid_input");
}

#[tokio::test]
async fn an_old_password_brings_nobody_in_by_a_registration_during_its_change() {
    let server = Server::start();
    let mut owner = server.client(CHROME);
    owner.register(ADA).await.accepted(201);
    let thief = server.client(IPHONE);
    let keys: Vec<_> = (0..10).map(|n| format!("key {n}")).collect();
    let attempts = keys.iter().map(|key| {
        let thief = thief.clone();
        async move { register_under(&thief, PASSWORD, &[key]).await }
    });
    let (changed, attempts) = tokio::join!(change(&owner, "a better horse"), join_all(attempts));
    assert_eq!(changed, 204);
    for attempt in attempts {
        attempt.refused(409, "account_exists");
    }
    assert_eq!(sessions(&owner).await, 1);
}

#[tokio::test]
async fn of_two_password_changes_at_once_exactly_one_stands() {
    let server = Server::start_with(&[("RATE_LIMIT_MAX_REQUESTS", "0")]);
    for round in 0..20 {
        let email = format!("user{round}@example.com");
        let mut owner = server.client(CHROME);
        owner.register(&email).await.accepted(201);
        let mut thief = server.client(IPHONE);
        thief.sign_in(&email, PASSWORD).await.accepted(200);
        // In some rounds with one session, in the others with two.
        let other = if round % 4 == 0 { &owner } else { &thief };
        let outcomes = tokio::join!(
            change(&owner, "of the owner"),
            change(other, "of the thief")
        );
        let (lost, won, opening) = match outcomes {
            (204, lost) => (lost, "of the owner", "of the thief"),
            (lost, won) => {
                assert_eq!(won, 204, "round {round}: {outcomes:?}");
                (lost, "of the thief", "of the owner")
            }
        };
        assert_eq!(lost, 401, "round {round}: {outcomes:?}");
        assert!(opens(&server, &email, won).await, "round {round}");
        assert!(!opens(&server, &email, opening).await, "round {round}");
    }
}

#[tokio::test]
async fn a_session_that_was_ended_meanwhile_changes_no_password() {
    let server = Server::start_with(&[("RATE_LIMIT_MAX_REQUESTS", "0")]);
    let mut refused = 0;
    for round in 0..20 {
        let email = format!("user{round}@example.com");
        let mut owner = server.client(CHROME);
        owner.register(&email).await.accepted(201);
        let mut thief = server.client(IPHONE);
        let stolen = thief.sign_in(&email, PASSWORD).await.text("session_id");
        let end = async {
            // A little later in each round.
            for _ in 0..round * 8 {
                owner.get("/livez").await;
            }
            owner.delete(&format!("/sessions/{stolen}")).await
        };
        let (changed, ended) = tokio::join!(change(&thief, "of the thief"), end);
        let stands = opens(&server, &email, "of the thief").await;
        assert_eq!(stands, changed == 204, "round {round}: {changed} {ended:?}");
        assert_eq!(
            opens(&server, &email, PASSWORD).await,
            !stands,
            "round {round}"
        );
        refused += u32::from(!stands);
    }
    assert!(refused > 0, "no session ended in time, so nothing was seen");
}

#[tokio::test]
async fn whoever_proves_the_password_on_an_ended_session_is_told_that_it_ended() {
    let server = Server::start();
    let mut told = Vec::new();
    for round in 0..10 {
        let email = format!("user{round}@example.com");
        let mut owner = server.client(CHROME);
        owner.register(&email).await.accepted(201);
        let prove = owner.post("/api/auth/reauthenticate", json!({ "password": PASSWORD }));
        let logout = async {
            for _ in 0..round * 4 {
                owner.get("/livez").await;
            }
            owner.post("/api/auth/logout", json!({})).await
        };
        let (proven, _) = tokio::join!(prove, logout);
        told.push(proven.status.as_u16());
    }
    assert!(
        told.iter().all(|status| [200, 401].contains(status)),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_changed_password_is_felt_by_every_other_device() {
    let server = Server::start();
    let (laptop, phone) = two_devices(&server).await;
    assert_eq!(change(&laptop, "a better horse").await, 204);
    phone.get("/api/me").await.refused(401, "token_revoked");
    assert_eq!(change(&laptop, "a third horse").await, 401);
    laptop.get("/api/me").await.accepted(200);
}
