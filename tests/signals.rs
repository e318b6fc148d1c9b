//! Signals end a process that records, and what it recorded arrives: real child processes, real signals, a real collector.
#![cfg(all(unix, feature = "otlp", feature = "signals"))]
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]
#![allow(clippy::print_stdout, reason = "a child process says what it does")]

mod support;

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::common::v1::any_value::Value as Told;
use support::collector::{Answer, Collector};
use support::waiting::DEADLINE;
use tracing_genai::otlp::{OtlpConfig, Signal as Of};
use tracing_genai::{Signal, SignalOptions, Telemetry, agent, chat, tool};

/// Says what the child process is to do, and where the collectors are.
const ROLE: &str = "TRACING_GENAI_TEST_SIGNALS";
const ENDPOINTS: &str = "TRACING_GENAI_TEST_ENDPOINTS";

// === the child process ===

fn telemetry(endpoint: &str) -> Telemetry {
    let otlp = OtlpConfig::new().endpoint(endpoint);
    Telemetry::builder("child")
        .environment(|_| None)
        // What has arrived has been flushed, not batched.
        .batch_delay(Duration::from_secs(3600))
        .otlp(otlp)
        .build()
        .unwrap()
}

/// Not a test of its own: what the processes run that the tests start.
#[test]
fn child() {
    let Ok(role) = std::env::var(ROLE) else {
        return;
    };
    let endpoints = std::env::var(ENDPOINTS).unwrap();
    let endpoints: Vec<_> = endpoints.split(',').collect();
    let telemetry = telemetry(endpoints[0]);
    telemetry.install().unwrap();
    let short = SignalOptions::new().deadline(Duration::from_millis(300));
    let options = match &*role {
        "deadline" => short,
        "one" => SignalOptions::new().signals([Signal::Hangup]),
        "application" => SignalOptions::new().end_process(false),
        _ => SignalOptions::new(),
    };
    if role == "application" {
        return application(&telemetry, options);
    }
    telemetry.handle_signals(options).unwrap();
    let second = (role == "two").then(|| self::telemetry(endpoints[1]));
    if let Some(second) = &second {
        second.handle_signals(SignalOptions::new()).unwrap();
    }
    let agent = agent("planner").start();
    agent.in_scope(|| chat("openai", "gpt-4o-mini").start().complete());
    let _open = tool("search").parent(agent.span()).start();
    if let Some(second) = &second {
        use tracing_subscriber::prelude::*;
        let subscriber = tracing_subscriber::registry().with(second.layer());
        tracing::subscriber::with_default(subscriber, || tool("other").start().complete());
    }
    if role == "after" {
        telemetry.shutdown();
    }
    ready();
}

/// An application that ends its work by itself when it is told to.
fn application(telemetry: &Telemetry, options: SignalOptions) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        use tokio::signal::unix::{SignalKind, signal};
        // Before ours and after: neither replaces the other.
        let mut interrupt = signal(SignalKind::interrupt()).unwrap();
        telemetry.handle_signals(options).unwrap();
        let mut terminate = signal(SignalKind::terminate()).unwrap();
        let work = agent("planner").start();
        println!("ready");
        interrupt.recv().await;
        println!("interrupted");
        terminate.recv().await;
        println!("terminated");
        work.complete();
        telemetry.shutdown_async().await;
    });
    std::process::exit(7);
}

/// Says that all is prepared, and waits for what comes.
fn ready() -> ! {
    println!("ready");
    std::thread::sleep(2 * DEADLINE);
    std::process::exit(1)
}

// === the tests' side ===

struct Process {
    child: Child,
    lines: mpsc::Receiver<String>,
}

impl Process {
    /// Starts a process of this role and waits until it is ready.
    fn start(role: &str, collectors: &[&Collector]) -> Self {
        Self::start_by(
            Command::new(std::env::current_exe().unwrap()),
            role,
            collectors,
        )
    }

    fn start_by(mut command: Command, role: &str, collectors: &[&Collector]) -> Self {
        let endpoints: Vec<_> = collectors.iter().map(|it| it.endpoint()).collect();
        let mut child = command
            .args(["child", "--exact", "--nocapture", "--test-threads=1"])
            .env(ROLE, role)
            .env(ENDPOINTS, endpoints.join(","))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (tell, lines) = mpsc::channel();
        let out: ChildStdout = child.stdout.take().unwrap();
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                if tell.send(line).is_err() {
                    return;
                }
            }
        });
        let process = Self { child, lines };
        process.says("ready");
        process
    }

    /// Waits for this word.
    #[track_caller]
    fn says(&self, word: &str) {
        let begun = Instant::now();
        loop {
            let left = DEADLINE.saturating_sub(begun.elapsed());
            // The harness writes the name of the test before it.
            match self.lines.recv_timeout(left) {
                Ok(line) if line.ends_with(word) => return,
                Ok(_) => {}
                Err(error) => panic!("never said {word}: {error}"),
            }
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &pid]).status();
        assert!(sent.unwrap().success());
    }

    fn ended(&mut self) -> ExitStatus {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(begun.elapsed() < DEADLINE, "the process does not end");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Names of the spans that arrived, and whether they were interrupted.
fn spans(collector: &Collector) -> Vec<(String, bool)> {
    let all = collector.spans().into_iter();
    let mut all: Vec<_> = all
        .map(|span| {
            let interrupted = |it: &&_| {
                let it: &opentelemetry_proto::tonic::common::v1::KeyValue = it;
                it.key == "genai.interrupted"
            };
            let told = span.attributes.iter().find(interrupted);
            let told = told.and_then(|it| it.value.clone()?.value);
            (span.name, told == Some(Told::BoolValue(true)))
        })
        .collect();
    all.sort();
    all
}

fn all_of_it() -> Vec<(String, bool)> {
    [
        ("chat gpt-4o-mini", false),
        ("execute_tool search", true),
        ("invoke_agent planner", true),
    ]
    .map(|(name, interrupted)| (name.to_owned(), interrupted))
    .to_vec()
}

#[test]
fn each_signal_flushes_everything_and_the_process_ends_by_that_signal() {
    for (name, number) in [("TERM", 15), ("INT", 2), ("HUP", 1)] {
        let collector = Collector::start();
        let mut process = Process::start("flush", &[&collector]);
        assert!(collector.spans().is_empty(), "nothing was sent yet");
        process.signal(name);
        let status = process.ended();
        assert_eq!(status.signal(), Some(number), "{name}: {status}");
        assert_eq!(spans(&collector), all_of_it(), "{name}");
        let records = collector.log_records();
        let record = records
            .iter()
            .find(|record| record.event_name == "system.signal.received")
            .unwrap_or_else(|| panic!("{name}: {records:?}"));
        assert_eq!(record.severity_text, "WARN");
        let told = |key: &str| {
            let found = record.attributes.iter().find(|it| it.key == key);
            found.and_then(|it| it.value.clone()?.value)
        };
        assert_eq!(
            told("process.signal.number"),
            Some(Told::IntValue(number.into()))
        );
    }
}

#[test]
fn a_collector_that_hangs_keeps_the_process_for_the_deadline_and_no_longer() {
    let collector = Collector::start();
    for signal in [Of::Traces, Of::Logs, Of::Metrics] {
        collector.always(signal, Answer::Hang);
    }
    let mut process = Process::start("deadline", &[&collector]);
    let begun = Instant::now();
    process.signal("TERM");
    assert_eq!(process.ended().signal(), Some(15));
    let kept = begun.elapsed();
    assert!(kept >= Duration::from_millis(300), "{kept:?}");
    assert!(kept < Telemetry::SHUTDOWN_TIMEOUT, "{kept:?}");
}

#[test]
fn a_second_signal_ends_the_process_at_once_by_itself() {
    let collector = Collector::start();
    for signal in [Of::Traces, Of::Logs, Of::Metrics] {
        collector.always(signal, Answer::Hang);
    }
    // The first alone would keep it for the default 5 seconds.
    let mut process = Process::start("flush", &[&collector]);
    process.signal("TERM");
    collector.wait_for_requests(1);
    process.signal("INT");
    let status = process.ended();
    // Had it waited for the flush, the first one would have ended it.
    assert_eq!(status.signal(), Some(2), "{status}");
}

#[test]
fn an_application_with_handlers_of_its_own_gets_its_signals_and_ends_as_it_wants() {
    let collector = Collector::start();
    let mut process = Process::start("application", &[&collector]);
    process.signal("INT");
    process.says("interrupted");
    // Flushed, though the process goes on.
    collector.wait_for("the signal", |requests| {
        requests
            .iter()
            .any(|it| it.accepted && it.signal == Some(Of::Logs))
    });
    assert!(collector.spans().is_empty(), "its work goes on");
    process.signal("TERM");
    process.says("terminated");
    let status = process.ended();
    assert_eq!(status.code(), Some(7), "{status}");
    let expected = [("invoke_agent planner".to_owned(), false)];
    assert_eq!(spans(&collector), expected);
}

#[test]
fn a_signal_that_was_not_asked_for_ends_the_process_as_ever() {
    let collector = Collector::start();
    let mut process = Process::start("one", &[&collector]);
    process.signal("TERM");
    assert_eq!(process.ended().signal(), Some(15));
    assert!(collector.spans().is_empty());
}

#[test]
fn after_the_shutdown_a_signal_still_ends_the_process() {
    let collector = Collector::start();
    let mut process = Process::start("after", &[&collector]);
    process.signal("TERM");
    assert_eq!(process.ended().signal(), Some(15));
    assert_eq!(collector.spans().len(), 3);
}

#[test]
fn all_installations_of_a_process_are_flushed_before_it_ends() {
    let (one, other) = (Collector::start(), Collector::start());
    let mut process = Process::start("two", &[&one, &other]);
    process.signal("TERM");
    assert_eq!(process.ended().signal(), Some(15));
    assert_eq!(spans(&one), all_of_it());
    assert_eq!(spans(&other), [("execute_tool other".to_owned(), false)]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_the_process_was_started_to_ignore_stays_ignored() {
    let collector = Collector::start();
    let mut shell = Command::new("sh");
    // What `nohup` does.
    shell.args(["-c", "trap '' HUP; exec \"$0\" \"$@\""]);
    shell.arg(std::env::current_exe().unwrap());
    let mut process = Process::start_by(shell, "flush", &[&collector]);
    process.signal("HUP");
    // It is still there to be told by the next one.
    process.signal("TERM");
    assert_eq!(process.ended().signal(), Some(15));
    assert_eq!(spans(&collector), all_of_it());
}
