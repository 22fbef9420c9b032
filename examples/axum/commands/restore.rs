//! `doctor restore`: after a backup was put back.

use std::process::ExitCode;

use tower_jwt_session::revocation::Confirm;
use tower_jwt_session::stores::StoreRestore;

use super::progress::Progress;
use super::{Desk, Outcome, confirmed, print};

pub async fn run(dry_run: bool, yes: bool) -> Outcome {
    let desk = Desk::open()?;
    let question = "This signs everybody out who is in the store. Go on?";
    if !dry_run && !confirmed(question, yes)? {
        print::line("nothing was changed")?;
        return Ok(ExitCode::FAILURE);
    }
    let mut restore = StoreRestore::begin(desk.auth.store().clone())?;
    if dry_run {
        restore = restore.only_looking();
    }
    let mut progress = Progress::new();
    while restore.step().await? {
        let at = restore.progress();
        progress.at(format!("{} users, {} sessions", at.users, at.sessions));
    }
    drop(progress);
    let done = restore.progress();
    let would = if dry_run { "would be " } else { "" };
    print::line(&format!(
        "{} users' counters {would}raised, {} sessions {would}ended",
        done.users, done.ended
    ))?;
    if done.unreadable > 0 {
        print::line(&format!(
            "{} records cannot be read, and are nobody's session",
            done.unreadable
        ))?;
    }
    if desk.auth.terms().confirm == Confirm::Never {
        print::line(
            "REVOCATION_CONFIRM=never: whoever signed in after the backup has a token that is not \
             looked up; change the signing key, too (docs/key-rotation.md)",
        )?;
    }
    Ok(ExitCode::SUCCESS)
}
