//! What a person sees holds nothing that a terminal would obey, hide or reorder: hostile text through every surface.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it goes wrong"
)]

#[path = "fuzz/checks.rs"]
#[allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    reason = "the fuzzers have more checks"
)]
mod checks;
#[cfg(feature = "otlp")]
mod support;

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use checks::is_hostile;
use proptest::prelude::*;
use tracing_genai::budget::BudgetError;
use tracing_genai::bus::{Bus, DependencyError, Depends};
use tracing_genai::console::{Console, ConsoleOptions, Output, escape, escape_lines};
use tracing_genai::enrich::pricing::PriceError;
use tracing_genai::event::{ErrorInfo, Event, EventData, EventType, Kind, SpanId, TraceId};
use tracing_genai::files::{EventFile, FileError};
use tracing_genai::history::StoreError;
use tracing_genai::monitor::Verdict;
use tracing_genai::render::{Json, Line, Render};
use tracing_genai::security::redact::{Mask, RedactError, Redactor};
use tracing_genai::testing::capture;
use tracing_genai::{ConfigError, WriteError, agent, chat, tool};

// === the strings ===

/// What an attacker writes into a model's answer, a tool's name, a collector's error.
fn hostile() -> Vec<(&'static str, String)> {
    let all = |from: u32, to: u32| (from..=to).filter_map(char::from_u32).collect::<String>();
    let mut table = vec![
        ("empty", String::new()),
        ("NUL", "a\0b".to_owned()),
        ("C0", all(0, 0x1f)),
        ("DEL and C1", all(0x7f, 0x9f)),
        (
            "colours and erasing",
            "\x1b[31mred\x1b[0m\x1b[2J\x1b[1A".to_owned(),
        ),
        (
            "window title",
            "\x1b]0;owned\x07\x1b]2;owned\x1b\\".to_owned(),
        ),
        (
            "hyperlink",
            "\x1b]8;;https://evil.example\x1b\\here\x1b]8;;\x1b\\".to_owned(),
        ),
        ("clipboard", "\x1b]52;c;Y3VybCBldmlsIHwgc2g=\x07".to_owned()),
        (
            "device control",
            "\x1bPq#0;2;0;0;0\x1b\\\x1b_x\x1b\\\x1b^x\x1b\\".to_owned(),
        ),
        (
            "8-bit sequences",
            "\u{9b}2J\u{9d}52;c;QQ==\u{9c}\u{90}q\u{9c}".to_owned(),
        ),
        (
            "forged line",
            "ok\r\n2026-01-01 INFO all is well\rno\n".to_owned(),
        ),
        (
            "other line ends",
            "a\u{b}b\u{c}c\u{85}d\u{2028}e\u{2029}f".to_owned(),
        ),
        (
            "overrides",
            "user\u{202e}nimda\u{202c} \u{202a}\u{202b}\u{202d}".to_owned(),
        ),
        ("isolates", "\u{2066}a\u{2067}b\u{2068}c\u{2069}".to_owned()),
        ("direction marks", "\u{200e}\u{200f}\u{61c}".to_owned()),
        (
            "zero width",
            "se\u{200b}ar\u{200c}c\u{200d}h\u{feff}\u{2060}".to_owned(),
        ),
        ("invisible operators", all(0x2060, 0x206f)),
        ("tags", format!("hi{}", all(0xe0000, 0xe007f))),
        (
            "selectors as an alphabet",
            format!("x{}{}", all(0xfe00, 0xfe0f), all(0xe0100, 0xe01ef)),
        ),
        (
            "fillers",
            "\u{ad}\u{34f}\u{115f}\u{1160}\u{17b4}\u{180e}\u{3164}\u{ffa0}".to_owned(),
        ),
        (
            "annotation",
            "\u{fff9}shown\u{fffa}hidden\u{fffb}".to_owned(),
        ),
        (
            "private use",
            "\u{e0b0}\u{f8ff}\u{f0000}\u{10fffd}".to_owned(),
        ),
        ("noncharacters", "\u{fdd0}\u{ffff}\u{1fffe}".to_owned()),
        (
            "family",
            "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}".to_owned(),
        ),
        (
            "like JSON",
            "{\"a\":\"\u{202e}\\u001b[2J\",\n\"b\":[1,2]}\x1b".to_owned(),
        ),
        (
            "deep JSON",
            format!("{}\u{1b}{}", "[".repeat(10_000), "]".repeat(10_000)),
        ),
    ];
    for (name, length) in [
        ("a byte under 64 KiB", 65_535),
        ("64 KiB", 65_536),
        ("a byte over 64 KiB", 65_537),
    ] {
        table.push((name, format!("\x1b\u{202e}{}\n", "x".repeat(length - 5))));
    }
    table
}

/// One line, or lines that end in a line feed, with nothing hostile in them.
#[track_caller]
fn assert_safe(surface: &str, name: &str, shown: &str, lines: usize) {
    let bad = shown.chars().find(|c| is_hostile(*c, true));
    if let Some(bad) = bad {
        panic!("{surface}, {name}: U+{:04X} is shown", u32::from(bad));
    }
    assert_eq!(
        shown.matches('\n').count(),
        lines,
        "{surface}, {name}: lines in {:?}",
        shown.chars().take(400).collect::<String>()
    );
}

// === the function ===

#[test]
fn every_hostile_string_is_shown_on_one_line_and_changes_no_more() {
    for (name, text) in hostile() {
        let shown = escape(&text);
        assert_safe("escape", name, &shown, 0);
        assert!(
            matches!(escape(&shown), Cow::Borrowed(_)),
            "{name}: a second time changes it"
        );
        let lines = escape_lines(&text);
        assert_safe("escape_lines", name, &lines, text.matches('\n').count());
        assert!(matches!(escape_lines(&lines), Cow::Borrowed(_)), "{name}");
    }
}

#[test]
fn text_that_is_nothing_but_hostile_grows_sixfold_at_most_and_loses_nothing() {
    for length in [65_535, 65_536, 65_537] {
        assert_eq!(escape(&"\x1b".repeat(length)), "\\u{1b}".repeat(length));
    }
}

#[test]
fn every_character_of_unicode_is_shown_safely_and_only_hostile_ones_are_changed() {
    for c in '\0'..=char::MAX {
        let text = format!("a{c}");
        let shown = escape(&text);
        assert_safe("escape", &format!("U+{:04X}", u32::from(c)), &shown, 0);
        assert_eq!(
            shown != text,
            is_hostile(c, false),
            "U+{:04X}",
            u32::from(c)
        );
        assert_eq!(matches!(shown, Cow::Borrowed(_)), shown == text);
    }
}

fn any_text() -> impl Strategy<Value = String> {
    let hostile: Vec<char> = hostile()
        .iter()
        .flat_map(|(_, text)| text.chars().take(300))
        .collect();
    let piece = prop_oneof![
        proptest::sample::select(hostile),
        any::<char>(),
        proptest::char::range(' ', '~'),
        Just('\n'),
        Just('\u{fe0f}'),
    ];
    proptest::collection::vec(piece, 0..40).prop_map(|chars| chars.into_iter().collect())
}

proptest! {
    #[test]
    fn whatever_the_text_it_is_safe_stable_and_not_copied_when_clean(text in any_text()) {
        checks::escape(text.as_bytes());
    }

    #[test]
    fn what_lies_between_hostile_characters_stays(clean in "[a-zà-ÿ가-힣 ]{0,20}", text in any_text()) {
        let mixed = format!("{text}{clean}");
        let shown = escape(&mixed);
        prop_assert!(shown.ends_with(&clean));
        prop_assert_eq!(&shown[..shown.len() - clean.len()], escape(&text));
    }
}

// === the console ===

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Written {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

/// An event that repeats `text` wherever foreign text can be.
fn event(ty: &str, span: u64, parent: u64, text: &str, millis: u64) -> EventData {
    let at = SystemTime::UNIX_EPOCH + Duration::from_millis(millis);
    let mut event = EventData::new(EventType::parse(ty).unwrap(), at);
    event.cx.trace = TraceId::from(1);
    event.cx.span = SpanId::from(span);
    event.cx.parent_span = SpanId::from(parent);
    event.name = text.to_owned().into();
    event.who.agent_name = Some(text.to_owned().into());
    event.who.agent_id = Some(text.to_owned().into());
    event.attrs.set("gen_ai.request.model", text.to_owned());
    event.attrs.set("gen_ai.response.model", text.to_owned());
    event.attrs.set("note", text.to_owned());
    event.attrs.set(text.to_owned(), text.to_owned());
    event.body = Some(text.to_owned().into());
    if ty.ends_with("failed") || ty.ends_with("alert") {
        event.error = Some(ErrorInfo::new(text.to_owned()).with_message(text.to_owned()));
    }
    event
}

/// A run with a failed call and a moment in it.
fn run(text: &str) -> Vec<Event> {
    vec![
        event("agent.execution.started", 1, 0, text, 0),
        event("llm.call.started", 2, 1, text, 1),
        event("security.alert", 2, 1, text, 2),
        event("llm.call.failed", 2, 1, text, 3),
        event("agent.execution.failed", 1, 0, text, 4),
    ]
    .into_iter()
    .map(Event::new)
    .collect()
}

fn on_console(text: &str, options: ConsoleOptions, terminal: bool) -> String {
    let written = Written::default();
    let mut console = Console::new(Output::new(written.clone(), terminal), options);
    for (at, event) in run(text).iter().enumerate() {
        console.on_event(event);
        console.tick(SystemTime::UNIX_EPOCH + Duration::from_secs(at as u64));
    }
    console.finish();
    written.text()
}

#[test]
fn the_console_shows_hostile_names_models_and_errors_on_their_own_lines() {
    let plain = || ConsoleOptions::new().color(false).width(200);
    for (name, text) in hostile() {
        let tree = on_console(&text, plain(), false);
        assert_safe("the tree", name, &tree, 3);
        let spans = on_console(&text, plain().each_span(), false);
        assert_safe("each span", name, &spans, 3);
    }
}

#[test]
fn a_live_console_sends_no_sequence_that_is_not_its_own() {
    let live = || {
        ConsoleOptions::new()
            .color(true)
            .live(true)
            .width(1_000)
            .height(10)
    };
    let sequences = |text: &str| {
        let shown = on_console(text, live(), true);
        // Every sequence of its own begins with ESC, and is plain ASCII; the carriage return is its own too.
        assert_safe(
            "live",
            text,
            &shown.replace(['\x1b', '\r'], ""),
            shown.matches('\n').count(),
        );
        ['\x1b', '\r', '\n'].map(|c| shown.matches(c).count())
    };
    let benign = sequences("chat gpt-4o-mini");
    for (name, text) in hostile().into_iter().filter(|(_, text)| !text.is_empty()) {
        assert_eq!(sequences(&text), benign, "{name}");
    }
}

// === rendered text ===

#[test]
fn a_rendered_line_is_one_line_and_safe() {
    for (name, text) in hostile() {
        for event in run(&text) {
            let mut shown = String::new();
            Line.render(&event, &mut shown).unwrap();
            assert_safe("Line", name, &shown, 1);
            assert_safe("an event's Display", name, &event.to_string(), 0);
        }
    }
}

/// JSON is for machines: it keeps what was said to the letter, and only has to stay one valid line.
#[test]
fn a_json_line_stays_one_line_of_valid_json_that_reads_back_equal() {
    for (name, text) in hostile() {
        for event in run(&text) {
            let mut line = String::new();
            Json.render(&event, &mut line).unwrap();
            let line = line.trim_end_matches('\n');
            assert!(
                !line.contains(|c: char| c < ' '),
                "{name}: a control character in {line:?}"
            );
            assert_eq!(
                serde_json::from_str::<Event>(line).unwrap(),
                event,
                "{name}"
            );
        }
    }
}

#[test]
fn a_file_of_events_has_one_line_for_each_whatever_they_say() {
    for (name, text) in hostile() {
        let dir = tempfile::tempdir().unwrap();
        let mut file = EventFile::rendered(dir.path().join("a"), Line)
            .open()
            .unwrap();
        let events = run(&text);
        tracing_genai::EventWriter::write(&mut file, &events).unwrap();
        let shown = std::fs::read_to_string(file.path()).unwrap();
        assert_safe("a file", name, &shown, events.len());
    }
}

#[test]
fn the_test_kit_s_tree_is_safe_to_print() {
    for (name, text) in hostile() {
        let capture = capture();
        let _ = capture.record(|| {
            agent(&text).in_scope(|_| {
                chat(&text, &text).start().complete();
                tool(&text).in_scope(|_| Err::<(), _>(text.clone()))
            })
        });
        assert_safe("testing", name, &capture.tree(), 3);
    }
}

// === errors ===

/// Every error that repeats what somebody wrote.
fn errors(text: &str) -> Vec<String> {
    let own = || text.to_owned();
    let io = || io::Error::from(io::ErrorKind::NotFound);
    let pattern = Redactor::builder().pattern("own", format!("({text}"), Mask::Label);
    let mut said = vec![
        ConfigError::OutOfRange {
            setting: "queue",
            value: own(),
            expected: "at least 1",
        }
        .to_string(),
        BudgetError::NoLimit { budget: own() }.to_string(),
        BudgetError::SameName { budget: own() }.to_string(),
        BudgetError::Each { budget: own() }.to_string(),
        BudgetError::OutOfRange {
            budget: own(),
            setting: "tokens",
            value: own(),
            expected: "at least 1",
        }
        .to_string(),
        DependencyError::Circular(vec![own(), own()]).to_string(),
        DependencyError::Unresolved {
            handler: own(),
            missing: own(),
        }
        .to_string(),
        DependencyError::Unknown(own()).to_string(),
        Bus::new()
            .depend(Depends {
                handler: text.into(),
                depends_on: vec![text.into()],
            })
            .unwrap_err()
            .to_string(),
        PriceError::Read {
            path: PathBuf::from(text),
            source: io(),
        }
        .to_string(),
        PriceError::TooLarge {
            path: PathBuf::from(text),
            limit: 1 << 20,
        }
        .to_string(),
        PriceError::Table {
            origin: own(),
            problem: own(),
        }
        .to_string(),
        PriceError::Overrides {
            origin: own(),
            problem: own(),
        }
        .to_string(),
        PriceError::Pattern {
            pattern: own(),
            problem: own(),
        }
        .to_string(),
        FileError::NotAFile(PathBuf::from(text)).to_string(),
        FileError::Open {
            path: PathBuf::from(text),
            source: io(),
        }
        .to_string(),
        StoreError::other(text).to_string(),
        WriteError::new(text).to_string(),
        text.parse::<Kind>().unwrap_err().to_string(),
        RedactError::UnknownRule { name: own() }.to_string(),
        RedactError::Key { key: own() }.to_string(),
        Redactor::builder()
            .without(text)
            .build()
            .unwrap_err()
            .to_string(),
        chat("openai", "gpt-4o")
            .guard(&|_: &str| Verdict::block(text.to_owned()))
            .call("hello", |_| Ok::<_, io::Error>(serde_json::Value::Null))
            .unwrap_err()
            .to_string(),
    ];
    // The engine's own words have lines, with a mark under the place.
    let lines = pattern
        .build()
        .map_or_else(|e| e.to_string(), |_| panic!("{text:?} is a pattern"));
    said.extend(lines.lines().map(str::to_owned));
    said
}

#[test]
fn errors_repeat_foreign_text_on_one_line_and_escaped() {
    for (name, text) in hostile() {
        for said in errors(&text) {
            assert_safe("an error", name, &said, 0);
        }
    }
}

// === what a collector says ===

#[cfg(feature = "otlp")]
mod collector {
    use std::sync::Arc;

    use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
    use tokio::runtime::Handle;
    use tokio::time::Instant;
    use tracing_genai::otlp::internal::{Batch, Cause, Sender, SenderOptions, Transport, Voice};
    use tracing_genai::otlp::{OtlpConfig, Protocol, Signal};

    use super::support::collector::{Answer, Collector, PATIENCE};
    use super::support::waiting::until;
    use super::*;

    /// The lines on stderr after one batch that was answered so.
    async fn said(protocol: Protocol, answer: Answer) -> String {
        let collector = Collector::start();
        collector.answer(answer);
        let config = OtlpConfig::new()
            .endpoint(collector.endpoint())
            .protocol(protocol);
        let transport = Transport::new(&config.resolve(&|_| None).unwrap().unwrap()).unwrap();
        let (voice, said) = Voice::captured();
        let options = SenderOptions {
            voice,
            ..SenderOptions::default()
        };
        let sender = Sender::spawn(
            &Handle::current(),
            Signal::Traces,
            Arc::new(transport),
            options,
            None,
        );
        assert!(sender.enqueue(Batch {
            body: vec![7; 10].into(),
            records: 1,
        }));
        assert!(sender.drain(Instant::now() + PATIENCE).await);
        assert_eq!(collector.requests().len(), 1);
        // It is said right after it is counted.
        until("a line on stderr", || !said.lock().unwrap().is_empty());
        said.lock().unwrap().clone()
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn what_a_collector_answers_cannot_leave_its_line_on_stderr() {
        for (name, text) in hostile() {
            let plain = [("content-type", "text/plain; charset=utf-8")];
            let http = Answer::with(400, &plain, text.clone());
            let lines = said(Protocol::HttpProtobuf, http).await;
            assert_safe("HTTP", name, &lines, 1);
            assert!(lines.contains("400"), "{name}: {lines}");

            let start: String = text.chars().take(400).collect();
            let message = utf8_percent_encode(&start, NON_ALPHANUMERIC).to_string();
            let grpc = Answer::grpc(3, &[("grpc-message", &message)]);
            let lines = said(Protocol::Grpc, grpc).await;
            assert_safe("gRPC", name, &lines, 1);

            for protocol in [Protocol::HttpProtobuf, Protocol::Grpc] {
                let partial = Answer::Partial {
                    rejected: 1,
                    message: start.clone(),
                };
                let lines = said(protocol, partial).await;
                assert_safe("partial success", name, &lines, 1);
            }
        }
    }

    #[test]
    fn the_cause_of_a_loss_and_a_wrong_setting_are_safe_to_show() {
        for (name, text) in hostile() {
            let message = Some(text.clone());
            for cause in [
                Cause::Http {
                    status: 400,
                    message: message.clone(),
                },
                Cause::Grpc { code: 3, message },
                Cause::Connection(text.clone()),
            ] {
                assert_safe("a cause", name, &cause.to_string(), 0);
            }
            for variable in [
                "OTEL_EXPORTER_OTLP_ENDPOINT",
                "OTEL_EXPORTER_OTLP_PROTOCOL",
                "OTEL_EXPORTER_OTLP_TIMEOUT",
                "OTEL_EXPORTER_OTLP_HEADERS",
                "OTEL_EXPORTER_OTLP_CERTIFICATE",
            ] {
                let lookup = |asked: &str| (asked == variable).then(|| text.clone().into());
                if let Err(error) = OtlpConfig::new().resolve(&lookup) {
                    assert_safe(variable, name, &error.to_string(), 0);
                }
            }
        }
    }

    #[test]
    fn a_line_of_our_own_on_stderr_is_one_line_whatever_it_repeats() {
        for (name, text) in hostile() {
            let (voice, said) = Voice::captured();
            voice.say(
                &text,
                std::time::Duration::ZERO,
                format_args!("handler {text} failed: {text}"),
            );
            assert_safe("diagnostics", name, &said.lock().unwrap(), 1);
        }
    }
}
