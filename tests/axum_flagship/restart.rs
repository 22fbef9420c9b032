//! What is kept across the end of the process.

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
    for (name, mode) in [("", 0o700), ("sessions.db", 0o600), ("secret", 0o600)] {
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

#[test]
fn a_file_of_ones_own_needs_a_secret_of_ones_own() {
    let folder = Folder::new();
    let path = folder.file("sessions.db");
    let said = Server::refusal(&[("DATABASE_URL", &format!("sqlite://{}", path.display()))]);
    assert!(said.contains("JWT_SECRET is not set"), "{said}");
    assert!(!path.exists());
}
