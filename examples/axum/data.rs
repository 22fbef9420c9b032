//! Where everything is kept: a file in the user's data folder, and the signing secret beside it.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tower_jwt_session::{Environment, SqliteStore};

/// Where sessions and accounts are kept.
pub struct Data {
    /// In a file, or at an address.
    sessions: String,
    file: Option<PathBuf>,
    pub accounts: Where,
    has_own_secret: bool,
}

/// Where accounts are.
#[derive(Clone, PartialEq)]
pub enum Where {
    /// In the store of the sessions, at this address.
    Beside(String),
    /// In an SQLite file.
    File(PathBuf),
    /// In memory.
    Memory,
}

impl Data {
    /// Takes what the environment says, and fills in what it does not.
    pub fn of(env: Environment) -> io::Result<(Self, Environment)> {
        let file = match address(&env) {
            Some(address) => SqliteStore::path_of(address).map(Path::to_owned),
            None => Some(folder(&env)?.join("sessions.db")),
        };
        match file {
            Some(file) => Self::in_file(file, env),
            None => Ok((Self::elsewhere(&env), env)),
        }
    }

    fn in_file(file: PathBuf, env: Environment) -> io::Result<(Self, Environment)> {
        let mut env = env.with_default("SESSION_STORE", format!("sqlite:{}", file.display()));
        let is_set = |name: &&str| env.get(name).is_some();
        let has_own_secret = !SIGNING.iter().any(is_set);
        if has_own_secret {
            let secret = secret_beside(&file, "secret")?;
            env = env.with_default("JWT_SECRET_FILE", secret.display().to_string());
        } else if is_set(&"JWT_PRIVATE_KEY_FILE") && !REFRESHING.iter().any(is_set) {
            let secret = fs::read_to_string(secret_beside(&file, "refresh-secret")?)?;
            env = env.with_default("JWT_REFRESH_SECRET", secret);
        }
        let data = Self {
            sessions: file.display().to_string(),
            accounts: Where::File(file.clone()),
            file: Some(file),
            has_own_secret,
        };
        Ok((data, env))
    }

    /// What is kept on a server, in memory, or in a file that somebody named.
    pub fn elsewhere(env: &Environment) -> Self {
        let address = address(env).unwrap_or_default();
        let scheme = address.split(':').next().unwrap_or_default();
        let own = env.get("DATABASE_URL").and_then(SqliteStore::path_of);
        let accounts = match (own, scheme) {
            (Some(file), _) => Where::File(file.to_owned()),
            (None, "postgres" | "postgresql" | "redis" | "rediss") => {
                Where::Beside(address.to_owned())
            }
            (None, _) => Where::Memory,
        };
        Self {
            sessions: scheme.to_owned(),
            file: None,
            accounts,
            has_own_secret: false,
        }
    }

    /// Where accounts are; a file of their own is made where there is none.
    pub fn accounts(&self) -> io::Result<Where> {
        if let (Where::File(file), None) = (&self.accounts, &self.file) {
            // There are hashes of passwords in it.
            let mut options = OpenOptions::new();
            options.append(true).create(true).mode(0o600).open(file)?;
        }
        Ok(self.accounts.clone())
    }

    pub fn print(&self) {
        let sessions = &self.sessions;
        match (&self.accounts, &self.file) {
            (_, Some(_)) if self.has_own_secret => println!(
                "  sessions are kept in {sessions}, the signing secret beside it; set \
                 SESSION_STORE and JWT_SECRET for your own"
            ),
            (_, Some(_)) => println!("  sessions are kept in {sessions}"),
            (Where::Beside(_), None) => {
                println!("  accounts and sessions are kept in {sessions}");
            }
            (Where::File(file), None) => {
                let file = file.display();
                println!("  sessions are kept in {sessions}, accounts in {file}");
            }
            (Where::Memory, None) if sessions == "memory" => {
                println!("  accounts and sessions are kept in memory, and gone when this stops");
            }
            (Where::Memory, None) => println!(
                "  sessions are kept in {sessions}, accounts in memory; set \
                 DATABASE_URL=sqlite:FILE to keep them"
            ),
        }
    }
}

/// What the session layer goes by, too.
fn address(env: &Environment) -> Option<&str> {
    env.get("SESSION_STORE").or_else(|| {
        let url = env.get("DATABASE_URL")?;
        ["sqlite:", "postgres:", "postgresql:"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
            .then_some(url)
    })
}

/// Our folder among the user's data, by the XDG convention; else below the folder that this was
/// started in.
fn folder(env: &Environment) -> io::Result<PathBuf> {
    let data = env.get("XDG_DATA_HOME").map(PathBuf::from);
    let home = || Some(Path::new(env.get("HOME")?).join(".local/share"));
    let data = data.filter(|data| data.is_absolute()).or_else(home);
    let folder = data.unwrap_or_default().join("tower-jwt-session");
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(&folder)?;
    Ok(folder)
}

/// A secret that is made at the first start and kept, as `sessions.secret` beside `sessions.db`.
fn secret_beside(file: &Path, extension: &str) -> io::Result<PathBuf> {
    let secret = file.with_extension(extension);
    make_once(&secret)?;
    Ok(secret)
}

/// Makes a secret where there is none: whole or not at all, and the first one stays.
fn make_once(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let mut random = [0_u8; 32];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| io::Error::other("no source of randomness"))?;
    let secret: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    let draft = path.with_extension(std::process::id().to_string());
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(secret.as_bytes())?;
    file.sync_all()?;
    let linked = match fs::hard_link(&draft, path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    };
    fs::remove_file(&draft)?;
    linked
}

/// What signs access tokens.
const SIGNING: [&str; 4] = [
    "JWT_SECRET",
    "JWT_SECRET_KEY",
    "JWT_SECRET_FILE",
    "JWT_PRIVATE_KEY_FILE",
];

/// What makes refresh tokens beside a private key.
const REFRESHING: [&str; 2] = ["JWT_REFRESH_SECRET", "JWT_REFRESH_SECRET_FILE"];
