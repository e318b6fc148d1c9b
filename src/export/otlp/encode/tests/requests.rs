use opentelemetry::KeyValue as OtelKeyValue;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use proptest::prelude::*;

use super::super::request::HARD;
use super::*;
use crate::export::span_data::span_data;

/// A record whose span takes about `bytes` bytes, with a number to know it by.
fn sized(number: u64, bytes: usize) -> Record {
    // Attributes are cut at 64 KiB unless they are allowed to be longer.
    let limits = Limits {
        value_bytes: usize::MAX,
        span_bytes: usize::MAX,
        ..Limits::DEFAULT
    };
    let mut record = record(&[]);
    record.id.span = SpanId::from(number);
    record.fields.set_str("text", &"x".repeat(bytes), &limits);
    record
}

fn numbers(request: &ExportTraceServiceRequest) -> Vec<u64> {
    let spans = &request.resource_spans[0].scope_spans[0].spans;
    let number = |span: &Span| u64::from_be_bytes(span.span_id.clone().try_into().unwrap());
    spans.iter().map(number).collect()
}

fn decode(body: bytes::Bytes) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest::decode(body).unwrap()
}

#[test]
fn a_request_says_once_what_its_spans_have_in_common() {
    let resource = Resource::builder_empty()
        .with_schema_url(
            [
                OtelKeyValue::new("service.name", "encode-test"),
                OtelKeyValue::new("process.pid", 7),
                OtelKeyValue::new(
                    "process.command_args",
                    opentelemetry::Value::Array(opentelemetry::Array::String(vec![
                        "a".into(),
                        "b".into(),
                    ])),
                ),
            ],
            "https://opentelemetry.io/schemas/1.41.0",
        )
        .build();
    let clock = clock();
    let mut encoder = BatchEncoder::spans(&resource, clock.clone(), 1 << 20);
    let records = [sized(1, 10), sized(2, 300), sized(3, 20_000)];
    for record in &records {
        assert_eq!(encoder.push(record), Push::Added);
    }
    let longest = encoder.len();
    let (body, count) = encoder.finish();
    assert!(body.len() <= longest && count == 3);
    let theirs = group_spans_by_resource_and_scope(
        records.iter().map(|r| span_data(r, &clock)).collect(),
        &ResourceAttributesWithSchema::from(&resource),
    );
    let ours = decode(body).resource_spans;
    assert_eq!(ours, theirs);
    assert_eq!(
        ours[0].schema_url,
        "https://opentelemetry.io/schemas/1.41.0"
    );
    let scope = ours[0].scope_spans[0].scope.as_ref().unwrap();
    assert_eq!(
        (scope.name.as_str(), scope.version.as_str()),
        ("tracing-genai", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn log_records_have_the_same_frame() {
    let mut encoder = BatchEncoder::logs(&resource(), clock(), 1 << 20);
    assert_eq!(encoder.push(&record(&[])), Push::Added);
    let (body, count) = encoder.finish();
    let request = ExportLogsServiceRequest::decode(body).unwrap();
    let frame = &request.resource_logs[0];
    let scope = frame.scope_logs[0].scope.as_ref().unwrap();
    assert_eq!(
        get(&frame.resource.as_ref().unwrap().attributes, "service.name"),
        text("encode-test")
    );
    assert_eq!(
        (
            scope.name.as_str(),
            frame.scope_logs[0].log_records.len(),
            count
        ),
        ("tracing-genai", 1, 1)
    );
}

#[test]
fn a_request_without_records_is_no_request() {
    let mut encoder = BatchEncoder::spans(&resource(), clock(), 1 << 20);
    let (body, count) = encoder.finish();
    assert!(body.is_empty() && count == 0);
    // A resource without attributes is one all the same.
    let mut encoder = BatchEncoder::spans(&Resource::builder_empty().build(), clock(), 1 << 20);
    assert_eq!(encoder.push(&sized(1, 0)), Push::Added);
    let request = decode(encoder.finish().0);
    assert!(
        request.resource_spans[0]
            .resource
            .as_ref()
            .unwrap()
            .attributes
            .is_empty()
    );
    assert!(encoder.finish().0.is_empty());
}

proptest! {
    #[test]
    fn batches_stay_below_their_limit_and_hold_every_record_once_in_order(
        sizes in proptest::collection::vec(0_usize..3000, 0..60),
        max in 1500_usize..9000,
    ) {
        let mut encoder = BatchEncoder::spans(&resource(), clock(), max);
        let mut sent = Vec::new();
        let mut close = |encoder: &mut BatchEncoder| {
            let (body, count) = encoder.finish();
            if count > 0 {
                let seen = numbers(&decode(body.clone()));
                assert_eq!(seen.len(), count as usize);
                assert!(body.len() <= max || count == 1, "{} bytes in {count} records", body.len());
                sent.extend(seen);
            }
        };
        for (number, size) in (1..).zip(&sizes) {
            let record = sized(number, *size);
            match encoder.push(&record) {
                Push::Added => {}
                Push::Full => {
                    close(&mut encoder);
                    prop_assert_eq!(encoder.push(&record), Push::Added);
                }
                Push::TooLarge => prop_assert!(false, "a record of {size} bytes was refused"),
            }
        }
        close(&mut encoder);
        prop_assert_eq!(sent, (1..=sizes.len() as u64).collect::<Vec<_>>());
    }
}

#[test]
fn a_record_above_the_batchs_limit_travels_alone_and_one_above_the_hard_limit_is_refused() {
    let mut encoder = BatchEncoder::spans(&resource(), clock(), 10_000);
    assert_eq!(encoder.push(&sized(1, 100)), Push::Added);
    let large = sized(2, 100_000);
    assert_eq!(encoder.push(&large), Push::Full);
    assert_eq!(numbers(&decode(encoder.finish().0)), [1]);
    assert_eq!(encoder.push(&large), Push::Added);
    assert_eq!(encoder.push(&sized(3, 100)), Push::Full);
    assert_eq!(numbers(&decode(encoder.finish().0)), [2]);

    let giant = sized(4, HARD);
    assert_eq!(encoder.push(&giant), Push::TooLarge);
    assert_eq!(encoder.records(), 0);
    assert_eq!(encoder.push(&sized(5, 100)), Push::Added);
    assert_eq!(
        encoder.push(&giant),
        Push::Full,
        "it is tried in a request of its own before it is lost"
    );
    assert_eq!(numbers(&decode(encoder.finish().0)), [5]);
    let below = sized(6, HARD - 1000);
    assert_eq!(encoder.push(&below), Push::Added);
    assert!(encoder.finish().0.len() <= HARD);
}
