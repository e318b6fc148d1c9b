//! The conservation law, as every fault test asks for it: of `stats()`, of the report of a flush and of that of the shutdown, per
//! outlet and signal; and what the collector counted itself.

use std::collections::HashSet;
use std::time::Duration;

use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use tracing_genai::{Report, Tally, Telemetry};

use super::collector::Collector;

/// How the two ends of the network may differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acks {
    /// Every answer arrived: both count the same.
    Arrive,
    /// Some were lost on their way: the collector may have more than was confirmed, and some of it twice.
    MayBeLost,
}

/// What was told at the end.
#[derive(Debug)]
pub struct Ended {
    pub flushed: Report,
    pub ended: Report,
}

impl Ended {
    /// The spans' tally at the end.
    pub fn traces(&self) -> Tally {
        self.ended.traces.clone().unwrap_or_default()
    }
}

/// Flushes and shuts down, and checks the books at every point: before, between, after, and once more.
pub fn settle(
    telemetry: &Telemetry,
    collector: Option<(&Collector, Acks)>,
    flush: Duration,
    shutdown: Duration,
) -> Ended {
    let before = telemetry.stats();
    let flushed = telemetry.flush(flush);
    let between = telemetry.stats();
    let ended = telemetry.shutdown_within(shutdown);
    let after = telemetry.stats();
    let all = [&before, &flushed, &between, &ended, &after];
    let names = ["before", "flush", "between", "shutdown", "after"];
    for (name, report) in names.iter().zip(all) {
        assert_balanced(name, report);
    }
    for pair in all.windows(2) {
        assert_only_grows(pair[0], pair[1]);
    }
    if ended.in_time {
        for (name, tally) in ended.outlets() {
            assert_eq!(tally.pending, 0, "{name} has an end: {ended}");
        }
    }
    for (name, tally) in ended.exports().filter(|(name, _)| *name != "plugged") {
        assert_eq!(tally.pending, 0, "{name} are not sent any more: {ended}");
    }
    if let Some((collector, acks)) = collector {
        assert_agrees(&after, collector, acks);
    }
    Ended { flushed, ended }
}

/// Everything that any outlet was given is accounted for.
pub fn assert_balanced(when: &str, report: &Report) {
    for (name, tally) in report.outlets() {
        let accounted = tally.delivered + tally.rejected + tally.total_dropped() + tally.pending;
        assert_eq!(tally.accepted, accounted, "{when}, {name}: {tally:?}");
        assert!(tally.is_balanced());
    }
    assert!(report.is_balanced());
}

/// No number but `pending` ever goes back.
fn assert_only_grows(earlier: &Report, later: &Report) {
    for ((name, then), (same, now)) in earlier.outlets().zip(later.outlets()) {
        assert_eq!(name, same, "outlets do not change");
        let shrinks = then.accepted > now.accepted
            || then.delivered > now.delivered
            || then.rejected > now.rejected
            || then
                .dropped
                .iter()
                .any(|(why, n)| now.dropped.get(why) < Some(n));
        assert!(!shrinks, "{name}: {then:?}, then {now:?}");
    }
}

/// What the collector has is what was counted as delivered or rejected.
pub fn assert_agrees(report: &Report, collector: &Collector, acks: Acks) {
    let spans = collector.spans();
    let distinct: HashSet<_> = spans.iter().map(|s| (&s.trace_id, &s.span_id)).collect();
    let seen = [
        (&report.traces, spans.len()),
        (&report.logs, collector.log_records().len()),
        (&report.metrics, data_points(collector)),
    ];
    for ((tally, seen), name) in seen.into_iter().zip(["traces", "logs", "metrics"]) {
        let Some(tally) = tally else { continue };
        let confirmed = tally.delivered + tally.rejected;
        match acks {
            Acks::Arrive => assert_eq!(seen as u64, confirmed, "{name}: {tally:?}"),
            Acks::MayBeLost => assert!(seen as u64 >= confirmed, "{name}: {seen}, {tally:?}"),
        }
    }
    if acks == Acks::Arrive {
        assert_eq!(distinct.len(), spans.len(), "no span came twice");
    }
}

fn data_points(collector: &Collector) -> usize {
    let metrics = collector.metrics();
    let points = metrics.iter().filter_map(|metric| metric.data.as_ref());
    points
        .map(|data| match data {
            Data::Gauge(of) => of.data_points.len(),
            Data::Sum(of) => of.data_points.len(),
            Data::Histogram(of) => of.data_points.len(),
            Data::ExponentialHistogram(of) => of.data_points.len(),
            Data::Summary(of) => of.data_points.len(),
        })
        .sum()
}
