//! The figures: each is counted when its thing happens, and documents, dashboard and rules know the same ones.

#[path = "../support/mod.rs"]
mod support;

mod counted;
mod documents;
mod recorder;
mod refused;
mod rules;
mod spans;
mod store;
