//! What collecting, observing and encoding promise.

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::metrics::Temporality;

use super::support::{Number, Points, agent, chat, metrics};
use crate::export::metrics::{MetricNames, Metrics, Observed};
use crate::semconv;

#[test]
fn nothing_measured_is_nothing_to_send() {
    assert!(metrics(MetricNames::Both).collect().is_none());
    let mut delta = Metrics::new(
        Resource::builder_empty().build(),
        MetricNames::Both,
        Temporality::Delta,
    );
    delta.record_ended(&chat());
    assert!(delta.collect().is_some());
    assert!(delta.collect().is_none());
    delta.record_ended(&chat());
    let points = Points::of(&delta);
    assert_eq!(points.one("gen_ai.client.inference.duration").count(), 1);
}

#[test]
fn own_numbers_are_read_at_every_collection() {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU64, Ordering};

    let metrics = metrics(MetricNames::Both);
    let exported = "otel.sdk.exporter.span.exported";
    let length = Arc::new(AtomicU64::new(3));
    let read = {
        let length = Arc::clone(&length);
        move || length.load(Ordering::Relaxed)
    };
    let queue = "otel.sdk.processor.span.queue.size";
    metrics.observe(Observed::Level, queue, "{span}", Vec::new(), read);
    for (reason, spans) in [("queue_full", 2), ("encode", u64::MAX)] {
        let attributes = vec![KeyValue::new(semconv::ERROR_TYPE, reason)];
        metrics.observe(Observed::Total, exported, "{span}", attributes, move || {
            spans
        });
    }
    for (reason, spans) in [("spool_full", 0), ("permanent", 7)] {
        let attributes = vec![KeyValue::new(semconv::ERROR_TYPE, reason)];
        metrics.observe(
            Observed::Losses,
            exported,
            "{span}",
            attributes,
            move || spans,
        );
    }
    let broken = || -> u64 { panic!("a reader of numbers") };
    metrics.observe(Observed::Total, "broken", "{span}", Vec::new(), broken);
    for spans in [3, 1] {
        length.store(spans, Ordering::Relaxed);
        let points = Points::of(&metrics);
        assert_eq!(points.one(queue).number, Number::Sum(spans as f64));
        assert_eq!(points.one(queue).unit, "{span}");
        let mut totals: Vec<_> = points
            .all(exported)
            .iter()
            .map(|p| (p.labels(), p.sum()))
            .collect();
        totals.sort_by(|a, b| a.0.cmp(&b.0));
        assert_eq!(totals[0], ("error.type=encode".into(), i64::MAX as f64));
        assert_eq!(totals[1], ("error.type=permanent".into(), 7.0));
        assert_eq!(totals[2], ("error.type=queue_full".into(), 2.0));
        assert_eq!(totals.len(), 3, "a loss that never happened has no series");
        assert!(points.all("broken").is_empty());
    }
}

#[cfg(feature = "otlp")]
#[test]
fn the_request_body_holds_every_point_and_the_resource() {
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
    use opentelemetry_proto::tonic::metrics::v1::metric::Data;
    use prost::Message as _;

    let mut metrics = metrics(MetricNames::Both);
    metrics.record_ended(&chat());
    metrics.record_ended(&agent());
    let collected = metrics.collect().unwrap();
    let (body, points) = crate::export::metrics::encode(&collected);
    let request = ExportMetricsServiceRequest::decode(body.as_slice()).unwrap();
    let resource = &request.resource_metrics[0];
    let attributes = &resource.resource.as_ref().unwrap().attributes;
    assert_eq!(attributes[0].key, "service.name");
    let scope = &resource.scope_metrics[0];
    assert_eq!(scope.scope.as_ref().unwrap().name, "tracing-genai");
    let sent = scope.metrics.iter().map(|metric| match &metric.data {
        Some(Data::Sum(sum)) => sum.data_points.len(),
        Some(Data::Histogram(histogram)) => histogram.data_points.len(),
        other => panic!("{other:?}"),
    });
    assert_eq!(sent.sum::<usize>(), points as usize);
    assert_eq!(points as usize, Points::from(&collected).0.len());
}
