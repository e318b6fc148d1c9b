//! Telemetry with a spool: outages, crashes, full disks and damaged files cost nothing, or what is said.
//!
//! Every test ends with the law `accepted = delivered + rejected + Σ dropped + pending`, and with what the collector itself counted.
#![cfg(all(unix, feature = "otlp"))]
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "figures, and what could not be run, are for who runs it"
)]

#[path = "../support/mod.rs"]
mod support;

mod crash;
mod disk;
mod law;
mod outage;
mod run;
mod sharing;
