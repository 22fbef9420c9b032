//! Every key is changed on two nodes under load, and nobody notices.

mod load;

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

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
    access: Mutex<String>,
}

impl Device {
    async fn sign_in(fleet: &Fleet, number: usize) -> Self {
        let mut client = fleet.nodes[number % 2].client(CHROME);
        let registered = client.register(&format!("user{number}@example.com")).await;
        registered.accepted(201);
        Self {
            at: [0, 1].map(|node| fleet.nodes[node].client(CHROME)),
            access: Mutex::new(client.access_token.clone().expect("it is signed in")),
            tokens: AsyncMutex::new(client),
        }
    }

    async fn refresh(&self, node: &Server) {
        let mut client = self.tokens.lock().await;
        client.moved_to(node);
        client.refresh().await.accepted(200);
        let access = client.access_token.clone().expect("it was renewed");
        *self.access.lock().expect("nobody panicked") = access;
    }

    fn access(&self) -> String {
        self.access.lock().expect("nobody panicked").clone()
    }

    /// Asks one of the nodes, and says what was wrong with the answer.
    async fn ask(&self, node: usize) -> Option<String> {
        let mut client = self.at[node].clone();
        client.access_token = Some(self.access());
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

/// The change, step by step.
struct Change<'a> {
    fleet: &'a Fleet,
    devices: &'a [Device],
    old: String,
    new: String,
}

impl Change<'_> {
    /// Refreshes every device, at the nodes in turn.
    async fn refresh_all(&self, round: usize) {
        for (number, device) in self.devices.iter().enumerate() {
            device
                .refresh(&self.fleet.nodes[(number + round) % 2])
                .await;
        }
    }

    async fn until_it_signs_anew(&self, node: usize) {
        let device = &self.devices[node];
        eventually("the node signs with the new key", async || {
            device.refresh(&self.fleet.nodes[node]).await;
            device.kid() == self.new
        })
        .await;
    }

    /// Every node checks by the new key, none signs with it.
    async fn announce(&self) {
        self.fleet.publish(&["old.pem", "new.pem"]);
        self.fleet.write("refresh-previous", NEW);
        self.fleet.write("seal-previous", NEW);
        self.fleet.reload(&[&self.old, &self.new]).await;
        self.refresh_all(1).await;
        assert!(self.devices.iter().all(|device| device.kid() == self.old));
    }

    /// One node after the other: what one signs anew the other knows.
    async fn switch_the_first(&self) {
        let (key, new) = (self.fleet.file("key.pem"), self.fleet.file("new.pem"));
        fs::copy(new, key).expect("copied");
        for kind in ["refresh", "seal"] {
            self.fleet.write(kind, NEW);
            self.fleet.write(&format!("{kind}-previous"), OLD);
        }
        self.fleet.nodes[0].signal("-HUP");
        self.until_it_signs_anew(0).await;
        self.refresh_all(0).await;
    }

    async fn switch_the_second(&self) {
        self.fleet.reload(&[&self.old, &self.new]).await;
        self.until_it_signs_anew(1).await;
        self.refresh_all(1).await;
        assert!(self.devices.iter().all(|device| device.kid() == self.new));
    }

    /// Once no token needs the old keys any more: here because all were renewed, and all that were asked with are answered.
    async fn retire(&self) {
        self.fleet.publish(&["new.pem"]);
        self.fleet.write("refresh-previous", "");
        self.fleet.reload(&[&self.new]).await;
        self.refresh_all(0).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_key_is_changed_on_all_nodes_under_load_and_nobody_is_refused() {
    let fleet = Fleet::new();
    let mut devices = Vec::new();
    for number in 0..6 {
        devices.push(Device::sign_in(&fleet, number).await);
    }
    let early = devices[0].access();
    let early_refresh = devices[0].tokens.lock().await.refresh_token.clone();
    let devices = Arc::new(devices);
    let change = Change {
        old: fleet.kid("old.pem"),
        new: fleet.kid("new.pem"),
        fleet: &fleet,
        devices: &devices,
    };
    // With the tokens of the devices in turn, at the nodes in turn.
    let asked = devices.clone();
    let mut load = Load::new(move |number| {
        let devices = asked.clone();
        async move {
            let device = &devices[number % devices.len()];
            device.ask(number / devices.len() % 2).await
        }
    });
    load.beside("old keys alone", change.refresh_all(0)).await;
    load.beside("new keys announced", change.announce()).await;
    load.beside("first node switched", change.switch_the_first())
        .await;
    load.beside("second node switched", change.switch_the_second())
        .await;
    load.beside("old keys retired", change.retire()).await;
    load.all_were_answered().print();

    for device in devices.iter() {
        assert_eq!([device.ask(0).await, device.ask(1).await], [None, None]);
    }
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
        client.access_token = Some(device.access());
        client.get("/api/me").await.refused(401, "invalid_token");
    }
    device.refresh(&fleet.nodes[1]).await;
    assert_eq!(device.kid(), new);
    for client in &device.at {
        let mut client = client.clone();
        client.access_token = Some(device.access());
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
        client.access_token = Some(device.access());
        client.get("/api/me").await.accepted(200);
    }
}
