//! What a store hands back, be it anything: for fuzzing alone.

use crate::clock::UnixTime;
use crate::revocation::{EntryId, RevocationEntry};
use crate::stores::codec;
use crate::stores::redis::anything;
use crate::token::SessionId;
use crate::verify::Counter;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

/// Rows of SQLite and PostgreSQL.
///
/// # Panics
///
/// If a line of the log is read as one about somebody else, or what was read is written down as something else.
pub fn texts(subject: &str, text: &str) {
    let named = subject
        .strip_prefix("session:")
        .and_then(|id| id.parse().ok());
    let session = named.unwrap_or_else(SessionId::random);
    if let Some(record) = codec::decode_session(session, text) {
        let written = codec::encode_session(&record).expect("a record can be written down");
        let _ = (record.over(NOW, Counter::ZERO, false), record.due_at());
        assert_eq!(codec::decode_session(session, &written), Some(record));
    }
    let own = serde_json::from_str::<RevocationEntry>(text).map(|entry| entry.id);
    for id in own.into_iter().chain([EntryId::random()]) {
        let entry = codec::decode_entry(id, subject, NOW, text, NOW);
        if let Some(entry) = entry {
            // A session has one name, and more than one way to write it.
            let about = named.map_or_else(|| subject.to_owned(), |id| format!("session:{id}"));
            assert_eq!(codec::subject_of(&entry.revoked), about);
        }
    }
}

/// Answers of Redis.
pub fn replies(bytes: &[u8]) {
    anything::read(bytes);
}
