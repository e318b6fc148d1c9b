//! F17: several processes on one directory. Children are this test binary again, with one test and a role.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use tracing_genai::otlp::internal::Spool;

use super::*;

pub const ROLE: &str = "TRACING_GENAI_SPOOL_ROLE";
pub const DIR: &str = "TRACING_GENAI_SPOOL_DIR";

/// The directory, in a child.
pub fn in_child() -> Option<(String, std::path::PathBuf)> {
    Some((std::env::var(ROLE).ok()?, std::env::var_os(DIR)?.into()))
}

/// Starts a process that runs `test` alone, in a role.
pub fn child(test: &str, role: &str, dir: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture", "--test-threads=1"])
        .env(ROLE, role)
        .env(DIR, dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Says a line to the parent, in one write, so that it is there whole or not at all.
pub fn tell(line: String) {
    std::io::Write::write_all(&mut std::io::stderr(), (line + "\n").as_bytes()).unwrap();
}

/// What a child said on stderr, until it ended.
pub fn said(child: &mut Child) -> Vec<String> {
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    lines.map_while(Result::ok).collect()
}

#[test]
fn orphans_are_adopted_exactly_once_when_two_start_at_the_same_moment() {
    let test = "processes::orphans_are_adopted_exactly_once_when_two_start_at_the_same_moment";
    if let Some((_, dir)) = in_child() {
        // The parent says when.
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).unwrap();
        let (spool, mut queue) = open(&config(&dir));
        tell(format!("adopted {}", spool.adopted().len()));
        tell(format!("recovered {}", queue.recovered()));
        for n in numbers(&mut queue) {
            tell(format!("got {n}"));
        }
        return;
    }
    for round in 0..10 {
        let dir = tempfile::tempdir().unwrap();
        let orphans: Vec<_> = (0..5)
            .map(|_| Spool::open(&config(dir.path())).unwrap())
            .collect();
        let mut queues: Vec<_> = orphans
            .iter()
            .map(|spool| spool.queue("traces").unwrap())
            .collect();
        for n in 0..50 {
            queues[n % 5].append(&body(n as u32, 100), 1).unwrap();
        }
        drop((orphans, queues));
        let mut children: Vec<_> = (0..2).map(|_| child(test, "drain", dir.path())).collect();
        for child in &mut children {
            std::io::Write::write_all(&mut child.stdin.take().unwrap(), b"go\n").unwrap();
        }
        let said: Vec<String> = children.iter_mut().flat_map(said).collect();
        assert!(
            children
                .iter_mut()
                .all(|child| child.wait().unwrap().success()),
            "{said:?}"
        );
        let of = |what: &str| -> Vec<u32> {
            let numbers = said.iter().filter_map(|line| line.strip_prefix(what));
            let mut numbers: Vec<u32> = numbers.map(|n| n.trim().parse().unwrap()).collect();
            numbers.sort_unstable();
            numbers
        };
        assert!(of("got ").into_iter().eq(0..50), "round {round}: {said:?}");
        assert_eq!(of("recovered ").iter().sum::<u32>(), 50);
        assert!(tree(dir.path()).is_empty(), "{:?}", tree(dir.path()).keys());
    }
}

#[test]
fn a_directory_whose_process_lives_is_left_alone() {
    let test = "processes::a_directory_whose_process_lives_is_left_alone";
    if let Some((_, dir)) = in_child() {
        let (_spool, mut queue) = open(&config(&dir));
        queue.append(&body(1, 100), 7).unwrap();
        tell("ready".into());
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).unwrap();
        assert_eq!(numbers(&mut queue), [1]);
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let mut living = child(test, "live", dir.path());
    let mut lines = BufReader::new(living.stderr.take().unwrap()).lines();
    assert!(
        lines
            .by_ref()
            .map_while(Result::ok)
            .any(|line| line == "ready")
    );
    {
        let (spool, mut queue) = open(&config(dir.path()));
        assert_eq!((spool.adopted().len(), queue.recovered()), (0, 0));
        queue.append(&body(2, 100), 1).unwrap();
        assert_eq!(numbers(&mut queue), [2]);
        assert_eq!(config(dir.path()).purge().unwrap().left_alone, 2);
    }
    std::io::Write::write_all(&mut living.stdin.take().unwrap(), b"go\n").unwrap();
    assert!(living.wait().unwrap().success());
    assert!(tree(dir.path()).is_empty());
}

#[test]
fn spools_that_open_and_close_at_the_same_time_do_not_take_each_other_for_dead() {
    let dir = tempfile::tempdir().unwrap();
    let dir = Arc::new(dir);
    let threads: Vec<_> = (0..4_u32)
        .map(|thread| {
            let dir = dir.clone();
            std::thread::spawn(move || {
                let mut got = Vec::new();
                for n in 0..50 {
                    let (spool, mut queue) = open(&config(dir.path()));
                    queue.append(&body(thread * 50 + n, 100), 1).unwrap();
                    assert!(spool.directory().join("lock").is_file());
                    if n % 3 > 0 {
                        got.extend(numbers(&mut queue));
                    }
                }
                got
            })
        })
        .collect();
    let mut got: Vec<u32> = threads
        .into_iter()
        .flat_map(|thread| thread.join().unwrap())
        .collect();
    let (spool, mut queue) = open(&config(dir.path()));
    got.extend(numbers(&mut queue));
    got.sort_unstable();
    assert!(got.into_iter().eq(0..200));
    drop((spool, queue));
    assert!(tree(dir.path()).is_empty(), "{:?}", tree(dir.path()).keys());
}

#[test]
fn a_process_that_died_while_making_its_directory_leaves_nothing_for_long() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("1-0123456789abcdef")).unwrap();
    std::fs::create_dir(dir.path().join("2-0123456789abcdef")).unwrap();
    std::fs::write(dir.path().join("2-0123456789abcdef/lock"), "").unwrap();
    // Somebody removed the lock of this one.
    std::fs::create_dir_all(dir.path().join("3-0123456789abcdef/traces")).unwrap();
    let (spool, queue) = open(&config(dir.path()));
    assert_eq!(spool.adopted(), [dir.path().join("3-0123456789abcdef")]);
    drop((spool, queue));
    assert!(tree(dir.path()).is_empty(), "{:?}", tree(dir.path()).keys());
}
