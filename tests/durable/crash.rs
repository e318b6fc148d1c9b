//! Processes that are killed, abort or forget to shut down: the next one sends what they left.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::trace::v1::Span;
use tracing::Instrument as _;
use tracing_genai::otlp::Signal;
use tracing_genai::{agent, chat};

use crate::run::*;
use crate::support::collector::{Answer, Collector, PATIENCE, closed_address};
use crate::support::waiting::until;

const DIRECTORY: &str = "TRACING_GENAI_TEST_SPOOL";
const ENDPOINT: &str = "TRACING_GENAI_TEST_ENDPOINT";
const DEATH: &str = "TRACING_GENAI_TEST_DEATH";
/// What a child makes in a second.
const RATE: u64 = 1_000;

/// What the children run: spans, until somebody ends it, or as `DEATH` says. It is no test of its own.
#[test]
fn child_works_until_it_is_killed() {
    let Ok(directory) = std::env::var(DIRECTORY) else {
        return;
    };
    let endpoint = std::env::var(ENDPOINT).unwrap();
    let telemetry = builder(&endpoint, directory.as_str()).build().unwrap();
    telemetry.install().unwrap();
    let run = agent("planner").conversation_id("c-1").start();
    let _inside = run.span().enter();
    let call = chat("openai", "gpt-4o").temperature(0.5).start();
    let begun = Instant::now();
    let mut out = std::io::stdout().lock();
    let mut made = 0;
    let death = std::env::var(DEATH).unwrap_or_default();
    loop {
        let due = (begun.elapsed().as_secs_f64() * RATE as f64) as u64;
        while made < due {
            tracing::info_span!("numbered", number = made).in_scope(|| {});
            writeln!(out, "\nn {made} {}", micros()).unwrap();
            made += 1;
        }
        out.flush().unwrap();
        std::thread::sleep(Duration::from_millis(1));
        if begun.elapsed() > Duration::from_millis(1_000) {
            match death.as_str() {
                "exit" => std::process::exit(0),
                "abort" => std::process::abort(),
                "forget" => {
                    std::mem::forget((telemetry, call));
                    std::process::exit(0);
                }
                "exec" => {
                    use std::os::unix::process::CommandExt as _;
                    panic!("{}", Command::new("true").exec());
                }
                "panic" => {
                    std::panic::set_hook(Box::new(|_| std::process::abort()));
                    panic!("as with panic = abort");
                }
                _ => {}
            }
        }
        assert!(begun.elapsed() < PATIENCE, "nobody killed this process");
    }
}

fn micros() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_micros() as u64
}

struct Life {
    child: Child,
    /// Number and time of the spans it said it made.
    made: Arc<Mutex<Vec<(u64, u64)>>>,
    reader: std::thread::JoinHandle<()>,
}

impl Life {
    fn begin(directory: &Path, endpoint: &str, death: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args([
                "crash::child_works_until_it_is_killed",
                "--exact",
                "--nocapture",
            ])
            .env(DIRECTORY, directory)
            .env(ENDPOINT, endpoint)
            .env(DEATH, death)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let made = Arc::<Mutex<Vec<_>>>::default();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let reader = std::thread::spawn({
            let made = Arc::clone(&made);
            move || {
                for line in lines.map_while(Result::ok) {
                    let mut words = line.split(' ');
                    if words.next() == Some("n") {
                        let mut number = || words.next()?.parse().ok();
                        if let (Some(n), Some(at)) = (number(), number()) {
                            made.lock().unwrap().push((n, at));
                        }
                    }
                }
            }
        });
        let life = Self {
            child,
            made,
            reader,
        };
        let deadline = Instant::now() + PATIENCE;
        while life.made.lock().unwrap().is_empty() {
            assert!(Instant::now() < deadline, "the child makes nothing");
            std::thread::sleep(Duration::from_millis(1));
        }
        life
    }

    /// SIGKILL. Returns what it made, and when it died.
    fn kill(mut self) -> (Vec<(u64, u64)>, u64) {
        let at = micros();
        self.child.kill().unwrap();
        (self.end(), at)
    }

    fn end(mut self) -> Vec<(u64, u64)> {
        self.child.wait().unwrap();
        self.reader.join().unwrap();
        self.made.lock().unwrap().clone()
    }
}

/// How old, in microseconds at the death, the youngest span was that did not arrive, and spans that came twice.
fn missing(made: &[(u64, u64)], died: u64, spans: &[Span]) -> (u64, usize) {
    let arrived = numbers(spans);
    let twice = arrived.values().filter(|times| **times > 1).count();
    assert!(arrived.values().all(|times| *times <= 2));
    let lost = made
        .iter()
        .filter(|(n, _)| !arrived.contains_key(&(*n as i64)));
    let oldest = lost.map(|(_, at)| died.saturating_sub(*at)).max();
    (oldest.unwrap_or(0), twice)
}

fn interrupted(spans: &[Span]) -> Vec<&Span> {
    let marked = |span: &&Span| span.attributes.iter().any(|a| a.key == "genai.interrupted");
    spans.iter().filter(marked).collect()
}

/// F8, the figure: `cargo test --test durable -- --ignored --nocapture f08_killed_at_50`
#[test]
#[ignore = "a minute"]
fn f08_killed_at_50_random_moments_everything_older_than_a_batch_arrives() {
    killed(50);
}

#[test]
fn f08_killed_at_random_moments_everything_older_than_a_batch_arrives() {
    killed(8);
}

fn killed(times: usize) {
    let random = |salt: usize| {
        use std::hash::{BuildHasher as _, RandomState};
        RandomState::new().hash_one(salt) % 900
    };
    let (mut oldest, mut made_in_all) = (0, 0);
    for time in 0..times {
        let directory = tempfile::tempdir().unwrap();
        let address = closed_address();
        let endpoint = format!("http://{address}");
        let life = Life::begin(directory.path(), &endpoint, "");
        let age = Duration::from_millis(20 + random(time));
        std::thread::sleep(age);
        let (made, died) = life.kill();

        let collector = Collector::start_at(address);
        let telemetry = builder(&endpoint, directory.path()).build().unwrap();
        let report = telemetry.shutdown();
        complete(&report);
        let traces = report.traces.unwrap();
        assert_eq!(traces.recovered, traces.accepted);
        let spans = collector.spans();
        assert_eq!(spans.len() as u64, traces.delivered);
        let (lost, twice) = missing(&made, died, &spans);
        assert_eq!(twice, 0, "nothing had been sent");
        assert!(lost < 1_000_000, "a span {lost} µs old is lost");
        let open = interrupted(&spans);
        assert!(open.len() <= 2);
        if age > Duration::from_millis(850) {
            assert_eq!(open.len(), 2, "the agent's run and its call were open");
        }
        oldest = oldest.max(lost);
        made_in_all += made.len();
        assert_eq!(files(directory.path()).len(), 0);
    }
    println!(
        "{times} kills, {made_in_all} spans: what was lost was at most {} ms old",
        oldest / 1000
    );
}

#[test]
fn f08_spans_that_were_open_when_the_process_died_arrive_as_interrupted_below_their_parents() {
    let directory = tempfile::tempdir().unwrap();
    let collector = Collector::start();
    let life = Life::begin(directory.path(), &collector.endpoint(), "");
    std::thread::sleep(Duration::from_millis(2_500));
    let (_, died) = life.kill();
    let telemetry = builder(&collector.endpoint(), directory.path())
        .build()
        .unwrap();
    let report = telemetry.shutdown();
    complete(&report);
    let spans = collector.spans();
    let open = interrupted(&spans);
    let names: Vec<_> = open.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(
        names,
        ["invoke_agent planner", "chat gpt-4o"],
        "parents first"
    );
    let (run, call) = (open[0], open[1]);
    assert_eq!(call.parent_span_id, run.span_id);
    for span in open {
        let status = span.status.as_ref().unwrap();
        assert_eq!(status.code, 2, "red in every backend");
        assert_eq!(status.message, "the process ended before this did");
        assert!(span.attributes.iter().any(|a| a.key == "error.type"));
        let end = span.end_time_unix_nano / 1000;
        assert!(
            end <= died,
            "a span ends when its process was last seen at the latest"
        );
        assert!(
            end + 2_000_000 > died,
            "and that is no long time before its death"
        );
        assert!(
            span.attributes
                .iter()
                .any(|a| a.key == "gen_ai.conversation.id")
        );
    }
    let numbered: Vec<_> = spans.iter().filter(|s| s.name == "numbered").collect();
    assert!(
        numbered.iter().all(|s| s.parent_span_id == run.span_id),
        "the tree is whole"
    );
}

#[test]
fn f08_killed_while_it_sends_at_most_one_batch_comes_twice() {
    for _ in 0..4 {
        let directory = tempfile::tempdir().unwrap();
        let collector = Collector::start();
        let slow = Answer::Slow(Duration::from_millis(30), Box::new(Answer::Ok));
        collector.always(Signal::Traces, slow);
        let life = Life::begin(directory.path(), &collector.endpoint(), "");
        std::thread::sleep(Duration::from_millis(900));
        let (made, died) = life.kill();
        let before = collector.requests().len();
        let telemetry = builder(&collector.endpoint(), directory.path())
            .build()
            .unwrap();
        complete(&telemetry.shutdown());
        let requests = collector.requests();
        let again = requests[before..].iter();
        let again =
            again.filter(|request| requests[..before].iter().any(|r| r.body == request.body));
        assert!(again.count() <= 1, "more than one batch was sent twice");
        let (lost, twice) = missing(&made, died, &collector.spans());
        assert!(twice <= 512, "{twice} spans came twice");
        assert!(lost < 1_000_000, "a span {lost} µs old is lost");
    }
}

#[test]
fn f18_exit_abort_exec_panic_and_a_forgotten_guard_lose_no_more_than_a_kill() {
    for death in ["exit", "abort", "exec", "panic", "forget"] {
        let directory = tempfile::tempdir().unwrap();
        let address = closed_address();
        let endpoint = format!("http://{address}");
        let made = Life::begin(directory.path(), &endpoint, death).end();
        let died = micros();
        let collector = Collector::start_at(address);
        let telemetry = builder(&endpoint, directory.path()).build().unwrap();
        let report = telemetry.shutdown();
        complete(&report);
        let spans = collector.spans();
        let (lost, twice) = missing(&made, died, &spans);
        assert_eq!(twice, 0, "{death}");
        assert!(lost < 1_500_000, "{death}: a span {lost} µs old is lost");
        assert!(numbers(&spans).len() > 100, "{death}");
        assert_eq!(interrupted(&spans).len(), 2, "{death}");
    }
}

#[test]
fn a_span_that_ends_is_not_told_as_interrupted_too() {
    let directory = tempfile::tempdir().unwrap();
    let address = closed_address();
    let endpoint = format!("http://{address}");
    let telemetry = builder(&endpoint, directory.path()).build().unwrap();
    record(&telemetry, || {
        let long = tracing::info_span!("numbered", number = 0);
        let kept = async {
            until("an open span is kept", || open_spans(directory.path()) == 1);
        };
        crate::support::waiting::block_on(kept.instrument(long));
    });
    until("it is in the spool as ended", || {
        open_spans(directory.path()) == 0
    });
    // Another process adopts what this one has; it is as if this one had died just now.
    let copy = tempfile::tempdir().unwrap();
    copy_tree(directory.path(), copy.path());
    let collector = Collector::start_at(address);
    let next = builder(&endpoint, copy.path()).build().unwrap();
    let report = next.shutdown();
    complete(&report);
    all_once(&collector, 1);
    assert_eq!(interrupted(&collector.spans()).len(), 0);
}

/// How many processes keep open spans there.
fn open_spans(spool: &Path) -> usize {
    let names = files(spool).into_iter();
    names.filter(|file| file.ends_with("open")).count()
}

fn copy_tree(from: &Path, to: &Path) {
    for file in files(from) {
        let there = to.join(file.strip_prefix(from).unwrap());
        std::fs::create_dir_all(there.parent().unwrap()).unwrap();
        std::fs::copy(&file, &there).unwrap();
    }
}
