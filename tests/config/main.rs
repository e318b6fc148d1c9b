//! Settings from a file, and what can be switched while an installation runs.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it goes wrong"
)]

#[path = "../support/mod.rs"]
mod support;

mod file;
mod keys;
mod precedence;
mod reload;
mod seed;
mod switches;
