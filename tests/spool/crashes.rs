//! F8, F9: a process that dies, at named points and at any. Everything that was appended is there, at most one batch twice.

use std::collections::BTreeSet;
use std::time::Duration;

use tracing_genai::otlp::SpoolConfig;
use tracing_genai::otlp::internal::Spool;

use super::faults::{FaultDisk, Op};
use super::processes::{child, in_child, said, tell};
use super::*;

/// Where a child dies: what it does, to what, before or after, and the how manyeth time.
const POINTS: [(&str, Op, &str, bool); 17] = [
    ("before a batch is written", Op::Append, ".seg", true),
    ("between a batch and its return", Op::Append, ".seg", false),
    ("before the cursor", Op::WriteAt, "cursor", true),
    (
        "between the cursor and the deletion",
        Op::WriteAt,
        "cursor",
        false,
    ),
    ("before a roll", Op::Create, ".seg", true),
    ("in a roll", Op::Create, ".seg", false),
    ("before a truncation", Op::SetLen, ".seg", true),
    ("after a truncation", Op::SetLen, ".seg", false),
    ("before a deletion", Op::Remove, ".seg", true),
    ("after a deletion", Op::Remove, ".seg", false),
    ("before the cursor goes", Op::Remove, "cursor", true),
    ("after the cursor went", Op::Remove, "cursor", false),
    ("before the lock goes", Op::Remove, "lock", true),
    ("after the lock went", Op::Remove, "lock", false),
    ("before the directory", Op::CreateDir, "", true),
    ("after the directory", Op::CreateDir, "", false),
    ("while adopting", Op::Open, ".seg", true),
];

fn small(dir: &Path) -> SpoolConfig {
    config(dir).segment_bytes(64 * 1024).max_bytes(1 << 20)
}

/// Appends and settles, and tells: a capital before, a small letter after.
fn work(spool: &Spool, from: u32, to: u32) {
    let mut queue = spool.queue("traces").unwrap();
    let settle = |queue: &mut DiskQueue| {
        if let Some(taken) = queue.take() {
            let n = number(&taken);
            tell(format!("K {n}"));
            queue.ack();
            tell(format!("k {n}"));
        }
    };
    for n in from..to {
        tell(format!("A {n}"));
        queue.append(&body(n, 20_000), 1).unwrap();
        tell(format!("a {n}"));
        // Now behind, now up to date.
        for _ in 0..if n % 8 == 7 { 8 } else { n % 2 } {
            settle(&mut queue);
        }
    }
}

/// Compares what is left with what was told.
fn judge(what: &str, dir: &Path, said: &[String]) {
    let of = |what: &str| -> BTreeSet<u32> {
        let numbers = said.iter().filter_map(|line| line.strip_prefix(what));
        numbers.map(|n| n.trim().parse().unwrap()).collect()
    };
    let (appended, settling, settled) = (of("a "), of("K "), of("k "));
    let begun = of("A ");
    let (spool, mut queue) = open(&small(dir));
    let found = numbers(&mut queue);
    let losses = queue.losses();
    let set: BTreeSet<u32> = found.iter().copied().collect();
    assert_eq!(
        set.len(),
        found.len(),
        "{what}: twice in one process: {found:?}"
    );
    for n in appended.difference(&settling) {
        assert!(set.contains(n), "{what}: {n} is lost: {found:?}\n{said:?}");
    }
    let again = set.intersection(&settling).count();
    assert!(
        again <= 1,
        "{what}: {again} batches again: {found:?}\n{said:?}"
    );
    assert!(set.is_subset(&begun), "{what}");
    assert!(set.is_disjoint(&settled) || again == 1, "{what}");
    assert_eq!(losses.expired + losses.full, 0);
    drop((spool, queue));
    assert!(tree(dir).is_empty(), "{what}: {:?}", tree(dir).keys());
}

#[test]
fn a_process_that_dies_at_a_named_point_loses_nothing_and_repeats_one_batch_at_most() {
    let test =
        "crashes::a_process_that_dies_at_a_named_point_loses_nothing_and_repeats_one_batch_at_most";
    if let Some((role, dir)) = in_child() {
        let (point, time) = role.split_once(' ').unwrap();
        let (point, mut time): (usize, u32) = (point.parse().unwrap(), time.parse().unwrap());
        let (_, at, end, before) = POINTS[point];
        let disk = FaultDisk::new();
        disk.hook(move |op, path, now| {
            if op == at && now == before && path.to_string_lossy().ends_with(end) {
                time -= 1;
                if time == 0 {
                    std::process::abort();
                }
            }
        });
        let spool = Spool::open_on(&small(&dir), disk.arc()).unwrap();
        work(&spool, 100, 140);
        return;
    }
    let mut died = 0;
    for (point, (what, ..)) in POINTS.iter().enumerate() {
        for time in [1, 2, 3, 7] {
            let dir = tempfile::tempdir().unwrap();
            // Something to adopt.
            let left = {
                let spool = Spool::open(&small(dir.path())).unwrap();
                let mut queue = spool.queue("traces").unwrap();
                for n in 0..10 {
                    queue.append(&body(n, 20_000), 1).unwrap();
                }
                (0..10).flat_map(|n| [format!("A {n}"), format!("a {n}")])
            };
            let mut child = child(test, &format!("{point} {time}"), dir.path());
            let said: Vec<String> = left.chain(self::said(&mut child)).collect();
            died += u32::from(!child.wait().unwrap().success());
            judge(&format!("{what}, {time}"), dir.path(), &said);
        }
    }
    assert!(died >= 45, "only {died} died");
}

#[test]
fn a_process_that_is_killed_at_any_moment_loses_nothing_and_repeats_one_batch_at_most() {
    let test = "crashes::a_process_that_is_killed_at_any_moment_loses_nothing_and_repeats_one_batch_at_most";
    if let Some((role, dir)) = in_child() {
        let from: u32 = role.parse().unwrap();
        let spool = Spool::open(&small(&dir)).unwrap();
        work(&spool, from, from + 100_000);
        return;
    }
    for round in 0..50_u64 {
        let dir = tempfile::tempdir().unwrap();
        let mut child = child(test, "0", dir.path());
        let stderr = child.stderr.take().unwrap();
        let reader = std::thread::spawn(move || {
            let lines = std::io::BufRead::lines(std::io::BufReader::new(stderr));
            lines.map_while(Result::ok).collect::<Vec<_>>()
        });
        std::thread::sleep(Duration::from_micros(5_000 + round * 911 % 30_000));
        child.kill().unwrap();
        child.wait().unwrap();
        let said: Vec<String> = reader.join().unwrap();
        judge(&format!("round {round}"), dir.path(), &said);
    }
}
