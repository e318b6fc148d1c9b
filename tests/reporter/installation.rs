//! With an installation: its events, its flush, its shutdown, its report.

use tracing_genai::reporter::reporter_fn;
use tracing_genai::{Loss, Telemetry, agent, chat};
use tracing_subscriber::prelude::*;

use super::*;

fn record(telemetry: &Telemetry) {
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    tracing::subscriber::with_default(subscriber, || {
        agent("planner")
            .in_scope(|_| {
                chat("openai", "gpt-4o-mini").start().complete();
                Ok::<_, std::fmt::Error>(())
            })
            .unwrap();
    });
}

const RUN: [&str; 4] = [
    "agent.execution.started",
    "llm.call.started",
    "llm.call.completed",
    "agent.execution.completed",
];

fn types(keeper: &Keeper) -> Vec<String> {
    keeper
        .events()
        .iter()
        .map(|event| event.ty.to_string())
        .collect()
}

#[test]
fn a_reporter_gets_the_events_of_a_trace_in_order_and_flush_waits_for_it() {
    let keeper = Keeper::default();
    let slow = keeper.clone();
    let telemetry = Telemetry::builder("test")
        .reporter(reporter_fn(move |event| {
            let slow = slow.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(5)).await;
                slow.post_event(&event).await
            }
        }))
        .build()
        .unwrap();
    record(&telemetry);
    let report = telemetry.flush(SOON);
    assert_eq!(types(&keeper), RUN);
    assert!(report.is_complete());
    assert!(report.is_balanced());
    let outlets: Vec<_> = report.outlets().map(|(name, _)| name).collect();
    assert!(outlets.contains(&"reporter"), "{outlets:?}");
    let (name, tally) = &report.reporters[0];
    assert_eq!((*name, tally.delivered), ("reporter", 4));
    assert!(
        report.to_string().contains("reporter 4 delivered"),
        "{report}"
    );
    // The trace is a run, which its root has ended.
    // What is only shown again is not posted again.
    telemetry.bus().replay(keeper.events());
    assert!(telemetry.flush(SOON).is_complete());
    assert_eq!(keeper.events().len(), 4);
}

#[test]
fn a_queue_may_be_asked_beside_the_installation_and_is_shut_down_with_it() {
    let keeper = Keeper::default();
    let reporting = queue(keeper.clone())
        .0
        .name("mine")
        .events("llm.call.*")
        .unwrap()
        .build()
        .unwrap();
    let telemetry = Telemetry::builder("test")
        .reporter(reporting.clone())
        .build()
        .unwrap();
    record(&telemetry);
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    assert_eq!(types(&keeper), RUN[1..3]);
    reporting.publish(event("llm.call.failed", "r", 1));
    assert_eq!(reporting.stats().dropped[&Loss::AfterShutdown], 1);
}

#[test]
fn the_trace_of_an_agent_is_a_run_that_its_root_completes() {
    let keeper = Keeper::default();
    let reporting = queue(keeper.clone()).0.build().unwrap();
    let telemetry = Telemetry::builder("test")
        .reporter(reporting.clone())
        .build()
        .unwrap();
    record(&telemetry);
    assert!(telemetry.flush(SOON).is_complete());
    let trace = keeper.events()[0].cx.trace.to_string();
    assert!(reporting.is_completed(&trace));
}

#[test]
fn a_receiver_that_stays_away_is_in_the_report_and_shutdown_returns_in_time() {
    let (builder, _) = queue(reporter_fn(|_| std::future::pending()));
    let telemetry = Telemetry::builder("test")
        .reporter(builder.build().unwrap())
        .build()
        .unwrap();
    record(&telemetry);
    let flushed = telemetry.flush(Duration::from_millis(200));
    assert!(!flushed.in_time && !flushed.is_complete());
    assert_eq!(flushed.reporters[0].1.pending, 4);
    let report = telemetry.shutdown_within(Duration::from_millis(200));
    assert!(!report.is_complete());
    assert_eq!(report.reporters[0].1.dropped[&Loss::ShutdownTimeout], 4);
    assert!(report.took < SOON);
}

#[test]
fn an_event_that_is_not_for_the_receiver_makes_no_report_incomplete() {
    let telemetry = Telemetry::builder("test")
        .reporter(reporter_fn(|_| async { Err(ReportError::Skipped) }))
        .build()
        .unwrap();
    record(&telemetry);
    let report = telemetry.shutdown();
    assert!(report.is_complete());
    assert_eq!(report.reporters[0].1.rejected, 4);
}

#[test]
#[cfg(target_os = "linux")]
fn where_everything_is_switched_off_no_thread_is_started() {
    use super::support::waiting::alone;
    let threads = || std::fs::read_dir("/proc/self/task").unwrap().count();
    alone(
        "installation::where_everything_is_switched_off_no_thread_is_started",
        || {
            let before = threads();
            let telemetry = Telemetry::builder("test")
                .environment(|name| (name == "OTEL_SDK_DISABLED").then(|| "true".to_owned()))
                .reporter(Keeper::default())
                .build()
                .unwrap();
            record(&telemetry);
            assert_eq!(threads(), before);
            assert!(telemetry.shutdown().reporters.is_empty());
        },
    );
}
