//! A Redis server of a test's own: on a free port, in a folder of its own, and gone with it.
#![allow(dead_code)]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use redis::FromRedisValue;
use tower_jwt_session::{RedisStore, SessionId};

pub struct Server {
    pub port: u16,
    folder: PathBuf,
    args: Vec<String>,
    child: Option<Child>,
}

/// What keeps every acknowledged write.
pub const DURABLE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

impl Server {
    pub fn new() -> Self {
        Self::with(&[])
    }

    pub fn with(args: &[&str]) -> Self {
        let folder = std::env::temp_dir().join(format!("redis-{}", SessionId::random()));
        std::fs::create_dir(&folder).expect("the folder for temporary files can be written");
        let mut server = Self {
            port: free_port(),
            folder,
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            child: None,
        };
        server.start();
        server
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn address(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub fn store(&self) -> RedisStore {
        RedisStore::new(&self.address()).expect("the address is one")
    }

    pub fn start(&mut self) {
        let child = Command::new("redis-server")
            .args(["--port", &self.port.to_string(), "--bind", "127.0.0.1"])
            .args(["--save", "", "--daemonize", "no", "--loglevel", "warning"])
            .arg("--dir")
            .arg(&self.folder)
            .args(&self.args)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("redis-server is installed; tests/run.sh does it");
        self.child = Some(child);
        for _ in 0..1_000 {
            if self.answers() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("redis-server does not start");
    }

    fn answers(&self) -> bool {
        let client = redis::Client::open(self.address()).expect("the address is one");
        let Ok(mut connection) = client.get_connection_with_timeout(Duration::from_secs(1)) else {
            return false;
        };
        match redis::cmd("PING").query::<redis::Value>(&mut connection) {
            Ok(_) => true,
            // Whoever asks for a password is there.
            Err(error) => error.code() == Some("NOAUTH"),
        }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it is ours");
            child.wait().expect("it is ours");
        }
    }

    pub fn signal(&self, signal: &str) {
        let id = self.child.as_ref().expect("it runs").id().to_string();
        let status = Command::new("kill").args([signal, &id]).status();
        assert!(status.expect("there is a kill").success());
    }

    pub fn run<T: FromRedisValue>(&self, command: &[&str]) -> T {
        let client = redis::Client::open(self.address()).expect("the address is one");
        let mut connection = client.get_connection().expect("the server is there");
        let mut cmd = redis::cmd(command[0]);
        cmd.arg(&command[1..]);
        cmd.query(&mut connection).expect("it may do that")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        // What is left behind does no harm.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("there are free ports");
    listener.local_addr().expect("it is bound").port()
}
