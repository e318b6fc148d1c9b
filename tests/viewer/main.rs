//! The page of the process's own, from the wire: what it tells, to whom, and what it costs everybody else.
#![cfg(feature = "viewer")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test stops where it goes wrong"
)]

mod client;
mod ends;
mod figures;
mod guard;
mod hostile;
mod live;
mod numbers;
mod secrets;
mod shows;

use tracing_genai::{Telemetry, TelemetryBuilder};
use tracing_subscriber::prelude::*;

fn builder() -> TelemetryBuilder {
    Telemetry::builder("viewer-test")
        .environment(|_| None)
        .viewer("127.0.0.1:0")
}

fn url(telemetry: &Telemetry) -> String {
    telemetry.viewer().unwrap().url().to_owned()
}

fn record<T>(telemetry: &Telemetry, f: impl FnOnce() -> T) -> T {
    tracing::subscriber::with_default(tracing_subscriber::registry().with(telemetry.layer()), f)
}
