//! `sessions copy`: from any store to any other.

use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tower_jwt_session::stores::{CopyPosition, CopyStage, StoreCopy};
use tower_jwt_session::{SessionStore, SqliteStore, StoreError, store_at};

use super::progress::Progress;
use super::{Outcome, print};
use crate::cli::Copy;

pub async fn run(copy: Copy) -> Outcome {
    let from = store(&copy.from, "--from")?;
    let to = store(&copy.to, "--to")?;
    let mut copying = match read(&copy.position)? {
        Some(position) => {
            eprintln!("going on after {} sessions", position.sessions);
            StoreCopy::resume(from, to, position).await?
        }
        None if copy.again => StoreCopy::again(from, to).await?,
        None => StoreCopy::begin(from, to).await?,
    };
    let mut progress = Progress::new();
    while step(&mut copying).await? {
        keep(&copy.position, copying.position())?;
        let position = copying.position();
        progress.at(match position.stage {
            CopyStage::Sessions => format!("{} sessions", position.sessions),
            CopyStage::Log => "revocations".to_owned(),
            CopyStage::Check => format!("looked up {}", copying.report().live_to),
            CopyStage::Count | CopyStage::Done => format!("counted {}", copying.report().live_from),
        });
    }
    drop(progress);
    fs::remove_file(&copy.position)?;
    let report = copying.report();
    print::line(&format!(
        "{} sessions: {} new, {} brought up to date, {} there already; {} revocations; {} ended there since",
        report.made + report.changed + report.kept,
        report.made,
        report.changed,
        report.kept,
        report.entries,
        report.ended
    ))?;
    if report.unreadable > 0 {
        print::line(&format!(
            "{} records cannot be read and were left out",
            report.unreadable
        ))?;
    }
    print::line(&format!(
        "live sessions: {} in the old store, {} in the new one",
        report.live_from, report.live_to
    ))?;
    if report.is_complete() {
        return Ok(ExitCode::SUCCESS);
    }
    print::line("they differ: stop the nodes that use the old store, and copy again (--again)")?;
    Ok(ExitCode::FAILURE)
}

/// Makes a step, again where a store was away.
async fn step(copying: &mut StoreCopy) -> Result<bool, StoreError> {
    let mut tries = 0;
    loop {
        match copying.step().await {
            Err(error) if error.is_unavailable() && tries < TRIES => {
                tries += 1;
                eprintln!("{error}; trying again");
                tokio::time::sleep(PAUSE * tries).await;
            }
            outcome => return outcome,
        }
    }
}

fn store(address: &str, flag: &str) -> Result<Arc<dyn SessionStore>, Box<dyn Error>> {
    let from_env = address.strip_prefix("env:").map(|name| {
        std::env::var(name).map_err(|_| format!("{flag}: the variable {name} is not set"))
    });
    let address = from_env.transpose()?.unwrap_or_else(|| address.to_owned());
    if address == "memory:" {
        return Err(format!("{flag}: sessions in memory cannot be reached from here").into());
    }
    let missing = SqliteStore::path_of(&address).filter(|path| !path.exists());
    if let (Some(path), "--from") = (missing, flag) {
        return Err(format!("{flag}: {} does not exist", path.display()).into());
    }
    store_at(&address).map_err(|error| format!("{flag}: {error}").into())
}

fn read(path: &Path) -> Result<Option<CopyPosition>, Box<dyn Error>> {
    let text = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        text => text?,
    };
    let position = serde_json::from_str(&text);
    let position = position.map_err(|_| {
        format!(
            "{} is no position of a copy: name another file, or remove it",
            path.display()
        )
    })?;
    Ok(Some(position))
}

/// Whole or not at all.
fn keep(path: &Path, position: &CopyPosition) -> Result<(), Box<dyn Error>> {
    let draft = path.with_extension("draft");
    // One that was left behind, or that somebody put there to lead elsewhere.
    let _ = fs::remove_file(&draft);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true).mode(0o600);
    let mut file = options.open(&draft)?;
    file.write_all(serde_json::to_string(position)?.as_bytes())?;
    fs::rename(&draft, path)?;
    Ok(())
}

const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(500);
