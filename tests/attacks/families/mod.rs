//! The attacks that need no more than a token, by family.

mod algorithm;
mod claims;
mod header;
mod looseness;
mod places;
mod roles;
mod signature;

use crate::case::Case;
use crate::forge::Forge;

/// All of them, against the key of this forge.
pub fn all(forge: &Forge) -> Vec<Case> {
    let mut cases = Vec::new();
    algorithm::add(forge, &mut cases);
    header::add(forge, &mut cases);
    signature::add(forge, &mut cases);
    looseness::add(forge, &mut cases);
    claims::add(forge, &mut cases);
    roles::add(forge, &mut cases);
    places::add(forge, &mut cases);
    cases
}
