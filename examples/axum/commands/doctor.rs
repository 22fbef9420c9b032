//! `doctor`: everything that can be seen from outside, with what to do about it.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;
use tower_jwt_session::diagnosis::{Check, CheckState, Diagnosis};
use tower_jwt_session::events::Statistics;
use tower_jwt_session::{Checklist, Environment, store_at};

use super::found::Found;
use super::{Outcome, print};
use crate::accounts::Accounts;
use crate::auth;
use crate::data::Where;

pub async fn run(as_json: bool, warnings_pass: bool) -> Outcome {
    let diagnosis = diagnosed().await?;
    let state = diagnosis.state();
    if as_json {
        let report = json!({ "state": state, "checks": diagnosis });
        print::line(&format!("{report:#}"))?;
    } else {
        print::diagnosis(&diagnosis)?;
    }
    Ok(match state {
        CheckState::Ok => ExitCode::SUCCESS,
        CheckState::Warn if warnings_pass => ExitCode::SUCCESS,
        CheckState::Warn => ExitCode::from(1),
        CheckState::Fail => ExitCode::from(2),
    })
}

async fn diagnosed() -> std::io::Result<Diagnosis> {
    let env = Environment::of_process().with_default("LISTEN_ADDR", "127.0.0.1:3000");
    let found = Found::of(env);
    let made = found.made_at_the_start().map(Path::to_owned);
    let mut diagnosis = Diagnosis::default();
    // What is made at the first start is not made here.
    let env = if found.lacks_what_is_made() {
        found.with_stand_in()?
    } else {
        found.env
    };
    let accounts = Accounts::new(Where::Memory).map_err(std::io::Error::other)?;
    match auth::build(&env, &accounts, &Statistics::default()) {
        Ok((settings, auth)) => {
            let checklist = Checklist::of(&auth)
                .listening_on(settings.listen)
                .with_env(&env);
            diagnosis = match made {
                Some(file) => {
                    let seen = format!("{} is made at the first start", file.display());
                    let mut configured = auth.configuration(&checklist);
                    configured.add(Check::ok("store", seen));
                    configured
                }
                None => auth.diagnose(&checklist).await,
            };
        }
        Err(problems) => {
            let problems = problems.problems();
            diagnosis.extend(problems.map(|(what, fix)| Check::fail("configuration", what, fix)));
            diagnosis.extend(store(&env).await);
        }
    }
    diagnosis.extend(env.check_files());
    Ok(diagnosis)
}

/// The store, where the rest cannot be put together.
async fn store(env: &Environment) -> Vec<Check> {
    let address = env
        .get("SESSION_STORE")
        .filter(|address| *address != "memory:");
    let store = address.and_then(|address| store_at(address).ok());
    match store.as_ref().and_then(|store| store.upkeep()) {
        Some(upkeep) => upkeep.inspect().await.checks,
        None => Vec::new(),
    }
}
