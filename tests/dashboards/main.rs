//! The dashboards, alerts and the compose file of `examples/observability`: whole, consistent, and full of data when real backends
//! are fed.
//!
//! `eval "$(.ci/backends start collector jaeger prometheus)" && cargo test --test dashboards -- --ignored`
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test stops where it goes wrong"
)]

mod board;
mod feed;
mod files;
mod http;
mod live;
mod metrics;
mod others;
