//! What the server has, or would have, without making anything of it.

use std::io;
use std::path::{Path, PathBuf};

use tower_jwt_session::{Environment, SqliteStore};

use crate::data::{Data, Where};

/// The environment as the server takes it, and where its sessions are.
pub struct Found {
    pub env: Environment,
    /// The file of the sessions; `None` where they are in memory or on a server.
    pub file: Option<PathBuf>,
    pub in_memory: bool,
    is_ours: bool,
    lacks: Option<&'static str>,
}

impl Found {
    /// Where the accounts of the server are.
    pub fn accounts(&self) -> Where {
        match &self.file {
            Some(file) => Where::File(file.clone()),
            None => Data::elsewhere(&self.env).accounts,
        }
    }

    pub fn of(env: Environment) -> Self {
        let address = address(&env);
        let (is_ours, in_memory) = (address.is_none(), address == Some("memory:"));
        let file = match address {
            Some(address) => SqliteStore::path_of(address).map(Path::to_owned),
            None => Some(folder(&env).join("sessions.db")),
        };
        let mut found = Self {
            env,
            file,
            in_memory,
            is_ours,
            lacks: None,
        };
        if let Some(file) = &found.file {
            let address = format!("sqlite:{}", file.display());
            found.env = found.env.with_default("SESSION_STORE", address);
        }
        let beside = found.file.clone().unwrap_or_default();
        if let Some((variable, secret)) = secret_beside(&beside, &found.env) {
            if found.file.is_some() && secret.exists() {
                let secret = secret.display().to_string();
                found.env = found.env.with_default(variable, secret);
            } else {
                found.lacks = variable.strip_suffix("_FILE");
            }
        }
        found
    }

    /// The file where it is not there yet.
    pub fn missing(&self) -> Option<&Path> {
        self.file.as_deref().filter(|file| !file.exists())
    }

    /// The same of one that the first start makes, with its folder.
    pub fn made_at_the_start(&self) -> Option<&Path> {
        self.missing().filter(|_| self.is_ours)
    }

    /// Whether the secret beside the file is made at the first start.
    pub fn lacks_what_is_made(&self) -> bool {
        self.file.is_some() && self.lacks.is_some()
    }

    /// The environment with a random secret where there is none, for who signs nothing.
    pub fn with_stand_in(self) -> io::Result<Environment> {
        match self.lacks {
            Some(variable) => {
                let mut random = [0_u8; 32];
                let filled = aws_lc_rs::rand::fill(&mut random);
                filled.map_err(|_| io::Error::other("no source of randomness"))?;
                let secret: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
                Ok(self.env.with_default(variable, secret))
            }
            None => Ok(self.env),
        }
    }
}

/// The address of the store, where the environment has one.
fn address(env: &Environment) -> Option<&str> {
    let ours = |url: &&str| {
        ["sqlite:", "postgres:", "postgresql:"]
            .iter()
            .any(|scheme| url.starts_with(scheme))
    };
    env.get("SESSION_STORE")
        .or_else(|| env.get("DATABASE_URL").filter(ours))
}

/// The folder that the first start makes.
fn folder(env: &Environment) -> PathBuf {
    let data = env.get("XDG_DATA_HOME").map(PathBuf::from);
    let home = || Some(Path::new(env.get("HOME")?).join(".local/share"));
    let data = data.filter(|data| data.is_absolute()).or_else(home);
    data.unwrap_or_default().join("tower-jwt-session")
}

/// The secret that the first start makes beside the file, and the variable that names it; `None`
/// where the environment has one.
fn secret_beside(file: &Path, env: &Environment) -> Option<(&'static str, PathBuf)> {
    let is_set = |name: &&str| env.get(name).is_some();
    if !SIGNING.iter().any(is_set) {
        return Some(("JWT_SECRET_FILE", file.with_extension("secret")));
    }
    // A private key makes no refresh tokens.
    let lacks = is_set(&"JWT_PRIVATE_KEY_FILE") && !REFRESHING.iter().any(is_set);
    lacks.then(|| {
        (
            "JWT_REFRESH_SECRET_FILE",
            file.with_extension("refresh-secret"),
        )
    })
}

const SIGNING: [&str; 4] = [
    "JWT_SECRET",
    "JWT_SECRET_KEY",
    "JWT_SECRET_FILE",
    "JWT_PRIVATE_KEY_FILE",
];
const REFRESHING: [&str; 2] = ["JWT_REFRESH_SECRET", "JWT_REFRESH_SECRET_FILE"];
