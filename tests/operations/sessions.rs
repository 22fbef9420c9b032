//! `sessions list`, `end`, `export` and `clean-up`, beside a server that runs.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use serde_json::{Value, json};

use crate::folder::Folder;
use crate::postgres::eventually;
use crate::server::{CHROME, Client, IPHONE, PASSWORD, Server};
use crate::{ADA, connection, run};

struct World {
    _folder: Folder,
    address: String,
    _server: Server,
    laptop: Client,
    phone: Client,
}

impl World {
    async fn new() -> Self {
        let folder = Folder::new();
        let address = format!("sqlite:{}", folder.file("mine.db").display());
        let server = Server::start_with(&[("SESSION_STORE", &address)]);
        let mut laptop = server.client(CHROME);
        laptop.register(ADA).await.accepted(201);
        let mut phone = server.client(IPHONE);
        phone.sign_in(ADA, PASSWORD).await.accepted(200);
        Self {
            _folder: folder,
            address,
            _server: server,
            laptop,
            phone,
        }
    }

    fn run(&self, args: &[&str]) -> crate::Done {
        let args: Vec<&str> = ["sessions"]
            .into_iter()
            .chain(args.iter().copied())
            .collect();
        run(&args, &[("SESSION_STORE", &self.address)])
    }

    fn list(&self, more: &[&str]) -> Vec<Value> {
        let args: Vec<&str> = ["list", "--json"]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        let listed = self.run(&args).succeeded();
        serde_json::from_str(&listed.out).expect("it is JSON")
    }

    /// Why sessions ended, as the audit log has it.
    async fn ends_written_down(&self) -> Vec<String> {
        let file = self.address.trim_start_matches("sqlite:");
        let reasons = sqlx::query_scalar(
            "SELECT entry ->> 'reason' FROM jwt_audit WHERE entry ->> 'event' = 'ended' ORDER BY number",
        );
        let mut file = connection(file.as_ref()).await;
        reasons.fetch_all(&mut file).await.expect("it can be read")
    }
}

/// The server hears of what a command wrote.
async fn is_out(device: &Client) {
    eventually("the device is out", async || {
        device.get("/api/me").await.status == 401
    })
    .await;
    device.get("/api/me").await.refused(401, "token_revoked");
}

#[tokio::test]
async fn sessions_are_listed_and_ended_one_by_one_and_the_server_hears_of_it() {
    let world = World::new().await;
    let listed = world.list(&[]);
    assert_eq!(listed.len(), 2);
    let phone = listed
        .iter()
        .find(|session| session["device"] == "Safari on iOS");
    let id = phone.expect("it is listed")["id"].as_str().expect("an id");

    let unasked = world.run(&["end", id]);
    assert_ne!(unasked.code, 0, "{unasked:?}");
    world.phone.get("/api/me").await.accepted(200);
    world
        .run(&["end", id, "--reason", "password-changed", "--yes"])
        .succeeded();
    is_out(&world.phone).await;
    world.laptop.get("/api/me").await.accepted(200);

    let ended = world.list(&["--user", ADA, "--ended"]);
    assert_eq!(ended[0]["id"], id);
    assert_eq!(ended[0]["ended_reason"], "password_changed");
    assert_eq!(world.ends_written_down().await, ["password_changed"]);
    let table = world.run(&["list", "--user", ADA]).succeeded();
    assert!(table.out.contains("Chrome on Windows"), "{table:?}");
    assert!(!table.out.contains(id), "{table:?}");
    let unknown = world.run(&["end", id.trim_end_matches(char::is_alphanumeric), "--yes"]);
    assert_ne!(unknown.code, 0, "{unknown:?}");
}

#[tokio::test]
async fn all_of_a_user_or_of_everybody_are_ended() {
    let world = World::new().await;
    let mut bob = world._server.client(CHROME);
    bob.register("bob@example.com").await.accepted(201);
    let done = world.run(&["end", "--user", ADA, "--yes"]).succeeded();
    assert!(done.out.contains("2 sessions ended"), "{done:?}");
    is_out(&world.phone).await;
    is_out(&world.laptop).await;
    bob.get("/api/me").await.accepted(200);
    world.run(&["end", "--all", "--yes"]).succeeded();
    is_out(&bob).await;
    assert_eq!(world.list(&[]).len(), 0);
    let ends = world.ends_written_down().await;
    assert_eq!(ends, ["admin_revoked"; 3]);
    let nobody = world.run(&["end", "--user", "eve@example.com", "--yes"]);
    assert!(nobody.err.contains("nobody has"), "{nobody:?}");
    let both = world.run(&["end", "--all", "--user", ADA]);
    assert_eq!(both.code, 2, "{both:?}");
}

#[tokio::test]
async fn an_export_holds_no_formula_and_nothing_that_signs_anybody_in() {
    let mut world = World::new().await;
    let id = world.list(&[])[0]["id"].as_str().expect("an id").to_owned();
    let name = "=HYPERLINK(\"http://evil.example\",\"x\")";
    let path = format!("/sessions/{id}/name");
    let named = world
        .laptop
        .with_body("PATCH", &path, json!({ "name": name }))
        .await;
    named.accepted(200);
    world.phone.refresh().await.accepted(200);
    let out = world.phone.post("/api/auth/logout", json!({})).await;
    out.accepted(204);

    let csv = world
        .run(&["export", "--format", "csv", "--ended"])
        .succeeded();
    let lines: Vec<&str> = csv
        .out
        .split("\r\n")
        .filter(|line| !line.is_empty())
        .collect();
    assert_eq!(lines.len(), 3, "{csv:?}");
    let quoted = "\"'=HYPERLINK(\"\"http://evil.example\"\",\"\"x\"\")\"";
    assert!(csv.out.contains(quoted), "{csv:?}");
    assert!(csv.out.contains("signed_out"), "{csv:?}");

    let exported = world.run(&["export", "--format", "json"]).succeeded();
    let sessions: Vec<Value> = serde_json::from_str(&exported.out).expect("it is JSON");
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0]["name"], name);
    for kept in [&csv.out, &exported.out] {
        for secret in ["seed", "operation", "jti", "tjs_rt_", "eyJ", "hash"] {
            assert!(!kept.contains(secret), "{secret} in {kept}");
        }
    }
    let file = world._folder.file("out.csv");
    let path = file.display().to_string();
    let to_file = ["export", "--format", "csv", "--output", path.as_str()];
    world.run(&to_file).succeeded();
    let mode = std::fs::metadata(&file)
        .expect("it was written")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    assert_ne!(world.run(&to_file).code, 0, "a file that is there stays");
}

#[tokio::test]
async fn what_is_over_is_cleaned_up() {
    let folder = Folder::new();
    let address = format!("sqlite:{}", folder.file("mine.db").display());
    let short = [
        ("SESSION_STORE", address.as_str()),
        ("JWT_ACCESS_TOKEN_EXPIRY", "1s"),
        ("JWT_REFRESH_TOKEN_EXPIRY", "1s"),
        ("JWT_SESSION_EXPIRY", "1s"),
    ];
    let server = Server::start_with(&short);
    let mut laptop = server.client(CHROME);
    laptop.register(ADA).await.accepted(201);
    assert!(server.terminate().success());
    eventually("its second is over", async || {
        tokio::time::sleep(Duration::from_millis(100)).await;
        let listed = run(&["sessions", "list", "--json"], &short).succeeded();
        listed.out.trim() == "[]"
    })
    .await;
    let done = run(&["sessions", "clean-up"], &short).succeeded();
    assert!(done.out.starts_with("1 sessions were over"), "{done:?}");
    let again = run(&["sessions", "clean-up"], &short).succeeded();
    assert!(again.out.starts_with("0 sessions were over"), "{again:?}");
}

#[test]
fn what_cannot_be_reached_is_said_with_what_to_do() {
    let in_memory = run(&["sessions", "list"], &[("SESSION_STORE", "memory:")]);
    assert!(in_memory.err.contains("set SESSION_STORE"), "{in_memory:?}");
    let folder = Folder::new();
    let address = format!("sqlite:{}", folder.file("none.db").display());
    let none = run(&["sessions", "list"], &[("SESSION_STORE", &address)]);
    assert!(none.err.contains("does not exist"), "{none:?}");
    assert!(!folder.file("none.db").exists());
}
