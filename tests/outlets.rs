//! What hangs on the bus of an installation: history, files, writers; and that one in trouble is no trouble for another.
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod support;

use std::sync::mpsc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use tracing_genai::bus::Bus;
use tracing_genai::content::CaptureMode;
use tracing_genai::event::{Dialect, Event, Level};
use tracing_genai::files::JsonFile;
use tracing_genai::history::{By, MemoryStore};
use tracing_genai::testing::{capture, capture_with};
use tracing_genai::{
    ConfigError, EventWriter, Loss, Telemetry, WriteError, agent, chat, event, log_event, tool,
};
use tracing_subscriber::prelude::*;

const SOON: Duration = Duration::from_secs(20);

fn record<T>(telemetry: &Telemetry, f: impl FnOnce() -> T) -> T {
    tracing::subscriber::with_default(tracing_subscriber::registry().with(telemetry.layer()), f)
}

fn run() {
    agent("planner")
        .in_scope(|_| {
            chat("openai", "gpt-4o-mini").start().complete();
            tool("search").start().fail_as("timeout");
            event("order.placed").attr("order", 7).emit();
            Ok::<_, std::fmt::Error>(())
        })
        .unwrap();
}

fn types(events: &[Event]) -> Vec<String> {
    events.iter().map(|event| event.ty.to_string()).collect()
}

const RUN: [&str; 7] = [
    "agent.execution.started",
    "llm.call.started",
    "llm.call.completed",
    "tool.call.started",
    "tool.call.failed",
    "order.placed",
    "agent.execution.completed",
];

#[test]
fn the_history_in_memory_is_there_without_being_asked_for() {
    let telemetry = Telemetry::builder("test").build().unwrap();
    record(&telemetry, run);
    assert!(telemetry.flush(SOON).is_complete());
    let history = telemetry.history();
    assert_eq!(types(&history.oldest_first().fetch().unwrap()), RUN);
    let newest = history.limit(1).fetch().unwrap();
    assert!(
        newest[0].ty == "agent.execution.completed",
        "newest first by default"
    );
    let starts = history
        .agent("planner")
        .event_type("LLM_call_start")
        .unwrap();
    assert_eq!(starts.count().unwrap(), 1);
    assert_eq!(history.search("timeout").count().unwrap(), 1);
    let levels = history.distribution(By::Level).unwrap();
    assert!(levels.contains(&("ERROR".to_owned(), 1)), "{levels:?}");
}

#[test]
fn what_is_remembered_without_being_asked_for_stays_the_same_from_one_question_to_the_next() {
    let telemetry = Telemetry::builder("test").build().unwrap();
    record(&telemetry, run);
    assert!(telemetry.flush(SOON).is_complete());
    let first = telemetry.history().oldest_first().fetch().unwrap();
    assert_eq!(telemetry.history().oldest_first().fetch().unwrap(), first);
    let (start, end) = (&first[1], &first[2]);
    assert_eq!(end.cx.started_event, Some(start.id));
    assert_eq!(start.cx.span, end.cx.span);
    assert!(start.attr("gen_ai.request.model").is_some());
    assert!(
        start.attr("llm.model").is_none(),
        "what its end added is not on its start"
    );

    // From now on somebody listens, and the start is told when it happens.
    let _listening = telemetry.bus().subscribe();
    record(&telemetry, run);
    assert!(telemetry.flush(SOON).is_complete());
    let both = telemetry.history().oldest_first().fetch().unwrap();
    assert_eq!(both[..7], first);
    assert_eq!(types(&both[7..]), RUN);
    assert_eq!(both[8].cx.parent_event, Some(both[7].id));
    assert_eq!(telemetry.history().agent("planner").erase().unwrap(), 14);
    assert_eq!(telemetry.history().count().unwrap(), 0);
}

#[test]
fn what_is_remembered_without_being_asked_for_is_bounded_and_costs_no_record() {
    let telemetry = Telemetry::builder("test").build().unwrap();
    record(&telemetry, || {
        for n in 0..5_000 {
            tool(&format!("t{n}")).start().complete();
        }
    });
    let report = telemetry.flush(SOON);
    assert!(report.is_complete());
    assert_eq!(report.capture.accepted, 5_000, "the ends alone");
    let kept = telemetry.history().fetch().unwrap();
    assert_eq!(kept.len(), 2_000);
    assert_eq!(&*kept[0].name, "execute_tool t4999");
    assert_eq!(&*kept[1_999].name, "execute_tool t4000");
}

#[test]
fn without_history_nothing_is_kept_and_everything_else_works() {
    let telemetry = Telemetry::builder("test")
        .without_history()
        .build()
        .unwrap();
    record(&telemetry, run);
    assert!(telemetry.flush(SOON).is_complete());
    assert_eq!(telemetry.history().count().unwrap(), 0);
    assert!(!telemetry.bus().has_interest());
}

#[test]
fn events_are_lines_of_a_file_named_after_the_service_in_a_directory_that_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("made/too/");
    let telemetry = Telemetry::builder("my-agent")
        .json_file(format!("{}/", path.display()))
        .build()
        .unwrap();
    record(&telemetry, run);
    let report = telemetry.flush(SOON);
    assert!(report.is_complete(), "{report:?}");
    let files: Vec<_> = std::fs::read_dir(&path)
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    assert_eq!(files.len(), 1);
    let name = files[0].file_name().unwrap().to_string_lossy().into_owned();
    assert!(
        name.starts_with("my-agent_monitoring_") && name.ends_with(".jsonl"),
        "{name}"
    );
    let read: Vec<Event> = JsonFile::read(&files[0])
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(types(&read), RUN);
    assert_eq!(read, telemetry.history().oldest_first().fetch().unwrap());
}

#[test]
fn a_file_that_cannot_be_is_said_at_build_and_nothing_is_started() {
    let directory = tempfile::tempdir().unwrap();
    let blocked = directory.path().join("file");
    std::fs::write(&blocked, "").unwrap();
    let built = Telemetry::builder("test")
        .json_file(blocked.join("below.jsonl"))
        .build();
    assert!(matches!(built, Err(ConfigError::File(_))), "{built:?}");
}

#[cfg(feature = "sqlite")]
#[test]
fn a_history_on_disk_survives_the_installation() {
    use tracing_genai::history::SqliteStore;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.db");
    for round in 1..=2 {
        let telemetry = Telemetry::builder("test")
            .history(SqliteStore::open(&path).unwrap())
            .build()
            .unwrap();
        record(&telemetry, run);
        let report = telemetry.shutdown();
        assert!(report.is_complete(), "{report:?}");
        let (name, tally) = &report.writers[0];
        assert_eq!((*name, tally.delivered), ("history", 7));
        assert_eq!(telemetry.history().count().unwrap(), 7 * round);
        assert_eq!(
            telemetry
                .history()
                .event_type("order.placed")
                .unwrap()
                .count()
                .unwrap(),
            round
        );
    }
}

#[test]
fn replayed_events_reach_handlers_as_such_and_are_not_recorded_again() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.jsonl");
    let capture = capture_with(|builder| builder.json_file(&path));
    capture.record(run);
    let first = capture.events();
    let history = capture.telemetry().history();
    let kept = history.oldest_first().fetch().unwrap();
    assert_eq!(kept, first);

    capture.telemetry().bus().replay(kept.clone());
    let again = capture.events().split_off(first.len());
    assert_eq!(again.len(), first.len());
    for (again, first) in again.iter().zip(&first) {
        assert!(again.replay && !first.replay);
        assert_eq!(
            (again.id, again.seq, again.time, again.cursor),
            (first.id, first.seq, first.time, first.cursor)
        );
        assert_eq!((&again.attrs, &again.cx), (&first.attrs, &first.cx));
    }
    assert_eq!(
        capture.telemetry().history().count().unwrap(),
        first.len() as u64
    );
    assert_eq!(JsonFile::read(&path).unwrap().count(), first.len());
    assert_eq!(capture.spans().len(), 3, "nothing is exported again");
}

/// Waits for its gate, then panics on the first batch and fails the second one.
struct InTrouble {
    gate: mpsc::Receiver<()>,
    batches: u32,
}

impl EventWriter for InTrouble {
    fn write(&mut self, _: &[Event]) -> Result<(), WriteError> {
        let _ = self.gate.recv();
        self.batches += 1;
        match self.batches {
            1 => panic!("on purpose"),
            2 => Err(WriteError::new("on purpose")),
            _ => Ok(()),
        }
    }
}

#[test]
fn an_outlet_that_stalls_panics_or_fails_delays_no_other_and_is_counted() {
    let (open, gate) = mpsc::channel();
    let stalled = InTrouble { gate, batches: 0 };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.jsonl");
    let capture =
        capture_with(|builder| builder.event_writer("in trouble", stalled).json_file(&path));
    capture.record(run);
    let report = capture.telemetry().flush(Duration::from_millis(100));
    assert!(!report.in_time && !report.is_complete());
    support::waiting::until("the others have it", || {
        let file = JsonFile::read(&path).unwrap().filter(Result::is_ok).count();
        file == 7 && capture.telemetry().history().count().unwrap() == 7
    });
    drop(open);
    let report = capture.flush();
    let (_, lost) = report
        .writers
        .iter()
        .find(|(name, _)| *name == "in trouble")
        .unwrap();
    assert_eq!(
        lost.accepted,
        lost.delivered + lost.total_dropped() + lost.pending
    );
    assert!(lost.dropped[&Loss::Write] > 0);
    let (_, written) = report
        .writers
        .iter()
        .find(|(name, _)| *name == "json file")
        .unwrap();
    assert_eq!((written.delivered, written.total_dropped()), (7, 0));
}

#[test]
fn after_the_shutdown_events_are_refused_counted_and_said_once() {
    let heard = support::waiting::alone(
        "after_the_shutdown_events_are_refused_counted_and_said_once",
        || {
            let telemetry = Telemetry::builder("test").build().unwrap();
            record(&telemetry, || {
                event("before.it").emit();
                let first = telemetry.shutdown();
                assert_eq!(telemetry.shutdown(), first, "again is the same");
                for _ in 0..3 {
                    event("after.it").emit();
                }
            });
            assert_eq!(telemetry.stats().capture.dropped[&Loss::AfterShutdown], 3);
            assert_eq!(telemetry.history().count().unwrap(), 1);
        },
    );
    if let Some(stderr) = heard {
        assert_eq!(stderr.matches("after the shutdown").count(), 1, "{stderr}");
    }
}

#[test]
fn an_installation_can_publish_on_the_global_bus_and_others_do_not_hear_of_it() {
    support::waiting::alone(
        "an_installation_can_publish_on_the_global_bus_and_others_do_not_hear_of_it",
        || {
            let mut global = Bus::global().subscribe();
            let shared = Telemetry::builder("shared")
                .bus(Bus::global().clone())
                .build()
                .unwrap();
            let own = Telemetry::builder("own").build().unwrap();
            record(&shared, || event("on.global").emit());
            record(&own, || event("on.own").emit());
            assert!(shared.flush(SOON).is_complete() && own.flush(SOON).is_complete());
            let heard = global.try_recv().unwrap().into_event().unwrap();
            assert!(heard.ty == "on.global");
            assert!(global.try_recv().is_none());
        },
    );
}

#[test]
fn a_flush_waits_for_sync_and_async_handlers_of_everything_emitted_before_it() {
    let telemetry = Telemetry::builder("test").build().unwrap();
    let seen = Arc::new(Mutex::new((0, 0)));
    let (sync, awaited) = (Arc::clone(&seen), Arc::clone(&seen));
    telemetry
        .bus()
        .on_event(move |_| sync.lock().unwrap().0 += 1);
    telemetry.bus().on_event_async(async move |_| {
        tokio::time::sleep(Duration::from_millis(1)).await;
        awaited.lock().unwrap().1 += 1;
    });
    record(&telemetry, || {
        for _ in 0..50 {
            event("a.b").emit();
        }
    });
    assert!(telemetry.flush(SOON).is_complete());
    assert_eq!(*seen.lock().unwrap(), (50, 50));
    record(&telemetry, || event("a.b").emit());
    assert!(support::waiting::block_on(telemetry.flush_async(SOON)).is_complete());
    assert_eq!(*seen.lock().unwrap(), (51, 51));
}

#[test]
fn an_event_of_64_mib_harms_no_outlet() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.jsonl");
    let telemetry = Telemetry::builder("test")
        .capture(CaptureMode::Redacted)
        .history(MemoryStore::with_limits(100, 1 << 20))
        .json_file(&path)
        .build()
        .unwrap();
    let huge = "x".repeat(64 << 20);
    record(&telemetry, || {
        event("before.it").emit();
        event("huge.one").body(&huge).emit();
        log_event("huge.two", json!({ "data": huge }), "", Level::Info);
        event("after.it").emit();
    });
    let report = telemetry.flush(SOON);
    let lost = report.capture.total_dropped();
    let read = JsonFile::read(&path).unwrap().filter(Result::is_ok).count() as u64;
    assert_eq!(read + lost, 4, "{report:?}");
    let kept = telemetry.history().fetch().unwrap();
    assert!(kept.iter().any(|event| event.ty == "after.it"));
}

#[test]
fn imported_events_keep_id_time_and_order_and_become_spans_with_their_ends() {
    let capture = capture();
    let document = |id: &str, at: &str, ty: &str, more: serde_json::Value| {
        let mut event = json!({ "event_id": id, "timestamp": at, "type": ty });
        event
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        event
    };
    let ids = [
        "0192f0c1-0000-7000-8000-000000000001",
        "0192f0c1-0000-7000-8000-000000000002",
        "0192f0c1-0000-7000-8000-000000000003",
        "0192f0c1-0000-7000-8000-000000000004",
    ];
    let began = Instant::now();
    for event in [
        document(
            ids[0],
            "2024-06-01T12:00:00Z",
            "crew_kickoff_started",
            json!({ "crew_name": "trip", "emission_sequence": 1 }),
        ),
        document(
            ids[1],
            "2024-06-01T12:00:01Z",
            "llm_call_started",
            json!({ "model": "gpt-4o-mini", "call_id": "c1", "parent_event_id": ids[0], "emission_sequence": 2 }),
        ),
        document(
            ids[2],
            "2024-06-01T12:00:03Z",
            "llm_call_completed",
            json!({
                "model": "gpt-4o-mini", "call_id": "c1", "started_event_id": ids[1], "emission_sequence": 3,
                "usage": { "prompt_tokens": 140, "completion_tokens": 32 }
            }),
        ),
        document(
            ids[3],
            "2024-06-01T12:00:04Z",
            "crew_kickoff_completed",
            json!({ "crew_name": "trip", "started_event_id": ids[0], "emission_sequence": 4 }),
        ),
    ] {
        assert_eq!(
            capture.telemetry().import(Dialect::CrewAi, &event).unwrap(),
            1
        );
    }
    assert!(began.elapsed() < SOON);
    let events = capture.events();
    assert_eq!(
        types(&events),
        [
            "workflow.started",
            "llm.call.started",
            "llm.call.completed",
            "workflow.completed"
        ]
    );
    for (event, id) in events.iter().zip(ids) {
        assert_eq!(event.id.to_string(), id);
    }
    assert_eq!(events[3].time_rfc3339(), "2024-06-01T12:00:04.000000000Z");
    let (crew, call) = (
        capture.span("invoke_workflow trip"),
        capture.span("chat gpt-4o-mini"),
    );
    assert_eq!(
        (crew.duration, call.duration),
        (Duration::from_secs(4), Duration::from_secs(2))
    );
    assert_eq!(
        (call.parent_id, call.trace_id),
        (crew.span_id, crew.trace_id)
    );
    assert_eq!(
        call.attr("gen_ai.usage.input_tokens")
            .and_then(|n| n.as_i64()),
        Some(140)
    );
    #[cfg(feature = "pricing")]
    assert!(call.attr("gen_ai.usage.cost").is_some(), "{call:?}");
    assert_eq!(
        crew.attr("llm.total_tokens").and_then(|n| n.as_i64()),
        Some(172)
    );
}
