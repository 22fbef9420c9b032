//! The command line: without a command it serves.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Sessions, in one server that needs nothing installed. Everything is configured by the
/// environment; docs/configuration.md has the variables.
#[derive(Parser)]
#[command(name = "sessions")]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Subcommand)]
pub enum Command {
    /// Looks at the configuration, the files and the store, and changes nothing. Exits with 0 where
    /// all is well, 1 for warnings, 2 for failures.
    Doctor(Doctor),
    /// Asks the server that runs with this environment whether it is ready, for a container's check.
    Health,
    /// Prints the public half of a private key, for JWT_JWKS_FILE.
    Jwks {
        /// The PEM file.
        file: PathBuf,
        /// What it is for, as ES256 or EdDSA.
        #[arg(long)]
        algorithm: String,
    },
    /// Lists, ends, exports, cleans up and copies sessions.
    #[command(subcommand)]
    Sessions(Sessions),
}

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Doctor {
    /// Prints JSON.
    #[arg(long)]
    pub json: bool,
    /// Exits with 0 although there are warnings, as before a start.
    #[arg(long)]
    pub warnings_pass: bool,
    #[command(subcommand)]
    pub command: Option<Treatment>,
}

#[derive(Subcommand)]
pub enum Treatment {
    /// After a backup of the store was put back: ends every session and raises every user's
    /// counter, so that nothing lives again that was revoked after the backup.
    Restore {
        /// Only says what would be done.
        #[arg(long)]
        dry_run: bool,
        /// Does not ask.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Subcommand)]
pub enum Sessions {
    /// Lists live sessions, oldest first.
    List {
        /// Only those of a user, by id or e-mail address.
        #[arg(long)]
        user: Option<String>,
        /// Those that ended, instead; needs --user.
        #[arg(long, requires = "user")]
        ended: bool,
        /// Prints JSON.
        #[arg(long)]
        json: bool,
    },
    /// Ends one session, all of a user, or all.
    End {
        #[command(flatten)]
        which: Which,
        /// Why, as it is told and listed.
        #[arg(long, value_enum, default_value_t)]
        reason: Reason,
        /// Does not ask.
        #[arg(long)]
        yes: bool,
    },
    /// Writes sessions down for another program. Nothing in it can be used to sign in.
    Export {
        #[arg(long, value_enum)]
        format: Format,
        /// Those that ended, too.
        #[arg(long)]
        ended: bool,
        /// A new file, for its owner alone; the standard output without it.
        #[arg(long)]
        output: Option<PathBuf>,
    },
    /// Ends what is over, and forgets what ended long ago. A server that runs does so every minute.
    CleanUp,
    /// Copies everything to another store; goes on where it was stopped.
    Copy(Copy),
}

#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct Which {
    /// The session.
    pub id: Option<String>,
    /// All of a user, by id or e-mail address.
    #[arg(long)]
    pub user: Option<String>,
    /// All of everybody.
    #[arg(long)]
    pub all: bool,
}

#[derive(Args)]
pub struct Copy {
    /// The address of the old store, as SESSION_STORE holds one, or env:NAME for that of a variable.
    #[arg(long)]
    pub from: String,
    /// The address of the new one.
    #[arg(long)]
    pub to: String,
    /// The new store was copied to before: takes over what changed, and ends what only it has.
    #[arg(long)]
    pub again: bool,
    /// Where it is written down how far the copy has come.
    #[arg(long, default_value = "sessions-copy.json")]
    pub position: PathBuf,
}

#[derive(Clone, Copy, Default, ValueEnum)]
pub enum Reason {
    #[default]
    AdminRevoked,
    PasswordChanged,
    SignedOut,
    UserRemoved,
    UserRevoked,
}

#[derive(Clone, Copy, ValueEnum)]
pub enum Format {
    Csv,
    Json,
}
