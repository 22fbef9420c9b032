//! The figures of a fleet on one store, in a report that this makes anew.
//!
//! `cargo bench --bench fleet -- --report docs/figures.md` measures PostgreSQL, Redis and SQLite, on
//! files and servers of its own, and writes one report; what stands there of parts that are not measured
//! stays. `--store sqlite` (or `postgres`, `redis`, or
//! an address as `SESSION_STORE` holds it) measures one store, `--only revoked` (or `everywhere`,
//! `cuts`, `still`, `rate`, `clients`, `scale`) one part, `--quick` everything less often. What is measured
//! stays in a store that was named by an address: name an empty one.
//!
//! Nodes are this program again, as processes of their own.

#[expect(dead_code, reason = "loads measure the rest")]
mod backend;
mod clients;
#[path = "../../tests/support/postgres.rs"]
mod cluster;
mod everywhere;
mod figures;
mod link;
mod machine;
#[path = "../../tests/nodes/mod.rs"]
mod nodes;
mod plot;
#[path = "../../tests/support/proxy.rs"]
mod proxy;
mod rate;
#[path = "../../tests/redis_server/mod.rs"]
mod redis_server;
mod report;
mod revoked;
mod scale;
mod still;

use std::path::{Path, PathBuf};
use std::time::Instant;

use backend::Backend;
use figures::Figures;
use machine::{Machine, When};
use report::Report;

/// What the command line says.
struct Wanted {
    stores: Vec<String>,
    report: PathBuf,
    only: Vec<String>,
    /// How much less is measured than a report needs.
    quick: bool,
    began: Instant,
}

#[tokio::main]
async fn main() {
    if std::env::var_os(nodes::IS_NODE).is_some() {
        return nodes::program::play().await;
    }
    if cfg!(debug_assertions) {
        refuse("a debug build says nothing about speed: run `cargo bench --bench fleet`");
    }
    let wanted = Wanted::read(std::env::args().skip(1)).unwrap_or_else(|why| refuse(&why));
    let folder = std::env::temp_dir().join(format!("tower-jwt-session-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
    let written = report(&wanted, &folder).await;
    // The system clears its folder for temporary files, too.
    let _ = std::fs::remove_dir_all(&folder);
    match written {
        Ok(()) => eprintln!("the report is in {}", wanted.report.display()),
        Err(why) => refuse(&why),
    }
}

async fn report(wanted: &Wanted, folder: &Path) -> Result<(), String> {
    let machine = Machine::look(folder);
    let told = |error| format!("{}: {error}", wanted.report.display());
    if let Some(folder) = wanted.report.parent() {
        std::fs::create_dir_all(folder).map_err(told)?;
    }
    let write = |figures: &Figures| {
        let mut report = Report::read(&wanted.report);
        report.take(figures);
        std::fs::write(&wanted.report, report.text(&machine.told())).map_err(told)?;
        for (name, plot) in figures.plots() {
            std::fs::write(wanted.report.with_file_name(name), plot).map_err(told)?;
        }
        Ok(())
    };
    for address in &wanted.stores {
        let backend = backend::at(address, folder)?;
        measure(&*backend, wanted, &machine, &write).await?;
    }
    Ok(())
}

/// Measures a store, and hands on what is known after each part: whoever stops it has that.
async fn measure(
    backend: &dyn Backend,
    wanted: &Wanted,
    machine: &Machine,
    write: &impl Fn(&Figures) -> Result<(), String>,
) -> Result<(), String> {
    let mut figures = Figures::new(backend.name(), backend.described().await);
    let parts: Vec<&str> = PARTS
        .into_iter()
        .filter(|part| wanted.wants(part))
        .collect();
    for (done, part) in parts.iter().enumerate() {
        let (of, so_far) = (parts.len(), wanted.began.elapsed().as_secs());
        let name = backend.name();
        eprintln!("[{so_far} s] {name}: {part}, {} of {of}", done + 1);
        let when = When::begins();
        match *part {
            "revoked" => revoked::measure(backend, wanted.quick, &mut figures).await,
            "everywhere" => everywhere::measure(backend, wanted.quick, &mut figures).await,
            "cuts" => link::measure(backend, &mut figures).await,
            "still" => still::measure(backend, wanted.quick, &mut figures).await,
            "rate" => rate::measure(backend, wanted.quick, &mut figures).await,
            "clients" => clients::measure(backend, wanted.quick, &mut figures).await,
            _ => scale::measure(backend, wanted.quick, &mut figures).await,
        }
        let lacks = if wanted.quick { QUICK } else { "" };
        figures.measured(&format!("{}{lacks}", when.told(machine)));
        write(&figures)?;
    }
    Ok(())
}

impl Wanted {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut wanted = Self {
            stores: Vec::new(),
            report: PathBuf::from(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/target/reports/fleet.md"
            )),
            only: Vec::new(),
            quick: false,
            began: Instant::now(),
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--store" => wanted.stores.push(value()?),
                "--report" => {
                    wanted.report = Path::new(env!("CARGO_MANIFEST_DIR")).join(value()?);
                }
                "--only" => {
                    let part = value()?;
                    if !PARTS.contains(&part.as_str()) {
                        return Err(format!("{part:?} is no part: {}", PARTS.join(", ")));
                    }
                    wanted.only.push(part);
                }
                "--quick" => wanted.quick = true,
                // Cargo says so to every benchmark.
                "--bench" => {}
                _ => {
                    return Err(format!(
                        "{word} is not known: --store, --report, --only, --quick"
                    ));
                }
            }
        }
        if wanted.stores.is_empty() {
            wanted.stores = ["postgres", "redis", "sqlite"].map(str::to_owned).into();
        }
        Ok(wanted)
    }

    fn wants(&self, part: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|only| only == part)
    }
}

fn refuse(why: &str) -> ! {
    eprintln!("{why}");
    std::process::exit(2);
}

const QUICK: &str = ". **A quick run: too short to be quoted.**";
/// What is measured of each store, in this order.
const PARTS: [&str; 7] = [
    "revoked",
    "everywhere",
    "cuts",
    "still",
    "rate",
    "clients",
    "scale",
];
