//! Lines of the log: nine texts that hold no line feed, one a line, and until when it must be known.

use std::borrow::Cow;

use redis::Value;

use super::error::garbled;
use super::reply::{fixed, hex128, instant, number};
use super::scripts;
use crate::clock::UnixTime;
use crate::error::StoreError;
use crate::revocation::{EndReason, EntryId, RevocationEntry, Revoked};
use crate::stores::codec;
use crate::token::{TokenId, UserId};
use crate::verify::Counter;

pub(super) fn id_of(number: u128) -> EntryId {
    EntryId::from_bytes(number.to_be_bytes())
}

pub(super) fn name_of(id: EntryId) -> String {
    format!("{:032x}", id.as_u128())
}

/// The reason that bears a name.
pub(super) fn reason(name: &str) -> Option<EndReason> {
    serde_json::from_value(serde_json::Value::from(name)).ok()
}

/// An entry as `append` takes it.
pub(super) fn write(entry: &RevocationEntry) -> [String; 11] {
    let none = String::new;
    let name = |user: &Option<UserId>| scripts::optional(user.as_ref());
    let (kind, session, user, token, below, except) = match &entry.revoked {
        Revoked::Roles { user, below } => (
            "roles",
            none(),
            user.to_string(),
            none(),
            scripts::number(below.as_u64()),
            none(),
        ),
        Revoked::Session { session, user } => {
            let session = session.to_string();
            ("session", session, name(user), none(), none(), none())
        }
        Revoked::Token { token, user } => {
            let token = token.to_string();
            ("token", none(), name(user), token, none(), none())
        }
        Revoked::User {
            user,
            below,
            except,
        } => (
            "user",
            none(),
            user.to_string(),
            none(),
            scripts::number(below.as_u64()),
            scripts::optional(*except),
        ),
    };
    [
        name_of(entry.id),
        kind.to_owned(),
        codec::subject_of(&entry.revoked),
        session,
        user,
        token,
        below,
        except,
        entry.reason.to_string(),
        scripts::instant(entry.at),
        scripts::instant(entry.until),
    ]
}

/// A line as a script answers it. One that cannot be read puts out all of its subject; `None`,
/// and a word in the log, where even that cannot be read.
pub(super) fn read(
    value: Value,
    now: UnixTime,
) -> Result<Option<(RevocationEntry, u64)>, StoreError> {
    let [id, place, until, line] = fixed(value)?;
    let (id, until) = (id_of(hex128(id)?), instant(until)?);
    let place = number(place)?;
    Ok(line_of(id, until, line, now).map(|entry| (entry, place)))
}

/// The same, of one whose parts came by themselves.
pub(super) fn line_of(
    id: EntryId,
    until: UnixTime,
    line: Value,
    now: UnixTime,
) -> Option<RevocationEntry> {
    let line = match line {
        Value::BulkString(line) => line,
        _ => Vec::new(),
    };
    let said = String::from_utf8_lossy(&line);
    let parts: Vec<&str> = said.split('\n').collect();
    let sound = matches!(said, Cow::Borrowed(_));
    let read = sound.then(|| entry(id, until, &parts)).flatten();
    read.or_else(|| {
        let subject = parts.get(1).copied().unwrap_or_default();
        codec::decode_entry(id, subject, until, "", now)
    })
}

/// Until when a line says that it must be known, where it stands by that: what it says else has to be
/// asked about.
pub(super) fn says_that_it_stands(line: &Value, now: UnixTime) -> Option<UnixTime> {
    let Value::BulkString(line) = line else {
        return None;
    };
    let mut parts = line.split(|byte| *byte == b'\n');
    let until = parts.nth(9).filter(|_| parts.next().is_none())?;
    // What the scripts take for a number.
    let digits = until.len() <= 16 && until.iter().all(u8::is_ascii_digit);
    let until = str::from_utf8(until).ok().filter(|_| digits)?;
    let until = UnixTime::from_micros(until.parse().ok()?);
    (until > now).then_some(until)
}

fn entry(id: EntryId, until: UnixTime, parts: &[&str]) -> Option<RevocationEntry> {
    let [kind, subject, session, user, token, below, except, why, at] = *parts.first_chunk()?;
    if parts.len() > 10 {
        return None;
    }
    let owner = || match user {
        "" => Some(None),
        user => UserId::new(user).ok().map(Some),
    };
    let counter = || below.parse().ok().map(Counter::from_u64);
    let revoked = match kind {
        "roles" => Revoked::Roles {
            user: UserId::new(user).ok()?,
            below: counter()?,
        },
        "session" => Revoked::Session {
            session: session.parse().ok()?,
            user: owner()?,
        },
        "token" => Revoked::Token {
            token: TokenId::new(token).ok()?,
            user: owner()?,
        },
        "user" => Revoked::User {
            user: UserId::new(user).ok()?,
            below: counter()?,
            except: match except {
                "" => None,
                except => Some(except.parse().ok()?),
            },
        },
        _ => return None,
    };
    (codec::subject_of(&revoked) == subject).then_some(RevocationEntry {
        id,
        revoked,
        reason: reason(why)?,
        at: UnixTime::from_micros(at.parse().ok()?),
        until,
    })
}

/// Whose entry it is, where that is known.
pub(super) fn owner(entry: &RevocationEntry) -> Option<&UserId> {
    match &entry.revoked {
        Revoked::Roles { user, .. } | Revoked::User { user, .. } => Some(user),
        Revoked::Session { user, .. } | Revoked::Token { user, .. } => user.as_ref(),
    }
}

/// The one entry that a revocation must have left.
pub(super) fn expect_one<T>(entries: &[T]) -> Result<(), StoreError> {
    if entries.is_empty() {
        Err(garbled())
    } else {
        Ok(())
    }
}
