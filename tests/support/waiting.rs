//! Waiting with a deadline: for a condition, for a closure, for a process of one's own.

use std::ffi::OsStr;
use std::io::Read as _;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Generous: what is bounded by it takes milliseconds, and hangs for ever when it is broken.
pub const DEADLINE: Duration = Duration::from_secs(30);

pub fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

/// Waits until `condition` holds; fails at the deadline.
pub fn until(what: &str, condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(begun.elapsed() < DEADLINE, "waited in vain: {what}");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Runs `f` on a thread of its own and fails if it is not done by the deadline.
pub fn within<T: Send + 'static>(what: &str, f: impl FnOnce() -> T + Send + 'static) -> T {
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
pub fn alone(test: &str, body: impl FnOnce()) -> Option<String> {
    if is_alone(test) {
        body();
        return None;
    }
    let Child { status, out, err } = child::<str>(test, &[]);
    assert!(status.success(), "{test}: {status}\n{out}\n{err}");
    assert!(out.contains("1 passed"), "no test is called {test}:\n{out}");
    Some(err)
}

const VARIABLE: &str = "TRACING_GENAI_TEST_ALONE";

/// Whether this process is the one that runs the test `test` alone.
pub fn is_alone(test: &str) -> bool {
    std::env::var(VARIABLE).as_deref() == Ok(test)
}

/// How a process of one's own ended.
pub struct Child {
    pub status: ExitStatus,
    pub out: String,
    pub err: String,
}

/// A process that runs the test `test` alone, with some variables in its environment, however it ends; fails if it has not ended by
/// the deadline.
pub fn child<S: AsRef<OsStr> + ?Sized>(test: &str, variables: &[(&S, &S)]) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .args(["--include-ignored"])
        .env(VARIABLE, test)
        .envs(variables.iter().map(|(name, value)| (name, value)))
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
    Child { status, out, err }
}
