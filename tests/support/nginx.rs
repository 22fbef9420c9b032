//! nginx as a process of its own: in front of a server, on a free port of this machine.
#![allow(dead_code)]

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// A reverse proxy; ended, and its folder removed, when dropped.
pub struct Nginx {
    process: Child,
    folder: PathBuf,
    /// Where it listens.
    pub port: u16,
}

impl Nginx {
    /// Passes everything on to `upstream` (`127.0.0.1:3000`, or `unix:/path`), with these
    /// directives in its one location.
    pub fn in_front_of(upstream: &str, directives: &str) -> Self {
        Self::in_turn(&[upstream], directives)
    }

    /// Passes each request on to the next of them: round-robin, and nobody sticks to one.
    pub fn in_turn(upstreams: &[&str], directives: &str) -> Self {
        Self::start(upstreams, "", directives)
    }

    /// Keeps every answer that it is allowed to, whoever asks; `x-cache` says `HIT` where it did.
    pub fn with_cache(upstream: &str) -> Self {
        let directives = "proxy_cache all; proxy_cache_key $request_uri; \
                          add_header x-cache $upstream_cache_status always;";
        let path = "proxy_cache_path FOLDER/cache keys_zone=all:1m;";
        Self::start(&[upstream], path, directives)
    }

    fn start(upstreams: &[&str], of_all: &str, directives: &str) -> Self {
        let folder = folder();
        let port = free_port();
        let of_all = of_all.replace("FOLDER", &folder.display().to_string());
        let config = config(&folder, port, upstreams, &of_all, directives);
        let file = folder.join("nginx.conf");
        fs::write(&file, config).expect("the folder is ours");
        let process = Command::new("nginx")
            .arg("-p")
            .arg(&folder)
            .arg("-c")
            .arg(&file)
            .args(["-e", "stderr"])
            .stdin(Stdio::null())
            .spawn()
            .expect("nginx is installed; tests/run.sh sees to it");
        let nginx = Self {
            process,
            folder,
            port,
        };
        nginx.wait();
        nginx
    }

    /// Waits until it listens; a bound that says it came up at all.
    fn wait(&self) {
        let begun = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "nginx listens");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // A single process, see the configuration: nothing is left behind.
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn config(folder: &Path, port: u16, upstreams: &[&str], of_all: &str, directives: &str) -> String {
    let servers = upstreams.iter().map(|one| format!("server {one}; "));
    let servers: String = servers.collect();
    let folder = folder.display();
    format!(
        "daemon off; master_process off; pid {folder}/pid;\n\
         events {{}}\n\
         http {{\n\
           access_log off; client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;\n\
           fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n\
           {of_all}\n\
           upstream nodes {{ {servers}}}\n\
           server {{\n\
             listen 127.0.0.1:{port};\n\
             location / {{ proxy_pass http://nodes; {directives} }}\n\
           }}\n\
         }}\n"
    )
}

/// A new folder for one test.
pub fn folder() -> PathBuf {
    let name = format!("edge-{}-{}", std::process::id(), fastrand::u64(..));
    let folder = std::env::temp_dir().join(name);
    fs::create_dir(&folder).expect("a temporary folder can be made");
    folder
}

/// A port that no other test of this process was given.
fn free_port() -> u16 {
    static GIVEN: Mutex<Vec<u16>> = Mutex::new(Vec::new());
    let mut given = GIVEN.lock().expect("nobody panicked");
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a free port");
        let port = listener.local_addr().expect("it is bound").port();
        if !given.contains(&port) {
            given.push(port);
            return port;
        }
    }
}
