//! The fault matrix: each test is named after the fault's number and the promise it holds. Faults of the network happen at real
//! loopback sockets, faults of the process in processes of their own, and after each of them the books are checked: everything that
//! was accepted is delivered, rejected, dropped for a reason, or pending, and the collector counts the same.
//!
//! | Fault | Held here | And elsewhere |
//! | --- | --- | --- |
//! | F2 outage | `network` | `otlp_sender`: `an_outage_is_told_at_its_start_and_at_its_end_with_what_it_cost` |
//! | F3 hang | `network` | `otlp_transport`: `a_receiver_that_hangs_is_given_up_at_the_timeout_…` |
//! | F4 throttling | `network` | the table `retry_after_is_read_in_all_its_forms`; on a paused clock in `otlp_sender` |
//! | F5 refusals | `network` | the tables `every_status_…` and `every_code_of_every_signal_…` of the judge |
//! | F6 partial success | `network` | `otlp_transport`: `an_answer_above_four_mebibytes_is_not_read_and_not_tried_again` |
//! | F7 resets | `network` | |
//! | F13 bursts | `load` | `lifecycle`: `a_burst_beyond_the_queue_is_counted_to_the_last_record` |
//! | F14 slow readers | `inside` | `bus`: the module `overflow` |
//! | F15 hooks | `inside` | `enrich`: `a_hook_that_panics_now_and_then_stays_on` |
//! | F16 hostile values | `processes` | `install`: `values_that_use_tracing_while_they_are_printed_deadlock_nothing` |
//! | F18 sudden ends | `processes` | `install`: `a_process_that_exits_with_open_spans_neither_hangs_nor_panics` |
//! | F19 clock jumps | `inside` | `clock`: `an_earlier_reading_never_comes_out_later_on_the_wall` |
//! | F20 our own client | `processes` | |
//! | F21 neighbours | `neighbours` | `layer`: `neighbours_print_the_same_with_and_without_us`; `benches/peers` beside tracing-opentelemetry |
//! | F22 open spans | `load` | `layer`: `a_trace_ten_thousand_deep_is_delivered_whole` |
//!
//! Long variants are ignored and say how they are run.
#![cfg(feature = "otlp")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test stops where it goes wrong; a process tells its parent"
)]

#[path = "../support/mod.rs"]
mod support;

mod inside;
mod load;
mod neighbours;
mod network;
#[cfg(unix)]
mod processes;

use std::time::Duration;

use opentelemetry_proto::tonic::common::v1::any_value::Value as Kind;
use opentelemetry_proto::tonic::trace::v1::Span;
use support::collector::Collector;
use tracing::info_span;
use tracing_genai::otlp::{OtlpConfig, Protocol};
use tracing_genai::{Telemetry, TelemetryBuilder};
use tracing_subscriber::prelude::*;

const BOTH: [Protocol; 2] = [Protocol::HttpProtobuf, Protocol::Grpc];

/// Long enough for everything that must happen.
const SOON: Duration = Duration::from_secs(20);

fn to(endpoint: &str, protocol: Protocol) -> OtlpConfig {
    OtlpConfig::new().endpoint(endpoint).protocol(protocol)
}

fn builder(config: OtlpConfig) -> TelemetryBuilder {
    Telemetry::builder("faults")
        .environment(|_| None)
        .otlp(config)
}

fn record<T>(telemetry: &Telemetry, f: impl FnOnce() -> T) -> T {
    tracing::subscriber::with_default(tracing_subscriber::registry().with(telemetry.layer()), f)
}

/// Spans with these numbers.
fn spans(telemetry: &Telemetry, numbers: std::ops::Range<u64>) {
    record(telemetry, || {
        for n in numbers {
            info_span!("work", n).in_scope(|| {});
        }
    });
}

/// The numbers of the spans a collector has, in the order they came.
fn numbers(collector: &Collector) -> Vec<u64> {
    let spans = collector.spans().into_iter();
    spans
        .filter_map(|span| match attribute(&span, "n")? {
            Kind::IntValue(n) => Some(n as u64),
            _ => None,
        })
        .collect()
}

fn attribute(span: &Span, name: &str) -> Option<Kind> {
    let mut all = span.attributes.iter();
    let found = all.find(|attribute| attribute.key == name)?;
    found.value.clone()?.value
}
