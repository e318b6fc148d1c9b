//! The scanner: what it finds, what it leaves alone, and how it fails.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops where it goes wrong"
)]

mod benign;
mod cases;
mod checks;
mod history;
mod lists;
mod properties;
mod streams;
