//! F12: the loss of power, by a model that forgets whatever was not synced, or keeps some of it.

use std::time::Duration;

use proptest::prelude::*;
use tracing_genai::otlp::SpoolSync;
use tracing_genai::otlp::internal::Spool;

use super::faults::{FaultDisk, Op};
use super::*;

const KIB: usize = 1024;

/// What is delivered after the power came back.
fn after(disk: &FaultDisk, dir: &Path, luck: impl FnMut() -> u8) -> Vec<u32> {
    let next = tempfile::tempdir().unwrap();
    disk.lose_power(dir, next.path(), luck);
    let (spool, mut queue) = open(&config(next.path()));
    let found = numbers(&mut queue);
    let mut once = found.clone();
    once.dedup();
    assert_eq!(once, found, "twice in one process");
    assert_eq!(queue.pending(), 0);
    drop((spool, queue));
    assert!(
        tree(next.path()).is_empty(),
        "{:?}",
        tree(next.path()).keys()
    );
    found
}

#[derive(Debug, Clone)]
enum Action {
    Append(usize),
    Settle,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => (0..40 * KIB).prop_map(Action::Append),
        2 => Just(Action::Settle),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn with_always_nothing_appended_is_lost_whatever_else_the_disk_kept(
        actions in prop::collection::vec(action(), 1..40),
        luck in prop::collection::vec(any::<u8>(), 1..40),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let disk = FaultDisk::new();
        let config = config(dir.path()).segment_bytes(64 * KIB as u64).sync(SpoolSync::Always);
        let spool = Spool::open_on(&config, disk.arc()).unwrap();
        let mut queue = spool.queue("traces").unwrap();
        let (mut appended, mut settled) = (0, 0);
        for action in actions {
            match action {
                Action::Append(size) => {
                    queue.append(&body(appended, size.max(4)), 1).unwrap();
                    appended += 1;
                }
                Action::Settle => {
                    settled += u32::from(queue.take().is_some());
                    queue.ack();
                }
            }
            let mut luck = luck.iter().copied().cycle();
            for found in [after(&disk, dir.path(), || 0), after(&disk, dir.path(), || luck.next().unwrap())] {
                let wanted: Vec<u32> = found.iter().copied().filter(|n| *n >= settled).collect();
                prop_assert!(wanted.into_iter().eq(settled..appended), "{settled} {appended} {found:?}");
            }
        }
    }
}

#[test]
fn what_was_synced_is_there_and_what_comes_after_is_all_that_can_be_lost() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultDisk::new();
    let hour = SpoolSync::Every(Duration::from_secs(3600));
    let spool = Spool::open_on(&config(dir.path()).sync(hour), disk.arc()).unwrap();
    let mut queue = spool.queue("traces").unwrap();
    for n in 0..5 {
        queue.append(&body(n, 100), 1).unwrap();
    }
    assert!(after(&disk, dir.path(), || 0).is_empty());
    queue.sync().unwrap();
    for n in 5..9 {
        queue.append(&body(n, 100), 1).unwrap();
    }
    assert_eq!(after(&disk, dir.path(), || 0), [0, 1, 2, 3, 4]);
    for luck in 0..=255 {
        let found = after(&disk, dir.path(), || luck);
        assert!(found.starts_with(&[0, 1, 2, 3, 4]), "{found:?}");
    }
}

#[test]
fn a_thread_syncs_as_often_as_it_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultDisk::new();
    let often = SpoolSync::Every(Duration::from_millis(5));
    let spool = Spool::open_on(&config(dir.path()).sync(often), disk.arc()).unwrap();
    let mut queue = spool.queue("traces").unwrap();
    for n in 0..3 {
        queue.append(&body(n, 100), 1).unwrap();
        waiting::until("it is synced", || {
            after(&disk, dir.path(), || 0).len() == n as usize + 1
        });
    }
    // And not while there is nothing to do.
    let before = disk.count(Op::Sync, "");
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(disk.count(Op::Sync, ""), before);
}

#[test]
fn what_was_written_last_is_synced_when_the_spool_goes() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultDisk::new();
    let hour = SpoolSync::Every(Duration::from_secs(3600));
    let spool = Spool::open_on(&config(dir.path()).sync(hour), disk.arc()).unwrap();
    let mut queue = spool.queue("traces").unwrap();
    queue.append(&body(1, 100), 1).unwrap();
    drop((spool, queue));
    waiting::until("it is synced", || after(&disk, dir.path(), || 0) == [1]);
}

#[test]
fn with_never_nothing_is_synced() {
    let dir = tempfile::tempdir().unwrap();
    let disk = FaultDisk::new();
    let spool = Spool::open_on(&config(dir.path()).sync(SpoolSync::Never), disk.arc()).unwrap();
    let mut queue = spool.queue("traces").unwrap();
    queue.append(&body(1, 100), 1).unwrap();
    queue.sync().unwrap();
    assert_eq!(
        disk.count(Op::Sync, "") + disk.count(Op::SyncDir, "traces"),
        0
    );
}
