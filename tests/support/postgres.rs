//! PostgreSQL servers of a test's own, in folders that go with them.
#![allow(dead_code)]

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::chown;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sqlx::{AssertSqlSafe, ConnectOptions, raw_sql};

/// Whoever the servers run as, where the tests run as root, which PostgreSQL refuses.
const NOBODY: u32 = 65_534;
pub const PASSWORD: &str = "correct-horse";

/// A server of its own.
pub struct Cluster {
    folder: PathBuf,
    port: u16,
    owner: Option<u32>,
}

impl Cluster {
    /// A server that does not wait for the disk: what it has to survive is not a crash.
    pub fn start() -> Self {
        Self::start_with("fsync = off\n")
    }

    /// A server with further lines in its configuration.
    pub fn start_with(lines: &str) -> Self {
        let cluster = Self::empty();
        let secret = cluster.folder.join("password");
        fs::write(&secret, PASSWORD).expect("it can be written");
        cluster.give(&secret);
        let data = cluster.data();
        cluster.must(cluster.run("initdb").args([
            "--pgdata",
            &data,
            "--username=postgres",
            "--auth=md5",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "--pwfile",
            &secret.to_string_lossy(),
        ]));
        cluster.configure(&format!(
            "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nmax_connections = 300\n\
             shared_buffers = 16MB\nwal_level = replica\nmax_wal_senders = 4\n{lines}"
        ));
        cluster.resume();
        cluster
    }

    /// A standby of another server, which follows it asynchronously.
    pub fn standby_of(primary: &Self) -> Self {
        let cluster = Self::empty();
        let (data, port) = (cluster.data(), primary.port.to_string());
        cluster.must(cluster.run("pg_basebackup").args([
            "--pgdata",
            &data,
            "--host=127.0.0.1",
            "--port",
            &port,
            "--username=postgres",
            "--no-password",
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--no-sync",
        ]));
        cluster.resume();
        cluster
    }

    fn empty() -> Self {
        let name = tower_jwt_session::SessionId::random();
        let folder = std::env::temp_dir().join(format!("tower-jwt-session-pg-{name}"));
        fs::create_dir(&folder).expect("the folder for temporary files can be written");
        let is_root = fs::metadata("/proc/self").is_ok_and(|process| {
            use std::os::unix::fs::MetadataExt;
            process.uid() == 0
        });
        let cluster = Self {
            folder,
            port: free_port(),
            owner: is_root.then_some(NOBODY),
        };
        cluster.give(&cluster.folder);
        cluster
    }

    fn give(&self, path: &Path) {
        if let Some(owner) = self.owner {
            chown(path, Some(owner), Some(owner)).expect("root may give files away");
        }
    }

    fn data(&self) -> String {
        self.folder.join("data").to_string_lossy().into_owned()
    }

    /// Adds lines to the configuration, for the next start or [`reload`](Self::reload).
    pub fn configure(&self, lines: &str) {
        append(&self.folder.join("data/postgresql.conf"), lines);
    }

    pub fn reload(&self) {
        self.must(self.ctl(&["reload"]));
    }

    /// Starts it where it was stopped.
    pub fn resume(&self) {
        let options = format!("-p {}", self.port);
        let log = self.folder.join("log").to_string_lossy().into_owned();
        self.must(self.ctl(&["start", "-w", "-t", "60", "-o", &options, "-l", &log]));
    }

    /// Stops it without a word to anybody.
    pub fn stop(&self) {
        self.must(self.ctl(&["stop", "-w", "-m", "immediate"]));
    }

    /// Makes a primary of a standby.
    pub fn promote(&self) {
        self.must(self.ctl(&["promote", "-w"]));
    }

    /// Has a standby hear nothing more of its primary.
    pub async fn cut_off(&self) {
        let alter = "ALTER SYSTEM SET primary_conninfo = ''";
        self.execute("postgres", alter).await;
        self.reload();
        eventually("it hears nothing more", async || {
            let heard = "SELECT count(*) AS count FROM pg_stat_wal_receiver";
            let rows = self.execute("postgres", heard).await;
            sqlx::Row::get::<i64, _>(&rows[0], "count") == 0
        })
        .await;
    }

    /// Takes the address of another server, which has stopped.
    pub fn move_to(&mut self, other: &Self) {
        self.must(self.ctl(&["stop", "-w", "-m", "fast"]));
        self.port = other.port;
        self.resume();
    }

    /// Sends a signal to the server and all its processes.
    pub fn signal(&self, signal: &str) {
        // First to the one that starts the others, lest one comes that nobody knew of.
        send(signal, &[self.postmaster()]);
        send(signal, &self.children());
    }

    fn children(&self) -> Vec<String> {
        let postmaster = self.postmaster();
        let children = Command::new("pgrep").args(["-P", &postmaster]).output();
        let children = children.expect("pgrep runs").stdout;
        let children = String::from_utf8(children).expect("numbers");
        children.lines().map(str::to_owned).collect()
    }

    /// Ends the server and all its processes as `kill -9` does.
    pub fn kill_all(&self) {
        let postmaster = self.postmaster();
        // It must not start another process behind our back.
        send("-STOP", std::slice::from_ref(&postmaster));
        let mut all = self.children();
        all.push(postmaster);
        send("-KILL", &all);
        while all.iter().any(|process| is_alive(process)) {
            std::thread::sleep(Duration::from_millis(2));
        }
        // Who is killed leaves its mark, and its number may be another's by the next start.
        let _ = fs::remove_file(self.folder.join("data/postmaster.pid"));
    }

    fn postmaster(&self) -> String {
        let file = fs::read_to_string(self.folder.join("data/postmaster.pid"));
        let file = file.expect("it runs");
        file.lines().next().expect("it names itself").to_owned()
    }

    fn ctl(&self, arguments: &[&str]) -> Command {
        let mut command = self.run("pg_ctl");
        command
            .args(["--pgdata", &self.data(), "-s"])
            .args(arguments);
        command
    }

    fn run(&self, program: &str) -> Command {
        let program = binaries().join(program);
        let mut command = match self.owner {
            None => Command::new(program),
            Some(owner) => {
                let mut command = Command::new("setpriv");
                command
                    .arg(format!("--reuid={owner}"))
                    .arg(format!("--regid={owner}"))
                    .args(["--clear-groups", "--"])
                    .arg(program);
                command
            }
        };
        command.current_dir(&self.folder).env("LC_ALL", "C");
        command.env("PGPASSWORD", PASSWORD);
        command
    }

    fn must(&self, command: impl std::borrow::BorrowMut<Command>) {
        let mut command = command;
        // A server that a pipe leads to would keep it open for ever.
        let out = fs::File::create(self.folder.join("out")).expect("it can be written");
        let err = out.try_clone().expect("one more handle");
        let status = command.borrow_mut().stdout(out).stderr(err).status();
        let told = fs::read_to_string(self.folder.join("out")).unwrap_or_default();
        let log = fs::read_to_string(self.folder.join("log")).unwrap_or_default();
        assert!(status.is_ok_and(|status| status.success()), "{told}\n{log}");
    }

    pub fn url(&self, user: &str, password: &str, database: &str) -> String {
        let port = self.port;
        format!("postgres://{user}:{password}@127.0.0.1:{port}/{database}")
    }

    /// The address of a database as its superuser.
    pub fn admin(&self, database: &str) -> String {
        self.url("postgres", PASSWORD, database)
    }

    /// A new, empty database.
    pub async fn database(&self) -> String {
        let name = some_name();
        self.execute(
            "postgres",
            &format!("CREATE DATABASE {name} TEMPLATE template0"),
        )
        .await;
        name
    }

    pub async fn connection(&self, database: &str) -> PgConnection {
        let options: PgConnectOptions = self.admin(database).parse().expect("a good address");
        let connected = options.disable_statement_logging().connect().await;
        connected.expect("the server answers")
    }

    /// Runs statements as the superuser.
    pub async fn execute(&self, database: &str, sql: &str) -> Vec<PgRow> {
        let mut connection = self.connection(database).await;
        let rows = raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(&mut connection);
        rows.await.expect("the server does it")
    }

    /// Cuts every connection but the one that does it.
    pub async fn cut_all(&self) {
        self.execute(
            "postgres",
            "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity \
             WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'",
        )
        .await;
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // A stopped process would not end, and one that has ended needs no end.
        if self.folder.join("data/postmaster.pid").exists() {
            self.signal("-CONT");
            let _: Result<Output, _> = self.ctl(&["stop", "-m", "immediate"]).output();
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The server that the tests of one binary share. It ends with the binary, however that ends.
pub fn shared() -> &'static Cluster {
    static SHARED: OnceLock<Cluster> = OnceLock::new();
    SHARED.get_or_init(|| {
        let cluster = Cluster::start();
        let (pid, data) = (std::process::id(), cluster.data());
        // Statics are not dropped: this one looks after what would be left behind.
        let watch = format!(
            "while kill -0 {pid} 2>/dev/null; do sleep 1; done; \
             kill -QUIT $(head -n 1 {data}/postmaster.pid); sleep 1; rm -rf {}",
            cluster.folder.display()
        );
        let null = std::process::Stdio::null;
        let watching = Command::new("sh")
            .args(["-c", &format!("setsid sh -c '{watch}' &")])
            .stdin(null())
            .stdout(null())
            .stderr(null())
            .status();
        assert!(
            watching.is_ok_and(|status| status.success()),
            "a shell runs"
        );
        cluster
    })
}

/// A name that no other test has.
pub fn some_name() -> String {
    let id = tower_jwt_session::SessionId::random().to_string();
    format!("test_{}", id.replace('-', ""))
}

fn send(signal: &str, processes: &[String]) {
    let done = Command::new("kill").arg(signal).args(processes).output();
    assert!(done.is_ok(), "kill runs");
}

/// Whether a process runs; one that nobody has buried does not.
fn is_alive(process: &str) -> bool {
    let state = fs::read_to_string(format!("/proc/{process}/stat"));
    state.is_ok_and(|state| {
        let after_name = state.rsplit(')').next().unwrap_or_default();
        !matches!(after_name.trim_start().chars().next(), Some('Z' | 'X'))
    })
}

/// Where the server's programs are.
fn binaries() -> PathBuf {
    let mut versions: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|version| Some(version.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    versions.sort();
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = || std::env::split_paths(&path).find(|folder| folder.join("initdb").exists());
    let found = versions.pop().or_else(on_path);
    found.expect("PostgreSQL is installed (tests/run.sh does that)")
}

fn free_port() -> u16 {
    static GIVEN: Mutex<Vec<u16>> = Mutex::new(Vec::new());
    let mut given = GIVEN.lock().expect("nobody panicked");
    loop {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let port = listener.local_addr().expect("it is bound").port();
        if !given.contains(&port) {
            given.push(port);
            return port;
        }
    }
}

fn append(path: &Path, text: &str) {
    let before = fs::read_to_string(path).unwrap_or_default();
    fs::write(path, before + "\n" + text).expect("it can be written");
}

/// Asks again and again until it is so; a bound that only says "it came at all".
pub async fn eventually(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..6_000 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("two minutes later still not: {what}");
}
