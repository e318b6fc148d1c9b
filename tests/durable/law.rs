//! The law of conservation, in every place it is told: the report, its text, and the metrics.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use tracing_genai::otlp::{OtlpConfig, Signal};
use tracing_genai::{Loss, Telemetry};

use crate::run::*;
use crate::support::collector::{Answer, Collector};

/// The last number of every series of a metric, by its `error.type`.
fn series(collector: &Collector, name: &str) -> BTreeMap<String, i64> {
    let mut series = BTreeMap::new();
    for metric in collector.metrics().into_iter().filter(|m| m.name == name) {
        let Some(Data::Sum(sum)) = metric.data else {
            panic!("{name} is no sum");
        };
        for point in sum.data_points {
            let kind = point.attributes.iter().find(|a| a.key == "error.type");
            let kind = kind
                .and_then(|a| a.value.clone()?.value)
                .map_or(String::new(), |value| {
                    use opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue;
                    match value {
                        StringValue(text) => text,
                        other => panic!("{other:?}"),
                    }
                });
            match point.value {
                Some(Value::AsInt(n)) => series.insert(kind, n),
                other => panic!("{other:?}"),
            };
        }
    }
    series
}

#[test]
fn accepted_is_delivered_and_rejected_and_dropped_and_pending_in_reports_and_metrics() {
    let directory = tempfile::tempdir().unwrap();
    let collector = Collector::start();
    let telemetry = Telemetry::builder("law")
        .environment(|_| None)
        .otlp(OtlpConfig::new().endpoint(collector.endpoint()))
        .spool(directory.path())
        .build()
        .unwrap();
    let answers = [
        Answer::Ok,
        Answer::Partial {
            rejected: 2,
            message: "odd".into(),
        },
        Answer::status(400),
    ];
    for (answer, spans) in answers.into_iter().zip([4, 5, 6]) {
        collector.always(Signal::Traces, answer);
        steps(&telemetry, 0, spans);
        balanced(&telemetry.flush(SOON));
    }
    collector.always(Signal::Traces, Answer::status(503));
    steps(&telemetry, 0, 8);
    let report = telemetry.flush(std::time::Duration::from_millis(400));
    balanced(&report);
    assert!(!report.in_time);
    let traces = report.traces.as_ref().unwrap();
    assert_eq!(traces.accepted, 4 + 5 + 6 + 8);
    assert_eq!((traces.delivered, traces.rejected), (4 + 3, 2));
    assert_eq!(traces.dropped, BTreeMap::from([(Loss::Permanent, 6)]));
    assert_eq!((traces.pending, traces.stored), (8, 8));
    let said = "7 delivered, 2 rejected, 6 dropped (permanent 6), 8 pending (8 in the spool)";
    assert_eq!(traces.to_string(), said);

    // That flush sent the metrics of its beginning; the next one has everything.
    telemetry.flush(std::time::Duration::from_millis(100));
    let exported = series(&collector, "otel.sdk.exporter.span.exported");
    let expected = [("", 7), ("rejected", 2), ("permanent", 6)];
    let expected = expected.map(|(kind, n)| (kind.to_owned(), n)).into();
    assert_eq!(exported, expected);
    let inflight = series(&collector, "otel.sdk.exporter.span.inflight");
    assert_eq!(inflight, BTreeMap::from([(String::new(), 8)]));

    collector.heal();
    let report = telemetry.shutdown();
    balanced(&report);
    let traces = report.traces.unwrap();
    assert_eq!(
        (traces.delivered, traces.pending, traces.stored),
        (15, 0, 0)
    );
    assert_eq!(collector.spans().len(), 4 + 5 + 8);
}
