//! Every event of the five systems through a whole installation: every outlet has it with every field, and it leaves as the
//! span or the log record the catalogue says.
#![cfg(all(feature = "otlp", feature = "sqlite"))]
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod support;

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::SystemTime;

use opentelemetry::trace::{SpanKind, Status};
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value as Told};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use serde_json::Value as Json;
use support::catalogue::{self, Landing, Row, assert_landed};
use support::collector::Collector;
use tracing_genai::content::CaptureMode;
use tracing_genai::event::{Event, EventData, EventId, Phase, Subject};
use tracing_genai::files::JsonFile;
use tracing_genai::history::{History, SqliteStore};
use tracing_genai::otlp::OtlpConfig;
use tracing_genai::testing::{CapturedSpan, capture_with};

/// The outlets that all documents share.
struct Outlets {
    directory: tempfile::TempDir,
    store: SqliteStore,
    collector: Collector,
}

/// What an installation made of one document.
struct Seen {
    events: Vec<Event>,
    spans: Vec<CapturedSpan>,
    logs: Vec<LogRecord>,
}

impl Outlets {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(directory.path().join("events.db")).unwrap();
        Self {
            directory,
            store,
            collector: Collector::start(),
        }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("events.jsonl")
    }

    /// Imports a document into an installation of its own, and ends that, so that what waits for its end leaves too.
    fn take(&self, row: &Row, document: &Json) -> Seen {
        let before = self.collector.log_records().len();
        let otlp = OtlpConfig::new().endpoint(self.collector.endpoint());
        let capture = capture_with(|builder| {
            builder
                .capture(CaptureMode::Redacted)
                .error_messages(true)
                .history(self.store.clone())
                .json_file(self.file())
                .otlp(otlp)
        });
        let label = row.label();
        capture.telemetry().import(row.dialect, document).unwrap();
        let events = capture.events();
        let report = capture.telemetry().shutdown();
        assert!(report.is_complete(), "{label}: {report:?}");
        Seen {
            events,
            spans: capture.spans(),
            logs: self.collector.log_records().split_off(before),
        }
    }
}

/// A value as the wire has it; what is no scalar and no list of one type may leave as its JSON.
fn told(value: &AnyValue) -> Json {
    match value.value.as_ref() {
        Some(Told::StringValue(text)) => text.as_str().into(),
        Some(Told::BoolValue(flag)) => (*flag).into(),
        Some(Told::IntValue(number)) => (*number).into(),
        Some(Told::DoubleValue(number)) => (*number).into(),
        Some(Told::ArrayValue(items)) => items.values.iter().map(told).collect(),
        Some(Told::KvlistValue(fields)) => fields
            .values
            .iter()
            .map(|entry| (entry.key.clone(), told(entry.value.as_ref().unwrap())))
            .collect(),
        other => panic!("{other:?}"),
    }
}

/// Whether a value says what is expected, as itself or as JSON text; an object may say more.
fn same(told: &Json, expected: &Json) -> bool {
    // What is a message's place holds messages, whatever was put there.
    if let Some(messages) = told.as_str().filter(|text| text.contains(r#""parts":["#)) {
        let expected = expected
            .as_object()
            .and_then(|it| it.values().next())
            .unwrap_or(expected);
        return messages.contains(expected.as_str().unwrap());
    }
    let told = match (told, expected) {
        (Json::String(text), Json::Array(_) | Json::Object(_)) => {
            serde_json::from_str(text).unwrap()
        }
        _ => told.clone(),
    };
    match (&told, expected) {
        (Json::Object(told), Json::Object(expected)) => expected
            .iter()
            .all(|(name, value)| told.get(name) == Some(value)),
        (told, expected) => told == expected,
    }
}

fn assert_log(label: &str, event: &EventData, record: &LogRecord, lands: &[Landing]) {
    let name = event.ty.to_string();
    let name = match name.as_str() {
        "evaluation.result" => "gen_ai.evaluation.result",
        name => name,
    };
    assert_eq!(record.event_name, name, "{label}");
    assert_eq!(record.severity_text, event.level.severity_text(), "{label}");
    assert_eq!(
        record.severity_number,
        event.level.severity_number(),
        "{label}"
    );
    let find = |name: &str| {
        record
            .attributes
            .iter()
            .find(|KeyValue { key, .. }| key == name)
    };
    for landing in lands {
        match landing {
            Landing::Attr(name, expected) => {
                let found =
                    find(name).unwrap_or_else(|| panic!("{label}: no {name} in {record:?}"));
                let value = told(found.value.as_ref().unwrap());
                assert!(
                    same(&value, expected),
                    "{label}: {name} is {value}, not {expected}"
                );
            }
            Landing::Body(_, expected, _) => {
                let body = told(
                    record
                        .body
                        .as_ref()
                        .unwrap_or_else(|| panic!("{label}: no body")),
                );
                let whole = body.to_string();
                assert!(
                    whole.contains(expected.to_string().trim_matches('"')),
                    "{label}: {whole}"
                );
            }
            Landing::ErrorType(expected) => {
                let value = told(find("error.type").unwrap().value.as_ref().unwrap());
                assert_eq!(value, Json::from(expected.as_str()), "{label}");
            }
            _ => {}
        }
    }
}

fn assert_in_span(label: &str, span: &CapturedSpan, lands: &[Landing]) {
    for landing in lands {
        match landing {
            Landing::Attr(name, expected) => {
                let found = span
                    .attr(name)
                    .unwrap_or_else(|| panic!("{label}: no {name} in {span:?}"));
                assert!(
                    same(&found.to_json(), expected),
                    "{label}: {name} is {found}, not {expected}"
                );
            }
            Landing::Duration(expected) => assert_eq!(span.duration, *expected, "{label}"),
            Landing::Trace(hex) => assert_eq!(span.trace_id.to_string(), *hex, "{label}"),
            Landing::Span(hex) => assert_eq!(span.span_id.to_string(), *hex, "{label}"),
            Landing::ParentSpan(hex) => assert_eq!(span.parent_id.to_string(), *hex, "{label}"),
            _ => {}
        }
    }
}

fn assert_span(label: &str, event: &EventData, spans: &[CapturedSpan], lands: &[Landing]) {
    assert_eq!(spans.len(), 1, "{label}: {spans:?}");
    let span = &spans[0];
    let subject = event.ty.subject();
    let name = subject.span_name(&event.attrs).unwrap();
    // A step goes by its own name: that it is a step says nothing more.
    let name = match name.strip_prefix("step ") {
        Some(step) if subject == Subject::STEP => step,
        _ => &name,
    };
    assert_eq!(span.name, name, "{label}");
    assert_eq!(span.kind, SpanKind::from(subject.span_kind()), "{label}");
    assert_in_span(label, span, lands);
    match event.phase {
        Phase::Failed | Phase::Blocked => {
            assert!(matches!(span.status, Status::Error { .. }), "{label}")
        }
        _ => assert_eq!(span.status, Status::Unset, "{label}"),
    }
}

#[test]
fn every_event_of_the_catalogue_reaches_every_outlet_whole_and_leaves_as_what_it_is() {
    let outlets = Outlets::new();
    let mut all = Vec::new();
    for row in catalogue::rows() {
        let label = row.label();
        let mut document = row.document(&row.names[0]);
        // The catalogue's documents share one id, and a store takes an id once.
        let id = EventId::generate(SystemTime::now());
        for landing in &mut document.lands {
            if let Landing::Id(landed) = landing {
                *landed = id;
                document.json["event_id"] = id.to_string().into();
            }
        }
        let seen = outlets.take(row, &document.json);
        let event = &seen.events[0];

        assert!(event.ty == *row.event_type, "{label}: {}", event.ty);
        assert_eq!(event.flavor.as_str(), row.flavor, "{label}");
        assert_eq!(event.channel.as_str(), row.channel, "{label}");
        assert_eq!(event.level.severity_text(), row.level, "{label}");
        assert_landed(&label, event, &document.lands);
        if row.signal == "moment" {
            assert!(seen.spans.is_empty(), "{label}");
            assert_log(&label, event, &seen.logs[0], &document.lands);
        } else {
            assert_span(&label, event, &seen.spans, &document.lands);
        }
        all.extend(seen.events);
    }
    let stored = History::new(outlets.store.clone()).fetch().unwrap();
    let written: Vec<Event> = JsonFile::read(outlets.file())
        .unwrap()
        .map(Result::unwrap)
        .collect();
    for (outlet, events) in [("SQLite", stored), ("JSON lines", written)] {
        let kept: HashMap<_, _> = events.iter().map(|event| (event.id, event)).collect();
        for event in &all {
            assert_eq!(kept.get(&event.id), Some(&event), "{outlet}");
        }
    }
}
