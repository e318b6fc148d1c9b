//! Without features, files, a network or a runtime: spans, events, totals and reports work all the same.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tracing_genai::event::{LlmCallCompleted, Usage};
use tracing_genai::{Telemetry, agent, chat, tool};
use tracing_subscriber::prelude::*;

#[tracing::instrument]
fn plan() -> Result<(), String> {
    chat("openai", "gpt-4o-mini").start().usage(Usage::new().input(3).output(4)).complete();
    tool("search").in_scope(|_| Ok::<_, String>(()))
}

#[test]
fn typed_events_totals_and_a_report_need_no_feature() {
    let telemetry = Telemetry::builder("minimal").build().expect("defaults work");
    let calls = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&calls);
    telemetry.bus().on::<LlmCallCompleted>(move |call| {
        seen.lock().expect("no panic").push((call.usage.total(), call.cost_usd));
    });
    let totals = Arc::new(Mutex::new(None));
    let agents = Arc::clone(&totals);
    telemetry.bus().on_event(move |event| {
        if event.ty == "agent.execution.completed" {
            *agents.lock().expect("no panic") = event.attr("llm.total_tokens").cloned();
        }
    });
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    tracing::subscriber::with_default(subscriber, || agent("planner").in_scope(|_| plan())).expect("planned");
    let report = telemetry.flush(Duration::from_secs(10));
    assert!(report.is_complete(), "{report}");
    // Without the price table a cost is unknown, which is not zero.
    assert_eq!(*calls.lock().expect("no panic"), [(Some(7), None)]);
    assert_eq!(totals.lock().expect("no panic").as_ref().and_then(|n| n.as_i64()), Some(7));
    let starts = telemetry.history().event_type("LLM_call_start").expect("a known name");
    assert_eq!(starts.count().expect("memory"), 1);
    assert!(telemetry.shutdown().is_complete());
}
