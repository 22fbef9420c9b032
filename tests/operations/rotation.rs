//! Every key is changed on two nodes under load, and nobody notices.

mod load;

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use load::Load;
use serde_json::Value;
use tokio::sync::Mutex as AsyncMutex;

use crate::folder::Folder;
use crate::postgres::eventually;
use crate::run;
use crate::server::{CHROME, Client, Server};

const OLD: &str = "1b3a5c7d9e8e6f1a3c5d7b9f0e2a4c6d8e0f";
const NEW: &str = "5c7d9e8e6f1a3c5d7b9f0e2a4c6d8e0f1b3a";

/// Two nodes over one store, with all their keys in files.
struct Fleet {
    folder: Folder,
    nodes: Vec<Server>,
}

impl Fleet {
    fn new() -> Self {
        let folder = Folder::new();
        for name in ["old.pem", "new.pem"] {
            let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
            let text = STANDARD.encode(key.as_ref());
            let pem = format!("-----BEGIN PRIVATE KEY-----\n{text}\n-----END PRIVATE KEY-----\n");
            fs::write(folder.file(name), pem).expect("written");
        }
        let mut fleet = Self {
            nodes: Vec::new(),
            folder,
        };
        fs::copy(fleet.file("old.pem"), fleet.file("key.pem")).expect("copied");
        fleet.publish(&["old.pem"]);
        for kind in ["refresh", "seal"] {
            fleet.write(kind, OLD);
            fleet.write(&format!("{kind}-previous"), "");
        }
        fleet.nodes = (0..2).map(|_| fleet.start()).collect();
        fleet
    }

    fn start(&self) -> Server {
        let path = |name: &str| self.file(name).display().to_string();
        let store = format!("sqlite:{}", path("sessions.db"));
        Server::start_with(&[
            ("SESSION_STORE", store.as_str()),
            // Two debug builds share what else runs here: late is not wrong.
            ("STORE_TIMEOUT", "10s"),
            ("RATE_LIMIT_MAX_REQUESTS", "0"),
            // A test refreshes more often than anybody.
            ("JWT_ROTATION_GRACE", "1s"),
            ("JWT_ALGORITHM", "EdDSA"),
            ("JWT_PRIVATE_KEY_FILE", &path("key.pem")),
            ("JWT_JWKS_FILE", &path("jwks.json")),
            ("JWT_REFRESH_SECRET_FILE", &path("refresh")),
            (
                "JWT_REFRESH_SECRET_PREVIOUS_FILE",
                &path("refresh-previous"),
            ),
            ("SESSION_ENCRYPTION_KEY_FILE", &path("seal")),
            (
                "SESSION_ENCRYPTION_KEY_PREVIOUS_FILE",
                &path("seal-previous"),
            ),
            ("RUST_LOG", "error"),
        ])
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.file(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.file(name), text).expect("the folder is ours");
    }

    fn public(&self, pem: &str) -> Value {
        let path = self.file(pem).display().to_string();
        let told = run(&["jwks", &path, "--algorithm", "EdDSA"], &[]).succeeded();
        let set: Value = serde_json::from_str(&told.out).expect("it is JSON");
        set["keys"][0].clone()
    }

    fn publish(&self, pems: &[&str]) {
        let keys: Vec<Value> = pems.iter().map(|pem| self.public(pem)).collect();
        self.write(
            "jwks.json",
            &serde_json::json!({ "keys": keys }).to_string(),
        );
    }

    fn kid(&self, pem: &str) -> String {
        self.public(pem)["kid"].as_str().expect("a text").to_owned()
    }

    /// Has both nodes read the files anew, and waits until they show these keys.
    async fn reload(&self, kids: &[&str]) {
        for node in &self.nodes {
            node.signal("-HUP");
            let client = node.client(CHROME);
            eventually("the node shows its keys", async || {
                let shown = client.get("/.well-known/jwks.json").await;
                let keys = shown.body["keys"].as_array().cloned().unwrap_or_default();
                let has = |kid: &&str| keys.iter().any(|key| key["kid"] == **kid);
                keys.len() == kids.len() && kids.iter().all(has)
            })
            .await;
        }
    }
}

/// A user's device, which refreshes at one node and asks at both.
struct Device {
    at: [Client; 2],
    tokens: AsyncMutex<Client>,
    access: Mutex<Arc<str>>,
    /// Access tokens before this one, which requests under way may still carry.
    former: Mutex<Vec<Weak<str>>>,
}

impl Device {
    async fn sign_in(fleet: &Fleet, number: usize) -> Self {
        let mut client = fleet.nodes[number % 2].client(CHROME);
        let registered = client.register(&format!("user{number}@example.com")).await;
        registered.accepted(201);
        Self {
            at: [0, 1].map(|node| fleet.nodes[node].client(CHROME)),
            access: Mutex::new(client.access_token.as_deref().expect("signed in").into()),
            former: Mutex::default(),
            tokens: AsyncMutex::new(client),
        }
    }

    async fn refresh(&self, node: &Server) {
        let mut client = self.tokens.lock().await;
        client.moved_to(node);
        client.refresh().await.accepted(200);
        let renewed = client.access_token.as_deref().expect("renewed").into();
        let mut access = self.access.lock().expect("nobody panicked");
        let former = std::mem::replace(&mut *access, renewed);
        let mut before = self.former.lock().expect("nobody panicked");
        before.push(Arc::downgrade(&former));
    }

    /// Held for as long as the request that carries it is under way.
    fn access(&self) -> Arc<str> {
        self.access.lock().expect("nobody panicked").clone()
    }

    /// Whether no request carries a former token any more.
    fn has_settled(&self) -> bool {
        let former = self.former.lock().expect("nobody panicked");
        former.iter().all(|token| token.strong_count() == 0)
    }

    /// Asks one of the nodes, and says what was wrong with the answer.
    async fn ask(&self, node: usize) -> Option<String> {
        let access = self.access();
        let mut client = self.at[node].clone();
        client.access_token = Some(access.to_string());
        let answer = client.get("/api/me").await;
        (answer.status != 200).then(|| format!("{} {}", answer.status, answer.body))
    }

    fn kid(&self) -> String {
        let token = self.access();
        let header = token.split('.').next().expect("a first part");
        let header = URL_SAFE_NO_PAD.decode(header).expect("base64url");
        let header: Value = serde_json::from_slice(&header).expect("JSON");
        header["kid"].as_str().expect("a text").to_owned()
    }
}

/// Asks with the tokens of the devices in turn, at the nodes in turn.
fn load(devices: Arc<Vec<Device>>) -> Load {
    Load::start("old keys alone", move |number| {
        let devices = devices.clone();
        async move {
            let number = number as usize;
            let device = &devices[number % devices.len()];
            device.ask(number / devices.len() % 2).await
        }
    })
}

/// Refreshes every device, at the nodes in turn.
async fn refresh_all(fleet: &Fleet, devices: &[Device], round: usize) {
    for (number, device) in devices.iter().enumerate() {
        device.refresh(&fleet.nodes[(number + round) % 2]).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_is_changed_on_all_nodes_under_load_and_nobody_is_refused() {
    let fleet = Fleet::new();
    let (old, new) = (fleet.kid("old.pem"), fleet.kid("new.pem"));
    let mut devices = Vec::new();
    for number in 0..6 {
        devices.push(Device::sign_in(&fleet, number).await);
    }
    let early = devices[0].access().to_string();
    let early_refresh = devices[0].tokens.lock().await.refresh_token.clone();
    let devices = Arc::new(devices);
    let mut load = load(devices.clone());
    let some_time = async |fleet: &Fleet, round| {
        refresh_all(fleet, &devices, round).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
    };
    some_time(&fleet, 0).await;

    // Announced: every node checks by it, none signs with it.
    load.step("new keys announced");
    fleet.publish(&["old.pem", "new.pem"]);
    fleet.write("refresh-previous", NEW);
    fleet.write("seal-previous", NEW);
    fleet.reload(&[&old, &new]).await;
    some_time(&fleet, 1).await;
    assert!(devices.iter().all(|device| device.kid() == old));

    // Switched, one node after the other: what one signs anew the other knows.
    load.step("first node switched");
    fs::copy(fleet.file("new.pem"), fleet.file("key.pem")).expect("copied");
    for kind in ["refresh", "seal"] {
        fleet.write(kind, NEW);
        fleet.write(&format!("{kind}-previous"), OLD);
    }
    fleet.nodes[0].signal("-HUP");
    eventually("the first node signs with the new key", async || {
        devices[0].refresh(&fleet.nodes[0]).await;
        devices[0].kid() == new
    })
    .await;
    some_time(&fleet, 0).await;
    load.step("second node switched");
    fleet.reload(&[&old, &new]).await;
    eventually("the second node does, too", async || {
        devices[1].refresh(&fleet.nodes[1]).await;
        devices[1].kid() == new
    })
    .await;
    some_time(&fleet, 1).await;
    assert!(devices.iter().all(|device| device.kid() == new));

    // Retired, once no token needs the old ones any more: here because all were renewed.
    eventually("no request carries an old token", async || {
        devices.iter().all(Device::has_settled)
    })
    .await;
    load.step("old keys retired");
    fleet.publish(&["new.pem"]);
    fleet.write("refresh-previous", "");
    fleet.reload(&[&new]).await;
    some_time(&fleet, 0).await;
    load.finish().await.all_were_answered().print();
    for node in &fleet.nodes {
        let mut late = node.client(CHROME);
        late.access_token = Some(early.clone());
        late.get("/api/me").await.refused(401, "invalid_token");
        late.refresh_token.clone_from(&early_refresh);
        late.refresh().await.refused(401, "invalid_token");
        let client = node.client(CHROME);
        client.get("/livez").await.accepted(200);
    }
}

#[tokio::test]
async fn a_stolen_key_is_dropped_at_once_and_who_has_a_refresh_token_goes_on() {
    let fleet = Fleet::new();
    let new = fleet.kid("new.pem");
    let device = Device::sign_in(&fleet, 0).await;
    // In one step: the new one signs, and the old one is gone.
    fs::copy(fleet.file("new.pem"), fleet.file("key.pem")).expect("copied");
    fleet.publish(&["new.pem"]);
    fleet.reload(&[&new]).await;
    for client in &device.at {
        let mut client = client.clone();
        client.access_token = Some(device.access().to_string());
        client.get("/api/me").await.refused(401, "invalid_token");
    }
    device.refresh(&fleet.nodes[1]).await;
    assert_eq!(device.kid(), new);
    for client in &device.at {
        let mut client = client.clone();
        client.access_token = Some(device.access().to_string());
        client.get("/api/me").await.accepted(200);
    }
}

#[tokio::test]
async fn keys_that_cannot_be_read_change_nothing() {
    let fleet = Fleet::new();
    let (old, new) = (fleet.kid("old.pem"), fleet.kid("new.pem"));
    let device = Device::sign_in(&fleet, 0).await;
    fleet.write("key.pem", "nothing of the kind");
    for node in &fleet.nodes {
        node.signal("-HUP");
    }
    // The next reload that is sound shows that the one before was heard.
    fs::copy(fleet.file("old.pem"), fleet.file("key.pem")).expect("copied");
    fleet.publish(&["old.pem", "new.pem"]);
    fleet.reload(&[&old, &new]).await;
    for client in &device.at {
        let mut client = client.clone();
        client.access_token = Some(device.access().to_string());
        client.get("/api/me").await.accepted(200);
    }
}
