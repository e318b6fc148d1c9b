//! What durability costs: appending batches of 512 spans to the spool, beside a bare file that gets the same bytes in the same
//! run, and taking them out again.
//!
//! `cargo bench --bench spool`; `-- 4000` for other than 2,000 batches. Writes to the directory for temporary files.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::print_stdout,
    clippy::unwrap_used
)]

#[path = "support/measure.rs"]
#[allow(dead_code)]
mod measure;

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use measure::median;
use tracing_genai::otlp::internal::{DiskQueue, Spool};
use tracing_genai::otlp::{SpoolConfig, SpoolSync};

/// What an exporter sends at once, and the bytes of a span.
const SPANS: usize = 512;
const SPAN: usize = 300;
/// A file of the spool, and of what is compared with it.
const SEGMENT: usize = 8 * 1024 * 1024;

/// Bytes that do not repeat, so that no file system makes them fewer.
fn batch(n: usize) -> Vec<u8> {
    let mut state = n as u64;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (mixed ^ (mixed >> 27)).to_le_bytes()
    };
    (0..SPANS * SPAN / 8).flat_map(|_| next()).collect()
}

/// Writes the same bytes into files of the same size, without frames, sums, or counts.
struct Bare<'a> {
    dir: &'a Path,
    file: Option<File>,
    written: usize,
    files: usize,
}

impl Bare<'_> {
    fn append(&mut self, body: &[u8]) -> &File {
        if self.written + body.len() > SEGMENT {
            self.file = None;
        }
        let file = self.file.get_or_insert_with(|| {
            self.files += 1;
            self.written = 0;
            let mut options = OpenOptions::new();
            options.append(true).create_new(true);
            options.open(self.dir.join(self.files.to_string())).unwrap()
        });
        file.write_all(body).unwrap();
        self.written += body.len();
        file
    }
}

/// Spans a second, over all batches.
fn rate(batches: usize, took: Duration) -> f64 {
    (batches * SPANS) as f64 / took.as_secs_f64()
}

struct Written {
    took: Duration,
    /// The median of all appends, in microseconds.
    each: f64,
}

fn written(batches: &[Vec<u8>], count: usize, mut append: impl FnMut(&[u8])) -> Written {
    let mut each = Vec::with_capacity(count);
    let begun = Instant::now();
    for n in 0..count {
        let now = Instant::now();
        append(&batches[n % batches.len()]);
        each.push(now.elapsed().as_secs_f64() * 1e6);
    }
    Written {
        took: begun.elapsed(),
        each: median(each),
    }
}

fn spool(dir: &Path, sync: SpoolSync) -> (Spool, DiskQueue) {
    let config = SpoolConfig::new(dir)
        .segment_bytes(SEGMENT as u64)
        .max_bytes(u64::MAX)
        .sync(sync);
    let spool = Spool::open(&config).unwrap();
    let queue = spool.queue("traces").unwrap();
    (spool, queue)
}

fn main() {
    let count = std::env::args()
        .filter_map(|arg| arg.parse().ok())
        .next()
        .unwrap_or(2_000);
    let batches: Vec<Vec<u8>> = (0..64).map(batch).collect();
    let bytes = batches[0].len();
    println!("batches of {SPANS} spans, {bytes} bytes");
    println!(
        "{:44} {:>9} {:>12} {:>12} {:>10}",
        "", "batches", "spans a s", "µs a batch", "of bare"
    );
    let line = |what: &str, count: usize, written: &Written, bare: &Written| {
        let ratio = written.took.as_secs_f64() / bare.took.as_secs_f64();
        let rate = rate(count, written.took);
        println!(
            "{what:44} {count:9} {rate:12.0} {:12.1} {ratio:9.2}x",
            written.each
        );
    };

    let syncs = [
        ("no sync", SpoolSync::Never, count),
        (
            "a sync every 500 ms",
            SpoolSync::Every(Duration::from_millis(500)),
            count,
        ),
        ("a sync each", SpoolSync::Always, count / 10 + 1),
    ];
    for (what, sync, count) in syncs {
        // Twice, so that one sees what a run's luck is.
        for _ in 0..2 {
            let dir = tempfile::tempdir().unwrap();
            let mut bare = Bare {
                dir: dir.path(),
                file: None,
                written: 0,
                files: 0,
            };
            let mut synced = Instant::now();
            let plain = written(&batches, count, |body| {
                let file = bare.append(body);
                let due = match sync {
                    SpoolSync::Always => true,
                    SpoolSync::Every(every) => synced.elapsed() >= every,
                    _ => false,
                };
                if due {
                    file.sync_data().unwrap();
                    synced = Instant::now();
                }
            });
            line(&format!("bare files, {what}"), count, &plain, &plain);
            drop(dir);

            let dir = tempfile::tempdir().unwrap();
            let (_spool, mut queue) = spool(dir.path(), sync);
            let ours = written(&batches, count, |body| {
                queue.append(body, SPANS as u32).unwrap();
            });
            line(&format!("the spool, {what}"), count, &ours, &plain);
            assert_eq!(queue.pending(), (count * SPANS) as u64);
        }
    }

    let dir = tempfile::tempdir().unwrap();
    let (_spool, mut queue) = spool(dir.path(), SpoolSync::Never);
    for n in 0..count {
        queue
            .append(&batches[n % batches.len()], SPANS as u32)
            .unwrap();
    }
    let taken = written(&batches, count, |_| {
        std::hint::black_box(queue.take().unwrap());
        queue.ack();
    });
    println!(
        "{:44} {count:9} {:12.0} {:12.1}",
        "take and ack",
        rate(count, taken.took),
        taken.each
    );
    assert_eq!(queue.pending(), 0);
    let both = written(&batches, count, |body| {
        queue.append(body, SPANS as u32).unwrap();
        std::hint::black_box(queue.take().unwrap());
        queue.ack();
    });
    println!(
        "{:44} {count:9} {:12.0} {:12.1}",
        "append, take and ack, one at a time",
        rate(count, both.took),
        both.each
    );
    for n in 0..count {
        queue
            .append(&batches[n % batches.len()], SPANS as u32)
            .unwrap();
    }
    drop((_spool, queue));
    let begun = Instant::now();
    let (_spool, queue) = spool(dir.path(), SpoolSync::Never);
    println!(
        "recovery of {count} batches after a crash: {:.1} ms",
        begun.elapsed().as_secs_f64() * 1e3
    );
    assert_eq!(queue.recovered(), (count * SPANS) as u64);
}
