//! A Redis server of a test's own: on a free port, in a folder of its own, and gone with it.
#![allow(dead_code)]

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

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
        let server = (0..5).find_map(|_| Self::try_with(args));
        server.expect("redis-server starts on one of five ports")
    }

    /// `None` where it ends by itself: somebody may have taken a port between its choice and its use.
    pub fn try_with(args: &[&str]) -> Option<Self> {
        let folder = std::env::temp_dir().join(format!("redis-{}", SessionId::random()));
        std::fs::create_dir(&folder).expect("the folder for temporary files can be written");
        let mut server = Self {
            port: free_port(),
            folder,
            args: args.iter().map(|arg| (*arg).to_owned()).collect(),
            child: None,
        };
        server.try_start().then_some(server)
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

    /// Starts it once more, where its clients look for it.
    pub fn start(&mut self) {
        let began = Instant::now();
        while !self.try_start() {
            assert!(began.elapsed() < PATIENCE, "redis-server does not start");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Whether it runs, or has ended by itself.
    fn try_start(&mut self) -> bool {
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
        let child = self.child.insert(child);
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            if child.try_wait().expect("it is ours").is_some() {
                return false;
            }
            if answers(self.port) {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("redis-server says nothing");
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

/// More than a start takes: only whether it comes at all is the matter.
const PATIENCE: Duration = Duration::from_secs(60);

fn answers(port: u16) -> bool {
    let address = format!("redis://127.0.0.1:{port}");
    let client = redis::Client::open(address).expect("the address is one");
    let Ok(mut connection) = client.get_connection_with_timeout(Duration::from_secs(1)) else {
        return false;
    };
    match redis::cmd("PING").query::<redis::Value>(&mut connection) {
        Ok(_) => true,
        // Whoever asks for a password is there.
        Err(error) => error.code() == Some("NOAUTH"),
    }
}

/// A port that no other test of this process was given.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<Vec<u16>> = Mutex::new(Vec::new());
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there are free ports");
        let port = listener.local_addr().expect("it is bound").port();
        if !given.contains(&port) {
            given.push(port);
            return port;
        }
    }
}
