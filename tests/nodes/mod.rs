//! Nodes of one service as processes of their own, on the store of an address.
//!
//! A program starts itself again as a node ([`Launch`]), and that process calls [`program::play`].
//! A command is a line `NUMBER VERB WORDS…` to its input; the answer is a line `@ NUMBER WORDS…` of
//! its output. Commands run side by side.
#![allow(dead_code)]

pub mod cuts;
pub mod gated;
pub mod process;
pub mod program;
pub mod stepping;
pub mod still;

pub use process::{Launch, Node};

/// What every node signs with.
pub const SECRET: &str = "8e6f1a3c5d7b9f0e2a4c6d8e0f1b3a5c7d9e";

/// Set in the environment of a node, and nowhere else.
pub const IS_NODE: &str = "FLEET_NODE";
