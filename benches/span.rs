//! What a span costs the application's thread, beside the bare registry: nanoseconds and allocations.
//!
//! `cargo bench --bench span`. The same workload beside tracing-opentelemetry and fastrace is in `benches/peers/`, a
//! package of its own, so that nobody compiles the peers to run an example.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::print_stdout,
    clippy::unwrap_used
)]

#[path = "support/measure.rs"]
mod measure;
#[path = "support/workload.rs"]
mod workload;

use std::io::Write as _;
use std::net::TcpStream;

use measure::Cost;
use tracing::{Dispatch, Subscriber};
use tracing_genai::history::MemoryStore;
use tracing_genai::otlp::OtlpConfig;
use tracing_genai::{Telemetry, TelemetryBuilder};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::prelude::*;

const BATCHES: usize = 400;

/// A registry without any layer never frees its spans.
struct Nothing;

impl<S: Subscriber> Layer<S> for Nothing {}

fn registry(run: fn()) -> Cost {
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(Nothing));
    measure::cost(&dispatch, 1, BATCHES, run, &|| (), allocations)
}

fn ours(with: fn(TelemetryBuilder) -> TelemetryBuilder, run: fn()) -> Cost {
    let builder = Telemetry::builder("bench").environment(|_| None);
    let telemetry = with(builder).build().unwrap();
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(telemetry.layer()));
    let settle = || {
        let report = telemetry.flush(Telemetry::SHUTDOWN_TIMEOUT);
        assert!(report.is_complete(), "nothing may be lost: {report:?}");
    };
    measure::cost(&dispatch, 1, BATCHES, run, &settle, allocations)
}

/// Exported to a collector that is away, with and without a spool: where batches wait is nothing the application notices.
fn away(spooled: bool, run: fn()) -> Cost {
    let directory = tempfile::tempdir().unwrap();
    let mut builder = Telemetry::builder("bench")
        .environment(|_| None)
        .otlp(OtlpConfig::new().endpoint("http://127.0.0.1:9"));
    if spooled {
        builder = builder.spool(directory.path());
    }
    let telemetry = builder.build().unwrap();
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(telemetry.layer()));
    let settle = || {
        while telemetry.stats().capture.pending > 0 {
            std::thread::yield_now();
        }
        let captured = telemetry.stats().capture;
        assert_eq!(
            captured.total_dropped(),
            0,
            "nothing may be lost: {captured}"
        );
    };
    let cost = measure::cost(&dispatch, 1, BATCHES, run, &settle, allocations);
    telemetry.purge_unsent();
    telemetry.shutdown_within(std::time::Duration::from_millis(100));
    cost
}

/// With a page open: somebody reads everything the viewer tells.
fn watched(run: fn()) -> Cost {
    let builder = Telemetry::builder("bench").environment(|_| None);
    let telemetry = builder.viewer("127.0.0.1:0").build().unwrap();
    let mut page = TcpStream::connect(telemetry.viewer().unwrap().address()).unwrap();
    page.write_all(b"GET /api/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        .unwrap();
    let reader = std::thread::spawn(move || std::io::copy(&mut page, &mut std::io::sink()));
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(telemetry.layer()));
    let settle = || {
        let report = telemetry.flush(Telemetry::SHUTDOWN_TIMEOUT);
        assert!(report.is_complete(), "nothing may be lost: {report:?}");
    };
    let cost = measure::cost(&dispatch, 1, BATCHES, run, &settle, allocations);
    telemetry.shutdown();
    let read = reader.join().unwrap().unwrap();
    assert!(read > 0, "the page was told nothing");
    cost
}

fn allocations(f: &mut dyn FnMut()) -> u64 {
    allocation_counter::measure(f).count_total
}

fn emit() {
    tracing_genai::event("order.placed")
        .attr("order.number", 7)
        .attr("order.currency", "EUR")
        .emit();
}

fn main() {
    let agent = workload::agent_run;
    let plain = workload::plain_run;
    println!("per span                                          time   allocations");
    for (name, spans, cost) in [
        ("agent run, registry", workload::SPANS, registry(agent)),
        ("agent run", workload::SPANS, ours(|b| b, agent)),
        (
            "agent run, events kept in a history",
            workload::SPANS,
            ours(|b| b.history(MemoryStore::new()), agent),
        ),
        (
            "agent run, no context activation",
            workload::SPANS,
            ours(|b| b.activate_context(false), agent),
        ),
        (
            "agent run, collector away, in memory",
            workload::SPANS,
            away(false, agent),
        ),
        (
            "agent run, collector away, spooled",
            workload::SPANS,
            away(true, agent),
        ),
        (
            "agent run, viewer",
            workload::SPANS,
            ours(|b| b.viewer("127.0.0.1:0"), agent),
        ),
        (
            "agent run, viewer, looked at",
            workload::SPANS,
            watched(agent),
        ),
        ("an emitted event", 1, ours(|b| b, emit)),
        (
            "an emitted event, events kept in a history",
            1,
            ours(|b| b.history(MemoryStore::new()), emit),
        ),
        (
            "nothing of GenAI, registry",
            workload::PLAIN_SPANS,
            registry(plain),
        ),
        (
            "nothing of GenAI, genai_only",
            workload::PLAIN_SPANS,
            ours(|b| b.genai_only(), plain),
        ),
    ] {
        let spans = spans as f64;
        println!(
            "{name:42} {:8.0} ns {:13.2}",
            cost.nanos / spans,
            cost.allocations / spans
        );
    }
}
