//! Attacks over HTTP on the examples as they run, each a line of a table with its reference and the verdict.
//!
//! What is expected stands beside each attack; the tables in `tests/attacks/tables` say in what words it was refused, and are
//! compared. `UPDATE_ATTACKS=1` writes them anew.

#[path = "../support/built.rs"]
mod built;
mod caches;
mod case;
mod families;
#[path = "../folder/mod.rs"]
mod folder;
mod forge;
mod logs;
#[path = "../support/nginx.rs"]
mod nginx;
mod pairs;
#[path = "../support/postgres.rs"]
mod postgres;
mod process;
#[path = "../redis_server/mod.rs"]
mod redis_server;
mod refreshing;
mod rights;
mod server;
mod smuggling;
mod table;
mod theft;
mod wire;

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::case::{Case, Expected, Sent};
use crate::forge::{Forge, Key};
use crate::server::{ADMIN_SESSIONS, Example, Server, SignedIn, ask, bearer, get};
use crate::table::Line;
use crate::wire::{Answer, Wire};

/// Something that would hear of a key that is fetched.
struct Trap {
    address: String,
    visits: Arc<AtomicU32>,
}

impl Trap {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("it is bound").to_string();
        let visits = Arc::new(AtomicU32::new(0));
        let counted = visits.clone();
        std::thread::spawn(move || {
            for _visit in listener.incoming() {
                counted.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { address, visits }
    }

    fn assert_unvisited(&self) {
        assert_eq!(self.visits.load(Ordering::SeqCst), 0, "a key was fetched");
    }
}

struct Attack {
    server: Server,
    wire: Wire,
    forge: Forge,
    good: SignedIn,
    user: String,
    wrong: Vec<String>,
    lines: BTreeSet<Line>,
}

impl Attack {
    fn new(example: Example, algorithm: &'static str, trap: &Trap) -> Self {
        let key = Key::new(algorithm);
        let server = Server::start(example, &key, "memory:");
        let mut wire = server.wire();
        let good = server.sign_in(&mut wire, "ada");
        let forge = Forge::new(key, good.access.clone(), trap.address.clone());
        let user = forge.claims["sub"].as_str().expect("a user").to_owned();
        Self {
            server,
            wire,
            forge,
            good,
            user,
            wrong: Vec::new(),
            lines: BTreeSet::new(),
        }
    }

    fn run(&mut self, case: &Case) {
        let me = self.server.example.me();
        let (target, lines) = match &case.sent {
            Sent::Bearer(token) => (me.to_owned(), bearer(token)),
            Sent::Head(lines) => (me.to_owned(), lines.clone()),
            Sent::Target(suffix, lines) => (format!("{me}{suffix}"), lines.clone()),
        };
        let answer = self.wire.send(&ask("GET", &target, &lines));
        self.judge(case, &answer);
        let admin = self.wire.send(&ask("GET", ADMIN_SESSIONS, &lines));
        if !matches!(admin.status, 400..=499) {
            self.wrong.push(format!(
                "{}: {}: a door opened: {admin:?}",
                case.family, case.name
            ));
        }
        let good = get(&mut self.wire, me, &self.good.access);
        if good.status != 200 {
            self.wrong
                .push(format!("after {}: the good token: {good:?}", case.name));
        }
        let is_new = self.lines.insert(Line {
            suite: self.forge.key.algorithm.to_owned(),
            family: case.family.to_owned(),
            case: escaped(&case.name),
            reference: case.reference.to_owned(),
            verdict: format!("{} {}", answer.status, answer.code())
                .trim_end()
                .to_owned(),
        });
        if !is_new {
            self.wrong.push(format!(
                "{}: {}: the name is not its own",
                case.family, case.name
            ));
        }
    }

    fn judge(&mut self, case: &Case, answer: &Answer) {
        let is_mine = answer.status == 200 && answer.json()["user_id"] == self.user;
        let is_refused = match &case.sent {
            // A path that is not there is not there for anybody.
            Sent::Target(..) => matches!(answer.status, 401 | 404),
            Sent::Bearer(token)
                if !token
                    .iter()
                    .all(|byte| matches!(byte, 0x20..=0x7e | 0x80..=0xff | b'\t')) =>
            {
                matches!(answer.status, 400 | 401)
            }
            Sent::Bearer(_) | Sent::Head(_) => answer.status == 401,
        };
        let holds = match case.expected {
            Expected::NoMore => is_mine || is_refused,
            Expected::Refused => is_refused,
            Expected::Same => is_mine,
        };
        let told = !holds || (answer.status == 401 && answer.header("www-authenticate").is_none());
        if told {
            let Case { family, name, .. } = case;
            let (status, text) = (answer.status, answer.text());
            self.wrong
                .push(format!("{family}: {name}: {status} {text}"));
        }
    }

    /// Nothing that could be used again is in the log, and nothing broke.
    fn look_at_the_log(&mut self) {
        let log = self.server.logged();
        let [_, claims, signature] = self.forge.parts();
        let mut secrets = vec![claims, signature, self.good.refresh.as_str()];
        secrets.extend(self.forge.key.secret());
        for secret in secrets {
            if log.contains(secret) {
                self.wrong
                    .push(format!("a secret is in the log: {}…", &secret[..8]));
            }
        }
        if log.contains("panicked") {
            self.wrong.push("something panicked".to_owned());
        }
    }
}

/// What stands in a cell of the table.
fn escaped(name: &str) -> String {
    name.escape_debug().to_string()
}

fn attack(example: Example, algorithm: &'static str, trap: &Trap) -> BTreeSet<Line> {
    let mut attack = Attack::new(example, algorithm, trap);
    let cases = families::all(&attack.forge);
    for case in &cases {
        attack.run(case);
    }
    attack.look_at_the_log();
    let wrong = &attack.wrong;
    assert!(
        wrong.is_empty(),
        "{example:?} {algorithm}: {} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    attack.lines
}

/// The table is of axum; the others answer with the same status, though a filter may have another word for it.
fn everywhere(algorithm: &'static str, examples: &[Example]) {
    let trap = Trap::new();
    let lines = attack(Example::Axum, algorithm, &trap);
    let statuses = |lines: &BTreeSet<Line>| -> BTreeSet<(String, String, String)> {
        let status = |line: &Line| line.verdict[..3].to_owned();
        let of = |line: &Line| (line.family.clone(), line.case.clone(), status(line));
        // Whether a path that is not there is seen before the token is the framework's choice.
        let has_one = |line: &&Line| line.case != "matrix parameter";
        lines.iter().filter(has_one).map(of).collect()
    };
    let expected = statuses(&lines);
    for example in examples {
        let others = statuses(&attack(*example, algorithm, &trap));
        let differ: Vec<_> = others.symmetric_difference(&expected).take(10).collect();
        assert!(
            differ.is_empty(),
            "{example:?} answers otherwise: {differ:#?}"
        );
    }
    trap.assert_unvisited();
    table::compare(algorithm, &lines);
}

#[test]
fn tokens_of_a_shared_secret_cannot_be_forged() {
    everywhere("HS256", &[Example::Hyper]);
}

#[test]
fn tokens_of_an_rsa_key_cannot_be_forged() {
    everywhere("RS256", &[]);
}

#[test]
fn tokens_of_an_ecdsa_key_cannot_be_forged() {
    everywhere("ES256", &[Example::Warp]);
}

#[test]
fn tokens_of_an_ed25519_key_cannot_be_forged() {
    everywhere("EdDSA", &[]);
}

/// What needs no more than a server, on each store that a server may have.
fn on_a_store(example: Example, store: &str, algorithm: &'static str, name: &str) {
    let key = Key::new(algorithm);
    let server = Server::start(example, &key, store);
    for (family, lines) in [
        ("refreshing", refreshing::run(&server)),
        ("rights", rights::run(&server)),
    ] {
        assert_eq!(lines.1, Vec::<String>::new(), "{example:?} on {store}");
        table::compare(&format!("{family}-{name}"), &lines.0);
    }
    assert!(!server.logged().contains("panicked"));
}

#[test]
fn nobody_reaches_what_is_anothers_on_axum_and_sqlite() {
    on_a_store(Example::Axum, "sqlite:FOLDER/sessions.db", "ES256", "axum");
}

#[test]
fn nobody_reaches_what_is_anothers_on_hyper() {
    on_a_store(Example::Hyper, "memory:", "EdDSA", "hyper");
}

#[test]
fn nobody_reaches_what_is_anothers_on_warp() {
    on_a_store(Example::Warp, "memory:", "HS256", "warp");
}

#[test]
fn nobody_reaches_what_is_anothers_on_axum_and_redis() {
    let redis = redis_server::Server::new();
    on_a_store(Example::Axum, &redis.address(), "HS256", "axum");
}

#[test]
fn nobody_reaches_what_is_anothers_on_axum_and_postgres() {
    let postgres = postgres::Cluster::start();
    on_a_store(Example::Axum, &postgres.admin("postgres"), "HS256", "axum");
}

#[test]
fn a_stolen_refresh_token_is_seen_in_every_order() {
    let key = Key::new("HS256");
    let server = Server::start_with(
        Example::Hyper,
        &key,
        "memory:",
        &[("JWT_ROTATION_GRACE", "0s")],
    );
    let (lines, wrong) = theft::run(&server);
    assert_eq!(wrong, Vec::<String>::new());
    table::compare("theft", &lines);
}

#[test]
fn no_request_is_smuggled_in_another() {
    let key = Key::new("HS256");
    let mut tables = Vec::new();
    for example in Example::ALL {
        let server = Server::start(example, &key, "memory:");
        let (lines, wrong) = smuggling::run(&server);
        assert_eq!(wrong, Vec::<String>::new(), "{example:?}");
        tables.push(lines);
    }
    for others in &tables[1..] {
        let differ: Vec<_> = others.symmetric_difference(&tables[0]).collect();
        assert!(differ.is_empty(), "{differ:#?}");
    }
    table::compare("smuggling", &tables[0]);
}

#[test]
fn what_is_ended_stays_ended_whatever_is_done_at_the_same_time() {
    let key = Key::new("HS256");
    for (example, rounds) in [(Example::Axum, 1), (Example::Hyper, 3)] {
        let server = Server::start(example, &key, "sqlite:FOLDER/sessions.db");
        let (lines, wrong) = pairs::run(&server, rounds);
        assert_eq!(wrong, Vec::<String>::new(), "{example:?}");
        if example == Example::Axum {
            table::compare("pairs", &lines);
        }
        assert!(!server.logged().contains("panicked"));
    }
}

#[test]
fn no_cache_keeps_what_is_somebodys() {
    let key = Key::new("ES256");
    for example in Example::ALL {
        let server = Server::start(example, &key, "memory:");
        let (lines, wrong) = caches::run(&server);
        assert_eq!(wrong, Vec::<String>::new(), "{example:?}");
        if example == Example::Axum {
            table::compare("caches", &lines);
        }
    }
}

/// On the one example that writes a log.
#[test]
fn nobody_writes_lines_into_the_log() {
    let key = Key::new("ES256");
    let server = Server::start_with(Example::Axum, &key, "memory:", &[("NO_COLOR", "1")]);
    let (lines, wrong) = logs::run(&server);
    assert_eq!(wrong, Vec::<String>::new());
    table::compare("logs", &lines);
}

#[test]
fn the_tables_have_at_least_1500_attacks() {
    let tables = table::all();
    let attacks = tables.lines().filter(|line| !line.starts_with("suite\t"));
    let attacks: BTreeSet<_> = attacks.collect();
    println!("{} attacks", attacks.len());
    assert!(attacks.len() >= 1500);
}
