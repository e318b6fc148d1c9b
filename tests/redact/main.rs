//! The redactor: what it finds, what it leaves alone, and how it fails.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops where it goes wrong"
)]

mod benign;
mod build;
mod corpus;
mod examples;
mod properties;
mod values;
