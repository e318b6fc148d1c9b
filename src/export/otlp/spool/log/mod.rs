//! One queue of one process: its segments, where they are read, and how far they are settled.
//!
//! Promise: counts are exact for what this process wrote, and what a segment is short of when it was read is told. Never:
//! deletes a segment that has something unsettled, unless it is told to.

mod read;
mod recover;
mod write;

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use super::cursor::Cursor;
use super::disk::{Disk, DiskFile};
use super::home::Home;
use super::syncer::Syncer;
use super::walk::Walk;
use crate::diagnostics::say_once;

#[derive(Debug, Clone, Copy)]
struct Segment {
    /// Its name.
    first: u64,
    /// Bytes that count: what was written after them could not be cut off.
    len: u64,
    /// Records not settled.
    records: u64,
}

#[derive(Debug)]
struct Head {
    file: Arc<dyn DiskFile>,
    walk: Walk,
    /// Where it was before the last step.
    last: Walk,
}

#[derive(Debug)]
pub(super) struct Log {
    dir: PathBuf,
    home: Arc<Home>,
    disk: Arc<dyn Disk>,
    syncer: Arc<Syncer>,
    /// Oldest first.
    segments: VecDeque<Segment>,
    /// The last of them, while it is written.
    active: Option<Arc<dyn DiskFile>>,
    /// The first of them, while it is read.
    head: Option<Head>,
    /// Settled whole, but not deleted: that failed.
    undeleted: Vec<Segment>,
    cursor: Cursor,
    /// The directory and the cursor are there.
    made: bool,
    /// There are segments of a newer version, which has use for the cursor.
    left: bool,
    /// Everything up to this was settled, whatever is in the files.
    settled: u64,
    /// What the cursor says.
    noted: u64,
    next: u64,
    /// Since when the first segment cannot be read.
    failing: Option<SystemTime>,
}

impl Log {
    /// The queue of this process. Nothing is on disk before the first batch.
    pub(super) fn new(
        name: &str,
        home: &Arc<Home>,
        disk: &Arc<dyn Disk>,
        syncer: &Arc<Syncer>,
    ) -> Log {
        let dir = home.path().join(name);
        Log {
            cursor: Cursor::new(&dir),
            dir,
            home: home.clone(),
            disk: disk.clone(),
            syncer: syncer.clone(),
            segments: VecDeque::new(),
            active: None,
            head: None,
            undeleted: Vec::new(),
            made: false,
            left: false,
            settled: 0,
            noted: 0,
            next: 1,
            failing: None,
        }
    }

    fn path(&self, first: u64) -> PathBuf {
        segment_path(&self.dir, first)
    }

    /// Records not settled.
    pub(super) fn records(&self) -> u64 {
        self.segments.iter().map(|segment| segment.records).sum()
    }

    pub(super) fn bytes(&self) -> u64 {
        let segments = self.segments.iter().chain(&self.undeleted);
        segments.map(|segment| segment.len).sum()
    }

    pub(super) fn now(&self) -> SystemTime {
        self.disk.now()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    fn front_is_active(&self) -> bool {
        self.active.is_some() && self.segments.len() == 1
    }

    // === settling and deleting ===

    /// Writes the cursor, if it is behind.
    pub(super) fn note(&mut self) {
        if self.noted == self.settled || !self.made {
            return;
        }
        match self.cursor.write(self.settled, &*self.disk) {
            Ok(()) => self.noted = self.settled,
            Err(error) => {
                say_once(
                    "spool.cursor",
                    format_args!(
                        "spool: what is settled cannot be noted, and would be sent again after a restart: {error}"
                    ),
                );
            }
        }
    }

    /// Removes what is in the first segment, all of which is settled. Says whether there may be another.
    fn clear_head(&mut self) -> bool {
        self.head = None;
        self.failing = None;
        if self.front_is_active()
            && let (Some(file), Some(segment)) = (&self.active, self.segments.front_mut())
            && file.set_len(0).is_ok()
        {
            segment.len = 0;
            return false;
        }
        if self.front_is_active() {
            self.active = None;
        }
        if let Some(segment) = self.segments.pop_front() {
            self.delete(segment);
        }
        true
    }

    fn delete(&mut self, segment: Segment) {
        let path = self.path(segment.first);
        self.syncer.forget(&path);
        match self.disk.remove(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => self.undeleted.push(segment),
            _ => {}
        }
    }

    /// Tries again to delete what could not be.
    pub(super) fn delete_rest(&mut self) {
        for segment in std::mem::take(&mut self.undeleted) {
            self.delete(segment);
        }
    }

    /// Deletes the oldest segment that is closed, settled or not, and returns the records in it that were not. `None` if there
    /// is none.
    pub(super) fn drop_oldest(&mut self) -> io::Result<Option<u64>> {
        if self.front_is_active() {
            return Ok(None);
        }
        let Some(segment) = self.segments.front().copied() else {
            return Ok(None);
        };
        let path = self.path(segment.first);
        match self.disk.remove(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => self.syncer.forget(&path),
        }
        self.segments.pop_front();
        self.head = None;
        self.failing = None;
        Ok(Some(segment.records))
    }

    /// Deletes everything, and returns the records that were not settled. What cannot be deleted is settled all the same.
    pub(super) fn purge(&mut self) -> u64 {
        let records = self.records();
        self.settled = self.next.saturating_sub(1);
        self.note();
        for segment in &mut self.segments {
            segment.records = 0;
        }
        while !self.segments.is_empty() && self.clear_head() {}
        records
    }

    /// Removes what an empty queue has on disk. What is unsettled stays.
    pub(super) fn finish(&mut self) {
        self.head = None;
        self.active = None;
        if self.records() > 0 || !self.home.is_ours() {
            return;
        }
        while let Some(segment) = self.segments.pop_front() {
            self.delete(segment);
        }
        self.delete_rest();
        // While there are segments, the cursor tells that they are settled.
        if !self.undeleted.is_empty() {
            self.note();
        } else if !self.left {
            self.syncer.forget(self.cursor.path());
            self.cursor.remove(&*self.disk);
        }
        let _ = self.disk.remove_dir(&self.dir);
        self.home.tidy();
    }
}

fn segment_path(dir: &Path, first: u64) -> PathBuf {
    dir.join(format!("{first:016x}.seg"))
}
