//! jsonwebtoken, by hand, over aws_lc_rs.

#[path = "../raw/mod.rs"]
mod raw;

fn main() {
    raw::main();
}
