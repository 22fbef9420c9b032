//! What the SQLite store acknowledged survives the process, however it ends; and two processes
//! on one file behave as one.

mod folder;
mod support;

use std::collections::{HashMap, HashSet};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use folder::Folder;
use futures_util::future::join_all;
use support::{SECRET, admit, sign_in, user};
use tower_jwt_session::revocation::{EndReason, RevocationSettings};
use tower_jwt_session::{JwtSession, SessionId, SessionLimit, SqliteStore};

const ROUNDS: u32 = 50;
const FILE: &str = "SQLITE_CRASH_FILE";
const ROLE: &str = "SQLITE_CRASH_ROLE";

fn auth_on(file: &Path, limit: SessionLimit) -> JwtSession {
    let settings = RevocationSettings::default().with_store_timeout(Duration::from_secs(20));
    JwtSession::builder()
        .hmac_secret(SECRET)
        .revocation(settings)
        .limit(limit)
        .store(SqliteStore::new(file))
        .build()
        .unwrap()
}

/// This test again, as another process that plays a part.
fn another_process(role: &str, file: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_part_in_another_process", "--nocapture"])
        .env(FILE, file)
        .env(ROLE, role)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Does nothing unless another test started it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_in_another_process() {
    let (Ok(file), Ok(role)) = (std::env::var(FILE), std::env::var(ROLE)) else {
        return;
    };
    match role.as_str() {
        "sign in" => sign_in_at_once(Path::new(&file)).await,
        round => work_until_killed(Path::new(&file), round).await,
    }
}

/// Says what was acknowledged, and, before it is tried, what is about to be ended.
fn say(what: &str) {
    let mut out = std::io::stdout().lock();
    out.write_all(format!("@ {what}\n").as_bytes()).unwrap();
    out.flush().unwrap();
}

async fn work_until_killed(file: &Path, round: &str) {
    let auth = auth_on(file, SessionLimit::UNLIMITED);
    let _running = auth.start().await.unwrap();
    let tasks = (0..8).map(|number| {
        let (auth, name) = (auth.clone(), format!("user-{round}-{number}"));
        tokio::spawn(async move { work(&auth, &name).await })
    });
    join_all(tasks).await;
}

async fn work(auth: &JwtSession, name: &str) {
    let sessions = auth.sessions();
    let mut held: Vec<(SessionId, String)> = Vec::new();
    loop {
        match fastrand::u32(0..100) {
            0..40 => {
                let tokens = sign_in(auth, &user(name)).await.unwrap();
                let refresh = tokens.refresh_token.unwrap();
                let id = tokens.session_id;
                say(&format!("alive {id} {refresh} {}", tokens.access_token));
                held.push((id, refresh));
            }
            40..75 if !held.is_empty() => {
                let of = fastrand::usize(..held.len());
                let (id, refresh) = &mut held[of];
                let tokens = sessions.refresh(refresh).await.unwrap();
                *refresh = tokens.refresh_token.unwrap();
                say(&format!("alive {id} {refresh} {}", tokens.access_token));
            }
            75..97 if !held.is_empty() => {
                let (id, _) = held.swap_remove(fastrand::usize(..held.len()));
                say(&format!("ending {id}"));
                sessions.end(id, EndReason::AdminRevoked).await.unwrap();
                say(&format!("ended {id}"));
            }
            97.. => {
                for (id, _) in &held {
                    say(&format!("ending {id}"));
                }
                sessions.end_all(&user(name)).await.unwrap();
                for (id, _) in held.drain(..) {
                    say(&format!("ended {id}"));
                }
            }
            _ => {}
        }
    }
}

/// What another process said of one session.
#[derive(Default)]
struct Said {
    refresh: String,
    access: Vec<String>,
    ending: bool,
    ended: bool,
}

/// What a process said until it was killed; the last line may have been cut off.
fn said_by(child: &mut Child, lifetime: Duration) -> HashMap<SessionId, Said> {
    let stdout = child.stdout.take().unwrap();
    let reader = std::thread::spawn(move || {
        let mut lines = Vec::new();
        let mut stdout = BufReader::new(stdout);
        let mut line = String::new();
        while stdout.read_line(&mut line).is_ok_and(|read| read > 0) {
            if line.ends_with('\n') {
                lines.push(std::mem::take(&mut line));
            }
        }
        lines
    });
    std::thread::sleep(lifetime);
    child.kill().unwrap();
    child.wait().unwrap();
    let mut said: HashMap<SessionId, Said> = HashMap::new();
    for line in reader.join().unwrap() {
        let words: Vec<&str> = line
            .split_whitespace()
            .skip_while(|word| *word != "@")
            .collect();
        let [_, what, id, rest @ ..] = words.as_slice() else {
            continue;
        };
        let session = said.entry(id.parse().unwrap()).or_default();
        match (*what, rest) {
            ("alive", [refresh, access]) => {
                session.refresh = (*refresh).to_owned();
                session.access.push((*access).to_owned());
            }
            ("ending", _) => session.ending = true,
            ("ended", _) => session.ended = true,
            _ => panic!("{line}"),
        }
    }
    said
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_acknowledged_is_lost_and_nothing_revoked_revives_when_the_process_is_killed() {
    let folder = Folder::new();
    let file = folder.file("sessions.db");
    let mut dead: Vec<String> = Vec::new();
    let (mut alive, mut ended) = (0, 0);
    for round in 0..ROUNDS {
        let mut child = another_process(&round.to_string(), &file);
        let lifetime = Duration::from_millis(fastrand::u64(20..250));
        let said = tokio::task::spawn_blocking(move || said_by(&mut child, lifetime));
        let said = said.await.unwrap();

        let auth = auth_on(&file, SessionLimit::UNLIMITED);
        let running = auth.start().await.unwrap();
        for (id, session) in said {
            if session.ended {
                ended += 1;
                for access in &session.access {
                    admit(&auth, access).await.expect_err("it was revoked");
                }
                let refreshed = auth.sessions().refresh(&session.refresh).await;
                refreshed.expect_err("its session was ended");
                dead.extend(session.access);
            } else if !session.ending {
                alive += 1;
                let access = session.access.last().unwrap();
                admit(&auth, access).await.expect("it was acknowledged");
                let refreshed = auth.sessions().refresh(&session.refresh).await;
                let refreshed = refreshed.expect("it was acknowledged");
                assert_eq!(refreshed.session_id, id);
            }
        }
        running.shutdown().await;
    }
    assert!(alive > 100 && ended > 50, "{alive} alive, {ended} ended");
    let auth = auth_on(&file, SessionLimit::UNLIMITED);
    let _running = auth.start().await.unwrap();
    for access in &dead {
        admit(&auth, access).await.expect_err("it was revoked");
    }
}

const SIGN_INS: usize = 40;

async fn sign_in_at_once(file: &Path) {
    let auth = auth_on(file, SessionLimit::evicting(10));
    let _running = auth.start().await.unwrap();
    say("ready");
    std::io::stdin().read_line(&mut String::new()).unwrap();
    let tasks = (0..SIGN_INS).map(|_| {
        let auth = auth.clone();
        tokio::spawn(async move { sign_in(&auth, &user("ada")).await.unwrap() })
    });
    for tokens in join_all(tasks).await {
        let tokens = tokens.unwrap();
        say(&format!("{} {}", tokens.session_id, tokens.access_token));
    }
    say("done");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_on_one_file_leave_exactly_the_limit_alive() {
    let folder = Folder::new();
    let file = folder.file("sessions.db");
    let mut children = [0, 1].map(|_| another_process("sign in", &file));
    let mut outs: Vec<_> = children
        .iter_mut()
        .map(|child| BufReader::new(child.stdout.take().unwrap()).lines())
        .collect();
    let mut next = |of: usize| loop {
        let line = outs[of].next().unwrap().unwrap();
        if let Some((_, what)) = line.split_once("@ ") {
            break what.to_owned();
        }
    };
    for of in [0, 1] {
        assert_eq!(next(of), "ready");
    }
    for child in &mut children {
        child.stdin.take().unwrap().write_all(b"go\n").unwrap();
    }
    let mut tokens = Vec::new();
    for of in [0, 1] {
        loop {
            let line = next(of);
            let Some((id, token)) = line.split_once(' ') else {
                break;
            };
            tokens.push((id.parse::<SessionId>().unwrap(), token.to_owned()));
        }
    }
    for child in &mut children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(tokens.len(), 2 * SIGN_INS);

    let auth = auth_on(&file, SessionLimit::evicting(10));
    let _running = auth.start().await.unwrap();
    let listed = auth.sessions().list(&user("ada")).await.unwrap();
    let alive: HashSet<_> = listed.iter().map(|session| session.id).collect();
    assert_eq!(alive.len(), 10);
    for (id, token) in tokens {
        assert_eq!(admit(&auth, &token).await.is_ok(), alive.contains(&id));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_revokes_another_node_on_the_file_refuses() {
    let folder = Folder::new();
    let file = folder.file("sessions.db");
    let nodes = [0, 1].map(|_| auth_on(&file, SessionLimit::UNLIMITED));
    let _running = [
        nodes[0].start().await.unwrap(),
        nodes[1].start().await.unwrap(),
    ];
    for _ in 0..10 {
        let tokens = sign_in(&nodes[0], &user("ada")).await.unwrap();
        admit(&nodes[1], &tokens.access_token).await.unwrap();
        let sessions = nodes[0].sessions();
        let ended = sessions.end(tokens.session_id, EndReason::AdminRevoked);
        ended.await.unwrap().everywhere().await.unwrap();
        admit(&nodes[1], &tokens.access_token)
            .await
            .expect_err("it was revoked");
    }
}
