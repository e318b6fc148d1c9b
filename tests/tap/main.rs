//! The HTTP tap: real clients against a real server on loopback, and what is recorded of their calls.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it goes wrong"
)]
#![allow(
    unreachable_pub,
    missing_debug_implementations,
    reason = "nobody's API"
)]

#[path = "../support/mod.rs"]
mod support;

mod bytes;
mod clients;
mod endings;
mod enriching;
mod estimates;
mod metrics;
mod own_span;
mod provider_samples;
mod secrets;
mod server;
mod stacking;
mod wire_text;
