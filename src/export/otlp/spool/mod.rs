//! The durable queue on disk: batches are written before they are sent, and deleted after they are settled.
//!
//! Owns the directory, its files and their format. Promise: what [`DiskQueue::append`] has taken comes out of
//! [`DiskQueue::take`] again, in this process or the next, or is counted in [`Losses`] or [`Freed`]. Never: looks inside a
//! batch, sends, retries, panics on whatever bytes are in its files, or touches what a living process holds.
//!
//! # On disk
//!
//! ```text
//! dir/                               0700; ours alone, or refused
//!   4711-9f2c66d01b7a3e58/           one per process: its id, and a random number
//!     lock                           locked while the process lives
//!     traces/                        one per queue
//!       cursor                       how far it is settled
//!       0000000000000001.seg         a segment; its name is a number no greater than its first frame's
//!       00000000000000a3.seg
//! ```
//!
//! A **segment** is a header and frames; all numbers are little endian.
//!
//! ```text
//! segment  magic 8 · version u32 · crc32 of what is before
//! frame    magic 4 · sequence u64 · Unix ms u64 · records u32 · length u32 · crc32 of the body · crc32 of what is before · body
//! cursor   two slots of: settled through u64 · crc32 of it
//! ```
//!
//! Sequence numbers grow through the life of a queue and are never used twice. Only the process that made a queue writes
//! frames into it: who takes a queue over reads it, moves its cursor and deletes. The magic of a frame has bytes that are in no
//! text, so what is inside a batch cannot pass for a frame.
//!
//! # Life of a batch
//!
//! * **append** is one write of a frame at the end of the active segment. What failed half-way is cut off again; where that
//!   fails too, the segment is closed and the next batch goes to a new one. A segment that would grow beyond its size is
//!   closed as well; a frame that is larger than a segment has one of its own.
//! * **take** reads the oldest frame from disk, checks both sums, and leaves it where it is. In memory are counts per
//!   segment, none per batch, so a long outage costs no memory.
//! * **ack** writes the sequence number into the cursor, in place and into the slot that is not the newest, so that neither a
//!   crash nor a full disk harms what was there. A segment that is settled whole is deleted; a queue that is empty truncates
//!   its active segment, so content that was delivered does not stay.
//!
//! # What is kept, and what is lost
//!
//! * `kill -9` and `abort` at any moment: nothing that was appended; the batch that was being settled may come again.
//! * Power loss: by [`SpoolSync`]. Batches that were settled may come again.
//! * Damage: a frame is delivered only if both sums are right. A frame that is not is skipped, and reading goes on at the next
//!   header with a right sum, or in the next segment. Lengths are believed only within the file and up to 64 MiB. A segment
//!   of a newer version and files that are not ours are left alone, and said once.
//! * A cursor that cannot be read means that all is sent again: a batch twice rather than never.
//! * A full queue: by [`WhenFull`], and counted exactly.
//! * A full disk: with [`WhenFull::DropOldest`] the oldest closed segment is deleted and the write tried once more.
//! * A file that cannot be opened now (too many open files) is opened later; one that cannot be read for a minute is given
//!   up, and counted.
//!
//! # Several processes
//!
//! Each has its own directory in `dir`. One whose lock can be taken belongs to nobody living: it is adopted, once, when a spool
//! is opened, and read before the own one, oldest first, in place. It is removed when it is empty; so is the own one. A child
//! that was forked and runs no other program shares the lock of its parent: what the parent leaves is adopted once the child is
//! gone too.

mod config;
mod cursor;
mod disk;
mod error;
mod frame;
mod home;
mod log;
mod queue;
mod syncer;
mod walk;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

pub use config::{Purged, SpoolConfig, SpoolSync, WhenFull};
pub use disk::{Disk, DiskFile, Entry, Kind, RealDisk};
pub use error::{AppendError, SpoolError};
pub use queue::{DiskQueue, Freed, Losses, Taken};
pub use walk::{Scan, scan};

use home::Home;
use log::Log;
use syncer::Syncer;

/// The spool of one installation: the directory of this process, locked, and those it adopted.
#[derive(Debug)]
pub struct Spool {
    config: SpoolConfig,
    disk: Arc<dyn Disk>,
    syncer: Arc<Syncer>,
    home: Arc<Home>,
    adopted: Vec<Arc<Home>>,
    paths: Vec<PathBuf>,
    queues: Mutex<Vec<&'static str>>,
}

impl Spool {
    /// Opens the directory, makes the own one in it, and adopts what dead processes left.
    ///
    /// # Errors
    /// [`SpoolError`] where a setting is out of range, or the directory cannot be trusted or written.
    pub fn open(config: &SpoolConfig) -> Result<Spool, SpoolError> {
        Spool::open_on(config, Arc::new(RealDisk))
    }

    /// The same on another file layer.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_on(config: &SpoolConfig, disk: Arc<dyn Disk>) -> Result<Spool, SpoolError> {
        config.check()?;
        let root = home::root(config.dir(), &*disk)?;
        let syncer =
            Syncer::start(config.how_to_sync(), disk.clone()).map_err(|source| SpoolError::Io {
                path: root.clone(),
                doing: "starting the thread that syncs",
                source,
            })?;
        let home = Arc::new(Home::create(&root, disk.clone())?);
        syncer.dirty_dir(&root);
        let adopted: Vec<_> = home::adopt(&root, home.path(), &disk)
            .into_iter()
            .map(Arc::new)
            .collect();
        Ok(Spool {
            config: config.clone(),
            disk,
            syncer,
            paths: adopted.iter().map(|home| home.path().into()).collect(),
            home,
            adopted,
            queues: Mutex::default(),
        })
    }

    /// The queue of a name: what dead processes left under that name, and this process's own. Once a name.
    ///
    /// # Errors
    /// [`SpoolError::Io`] for a name that was asked for before.
    pub fn queue(&self, name: &'static str) -> Result<DiskQueue, SpoolError> {
        let mut queues = self.queues.lock().unwrap_or_else(PoisonError::into_inner);
        if queues.contains(&name) {
            return Err(SpoolError::Io {
                path: self.home.path().join(name),
                doing: "opening a queue a second time",
                source: std::io::ErrorKind::AlreadyExists.into(),
            });
        }
        queues.push(name);
        let mut losses = Losses::default();
        let mut logs = Vec::new();
        for home in &self.adopted {
            match Log::recover(name, home, &self.disk, &self.syncer, &mut losses) {
                Ok(log) => logs.extend(log),
                // Nothing of it is counted, so nothing of it is lost: it is still there for the next process.
                Err(error) => home::left_alone(&home.path().join(name), &error),
            }
        }
        let own = Log::new(name, &self.home, &self.disk, &self.syncer);
        Ok(DiskQueue::new(
            &self.config,
            self.syncer.clone(),
            logs,
            own,
            losses,
        ))
    }

    /// The directory of this process. It is removed with the spool if nothing is left in it.
    pub fn directory(&self) -> &Path {
        self.home.path()
    }

    /// The directories of dead processes that were adopted, oldest first. Each is locked while this spool or one of its queues
    /// lives, and removed as soon as nothing but the lock is in it.
    pub fn adopted(&self) -> &[PathBuf] {
        &self.paths
    }
}
