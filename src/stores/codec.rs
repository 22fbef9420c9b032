//! How records are written down, and what becomes of one that cannot be read back.
//!
//! An unreadable session is as good as none: every question about it is answered with "no". An
//! unreadable line of the log is the other way round, since leaving it out would let somebody in:
//! what its subject says is enough to put out all that it may have meant.

use crate::clock::UnixTime;
use crate::revocation::{EndReason, EntryId, RevocationEntry, Revoked};
use crate::session::SessionRecord;
use crate::token::{SessionId, TokenId, UserId};
use crate::verify::{Counter, TokenFacts};

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |of: u8| char::from(b"0123456789abcdef"[usize::from(of & 0xf)]);
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(*byte));
    }
    text
}

/// The text of a session.
///
/// # Errors
///
/// None that a record can lead to; serialising is fallible in general.
pub(crate) fn encode_session(record: &SessionRecord) -> Result<String, serde_json::Error> {
    serde_json::to_string(record)
}

/// The session that was written down under `id`; `None`, and a word in the log, where the text is
/// not that of a session of this name.
pub(crate) fn decode_session(id: SessionId, text: &str) -> Option<SessionRecord> {
    match serde_json::from_str::<SessionRecord>(text) {
        Ok(record) if record.id == id => Some(record),
        Ok(_) => {
            tracing::error!(session = %id, "skipped a session record that is of another session");
            None
        }
        Err(error) => {
            tracing::error!(session = %id, line = error.line(), column = error.column(), "skipped a session record that cannot be read");
            None
        }
    }
}

/// The text of a line of the log.
///
/// # Errors
///
/// As for [`encode_session`].
pub(super) fn encode_entry(entry: &RevocationEntry) -> Result<String, serde_json::Error> {
    serde_json::to_string(entry)
}

/// The line of the log that was written down with these columns, which count for more than what
/// the text says of them; `None`, and a word in the log, where not even the subject can be read.
pub(crate) fn decode_entry(
    id: EntryId,
    subject: &str,
    until: UnixTime,
    text: &str,
    now: UnixTime,
) -> Option<RevocationEntry> {
    let read = serde_json::from_str::<RevocationEntry>(text);
    if let Ok(entry) = read
        && entry.id == id
        && subject_of(&entry.revoked) == subject
    {
        return Some(RevocationEntry { until, ..entry });
    }
    let Some(revoked) = all_of(subject, now) else {
        tracing::error!(entry = ?id, "skipped a line of the revocation log that cannot be read");
        return None;
    };
    tracing::error!(entry = ?id, "a line of the revocation log cannot be read: all of its subject is out");
    Some(RevocationEntry {
        id,
        revoked,
        reason: EndReason::AdminRevoked,
        at: now,
        until,
    })
}

/// Who a line of the log is about, in a form that can be looked up.
pub(crate) fn subject_of(revoked: &Revoked) -> String {
    match revoked {
        Revoked::Roles { user, .. } | Revoked::User { user, .. } => format!("{USER}{user}"),
        Revoked::Session { session, .. } => format!("{SESSION}{session}"),
        Revoked::Token { token, .. } => format!("{TOKEN}{token}"),
    }
}

/// The subjects whose lines can concern a token; the same one more than once where it has no
/// others.
pub(super) fn subjects_of(facts: &TokenFacts) -> [String; 3] {
    let user = format!("{USER}{}", facts.user);
    let session = facts.session.map(|session| format!("{SESSION}{session}"));
    let token = facts.token.as_ref().map(|token| format!("{TOKEN}{token}"));
    [
        session.unwrap_or_else(|| user.clone()),
        token.unwrap_or_else(|| user.clone()),
        user,
    ]
}

/// The most that a line about a subject can have meant.
fn all_of(subject: &str, now: UnixTime) -> Option<Revoked> {
    if let Some(user) = subject.strip_prefix(USER) {
        return Some(Revoked::User {
            user: UserId::new(user).ok()?,
            below: Counter::ZERO.raised(now),
            except: None,
        });
    }
    if let Some(session) = subject.strip_prefix(SESSION) {
        let session = session.parse().ok()?;
        return Some(Revoked::Session {
            session,
            user: None,
        });
    }
    let token = TokenId::new(subject.strip_prefix(TOKEN)?).ok()?;
    Some(Revoked::Token { token, user: None })
}

const SESSION: &str = "session:";
const TOKEN: &str = "token:";
const USER: &str = "user:";

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime::from_secs(1_000_000);
    const UNTIL: UnixTime = UnixTime::from_secs(2_000_000);

    fn lines() -> [Revoked; 4] {
        let user = UserId::new("session:ada").expect("it is a name");
        let below = Counter::from_u64(7);
        let session = SessionId::random();
        [
            Revoked::Roles {
                user: user.clone(),
                below,
            },
            Revoked::Session {
                session,
                user: Some(user.clone()),
            },
            Revoked::Token {
                token: TokenId::of_generation(session, 1),
                user: Some(user.clone()),
            },
            Revoked::User {
                user,
                below,
                except: Some(session),
            },
        ]
    }

    fn entry(revoked: Revoked) -> RevocationEntry {
        RevocationEntry {
            id: EntryId::random(),
            revoked,
            reason: EndReason::SignedOut,
            at: NOW,
            until: UNTIL,
        }
    }

    #[test]
    fn a_line_of_the_log_is_read_back_as_it_was_written() {
        for revoked in lines() {
            let entry = entry(revoked);
            let text = encode_entry(&entry).expect("it can be written");
            let subject = subject_of(&entry.revoked);
            let read = decode_entry(entry.id, &subject, UNTIL, &text, NOW);
            assert_eq!(read, Some(entry));
        }
    }

    #[test]
    fn an_unreadable_line_puts_out_all_of_its_subject() {
        for revoked in lines() {
            let subject = subject_of(&revoked);
            let read = decode_entry(EntryId::random(), &subject, UNTIL, "{", NOW);
            let read = read.expect("its subject can be read");
            assert_eq!(subject_of(&read.revoked), subject);
            assert_eq!(read.until, UNTIL);
        }
    }

    #[test]
    fn a_line_under_another_name_or_subject_is_not_believed() {
        let [roles, session, ..] = lines();
        let (entry, subject) = (entry(roles), subject_of(&session));
        let text = encode_entry(&entry).expect("it can be written");
        let read = decode_entry(entry.id, &subject, UNTIL, &text, NOW);
        let read = read.expect("its subject can be read");
        assert!(matches!(read.revoked, Revoked::Session { user: None, .. }));
        let subject = subject_of(&entry.revoked);
        let read = decode_entry(EntryId::random(), &subject, UNTIL, &text, NOW);
        let read = read.expect("its subject can be read");
        assert!(matches!(read.revoked, Revoked::User { .. }));
    }

    #[test]
    fn what_has_no_subject_is_skipped() {
        for subject in ["", "nobody", "session:x", "user:"] {
            let read = decode_entry(EntryId::random(), subject, UNTIL, "{}", NOW);
            assert_eq!(read, None, "{subject:?}");
        }
    }

    #[test]
    fn a_session_record_that_is_none_is_as_good_as_none() {
        for text in ["", "{}", "null", "[1]", "{\"id\":1}"] {
            assert_eq!(decode_session(SessionId::random(), text), None, "{text:?}");
        }
    }
}
