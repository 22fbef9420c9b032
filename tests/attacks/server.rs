//! An example as a process, and somebody who has signed in there.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::folder::Folder;
use crate::forge::Key;
use crate::process::Server as Process;
use crate::wire::{Answer, Wire};

/// One of the examples that mount the endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Example {
    Axum,
    Hyper,
    Warp,
}

impl Example {
    pub const ALL: [Self; 3] = [Self::Axum, Self::Hyper, Self::Warp];

    const fn name(self) -> &'static str {
        match self {
            Self::Axum => "axum",
            Self::Hyper => "hyper",
            Self::Warp => "warp",
        }
    }

    /// A resource for everybody who is somebody.
    pub const fn me(self) -> &'static str {
        match self {
            Self::Axum => "/api/me",
            Self::Hyper | Self::Warp => "/me",
        }
    }
}

pub const ADMIN_SESSIONS: &str = "/api/admin/sessions";
pub const PASSWORD: &str = "correct horse battery";

pub struct Server {
    pub example: Example,
    pub address: SocketAddr,
    folder: Folder,
    _process: Process,
}

/// What a sign-in brought.
#[derive(Clone, Debug)]
pub struct SignedIn {
    pub access: String,
    pub refresh: String,
    pub session: String,
}

impl Server {
    pub fn start(example: Example, key: &Key, store: &str) -> Self {
        Self::start_with(example, key, store, &[])
    }

    pub fn start_with(
        example: Example,
        key: &Key,
        store: &str,
        more: &[(&'static str, &str)],
    ) -> Self {
        let folder = Folder::new();
        let log = folder.path().join("log");
        let store = store.replace("FOLDER", &folder.path().display().to_string());
        let mut variables = vec![
            ("SESSION_STORE", store),
            ("ADMIN_EMAIL", "admin@example.com".to_owned()),
            ("ADMIN_PASSWORD", PASSWORD.to_owned()),
            ("DEMO_PASSWORD", PASSWORD.to_owned()),
            ("RATE_LIMIT_MAX_REQUESTS", "0".to_owned()),
            ("RUST_LOG", "tower_jwt_session=trace,info".to_owned()),
            // The machine may be busy with other tests.
            ("STORE_TIMEOUT", "20s".to_owned()),
            (
                "JWT_REFRESH_SECRET",
                "5d1f0a7be2c94b6ea13df0c8b7e6a95443".to_owned(),
            ),
        ];
        variables.extend(
            more.iter()
                .map(|(name, value)| (*name, (*value).to_owned())),
        );
        match (key.secret(), key.private_pem()) {
            (Some(secret), _) => variables.push(("JWT_SECRET", secret.to_owned())),
            (None, pem) => {
                let path = folder.path().join("key.pem");
                fs::write(&path, pem.expect("an asymmetric key")).expect("the folder is ours");
                variables.push(("JWT_PRIVATE_KEY_FILE", path.display().to_string()));
                variables.push(("JWT_ALGORITHM", key.algorithm.to_owned()));
            }
        }
        let process = Process::start_logging(example.name(), &variables, &log);
        let address = process.address.trim_start_matches("http://").parse();
        Self {
            example,
            address: address.expect("it says where it listens"),
            folder,
            _process: process,
        }
    }

    pub fn wire(&self) -> Wire {
        Wire::new(self.address)
    }

    fn log(&self) -> PathBuf {
        self.folder.path().join("log")
    }

    /// Everything that it has logged.
    pub fn logged(&self) -> String {
        String::from_utf8_lossy(&fs::read(self.log()).expect("it logs")).into_owned()
    }

    /// Tries to sign somebody in.
    pub fn attempt(&self, wire: &mut Wire, name: &str, password: &str) -> Answer {
        let (path, body) = match self.example {
            Example::Axum => {
                let email = format!("{name}@example.com");
                let body = json!({ "email": email, "password": password });
                ("/api/auth/login", body)
            }
            Example::Hyper | Example::Warp => {
                let body = json!({ "user": name, "password": password });
                ("/sign-in", body)
            }
        };
        post(wire, path, None, &body)
    }

    /// Makes somebody, and signs them in.
    pub fn sign_in(&self, wire: &mut Wire, name: &str) -> SignedIn {
        let mut answer = None;
        if self.example == Example::Axum {
            let body = json!({ "email": format!("{name}@example.com"), "password": PASSWORD });
            let made = post(wire, "/api/auth/register", None, &body);
            answer = (made.status == 201).then_some(made);
        }
        let answer = answer.unwrap_or_else(|| self.attempt(wire, name, PASSWORD));
        let told = answer.json();
        let text = |member: &str| told[member].as_str().map(str::to_owned);
        SignedIn {
            access: text("access_token").unwrap_or_else(|| panic!("no token: {answer:?}")),
            refresh: text("refresh_token").expect("a refresh token beside it"),
            session: text("session_id").expect("and a session"),
        }
    }
}

/// Asks with these lines, each with its end.
pub fn ask(method: &str, target: &str, lines: &[u8]) -> Vec<u8> {
    let mut request = format!("{method} {target} HTTP/1.1\r\nhost: 127.0.0.1\r\n").into_bytes();
    request.extend_from_slice(lines);
    // A body comes with its own end of the head.
    if !lines.windows(4).any(|four| four == b"\r\n\r\n") {
        request.extend_from_slice(b"\r\n");
    }
    request
}

pub fn bearer(token: impl AsRef<[u8]>) -> Vec<u8> {
    [b"authorization: Bearer ", token.as_ref(), b"\r\n"].concat()
}

pub fn get(wire: &mut Wire, target: &str, token: &str) -> Answer {
    wire.send(&ask("GET", target, &bearer(token)))
}

pub fn send(
    wire: &mut Wire,
    method: &str,
    target: &str,
    token: Option<&str>,
    body: &Value,
) -> Answer {
    let body = body.to_string();
    let mut lines = token.map(bearer).unwrap_or_default();
    let head = format!(
        "content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    lines.extend_from_slice(head.as_bytes());
    wire.send(&ask(method, target, &lines))
}

pub fn post(wire: &mut Wire, target: &str, token: Option<&str>, body: &Value) -> Answer {
    send(wire, "POST", target, token, body)
}
