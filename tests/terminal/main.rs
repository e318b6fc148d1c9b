//! What a person sees: snapshots of the screen of a terminal emulator, on a real pseudo-terminal and without one.
//!
//! A snapshot that differs fails and writes nothing; `INSTA_UPDATE=always cargo test --test terminal` takes the new ones over.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it goes wrong"
)]

mod emulator;
#[cfg(unix)]
mod pty;
#[path = "../support/script.rs"]
#[allow(dead_code, reason = "other tests play more of it")]
mod script;

use std::time::Duration;

use emulator::{Emulator, size};
use insta::assert_snapshot;
use script::{
    Written, at, blocked, event, failed, failure, feed, names, quickstart, wide_and_deep, with,
};
use tracing_genai::console::{Console, ConsoleOptions, Output};
use tracing_genai::event::{Body, EventData};
use tracing_genai::{Telemetry, chat};
use tracing_subscriber::prelude::*;

/// The console on a terminal of this width, without a process around it.
fn console(columns: u16, options: ConsoleOptions) -> (Console, Written, Emulator) {
    let written = Written::default();
    let options = options.width(columns.into()).live(true).height(14);
    let console = Console::new(Output::new(written.clone(), true), options);
    (console, written, Emulator::new(columns))
}

/// What shows after the first events, and at the end.
fn screens(columns: u16, events: Vec<EventData>, middle: usize) -> String {
    let (mut console, written, mut emulator) = console(columns, ConsoleOptions::new().color(false));
    let now = events[middle - 1].time;
    let mut events = events.into_iter();
    feed(&mut console, events.by_ref().take(middle));
    console.tick(now);
    emulator.feed(&written.take());
    let live = emulator.screen();
    feed(&mut console, events);
    console.finish();
    emulator.feed(&written.take());
    format!("{live}\n\n--- at the end ---\n\n{}", emulator.screen())
}

/// What is written where there is no terminal.
fn plain(events: Vec<EventData>) -> String {
    let written = Written::default();
    let options = ConsoleOptions::new().width(1_000).color(false);
    let mut console = Console::new(Output::new(written.clone(), false), options);
    feed(&mut console, events);
    console.finish();
    written.take()
}

// === runs ===

#[test]
fn a_quickstart_at_three_widths() {
    for columns in [40, 80, 160] {
        assert_snapshot!(
            format!("quickstart_{columns}"),
            screens(columns, quickstart(), script::LIVE)
        );
    }
}

#[test]
fn a_failed_run_keeps_the_way_to_the_failure_open_and_folds_attempts() {
    for columns in [40, 80, 160] {
        assert_snapshot!(
            format!("failure_{columns}"),
            screens(columns, failure(), 14)
        );
    }
}

#[test]
fn a_blocked_call_says_why() {
    for columns in [40, 80] {
        assert_snapshot!(format!("blocked_{columns}"), screens(columns, blocked(), 4));
    }
}

#[test]
fn long_and_wide_names_keep_the_columns() {
    for columns in [40, 80, 160] {
        assert_snapshot!(format!("names_{columns}"), screens(columns, names(), 9));
    }
}

#[test]
fn a_wide_and_deep_run_shows_what_matters_of_it() {
    for columns in [40, 120] {
        assert_snapshot!(
            format!("wide_and_deep_{columns}"),
            screens(columns, wide_and_deep(), 700)
        );
    }
}

#[test]
fn without_a_terminal_each_run_is_plain_text() {
    for (name, events) in [
        ("quickstart", quickstart()),
        ("failure", failure()),
        ("blocked", blocked()),
        ("names", names()),
        ("wide_and_deep", wide_and_deep()),
    ] {
        let text = plain(events);
        assert!(!text.contains('\x1b'), "{name}");
        assert_snapshot!(format!("plain_{name}"), text);
    }
}

#[test]
fn no_row_is_ever_wider_than_the_terminal() {
    for columns in 20..170 {
        for (events, middle) in [
            (quickstart(), script::LIVE),
            (failure(), 14),
            (names(), 9),
            (wide_and_deep(), 700),
        ] {
            let (mut console, written, _) = console(columns, ConsoleOptions::new().color(false));
            let now = events[middle - 1].time;
            let mut events = events.into_iter();
            feed(&mut console, events.by_ref().take(middle));
            console.tick(now);
            feed(&mut console, events);
            console.finish();
            // Whatever is written to a terminal that is one row high and endlessly wide.
            for line in written.take().split(['\n', '\r']) {
                let mut row = vt100::Parser::new(size(1), size(1_000), 0);
                row.process(line.replace("\x1bD", "").as_bytes());
                let shown = row.screen().contents();
                let mut measured = vt100::Parser::new(size(1), size(1_000), 0);
                measured.process(shown.trim_end().as_bytes());
                assert!(
                    measured.screen().cursor_position().1 <= columns,
                    "{columns}: {shown}"
                );
            }
        }
    }
}

// === content ===

fn piece(ty: &str, text: &str, millis: u64) -> EventData {
    let mut event = event(ty, 2, 1, "chat m", millis);
    event.body = Some(Body::from(text));
    event
}

/// A stream that thinks, then speaks, with a key in pieces at its end, and a tool that is called with something.
fn talk() -> Vec<EventData> {
    vec![
        event("agent.execution.started", 1, 0, "invoke_agent a", 0),
        event("llm.call.started", 2, 1, "chat m", 1),
        piece("llm.call.thinking", "The user wants rain, or no rain. ", 2),
        piece("llm.call.thinking", "Let me look.", 3),
        piece("llm.call.chunk", "Pack an umbrella, it ", 4),
        piece(
            "llm.call.chunk",
            "will rain \x1b]52;c;QQ==\x07a little in Par",
            5,
        ),
        with(
            event("tool.call.started", 3, 1, "execute_tool shell", 6),
            &[(
                "gen_ai.tool.call.arguments",
                r#"{"command":"rm -rf \u001b[2J"}"#.into(),
            )],
        ),
    ]
}

#[test]
fn content_shows_where_it_is_asked_for_thinking_marked_and_arguments_apart() {
    let (mut console, written, mut emulator) =
        console(60, ConsoleOptions::new().color(false).content(true));
    let mut events = talk().into_iter();
    feed(&mut console, events.by_ref().take(4));
    console.tick(at(100));
    emulator.feed(&written.take());
    let thinking = emulator.screen();
    feed(&mut console, events);
    console.tick(at(300));
    emulator.feed(&written.take());
    let speaking = emulator.screen();
    console.finish();
    emulator.feed(&written.take());
    assert_snapshot!(
        "content",
        format!(
            "{thinking}\n\n---\n\n{speaking}\n\n--- at the end ---\n\n{}",
            emulator.screen()
        )
    );
}

#[test]
fn content_does_not_show_where_nobody_asked_for_it() {
    for columns in [40, 160] {
        let shown = screens(columns, talk(), 7);
        for word in ["umbrella", "rain", "look", "rm -rf"] {
            assert!(!shown.contains(word), "{shown}");
        }
        let thinking = screens(columns, talk(), 4);
        assert!(
            thinking.contains("thinking"),
            "that it thinks is no content"
        );
    }
}

/// Through the whole of it: the layer, the queue, the redactor.
#[test]
fn a_key_that_is_streamed_in_pieces_never_shows_and_words_do_though_nobody_else_listens() {
    const KEY: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";
    for content in [true, false] {
        let written = Written::default();
        let options = ConsoleOptions::new().color(false).width(100).live(true);
        let output = Output::new(written.clone(), true);
        let telemetry = Telemetry::builder("test")
            .environment(|_| None)
            .chunk_text(true)
            .console_to(output, options.content(content))
            .build()
            .unwrap();
        let subscriber = tracing_subscriber::registry().with(telemetry.layer());
        let shown = || {
            let _ = telemetry.flush(Duration::from_secs(10));
            let mut emulator = Emulator::new(100);
            emulator.feed(&written.take());
            emulator.screen()
        };
        tracing::subscriber::with_default(subscriber, || {
            let call = chat("openai", "gpt-4o").start();
            call.thinking("what was it again ");
            let thinking = shown();
            assert_eq!(
                thinking.contains("thinks what was it"),
                content,
                "{thinking}"
            );
            call.chunk("The key is ");
            for piece in KEY.as_bytes().chunks(3) {
                call.chunk(std::str::from_utf8(piece).unwrap());
                let screen = shown();
                assert!(!screen.contains("ghp"), "half a key: {screen}");
            }
            call.chunk(" and that is all ");
            let screen = shown();
            assert_eq!(screen.contains("that is"), content, "{screen}");
            assert!(!screen.contains(&KEY[4..12]), "{screen}");
            call.complete();
        });
        let _ = telemetry.shutdown();
        assert!(!written.take().contains(&KEY[4..12]));
    }
}

// === hostile text ===

const HOSTILE: [&str; 10] = [
    "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "\x1b[2J\x1b[1;1H\x1b[31mowned\x1b[0m",
    "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "\x1b]52;c;Y3VybCBldmlsIHwgc2g=\x07\x1b]0;title\x07",
    "safe\r✓ ◆ forged  0 ms\nforged line",
    "abc\x08\x08\x08xyz\x7f\x07",
    "user\u{202e}nimda\u{202c}\u{2066}x\u{2069}",
    "se\u{200b}ar\u{200d}ch\u{feff}\u{e0041}",
    "\u{9b}2J\u{9d}52;c;QQ==\u{9c}",
    "\x1b[8;1;1t\x1b[?1049h\x1bc",
];

#[test]
fn hostile_names_errors_and_content_do_nothing_to_the_screen() {
    for columns in [40, 160] {
        let (mut console, written, mut emulator) =
            console(columns, ConsoleOptions::new().color(false).content(true));
        emulator.feed("before\r\n");
        feed(
            &mut console,
            [event(
                "agent.execution.started",
                1,
                0,
                "invoke_agent victim",
                0,
            )],
        );
        for (n, text) in HOSTILE.into_iter().enumerate() {
            let span = n as u64 + 2;
            let mut chunk = event("llm.call.chunk", span, 1, text, 3);
            chunk.body = Some(Body::from(format!("{text} word ")));
            feed(
                &mut console,
                [
                    with(
                        event("llm.call.started", span, 1, text, 2),
                        &[("gen_ai.tool.call.arguments", text.into())],
                    ),
                    chunk,
                ],
            );
        }
        console.tick(at(100));
        emulator.feed(&written.take());
        assert!(
            emulator.screen().starts_with("before"),
            "{}",
            emulator.screen()
        );
        for (n, text) in HOSTILE.into_iter().enumerate() {
            let span = n as u64 + 2;
            feed(
                &mut console,
                [failed(event("llm.call.failed", span, 1, text, 200), text)],
            );
        }
        feed(
            &mut console,
            [event(
                "agent.execution.completed",
                1,
                0,
                "invoke_agent victim",
                300,
            )],
        );
        console.finish();
        emulator.feed(&written.take());
        assert_snapshot!(format!("hostile_{columns}"), emulator.screen());
    }
}

// === muting ===

#[test]
fn what_is_muted_does_not_show_and_does_not_come_later() {
    let (mut console, written, mut emulator) = console(60, ConsoleOptions::new().color(false));
    let handle = console.handle();
    feed(&mut console, [event("step.started", 1, 0, "before", 0)]);
    console.tick(at(0));
    emulator.feed(&written.take());
    assert_eq!(emulator.screen(), "… ▸ before");
    handle.mute(true);
    emulator.feed(&written.take());
    assert_eq!(emulator.screen(), "", "the region is gone");
    feed(
        &mut console,
        [event("step.completed", 2, 0, "while muted", 10)],
    );
    console.tick(at(500));
    console.tick(at(5_000));
    assert_eq!(written.take(), "");
    handle.mute(false);
    console.tick(at(6_000));
    emulator.feed(&written.take());
    assert_eq!(emulator.screen(), "… ▸ before  6 s");
    feed(
        &mut console,
        [event("step.completed", 1, 0, "before", 6_000)],
    );
    console.finish();
    emulator.feed(&written.take());
    assert_eq!(emulator.screen(), "✓ ▸ before  6.0 s");
}
