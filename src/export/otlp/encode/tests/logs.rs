use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValueList};
use proptest::prelude::*;

use super::*;
use crate::event::Level;
use crate::record::{Moment, Outcome};
use crate::semconv;

/// Names that are no attributes of a log record.
const HIDDEN: [&str; 7] = [
    "message",
    "otel.name",
    "otel.kind",
    "otel.status_code",
    "otel.status_description",
    "genai.subject",
    "genai.channel",
];

fn any_of(value: Any) -> AnyValue {
    AnyValue { value: Some(value) }
}

fn pair(key: &str, value: AnyValue) -> KeyValue {
    KeyValue {
        key: key.to_owned(),
        value: Some(value),
        key_strindex: 0,
    }
}

fn of_value(value: &Value) -> AnyValue {
    any_of(match value {
        Value::Bool(b) => Any::BoolValue(*b),
        Value::I64(n) => Any::IntValue(*n),
        Value::F64(x) => Any::DoubleValue(*x),
        Value::Str(s) => Any::StringValue(s.to_string()),
        Value::Array(items) => Any::ArrayValue(ArrayValue {
            values: items.iter().map(of_value).collect(),
        }),
        Value::Json(json) => return of_json(json),
    })
}

fn of_json(json: &serde_json::Value) -> AnyValue {
    use serde_json::Value as J;
    any_of(match json {
        J::Null => return AnyValue { value: None },
        J::Bool(b) => Any::BoolValue(*b),
        J::Number(n) if n.is_i64() => Any::IntValue(n.as_i64().unwrap()),
        J::Number(n) if n.is_u64() => Any::StringValue(n.to_string()),
        J::Number(n) => Any::DoubleValue(n.as_f64().unwrap()),
        J::String(s) => Any::StringValue(s.clone()),
        J::Array(items) => Any::ArrayValue(ArrayValue {
            values: items.iter().map(of_json).collect(),
        }),
        J::Object(map) => Any::KvlistValue(KeyValueList {
            values: map.iter().map(|(k, v)| pair(k, of_json(v))).collect(),
        }),
    })
}

/// The log record of a moment, by hand.
fn expected(record: &Record, clock: &Clock) -> LogRecord {
    let moment = record.moment.as_ref().unwrap();
    let at = clock.unix_nanos(record.end);
    let id = &record.id;
    let rest = record
        .fields
        .iter()
        .filter(|(name, _)| !HIDDEN.contains(name));
    LogRecord {
        time_unix_nano: at,
        observed_time_unix_nano: at,
        severity_number: moment.level().severity_number(),
        severity_text: moment.level().severity_text().to_owned(),
        body: record
            .fields
            .get("message")
            .map(|v| of_value(&v.to_value())),
        attributes: rest
            .map(|(name, value)| pair(name, of_value(&value.to_value())))
            .collect(),
        dropped_attributes_count: record.fields.dropped(),
        flags: u32::from(id.sampled),
        trace_id: match id.trace {
            TraceId::INVALID => vec![],
            trace => trace.to_bytes().to_vec(),
        },
        span_id: match id.span {
            SpanId::INVALID => vec![],
            span => span.to_bytes().to_vec(),
        },
        event_name: moment.name.to_string(),
    }
}

proptest! {
    #[test]
    fn every_field_of_a_log_record_is_what_its_moment_says(mut record in random::moment()) {
        let clock = clock();
        if record.id.trace == TraceId::INVALID {
            record.id.sampled = false;
        }
        let theirs = expected(&record, &clock);
        let (ours, bytes) = sent_log(&record, &clock);
        // Printed, because no NaN equals itself.
        prop_assert_eq!(format!("{ours:#?}"), format!("{theirs:#?}"));
        prop_assert_eq!(bytes, theirs.encode_to_vec());
    }
}

fn moment(level: Level, attributes: &[(&'static str, Value)]) -> Record {
    let mut record = record(attributes);
    let mut moment = Moment {
        level: Some(level),
        ..Moment::new("order.placed")
    };
    moment.resolve();
    record.moment = Some(moment);
    record
}

#[test]
fn a_moment_is_an_event_with_severity_and_the_ids_of_its_span() {
    let record = moment(Level::Alert, &[("order", 7.into())]);
    let (log, _) = sent_log(&record, &clock());
    assert_eq!(log.event_name, "order.placed");
    assert_eq!(
        (log.severity_number, log.severity_text.as_str()),
        (19, "ALERT")
    );
    assert_eq!(log.trace_id, record.id.trace.to_bytes());
    assert_eq!(log.span_id, record.id.span.to_bytes());
    assert_eq!(log.flags, 1);
    assert_eq!(log.body, None);
    assert_eq!(get(&log.attributes, "order"), Some(Any::IntValue(7)));
}

#[test]
fn the_text_of_a_moment_is_its_body_and_no_attribute() {
    let record = moment(Level::Info, &[(semconv::MESSAGE, "placed".into())]);
    let (log, _) = sent_log(&record, &clock());
    assert_eq!(log.body.unwrap().value, text("placed"));
    assert!(log.attributes.is_empty());
}

#[test]
fn structure_stays_structure_on_log_records() {
    let json = serde_json::json!({"role": "user", "parts": [1, null]});
    let record = moment(Level::Info, &[("message", Value::Json(json))]);
    let (log, _) = sent_log(&record, &clock());
    let Some(Any::KvlistValue(map)) = log.body.unwrap().value else {
        panic!("not a map")
    };
    assert_eq!(names(&map.values), ["role", "parts"]);
}

#[test]
fn structure_deeper_than_decoders_follow_is_told_in_json_so_that_the_request_is_not_refused() {
    let mut json = serde_json::json!("core");
    let mut list = Value::from("core");
    for _ in 0..60 {
        json = serde_json::json!({ "in": json });
        list = Value::Array(vec![list]);
    }
    let record = moment(Level::Info, &[("map", Value::Json(json)), ("list", list)]);
    let mut encoder = BatchEncoder::logs(&resource(), clock(), 1 << 20);
    assert_eq!(encoder.push(&record), Push::Added);
    let (body, _) = encoder.finish();
    // Prost gives up at a hundred levels, as most decoders do.
    let request = ExportLogsServiceRequest::decode(body).unwrap();
    let log = &request.resource_logs[0].scope_logs[0].log_records[0];
    let printed = format!("{log:?}");
    assert!(
        printed.contains(r#"{\"in\":"#) && printed.contains(r#"[[\"core\"]]"#),
        "{printed}"
    );
}

#[test]
fn a_failed_model_call_is_an_exception_of_severity_warn() {
    let mut record = record(&[
        (semconv::ERROR_TYPE, "rate_limited".into()),
        (semconv::GEN_AI_REQUEST_MODEL, "gpt-4o".into()),
    ]);
    record.outcome = Outcome::Failed;
    let (log, _) = sent_log(&record, &clock());
    assert_eq!(log.event_name, "gen_ai.client.operation.exception");
    assert_eq!(
        (log.severity_number, log.severity_text.as_str()),
        (13, "WARN")
    );
    assert_eq!(
        get(&log.attributes, semconv::EXCEPTION_TYPE),
        text("rate_limited")
    );
    assert_eq!(get(&log.attributes, semconv::EXCEPTION_MESSAGE), None);
    record.error_message = Some("slow down".into());
    let (log, _) = sent_log(&record, &clock());
    assert_eq!(
        get(&log.attributes, semconv::EXCEPTION_MESSAGE),
        text("slow down")
    );
    assert_eq!(log.span_id, record.id.span.to_bytes());
}
