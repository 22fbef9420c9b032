//! What a node bears: floods of bad tokens, revocations that stream in, millions of sessions, half an hour of faults.
//!
//! `cargo bench --bench load` measures all parts, `cargo bench --bench load -- hostile` one of them:
//! `hostile`, `churn`, `memory`, `start`, `growth`. Each writes `benches/results/PART.md` and
//! `PART.json`, and plots beside them. `--quick` measures less and says so in what it writes; `--store
//! sqlite` (or `memory`, `postgres`, `redis`) names the stores of `start` and `growth`, `--most 1000000`
//! how many sessions `growth` goes up to.
//!
//! `soak` runs only where it is named: half an hour, or `--minutes 5`, on Redis unless `--store` names another.
//!
//! PostgreSQL and Redis are started for it, in a temporary folder. What a node takes by itself is
//! measured in this program again, as a process of its own.

#[path = "../fleet/backend/mod.rs"]
#[expect(dead_code, reason = "the fleet uses the rest")]
mod backend;
mod churn;
#[path = "../../tests/support/postgres.rs"]
mod cluster;
#[path = "../../tests/soak/driver/mod.rs"]
mod driver;
#[path = "../fleet/figures.rs"]
#[expect(dead_code, reason = "the fleet uses the rest")]
mod figures;
mod flood;
#[path = "../../tests/folder/mod.rs"]
mod folder;
mod forge;
mod growth;
mod hostile;
#[path = "../fleet/machine.rs"]
#[expect(dead_code, reason = "the fleet uses the rest")]
mod machine;
mod memory;
mod node;
#[path = "../../tests/nodes/mod.rs"]
mod nodes;
#[path = "../fleet/plot.rs"]
mod plot;
#[path = "../../tests/support/proxy.rs"]
mod proxy;
#[path = "../fleet/rate.rs"]
#[expect(dead_code, reason = "the fleet uses the rest")]
mod rate;
#[path = "../../tests/redis_server/mod.rs"]
mod redis_server;
mod results;
#[path = "../fleet/scale.rs"]
#[expect(dead_code, reason = "the fleet uses the rest")]
mod scale;
mod soak;
mod sockets;
mod start;
mod timeline;
#[path = "../request/zipf.rs"]
mod zipf;

use machine::Machine;
use results::Results;

/// What the command line says.
pub struct Wanted {
    parts: Vec<String>,
    pub stores: Vec<String>,
    pub quick: bool,
    pub most: u64,
    pub minutes: f64,
}

fn main() {
    if std::env::var_os(nodes::IS_NODE).is_some() {
        return runtime(2).block_on(nodes::program::play());
    }
    if cfg!(debug_assertions) {
        refuse("a debug build says nothing about speed: run `cargo bench --bench load`");
    }
    if let Ok(task) = std::env::var(TASK) {
        return match task.split(' ').collect::<Vec<_>>()[..] {
            ["flood", family, share] => hostile::remember(family, share),
            ["serve", share] => sockets::serve(share),
            ["token", count] => memory::tokens(count),
            ["view", count] => memory::view(count),
            ["records", count] => memory::records(count),
            ["start", address] => start::child(address),
            _ => refuse("a task that is none"),
        };
    }
    let wanted = Wanted::read(std::env::args().skip(1)).unwrap_or_else(|why| refuse(&why));
    let folder = std::env::temp_dir().join(format!("tower-jwt-session-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
    for part in &wanted.parts {
        eprintln!("{part}");
        let machine = Machine::look(&folder);
        let mut results = Results::new(part);
        match part.as_str() {
            "hostile" => hostile::measure(&wanted, &mut results),
            "churn" => churn::measure(&wanted, &mut results),
            "memory" => memory::measure(&wanted, &mut results),
            "start" => start::measure(&wanted, &folder, &mut results),
            "soak" => soak::measure(&wanted, &mut results),
            _ => growth::measure(&wanted, &folder, &mut results),
        }
        let command: Vec<String> = std::env::args().skip(1).collect();
        let is_short = wanted.quick || part == SOAK && wanted.minutes < 30.0;
        let lacks = match is_short {
            true => Some("A quick run: too short to be quoted."),
            false if wanted.leaves_out(part) => {
                Some("Not all of the part: as far as the command says.")
            }
            false => None,
        };
        results.write(&command.join(" "), &machine, lacks);
    }
    // The system clears its folder for temporary files, too.
    let _ = std::fs::remove_dir_all(&folder);
}

/// Runs a task in a process of its own; its answer are the numbers that it prints.
pub fn in_a_process(task: &str) -> Vec<f64> {
    let program = std::env::current_exe().expect("a program knows itself");
    let said = std::process::Command::new(program)
        .env(TASK, task)
        .stderr(std::process::Stdio::inherit())
        .output()
        .expect("it can be run");
    assert!(said.status.success(), "{task} came to nothing");
    let said = String::from_utf8(said.stdout).expect("it prints numbers");
    said.split_whitespace()
        .map(|word| word.parse().expect("it prints numbers"))
        .collect()
}

/// How much memory this process has of its own, in bytes: without the pages of the program that were
/// run for the first time meanwhile, which are the same for all processes.
pub fn resident() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
    let mut lines = status.lines();
    let line = lines.find_map(|line| line.strip_prefix("RssAnon:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    let kib: f64 = kib.expect("a number of kibibytes");
    kib * 1024.0
}

/// A runtime of as many threads.
pub fn runtime(threads: usize) -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads)
        .enable_all()
        .build()
        .expect("a runtime")
}

impl Wanted {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut wanted = Self {
            parts: Vec::new(),
            stores: Vec::new(),
            quick: false,
            most: MOST,
            minutes: 30.0,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--store" => wanted.stores.push(value()?),
                "--most" => {
                    wanted.most = value()?
                        .parse()
                        .map_err(|_| "--most needs a number of sessions")?;
                }
                "--minutes" => {
                    wanted.minutes = value()?.parse().map_err(|_| "--minutes needs a number")?;
                }
                "--quick" => wanted.quick = true,
                // Cargo says so to every benchmark.
                "--bench" => {}
                part if PARTS.contains(&part) => wanted.parts.push(word),
                _ => {
                    return Err(format!(
                        "{word} is not known: {}, --store, --most, --minutes, --quick",
                        PARTS.join(", ")
                    ));
                }
            }
        }
        if wanted.parts.is_empty() {
            wanted.parts = PARTS.map(str::to_owned).into();
            wanted.parts.retain(|part| part != SOAK);
        }
        if wanted.stores.is_empty() {
            wanted.stores = STORES.map(str::to_owned).into();
        }
        Ok(wanted)
    }

    /// Whether a part has left out stores or sizes.
    fn leaves_out(&self, part: &str) -> bool {
        let stores = self.stores.len() < STORES.len() && ["start", "growth"].contains(&part);
        stores || self.most < MOST && ["memory", "growth"].contains(&part)
    }

    /// Where the soak is: in one store.
    fn soaked(&self) -> &str {
        match &self.stores[..] {
            [store] => store,
            _ => "redis",
        }
    }
}

pub fn refuse(why: &str) -> ! {
    eprintln!("{why}");
    std::process::exit(2);
}

pub const TASK: &str = "LOAD_TASK";
const PARTS: [&str; 6] = ["hostile", "churn", "memory", "start", "growth", SOAK];
/// That of the process last: what it gives back is not free at once for the others' files.
const STORES: [&str; 4] = ["sqlite", "postgres", "redis", "memory"];
const MOST: u64 = 10_000_000;
/// It takes half an hour.
const SOAK: &str = "soak";
