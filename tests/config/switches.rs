//! Recording, its level and its channels, switched while it runs.

use std::time::Duration;

use serde_json::json;
use tracing_genai::bus::Delivery;
use tracing_genai::event::{Dialect, Level};
use tracing_genai::testing::Captured;
use tracing_genai::{Telemetry, agent, chat, event, log_event};
use tracing_subscriber::prelude::*;

use crate::support::waiting;

fn within(telemetry: &Telemetry, f: impl FnOnce()) {
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    tracing::subscriber::with_default(subscriber, f);
    telemetry.flush(Duration::from_secs(10));
}

fn told(telemetry: &Telemetry) -> Vec<String> {
    let events = telemetry.history().oldest_first().fetch().unwrap();
    events.iter().map(|event| event.ty.to_string()).collect()
}

#[test]
fn while_disabled_nothing_is_told_and_open_spans_end_exactly_once() {
    let spans = Captured::default();
    let telemetry = Telemetry::builder("x")
        .span_exporter(spans.clone())
        .build()
        .unwrap();
    let mut seen = telemetry.bus().subscribe();
    within(&telemetry, || {
        let open = agent("planner").start();
        assert!(telemetry.disable() && !telemetry.disable() && !telemetry.is_enabled());
        chat("openai", "gpt-4o").start().complete();
        log_event("some.thing", json!({}), "", Level::Alert);
        event("other.thing").in_span(open.span()).emit();
        tracing::info!(genai.event = "third.thing");
        tracing::error_span!("plain").in_scope(|| ());
        telemetry
            .import(
                Dialect::Cylestio,
                &json!({
                    "event": "LLM_call_start", "data": {}, "timestamp": "2024-06-15T14:30:22",
                    "agent_id": "a", "channel": "LLM", "level": "info"
                }),
            )
            .unwrap();
        open.complete();
        assert!(telemetry.enable() && !telemetry.enable() && telemetry.is_enabled());
        chat("openai", "gpt-4o-mini").start().complete();
    });
    let mut names = Vec::new();
    while let Some(Delivery::Event(event)) = seen.try_recv() {
        names.push(event.ty.to_string());
    }
    assert_eq!(
        names,
        [
            "agent.execution.started",
            "monitoring.disabled",
            "agent.execution.completed",
            "monitoring.enabled",
            "llm.call.started",
            "llm.call.completed"
        ]
    );
    let exported: Vec<_> = spans.spans().into_iter().map(|span| span.name).collect();
    assert_eq!(exported, ["invoke_agent planner", "chat gpt-4o-mini"]);
    assert!(telemetry.shutdown().is_complete());
    assert!(!telemetry.enable());
}

#[test]
fn while_disabled_no_span_is_made_and_a_call_site_is_free() {
    // In a process of its own: tracing may ask another thread's subscriber, where that was the only one until now, what our call
    // sites are to it.
    const TEST: &str = "switches::while_disabled_no_span_is_made_and_a_call_site_is_free";
    waiting::alone(TEST, || {
        let telemetry = Telemetry::builder("x").build().unwrap();
        within(&telemetry, || {
            assert!(!tracing::info_span!("on").is_disabled());
            telemetry.disable();
            let work = || {
                for _ in 0..100 {
                    let _span =
                        tracing::info_span!("off", gen_ai.operation.name = "chat").entered();
                    tracing::info!(genai.event = "some.thing");
                }
            };
            assert!(tracing::info_span!("off").is_disabled());
            let info = allocation_counter::measure(work);
            assert_eq!(info.count_total, 0);
        });
    });
}

#[test]
fn neighbours_see_what_they_saw_while_we_are_off() {
    let telemetry = Telemetry::builder("x").build().unwrap();
    let neighbour = Telemetry::builder("neighbour").build().unwrap();
    let subscriber = tracing_subscriber::registry()
        .with(telemetry.layer())
        .with(neighbour.layer());
    tracing::subscriber::with_default(subscriber, || {
        telemetry.disable();
        tracing::info_span!("work", gen_ai.operation.name = "chat").in_scope(|| ());
    });
    neighbour.flush(Duration::from_secs(10));
    assert_eq!(neighbour.stats().capture.accepted, 1);
    assert_eq!(neighbour.history().count().unwrap(), 2);
}

#[test]
fn an_installation_that_starts_switched_off_can_be_switched_on() {
    let telemetry = Telemetry::builder("x").enabled(false).build().unwrap();
    within(&telemetry, || {
        chat("openai", "gpt-4o").start().complete();
        assert!(telemetry.enable());
        log_event("some.thing", json!({}), "", Level::Info);
    });
    assert_eq!(told(&telemetry), ["monitoring.enabled", "some.thing"]);
}

fn threads() -> usize {
    std::fs::read_dir("/proc/self/task").unwrap().count()
}

/// Names of this process's threads that are ours.
fn ours() -> usize {
    let all = std::fs::read_dir("/proc/self/task").unwrap().flatten();
    let name = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("comm")).ok();
    all.filter_map(name)
        .filter(|name| name.starts_with("tracing-genai"))
        .count()
}

#[test]
fn each_disabling_variable_leaves_no_thread_no_event_and_no_output() {
    // In a process of its own: other tests have threads, and what is written to stderr is to be seen.
    for name in [
        "OTEL_SDK_DISABLED",
        "CREWAI_DISABLE_TELEMETRY",
        "CREWAI_DISABLE_TRACKING",
    ] {
        let output = std::process::Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "switches::disabled_child",
                "--ignored",
                "--nocapture",
            ])
            .env(name, "True")
            .env("DISABLED_BY", name)
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        let stdout = String::from_utf8(output.stdout).unwrap();
        assert!(stdout.contains("1 passed"), "{stdout}");
        assert_eq!(String::from_utf8(output.stderr).unwrap(), "");
    }
}

#[test]
#[ignore = "run by the test above, in a process of its own"]
fn disabled_child() {
    let before = threads();
    let folder = tempfile::tempdir().unwrap();
    let telemetry = Telemetry::builder("x")
        .console()
        .otlp_from_env()
        .json_file(folder.path().join("events.jsonl"))
        .build()
        .unwrap();
    assert_eq!(
        telemetry.disabled_by(),
        std::env::var("DISABLED_BY").ok().as_deref()
    );
    assert!(!telemetry.enable() && !telemetry.is_enabled());
    within(&telemetry, || {
        assert!(tracing::info_span!("off").is_disabled());
        chat("openai", "gpt-4o").start().complete();
        log_event("some.thing", json!({}), "", Level::Alert);
    });
    assert_eq!((threads(), ours()), (before, 0));
    let report = telemetry.shutdown();
    assert_eq!(report.capture.accepted, 0);
    assert!(report.is_complete());
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn events_below_the_level_of_their_channel_reach_no_one_and_are_no_losses() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("events.jsonl");
    let spans = Captured::default();
    let telemetry = Telemetry::builder("x")
        .channel_level("LLM", Level::Warn)
        .channel_off("CACHE")
        .span_exporter(spans.clone())
        .json_file(&file)
        .build()
        .unwrap();
    let mut seen = telemetry.bus().subscribe();
    within(&telemetry, || {
        chat("openai", "gpt-4o").start().complete();
        chat("openai", "gpt-4o").start().fail("timeout");
        log_event("cache.hit", json!({}), "CACHE", Level::Alert);
        log_event("mine", json!({}), "", Level::Info);
    });
    let mut names = Vec::new();
    while let Some(Delivery::Event(event)) = seen.try_recv() {
        names.push(event.ty.to_string());
    }
    assert_eq!(names, ["llm.call.failed", "mine"]);
    assert_eq!(told(&telemetry), names);
    // Traces have no holes.
    assert_eq!(spans.spans().len(), 2);
    let report = telemetry.shutdown();
    // Two starts, one end, one moment.
    assert_eq!(report.filtered, 4);
    assert!(report.is_complete(), "{report}");
    assert_eq!(std::fs::read_to_string(file).unwrap().lines().count(), 2);
}

#[test]
fn without_a_listener_the_history_is_filtered_all_the_same() {
    let telemetry = Telemetry::builder("x").build().unwrap();
    telemetry.channel("llm").level(Level::Error);
    within(&telemetry, || {
        chat("openai", "gpt-4o").start().complete();
        chat("openai", "gpt-4o").start().fail("timeout");
    });
    telemetry.channel("LLM").on();
    within(&telemetry, || chat("openai", "gpt-4o").start().complete());
    let told = told(&telemetry);
    assert_eq!(
        told.iter()
            .filter(|name| *name == "llm.call.completed")
            .count(),
        1
    );
    assert_eq!(
        told.iter()
            .filter(|name| *name == "llm.call.failed")
            .count(),
        1
    );
    assert_eq!(telemetry.stats().filtered, 1);
}
