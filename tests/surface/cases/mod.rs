//! The cases.

mod bodies;
mod cookies;
pub mod limits;
mod methods;
mod tokens;
mod walk;

use crate::case::Case;

/// All of them, in the order in which they are sent: what changes nothing first.
pub fn all() -> Vec<Case> {
    let mut cases = bodies::all();
    cases.extend(methods::all());
    cases.extend(tokens::all());
    cases.extend(walk::all());
    cases.extend(cookies::all());
    cases.extend(limits::forwarding());
    cases
}
