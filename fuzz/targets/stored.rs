//! What a store hands back, be it anything: read, or skipped, and never a panic. A line of the log that can be told to
//! be about somebody puts out no less than it meant.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tower_jwt_session::testing::stored;

fuzz_target!(|data: &[u8]| {
    stored::replies(data);
    let text = String::from_utf8_lossy(data);
    let (subject, text) = text.split_once('\n').unwrap_or(("user:ada", &text));
    stored::texts(subject, text);
});
