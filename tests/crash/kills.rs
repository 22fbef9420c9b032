//! Killing, again and again, and a report of it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use tower_jwt_session::events::Event;
use tower_jwt_session::session::refresh::Advance;
use tower_jwt_session::{JwtSession, Running, UnixTime};

use crate::ledger::{Ledger, Tally};
use crate::support::admit;
use crate::work::{self, Say};
use crate::{ADDRESS, ROUND, audit};

/// Kills on the store of an address.
pub struct Kills {
    store: &'static str,
    address: String,
    runs: u32,
    /// How many sessions have to be alive and how many ended in the end, for it to say something.
    least: [u64; 2],
    tally: Tally,
    /// Refresh tokens that were newer than what the store knew: a rotation that it lost.
    behind: Arc<AtomicU64>,
    began: Instant,
}

/// A store that is a server of its own.
pub trait Server {
    /// Ends it as `kill -9` does.
    fn kill(&mut self);
    /// Starts it on what it left behind, and waits until it answers.
    fn revive(&mut self);
}

impl Kills {
    /// As many of them as `RUNS` says, or else `runs`; more on a busy machine, where little happens
    /// between two.
    pub fn new(store: &'static str, address: &str, runs: u32, least: [u64; 2]) -> Self {
        Self {
            store,
            address: address.to_owned(),
            runs: wanted(runs),
            least,
            tally: Tally::default(),
            behind: Arc::default(),
            began: Instant::now(),
        }
    }

    /// Kills the service, and leaves the store alone.
    pub async fn of_the_service(&mut self) {
        while self.goes_on() {
            let round = self.tally.kills;
            let mut child = service("a_service_that_is_about_to_be_killed", &self.address, round);
            let lifetime = Duration::from_micros(fastrand::u64(0..150_000));
            let said = tokio::task::spawn_blocking(move || said_by(&mut child, lifetime));
            self.compare(said.await.unwrap()).await;
        }
    }

    /// Kills the store, and leaves the service alone, which works in this process.
    pub async fn of_the_store(&mut self, server: &mut impl Server) {
        while self.goes_on() {
            let round = self.tally.kills;
            let ledger = Arc::new(Mutex::new(Ledger::default()));
            let heard = ledger.clone();
            let say: Say = Arc::new(move |line| heard.lock().unwrap().note(&line));
            let (auth, running) = self.node().await;
            let mut working = work::at_once(&auth, &round.to_string(), &say);
            tokio::time::sleep(Duration::from_micros(fastrand::u64(20_000..250_000))).await;
            server.kill();
            server.revive();
            working.shutdown().await;
            audit::settled(&auth).await;
            running.shutdown().await;
            let ledger = std::mem::take(&mut *ledger.lock().unwrap());
            let (alive, ended) = ledger.told();
            audit::has_all(&auth, round, &alive, &ended).await;
            self.compare(ledger).await;
        }
    }

    fn goes_on(&self) -> bool {
        let kills = self.tally.kills;
        kills < self.runs || (!self.says_something() && kills < 20 * self.runs)
    }

    /// Whether enough was acknowledged before the kills.
    fn says_something(&self) -> bool {
        let [alive, ended] = self.least;
        self.tally.alive >= alive && self.tally.ended >= ended
    }

    async fn compare(&mut self, ledger: Ledger) {
        let (auth, running) = self.node().await;
        ledger.compare(&auth, &mut self.tally).await;
        running.shutdown().await;
        self.tally.kills += 1;
        if self.tally.kills.is_multiple_of(20) {
            let Tally {
                kills,
                alive,
                ended,
                lost,
                revived,
                ..
            } = &self.tally;
            eprintln!(
                "{}: {kills} of {} kills, {alive} alive, {ended} ended, {} lost, {} revived",
                self.store,
                self.runs,
                lost.len(),
                revived.len()
            );
        }
    }

    /// Looks at everything that was ever ended once more, and leaves a report.
    pub async fn finish(mut self) -> Tally {
        let (auth, running) = self.node().await;
        for access in std::mem::take(&mut self.tally.dead) {
            if admit(&auth, &access).await.is_ok() {
                self.tally
                    .revived
                    .push("an access token, in the end".to_owned());
            }
        }
        running.shutdown().await;
        assert!(self.says_something(), "{:?}", self.tally);
        let behind = self.behind.load(Ordering::SeqCst);
        for _ in 0..behind {
            let lost = "a rotation: the store was behind the refresh token";
            self.tally.lost.push(lost.to_owned());
        }
        let name = format!("crash-{}.md", self.store);
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, self.report()).unwrap();
        eprintln!("the report is in {}", path.display());
        self.tally
    }

    fn report(&self) -> String {
        let Tally {
            kills,
            alive,
            rotated,
            ended,
            open,
            lost,
            revived,
            failures,
            ..
        } = &self.tally;
        format!(
            "# Killed at random instants: {}\n\n\
             | | |\n|---|---|\n\
             | kills | {kills} |\n\
             | minutes | {:.1} |\n\
             | acknowledged sessions alive | {alive} |\n\
             | acknowledged refreshes of these | {rotated} |\n\
             | acknowledged ends | {ended} |\n\
             | ends under way, told to nobody | {open} |\n\
             | calls that failed | {failures} |\n\
             | **lost** | {} |\n\
             | **revived** | {} |\n",
            self.store,
            self.began.elapsed().as_secs_f64() / 60.0,
            lost.len(),
            revived.len(),
        )
    }

    async fn node(&self) -> (JwtSession, Running) {
        let behind = self.behind.clone();
        let observer = move |_: UnixTime, event: &Event| {
            if let Event::Refreshed {
                how: Advance::Forwarded,
                ..
            } = event
            {
                behind.fetch_add(1, Ordering::SeqCst);
            }
        };
        let auth = work::node(&self.address)
            .observer(observer)
            .build()
            .unwrap();
        let running = auth.start().await.unwrap();
        (auth, running)
    }
}

/// How often to kill.
pub fn wanted(usual: u32) -> u32 {
    let runs = std::env::var("RUNS").ok();
    runs.and_then(|runs| runs.parse().ok()).unwrap_or(usual)
}

/// This program again, as a service.
pub fn service(name: &str, address: &str, round: u32) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(ADDRESS, address)
        .env(ROUND, round.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// What a process says until it is killed; the last line may be cut off.
///
/// Its time begins when it has started, but for one in eight that may be killed in its start.
fn said_by(child: &mut Child, lifetime: Duration) -> Ledger {
    let stdout = child.stdout.take().unwrap();
    let (started, starts) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut ledger = Ledger::default();
        let (mut stdout, mut line) = (BufReader::new(stdout), String::new());
        while stdout.read_line(&mut line).is_ok_and(|read| read > 0) {
            if line.ends_with('\n')
                && let Some((_, said)) = line.split_once("@ ")
            {
                ledger.note(said);
                // Only the first is waited for.
                let _ = started.send(());
            }
            line.clear();
        }
        ledger
    });
    if fastrand::u32(0..8) > 0 {
        // Fails when it ended before it said anything, which the tally shows.
        let _ = starts.recv_timeout(Duration::from_secs(60));
    }
    std::thread::sleep(lifetime);
    child.kill().unwrap();
    child.wait().unwrap();
    reader.join().unwrap()
}
