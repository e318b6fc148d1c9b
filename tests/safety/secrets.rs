//! Secrets in every place of a record, hooks, and what fails.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing_genai::bus::Bus;
use tracing_genai::content::CaptureMode;
use tracing_genai::enrich::{Enrich, Verdict};
use tracing_genai::event::{EventData, Value};
use tracing_genai::security::redact::Redactor;
use tracing_genai::testing::{capture, capture_with};
use tracing_genai::{Loss, Telemetry, agent, chat, event, scope, tool};
use tracing_subscriber::prelude::*;

const SOON: Duration = Duration::from_secs(20);

#[test]
fn every_attribute_name_header_url_status_and_exception_is_walked() {
    let capture = capture_with(|builder| builder.error_messages(true));
    capture.record(|| {
        let mail = "ada@lovelace.dev";
        let span = chat("openai", "gpt-4o")
            .attr(
                "url.full",
                "https://ada:hunter2secret@host/v1?api_key=abc12345678",
            )
            .attr(
                "http.request.header.authorization",
                Value::Array(vec!["Bearer abcdefghijklmnop".into()]),
            )
            .attr(
                "server.list",
                Value::Array(vec!["fine".into(), mail.into()]),
            )
            .attr(
                "nested",
                Value::Json(serde_json::json!({"a": [{"password": "p4ss"}, mail]})),
            )
            .attr(format!("of {mail}"), true)
            .attr("otel.name", format!("chat for {mail}"))
            .start();
        span.fail(&format!("no such user {mail}"));
        tracing::info_span!(
            "work",
            otel.status_code = "error",
            otel.status_description = mail
        )
        .in_scope(|| tracing::info!(note = mail, "asked {mail}"));
    });
    let shown = format!("{:?} {:?}", capture.spans(), capture.events());
    for secret in [
        "lovelace",
        "hunter2secret",
        "abc12345678",
        "abcdefghijklmnop",
        "p4ss",
    ] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(shown.contains("chat for [REDACTED:email]"), "{shown}");
    assert!(shown.contains("no such user [REDACTED:email]"));
}

#[test]
fn what_is_inherited_from_spans_around_and_scopes_is_walked_too() {
    let capture = capture();
    capture
        .record(|| {
            scope([("tenant", "ada@lovelace.dev")]).in_scope(|| {
                agent("helper of ada@lovelace.dev")
                    .session_id("s-ada@lovelace.dev")
                    .conversation_id("c-ada@lovelace.dev")
                    .in_scope(|_| {
                        event("order.placed").emit();
                        tool("search").in_scope(|_| Ok::<_, std::fmt::Error>(()))
                    })
            })
        })
        .unwrap();
    let events = capture.events();
    assert_eq!(events.len(), 5);
    for event in &events {
        let shown = serde_json::to_string(&**event).unwrap();
        assert!(!shown.contains("lovelace"), "{shown}");
    }
    assert!(!format!("{:?}", capture.spans()).contains("lovelace"));
}

#[test]
fn counts_of_tokens_models_and_other_plain_facts_stay_as_they_are() {
    let capture = capture();
    capture.record(|| {
        let call = chat("openai", "gpt-4o-mini-2024-07-18")
            .max_tokens(4096)
            .start();
        call.response(&serde_json::json!({
            "id": "chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT", "model": "gpt-4o-mini-2024-07-18",
            "choices": [{"finish_reason": "stop"}],
            "usage": {"prompt_tokens": 140, "completion_tokens": 32},
        }))
        .set("keyboard", "qwerty")
        .set("tokens.left", 12)
        .complete();
    });
    let span = capture.span("chat gpt-4o-mini-2024-07-18");
    assert_eq!(
        span.attr("gen_ai.response.id"),
        Some(&"chatcmpl-B9MBs8CjcvOU2jLn4n570S5qMJKcT".into())
    );
    assert_eq!(span.attr("keyboard"), Some(&"qwerty".into()));
    assert_eq!(span.attr("tokens.left"), Some(&12.into()));
    assert_eq!(span.attr("gen_ai.request.max_tokens"), Some(&4096.into()));
    assert!(!format!("{span:?}").contains("REDACTED"));
    assert_eq!(capture.telemetry().stats().redacted, 0);
}

struct Leaky;

impl Enrich for Leaky {
    fn on_completed(&self, event: &mut EventData) -> Verdict {
        event.attrs.set("added", "ada@lovelace.dev");
        Verdict::Keep
    }
}

#[test]
fn what_a_hook_adds_is_walked_because_secrets_are_taken_out_last() {
    let capture = capture_with(|builder| builder.enrich(Leaky));
    capture.record(|| chat("openai", "gpt-4o").start().complete());
    let events = capture.events();
    assert!(
        events
            .iter()
            .any(|e| e.attr("added") == Some(&"[REDACTED:email]".into()))
    );
    assert!(!format!("{events:?}").contains("lovelace"));
}

#[test]
fn content_that_is_captured_in_full_passes_hooks_as_it_is_and_what_they_add_does_not() {
    let capture = capture_with(|builder| builder.enrich(Leaky).capture(CaptureMode::Full));
    capture.record(|| {
        let call = chat("openai", "gpt-4o")
            .prompt("mail grace@hopper.dev")
            .start();
        call.complete();
    });
    let shown = format!(
        "{:?}",
        capture
            .events()
            .iter()
            .map(|e| serde_json::to_string(&**e).unwrap())
            .collect::<Vec<_>>()
    );
    assert!(
        shown.contains("grace@hopper.dev") && !shown.contains("lovelace"),
        "{shown}"
    );
}

#[test]
fn a_redactor_that_fails_drops_the_value_counts_it_and_keeps_the_record() {
    let redactor = Redactor::builder()
        .hook(|field| match field.text() {
            "panic" => panic!("a hook in trouble"),
            "fail" => Err("refused".into()),
            _ => Ok(None),
        })
        .build()
        .unwrap();
    let capture = capture_with(|builder| builder.redactor(redactor));
    capture.record(|| {
        chat("openai", "gpt-4o")
            .attr("a", "panic")
            .attr("b", "fail")
            .attr("c", "fine")
            .start()
            .complete();
    });
    let span = capture.span("chat gpt-4o");
    assert_eq!(span.attr("a"), Some(&"[REDACTED:error]".into()));
    assert_eq!(span.attr("b"), Some(&"[REDACTED:error]".into()));
    assert_eq!(span.attr("c"), Some(&"fine".into()));
    let report = capture.telemetry().flush(SOON);
    assert!(report.partial[&Loss::Redaction] >= 2, "{report:?}");
}

#[test]
fn who_asks_for_the_raw_events_gets_them_with_the_same_ids_and_nobody_else_does() {
    let raw = Bus::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    raw.on_event(move |event| sink.lock().unwrap().push(event.clone()));
    let capture = capture_with(|builder| builder.raw_bus(raw.clone()));
    capture.record(|| {
        chat("openai", "gpt-4o")
            .attr("contact", "ada@lovelace.dev")
            .start()
            .complete();
        event("order.placed")
            .attr("contact", "ada@lovelace.dev")
            .emit();
    });
    let clean = capture.events();
    assert!(raw.flush(std::time::Instant::now() + SOON).complete);
    let raw = seen.lock().unwrap().clone();
    let ids =
        |events: &[tracing_genai::event::Event]| events.iter().map(|e| e.id).collect::<Vec<_>>();
    assert_eq!(ids(&clean), ids(&raw));
    assert_eq!(clean.len(), 3);
    assert!(
        raw.iter()
            .all(|e| e.attr("contact") == Some(&"ada@lovelace.dev".into()))
    );
    assert!(
        clean
            .iter()
            .all(|e| e.attr("contact") == Some(&"[REDACTED:email]".into()))
    );
}

#[test]
fn how_many_secrets_were_taken_out_is_told() {
    let telemetry = Telemetry::builder("test").build().unwrap();
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    tracing::subscriber::with_default(subscriber, || {
        chat("openai", "gpt-4o")
            .attr("a", "ada@lovelace.dev")
            .attr("db.password", "x")
            .start()
            .complete();
    });
    assert_eq!(telemetry.flush(SOON).redacted, 2);
}

#[test]
fn redaction_may_be_turned_off_by_who_wants_that() {
    let capture = capture_with(|builder| builder.without_redaction());
    capture.record(|| {
        chat("openai", "gpt-4o")
            .attr("a", "ada@lovelace.dev")
            .start()
            .complete()
    });
    assert_eq!(
        capture.span("chat gpt-4o").attr("a"),
        Some(&"ada@lovelace.dev".into())
    );
}
