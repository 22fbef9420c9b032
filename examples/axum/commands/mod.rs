//! What an operator does beside the server, or before it.

mod copy;
mod doctor;
mod end;
mod export;
mod found;
mod health;
mod list;
mod print;
mod progress;
mod restore;

use std::error::Error;
use std::io::{self, BufRead, IsTerminal, Write};
use std::process::ExitCode;

use tower_jwt_session::verify::{Algorithm, Key, KeyRing, KeyState};
use tower_jwt_session::{Environment, JwtSession, UserId};

use crate::accounts::Accounts;
use crate::cli::{Command, Sessions, Treatment};
use crate::data::Where;
use crate::email::Email;

use self::found::Found;

type Outcome = Result<ExitCode, Box<dyn Error>>;

pub async fn run(command: Command) -> Outcome {
    match command {
        Command::Doctor(doctor) => match doctor.command {
            Some(Treatment::Restore { dry_run, yes }) => restore::run(dry_run, yes).await,
            None => doctor::run(doctor.json, doctor.warnings_pass).await,
        },
        Command::Health => health::run().await,
        Command::Jwks { file, algorithm } => {
            let pem = std::fs::read(file)?;
            let algorithm: Algorithm = algorithm.parse()?;
            let key = Key::from_private_pem(None, algorithm, &pem)?;
            let ring = KeyRing::new([(key, KeyState::Sign)])?;
            print::line(&format!("{:#}", ring.jwks()))?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Sessions(Sessions::Copy(copy)) => copy::run(copy).await,
        Command::Sessions(command) => {
            let desk = Desk::open()?;
            match command {
                Sessions::List { user, ended, json } => desk.list(user, ended, json).await,
                Sessions::End { which, reason, yes } => desk.end(which, reason, yes).await,
                Sessions::Export {
                    format,
                    ended,
                    output,
                } => desk.export(format, ended, output).await,
                Sessions::CleanUp => desk.clean_up().await,
                Sessions::Copy(_) => unreachable!("it is taken above"),
            }
        }
    }
}

/// The store that the environment names, with the verbs, and without a server.
struct Desk {
    auth: JwtSession,
    accounts: Option<Accounts>,
}

impl Desk {
    fn open() -> Result<Self, Box<dyn Error>> {
        let found = Found::of(Environment::of_process());
        if found.in_memory {
            return Err(
                "sessions in memory are known to the server alone that keeps them: set \
                        SESSION_STORE as it is set there"
                    .into(),
            );
        }
        if let Some(file) = found.missing() {
            let file = file.display();
            return Err(format!("there are no sessions yet: {file} does not exist").into());
        }
        let accounts = match found.accounts() {
            Where::Memory => None,
            place => Some(Accounts::new(place)?),
        };
        // Nothing is signed here.
        let env = found.with_stand_in()?;
        let auth = JwtSession::builder().with_env(&env).build()?;
        Ok(Self { auth, accounts })
    }

    /// A user by id, or by the e-mail address of an account.
    async fn user(&self, named: &str) -> Result<UserId, Box<dyn Error>> {
        if let (Some(accounts), Some(email)) = (&self.accounts, Email::parse(named)) {
            let found = accounts.find(&email).await?;
            return found.ok_or_else(|| format!("nobody has the address {email}").into());
        }
        Ok(UserId::new(named)?)
    }
}

/// Asks on the terminal, where there is one.
fn confirmed(question: &str, yes: bool) -> Result<bool, Box<dyn Error>> {
    if yes {
        return Ok(true);
    }
    if !io::stdin().is_terminal() {
        return Err(format!("{question} Say --yes where nobody can be asked.").into());
    }
    write!(io::stderr(), "{question} [y/N] ")?;
    io::stderr().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
