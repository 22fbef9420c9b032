//! The scripts that make each step atomic, and what they are handed.

use std::sync::LazyLock;
use std::time::Duration;

use redis::Script;

use crate::clock::UnixTime;

macro_rules! scripts {
    ($($name:ident)*) => {
        /// One script for each verb. What they decide is what `session::refresh`,
        /// `session::limit` and `session::record` decide.
        pub(super) struct Scripts {
            $(pub(super) $name: Script,)*
        }

        pub(super) static SCRIPTS: LazyLock<Scripts> = LazyLock::new(|| Scripts {
            $($name: Script::new(concat!(
                include_str!("lua/common.lua"),
                include_str!("lua/token_id.lua"),
                include_str!("lua/sessions.lua"),
                include_str!(concat!("lua/", stringify!($name), ".lua")),
            )),)*
        });
    };
}

scripts! {
    append ask attach change count counters end_all end_one find leases list page poll probe
    raise_roles refresh sign_in sweep touch
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

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(super) fn flag(value: bool) -> String {
    u8::from(value).to_string()
}
