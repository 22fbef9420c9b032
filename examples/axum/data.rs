//! Where everything is kept: a file in the user's data folder, and the signing secret beside it.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tower_jwt_session::{Environment, SqliteStore};

/// Where the sessions and accounts are, and what is made beside them.
pub struct Data {
    /// `None` where sessions are kept in memory.
    pub kept: Option<Kept>,
    pub stand_ins: StandIns,
    /// The file of the accounts, which are the example's own, where it is another.
    accounts: Option<PathBuf>,
    is_ours: bool,
    has_own_secret: bool,
}

/// Where sessions are kept.
pub enum Kept {
    File(PathBuf),
    Server,
}

/// Secrets that are not there yet, for who signs nothing.
#[derive(Default)]
pub struct StandIns(Vec<&'static str>);

impl Data {
    /// Takes what the environment says, fills in what it does not, and makes what is missing.
    pub fn of(env: Environment) -> io::Result<(Self, Environment)> {
        let (data, mut env) = Self::found(env);
        let Some(file) = data.file() else {
            return Ok((data, env));
        };
        if let (true, Some(folder)) = (data.is_ours, file.parent()) {
            let mut builder = fs::DirBuilder::new();
            builder.recursive(true).mode(0o700).create(folder)?;
        }
        for (variable, extension) in data.secrets(&env) {
            let secret = file.with_extension(extension);
            make_once(&secret)?;
            env = env.with_default(variable, secret.display().to_string());
        }
        Ok((data, env))
    }

    /// The same, but nothing is made.
    pub fn found(env: Environment) -> (Self, Environment) {
        let kept = match address(&env) {
            Some("memory:") => None,
            Some(address) => Some(match SqliteStore::path_of(address) {
                Some(path) => Kept::File(path.to_owned()),
                None => Kept::Server,
            }),
            None => Some(Kept::File(folder(&env).join("sessions.db"))),
        };
        let is_set = |name: &&str| env.get(name).is_some();
        let is_file = matches!(kept, Some(Kept::File(_)));
        let mut data = Self {
            kept,
            stand_ins: StandIns::default(),
            accounts: env.get("ACCOUNTS_FILE").map(PathBuf::from),
            is_ours: address(&env).is_none(),
            has_own_secret: is_file && !SIGNING.iter().any(is_set),
        };
        let mut env = env;
        if let Some(file) = data.file() {
            env = env.with_default("SESSION_STORE", format!("sqlite:{}", file.display()));
            for (variable, extension) in data.secrets(&env) {
                let secret = file.with_extension(extension);
                if secret.exists() {
                    env = env.with_default(variable, secret.display().to_string());
                }
            }
        }
        data.stand_ins = StandIns::of(&env);
        (data, env)
    }

    /// The file of the sessions and accounts; `None` where they are kept in memory.
    pub fn file(&self) -> Option<&Path> {
        self.kept.as_ref().and_then(Kept::file)
    }

    /// The file of the accounts; `None` where they are kept in memory.
    pub fn accounts(&self) -> Option<&Path> {
        self.accounts.as_deref().or(self.file())
    }

    /// The file that is ours to make, where it is not there yet.
    pub fn made_at_the_start(&self) -> Option<&Path> {
        let missing = self.kept.as_ref().and_then(Kept::missing);
        missing.filter(|_| self.is_ours)
    }

    /// Whether a secret beside the file is made at the first start.
    pub fn is_new(&self) -> bool {
        self.file().is_some() && !self.stand_ins.0.is_empty()
    }

    /// Variables that name secrets beside the file, and what those are called.
    fn secrets(&self, env: &Environment) -> Vec<(&'static str, &'static str)> {
        if self.has_own_secret {
            vec![("JWT_SECRET_FILE", "secret")]
        } else if lacks_refresh_secret(env) {
            vec![("JWT_REFRESH_SECRET_FILE", "refresh-secret")]
        } else {
            Vec::new()
        }
    }

    pub fn print(&self) {
        match self.file() {
            None if self.kept.is_some() => match &self.accounts {
                Some(file) => println!("  accounts are kept in {}", file.display()),
                None => println!(
                    "  accounts are kept in memory, and known to this node alone; set ACCOUNTS_FILE"
                ),
            },
            None => {
                println!("  accounts and sessions are kept in memory, and gone when this stops")
            }
            Some(file) if self.has_own_secret => println!(
                "  sessions are kept in {}, the signing secret beside it; set SESSION_STORE and \
                 JWT_SECRET for your own",
                file.display()
            ),
            Some(file) => println!("  sessions are kept in {}", file.display()),
        }
    }
}

impl Kept {
    pub fn file(&self) -> Option<&Path> {
        match self {
            Self::File(file) => Some(file),
            Self::Server => None,
        }
    }

    /// The file where it is not there yet.
    pub fn missing(&self) -> Option<&Path> {
        self.file().filter(|file| !file.exists())
    }
}

impl StandIns {
    fn of(env: &Environment) -> Self {
        let mut missing = Vec::new();
        if !SIGNING.iter().any(|name| env.get(name).is_some()) {
            missing.push("JWT_SECRET");
        }
        if lacks_refresh_secret(env) {
            missing.push("JWT_REFRESH_SECRET");
        }
        Self(missing)
    }

    /// The environment with random secrets where there are none.
    pub fn apply(&self, env: Environment) -> io::Result<Environment> {
        let mut env = env;
        for name in &self.0 {
            env = env.with_default(name, random()?);
        }
        Ok(env)
    }
}

/// A private key makes no refresh tokens.
fn lacks_refresh_secret(env: &Environment) -> bool {
    let is_set = |name: &&str| env.get(name).is_some();
    is_set(&"JWT_PRIVATE_KEY_FILE") && !REFRESHING.iter().any(is_set)
}

fn address(env: &Environment) -> Option<&str> {
    env.get("SESSION_STORE").or_else(|| {
        let url = env.get("DATABASE_URL")?;
        url.starts_with("sqlite:").then_some(url)
    })
}

/// Our folder among the user's data, by the XDG convention; else below the folder that this was
/// started in.
fn folder(env: &Environment) -> PathBuf {
    let data = env.get("XDG_DATA_HOME").map(PathBuf::from);
    let home = || Some(Path::new(env.get("HOME")?).join(".local/share"));
    let data = data.filter(|data| data.is_absolute()).or_else(home);
    data.unwrap_or_default().join("tower-jwt-session")
}

/// Makes a secret where there is none: whole or not at all, and the first one stays.
fn make_once(path: &Path) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let secret = random()?;
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

fn random() -> io::Result<String> {
    let mut random = [0_u8; 32];
    aws_lc_rs::rand::fill(&mut random).map_err(|_| io::Error::other("no source of randomness"))?;
    Ok(random.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What signs access tokens.
const SIGNING: [&str; 4] = [
    "JWT_SECRET",
    "JWT_SECRET_KEY",
    "JWT_SECRET_FILE",
    "JWT_PRIVATE_KEY_FILE",
];
const REFRESHING: [&str; 2] = ["JWT_REFRESH_SECRET", "JWT_REFRESH_SECRET_FILE"];
