//! The usual way: in order, once, counted, and nothing left behind.

use std::time::{Duration, SystemTime};

use tracing_genai::otlp::internal::{AppendError, Freed, Losses, Spool};
use tracing_genai::otlp::{SpoolConfig, SpoolError, WhenFull};

use super::faults::{FaultDisk, Op};
use super::*;

const KIB: usize = 1024;

/// Two segments of 64 KiB: the least there can be.
fn small(dir: &Path) -> SpoolConfig {
    config(dir)
        .segment_bytes(64 * KIB as u64)
        .max_bytes(128 * KIB as u64)
}

#[test]
fn batches_come_out_in_order_once_each_as_they_were_put_in() {
    let dir = tempfile::tempdir().unwrap();
    let (_spool, mut queue) = open(&config(dir.path()));
    let before = SystemTime::now() - Duration::from_millis(1);
    for n in 0..10 {
        assert_eq!(
            queue.append(&body(n, 100), n + 1).unwrap(),
            Freed { records: 0 }
        );
    }
    assert_eq!((queue.pending(), queue.recovered()), (55, 0));
    let taken = drain(&mut queue);
    assert!(taken.iter().map(number).eq(0..10));
    assert!(taken.iter().map(|taken| taken.records).eq(1..=10));
    assert!(taken.is_sorted_by_key(|taken| taken.sequence));
    assert!(
        taken
            .iter()
            .all(|taken| taken.written >= before && taken.written <= SystemTime::now())
    );
    assert_eq!((queue.pending(), queue.bytes()), (0, 0));
    assert_eq!(queue.losses(), NO_LOSSES);
}

#[test]
fn one_batch_is_out_at_a_time_and_pending_until_it_is_settled() {
    let dir = tempfile::tempdir().unwrap();
    let (_spool, mut queue) = open(&config(dir.path()));
    queue.append(&body(1, 10), 3).unwrap();
    queue.append(&body(2, 10), 4).unwrap();
    assert_eq!(number(&queue.take().unwrap()), 1);
    assert_eq!(queue.take(), None);
    assert_eq!(queue.pending(), 7);
    queue.ack();
    assert_eq!(queue.pending(), 4);
    queue.ack();
    assert_eq!(queue.pending(), 4, "nothing was out");
    assert_eq!(number(&queue.take().unwrap()), 2);
}

#[test]
fn what_was_delivered_does_not_stay_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let (_spool, mut queue) = open(&config(dir.path()));
    for n in 0..3 {
        queue.append(b"a secret of somebody", n).unwrap();
    }
    drain(&mut queue);
    let left = tree(dir.path());
    let bytes: Vec<u8> = left.into_values().flatten().flatten().collect();
    assert!(!bytes.windows(8).any(|part| part == b"a secret"));
    assert!(bytes.len() <= 24, "{}", bytes.len());
}

#[test]
fn after_everything_is_settled_nothing_is_left_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, mut queue) = open(&small(dir.path()).max_bytes(1 << 20));
    let own = spool.directory().to_owned();
    for n in 0..20 {
        queue.append(&body(n, 10 * KIB), 1).unwrap();
    }
    assert!(files(dir.path(), ".seg").len() >= 3);
    assert_eq!(drain(&mut queue).len(), 20);
    drop(spool);
    assert!(own.is_dir(), "the queue still holds it");
    drop(queue);
    assert!(tree(dir.path()).is_empty(), "{:?}", tree(dir.path()));
}

#[test]
fn a_spool_that_was_never_used_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(&config(dir.path())));
    drop(Spool::open(&SpoolConfig::new(dir.path())).unwrap());
    assert!(tree(dir.path()).is_empty());
}

#[test]
fn a_settled_segment_is_deleted_while_later_ones_wait() {
    let dir = tempfile::tempdir().unwrap();
    let (_spool, mut queue) = open(&small(dir.path()).max_bytes(1 << 20));
    for n in 0..20 {
        queue.append(&body(n, 20 * KIB), 1).unwrap();
    }
    let before = files(dir.path(), ".seg").len();
    for _ in 0..10 {
        queue.take().unwrap();
        queue.ack();
    }
    let after = files(dir.path(), ".seg");
    assert!(after.len() <= before - 3, "{before} {after:?}");
    let on_disk: u64 = after
        .iter()
        .map(|file| file.metadata().unwrap().len())
        .sum();
    assert_eq!(queue.bytes(), on_disk);
    assert!(numbers(&mut queue).into_iter().eq(10..20));
}

#[test]
fn the_next_process_gets_what_the_last_one_left_and_counts_it() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, mut queue) = open(&config(dir.path()));
    for n in 0..5 {
        queue.append(&body(n, 50), 10).unwrap();
    }
    queue.take().unwrap();
    queue.ack();
    queue.take().unwrap();
    drop((spool, queue));
    let (spool, mut queue) = open(&config(dir.path()));
    assert_eq!((queue.recovered(), queue.pending()), (40, 40));
    assert_eq!(spool.adopted().len(), 1);
    queue.append(&body(9, 50), 1).unwrap();
    assert_eq!(
        numbers(&mut queue),
        [1, 2, 3, 4, 9],
        "the one that was out comes again"
    );
    assert!(!spool.adopted()[0].exists(), "an emptied directory stays");
    drop((spool, queue));
    assert!(tree(dir.path()).is_empty());
}

#[test]
fn what_an_adopted_queue_settled_stays_settled_when_the_adopter_dies_too() {
    let dir = tempfile::tempdir().unwrap();
    let mut expected = Vec::new();
    for life in 0..6_u32 {
        let (_spool, mut queue) = open(&config(dir.path()));
        assert_eq!(queue.recovered(), expected.len() as u64);
        for n in 0..3 {
            queue.append(&body(life * 3 + n, 50), 1).unwrap();
            expected.push(life * 3 + n);
        }
        for n in expected.drain(..2) {
            assert_eq!(number(&queue.take().unwrap()), n);
            queue.ack();
        }
        // The age of a directory is that of its lock; some file systems count in hundredths of a second.
        std::thread::sleep(Duration::from_millis(20));
    }
    let (_spool, mut queue) = open(&config(dir.path()));
    assert_eq!(numbers(&mut queue), expected);
}

#[test]
fn queues_of_two_names_do_not_mix_and_each_is_opened_once() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, mut traces) = open(&config(dir.path()));
    let mut logs = spool.queue("logs").unwrap();
    traces.append(&body(1, 10), 1).unwrap();
    logs.append(&body(2, 10), 1).unwrap();
    let again = spool.queue("logs").unwrap_err();
    assert!(matches!(again, SpoolError::Io { .. }), "{again}");
    drop((spool, traces, logs));
    let (spool, mut traces) = open(&config(dir.path()));
    assert_eq!(numbers(&mut traces), [1]);
    assert!(spool.adopted()[0].is_dir(), "there are logs in it");
    let mut logs = spool.queue("logs").unwrap();
    assert_eq!(numbers(&mut logs), [2]);
    assert!(!spool.adopted()[0].exists());
}

#[test]
fn a_directory_with_somebody_elses_file_stays_for_its_owner() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, mut queue) = open(&config(dir.path()));
    queue.append(&body(1, 10), 1).unwrap();
    std::fs::write(spool.directory().join("spans.journal"), "open").unwrap();
    let own = spool.directory().to_owned();
    drop((spool, queue));
    let (spool, mut queue) = open(&config(dir.path()));
    assert_eq!(spool.adopted(), std::slice::from_ref(&own));
    assert_eq!(numbers(&mut queue), [1]);
    assert_eq!(std::fs::read(own.join("spans.journal")).unwrap(), b"open");
    std::fs::remove_file(own.join("spans.journal")).unwrap();
    drop((spool, queue));
    assert!(tree(dir.path()).is_empty());
}

#[test]
fn a_batch_that_is_put_back_comes_again_unless_its_segment_had_to_go() {
    let dir = tempfile::tempdir().unwrap();
    let (_spool, mut queue) = open(&small(dir.path()));
    for n in 0..3 {
        queue.append(&body(n, 20 * KIB), 10).unwrap();
    }
    for _ in 0..2 {
        let taken = queue.take().unwrap();
        assert_eq!(number(&taken), 0);
        assert!(!queue.is_expired(taken.written));
        assert_eq!((queue.put_back(), queue.pending()), (0, 30));
    }
    assert_eq!(queue.put_back(), 0, "nothing was out");
    queue.take().unwrap();
    queue.ack();
    assert_eq!(number(&queue.take().unwrap()), 1);
    queue.put_back();
    assert_eq!(number(&queue.take().unwrap()), 1);
    for n in 3..7 {
        queue.append(&body(n, 20 * KIB), 1).unwrap();
    }
    assert_eq!(queue.pending(), 14);
    assert_eq!((queue.put_back(), queue.pending()), (10, 4));
    assert_eq!(numbers(&mut queue), [3, 4, 5, 6]);
    assert_eq!(queue.losses(), NO_LOSSES);
}

// === limits ===

#[test]
fn a_full_queue_drops_its_oldest_segments_and_says_how_many_records_exactly() {
    let dir = tempfile::tempdir().unwrap();
    let (_spool, mut queue) = open(&small(dir.path()));
    let (mut freed, mut appended) = (0, 0);
    for n in 0..50 {
        freed += queue.append(&body(n, 15 * KIB), 10 + n).unwrap().records;
        appended += u64::from(10 + n);
        assert!(queue.bytes() <= 128 * KIB as u64);
        assert_eq!(freed + queue.pending(), appended);
    }
    let left = drain(&mut queue);
    assert!(
        left.iter().map(number).eq(50 - left.len() as u32..50),
        "the oldest went"
    );
    assert!(left.len() >= 4);
    assert_eq!(
        freed
            + left
                .iter()
                .map(|taken| u64::from(taken.records))
                .sum::<u64>(),
        appended
    );
    assert_eq!(queue.losses(), NO_LOSSES);
}

#[test]
fn the_batch_that_is_out_is_not_dropped_with_its_segment() {
    let dir = tempfile::tempdir().unwrap();
    let (_spool, mut queue) = open(&small(dir.path()));
    for n in 0..3 {
        queue.append(&body(n, 20 * KIB), 100).unwrap();
    }
    assert_eq!(number(&queue.take().unwrap()), 0);
    let mut freed = 0;
    for n in 3..9 {
        freed += queue.append(&body(n, 20 * KIB), 1).unwrap().records;
    }
    assert_eq!(freed, 200, "the two others of the first segment");
    assert_eq!(queue.pending(), 106);
    queue.ack();
    assert_eq!(queue.pending(), 6);
    assert_eq!(numbers(&mut queue), [3, 4, 5, 6, 7, 8]);
}

#[test]
fn a_full_queue_that_drops_the_newest_keeps_what_it_has() {
    let dir = tempfile::tempdir().unwrap();
    let (_spool, mut queue) = open(&small(dir.path()).when_full(WhenFull::DropNewest));
    let mut kept = 0;
    let error = loop {
        match queue.append(&body(kept, 15 * KIB), 1) {
            Ok(freed) => assert_eq!(freed.records, 0),
            Err(error) => break error,
        }
        kept += 1;
    };
    assert!(matches!(error, AppendError::Full), "{error}");
    assert_eq!(queue.pending(), u64::from(kept));
    for _ in 0..4 {
        queue.take().unwrap();
        queue.ack();
    }
    queue.append(&body(kept, 15 * KIB), 1).unwrap();
    assert!(numbers(&mut queue).into_iter().eq(4..=kept));
}

#[test]
fn adopted_batches_count_towards_the_limit_and_are_the_first_to_go() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, mut queue) = open(&small(dir.path()));
    for n in 0..8 {
        queue.append(&body(n, 15 * KIB), 1).unwrap();
    }
    drop((spool, queue));
    let (_spool, mut queue) = open(&small(dir.path()));
    let recovered = queue.recovered();
    let mut freed = 0;
    for n in 8..11 {
        freed += queue.append(&body(n, 15 * KIB), 1).unwrap().records;
        assert!(queue.bytes() <= 128 * KIB as u64);
    }
    assert!(freed > 0);
    assert_eq!(recovered + 3, freed + queue.pending());
    let left = numbers(&mut queue);
    assert_eq!(left, (11 - left.len() as u32..11).collect::<Vec<_>>());
}

#[test]
fn a_batch_larger_than_a_segment_has_one_of_its_own_and_one_larger_than_the_queue_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (_spool, mut queue) = open(&small(dir.path()));
    queue.append(&body(1, 10), 1).unwrap();
    queue.append(&body(2, 100 * KIB), 1).unwrap();
    queue.append(&body(3, 10), 1).unwrap();
    assert_eq!(files(dir.path(), ".seg").len(), 3);
    let whole = 128 * KIB - 16 - 36;
    let error = queue.append(&body(4, whole + 1), 1).unwrap_err();
    assert!(matches!(error, AppendError::TooLarge), "{error}");
    assert_eq!(numbers(&mut queue), [1, 2, 3]);
    queue.append(&body(5, whole), 1).unwrap();
    assert_eq!(queue.bytes(), 128 * KIB as u64);
    assert_eq!(numbers(&mut queue), [5]);
}

#[test]
fn nothing_above_64_mib_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let (_spool, mut queue) = open(&config(dir.path()));
    let mut largest = vec![7; 64 * KIB * KIB];
    queue.append(&largest, 1).unwrap();
    largest.push(7);
    let error = queue.append(&largest, 1).unwrap_err();
    assert!(matches!(error, AppendError::TooLarge), "{error}");
    largest.pop();
    assert!(queue.take().unwrap().body == largest);
}

#[test]
fn what_is_too_old_is_dropped_when_its_turn_comes_and_counted() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultDisk::new();
    let spool = Spool::open_on(
        &config(dir.path()).max_age(Duration::from_secs(60)),
        disk.arc(),
    )
    .unwrap();
    let mut queue = spool.queue("traces").unwrap();
    queue.append(&body(1, 10), 3).unwrap();
    queue.append(&body(2, 10), 4).unwrap();
    disk.later(Duration::from_secs(50));
    queue.append(&body(3, 10), 5).unwrap();
    disk.later(Duration::from_secs(20));
    assert_eq!(queue.pending(), 12);
    assert_eq!(number(&queue.take().unwrap()), 3);
    assert_eq!(
        queue.losses(),
        Losses {
            expired: 7,
            ..NO_LOSSES
        }
    );
    assert_eq!(queue.pending(), 5);
    queue.ack();
    queue.append(&body(4, 10), 6).unwrap();
    disk.later(Duration::from_secs(61));
    assert_eq!(queue.take(), None);
    assert_eq!(
        queue.losses(),
        Losses {
            expired: 6,
            ..NO_LOSSES
        }
    );
    assert_eq!(
        (queue.pending(), queue.bytes()),
        (0, 0),
        "expired content stays on disk"
    );
}

#[test]
fn a_clock_that_was_set_back_makes_nothing_old() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultDisk::new();
    let spool = Spool::open_on(
        &config(dir.path()).max_age(Duration::from_secs(60)),
        disk.arc(),
    )
    .unwrap();
    let mut queue = spool.queue("traces").unwrap();
    queue.append(&body(1, 10), 3).unwrap();
    disk.earlier(Duration::from_secs(3600));
    queue.append(&body(2, 10), 3).unwrap();
    assert_eq!(numbers(&mut queue), [1, 2]);
    assert_eq!(queue.losses(), NO_LOSSES);
}

#[test]
fn purging_deletes_what_is_pending_but_not_the_batch_that_is_out() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, mut queue) = open(&small(dir.path()));
    queue.append(&body(0, 20 * KIB), 50).unwrap();
    drop((spool, queue));
    let (spool, mut queue) = open(&small(dir.path()));
    for n in 1..5 {
        queue.append(&body(n, 20 * KIB), 10).unwrap();
    }
    assert_eq!(number(&queue.take().unwrap()), 0);
    assert_eq!(queue.purge(), 40);
    assert_eq!((queue.pending(), queue.bytes()), (50, 0));
    queue.ack();
    assert_eq!((queue.pending(), queue.take()), (0, None));
    queue.append(&body(6, 10), 1).unwrap();
    assert_eq!(number(&queue.take().unwrap()), 6);
    assert_eq!(queue.purge(), 0);
    queue.ack();
    assert_eq!(queue.losses(), NO_LOSSES);
    drop((spool, queue));
    assert!(tree(dir.path()).is_empty());
}

#[test]
fn a_long_outage_costs_no_memory_and_few_file_handles() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultDisk::new();
    let spool = Spool::open_on(&small(dir.path()).max_bytes(4 << 20), disk.arc()).unwrap();
    let mut queue = spool.queue("traces").unwrap();
    for n in 0..2_000 {
        queue.append(&body(n, KIB), 1).unwrap();
    }
    let handles = std::fs::read_dir("/proc/self/fd").ok().map(|handles| {
        let open = handles.filter_map(|handle| std::fs::read_link(handle.unwrap().path()).ok());
        open.filter(|path| path.starts_with(dir.path())).count()
    });
    assert!(handles.unwrap_or(0) <= 4, "{handles:?}");
    assert!(files(dir.path(), ".seg").len() > 30);
    assert_eq!(drain(&mut queue).len(), 2_000);
    assert!(
        disk.count(Op::Open, ".seg") <= disk.count(Op::Create, ".seg"),
        "opened once each"
    );
}
