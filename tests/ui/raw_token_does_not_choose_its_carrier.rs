//! Nobody passes a text off as one that came in a header.
use tower_jwt_session::token::{Carrier, RawToken};

fn main() {
    let _ = RawToken::new(b"a.b.c", Carrier::Bearer);
}
