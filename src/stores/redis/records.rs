//! Sessions as hashes: what scripts decide by is one field of numbers, the rest is text.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::entries;
use crate::clock::UnixTime;
use crate::session::refresh::{RefreshState, SeedHash};
use crate::session::{Ended, NewSession, SessionChange, SessionRecord};
use crate::token::{SessionId, UserId};
use crate::verify::Counter;

/// The fields of a new session that scripts only keep.
pub(super) fn kept_fields(new: &NewSession) -> Vec<String> {
    let mut fields = Vec::new();
    let mut keep = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            fields.extend([name.to_owned(), value]);
        }
    };
    keep("dv", json(&new.device));
    keep("au", json(&new.authentication));
    keep("tr", json(&new.transport));
    keep("nm", new.name.as_ref().and_then(json));
    keep("dt", new.data.as_ref().and_then(json));
    fields
}

/// The fields that a change writes; an empty value takes one away.
pub(super) fn changed_fields(change: &SessionChange) -> Vec<String> {
    let text = |value: &Option<String>| value.as_ref().and_then(json).unwrap_or_default();
    match change {
        SessionChange::Authenticated { at, authentication } => vec![
            "aa".to_owned(),
            super::scripts::instant(*at),
            "au".to_owned(),
            json(authentication).unwrap_or_default(),
        ],
        SessionChange::Data(data) => vec!["dt".to_owned(), text(data)],
        SessionChange::Name(name) => vec!["nm".to_owned(), text(name)],
    }
}

/// The session of these fields; `None`, and a word in the log, where they are not those of one.
pub(super) fn decode(id: SessionId, pairs: Vec<(String, String)>) -> Option<SessionRecord> {
    let kept: HashMap<String, String> = pairs.into_iter().collect();
    let state = kept.get("st").map(String::as_str).unwrap_or_default();
    let state = state.split(' ').collect();
    let record = Fields { state, kept: &kept }.record(id);
    if record.is_none() {
        tracing::error!(session = %id, "skipped a session record that cannot be read");
    }
    record
}

struct Fields<'a> {
    /// What is in the field `st`.
    state: Vec<&'a str>,
    kept: &'a HashMap<String, String>,
}

impl Fields<'_> {
    fn record(&self, id: SessionId) -> Option<SessionRecord> {
        Some(SessionRecord {
            id,
            user: UserId::new(self.get("u")?).ok()?,
            device: self.json("dv")?,
            name: self.optional("nm", Self::json)?,
            created_at: self.instant("c")?,
            last_active_at: self.instant("la")?,
            authenticated_at: self.instant("aa")?,
            authentication: self.json("au")?,
            transport: self.json("tr")?,
            revoked_gen: Counter::from_u64(self.parse("rg")?),
            spared: Counter::from_u64(self.parse("sp")?),
            refresh: self.refresh()?,
            absolute_expires_at: self.instant("ab")?,
            idle_lifetime: match self.get("il")? {
                "-" => None,
                idle => Some(Duration::from_micros(idle.parse().ok()?)),
            },
            refresh_count: self.parse("n")?,
            data: self.optional("dt", Self::json)?,
            ended: self.ended()?,
        })
    }

    fn refresh(&self) -> Option<RefreshState> {
        Some(RefreshState {
            seed: SeedHash::from_bytes(bytes(self.get("seed")?)?),
            generation: self.parse("g")?,
            predecessor: self.parse("p")?,
            rotated_at: self.instant("ra")?,
            used: self.get("us")? != "0",
            ever_used: self.get("eu")? != "0",
            issued_at: self.instant("ia")?,
            access_expires_at: self.instant("ax")?,
            expires_at: self.instant("ex")?,
            predecessor_expires_at: self.instant("px")?,
            operation: self.parse("op")?,
            repeats: self.parse("rp")?,
            repeats_since: self.instant("rs")?,
        })
    }

    /// `Some(None)` for a session that has not ended.
    fn ended(&self) -> Option<Option<Ended>> {
        if !self.kept.contains_key("ea") {
            return Some(None);
        }
        let by = match self.kept.get("eb") {
            Some(by) => Some(UserId::new(by.as_str()).ok()?),
            None => None,
        };
        Some(Some(Ended {
            at: self.instant("ea")?,
            reason: entries::reason(self.get("er")?)?,
            by,
        }))
    }

    fn get(&self, name: &str) -> Option<&str> {
        match STATE.iter().position(|known| *known == name) {
            Some(place) => self.state.get(place).copied(),
            None => self.kept.get(name).map(String::as_str),
        }
    }

    fn parse<T: FromStr>(&self, name: &str) -> Option<T> {
        self.get(name)?.parse().ok()
    }

    fn instant(&self, name: &str) -> Option<UnixTime> {
        self.parse(name).map(UnixTime::from_micros)
    }

    fn json<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        serde_json::from_str(self.get(name)?).ok()
    }

    /// `Some(None)` where there is no such field, `None` where it cannot be read.
    fn optional<T>(
        &self,
        name: &str,
        read: impl FnOnce(&Self, &str) -> Option<T>,
    ) -> Option<Option<T>> {
        if self.kept.contains_key(name) {
            read(self, name).map(Some)
        } else {
            Some(None)
        }
    }
}

fn json(value: &impl Serialize) -> Option<String> {
    serde_json::to_string(value).ok()
}

fn bytes(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(bytes)
}

/// What the field `st` holds, in its order; the scripts know the same. The last is theirs alone.
const STATE: [&str; 20] = [
    "c", "la", "rg", "sp", "g", "p", "ra", "us", "eu", "ia", "ax", "ex", "px", "rp", "rs", "ab",
    "n", "op", "il", "lv",
];
