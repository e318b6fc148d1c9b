//! The durable queue's promises: what was appended comes out, in this process or the next, or is counted; and nothing on a
//! disk, however broken, full or foreign, changes that.
//!
//! Real files in temporary directories; faults come from a file layer (`faults.rs`), crashes are real processes that die.
#![cfg(all(feature = "otlp", unix))]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    unreachable_pub,
    reason = "a test stops where it goes wrong, and is nobody's API"
)]

#[path = "../support/waiting.rs"]
#[allow(dead_code)]
mod waiting;

mod access;
mod crashes;
mod damage;
mod faults;
mod life;
mod model;
mod power;
mod processes;
mod refusals;

use std::collections::BTreeMap;
use std::path::Path;

use tracing_genai::otlp::internal::{DiskQueue, Losses, Spool, Taken};
use tracing_genai::otlp::{SpoolConfig, SpoolSync};

/// Without the thread that syncs: most tests are not about power.
fn config(dir: &Path) -> SpoolConfig {
    SpoolConfig::new(dir).sync(SpoolSync::Never)
}

fn open(config: &SpoolConfig) -> (Spool, DiskQueue) {
    let spool = Spool::open(config).unwrap();
    let queue = spool.queue("traces").unwrap();
    (spool, queue)
}

/// A batch that says which it is, of `size` bytes.
fn body(n: u32, size: usize) -> Vec<u8> {
    let mut body = n.to_le_bytes().to_vec();
    body.extend((4..size).map(|at| (at as u32).wrapping_mul(31).wrapping_add(n) as u8));
    body
}

fn number(taken: &Taken) -> u32 {
    let bytes = taken.body.get(..4).expect("a batch that was appended");
    let n = u32::from_le_bytes(bytes.try_into().unwrap());
    assert!(taken.body == body(n, taken.body.len()), "it was changed");
    n
}

/// Everything that is left, settled one by one.
fn drain(queue: &mut DiskQueue) -> Vec<Taken> {
    std::iter::from_fn(|| {
        let taken = queue.take();
        queue.ack();
        taken
    })
    .collect()
}

fn numbers(queue: &mut DiskQueue) -> Vec<u32> {
    drain(queue).iter().map(number).collect()
}

/// What is below a directory: paths from there, and bytes of files.
fn tree(dir: &Path) -> BTreeMap<String, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(next) = dirs.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(dir).unwrap().display().to_string();
            if path.is_dir() && !path.is_symlink() {
                found.insert(name, None);
                dirs.push(path);
            } else {
                found.insert(name, Some(std::fs::read(path).unwrap_or_default()));
            }
        }
    }
    found
}

/// Names of the files below a directory that end so.
fn files(dir: &Path, end: &str) -> Vec<std::path::PathBuf> {
    let names = tree(dir).into_keys();
    names
        .filter(|name| name.ends_with(end))
        .map(|name| dir.join(name))
        .collect()
}

const NO_LOSSES: Losses = Losses {
    corrupt: 0,
    expired: 0,
    full: 0,
    unreadable_bytes: 0,
};
