//! What a database of events keeps, posted in batches to a web service: `cargo run --example forwarder`
//!
//! The forwarder is stopped in between, as if the process had ended, and goes on where it stopped.
#![allow(clippy::print_stdout, reason = "an example talks")]

#[path = "support/sink.rs"]
mod sink;

use std::time::Duration;

use tracing_genai::history::SqliteStore;
use tracing_genai::reporter::{Forwarder, HttpTarget};
use tracing_genai::{Telemetry, agent, chat};
use tracing_subscriber::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let directory = tempfile::tempdir()?;
    let store = SqliteStore::builder()
        .path(directory.path().join("events.db"))
        .open()?;
    let telemetry = Telemetry::builder("planner")
        .history(store.clone())
        .build()?;
    tracing_subscriber::registry()
        .with(telemetry.layer())
        .init();
    let service = sink::Sink::start()?;

    for round in 1..=2 {
        for _ in 0..5 {
            agent("planner").in_scope(|_| {
                chat("openai", "gpt-4o-mini").start().complete();
                Ok::<_, std::fmt::Error>(())
            })?;
        }
        telemetry.flush(Duration::from_secs(5));

        let forwarding = Forwarder::new(
            store.clone(),
            HttpTarget::new(service.url()).api_key("secret"),
        )
        .interval(Duration::from_secs(60))
        .batch(8)
        .cursor_file(directory.path().join("events.cursor"))
        .start()?;
        let from = forwarding.stats().cursor;
        let stats = forwarding.flush(Duration::from_secs(5));
        println!(
            "round {round}: from {from} to {}: {}, {} requests so far",
            stats.cursor,
            stats.tally,
            service.requests()
        );
        forwarding.stop();
    }
    Ok(())
}
