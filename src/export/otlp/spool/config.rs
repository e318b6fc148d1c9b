//! How large, how old and how safe a spool is, and the removal of what dead processes left in one.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::disk::RealDisk;
use super::error::SpoolError;
use super::home;

/// Where batches wait on disk until a collector has taken them, and within which limits.
///
/// A batch is written before it is sent and deleted after the collector answered for it, so an outage, a crash and a restart
/// lose nothing within the limits. The next process that opens the directory sends what the last one left.
///
/// What is written is what would be sent: redacted, but not encrypted. The directory and all in it is for the user of the
/// process alone; a directory that is a symbolic link, belongs to another user, or that others may write, is refused when the
/// telemetry is built.
///
/// ```
/// use std::time::Duration;
/// use tracing_genai::otlp::{SpoolConfig, SpoolSync, WhenFull};
///
/// let spool = SpoolConfig::new("/var/lib/planner/spool")
///     .max_bytes(64 * 1024 * 1024)
///     .max_age(Duration::from_secs(6 * 60 * 60))
///     .sync(SpoolSync::Always)
///     .when_full(WhenFull::DropNewest);
/// # drop(spool);
/// ```
#[derive(Debug, Clone)]
pub struct SpoolConfig {
    dir: PathBuf,
    pub(super) max_bytes: u64,
    pub(super) segment_bytes: u64,
    pub(super) max_age: Duration,
    sync: SpoolSync,
    pub(super) when_full: WhenFull,
}

/// When what was written is forced to the disk, so that it survives the loss of power.
///
/// The end of the process alone, however it ends, loses nothing with any of these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpoolSync {
    /// The operating system decides, usually within 30 seconds.
    Never,
    /// A thread does it this often while there is something to do. From 1 ms to an hour.
    Every(Duration),
    /// Before a batch counts as written. Slow: hundreds to some thousands of batches a second.
    Always,
}

/// What happens to a batch that does not fit any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenFull {
    /// The oldest segments are deleted to make room, and their records counted as dropped.
    DropOldest,
    /// The new batch is not taken, and its records are counted as dropped once memory has no room for it either.
    DropNewest,
}

/// What [`SpoolConfig::purge`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Purged {
    /// Directories of dead processes that were deleted.
    pub removed: u64,
    /// Directories that a living process holds, and what is none of ours: left alone.
    pub left_alone: u64,
}

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

impl SpoolConfig {
    /// 256 MiB hold 11 minutes of 100 spans a second of 4 KiB, and hours of usual ones. Half of it halves that; double is the
    /// user's disk to give.
    const MAX_BYTES: u64 = 256 * MIB;
    /// What is deleted at once when the queue is full, and what stays of settled batches until it is. Half costs more files,
    /// double drops more at once.
    const SEGMENT_BYTES: u64 = 8 * MIB;
    /// Older telemetry is hardly looked at, and many backends refuse it.
    const MAX_AGE: Duration = Duration::from_secs(24 * 60 * 60);
    /// What the loss of power may cost, against one sync of the disk every time.
    const SYNC: Duration = Duration::from_millis(500);

    /// A spool in this directory, which is created, for this user alone, if it is not there. Several processes may share it.
    pub fn new(dir: impl Into<PathBuf>) -> SpoolConfig {
        SpoolConfig {
            dir: dir.into(),
            max_bytes: SpoolConfig::MAX_BYTES,
            segment_bytes: SpoolConfig::SEGMENT_BYTES,
            max_age: SpoolConfig::MAX_AGE,
            sync: SpoolSync::Every(SpoolConfig::SYNC),
            when_full: WhenFull::DropOldest,
        }
    }

    /// How many bytes the batches of one signal may have on disk: those of this process, and those it adopted from dead ones.
    /// Traces and logs have a queue each, so two may have twice as much. Default 256 MiB; at least two segments. Beyond it,
    /// [`when_full`](Self::when_full) decides.
    #[must_use]
    pub fn max_bytes(mut self, bytes: u64) -> SpoolConfig {
        self.max_bytes = bytes;
        self
    }

    /// How large one file grows, which is what is dropped at once when the queue is full. Default 8 MiB; from 64 KiB to 1 GiB.
    /// A batch that is larger has a file of its own.
    #[must_use]
    pub fn segment_bytes(mut self, bytes: u64) -> SpoolConfig {
        self.segment_bytes = bytes;
        self
    }

    /// How old a batch may become. An older one is dropped when its turn comes, and counted as expired. Default 24 hours; at
    /// least a second.
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> SpoolConfig {
        self.max_age = age;
        self
    }

    /// When written batches are forced to the disk. Default every 500 ms.
    #[must_use]
    pub fn sync(mut self, sync: SpoolSync) -> SpoolConfig {
        self.sync = sync;
        self
    }

    /// What is dropped when the queue is full. Default [`WhenFull::DropOldest`].
    #[must_use]
    pub fn when_full(mut self, when_full: WhenFull) -> SpoolConfig {
        self.when_full = when_full;
        self
    }

    /// Deletes what dead processes left in the directory, unsent. Directories that a living process has locked are left alone,
    /// this process's own included, and so is whatever a spool did not put there.
    ///
    /// # Errors
    /// The directory cannot be trusted (the error holds a [`SpoolError`]), or something in it cannot be deleted. A directory
    /// that is not there is empty.
    pub fn purge(&self) -> io::Result<Purged> {
        home::purge(&self.dir, &RealDisk)
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn how_to_sync(&self) -> SpoolSync {
        self.sync
    }

    pub(super) fn check(&self) -> Result<(), SpoolError> {
        let every = match self.sync {
            SpoolSync::Every(every) => every,
            SpoolSync::Never | SpoolSync::Always => SpoolConfig::SYNC,
        };
        let rows = [
            (
                "segment_bytes",
                (64 * KIB..=1024 * MIB).contains(&self.segment_bytes),
                self.segment_bytes.to_string(),
                "from 65536 (64 KiB) to 1073741824 (1 GiB)".to_owned(),
            ),
            (
                "max_bytes",
                self.max_bytes / 2 >= self.segment_bytes,
                self.max_bytes.to_string(),
                format!("at least two segments of {} bytes", self.segment_bytes),
            ),
            (
                "max_age",
                self.max_age >= Duration::from_secs(1),
                format!("{:?}", self.max_age),
                "at least a second".to_owned(),
            ),
            (
                "sync",
                (Duration::from_millis(1)..=Duration::from_secs(3600)).contains(&every),
                format!("{every:?}"),
                "from 1 ms to an hour; SpoolSync::Always syncs every batch, SpoolSync::Never none"
                    .to_owned(),
            ),
        ];
        match rows.into_iter().find(|(_, right, ..)| !right) {
            None => Ok(()),
            Some((what, _, value, allowed)) => Err(SpoolError::Bounds {
                what,
                value,
                allowed,
            }),
        }
    }
}

impl From<&str> for SpoolConfig {
    fn from(dir: &str) -> SpoolConfig {
        SpoolConfig::new(dir)
    }
}

impl From<String> for SpoolConfig {
    fn from(dir: String) -> SpoolConfig {
        SpoolConfig::new(dir)
    }
}

impl From<PathBuf> for SpoolConfig {
    fn from(dir: PathBuf) -> SpoolConfig {
        SpoolConfig::new(dir)
    }
}

impl From<&Path> for SpoolConfig {
    fn from(dir: &Path) -> SpoolConfig {
        SpoolConfig::new(dir)
    }
}
