//! What the tests of this file share: an installation with a spool, and what its books have to say.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use opentelemetry_proto::tonic::trace::v1::Span;
use tracing_genai::otlp::{OtlpConfig, Protocol, Signal, SpoolConfig};
use tracing_genai::{Report, Telemetry, TelemetryBuilder};
use tracing_subscriber::prelude::*;

use crate::support::collector::Collector;

pub(crate) const SOON: Duration = Duration::from_secs(20);
pub(crate) const BOTH: [Protocol; 2] = [Protocol::HttpProtobuf, Protocol::Grpc];

pub(crate) fn builder(endpoint: &str, spool: impl Into<SpoolConfig>) -> TelemetryBuilder {
    builder_with(OtlpConfig::new().endpoint(endpoint), spool)
}

pub(crate) fn builder_with(config: OtlpConfig, spool: impl Into<SpoolConfig>) -> TelemetryBuilder {
    Telemetry::builder("durable")
        .environment(|_| None)
        .otlp(config.without(Signal::Metrics))
        .spool(spool)
}

pub(crate) fn record<T>(telemetry: &Telemetry, f: impl FnOnce() -> T) -> T {
    tracing::subscriber::with_default(tracing_subscriber::registry().with(telemetry.layer()), f)
}

/// `n` spans of their own traces, numbered from `from`.
pub(crate) fn steps(telemetry: &Telemetry, from: u64, n: u64) {
    record(telemetry, || {
        for number in from..from + n {
            tracing::info_span!("numbered", number).in_scope(|| {});
        }
    });
}

/// The numbers of the spans, and how often each came.
pub(crate) fn numbers(spans: &[Span]) -> BTreeMap<i64, usize> {
    use opentelemetry_proto::tonic::common::v1::any_value::Value::IntValue;
    let mut numbers = BTreeMap::new();
    for span in spans {
        let number = span.attributes.iter().find(|a| a.key == "number");
        let value = number.and_then(|a| a.value.as_ref()?.value.as_ref());
        if let Some(IntValue(number)) = value {
            *numbers.entry(*number).or_default() += 1;
        }
    }
    numbers
}

/// Every number from 0 to below `n` arrived, once.
pub(crate) fn all_once(collector: &Collector, n: u64) {
    let numbers = numbers(&collector.spans());
    let expected: BTreeMap<_, _> = (0..n as i64).map(|number| (number, 1)).collect();
    assert_eq!(numbers, expected);
}

/// The law, for every outlet of a report.
pub(crate) fn balanced(report: &Report) {
    for (name, tally) in report.outlets() {
        assert!(tally.is_balanced(), "{name} {tally:?}");
        assert!(tally.stored <= tally.pending, "{name} {tally:?}");
    }
}

/// Everything was delivered, and the books balance.
pub(crate) fn complete(report: &Report) {
    balanced(report);
    assert!(report.is_complete(), "{report}");
}

/// The files below a directory.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut directories = vec![directory.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            match entry.path() {
                path if path.is_dir() => directories.push(path),
                path => files.push(path),
            }
        }
    }
    files.sort();
    files
}

pub(crate) fn segments(directory: &Path) -> Vec<PathBuf> {
    let mut files = files(directory);
    files.retain(|file| file.extension().is_some_and(|e| e == "seg"));
    files
}

/// The bytes of all segments.
pub(crate) fn spooled(directory: &Path) -> Vec<u8> {
    segments(directory)
        .iter()
        .flat_map(|file| fs::read(file).unwrap())
        .collect()
}

pub(crate) fn holds(bytes: &[u8], text: &str) -> bool {
    bytes
        .windows(text.len())
        .any(|window| window == text.as_bytes())
}
