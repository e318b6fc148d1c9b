//! A process on a real pseudo-terminal.

use std::fs::{File, OpenOptions};
use std::io::{BufRead as _, Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use super::emulator::{Emulator, ROWS, size};
use super::script::{at, feed, quickstart};
use super::{plain, script};
use insta::assert_snapshot;
use tracing_genai::console::{Console, ConsoleOptions, Output};

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
