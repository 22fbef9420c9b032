//! The figures of a fleet on one store, in a report that this makes anew.
//!
//! `cargo bench --bench fleet -- --store sqlite:PATH --out FOLDER` measures a store and writes
//! `fleet-STORE.md` and `fleet-STORE.json`. Without a store it is an SQLite file of its own, without
//! a folder it is `target/reports`. `--only revoked` (or `everywhere`, `cuts`, `rate`, `scale`)
//! measures one part, `--quick` everything less often. What is measured stays in the store: name
//! an empty one.
//!
//! Nodes are this program again, as processes of their own.

mod backend;
mod everywhere;
mod figures;
mod link;
#[path = "../../tests/nodes/mod.rs"]
mod nodes;
#[path = "../../tests/support/proxy.rs"]
mod proxy;
mod rate;
mod revoked;
mod scale;

use std::path::PathBuf;

use backend::Backend;
use figures::Figures;

/// What the command line says.
struct Wanted {
    store: Option<String>,
    out: PathBuf,
    only: Option<String>,
    /// How much less is measured than a report needs.
    quick: bool,
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
    let own = format!("sqlite:{}", folder.join("fleet.db").display());
    let address = wanted.store.as_deref().unwrap_or(&own);
    let backend = backend::at(address).unwrap_or_else(|why| refuse(&why));
    let figures = measure(&*backend, &wanted).await;
    let written = figures.write(&wanted.out);
    // The system clears its folder for temporary files, too.
    let _ = std::fs::remove_dir_all(&folder);
    match written {
        Ok(report) => eprintln!("the report is in {}", report.display()),
        Err(error) => refuse(&format!("{}: {error}", wanted.out.display())),
    }
}

async fn measure(backend: &dyn Backend, wanted: &Wanted) -> Figures {
    let mut figures = Figures::new(backend.name());
    if wanted.wants("revoked") {
        revoked::measure(backend, wanted.quick, &mut figures).await;
    }
    if wanted.wants("everywhere") {
        everywhere::measure(backend, wanted.quick, &mut figures).await;
    }
    if wanted.wants("cuts") {
        link::measure(backend, &mut figures).await;
    }
    if wanted.wants("rate") {
        rate::measure(backend, wanted.quick, &mut figures).await;
    }
    if wanted.wants("scale") {
        scale::measure(backend, wanted.quick, &mut figures).await;
    }
    figures
}

impl Wanted {
    fn read(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut wanted = Self {
            store: None,
            out: PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/target/reports")),
            only: None,
            quick: false,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--store" => wanted.store = Some(value()?),
                "--out" => wanted.out = value()?.into(),
                "--only" => wanted.only = Some(value()?),
                "--quick" => wanted.quick = true,
                // Cargo says so to every benchmark.
                "--bench" => {}
                _ => {
                    return Err(format!(
                        "{word} is not known: --store, --out, --only, --quick"
                    ));
                }
            }
        }
        Ok(wanted)
    }

    fn wants(&self, part: &str) -> bool {
        self.only.as_deref().is_none_or(|only| only == part)
    }
}

fn refuse(why: &str) -> ! {
    eprintln!("{why}");
    std::process::exit(2);
}
