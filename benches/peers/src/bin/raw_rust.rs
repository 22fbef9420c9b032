//! jsonwebtoken, by hand, over rust_crypto.

#[path = "../raw/mod.rs"]
mod raw;

fn main() {
    raw::main();
}
