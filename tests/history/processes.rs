//! Several processes on one file, and one that is killed.

use std::collections::HashSet;
use std::env;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use rusqlite::Connection;
use tracing_genai::event::Event;
use tracing_genai::history::{Cursor, EventStore, History, SqliteStore};

use super::events::{event, place};
use super::support::waiting::DEADLINE;

/// In a child: the file it is to work on. In the process of the test itself it is not set.
const FILE: &str = "TRACING_GENAI_TEST_FILE";

/// This test again, in another process, on `path`.
pub(crate) fn child(test: &str, path: &Path) -> Command {
    let mut command = Command::new(env::current_exe().unwrap());
    command
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(FILE, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit());
    command
}

/// The file to work on, in a child.
pub(crate) fn given() -> Option<PathBuf> {
    env::var_os(FILE).map(PathBuf::from)
}

#[track_caller]
pub(crate) fn succeed(mut child: Child) {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return;
        }
        if begun.elapsed() > DEADLINE {
            child.kill().unwrap();
            panic!("a process is not done after {DEADLINE:?}");
        }
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
}

const BATCHES: u64 = 40;
const BATCH: u64 = 25;

fn batches() -> impl Iterator<Item = Vec<Event>> {
    let process = i64::from(std::process::id());
    (0..).map(move |batch| {
        let event = |n| {
            event("step.completed", n, |data| {
                data.attrs.set("process", process);
                data.attrs.set("batch", batch);
                data.attrs.set("n", n);
                data.who.agent_id = Some(format!("agent {}", n % 3).into());
            })
        };
        (0..BATCH).map(event).collect()
    })
}

#[test]
fn four_processes_write_one_file_and_nothing_is_lost_or_read_twice() {
    if let Some(path) = given() {
        // All four make the file at the same time.
        let store = SqliteStore::open(path).unwrap();
        for batch in batches().take(BATCHES as usize) {
            assert_eq!(store.append(&batch).unwrap(), BATCH as usize);
        }
        return;
    }
    let (_directory, path) = place();
    let test = "processes::four_processes_write_one_file_and_nothing_is_lost_or_read_twice";
    let mut children: Vec<_> = (0..4)
        .map(|_| child(test, &path).spawn().unwrap())
        .collect();

    let store = SqliteStore::open(&path).unwrap();
    let total = 4 * BATCHES * BATCH;
    let mut read = Vec::new();
    let mut cursor = Cursor::START;
    let begun = Instant::now();
    // Reads beside them until they are done and nothing is left.
    loop {
        let running = children
            .iter_mut()
            .any(|child| child.try_wait().unwrap().is_none());
        let page = store.since(cursor, 100).unwrap();
        assert_eq!(page.missed, 0);
        if page.events.is_empty() && !running {
            break;
        }
        cursor = page.next;
        read.extend(page.events);
        assert!(
            begun.elapsed() < DEADLINE,
            "{} events after {DEADLINE:?}",
            read.len()
        );
    }
    children.into_iter().for_each(succeed);

    let numbers: Vec<_> = read.iter().map(|(cursor, _)| cursor.number()).collect();
    assert_eq!(
        numbers,
        (1..=total).collect::<Vec<_>>(),
        "no gap, no repeat"
    );
    let ids: HashSet<_> = read.iter().map(|(_, event)| event.id).collect();
    assert_eq!(ids.len() as u64, total);
    let history = History::new(store);
    assert_eq!(history.count().unwrap(), total);
    assert_eq!(
        history.agents().unwrap().len(),
        3,
        "the processes share the agents"
    );
}

#[test]
fn a_killed_process_leaves_a_sound_file_with_everything_it_was_told_is_stored() {
    if let Some(path) = given() {
        let store = SqliteStore::open(path).unwrap();
        for (n, batch) in batches().enumerate() {
            store.append(&batch).unwrap();
            // Rust's test harness does not look at what goes to stdout directly.
            println!("stored {n}");
        }
        return;
    }
    let (_directory, path) = place();
    let test =
        "processes::a_killed_process_leaves_a_sound_file_with_everything_it_was_told_is_stored";
    let mut told = 0;
    for round in 1..=3 {
        let mut child = child(test, &path).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let target = told + 30;
        while told < target {
            let line = lines.next().expect("it writes until it is killed").unwrap();
            told += usize::from(line.contains("stored "));
        }
        // SIGKILL.
        child.kill().unwrap();
        child.wait().unwrap();
        told += lines
            .filter(|line| line.as_ref().is_ok_and(|line| line.contains("stored ")))
            .count();

        let store = SqliteStore::open(&path).unwrap();
        let found = store.since(Cursor::START, usize::MAX).unwrap();
        assert_eq!(found.missed, 0);
        let stored = found.events.len();
        assert_eq!(stored as u64 % BATCH, 0, "whole batches only");
        let batches = stored / BATCH as usize;
        // At most one batch of each round was stored and not told of.
        assert!(
            (told..=told + round).contains(&batches),
            "told {told}, stored {batches}"
        );
        assert_eq!(
            found.next,
            Cursor::new(stored as u64),
            "numbers without gaps"
        );
        let check: String = Connection::open(&path)
            .unwrap()
            .query_row("PRAGMA integrity_check", (), |row| row.get(0))
            .unwrap();
        assert_eq!(check, "ok");
    }
}
