//! The commands of the flagship, as an operator runs them, and its keys while it runs.

mod copying;
mod doctor;
#[path = "../folder/mod.rs"]
mod folder;
#[path = "../support/postgres.rs"]
mod postgres;
#[path = "../redis_server/mod.rs"]
mod redis_server;
mod rotation;
#[path = "../axum_flagship/server.rs"]
mod server;
mod sessions;

use std::path::Path;
use std::process::Output;

use sqlx::ConnectOptions;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};

use crate::server::command;

pub const ADA: &str = "ada@example.com";
pub const SECRET: &str = "8e6f1a3c5d7b9f0e2a4c6d8e0f1b3a5c7d9e";

/// What a command came to.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Done {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("what it says is text");
        Self {
            code: output.status.code().expect("it ended by itself"),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }

    #[track_caller]
    pub fn succeeded(self) -> Self {
        assert_eq!(self.code, 0, "{self:?}");
        self
    }
}

/// A connection to a file beside whoever has it open.
pub async fn connection(file: &Path) -> SqliteConnection {
    let options = SqliteConnectOptions::new().filename(file);
    options.connect().await.expect("it is a file of ours")
}

/// A backup as SQLite makes one: what waits in its log is in it.
pub async fn back_up(file: &Path, to: &Path) {
    let backup = sqlx::query("VACUUM INTO ?").bind(to.display().to_string());
    let done = backup.execute(&mut connection(file).await).await;
    done.expect("the disk has room");
}

/// Runs a command to its end, with nobody at the terminal; unless it is said otherwise it waits for
/// its store however busy the machine is.
pub fn run(args: &[&str], variables: &[(&str, &str)]) -> Done {
    let variables = [&[("STORE_TIMEOUT", "20s")], variables].concat();
    let mut command = command(args, &variables);
    command.stdin(std::process::Stdio::null());
    Done::of(command.output().expect("the example was just built"))
}
