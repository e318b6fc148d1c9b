//! What a person sees: snapshots of the screen of a terminal emulator, on a real pseudo-terminal and without one.
//!
//! A snapshot that differs fails and writes nothing; `INSTA_UPDATE=always cargo test --test terminal` takes the new ones over.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test stops where it goes wrong"
)]

#[path = "support/script.rs"]
#[allow(dead_code, reason = "other tests play more of it")]
mod script;

use std::num::NonZero;
use std::time::Duration;

use insta::assert_snapshot;
use script::{
    Written, at, blocked, event, failed, failure, feed, names, quickstart, wide_and_deep, with,
};
use tracing_genai::console::{Console, ConsoleOptions, Output};
use tracing_genai::event::{Body, EventData};
use tracing_genai::{Telemetry, chat};
use tracing_subscriber::prelude::*;

// === a screen ===

/// What an application must not send to a terminal behind its user's back, if it does so.
#[derive(Debug, Default)]
struct Heard(Vec<String>);

impl vt100::Callbacks for Heard {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.0.push("bell".to_owned());
    }
    fn resize(&mut self, _: &mut vt100::Screen, _: (u16, u16)) {
        self.0.push("resize".to_owned());
    }
    fn set_window_icon_name(&mut self, _: &mut vt100::Screen, _: &[u8]) {
        self.0.push("icon name".to_owned());
    }
    fn set_window_title(&mut self, _: &mut vt100::Screen, _: &[u8]) {
        self.0.push("title".to_owned());
    }
    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], _: &[u8]) {
        self.0.push("copy".to_owned());
    }
    fn paste_from_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8]) {
        self.0.push("paste".to_owned());
    }
    fn unhandled_char(&mut self, _: &mut vt100::Screen, c: char) {
        self.0.push(format!("character {c:?}"));
    }
    fn unhandled_control(&mut self, _: &mut vt100::Screen, b: u8) {
        self.0.push(format!("control {b:#x}"));
    }
    fn unhandled_escape(&mut self, _: &mut vt100::Screen, i1: Option<u8>, i2: Option<u8>, b: u8) {
        self.0.push(format!("ESC {i1:?} {i2:?} {b}"));
    }
    fn unhandled_csi(
        &mut self,
        _: &mut vt100::Screen,
        i1: Option<u8>,
        _: Option<u8>,
        params: &[&[u16]],
        c: char,
    ) {
        // Wrapping on and off, and the marks of one update: the console's own, which this emulator does not know.
        let own = i1 == Some(b'?') && matches!(params, [[7] | [2026]]) && matches!(c, 'h' | 'l');
        if !own {
            self.0.push(format!("CSI {i1:?} {params:?} {c}"));
        }
    }
    fn unhandled_osc(&mut self, _: &mut vt100::Screen, params: &[&[u8]]) {
        self.0.push(format!("OSC {params:?}"));
    }
}

const ROWS: NonZero<u16> = NonZero::new(60).unwrap();

fn size(n: u16) -> NonZero<u16> {
    NonZero::new(n).unwrap()
}

struct Emulator(vt100::Parser<Heard>);

impl Emulator {
    fn new(columns: u16) -> Self {
        Self(vt100::Parser::new_with_callbacks(
            ROWS,
            size(columns),
            0,
            Heard::default(),
        ))
    }

    fn feed(&mut self, bytes: &str) {
        // One row down in the same column, by the other name this emulator knows it by.
        self.0.process(bytes.replace("\x1bD", "\x0b").as_bytes());
    }

    /// What is on the screen. It fails if anything was heard that is not for a screen.
    fn screen(&self) -> String {
        assert_eq!(self.0.callbacks().0, Vec::<String>::new());
        let screen = self.0.screen();
        let rows: Vec<String> = screen.rows(0, screen.size().1.get()).collect();
        let rows: Vec<&str> = rows.iter().map(|row| row.trim_end()).collect();
        rows.join("\n").trim_matches('\n').to_owned()
    }

    fn has_colour(&self) -> bool {
        let screen = self.0.screen();
        let (rows, columns) = screen.size();
        (0..rows.get()).any(|row| {
            (0..columns.get()).any(|column| {
                let cell = screen.cell(row, column).unwrap();
                cell.fgcolor() != vt100::Color::Default || cell.bold() || cell.dim()
            })
        })
    }
}

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

// === a real pseudo-terminal ===

#[cfg(unix)]
mod pty {
    use std::fs::{File, OpenOptions};
    use std::io::{BufRead as _, Read as _, Write as _};
    use std::process::{Child, Command, Stdio};

    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    use rustix::termios::{Winsize, tcsetwinsize};

    use super::*;

    const STEP: &str = "\x1b]7777;step\x07";
    const VARIABLE: &str = "TRACING_GENAI_TEST_TERMINAL";

    /// The other process: plays the quickstart on its stderr, a step for each line it is sent.
    #[test]
    fn player() {
        if std::env::var_os(VARIABLE).is_none() {
            return;
        }
        let mut console = Console::new(Output::stderr(), ConsoleOptions::new());
        let handle = console.handle();
        let mut events = quickstart().into_iter();
        let mut paused = None;
        let mut millis = 0;
        for line in std::io::stdin().lock().lines() {
            millis += 1_000;
            match line.unwrap().as_str() {
                "middle" => feed(&mut console, events.by_ref().take(script::LIVE)),
                "end" => {
                    feed(&mut console, events.by_ref());
                    console.flush(at(millis));
                }
                "pause" => {
                    paused = Some(handle.pause());
                    eprint!("Allow? ");
                }
                "resume" => paused = None,
                "wait" => {}
                other => panic!("{other}"),
            }
            console.tick(at(millis));
            std::io::stderr().write_all(STEP.as_bytes()).unwrap();
        }
        drop(paused);
    }

    /// A terminal and the process on it.
    struct Session {
        child: Child,
        master: File,
        emulator: Emulator,
        bytes: String,
    }

    impl Session {
        fn start(columns: u16, variables: &[(&str, &str)]) -> Self {
            let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
            grantpt(&master).unwrap();
            unlockpt(&master).unwrap();
            let name = ptsname(&master, Vec::new()).unwrap().into_string().unwrap();
            let slave = OpenOptions::new()
                .read(true)
                .write(true)
                .open(name)
                .unwrap();
            let mut child = Command::new(std::env::current_exe().unwrap());
            child
                .args(["pty::player", "--exact", "--nocapture"])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(slave)
                .env(VARIABLE, "1")
                .env("TERM", "xterm-256color");
            for name in [
                "COLUMNS",
                "LINES",
                "NO_COLOR",
                "CLICOLOR",
                "CLICOLOR_FORCE",
                "FORCE_COLOR",
            ] {
                child.env_remove(name);
            }
            child.envs(variables.iter().copied());
            let session = Self {
                child: child.spawn().unwrap(),
                master: File::from(master),
                emulator: Emulator::new(columns),
                bytes: String::new(),
            };
            session.tell_size(columns);
            session
        }

        fn tell_size(&self, columns: u16) {
            let size = Winsize {
                ws_row: ROWS.get(),
                ws_col: columns,
                ws_xpixel: 0,
                ws_ypixel: 0,
            };
            tcsetwinsize(&self.master, size).unwrap();
        }

        fn resize(&mut self, columns: u16) {
            self.tell_size(columns);
            self.emulator.0.screen_mut().set_size(ROWS, size(columns));
        }

        /// Lets the process go on, and answers the screen after what it wrote.
        fn step(&mut self, what: &str) -> String {
            writeln!(self.child.stdin.as_mut().unwrap(), "{what}").unwrap();
            let mut got = Vec::new();
            let mut buffer = [0; 4096];
            while !got.ends_with(STEP.as_bytes()) {
                let n = self.master.read(&mut buffer).expect("the process lives");
                got.extend_from_slice(&buffer[..n]);
            }
            got.truncate(got.len() - STEP.len());
            let text = String::from_utf8(got).unwrap();
            self.emulator.feed(&text);
            self.bytes.push_str(&text);
            self.emulator.screen()
        }
    }

    impl Drop for Session {
        fn drop(&mut self) {
            drop(self.child.stdin.take());
            let _ = self.child.wait();
        }
    }

    #[test]
    fn a_real_terminal_says_how_wide_it_is_and_shows_the_run_live_and_at_its_end() {
        for columns in [40, 80, 160] {
            let mut session = Session::start(columns, &[]);
            let live = session.step("middle");
            assert!(session.emulator.has_colour());
            let end = session.step("end");
            assert_snapshot!(
                format!("terminal_{columns}"),
                format!("{live}\n\n--- at the end ---\n\n{end}")
            );
        }
    }

    #[test]
    fn a_terminal_that_is_resized_gets_rows_of_its_new_width() {
        let mut session = Session::start(130, &[]);
        let wide = session.step("middle");
        session.resize(44);
        let narrow = session.step("wait");
        session.resize(130);
        let wide_again = session.step("wait");
        let end = session.step("end");
        assert_snapshot!(
            "resized",
            format!(
                "{wide}\n\n--- 44 ---\n\n{narrow}\n\n--- 130 ---\n\n{wide_again}\n\n--- at the end ---\n\n{end}"
            )
        );
    }

    #[test]
    fn while_a_person_is_asked_the_terminal_is_theirs() {
        let mut session = Session::start(80, &[]);
        session.step("middle");
        let paused = session.step("pause");
        let ended = session.step("end");
        let resumed = session.step("resume");
        assert_eq!(paused, "Allow?");
        assert_eq!(ended, "Allow?", "nothing is written meanwhile");
        assert_snapshot!("resumed", resumed);
    }

    #[test]
    fn no_color_takes_the_colours_and_nothing_else() {
        let screens = |variables: &[(&str, &str)]| {
            let mut session = Session::start(80, variables);
            let shown = [session.step("middle"), session.step("end")];
            (shown, session.emulator.has_colour())
        };
        let (coloured, colour) = screens(&[]);
        let (plain, none) = screens(&[("NO_COLOR", "1")]);
        assert_eq!(coloured, plain);
        assert_eq!((colour, none), (true, false));
    }

    #[test]
    fn a_dumb_terminal_gets_plain_lines_when_the_run_has_ended() {
        let mut session = Session::start(80, &[("TERM", "dumb")]);
        assert_eq!(session.step("middle"), "");
        let end = session.step("end");
        assert!(!session.bytes.contains('\x1b'), "{:?}", session.bytes);
        assert_snapshot!("dumb", end);
    }

    #[test]
    fn a_pipe_gets_the_same_plain_text_as_any_writer() {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child
            .args(["pty::player", "--exact", "--nocapture"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .env(VARIABLE, "1")
            .env_remove("COLUMNS")
            .env_remove("CLICOLOR_FORCE")
            .env_remove("FORCE_COLOR");
        let mut child = child.spawn().unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(b"middle\nend\n")
            .unwrap();
        let out = child.wait_with_output().unwrap();
        let text = String::from_utf8(out.stderr).unwrap().replace(STEP, "");
        assert_eq!(text, plain(quickstart()));
    }
}
