//! Disks that are full, and files that are damaged.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tracing_genai::Loss;
use tracing_genai::otlp::{SpoolConfig, WhenFull};

use crate::run::*;
use crate::support::collector::{Collector, closed_address};

/// A file system of its own, of this size; `None` where this user may not have one.
struct Disk(tempfile::TempDir);

impl Disk {
    fn of(size: &str) -> Option<Self> {
        let directory = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args([
            "-t",
            "tmpfs",
            "-o",
            &format!("size={size},mode=0700"),
            "tmpfs",
        ]);
        let mounted = mount
            .arg(directory.path())
            .output()
            .is_ok_and(|out| out.status.success());
        mounted.then(|| Self(directory))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn again(&self, options: &str) {
        let mut mount = Command::new("mount");
        mount
            .args(["-o", &format!("remount,{options}")])
            .arg(self.path());
        assert!(mount.status().unwrap().success());
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}

fn filled(telemetry: &tracing_genai::Telemetry, from: u64, n: u64) {
    record(telemetry, || {
        for number in from..from + n {
            let filling = "x".repeat(1000);
            tracing::info_span!("numbered", number, filling).in_scope(|| {});
        }
    });
    telemetry.flush(Duration::from_millis(50));
}

#[test]
fn f10_a_full_disk_costs_nothing_while_memory_has_room_and_heals_by_itself() {
    let Some(disk) = Disk::of("512k") else {
        eprintln!("not run: this user may not mount a file system");
        return;
    };
    let address = closed_address();
    let spool = SpoolConfig::new(disk.path()).when_full(WhenFull::DropNewest);
    let telemetry = builder(&format!("http://{address}"), spool)
        .build()
        .unwrap();
    for batch in 0..20 {
        filled(&telemetry, batch * 50, 50);
    }
    let report = telemetry.stats();
    balanced(&report);
    let tally = report.traces.unwrap();
    assert_eq!((tally.pending, tally.total_dropped()), (1000, 0), "{tally}");
    assert!(
        tally.stored < 1000 && tally.stored > 0,
        "the disk was full: {tally}"
    );

    disk.again("size=64m");
    filled(&telemetry, 1000, 10);
    let tally = telemetry.stats().traces.unwrap();
    assert_eq!(
        tally.stored, 1010,
        "what waited in memory is on disk: {tally}"
    );

    // Somebody else fills it, and goes away.
    let ballast = disk.path().join("ballast");
    let mut ballast_file = fs::File::create(&ballast).unwrap();
    let megabyte = vec![1; 1 << 20];
    let more = (0..64).all(|_| ballast_file.write_all(&megabyte).is_ok());
    assert!(!more, "the disk is full");
    filled(&telemetry, 1010, 10);
    let tally = telemetry.stats().traces.unwrap();
    assert_eq!((tally.pending, tally.stored), (1020, 1010), "{tally}");
    drop(ballast_file);
    fs::remove_file(&ballast).unwrap();

    let collector = Collector::start_at(address);
    complete(&telemetry.shutdown());
    all_once(&collector, 1020);
}

#[test]
fn f10_the_oldest_goes_first_on_a_full_disk_and_is_counted() {
    let Some(disk) = Disk::of("512k") else {
        eprintln!("not run: this user may not mount a file system");
        return;
    };
    let address = closed_address();
    let spool = SpoolConfig::new(disk.path()).segment_bytes(64 << 10);
    let telemetry = builder(&format!("http://{address}"), spool)
        .queue_bytes(64 << 10)
        .batch_bytes(8 << 10)
        .build()
        .unwrap();
    for batch in 0..60 {
        filled(&telemetry, batch * 20, 20);
    }
    let collector = Collector::start_at(address);
    let report = telemetry.shutdown();
    balanced(&report);
    let tally = report.traces.unwrap();
    assert_eq!((tally.accepted, tally.pending), (1200, 0));
    assert!(tally.dropped[&Loss::SpoolFull] > 0, "{tally}");
    let arrived = numbers(&collector.spans());
    assert_eq!(arrived.len() as u64, tally.delivered);
    assert!(arrived.contains_key(&1199) && !arrived.contains_key(&20));
}

#[test]
fn f11_damage_costs_what_is_damaged_and_is_counted() {
    let directory = tempfile::tempdir().unwrap();
    let address = closed_address();
    let endpoint = format!("http://{address}");
    let telemetry = builder(&endpoint, directory.path()).build().unwrap();
    for batch in 0..3 {
        filled(&telemetry, batch * 10, 10);
        std::thread::sleep(Duration::from_millis(10));
    }
    balanced(&telemetry.shutdown_within(Duration::from_millis(50)));
    drop(telemetry);
    let segment = segments(directory.path())
        .into_iter()
        .find(|file| file.parent().unwrap().ends_with("traces"))
        .unwrap();
    let mut bytes = fs::read(&segment).unwrap();
    // In the middle of the second of three bodies.
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&segment, bytes).unwrap();

    let collector = Collector::start_at(address);
    let next = builder(&endpoint, directory.path()).build().unwrap();
    let report = next.shutdown();
    balanced(&report);
    let tally = report.traces.unwrap();
    assert_eq!((tally.delivered, tally.pending), (20, 0), "{tally}");
    let arrived: Vec<_> = numbers(&collector.spans()).into_keys().collect();
    let expected: Vec<i64> = (0..10).chain(20..30).collect();
    assert_eq!(arrived, expected);
}
