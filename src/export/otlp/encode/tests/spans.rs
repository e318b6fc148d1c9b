use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use proptest::prelude::*;

use super::*;
use crate::export::span_data::span_data;
use crate::record::Outcome;
use crate::semconv;

/// Compares by what is printed, because no NaN equals itself.
macro_rules! same {
    ($ours:ident, $theirs:ident: $($field:ident)*) => {
        $(prop_assert_eq!(
            format!("{:?}", $ours.$field),
            format!("{:?}", $theirs.$field),
            "field {}", stringify!($field)
        );)*
    };
}

proptest! {
    #[test]
    fn every_field_of_a_span_is_what_opentelemetry_proto_makes_of_its_span_data(record in random::span()) {
        let clock = clock();
        let theirs = Span::from(span_data(&record, &clock));
        let (ours, bytes) = sent_span(&record, &clock);
        same!(ours, theirs:
            trace_id span_id trace_state parent_span_id flags name kind start_time_unix_nano
            end_time_unix_nano attributes dropped_attributes_count events dropped_events_count
            links dropped_links_count status);
        // Field by field is what matters; that the bytes are the same too rules out what a lenient decoder forgives.
        prop_assert_eq!(bytes, theirs.encode_to_vec());
    }
}

#[test]
fn numbers_stay_numbers_and_what_is_not_finite_stays_a_double() {
    let record = record(&[
        ("count", Value::I64(7)),
        ("negative", Value::I64(-1)),
        ("nan", Value::F64(f64::NAN)),
        ("inf", Value::F64(f64::INFINITY)),
        ("flag", Value::Bool(false)),
        ("empty", Value::from("")),
    ]);
    let (span, _) = sent_span(&record, &clock());
    let attribute = |name| get(&span.attributes, name);
    assert_eq!(attribute("count"), Some(Any::IntValue(7)));
    assert_eq!(attribute("negative"), Some(Any::IntValue(-1)));
    assert!(matches!(attribute("nan"), Some(Any::DoubleValue(x)) if x.is_nan()));
    assert_eq!(attribute("inf"), Some(Any::DoubleValue(f64::INFINITY)));
    assert_eq!(attribute("flag"), Some(Any::BoolValue(false)));
    assert_eq!(attribute("empty"), text(""));
}

#[test]
fn lists_of_one_type_stay_lists_and_other_structure_becomes_json_text() {
    let messages = serde_json::json!([{"role": "user"}]);
    let record = record(&[
        ("reasons", Value::from(vec!["stop", "length"])),
        ("messages", Value::from(messages)),
        (
            "object",
            Value::Json(serde_json::json!({"b": 1, "a": [2.5]})),
        ),
        ("mixed", Value::Array(vec![Value::I64(1), Value::from("x")])),
        ("none", Value::Array(vec![])),
    ]);
    let (span, _) = sent_span(&record, &clock());
    let list = |name| match get(&span.attributes, name) {
        Some(Any::ArrayValue(list)) => list.values.len(),
        other => panic!("{name} is {other:?}"),
    };
    assert_eq!((list("reasons"), list("none")), (2, 0));
    let attribute = |name| get(&span.attributes, name);
    assert_eq!(attribute("messages"), text(r#"[{"role":"user"}]"#));
    assert_eq!(attribute("object"), text(r#"{"b":1,"a":[2.5]}"#));
    assert_eq!(attribute("mixed"), text(r#"[1,"x"]"#));
}

#[test]
fn what_tells_how_to_export_is_no_attribute() {
    let record = record(&[
        (semconv::OTEL_NAME, "told".into()),
        (semconv::OTEL_KIND, "server".into()),
        (semconv::OTEL_STATUS_CODE, "ok".into()),
        (semconv::OTEL_STATUS_DESCRIPTION, "secret".into()),
        (semconv::GENAI_SUBJECT, "step".into()),
        (semconv::GENAI_OUTCOME, "blocked".into()),
        ("otel.scope.name", "kept".into()),
    ]);
    let (span, _) = sent_span(&record, &clock());
    assert_eq!(
        names(&span.attributes),
        [semconv::GENAI_OUTCOME, "otel.scope.name"]
    );
    assert_eq!((span.name.as_str(), span.kind), ("told", 2));
    assert_eq!(span.status.unwrap().code(), StatusCode::Ok);
}

#[test]
fn a_failed_span_tells_the_type_of_its_error_and_its_text_only_where_that_was_captured() {
    let mut record = record(&[
        (semconv::ERROR_TYPE, "timeout".into()),
        (semconv::OTEL_STATUS_DESCRIPTION, "canary".into()),
    ]);
    record.outcome = Outcome::Failed;
    let clock = clock();

    let (span, _) = sent_span(&record, &clock);
    let status = span.status.unwrap();
    assert_eq!(
        (status.code(), status.message.as_str()),
        (StatusCode::Error, "timeout")
    );
    let exception = &span.events[0];
    assert_eq!(exception.name, "exception");
    assert_eq!(exception.time_unix_nano, span.end_time_unix_nano);
    assert_eq!(names(&exception.attributes), [semconv::EXCEPTION_TYPE]);

    record.error_message = Some("no answer after 30 s".into());
    let (span, _) = sent_span(&record, &clock);
    assert_eq!(span.status.unwrap().message, "no answer after 30 s");
    let attributes = &span.events[0].attributes;
    assert_eq!(get(attributes, semconv::EXCEPTION_TYPE), text("timeout"));
    assert_eq!(
        get(attributes, semconv::EXCEPTION_MESSAGE),
        text("no answer after 30 s")
    );
}

#[test]
fn a_blocked_span_tells_the_reason_it_was_blocked_for() {
    let mut record = record(&[
        (semconv::ERROR_TYPE, semconv::error_type::BLOCKED.into()),
        (semconv::SECURITY_BLOCK_REASON, "dangerous_commands".into()),
    ]);
    record.outcome = Outcome::Failed;
    let (span, _) = sent_span(&record, &clock());
    let status = span.status.unwrap();
    assert_eq!(
        (status.code(), status.message.as_str()),
        (StatusCode::Error, "dangerous_commands")
    );
}

#[test]
fn an_exception_the_span_tells_itself_is_not_told_twice() {
    let mut record = record(&[]);
    record.outcome = Outcome::Failed;
    record.add_event(15, "exception", &fields(&[]), &Limits::DEFAULT);
    let (span, _) = sent_span(&record, &clock());
    assert_eq!(span.events.len(), 1);
}

#[test]
fn an_event_is_called_by_its_text_and_a_text_too_long_for_a_name_is_kept_whole_beside_it() {
    let mut record = record(&[]);
    let long = "é".repeat(1000);
    let limits = Limits::DEFAULT;
    let message = |text: Value| fields(&[("n", 1.into()), (semconv::MESSAGE, text)]);
    record.add_event(
        11,
        "event src/a.rs:1",
        &message("tool chosen".into()),
        &limits,
    );
    record.add_event(
        12,
        "event src/a.rs:2",
        &message(long.as_str().into()),
        &limits,
    );
    record.add_event(13, "event src/a.rs:3", &message(7.into()), &limits);
    record.add_event(14, "event src/a.rs:4", &message("".into()), &limits);
    let (span, _) = sent_span(&record, &clock());
    let [chosen, cut, number, empty] = &span.events[..] else {
        panic!("{:?}", span.events)
    };
    assert_eq!(chosen.name, "tool chosen");
    assert_eq!(names(&chosen.attributes), ["n"]);
    assert_eq!(cut.name, "é".repeat(128));
    assert_eq!(get(&cut.attributes, semconv::MESSAGE), text(&long));
    assert_eq!(number.name, "event src/a.rs:3");
    assert_eq!(
        get(&number.attributes, semconv::MESSAGE),
        Some(Any::IntValue(7))
    );
    assert_eq!(empty.name, "event src/a.rs:4");
}

#[test]
fn attributes_and_messages_of_every_length_of_length_arrive_whole() {
    for len in [
        0, 1, 125, 126, 127, 128, 129, 16_382, 16_383, 16_384, 60_000,
    ] {
        let long = "x".repeat(len);
        let record = record(&[
            ("a", long.as_str().into()),
            ("b", vec![long.as_str()].into()),
        ]);
        let clock = clock();
        let (span, bytes) = sent_span(&record, &clock);
        assert_eq!(get(&span.attributes, "a"), text(&long), "{len}");
        assert_eq!(
            bytes,
            Span::from(span_data(&record, &clock)).encode_to_vec(),
            "{len}"
        );
    }
}
