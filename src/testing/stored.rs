//! What a store hands back, be it anything: for fuzzing alone.

use crate::clock::UnixTime;
use crate::revocation::EntryId;
use crate::stores::codec;
use crate::stores::redis::anything;
use crate::token::SessionId;

const NOW: UnixTime = UnixTime::from_secs(1_800_000_000);

/// Rows of SQLite and PostgreSQL.
///
/// # Panics
///
/// If a line of the log is read as one about somebody else.
pub fn texts(subject: &str, text: &str) {
    codec::decode_session(SessionId::random(), text);
    let entry = codec::decode_entry(EntryId::random(), subject, NOW, text, NOW);
    if let Some(entry) = entry {
        assert_eq!(codec::subject_of(&entry.revoked), subject);
    }
}

/// Answers of Redis.
pub fn replies(bytes: &[u8]) {
    anything::read(bytes);
}
