//! Nothing reaches the page that would not leave the process.

use serde_json::{Value, json};
use tracing_genai::content::{CaptureMode, Carrier};
use tracing_genai::enrich::{Enrich, SpanMut};
use tracing_genai::message::Message;
use tracing_genai::{Telemetry, agent, chat, tool};
use tracing_subscriber::prelude::*;

use super::client::{Live, SOON, get, run, text};
use super::{builder, record, url};

const KEY: &str = "AKIAIOSFODNN7EXAMPLQ";

/// Everything the page can ask for, as one text.
async fn everything(url: &str) -> String {
    let (_, found) = get(&format!("{url}api/search?q=&limit=1000")).await;
    let mut all = found.to_string();
    for span in found["spans"].as_array().unwrap() {
        let (trace, id) = (
            span["trace"].as_str().unwrap(),
            span["id"].as_str().unwrap(),
        );
        all += &text(&format!("{url}api/runs/{trace}/{id}")).await.1;
        all += &text(&format!("{url}api/runs/{trace}")).await.1;
    }
    let mut live = Live::open(url, "").await;
    all += &live.named("hello").await.data.to_string();
    all + &live.named("changes").await.data.to_string()
}

#[tokio::test]
async fn a_secret_is_on_no_way_to_the_page() {
    let telemetry = Telemetry::builder(format!("service {KEY}"))
        .environment(|_| None)
        .viewer("127.0.0.1:0")
        .capture(CaptureMode::Redacted)
        .build()
        .unwrap();
    let _subscriber =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(telemetry.layer()));
    let leaky = || {
        let agent = agent(&format!("agent {KEY}"))
            .session_id(&format!("session {KEY}"))
            .start();
        agent.in_scope(|| {
            let call = chat("openai", &format!("model {KEY}"))
                .messages(&[Message::user(format!("use {KEY}"))])
                .start();
            call.finish_reason(&format!("because {KEY}"));
            call.fail(&format!("no such key: {KEY}"));
            tracing::info!("a line with {KEY}");
            tracing::info!(note = format!("{KEY}"), "a line");
            tracing_genai::event(format!("note.made-{KEY}"))
                .body(json!({"text": KEY, KEY: 1}))
                .attr("x", KEY)
                .emit();
            tracing_genai::event("note.made").error(&KEY).emit();
            let _ = tool(KEY)
                .arguments(json!({"key": KEY}))
                .in_scope(|_| Err::<(), _>(KEY.to_owned()));
            tracing::info_span!("plain", otel.name = format!("GET /{KEY}")).in_scope(|| ());
        });
        agent
    };
    let ended = leaky();
    ended.fail(&KEY);
    let open = leaky();
    telemetry.flush(SOON);
    let mut live = Live::open(&url(&telemetry), "").await;
    live.until(|changes| {
        let runs = changes["runs"].as_array()?;
        runs.iter().any(|run| run["status"] == "open").then_some(())
    })
    .await;
    let all = everything(&url(&telemetry)).await;
    let at = all.find(KEY);
    let around = at.map(|at| all[at.saturating_sub(200)..(at + 60).min(all.len())].to_owned());
    assert_eq!(around, None);
    assert!(all.contains("[REDACTED"), "{all}");
    drop(open);
}

struct Scrub;

impl Enrich for Scrub {
    fn before_span(&self, span: &mut SpanMut<'_>) {
        span.remove("user.email");
    }
    fn after_span(&self, span: &mut SpanMut<'_>) {
        span.remove("user.email");
    }
}

#[tokio::test]
async fn what_a_hook_takes_out_at_the_start_is_not_shown_while_the_span_is_open() {
    let telemetry = builder().enrich(Scrub).build().unwrap();
    let _subscriber =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(telemetry.layer()));
    let open = agent("open").start();
    let plain = open.in_scope(|| tracing::info_span!("plain", user.email = "eve@example.com"));
    plain.in_scope(|| ());
    let inner = plain.in_scope(|| chat("openai", "gpt-4o").start());
    inner.set("user.email", "eve@example.com");
    let child = inner.in_scope(|| tracing::info_span!("below", user.email = "eve@example.com"));
    child.in_scope(|| tool("t").start().complete());
    let mut live = Live::open(&url(&telemetry), "").await;
    live.until(|changes| {
        run(changes, "invoke_agent open")
            .filter(|run| run["open"] == 4)
            .map(|_| ())
    })
    .await;
    let all = everything(&url(&telemetry)).await;
    assert!(!all.contains("eve@example.com"), "{all}");
}

#[tokio::test]
async fn content_that_leaves_on_events_only_is_shown_on_its_span() {
    for (mode, carrier) in [
        (CaptureMode::Redacted, Carrier::Event),
        (CaptureMode::Redacted, Carrier::SpanAndEvent),
        (CaptureMode::Metadata, Carrier::Event),
        (CaptureMode::Metadata, Carrier::Span),
    ] {
        let telemetry = builder().capture(mode).carrier(carrier).build().unwrap();
        record(&telemetry, || {
            chat("openai", "gpt-4o")
                .messages(&[Message::user("Where is my umbrella?")])
                .start()
                .complete();
        });
        telemetry.flush(SOON);
        let (_, found) = get(&format!("{}api/search?q=", url(&telemetry))).await;
        let spans = found["spans"].as_array().unwrap();
        assert_eq!(spans.len(), 1, "{spans:#?}");
        assert_eq!(spans[0]["content"], true, "{mode:?} {carrier:?}");
        assert!(spans[0]["moments"].is_null(), "the details are no moment");
        let (trace, id) = (
            spans[0]["trace"].as_str().unwrap(),
            spans[0]["id"].as_str().unwrap(),
        );
        let (_, detail) = get(&format!("{}api/runs/{trace}/{id}", url(&telemetry))).await;
        let part: &Value = &detail["input"][0]["parts"][0];
        if mode == CaptureMode::Metadata {
            assert_eq!(
                (&part["content"], &part["bytes"]),
                (&json!(""), &json!(21)),
                "{detail:#}"
            );
        } else {
            assert_eq!(part["content"], "Where is my umbrella?", "{detail:#}");
        }
    }
}

#[tokio::test]
async fn those_who_see_events_as_they_were_see_nothing_of_what_the_page_looks_at() {
    let raw = tracing_genai::bus::Bus::new();
    let telemetry = builder()
        .capture(CaptureMode::Redacted)
        .raw_bus(raw.clone())
        .build()
        .unwrap();
    let mut seen = raw.subscribe();
    let _subscriber =
        tracing::subscriber::set_default(tracing_subscriber::registry().with(telemetry.layer()));
    let open = agent("open").start();
    let mut live = Live::open(&url(&telemetry), "").await;
    live.until(|changes| run(changes, "invoke_agent open").map(|_| ()))
        .await;
    telemetry
        .import(
            tracing_genai::event::Dialect::AiTaskAgent,
            &json!({"StepName": "s", "Status": "Retrying", "Message": "attempt 2", "Timestamp": "2026-03-15T08:00:03Z"}),
        )
        .unwrap();
    telemetry.flush(SOON);
    let mut types = Vec::new();
    while let Ok(delivery) = seen.recv_timeout(std::time::Duration::from_millis(200)) {
        types.extend(delivery.event().map(|event| event.ty.to_string()));
    }
    // Of a document there is no other form, and the span that is open has told nothing.
    assert_eq!(types, [""; 0]);
    drop(open);
}
