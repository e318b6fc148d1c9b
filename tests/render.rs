//! Renderers, the places they write to, and the log line every event can have.
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod support;

use std::fmt;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use tracing::Dispatch;
use tracing_genai::bus::Bus;
use tracing_genai::event::{ErrorInfo, Event, EventData, EventType, Level, Visibility};
use tracing_genai::files::EventFile;
use tracing_genai::render::{EventLog, Json, Line, Render, RenderWriter};
use tracing_genai::testing::{capture, capture_with};
use tracing_genai::{EventWriter as _, agent, chat, step};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::prelude::*;

fn data(ty: &str) -> EventData {
    EventData::new(EventType::parse(ty).unwrap(), UNIX_EPOCH)
}

fn event(ty: &str) -> Event {
    Event::new(data(ty))
}

/// A renderer as a user writes one.
struct Csv;

impl Render for Csv {
    fn render(&self, event: &Event, out: &mut dyn fmt::Write) -> fmt::Result {
        if event.phase.is_moment() {
            return Ok(());
        }
        writeln!(out, "{},{}", event.ty, event.level)
    }

    fn extension(&self) -> &str {
        "csv"
    }
}

/// A buffer that several hold.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Shared {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

// === renderers ===

#[test]
fn a_renderer_of_ones_own_writes_a_file_with_its_own_extension() {
    let dir = tempfile::tempdir().unwrap();
    let mut file = EventFile::rendered(dir.path().join("log"), Csv)
        .open()
        .unwrap();
    file.write(&["step.started", "step.progress", "step.failed"].map(event))
        .unwrap();
    assert!(file.path().ends_with("log.csv"));
    let text = std::fs::read_to_string(file.path()).unwrap();
    assert_eq!(text, "step.started,INFO\nstep.failed,ERROR\n");
}

#[test]
fn the_renderer_in_the_documentation_has_twenty_lines_at_most() {
    let (_, example) = include_str!("../src/render/mod.rs")
        .split_once("/// struct Markdown;")
        .unwrap();
    let (renderer, rest) = example.split_once("\n/// }\n").unwrap();
    assert!(renderer.contains("impl Render for Markdown"));
    assert!(
        rest.contains("assert_eq!(text, "),
        "the example says what comes out"
    );
    assert!(renderer.lines().count() < 20, "{renderer}");
}

#[test]
fn file_and_writer_render_the_same_from_the_same_event() {
    let dir = tempfile::tempdir().unwrap();
    let events = ["workflow.started", "security.alert"].map(event);
    let mut file = EventFile::rendered(dir.path().join("log"), Line)
        .open()
        .unwrap();
    let mut out = RenderWriter::new(Vec::new(), Line);
    file.write(&events).unwrap();
    out.write(&events).unwrap();
    out.sync().unwrap();
    let written = String::from_utf8(out.into_inner()).unwrap();
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), written);
    assert_eq!(
        written,
        "1970-01-01T00:00:00.000Z INFO  workflow.started\n1970-01-01T00:00:00.000Z ALERT security.alert\n"
    );
}

#[test]
fn a_closure_is_a_renderer_and_records_may_have_several_lines() {
    let yaml = |event: &Event, out: &mut dyn fmt::Write| write!(out, "---\ntype: {}", event.ty);
    let mut out = RenderWriter::new(Vec::new(), yaml);
    out.write(&["a.b", "c.d"].map(event)).unwrap();
    let text = String::from_utf8(out.into_inner()).unwrap();
    assert_eq!(text, "---\ntype: a.b\n---\ntype: c.d\n");
}

#[test]
fn json_is_one_line_whatever_the_content() {
    let mut data = data("llm.call.chunk");
    data.body = Some("one\ntwo\r\u{2028}\u{85}".into());
    let mut line = String::new();
    Json.render(&Event::new(data.clone()), &mut line).unwrap();
    assert!(!line.contains(['\n', '\r']));
    assert_eq!(
        serde_json::from_str::<Event>(&line).unwrap(),
        Event::new(data)
    );
}

#[test]
fn a_writer_that_fails_loses_what_it_did_not_take_and_is_asked_again() {
    /// Takes 10 bytes, fails once, then takes everything.
    #[derive(Default)]
    struct Hiccup(Vec<u8>, bool);
    impl Write for Hiccup {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            match (self.0.len(), self.1) {
                (0, _) => self.0.write(&bytes[..10]),
                (_, false) => {
                    self.1 = true;
                    Err(io::ErrorKind::BrokenPipe.into())
                }
                (_, true) => self.0.write(bytes),
            }
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }
    let name = |event: &Event, out: &mut dyn fmt::Write| write!(out, "{}", event.ty);
    let mut out = RenderWriter::new(Hiccup::default(), name);
    let error = out
        .write(&["a.bcde", "f.ghij", "k.l"].map(event))
        .unwrap_err();
    assert_eq!(error.written, 1);
    out.write(&[event("m.n")]).unwrap();
    assert!(out.sync().is_err());
    assert_eq!(out.into_inner().0, b"a.bcde\nf.gm.n\n");
}

// === the log line ===

/// A subscriber that prints, without colours and times, and what it printed.
fn printer() -> (Dispatch, Shared) {
    let out = Shared::default();
    let layer = tracing_subscriber::fmt::layer().with_writer(out.clone());
    let layer = layer.with_ansi(false).without_time();
    (
        Dispatch::new(tracing_subscriber::registry().with(layer)),
        out,
    )
}

/// Emits through a bus and waits for the handlers.
fn through(log: EventLog, events: &[Event]) {
    let bus = Bus::new();
    log.attach(&bus);
    events.iter().for_each(|event| bus.publish(event.clone()));
    assert!(
        bus.flush(std::time::Instant::now() + support::waiting::DEADLINE)
            .complete
    );
    assert!(bus.stats().handler_errors.is_empty());
}

fn failed_call() -> Event {
    let mut data = data("llm.call.failed");
    data.name = "chat gpt-4o".into();
    data.cx.trace = 0xabc_u128.into();
    data.cx.span = 0xdef_u64.into();
    data.who.agent_name = Some("planner".into());
    data.duration = Some(Duration::from_micros(1_500));
    data.error = Some(ErrorInfo::new("timeout").with_message("CANARY"));
    data.body = Some("CANARY".into());
    data.attrs.set("own", "CANARY");
    Event::new(data)
}

#[test]
fn every_event_is_one_structured_line_without_content() {
    let (dispatch, out) = printer();
    through(
        EventLog::as_event().dispatch(&dispatch),
        &[failed_call(), event("step.started")],
    );
    assert_eq!(
        out.text(),
        "ERROR genai::event: event_type=llm.call.failed name=\"chat gpt-4o\" \
         trace_id=00000000000000000000000000000abc span_id=0000000000000def agent=\"planner\" duration_ms=1.5 \
         error.type=\"timeout\"\n INFO genai::event: event_type=step.started\n"
    );
}

#[test]
fn the_level_is_the_events_own_or_one_for_all() {
    let levels = [
        Level::Trace,
        Level::Debug,
        Level::Info,
        Level::Warn,
        Level::Error,
        Level::Alert,
    ];
    let events = levels.map(|level| {
        let mut data = data("custom.thing");
        data.level = level;
        Event::new(data)
    });
    let printed = |log: EventLog| {
        let out = Shared::default();
        let layer = tracing_subscriber::fmt::layer()
            .with_writer(out.clone())
            .with_ansi(false)
            .without_time();
        let layer = layer.with_filter(tracing_subscriber::filter::LevelFilter::TRACE);
        let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
        through(log.dispatch(&dispatch), &events);
        let text = out.text();
        let words = |line: &str| {
            let level = line
                .split_whitespace()
                .next()
                .unwrap_or_default()
                .to_owned();
            (level, line.ends_with("alert=true"))
        };
        text.lines().map(words).collect::<Vec<_>>()
    };
    let line = |level: &str, alert| (level.to_owned(), alert);
    assert_eq!(
        printed(EventLog::as_event()),
        [
            line("TRACE", false),
            line("DEBUG", false),
            line("INFO", false),
            line("WARN", false),
            line("ERROR", false),
            line("WARN", true)
        ]
    );
    let debug = printed(EventLog::at(tracing::Level::DEBUG));
    assert_eq!(debug.len(), 6);
    assert!(debug.iter().all(|(level, _)| level == "DEBUG"));
}

#[test]
fn hidden_events_are_logged_and_replayed_ones_are_not() {
    let (dispatch, out) = printer();
    let (mut hidden, mut replayed) = (data("step.started"), data("step.failed"));
    hidden.visibility = Visibility::Internal;
    replayed.replay = true;
    let log = EventLog::as_event().dispatch(&dispatch);
    through(log, &[hidden, replayed].map(Event::new));
    assert_eq!(out.text(), " INFO genai::event: event_type=step.started\n");
}

#[test]
fn the_log_goes_to_the_subscriber_that_was_current_and_does_not_keep_it_alive() {
    let (dispatch, out) = printer();
    let log = tracing::dispatcher::with_default(&dispatch, || EventLog::at(tracing::Level::INFO));
    through(log.clone(), &[event("step.started")]);
    assert_eq!(out.text().lines().count(), 1);
    drop(dispatch);
    through(log, &[event("step.started")]);
    assert_eq!(out.text().lines().count(), 1);
    assert_eq!(Arc::strong_count(&out.0), 1, "the subscriber is gone");
}

#[test]
fn a_log_beside_the_layer_neither_loops_nor_shows_up_in_what_is_recorded() {
    let out = Shared::default();
    let printed = tracing_subscriber::fmt::layer()
        .with_writer(out.clone())
        .with_ansi(false);
    let capture = capture_with(|builder| builder.level(tracing::level_filters::LevelFilter::TRACE));
    let subscriber = tracing_subscriber::registry()
        .with(capture.telemetry().layer())
        .with(printed);
    let dispatch = Dispatch::new(subscriber);
    EventLog::as_event()
        .dispatch(&dispatch)
        .attach(capture.telemetry().bus());
    tracing::dispatcher::with_default(&dispatch, || {
        agent("planner")
            .in_scope(|_| {
                let call = chat("openai", "m").start();
                tracing::info!(genai.event = "order.placed", order = 7);
                call.complete();
                Ok::<_, io::Error>(())
            })
            .unwrap();
    });
    let events = capture.events();
    let lines = || {
        out.text()
            .lines()
            .filter(|line| line.contains("genai::event"))
            .count()
    };
    assert_eq!(events.len(), 5);
    assert_eq!(lines(), 5);
    // Whatever a line of the log would have caused is here by now.
    assert_eq!((capture.events().len(), lines()), (5, 5));
    assert_eq!(capture.spans().len(), 2);
    for span in capture.spans() {
        assert!(span.events.iter().all(|event| event.name == "order.placed"));
    }
}

#[test]
fn a_global_subscriber_set_after_the_log_was_made_gets_the_lines() {
    const TEST: &str = "a_global_subscriber_set_after_the_log_was_made_gets_the_lines";
    support::waiting::alone(TEST, || {
        let log = EventLog::as_event();
        let (dispatch, out) = printer();
        tracing::dispatcher::set_global_default(dispatch).unwrap();
        through(log, &[event("step.started")]);
        assert_eq!(out.text().lines().count(), 1);
    });
}

#[test]
fn a_line_logged_by_a_thread_inside_a_span_is_no_part_of_that_span() {
    let capture = capture();
    let ty = EventType::parse("order.placed").unwrap();
    let told = Event::new(EventData::new(ty, UNIX_EPOCH));
    capture.record(|| {
        let inside = step("inside").start();
        inside.in_scope(|| {
            EventLog::as_event().log(&told);
            tracing::info!("a line of the program's own");
        });
        inside.complete();
    });
    let span = capture.span("inside");
    let names: Vec<_> = span
        .events
        .iter()
        .map(|event| event.name.as_str())
        .collect();
    assert_eq!(names, ["a line of the program's own"]);
}
