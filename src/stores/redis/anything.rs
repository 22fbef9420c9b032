//! Bytes that may be anything, read as each of the answers: for fuzzing alone.

use super::reply;

/// All may fail, and none may panic.
pub(crate) fn read(bytes: &[u8]) {
    let Ok(value) = redis::parse_redis_value(bytes) else {
        return;
    };
    // What was read is of no use here.
    let _ = reply::stored(value.clone());
    let _ = reply::sessions(value.clone());
    let _ = reply::standing(value.clone());
    if let Ok(piece) = reply::piece(value.clone()) {
        let _ = reply::entries_of(piece.new, piece.poll.now);
    }
    let _ = reply::glance(value);
}
