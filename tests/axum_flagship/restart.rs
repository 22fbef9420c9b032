//! What is kept across the end of the process.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::folder::Folder;
use crate::server::{CHROME, PASSWORD, Server};
use crate::{ADA, two_devices};

#[tokio::test]
async fn accounts_and_sessions_and_what_was_revoked_survive_a_kill() {
    let folder = Folder::new();
    let server = Server::start_in(folder.path());
    let (mut laptop, phone) = two_devices(&server).await;
    phone
        .post("/api/auth/logout", serde_json::json!({}))
        .await
        .accepted(204);
    drop(server);

    let server = Server::start_in(folder.path());
    laptop.moved_to(&server);
    laptop.get("/api/me").await.accepted(200);
    laptop.refresh().await.accepted(200);
    laptop.get("/api/me").await.accepted(200);
    let mut phone = phone;
    phone.moved_to(&server);
    phone.get("/api/me").await.refused(401, "token_revoked");
    let mut tablet = server.client(CHROME);
    tablet.sign_in(ADA, PASSWORD).await.accepted(200);
}

#[cfg(unix)]
#[test]
fn what_is_kept_is_for_its_owner_alone_and_it_says_where() {
    use std::os::unix::fs::PermissionsExt;
    let folder = Folder::new();
    let mut server = Server::start_in(folder.path());
    let said = server.greeting();
    let data = folder.file("tower-jwt-session");
    assert!(
        said.contains(&data.join("sessions.db").display().to_string()),
        "{said}"
    );
    for (name, mode) in [
        ("", 0o700),
        ("sessions.db", 0o600),
        ("sessions.secret", 0o600),
    ] {
        let metadata = std::fs::metadata(data.join(name)).expect("it is there");
        assert_eq!(metadata.permissions().mode() & 0o777, mode, "{name}");
    }
}

#[test]
fn a_file_that_cannot_be_used_is_said_with_what_to_do() {
    let folder = Folder::new();
    let path = folder.file("no/such/sessions.db");
    let said = Server::refusal(&[
        ("SESSION_STORE", &format!("sqlite:{}", path.display())),
        ("JWT_SECRET", "8e6f1a3c5d7b9f0e2a4c6d8e0f1b3a5c7d9e"),
    ]);
    assert!(said.contains("its folder does not exist"), "{said}");
    assert!(!folder.file("no").exists());
}

/// Two devices stay signed in, and can refresh, across an end of the process.
async fn assert_outlives_the_process(variables: &[(&str, &str)]) {
    let server = Server::start_with(variables);
    let (mut laptop, _phone) = two_devices(&server).await;
    drop(server);
    let server = Server::start_with(variables);
    laptop.moved_to(&server);
    laptop.get("/api/me").await.accepted(200);
    laptop.refresh().await.accepted(200);
}

#[tokio::test]
async fn beside_a_file_of_ones_own_the_secret_is_kept_too() {
    let folder = Folder::new();
    let url = format!("sqlite:{}", folder.file("mine.db").display());
    assert_outlives_the_process(&[("SESSION_STORE", &url)]).await;
    assert!(folder.file("mine.secret").exists());
}

#[tokio::test]
async fn beside_a_private_key_the_secret_of_refresh_tokens_is_made_once_and_kept() {
    let folder = Folder::new();
    let url = format!("sqlite:{}", folder.file("mine.db").display());
    let key = folder.file("key.pem").display().to_string();
    std::fs::write(&key, private_key()).expect("written");
    assert_outlives_the_process(&[
        ("SESSION_STORE", &url),
        ("JWT_PRIVATE_KEY_FILE", &key),
        ("JWT_ALGORITHM", "EdDSA"),
    ])
    .await;
    assert!(folder.file("mine.refresh-secret").exists());
    assert!(!folder.file("mine.secret").exists());
}

fn private_key() -> String {
    let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
    let text = STANDARD.encode(key.as_ref());
    format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n")
}
