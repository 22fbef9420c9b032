//! What of the audit log is there after a kill: of the service, of the store.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Child;
use std::time::{Duration, Instant};

use tower_jwt_session::revocation::EndReason;
use tower_jwt_session::session::{AuditEntry, AuditRequest};
use tower_jwt_session::{JwtSession, SessionId};

use crate::support::{sign_in, user};
use crate::work;

/// What somebody was told is done, an entry of the log each.
type Deed = (&'static str, SessionId);

/// One user signs in and out again, one deed after the other, in a process of its own that says what is done, and
/// now and then that nothing waits to be written.
pub async fn until_killed(address: &str, round: &str) {
    let auth = work::node(address).build().unwrap();
    let _running = auth.start().await.unwrap();
    work::say("started".to_owned());
    let user = user(&name(round));
    loop {
        let id = sign_in(&auth, &user).await.unwrap().session_id;
        work::say(format!("signed_in {id}"));
        let ended = auth.sessions().end(id, EndReason::AdminRevoked);
        ended.await.unwrap();
        work::say(format!("ended {id}"));
        if fastrand::u32(0..20) == 0 {
            while auth.status().audit_waiting > 0 {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            work::say("written".to_owned());
        }
    }
}

fn name(round: impl std::fmt::Display) -> String {
    format!("audited-{round}")
}

/// What a service said until it was killed.
#[derive(Default)]
struct Said {
    deeds: Vec<(Instant, Deed)>,
    /// How many of them were known to be written.
    written: usize,
}

impl Said {
    fn note(&mut self, line: &str) {
        match line.split_once(' ') {
            None if line == "written" => self.written = self.deeds.len(),
            None => assert_eq!(line, "started"),
            Some((what, id)) => {
                let what = if what == "ended" {
                    "ended"
                } else {
                    "signed_in"
                };
                let id = id.parse().expect("a session has an id");
                self.deeds.push((Instant::now(), (what, id)));
            }
        }
    }
}

/// What came of all kills.
#[derive(Debug, Default)]
pub struct Window {
    pub kills: u32,
    deeds: usize,
    written: usize,
    lost: usize,
    most_at_once: usize,
    longest: Duration,
}

impl Window {
    /// Kills a service after a while, starts another on what it left, and compares.
    pub async fn kill(&mut self, address: &str, round: u32, mut child: Child) {
        let lifetime = Duration::from_millis(fastrand::u64(0..1_000));
        let said = tokio::task::spawn_blocking(move || said_by(&mut child, lifetime));
        let (said, killed) = said.await.unwrap();
        let auth = work::node(address).build().unwrap();
        let running = auth.start().await.unwrap();
        let written = deeds(&log_of(&auth, &name(round)).await);
        compare(&said, &written);
        let lost = said.deeds.get(written.len()..).unwrap_or_default();
        self.records_know(&auth, round, lost).await;
        running.shutdown().await;
        self.kills += 1;
        self.deeds += said.deeds.len();
        self.written += said.written;
        self.lost += lost.len();
        self.most_at_once = self.most_at_once.max(lost.len());
        let first = lost.first().map(|(at, _)| killed - *at);
        self.longest = self.longest.max(first.unwrap_or_default());
    }

    /// That a session ended, when, why and by whom is never lost.
    async fn records_know(&self, auth: &JwtSession, round: u32, lost: &[(Instant, Deed)]) {
        let ended = auth.sessions().list_ended(&user(&name(round))).await;
        let ended: HashMap<_, _> = ended
            .unwrap()
            .into_iter()
            .map(|info| (info.id, info))
            .collect();
        for (_, (_, id)) in lost.iter().filter(|(_, (what, _))| *what == "ended") {
            let record = &ended[id];
            assert_eq!(record.ended_reason, Some("admin_revoked"), "{id}");
            assert!(record.ended_at.is_some(), "{id}");
        }
    }

    /// Whether enough was done, and written, for the comparison to mean something.
    pub fn says_something(&self) -> bool {
        self.deeds > 50 && self.written > 10
    }

    pub fn report(&self) {
        let told = format!(
            "# The audit log of a service that is killed\n\n\
             | | |\n|---|---|\n\
             | kills | {} |\n\
             | deeds that were acknowledged | {} |\n\
             | of them known to be written | {} |\n\
             | **of these lost** | 0 |\n\
             | lost of all, at the end of each | {} |\n\
             | most by one kill | {} |\n\
             | the oldest of them before the kill | {} ms |\n",
            self.kills,
            self.deeds,
            self.written,
            self.lost,
            self.most_at_once,
            self.longest.as_millis(),
        );
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("crash-audit.md");
        std::fs::write(&path, told).unwrap();
        eprintln!("the report is in {}", path.display());
    }
}

/// The log holds what was said in its order, each once, and none is missing before another.
fn compare(said: &Said, written: &[Deed]) {
    assert!(
        written.len() >= said.written,
        "{} entries of {} that were known to be written",
        written.len(),
        said.written
    );
    // One more may be done than there was time to say.
    assert!(written.len() <= said.deeds.len() + 1);
    for (entry, (_, deed)) in written.iter().zip(&said.deeds) {
        assert_eq!(entry, deed);
    }
}

/// Each line of a process until it is killed, and when that was; the last line may be cut off.
fn said_by(child: &mut Child, lifetime: Duration) -> (Said, Instant) {
    let stdout = child.stdout.take().unwrap();
    let (started, starts) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut said = Said::default();
        let (mut stdout, mut line) = (BufReader::new(stdout), String::new());
        while stdout.read_line(&mut line).is_ok_and(|read| read > 0) {
            if line.ends_with('\n')
                && let Some((_, told)) = line.trim_end().split_once("@ ")
            {
                said.note(told);
                // Only the first is waited for.
                let _ = started.send(());
            }
            line.clear();
        }
        said
    });
    starts
        .recv_timeout(Duration::from_secs(60))
        .expect("it starts");
    std::thread::sleep(lifetime);
    let killed = Instant::now();
    child.kill().unwrap();
    child.wait().unwrap();
    (reader.join().unwrap(), killed)
}

/// All entries about a user, the first that was written first.
async fn log_of(auth: &JwtSession, name: &str) -> Vec<AuditEntry> {
    let mut request = AuditRequest::new(1_000).about_user(user(name));
    let mut entries = Vec::new();
    loop {
        let page = auth.sessions().audit(request.clone()).await.unwrap();
        entries.extend(page.entries);
        request.before = page.next;
        if page.next.is_none() {
            entries.reverse();
            return entries;
        }
    }
}

fn deeds(entries: &[AuditEntry]) -> Vec<Deed> {
    let deed = |entry: &AuditEntry| {
        let what = match &*entry.event {
            "signed_in" => "signed_in",
            "ended" => "ended",
            _ => return None,
        };
        Some((what, entry.session?))
    };
    entries.iter().filter_map(deed).collect()
}

/// Waits until a service that outlived its store has written down what waited.
pub async fn settled(auth: &JwtSession) {
    let begun = Instant::now();
    while auth.status().audit_waiting > 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "they still wait");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(auth.status().audit_lost, 0);
}

/// Whether everything that a service told of stands in the log once, though its store was killed.
pub async fn has_all(auth: &JwtSession, round: u32, alive: &[SessionId], ended: &[SessionId]) {
    let mut log = Vec::new();
    for number in 0..work::USERS {
        log.extend(deeds(&log_of(auth, &work::name(round, number)).await));
    }
    let once: HashSet<_> = log.iter().copied().collect();
    assert_eq!(once.len(), log.len(), "an entry stands there twice");
    let made = alive.iter().chain(ended).map(|id| ("signed_in", *id));
    for deed in made.chain(ended.iter().map(|id| ("ended", *id))) {
        assert!(once.contains(&deed), "{deed:?} is not in the log");
    }
}
