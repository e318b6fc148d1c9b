//! Content on the log event, in its own structure.

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use tracing_genai::content::{CaptureMode, Carrier};
use tracing_genai::message::Message;
use tracing_genai::otlp::OtlpConfig;
use tracing_genai::{Telemetry, chat};
use tracing_subscriber::prelude::*;

use super::support::collector::{Collector, PATIENCE};

const NAME: &str = "gen_ai.client.inference.operation.details";

fn run(carrier: Carrier) -> (Vec<LogRecord>, bool) {
    let collector = Collector::start();
    let telemetry = Telemetry::builder("test")
        .environment(|_| None)
        .capture(CaptureMode::Redacted)
        .carrier(carrier)
        .otlp(OtlpConfig::new().endpoint(collector.endpoint()))
        .build()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    tracing::subscriber::with_default(subscriber, || {
        let call = chat("openai", "gpt-4o")
            .prompt("Mail ada@lovelace.dev")
            .start();
        call.output(&[Message::assistant("Done.").finish_reason("stop")]);
        call.complete();
    });
    assert!(telemetry.flush(PATIENCE).is_complete());
    let on_span = collector.spans()[0]
        .attributes
        .iter()
        .any(|attribute| attribute.key == "gen_ai.input.messages");
    let details = collector.log_records();
    let details = details.into_iter().filter(|log| log.event_name == NAME);
    (details.collect(), on_span)
}

#[test]
fn the_event_has_the_content_as_structure_and_the_span_has_it_as_text() {
    let (details, on_span) = run(Carrier::SpanAndEvent);
    assert!(on_span);
    let [log] = &details[..] else {
        panic!("{details:?}");
    };
    assert_eq!(log.severity_text, "DEBUG");
    assert!(!log.trace_id.is_empty() && !log.span_id.is_empty());
    let attribute = |name: &str| {
        let found = log.attributes.iter().find(|it| it.key == name);
        found.unwrap().value.clone().unwrap().value.unwrap()
    };
    assert_eq!(
        attribute("gen_ai.operation.name"),
        Any::StringValue("chat".to_owned())
    );
    let Any::ArrayValue(messages) = attribute("gen_ai.input.messages") else {
        panic!("no list");
    };
    let Some(Any::KvlistValue(message)) = &messages.values[0].value else {
        panic!("no map");
    };
    assert!(message.values.iter().any(|field| field.key == "parts"));
    let shown = format!("{details:?}");
    assert!(shown.contains("[REDACTED:email]") && !shown.contains("lovelace"));
}

#[test]
fn content_goes_where_the_carrier_says_and_nowhere_else() {
    let (details, on_span) = run(Carrier::Event);
    assert!(details.len() == 1 && !on_span);
    let (details, on_span) = run(Carrier::Span);
    assert!(details.is_empty() && on_span);
}
