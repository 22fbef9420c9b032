//! The scripts that make each step atomic, and what they are handed.

use std::sync::LazyLock;
use std::time::Duration;

use redis::aio::ConnectionLike;
use redis::{Cmd, ErrorKind, RedisResult, Script, ServerErrorKind, Value};

use crate::clock::UnixTime;

/// A script: what it begins with, and what it is.
macro_rules! script {
    // Each function is made anew whenever a script runs. What most sign-ins and refreshes do
    // without is made by those that need it.
    (seldom writing: $name:ident) => {
        script!(
            include_str!("lua/common.lua"),
            include_str!("lua/sessions.lua"),
            "local made\nlocal function writing()\nif made then return made end\n",
            include_str!("lua/token_id.lua"),
            include_str!("lua/writing.lua"),
            include_str!("lua/made.lua"),
            "end\n",
            include_str!(concat!("lua/", stringify!($name), ".lua"))
        )
    };
    ($name:ident $($before:literal)?) => {
        script!(
            $(include_str!($before),)?
            include_str!("lua/common.lua"),
            include_str!("lua/sessions.lua"),
            include_str!("lua/token_id.lua"),
            include_str!("lua/writing.lua"),
            include_str!(concat!("lua/", stringify!($name), ".lua"))
        )
    };
    // They write, so a server that may not be written to refuses them.
    ($($part:expr),*) => { Verb::new(concat!("#!lua\n", $($part),*)) };
}

macro_rules! scripts {
    ($($name:ident $($before:literal)?)*; seldom writing: $($plain:ident)*) => {
        /// One script for each verb. What they decide is what `session::refresh`,
        /// `session::limit` and `session::record` decide.
        pub(super) struct Scripts {
            $(pub(super) $name: Verb,)*
            $(pub(super) $plain: Verb,)*
        }

        pub(super) static SCRIPTS: LazyLock<Scripts> = LazyLock::new(|| Scripts {
            $($name: script!($name $($before)?),)*
            $($plain: script!(seldom writing: $plain),)*
        });
    };
}

scripts! {
    append ask "lua/alive.lua" attach audit_forget audit_put audit_read audit_tidy change count counters end_all end_one export export_log find glance import leases list page poll population probe raise_roles sweep touch;
    seldom writing: refresh sign_in
}

/// A script, which a server knows by its hash once it ran there.
pub(super) struct Verb {
    text: &'static str,
    hash: Script,
}

impl Verb {
    fn new(text: &'static str) -> Self {
        Self {
            text,
            hash: Script::new(text),
        }
    }

    /// Runs it; by its text where the server does not know it, as one that joined a cluster.
    pub(super) async fn run(
        &self,
        wire: &mut (impl ConnectionLike + Send),
        keys: &[String; 2],
        args: &[String],
    ) -> RedisResult<Value> {
        let call = |command: &str, script: &str| {
            let mut call = Cmd::new();
            call.arg(command)
                .arg(script)
                .arg(keys.len())
                .arg(keys)
                .arg(args);
            call
        };
        match call("EVALSHA", self.hash.get_hash())
            .query_async(wire)
            .await
        {
            Err(error) if error.kind() == ErrorKind::Server(ServerErrorKind::NoScript) => {
                call("EVAL", self.text).query_async(wire).await
            }
            answer => answer,
        }
    }
}

/// The largest whole number that a script can count with.
pub(super) const LIMIT: u64 = (1 << 53) - 1;

/// A number as scripts read it.
pub(super) fn number(value: u64) -> String {
    value.min(LIMIT).to_string()
}

pub(super) fn instant(at: UnixTime) -> String {
    number(at.as_micros())
}

pub(super) fn duration(duration: Duration) -> String {
    number(u64::try_from(duration.as_micros()).unwrap_or(LIMIT))
}

/// An optional text, where none is the empty one.
pub(super) fn optional<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

pub(super) fn flag(value: bool) -> String {
    u8::from(value).to_string()
}
