//! A process that forwards, killed with SIGKILL: what arrives is what was stored.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tracing_genai::history::SqliteStore;
use tracing_genai::reporter::Forwarder;

use super::forwarder::{events, store};
use super::support::collector::{Answer, Collector};
use super::*;

const VARIABLE: &str = "TRACING_GENAI_TEST_FORWARDS";
const BATCH: usize = 10;

/// The process: forwards until it is killed.
#[test]
#[ignore = "it is the child of the tests below"]
fn the_child_that_forwards() {
    let told = std::env::var(VARIABLE).unwrap();
    let [endpoint, db, cursor] = told.split('|').collect::<Vec<_>>().try_into().unwrap();
    let store = SqliteStore::builder().path(db).open().unwrap();
    let _forwarding = Forwarder::new(store, endpoint)
        .batch(BATCH)
        .interval(Duration::from_millis(5))
        .cursor_file(cursor)
        .start()
        .unwrap();
    // A parent that died cannot kill it.
    std::thread::sleep(Duration::from_secs(120));
}

struct Forwards(Child);

impl Forwards {
    fn start(server: &Collector, db: &Path, cursor: &Path) -> Self {
        let told = format!(
            "{}|{}|{}",
            server.endpoint(),
            db.display(),
            cursor.display()
        );
        let child = Command::new(std::env::current_exe().unwrap())
            .args([
                "killed::the_child_that_forwards",
                "--exact",
                "--ignored",
                "--nocapture",
                "--test-threads=1",
            ])
            .env(VARIABLE, told)
            .stdout(Stdio::null())
            .spawn();
        Self(child.unwrap())
    }
}

impl Drop for Forwards {
    /// SIGKILL.
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

/// How often each number arrived in a request that was confirmed.
fn confirmed(server: &Collector) -> BTreeMap<i64, usize> {
    let mut counts = BTreeMap::new();
    let requests = server.requests();
    for event in requests
        .iter()
        .filter(|request| request.accepted)
        .flat_map(events)
    {
        *counts.entry(number(&event)).or_default() += 1;
    }
    counts
}

#[test]
fn after_a_kill_in_the_middle_exactly_the_missing_events_arrive() {
    let directory = tempfile::tempdir().unwrap();
    let (db, cursor) = (
        directory.path().join("e.db"),
        directory.path().join("cursor"),
    );
    let server = Collector::start();
    drop(store(&db, 0..100));
    // Three batches are confirmed, the fourth hangs: its process is killed with it.
    for answer in [Answer::Ok, Answer::Ok, Answer::Ok, Answer::Hang] {
        server.answer(answer);
    }
    let forwards = Forwards::start(&server, &db, &cursor);
    server.wait_for_requests(4);
    drop(forwards);
    assert_eq!(confirmed(&server).len(), 30);
    assert_eq!(std::fs::read_to_string(&cursor).unwrap(), "30\n");

    drop(store(&db, 100..120));
    let forwards = Forwards::start(&server, &db, &cursor);
    server.wait_for("the rest", |requests| {
        requests.iter().filter(|request| request.accepted).count() == 12
    });
    drop(forwards);
    let counts = confirmed(&server);
    assert_eq!(
        counts.keys().copied().collect::<Vec<_>>(),
        (0..120).collect::<Vec<_>>()
    );
    assert!(counts.values().all(|times| *times == 1), "{counts:?}");
    let first = events(&server.requests()[4]);
    assert_eq!(number(&first[0]), 30, "it goes on where it stood");
}

#[test]
fn killed_at_any_moment_nothing_is_missing_and_a_kill_repeats_one_batch_at_most() {
    const KILLS: usize = 8;
    let directory = tempfile::tempdir().unwrap();
    let (db, cursor) = (
        directory.path().join("e.db"),
        directory.path().join("cursor"),
    );
    let server = Collector::start();
    drop(store(&db, 0..1000));
    let mut requests = 0;
    for kill in 0..KILLS {
        let forwards = Forwards::start(&server, &db, &cursor);
        requests = server.wait_for_requests(requests + 3).len();
        // Somewhere in the request, the answer or the cursor's file.
        std::thread::sleep(Duration::from_micros(700 * kill as u64));
        drop(forwards);
        requests = requests.max(server.requests().len());
    }
    let forwards = Forwards::start(&server, &db, &cursor);
    server.wait_for("all of them", |requests| {
        let accepted = requests.iter().filter(|request| request.accepted);
        accepted.flat_map(events).any(|event| number(&event) == 999)
    });
    drop(forwards);
    let counts = confirmed(&server);
    assert_eq!(
        counts.keys().copied().collect::<Vec<_>>(),
        (0..1000).collect::<Vec<_>>()
    );
    let repeats: usize = counts.values().map(|times| times - 1).sum();
    assert!(
        repeats <= KILLS * BATCH,
        "{repeats} events came again after {KILLS} kills"
    );
}
