//! What several test files need: waiting with a deadline, a process of one's own, a runtime, ends of spans.
#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "each test file uses its part, and stops where it goes wrong"
)]

use std::io::Read as _;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use tracing_genai::event::Event;
use tracing_genai::testing::{Capture, CapturedSpan};

/// Generous: what is bounded by it takes milliseconds, and hangs for ever when it is broken.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// An error with a type and a text of its own.
#[derive(Debug)]
pub(crate) struct NotFound;

impl std::fmt::Display for NotFound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("secret-path not found")
    }
}

impl std::error::Error for NotFound {}

pub(crate) fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// Waits until `condition` holds; fails at the deadline.
pub(crate) fn until(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < DEADLINE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Runs `f` on a thread of its own and fails if it is not done by the deadline.
pub(crate) fn within<T: Send + 'static>(what: &str, f: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, result) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let _ = done.send(f());
    });
    match result.recv_timeout(DEADLINE) {
        Ok(value) => value,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("{what}: not done after {DEADLINE:?}"),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            std::panic::resume_unwind(thread.join().unwrap_err())
        }
    }
}

/// Runs `body` in a process that runs the test `test` alone; this process waits for it, until the deadline, and returns
/// what the other one printed on stderr.
pub(crate) fn alone(test: &str, body: impl FnOnce()) -> Option<String> {
    const VARIABLE: &str = "TRACING_GENAI_TEST_ALONE";
    if std::env::var(VARIABLE).as_deref() == Ok(test) {
        body();
        return None;
    }
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(VARIABLE, test)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let out = std::thread::spawn(move || {
        let mut text = String::new();
        out.read_to_string(&mut text).map(|_| text).unwrap()
    });
    let err = std::thread::spawn(move || {
        let mut text = String::new();
        err.read_to_string(&mut text).map(|_| text).unwrap()
    });
    let begun = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        if begun.elapsed() > DEADLINE {
            child.kill().unwrap();
            panic!("{test}: the process is not done after {DEADLINE:?}");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let (out, err) = (out.join().unwrap(), err.join().unwrap());
    assert!(status.success(), "{test}: {status}\n{out}\n{err}");
    assert!(out.contains("1 passed"), "no test is called {test}:\n{out}");
    Some(err)
}

/// The events that end something.
pub(crate) fn ends(capture: &Capture) -> Vec<Event> {
    let mut events = capture.events();
    events.retain(|event| event.phase.is_terminal());
    events
}

/// The one end and the one exported span; fails if there is more or less of either.
pub(crate) fn only_end(capture: &Capture) -> (Event, CapturedSpan) {
    let (mut ends, mut spans) = (ends(capture), capture.spans());
    let types: Vec<_> = ends.iter().map(|event| event.ty.to_string()).collect();
    assert_eq!(types.len(), 1, "terminal events: {types:?}");
    assert_eq!(spans.len(), 1, "spans:\n{}", capture.tree());
    (ends.remove(0), spans.remove(0))
}
