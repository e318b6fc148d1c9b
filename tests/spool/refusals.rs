//! F10: a disk that is full, read-only, out of handles or broken. The caller keeps what was not taken; nothing that was is
//! lost uncounted; it is over when the disk is well again.

use std::process::Command;
use std::time::Duration;

use tracing_genai::otlp::internal::{AppendError, Losses, Spool};
use tracing_genai::otlp::{SpoolConfig, SpoolSync, WhenFull};

use super::faults::{CHANGES, EDQUOT, EIO, EMFILE, ENFILE, ENOSPC, EROFS, FaultDisk, HANDLES, Op};
use super::*;

const KIB: usize = 1024;

fn on(
    dir: &Path,
    change: impl FnOnce(SpoolConfig) -> SpoolConfig,
) -> (FaultDisk, Spool, DiskQueue) {
    let disk = FaultDisk::new();
    let config = change(
        config(dir)
            .segment_bytes(64 * KIB as u64)
            .max_bytes(1 << 20),
    );
    let spool = Spool::open_on(&config, disk.arc()).unwrap();
    let queue = spool.queue("traces").unwrap();
    (disk, spool, queue)
}

fn io_code(error: AppendError) -> i32 {
    match error {
        AppendError::Io(error) => error.raw_os_error().unwrap(),
        other => panic!("{other}"),
    }
}

#[test]
fn a_full_disk_with_one_segment_refuses_and_takes_again_when_there_is_room() {
    let dir = tempfile::tempdir().unwrap();
    for room in 0..200 {
        let (disk, _spool, mut queue) = on(dir.path(), |config| config);
        queue.append(&body(1, 50), 5).unwrap();
        disk.room(Some(room.min(85)));
        let error = queue.append(&body(2, 50), 7).unwrap_err();
        assert_eq!(io_code(error), ENOSPC);
        assert_eq!(queue.pending(), 5);
        disk.heal();
        queue.append(&body(3, 50), 1).unwrap();
        assert_eq!(numbers(&mut queue), [1, 3]);
        assert_eq!(queue.losses(), NO_LOSSES);
    }
}

#[test]
fn a_full_disk_frees_the_oldest_segment_first_and_tells_what_was_in_it() {
    for code in [ENOSPC, EDQUOT] {
        let dir = tempfile::tempdir().unwrap();
        let (disk, _spool, mut queue) = on(dir.path(), |config| config);
        for n in 0..5 {
            queue.append(&body(n, 20 * KIB), 10).unwrap();
        }
        // Three in the first segment, two in the second.
        disk.says_when_full(code);
        disk.room(Some(100));
        let freed = queue.append(&body(5, 20 * KIB), 10).unwrap();
        assert_eq!((freed.records, queue.losses()), (30, NO_LOSSES));
        assert_eq!(numbers(&mut queue), [3, 4, 5]);
    }
}

#[test]
fn a_full_disk_frees_nothing_when_the_newest_is_to_be_dropped() {
    let dir = tempfile::tempdir().unwrap();
    let (disk, _spool, mut queue) = on(dir.path(), |config| config.when_full(WhenFull::DropNewest));
    for n in 0..5 {
        queue.append(&body(n, 20 * KIB), 10).unwrap();
    }
    disk.room(Some(100));
    assert_eq!(
        io_code(queue.append(&body(5, 20 * KIB), 10).unwrap_err()),
        ENOSPC
    );
    assert_eq!(queue.pending(), 50);
    assert_eq!(
        numbers(&mut queue),
        [0, 1, 2, 3, 4],
        "delivering needs no room"
    );
}

#[test]
fn what_was_freed_for_a_batch_that_could_not_be_written_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let (disk, _spool, mut queue) = on(dir.path(), |config| config);
    for n in 0..5 {
        queue.append(&body(n, 20 * KIB), 10).unwrap();
    }
    disk.fail([Op::Append], ENOSPC);
    assert_eq!(
        io_code(queue.append(&body(5, 20 * KIB), 10).unwrap_err()),
        ENOSPC
    );
    assert_eq!(
        queue.losses(),
        Losses {
            full: 30,
            ..NO_LOSSES
        }
    );
    assert_eq!(queue.losses(), NO_LOSSES, "once");
    assert_eq!(queue.pending(), 20);
    disk.heal();
    assert_eq!(numbers(&mut queue), [3, 4]);
}

#[test]
fn every_operation_may_fail_once_or_for_a_while_and_nothing_is_lost() {
    for op in [
        CHANGES.as_slice(),
        &[Op::Open, Op::ReadAt, Op::Sync, Op::SyncDir, Op::Size],
    ]
    .concat()
    {
        for code in [ENOSPC, EROFS, EIO, EMFILE, ENFILE] {
            for sync in [SpoolSync::Never, SpoolSync::Always] {
                let dir = tempfile::tempdir().unwrap();
                let what = format!("{op:?} {code} {sync:?}");
                let (disk, spool, mut queue) = on(dir.path(), |config| {
                    config.sync(sync).when_full(WhenFull::DropNewest)
                });
                let mut kept = Vec::new();
                let mut came = Vec::new();
                for round in 0..4_u32 {
                    match round {
                        1 | 2 => disk.fail([op], code),
                        _ => disk.heal(),
                    }
                    for n in round * 10..round * 10 + 5 {
                        if queue.append(&body(n, 25 * KIB), 1).is_ok() {
                            kept.push(n);
                        }
                    }
                    for _ in 0..2 {
                        if let Some(taken) = queue.take() {
                            came.push(number(&taken));
                            queue.ack();
                        }
                    }
                    assert_eq!(queue.pending() as usize, kept.len() - came.len(), "{what}");
                }
                assert!(
                    kept.iter().filter(|n| **n >= 30).count() == 5,
                    "{what}: {kept:?}"
                );
                came.extend(numbers(&mut queue));
                assert_eq!(came, kept, "{what}");
                assert_eq!(queue.losses(), NO_LOSSES, "{what}");
                drop((spool, queue));
                assert!(
                    tree(dir.path()).is_empty(),
                    "{what}: {:?}",
                    tree(dir.path()).keys()
                );
            }
        }
    }
}

#[test]
fn a_batch_that_cannot_be_cut_off_again_closes_its_segment() {
    let dir = tempfile::tempdir().unwrap();
    let (disk, spool, mut queue) = on(dir.path(), |config| config);
    queue.append(&body(1, 50), 5).unwrap();
    disk.fail([Op::Append, Op::SetLen], EIO);
    queue.append(&body(2, 50), 5).unwrap_err();
    disk.heal();
    queue.append(&body(3, 50), 5).unwrap();
    assert_eq!(files(dir.path(), ".seg").len(), 2);
    drop((spool, queue));
    // What is behind it in the file is nothing to the next process either.
    let (_spool, mut queue) = open(&config(dir.path()));
    assert_eq!(queue.recovered(), 10);
    assert_eq!(numbers(&mut queue), [1, 3]);
    assert_eq!(queue.losses().corrupt, 0);
}

#[test]
fn a_batch_that_could_not_be_synced_is_not_there() {
    let dir = tempfile::tempdir().unwrap();
    let (disk, spool, mut queue) = on(dir.path(), |config| config.sync(SpoolSync::Always));
    queue.append(&body(1, 50), 5).unwrap();
    disk.fail([Op::Sync], EIO);
    assert_eq!(io_code(queue.append(&body(2, 50), 5).unwrap_err()), EIO);
    disk.heal();
    drop((spool, queue));
    let (_spool, mut queue) = open(&config(dir.path()));
    assert_eq!(numbers(&mut queue), [1]);
}

#[test]
fn a_segment_that_cannot_be_read_is_tried_for_a_minute_and_then_given_up_and_counted() {
    for also in [None, Some(Op::Remove)] {
        let dir = tempfile::tempdir().unwrap();
        let (disk, spool, mut queue) = on(dir.path(), |config| config);
        for n in 0..5 {
            queue.append(&body(n, 25 * KIB), 10).unwrap();
        }
        disk.fail([Op::ReadAt].into_iter().chain(also), EIO);
        for _ in 0..100 {
            assert_eq!(queue.take(), None);
        }
        disk.later(Duration::from_secs(59));
        assert_eq!(queue.take(), None);
        assert_eq!(queue.losses(), NO_LOSSES);
        disk.later(Duration::from_secs(2));
        assert_eq!(queue.take(), None, "the next one has its own minute");
        let expected = Losses {
            corrupt: 20,
            ..NO_LOSSES
        };
        assert_eq!((queue.losses(), queue.pending()), (expected, 30));
        drop((spool, queue));
        let (_spool, mut queue) = open(&config(dir.path()));
        assert_eq!(
            numbers(&mut queue),
            [2, 3, 4],
            "what was given up comes again"
        );
    }
}

#[test]
fn too_many_open_files_is_waited_for_however_long() {
    let dir = tempfile::tempdir().unwrap();
    let (disk, _spool, mut queue) = on(dir.path(), |config| config);
    for n in 0..5 {
        queue.append(&body(n, 25 * KIB), 10).unwrap();
    }
    disk.fail(HANDLES, EMFILE);
    assert_eq!(queue.take(), None);
    disk.later(Duration::from_secs(600));
    assert_eq!(queue.take(), None);
    assert_eq!((queue.pending(), queue.losses()), (50, NO_LOSSES));
    disk.heal();
    assert_eq!(numbers(&mut queue).len(), 5);
}

#[test]
fn what_cannot_be_scanned_is_left_for_the_next_process() {
    let dir = tempfile::tempdir().unwrap();
    let (spool, mut queue) = open(&config(dir.path()));
    queue.append(&body(1, 50), 5).unwrap();
    drop((spool, queue));
    for op in [Op::Open, Op::ReadAt] {
        let disk = FaultDisk::new();
        disk.fail([op], EMFILE);
        let spool = Spool::open_on(&config(dir.path()), disk.arc()).unwrap();
        let mut queue = spool.queue("traces").unwrap();
        disk.heal();
        assert_eq!((queue.recovered(), queue.take()), (0, None));
    }
    let (_spool, mut queue) = open(&config(dir.path()));
    assert_eq!(numbers(&mut queue), [1]);
}

#[test]
fn a_spool_that_cannot_be_made_says_where_and_why() {
    for (op, doing) in [(Op::CreateDir, "making the directory"), (Op::List, "")] {
        let dir = tempfile::tempdir().unwrap();
        let disk = FaultDisk::new();
        disk.fail([op], EROFS);
        match Spool::open_on(&config(dir.path()), disk.arc()) {
            Err(error) => {
                let text = error.to_string();
                assert!(text.contains(doing) && text.contains("Read-only"), "{text}");
                assert!(text.contains(&dir.path().display().to_string()), "{text}");
            }
            Ok(_) => assert!(doing.is_empty()),
        }
    }
}

#[test]
fn a_failed_sync_is_told_and_tried_again() {
    let dir = tempfile::tempdir().unwrap();
    let hour = Duration::from_secs(3600);
    let (disk, _spool, mut queue) = on(dir.path(), |config| config.sync(SpoolSync::Every(hour)));
    queue.append(&body(1, 50), 5).unwrap();
    for op in [Op::SyncDir, Op::Sync] {
        disk.fail([op], EIO);
        queue.append(&body(1, 50), 5).unwrap();
        queue.sync().unwrap_err();
        queue.sync().unwrap_err();
        disk.heal();
    }
    assert_eq!(disk.count(Op::SyncDir, "traces"), 1);
    let before = disk.count(Op::Sync, ".seg");
    queue.sync().unwrap();
    assert_eq!(disk.count(Op::Sync, ".seg"), before + 1);
    queue.sync().unwrap();
    assert_eq!(disk.count(Op::Sync, ".seg"), before + 1, "once");
}

// === real ones ===

/// A file system of 8 MiB, for as long as it lives. `None` for who may not mount one.
struct Small(tempfile::TempDir);

impl Small {
    fn new() -> Option<Small> {
        let dir = tempfile::tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=8m,mode=700", "tmpfs"])
            .arg(dir.path())
            .output();
        mount
            .is_ok_and(|mount| mount.status.success())
            .then(|| Small(dir))
    }

    fn remount(&self, how: &str) {
        let done = Command::new("mount")
            .args(["-o", how])
            .arg(self.0.path())
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).output();
    }
}

#[test]
fn a_real_disk_that_is_full_frees_the_oldest_and_recovers_by_itself() {
    let Some(small) = Small::new() else { return };
    let dir = small.0.path();
    let config = config(dir).segment_bytes(1 << 20);
    let (spool, mut queue) = open(&config);
    let (mut appended, mut freed, mut refused) = (0, 0, 0);
    for n in 0..400 {
        match queue.append(&body(n, 50 * KIB), 1) {
            Ok(dropped) => (appended, freed) = (appended + 1, freed + dropped.records),
            Err(error) => {
                assert_eq!(io_code(error), ENOSPC);
                refused += 1;
            }
        }
        assert_eq!(appended, queue.pending() + freed + queue.losses().full);
    }
    assert!(freed > 200, "{freed}");
    assert_eq!(refused, 0, "a freed segment is room enough");
    // Somebody else takes all that is left.
    let other = dir.join("other");
    let _ = std::fs::write(&other, vec![0; 8 << 20]);
    let before = queue.pending();
    let mut lost = 0;
    for n in 400..500 {
        lost += queue
            .append(&body(n, 50 * KIB), 1)
            .map_or(0, |freed| freed.records);
    }
    lost += queue.losses().full;
    std::fs::remove_file(&other).unwrap();
    assert!(lost <= before + 100);
    queue.append(&body(500, 50 * KIB), 1).unwrap();
    assert_eq!(numbers(&mut queue).last(), Some(&500));
    assert_eq!(queue.losses(), NO_LOSSES);
    drop((spool, queue));
    assert!(tree(dir).is_empty());
}

#[test]
fn a_real_disk_that_becomes_read_only_refuses_and_recovers_by_itself() {
    let Some(small) = Small::new() else { return };
    let dir = small.0.path();
    let (spool, mut queue) = open(&config(dir));
    for n in 0..3 {
        queue.append(&body(n, 50), 1).unwrap();
    }
    drop((spool, queue));
    small.remount("remount,ro");
    Spool::open(&config(dir)).unwrap_err();
    small.remount("remount,rw");
    let (_spool, mut queue) = open(&config(dir));
    assert_eq!(numbers(&mut queue), [0, 1, 2]);
}

#[test]
fn a_process_with_no_file_handles_left_loses_nothing() {
    let test = "refusals::a_process_with_no_file_handles_left_loses_nothing";
    if std::env::var_os("TRACING_GENAI_FEW_HANDLES").is_none() {
        let exe = std::env::current_exe().unwrap();
        let done = Command::new("sh")
            .args([
                "-c",
                "ulimit -n 64 && exec \"$0\" \"$1\" --exact --test-threads=1",
            ])
            .arg(exe)
            .arg(test)
            .env("TRACING_GENAI_FEW_HANDLES", "1")
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&done.stdout);
        assert!(done.status.success() && text.contains("1 passed"), "{text}");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (spool, mut queue) = open(&config(dir.path()).segment_bytes(64 * KIB as u64));
    for n in 0..5 {
        queue.append(&body(n, 25 * KIB), 1).unwrap();
    }
    let hold = || -> Vec<_> {
        std::iter::from_fn(|| std::fs::File::open("/dev/null").ok())
            .take(100)
            .collect()
    };
    let held = hold();
    assert!(held.len() < 64);
    assert_eq!(queue.take(), None);
    queue.append(&body(5, 25 * KIB), 1).unwrap();
    // A new segment takes the handle of the one before.
    queue.append(&body(6, 60 * KIB), 1).unwrap();
    assert_eq!((queue.pending(), queue.losses()), (7, NO_LOSSES));
    drop(held);
    let first = queue.take().unwrap();
    let held = hold();
    queue.ack();
    drop(held);
    assert_eq!(number(&first), 0);
    assert_eq!(numbers(&mut queue), [1, 2, 3, 4, 5, 6]);
    assert_eq!(queue.losses(), NO_LOSSES);
    drop((spool, queue));
    assert!(tree(dir.path()).is_empty());
}
