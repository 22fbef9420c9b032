//! What scripts answer.

use redis::Value;

use super::entries;
use super::error::garbled;
use super::records;
use super::scripts::LIMIT;
use crate::clock::UnixTime;
use crate::error::StoreError;
use crate::revocation::{Cursor, EndReason, EntryId, Glance, NodeId, RevocationEntry};
use crate::session::{Counters, SessionRecord, StoredSession};
use crate::token::SessionId;
use crate::verify::Counter;

/// What a script answered, without the names of records that it could not read: those are told.
pub(super) fn answer(value: Value) -> Result<Value, StoreError> {
    let [answer, bad] = fixed(value)?;
    for id in list(bad)? {
        let session = text(id)?;
        tracing::error!(session, "skipped a session record that cannot be read");
    }
    Ok(answer)
}

pub(super) fn list(value: Value) -> Result<Vec<Value>, StoreError> {
    match value {
        Value::Array(values) => Ok(values),
        _ => Err(garbled()),
    }
}

pub(super) fn fixed<const N: usize>(value: Value) -> Result<[Value; N], StoreError> {
    list(value)?.try_into().map_err(|_| garbled())
}

pub(super) fn text(value: Value) -> Result<String, StoreError> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).map_err(|_| garbled()),
        Value::SimpleString(text) => Ok(text),
        Value::Int(number) => Ok(number.to_string()),
        _ => Err(garbled()),
    }
}

pub(super) fn number(value: Value) -> Result<u64, StoreError> {
    text(value)?.parse().map_err(|_| garbled())
}

/// A score of a sorted set, where that is a whole number: as text, however the server writes it,
/// or as a number where the connection knows these.
pub(super) fn score(value: Value) -> Result<u64, StoreError> {
    let score = match value {
        Value::Double(score) => score,
        value => {
            let text = text(value)?;
            if let Ok(score) = text.parse() {
                return Ok(score);
            }
            text.parse().map_err(|_| garbled())?
        }
    };
    let whole = (0.0..=LIMIT as f64).contains(&score) && score.fract() == 0.0;
    whole.then_some(score as u64).ok_or_else(garbled)
}

pub(super) fn instant(value: Value) -> Result<UnixTime, StoreError> {
    number(value).map(UnixTime::from_micros)
}

pub(super) fn hex128(value: Value) -> Result<u128, StoreError> {
    u128::from_str_radix(&text(value)?, 16).map_err(|_| garbled())
}

/// A part that may be missing.
pub(super) fn optional<T>(
    value: Value,
    read: impl FnOnce(Value) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    match value {
        Value::Nil | Value::Boolean(false) => Ok(None),
        value => read(value).map(Some),
    }
}

pub(super) fn reason(value: Value) -> Result<EndReason, StoreError> {
    // The record says that it ended; a word that nobody knows does not change that.
    Ok(entries::reason(&text(value)?).unwrap_or(EndReason::AdminRevoked))
}

/// Whether one of several steps failed.
pub(super) fn has_failed(answer: &Value) -> bool {
    let Value::Array(parts) = answer else {
        return false;
    };
    matches!(parts.as_slice(), [Value::BulkString(word)] if word == b"failed")
}

/// A session as it was written down; `None` where nobody can read it.
pub(super) fn record(value: Value) -> Result<Option<SessionRecord>, StoreError> {
    let (id, pairs) = fields(value)?;
    Ok(records::decode(id, pairs))
}

/// The same with what only a store keeps of it.
pub(super) fn stored(value: Value) -> Result<Option<StoredSession>, StoreError> {
    let [session, revoked, roles] = fixed(value)?;
    let (id, pairs) = fields(session)?;
    let counters = Counters {
        revoked_gen: Counter::from_u64(number(revoked)?),
        roles_gen: Counter::from_u64(number(roles)?),
    };
    Ok(records::decode_stored(id, pairs, counters))
}

/// A session's id and its fields.
fn fields(value: Value) -> Result<(SessionId, Vec<(String, String)>), StoreError> {
    let [id, fields] = fixed(value)?;
    let id: SessionId = text(id)?.parse().map_err(|_| garbled())?;
    let mut pairs = Vec::new();
    let mut fields = list(fields)?.into_iter();
    while let (Some(name), Some(value)) = (fields.next(), fields.next()) {
        // Text that is none belongs to a record that is none.
        if let (Ok(name), Ok(value)) = (text(name), text(value)) {
            pairs.push((name, value));
        }
    }
    Ok((id, pairs))
}

pub(super) fn sessions(value: Value) -> Result<Vec<SessionRecord>, StoreError> {
    let read = list(value)?.into_iter().map(record);
    read.filter_map(Result::transpose).collect()
}

/// How a part stands, and the lines that a write left there.
pub(super) struct Standing {
    pub(super) now: UnixTime,
    pub(super) history: u128,
    pub(super) lines: Vec<(RevocationEntry, u64)>,
    pub(super) leases: Vec<PartLease>,
}

/// How far a node has read a part.
pub(super) struct PartLease {
    pub(super) node: NodeId,
    pub(super) history: u128,
    pub(super) applied: Option<u64>,
    pub(super) until: UnixTime,
}

/// What a part answers to a poll.
pub(super) struct PartPoll {
    pub(super) now: UnixTime,
    pub(super) history: u128,
    pub(super) end: u64,
    pub(super) entries: Vec<RevocationEntry>,
    pub(super) missing: Vec<EntryId>,
}

/// The same of a log of which more may follow, with its lines as they came.
pub(super) struct Piece {
    pub(super) poll: PartPoll,
    pub(super) new: Value,
    pub(super) more: bool,
}

fn lines(value: Value, now: UnixTime) -> Result<Vec<(RevocationEntry, u64)>, StoreError> {
    let read = list(value)?.into_iter();
    let read = read.map(|line| entries::read(line, now));
    read.filter_map(Result::transpose).collect()
}

pub(super) fn standing(value: Value) -> Result<Standing, StoreError> {
    let [now, history, held, leased] = fixed(value)?;
    let now = instant(now)?;
    Ok(Standing {
        now,
        history: hex128(history)?,
        lines: lines(held, now)?,
        leases: leases(leased)?,
    })
}

pub(super) fn piece(value: Value) -> Result<Piece, StoreError> {
    let [now, history, end, new, missing, more] = fixed(value)?;
    let missing = list(missing)?.into_iter();
    Ok(Piece {
        poll: PartPoll {
            now: instant(now)?,
            history: hex128(history)?,
            end: number(end)?,
            entries: Vec::new(),
            missing: missing
                .map(|id| hex128(id).map(entries::id_of))
                .collect::<Result<_, _>>()?,
        },
        new,
        more: number(more)? > 0,
    })
}

/// The entries of a log, and when it was read.
pub(super) fn log(value: Value) -> Result<Vec<RevocationEntry>, StoreError> {
    let [now, lines] = fixed(value)?;
    entries_of(lines, instant(now)?)
}

pub(super) fn glance(value: Value) -> Result<Glance, StoreError> {
    let [now, new, last] = fixed(value)?;
    Ok(Glance {
        entries: entries_of(new, instant(now)?)?,
        cursor: optional(last, number)?.map(|last| Cursor(vec![last])),
    })
}

pub(super) fn entries_of(value: Value, now: UnixTime) -> Result<Vec<RevocationEntry>, StoreError> {
    let read = lines(value, now)?.into_iter();
    Ok(read.map(|(entry, _)| entry).collect())
}

/// Leases that cannot be read are left out: whoever holds one stops by itself.
fn leases(value: Value) -> Result<Vec<PartLease>, StoreError> {
    let mut flat = list(value)?.into_iter();
    let mut leases = Vec::new();
    while let (Some(node), Some(held)) = (flat.next(), flat.next()) {
        leases.extend(lease(hex128(node)?, &text(held)?));
    }
    Ok(leases)
}

fn lease(node: u128, held: &str) -> Option<PartLease> {
    let mut words = held.split(' ');
    let history = u128::from_str_radix(words.next()?, 16).ok()?;
    let until = words.next()?.parse().ok()?;
    let applied = match words.next()? {
        "" => None,
        read => Some(read.parse().ok()?),
    };
    Some(PartLease {
        node: NodeId(node),
        history,
        applied,
        until: UnixTime::from_micros(until),
    })
}
