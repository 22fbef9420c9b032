//! A service of its own that only checks tokens, on the file of the service that makes them.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::Empty;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tower_jwt_session::revocation::{EndReason, RevocationSettings};
use tower_jwt_session::verify::{Algorithm, Key, KeyState};
use tower_jwt_session::{Device, JwtSession, SqliteStore, UserId};

use crate::folder::Folder;
use crate::process::{Server, command};

async fn get(server: &Server, token: &str) -> StatusCode {
    let client = Client::builder(TokioExecutor::new()).build_http();
    let request = Request::get(format!("{}/invoices", server.address))
        .header("authorization", format!("Bearer {token}"))
        .body(Empty::<Bytes>::new())
        .unwrap();
    client.request(request).await.unwrap().status()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_one_service_ends_another_process_refuses() {
    let folder = Folder::new();
    let (file, keys) = (folder.file("sessions.db"), folder.file("jwks.json"));
    let issuer = JwtSession::builder()
        .key(
            Key::generate(Some("one"), Algorithm::EdDsa).unwrap(),
            KeyState::Sign,
        )
        .refresh_secret(b"8e6f1a3c5d7b9f0e2a4c6d8e0f1b3a5c7d9e")
        .store(SqliteStore::new(&file))
        .revocation(RevocationSettings::default().with_store_timeout(Duration::from_secs(20)))
        .build()
        .unwrap();
    let running = issuer.start().await.unwrap();
    std::fs::write(&keys, issuer.keys().jwks().to_string()).unwrap();
    let server = Server::start(
        "verify_only",
        &[
            ("JWT_JWKS_FILE", keys.to_str().unwrap()),
            ("SESSION_STORE", &format!("sqlite:{}", file.display())),
        ],
    );

    let ada = UserId::new("ada").unwrap();
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let ticket = issuer.sessions().ticket(&ada).await.unwrap();
        let signed_in = issuer.sessions().sign_in(ticket, Device::default());
        tokens.push(signed_in.await.unwrap().tokens());
    }
    for tokens in &tokens {
        assert_eq!(get(&server, &tokens.access_token).await, 200);
    }
    let ended = issuer.sessions();
    let ended = ended.end(tokens[0].session_id, EndReason::SignedOut).await;
    ended.unwrap().everywhere().await.unwrap();
    assert_eq!(get(&server, &tokens[0].access_token).await, 401);
    assert_eq!(get(&server, &tokens[1].access_token).await, 200);
    assert_eq!(get(&server, "not.a.token").await, 401);
    running.shutdown().await;
}

#[test]
fn without_a_key_to_check_with_it_says_what_to_do() {
    let output = command("verify_only").output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("there is no key to check tokens with"),
        "{said}"
    );
}
