//! What is unusual: the cases of the document, and what comes of a signal in a service.

mod cases;
mod clock;
mod cookie;
mod devices;
#[path = "../support/mod.rs"]
mod support;
mod verdicts;
mod watched;
