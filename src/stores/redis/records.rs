//! Sessions as hashes: what scripts decide by is one field of numbers, the rest is text.

use std::collections::HashMap;
use std::str::FromStr;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::entries;
use crate::clock::UnixTime;
use crate::session::refresh::{RefreshState, SeedHash};
use crate::session::{Counters, Ended, NewSession, SessionChange, SessionRecord, StoredSession};
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
        SessionChange::Flag(flag) => vec!["fl".to_owned(), text(flag)],
        SessionChange::Name(name) => vec!["nm".to_owned(), text(name)],
        SessionChange::Seen(seen) => vec!["se".to_owned(), text(seen)],
    }
}

/// All fields of a session, as `import` takes them; `None` where one cannot be written down.
pub(super) fn all_fields(stored: &StoredSession) -> Option<Vec<String>> {
    use super::scripts::{duration, flag, instant, number};
    use crate::stores::codec::hex;
    let (record, refresh) = (&stored.record, &stored.record.refresh);
    let mut fields = vec![
        ("u", record.user.to_string()),
        ("seed", hex(refresh.seed.as_bytes())),
        ("so", hex(&stored.operation)),
        ("c", instant(record.created_at)),
        ("la", instant(record.last_active_at)),
        ("aa", instant(record.authenticated_at)),
        ("rg", number(record.revoked_gen.as_u64())),
        ("sp", number(record.spared.as_u64())),
        ("g", refresh.generation.to_string()),
        ("p", refresh.predecessor.to_string()),
        ("ra", instant(refresh.rotated_at)),
        ("us", flag(refresh.used)),
        ("eu", flag(refresh.ever_used)),
        ("ia", instant(refresh.issued_at)),
        ("ax", instant(refresh.access_expires_at)),
        ("ex", instant(refresh.expires_at)),
        ("px", instant(refresh.predecessor_expires_at)),
        ("op", refresh.operation.to_string()),
        ("rp", refresh.repeats.to_string()),
        ("rs", instant(refresh.repeats_since)),
        ("ab", instant(record.absolute_expires_at)),
        ("n", record.refresh_count.to_string()),
        ("lv", living(refresh)),
        ("dv", json(&record.device)?),
        ("au", json(&record.authentication)?),
        ("tr", json(&record.transport)?),
    ];
    let optional = [
        ("il", record.idle_lifetime.map(duration)),
        ("nm", record.name.as_ref().and_then(json)),
        ("dt", record.data.as_ref().and_then(json)),
        ("se", record.seen.as_ref().and_then(json)),
        ("fl", record.flag.as_ref().and_then(json)),
    ];
    fields.extend(
        optional
            .into_iter()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    if let Some(ended) = &record.ended {
        fields.extend([("ea", instant(ended.at)), ("er", ended.reason.to_string())]);
        fields.extend(ended.by.as_ref().map(|by| ("eb", by.to_string())));
        fields.extend(stored.ended_by.map(|by| ("ee", entries::name_of(by))));
    }
    let flat = fields
        .into_iter()
        .flat_map(|(name, value)| [name.to_owned(), value]);
    Some(flat.collect())
}

/// The generations whose access tokens may not have expired: which of them have is not known of
/// another store's session, so all that a session remembers, until the last one's end.
fn living(refresh: &RefreshState) -> String {
    let first = refresh.generation.saturating_sub(REMEMBERED - 1).max(1);
    let exp = super::scripts::instant(refresh.access_expires_at);
    let living = (first..=refresh.generation).map(|generation| format!("{generation}:{exp}"));
    living.collect::<Vec<_>>().join(",")
}

/// The session of these fields with what only a store keeps of it.
pub(super) fn decode_stored(
    id: SessionId,
    pairs: Vec<(String, String)>,
    counters: Counters,
) -> Option<StoredSession> {
    let of = |wanted: &str| {
        let found = pairs.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str())
    };
    let operation = of("so").and_then(bytes)?;
    let ended_by = of("ee").and_then(|by| u128::from_str_radix(by, 16).ok());
    Some(StoredSession {
        operation,
        ended_by: ended_by.map(entries::id_of),
        counters,
        record: decode(id, pairs)?,
    })
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
            seen: self.optional("se", Self::json)?,
            flag: self.optional("fl", Self::json)?,
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

/// How many generations a session remembers.
const REMEMBERED: u32 = 64;

/// What the field `st` holds, in its order; the scripts know the same. The last is theirs alone.
const STATE: [&str; 20] = [
    "c", "la", "rg", "sp", "g", "p", "ra", "us", "eu", "ia", "ax", "ex", "px", "rp", "rs", "ab",
    "n", "op", "il", "lv",
];
