//! What people see: the plain form, colours, the live region, hostile names, limits.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it goes wrong"
)]

#[path = "support/script.rs"]
#[allow(dead_code, reason = "other tests play more of it")]
mod script;
#[path = "support/vt.rs"]
mod vt;

use std::io::{self, Write};

use script::{Written, at, ended, event, failed, feed, trip};
use tracing_genai::console::{Console, ConsoleOptions, Output, escape};
use tracing_genai::event::{EventData, EventSpec as _, EventType, ToolCallCompleted, Visibility};
use vt::Terminal;

fn console(options: ConsoleOptions, is_terminal: bool) -> (Console, Written) {
    let written = Written::default();
    (
        Console::new(Output::new(written.clone(), is_terminal), options),
        written,
    )
}

fn plain() -> (Console, Written) {
    console(ConsoleOptions::new().color(false).width(200), false)
}

fn live() -> (Console, Written) {
    console(
        ConsoleOptions::new()
            .color(false)
            .live(true)
            .width(70)
            .height(6),
        true,
    )
}

const TRIP: &str = "\
✓ ◆ invoke_agent planner  2 calls · 2 tools · 1 tool error · in 1,352 · out 73 · ≥ $0.0000432 · 1.2 s
├─ ✓ ▸ plan  340 ms
│  └─ ✓ ● chat gpt-4o-mini  in 140 · out 32 · $0.0000432 · ttfc 120 ms · 147/s · 338 ms
├─ ✓ ■ execute_tool search  34 ms
├─ ✗ ■ execute_tool weather  timeout · 30 ms
│  └─ · tool.call.retrying
└─ ✓ ● chat gpt-4o-mini  in 1,212 (1,024 cached) · out 41 · cost ? · 520 ms
";

// === lines that stay ===

#[test]
fn a_finished_run_is_one_tree_and_nothing_shows_before() {
    let (mut console, written) = plain();
    let mut events = trip();
    let last = events.pop();
    feed(&mut console, events);
    assert_eq!(written.take(), "");
    feed(&mut console, last);
    assert_eq!(written.take(), TRIP);
    console.finish();
    assert_eq!(written.take(), "");
}

#[test]
fn content_never_shows() {
    for options in [ConsoleOptions::new(), ConsoleOptions::new().each_span()] {
        let (mut console, written) = console(options, true);
        feed(&mut console, trip());
        console.finish();
        let shown = written.take();
        assert!(
            shown.contains("planner") && !shown.contains("SECRET"),
            "{shown}"
        );
    }
}

#[test]
fn colours_mark_state_and_cost() {
    let (mut console, written) = console(ConsoleOptions::new().color(true), false);
    feed(&mut console, trip().drain(7..10));
    assert_eq!(
        written.take(),
        "\x1b[31m✗ \x1b[0m\x1b[33m■ \x1b[0mexecute_tool weather\x1b[2m  \x1b[0m\x1b[31mtimeout\x1b[0m\x1b[2m · \x1b[0m30 ms\n\
         \x1b[2m└─ · tool.call.retrying\x1b[0m\n"
    );
}

#[test]
fn every_ending_has_its_mark_and_word() {
    let (mut console, written) = plain();
    for (n, end) in ["completed", "failed", "blocked", "paused", "canceled"]
        .iter()
        .enumerate()
    {
        let span = n as u64 + 1;
        feed(
            &mut console,
            [
                event("tool.call.started", span, 0, "execute_tool t", 0),
                event(
                    &format!("tool.call.{end}"),
                    span,
                    0,
                    "execute_tool t",
                    2_500,
                ),
            ],
        );
    }
    assert_eq!(
        written.take(),
        "✓ ■ execute_tool t  2.5 s\n\
         ✗ ■ execute_tool t  failed · 2.5 s\n\
         ⊘ ■ execute_tool t  blocked · 2.5 s\n\
         ‖ ■ execute_tool t  paused · 2.5 s\n\
         – ■ execute_tool t  canceled · 2.5 s\n"
    );
}

#[test]
fn each_span_can_have_its_line_when_it_ends() {
    let (mut console, written) = console(ConsoleOptions::new().color(false).each_span(), false);
    feed(&mut console, trip());
    let shown = written.take();
    let names: Vec<&str> = shown
        .lines()
        .map(|line| line.split("  ").find(|part| !part.is_empty()).unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "✓ ● chat gpt-4o-mini",
            "✓ ▸ plan",
            "· tool.call.retrying",
            "✗ ■ execute_tool weather",
            "✓ ■ execute_tool search",
            "✓ ● chat gpt-4o-mini",
            "✓ ◆ invoke_agent planner"
        ]
    );
    assert!(shown.starts_with("    ✓ ● chat"), "{shown}");
}

#[test]
fn a_run_waits_for_its_last_child_but_not_for_ever() {
    let (mut console, written) = plain();
    feed(
        &mut console,
        [
            event("agent.execution.started", 1, 0, "invoke_agent a", 0),
            event("tool.call.started", 2, 1, "execute_tool quick", 1),
            event("step.started", 3, 1, "background", 1),
            event("tool.call.started", 4, 3, "execute_tool slow", 2),
            event("agent.execution.completed", 1, 0, "invoke_agent a", 100),
            event("tool.call.completed", 2, 1, "execute_tool quick", 200),
        ],
    );
    console.tick(at(2_000));
    assert_eq!(written.take(), "");
    console.tick(at(2_100));
    assert_eq!(
        written.take(),
        "✓ ◆ invoke_agent a  100 ms\n\
         ├─ ✓ ■ execute_tool quick  199 ms\n\
         └─ … ▸ background  still running\n   \
            └─ … ■ execute_tool slow  still running\n"
    );
    feed(
        &mut console,
        [
            event("tool.call.completed", 4, 3, "execute_tool slow", 5_002),
            event("step.completed", 3, 1, "background", 5_003),
        ],
    );
    assert_eq!(
        written.take(),
        "✓ ▸ background  5.0 s\n└─ ✓ ■ execute_tool slow  5.0 s\n"
    );
}

#[test]
fn what_has_no_known_place_stands_alone() {
    let (mut console, written) = plain();
    let nowhere = EventData::new(EventType::parse("security.alert").unwrap(), at(0));
    feed(
        &mut console,
        [
            nowhere,
            ended(event("llm.call.completed", 7, 99, "chat m", 50), 50),
            event("step.validated", 98, 0, "gone", 60),
        ],
    );
    assert_eq!(
        written.take(),
        "· ALERT security.alert\n✓ ● chat m  50 ms\n· step.validated\n"
    );
}

#[test]
fn spans_without_events_and_hidden_ones_keep_the_tree_together() {
    let (mut console, written) = plain();
    let http = event("llm.call.started", 2, 1, "", 0).cx;
    let hidden = |ty| {
        let mut event = event(ty, 4, 3, "internal", 0);
        event.visibility = Visibility::Internal;
        event
    };
    feed(
        &mut console,
        [event("agent.execution.started", 1, 0, "invoke_agent a", 0)],
    );
    console.on_plain_started(&http, None);
    feed(
        &mut console,
        [
            event("tool.call.started", 3, 2, "execute_tool t", 0),
            hidden("step.started"),
            event("llm.call.started", 5, 4, "chat m", 0),
            event("llm.call.completed", 5, 4, "chat m", 1),
            hidden("step.completed"),
            event("tool.call.completed", 3, 2, "execute_tool t", 2),
        ],
    );
    console.on_plain_ended(&http);
    feed(
        &mut console,
        [event(
            "agent.execution.completed",
            1,
            0,
            "invoke_agent a",
            3,
        )],
    );
    assert_eq!(
        written.take(),
        "✓ ◆ invoke_agent a  3.0 ms\n└─ ✓ ■ execute_tool t  2.0 ms\n   └─ ✓ ● chat m  1.0 ms\n"
    );
}

#[test]
fn a_parent_can_be_found_by_its_event() {
    let (mut console, written) = plain();
    let parent = event("agent.execution.started", 1, 0, "invoke_agent a", 0);
    let mut child = event("tool.call.started", 2, 77, "execute_tool t", 0);
    child.cx.parent_event = Some(parent.id);
    feed(
        &mut console,
        [
            parent,
            child,
            event("tool.call.completed", 2, 77, "execute_tool t", 1),
            event("agent.execution.completed", 1, 0, "invoke_agent a", 2),
        ],
    );
    assert_eq!(
        written.take(),
        "✓ ◆ invoke_agent a  2.0 ms\n└─ ✓ ■ execute_tool t  1.0 ms\n"
    );
}

#[test]
fn hostile_names_stay_on_their_line_and_are_seen() {
    let name = "chat \x1b[2J\x1b]0;owned\x07\r\nFAKE \u{202e}evil\u{200b}\u{e0041}\u{9b}31m\t!";
    let (mut console, written) = console(
        ConsoleOptions::new().color(false).live(true).width(200),
        true,
    );
    feed(&mut console, [event("llm.call.started", 1, 0, name, 0)]);
    console.tick(at(10));
    feed(
        &mut console,
        [failed(
            event("llm.call.failed", 1, 0, name, 20),
            "\x1b[31m\nred",
        )],
    );
    console.finish();
    let mut terminal = Terminal::new(10, 200);
    terminal.feed(&written.take());
    assert_eq!(
        terminal.screen().trim_start(),
        "✗ ● chat \\u{1b}[2J\\u{1b}]0;owned\\u{7}\\r\\nFAKE \\u{202e}evil\\u{200b}\\u{e0041}\\u{9b}31…  \\u{1b}[31m\\nred · 20 ms"
    );
}

#[test]
fn a_format_of_ones_own_sees_every_event_and_may_panic() {
    let options = ConsoleOptions::new().format(|event, line| {
        let Some(call) = ToolCallCompleted::view(event) else {
            return;
        };
        assert!(!event.name.ends_with("quick"), "a bug in the format");
        *line = format!(
            "{} in {:?}",
            escape(&event.name),
            call.duration.unwrap_or_default()
        );
    });
    let (mut console, written) = console(options, false);
    feed(&mut console, trip());
    feed(
        &mut console,
        [ended(
            event("tool.call.completed", 1, 0, "execute_tool quick", 1),
            1,
        )],
    );
    feed(
        &mut console,
        [ended(
            event("tool.call.completed", 2, 0, "execute_tool b\n", 1),
            1,
        )],
    );
    assert_eq!(
        written.take(),
        "execute_tool search in 34ms\nexecute_tool b\\n in 1ms\n"
    );
}

#[test]
fn memory_is_bounded_and_what_is_left_out_is_counted() {
    let (mut console, written) = plain();
    feed(
        &mut console,
        [event("agent.execution.started", 1, 0, "invoke_agent a", 0)],
    );
    for n in 0..25_000 {
        feed(
            &mut console,
            [
                event("tool.call.started", n + 2, 1, "execute_tool t", n),
                event("tool.call.completed", n + 2, 1, "execute_tool t", n),
            ],
        );
    }
    assert_eq!(written.take(), "");
    feed(
        &mut console,
        [event(
            "agent.execution.completed",
            1,
            0,
            "invoke_agent a",
            25_000,
        )],
    );
    let shown = written.take();
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines.len() < Console::MAX_LINES);
    let rows = lines
        .iter()
        .filter(|line| line.contains("execute_tool") && !line.starts_with("= "));
    assert_eq!(rows.count() + left_out(&shown), 25_000);
}

/// What the lines `… 1,234 more` add up to.
fn left_out(shown: &str) -> usize {
    let counts = shown.lines().filter_map(|line| {
        let (_, more) = line.rsplit_once("… ")?;
        let count = more.strip_suffix(" more")?.replace(',', "");
        count.parse::<usize>().ok()
    });
    counts.sum()
}

#[test]
fn the_oldest_of_too_many_runs_is_written_as_it_stands() {
    let (mut console, written) = plain();
    for n in 0..=Console::MAX_RUNS as u64 {
        feed(
            &mut console,
            [event(
                "workflow.started",
                n + 1,
                0,
                &format!("invoke_workflow {n}"),
                n,
            )],
        );
    }
    assert_eq!(written.take(), "… ◈ invoke_workflow 0  still running\n");
    feed(
        &mut console,
        [event(
            "workflow.completed",
            1,
            0,
            "invoke_workflow 0",
            3_000,
        )],
    );
    assert!(written.take().starts_with("✓ ◈ invoke_workflow 0  "));
    console.finish();
    assert_eq!(written.take().lines().count(), Console::MAX_RUNS);
}

#[test]
fn open_spans_without_end_are_given_up_with_their_tree() {
    let (mut console, written) = plain();
    for n in 0..30_000 {
        feed(&mut console, [event("step.started", n + 1, n, "deeper", n)]);
    }
    console.finish();
    let shown = written.take();
    let rows = shown.lines().filter(|line| line.contains("deeper"));
    // The summaries of the trees say their names again.
    let summaries = shown.lines().filter(|line| line.starts_with("= "));
    assert_eq!(rows.count() - summaries.count() + left_out(&shown), 30_000);
    assert!(shown.lines().all(|line| line.chars().count() < 150));
}

// === the live region ===

#[test]
fn the_live_region_is_redrawn_in_place_and_leaves_only_the_final_tree() {
    let (mut console, written) = live();
    let mut terminal = Terminal::new(24, 120);
    terminal.feed("$ cargo run\n");
    for (n, event) in trip().into_iter().enumerate() {
        feed(&mut console, [event]);
        console.tick(at(100 * n as u64));
        terminal.feed(&written.take());
        if n == 6 {
            assert_eq!(
                terminal.screen(),
                "$ cargo run\n\n\n… ◆ invoke_agent planner  1 call · in 140 · out 32 · $0.0000432\n├─ ✓ ▸ plan  340 ms\n└─ … ■ execute_tool search"
            );
        }
        if n == 8 {
            console.tick(at(3_350));
            terminal.feed(&written.take());
            assert_eq!(
                terminal.screen(),
                "$ cargo run\n\n\n\
                 … ◆ invoke_agent planner  1 call · in 140 · out 32 · $0.0000432 · 3 s\n\
                 ├─ ✓ ▸ plan  340 ms\n\
                 ├─ … ■ execute_tool search  3 s\n\
                 └─ … ■ execute_tool weather  3 s\n   \
                    └─ · tool.call.retrying"
            );
        }
    }
    console.finish();
    terminal.feed(&written.take());
    assert_eq!(
        terminal.transcript(),
        "$ cargo run\n\n\
         ✓ ◆ invoke_agent planner  1 tool error · ≥ $0.0000432 · 1.2 s\n\
         ├─ ✓ ▸ plan  340 ms\n\
         │  └─ ✓ ● chat gpt-4o-mini  in 140 · out 32 · $0.0000432 · 338 ms\n\
         ├─ ✓ ■ execute_tool search  34 ms\n\
         ├─ ✗ ■ execute_tool weather  timeout · 30 ms\n\
         │  └─ · tool.call.retrying\n\
         └─ ✓ ● chat gpt-4o-mini  in 1,212 (1,024 cached) · cost ? · 520 ms"
    );
}

#[test]
fn at_most_ten_frames_a_second_and_each_in_one_write() {
    let (mut console, written) = live();
    feed(
        &mut console,
        [event("agent.execution.started", 1, 0, "invoke_agent a", 0)],
    );
    for millis in 0..1_000 {
        feed(
            &mut console,
            [event("llm.call.started", millis + 2, 1, "chat m", millis)],
        );
        console.tick(at(millis));
    }
    assert_eq!(written.frames(), 10);
    written.take();
    for millis in 1_000..2_000 {
        console.tick(at(millis));
    }
    assert!(
        written.frames() <= 5,
        "a region that does not change is redrawn four times a second"
    );
    console.tick(at(0));
    assert!(
        written.take().starts_with("\x1b[?2026h"),
        "a clock that was set back does not stop it"
    );
}

#[test]
fn the_region_keeps_to_its_height_and_shows_what_is_open() {
    let (mut console, written) = live();
    feed(
        &mut console,
        [event("agent.execution.started", 1, 0, "invoke_agent a", 0)],
    );
    for n in 0..10 {
        feed(
            &mut console,
            [
                event(
                    "tool.call.started",
                    n + 2,
                    1,
                    &format!("execute_tool {n}"),
                    n,
                ),
                event(
                    "tool.call.completed",
                    n + 2,
                    1,
                    &format!("execute_tool {n}"),
                    n + 5,
                ),
            ],
        );
    }
    feed(
        &mut console,
        [event("llm.call.started", 50, 1, "chat m", 20)],
    );
    console.tick(at(30));
    let mut terminal = Terminal::new(12, 70);
    terminal.feed(&written.take());
    assert_eq!(
        terminal.screen().trim_start(),
        "… ◆ invoke_agent a  10 tools\n\
         ├─ ✓ ■ execute_tool 7  5.0 ms\n\
         ├─ ✓ ■ execute_tool 8  5.0 ms\n\
         ├─ ✓ ■ execute_tool 9  5.0 ms\n\
         └─ … ● chat m\n\
         … 7 more"
    );
    for n in 0..10 {
        feed(
            &mut console,
            [event(
                "tool.call.started",
                n + 100,
                50,
                &format!("execute_tool {n}"),
                n,
            )],
        );
    }
    console.tick(at(200));
    terminal.feed(&written.take());
    assert_eq!(
        terminal.screen().trim_start(),
        "… ◆ invoke_agent a  10 tools\n\
         └─ … ● chat m\n   \
            ├─ … ■ execute_tool 0\n   \
            ├─ … ■ execute_tool 1\n   \
            ├─ … ■ execute_tool 2\n\
         … 17 more"
    );
}

#[test]
fn the_applications_own_output_survives_between_frames() {
    let (mut console, written) = live();
    let mut terminal = Terminal::new(8, 40); // narrower and smaller than the console was told
    feed(
        &mut console,
        [
            event(
                "agent.execution.started",
                1,
                0,
                "invoke_agent with-a-name-that-is-longer-than-the-terminal",
                0,
            ),
            event("llm.call.started", 2, 1, "chat m", 0),
        ],
    );
    let words = [
        "Once ",
        "upon a time\n",
        "there was ",
        "a crab",
        ".\nThe ",
        "end.\n",
    ];
    for (n, word) in words.iter().enumerate() {
        console.tick(at(1_000 + 250 * n as u64));
        terminal.feed(&written.take());
        let before = terminal.cursor();
        terminal.feed(word);
        console.tick(at(1_100 + 250 * n as u64));
        terminal.feed(&written.take());
        if !word.contains('\n') {
            assert_eq!(
                terminal.cursor(),
                (before.0, before.1 + word.len()),
                "the cursor stays with the application"
            );
        }
    }
    for n in 1..=20 {
        terminal.feed(&format!("log line {n}\n"));
        console.tick(at(10_000 + 250 * n));
        terminal.feed(&written.take());
    }
    feed(
        &mut console,
        [
            event("llm.call.completed", 2, 1, "chat m", 20_000),
            event("agent.execution.completed", 1, 0, "invoke_agent a", 20_000),
        ],
    );
    console.finish();
    terminal.feed(&written.take());
    let logs: Vec<String> = (1..=20).map(|n| format!("log line {n}")).collect();
    assert_eq!(
        terminal.transcript(),
        format!(
            "Once upon a time\nthere was a crab.\nThe end.\n{}\n\n✓ ◆ invoke_agent a  20.0 s\n└─ ✓ ● chat m  20.0 s",
            logs.join("\n")
        )
    );
}

#[test]
fn a_final_tree_does_not_run_into_half_a_line() {
    let (mut console, written) = live();
    let mut terminal = Terminal::new(10, 70);
    terminal.feed("half a line");
    feed(
        &mut console,
        [ended(event("step.completed", 1, 0, "s", 10), 10)],
    );
    console.tick(at(10));
    terminal.feed(&written.take());
    assert_eq!(terminal.screen(), "half a line\n✓ ▸ s  10 ms");
}

#[test]
fn while_paused_nothing_is_drawn_and_afterwards_nothing_is_missing() {
    let (mut console, written) = live();
    let mut terminal = Terminal::new(10, 70);
    feed(
        &mut console,
        [event("agent.execution.started", 1, 0, "invoke_agent a", 0)],
    );
    console.tick(at(0));
    terminal.feed(&written.take());
    let handle = console.handle();
    let (paused, again) = (handle.pause(), handle.clone().pause());
    terminal.feed(&written.take());
    assert_eq!(terminal.screen(), "", "the region is gone");
    terminal.feed("Allow? ");
    feed(
        &mut console,
        [ended(event("step.completed", 2, 0, "s", 10), 10)],
    );
    console.tick(at(500));
    assert_eq!(written.take(), "");
    drop(paused);
    assert_eq!(written.take(), "");
    drop(again);
    terminal.feed(&written.take());
    assert_eq!(
        terminal.screen(),
        "Allow? \n✓ ▸ s  10 ms".replace("? \n", "?\n")
    );
    console.tick(at(1_000));
    terminal.feed(&written.take());
    assert_eq!(
        terminal.screen(),
        "Allow?\n✓ ▸ s  10 ms\n\n\n… ◆ invoke_agent a  1 s"
    );
}

#[test]
fn an_idle_console_is_silent_and_asks_for_nothing() {
    let (mut console, written) = live();
    assert!(!console.wants_tick());
    console.tick(at(0));
    feed(&mut console, [event("step.started", 1, 0, "s", 0)]);
    assert!(console.wants_tick());
    console.tick(at(200));
    feed(&mut console, [event("step.completed", 1, 0, "s", 300)]);
    console.tick(at(250));
    assert!(console.wants_tick(), "the last frame is not due yet");
    console.tick(at(400));
    assert!(!console.wants_tick());
    written.take();
    console.tick(at(10_000));
    drop(console);
    assert_eq!(written.take(), "");
}

#[test]
fn a_broken_output_is_left_alone() {
    struct Broken;
    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut console = Console::new(Output::new(Broken, true), ConsoleOptions::new());
    feed(&mut console, trip());
    console.tick(at(5_000));
    console.finish();
}
