//! The queue the sender works on: what dead processes left, then what this one appended, and the one batch that is out.
//!
//! Promise: appended + recovered = settled + dropped + lost + pending, after every call. Never: hands out two batches at once.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::config::{SpoolConfig, WhenFull};
use super::disk::is_full;
use super::error::AppendError;
use super::frame::{FRAME_HEADER, MAX_BODY, SEGMENT_HEADER};
use super::log::Log;
use super::syncer::Syncer;

/// The durable queue of one signal.
#[derive(Debug)]
pub struct DiskQueue {
    max_bytes: u64,
    segment_bytes: u64,
    max_age: Duration,
    when_full: WhenFull,
    syncer: Arc<Syncer>,
    /// Those of dead processes, oldest first, while something is in them; the own one is the last.
    adopted: VecDeque<Log>,
    own: Log,
    /// Those of dead processes of which nothing is left but what could not be deleted.
    leaving: Vec<Log>,
    out: Option<Out>,
    losses: Losses,
    recovered: u64,
}

/// The batch that was taken.
#[derive(Debug, Clone, Copy)]
struct Out {
    sequence: u64,
    records: u64,
    /// It is the last that was read of the first log; otherwise what it was in is deleted.
    on_disk: bool,
}

/// What appending a batch cost others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Freed {
    /// Records of the oldest segments, deleted to make room.
    pub records: u64,
}

/// A batch that was read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// What was appended.
    pub body: Bytes,
    /// Records in it, as it was appended with.
    pub records: u32,
    /// When it was appended, to the millisecond.
    pub written: SystemTime,
    /// Its number in its queue.
    pub sequence: u64,
}

/// Records that were on disk and will not come out any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Losses {
    /// Damaged.
    pub corrupt: u64,
    /// Older than the limit when their turn came.
    pub expired: u64,
    /// Dropped to make room for a batch that could not be written all the same.
    pub full: u64,
    /// Bytes of which nothing can be told.
    pub unreadable_bytes: u64,
}

impl DiskQueue {
    pub(super) fn new(
        config: &SpoolConfig,
        syncer: Arc<Syncer>,
        adopted: Vec<Log>,
        own: Log,
        losses: Losses,
    ) -> DiskQueue {
        DiskQueue {
            max_bytes: config.max_bytes,
            segment_bytes: config.segment_bytes,
            max_age: config.max_age,
            when_full: config.when_full,
            syncer,
            recovered: adopted.iter().map(Log::records).sum(),
            adopted: adopted.into(),
            own,
            leaving: Vec::new(),
            out: None,
            losses,
        }
    }

    /// Writes a batch, and says how many records were dropped to make room.
    ///
    /// # Errors
    /// The batch is not on disk. [`AppendError::Io`] may be over at the next call.
    pub fn append(&mut self, body: &[u8], records: u32) -> Result<Freed, AppendError> {
        let frame = (FRAME_HEADER + body.len()) as u64;
        if body.len() > MAX_BODY || SEGMENT_HEADER as u64 + frame > self.max_bytes {
            return Err(AppendError::TooLarge);
        }
        self.delete_rest();
        let mut freed = 0;
        while self.bytes() + self.own.grows_by(frame, self.segment_bytes) > self.max_bytes {
            if self.when_full == WhenFull::DropNewest {
                return Err(AppendError::Full);
            }
            self.own.roll(frame, self.segment_bytes);
            match self.drop_oldest() {
                Ok(Some(records)) => freed += records,
                Ok(None) => {
                    self.losses.full += freed;
                    return Err(AppendError::Full);
                }
                Err(error) => {
                    self.losses.full += freed;
                    return Err(AppendError::Io(error));
                }
            }
        }
        self.own.roll(frame, self.segment_bytes);
        let mut written = self.own.append(body, records);
        if self.when_full == WhenFull::DropOldest
            && let Err(error) = &written
            && is_full(error)
            && let Ok(Some(dropped)) = self.drop_oldest()
        {
            freed += dropped;
            written = self.own.append(body, records);
        }
        match written {
            Ok(()) => Ok(Freed { records: freed }),
            Err(error) => {
                self.losses.full += freed;
                Err(AppendError::Io(error))
            }
        }
    }

    /// Deletes the oldest segment that is not written to. The batch that is out is not among the records this returns.
    fn drop_oldest(&mut self) -> io::Result<Option<u64>> {
        let Some(mut records) = self.first().drop_oldest()? else {
            return Ok(None);
        };
        if let Some(out) = self.out.as_mut().filter(|out| out.on_disk) {
            out.on_disk = false;
            records = records.saturating_sub(out.records);
        }
        self.leave_empty();
        Ok(Some(records))
    }

    /// The oldest batch that was not settled. It stays on disk, and pending, until [`ack`](Self::ack). `None` if there is
    /// none, if one is out, and if the oldest cannot be read now.
    pub fn take(&mut self) -> Option<Taken> {
        if self.out.is_some() {
            return None;
        }
        loop {
            let log = self.adopted.front_mut().unwrap_or(&mut self.own);
            let read = log.read(self.max_age, &mut self.losses).ok()?;
            if let Some(taken) = read {
                self.out = Some(Out {
                    sequence: taken.sequence,
                    records: u64::from(taken.records),
                    on_disk: true,
                });
                return Some(taken);
            }
            if self.adopted.is_empty() {
                return None;
            }
            self.leave_empty();
        }
    }

    /// Whether a batch written then has been kept for as long as batches are.
    pub fn is_expired(&self, written: SystemTime) -> bool {
        let age = self.own.now().duration_since(written);
        age.is_ok_and(|age| age > self.max_age)
    }

    /// The batch that is out is not settled, and comes again. Returns its records if it was dropped from the disk meanwhile: then
    /// it cannot.
    pub fn put_back(&mut self) -> u64 {
        match self.out.take() {
            Some(out) if !out.on_disk => out.records,
            Some(_) => {
                self.first().unread();
                0
            }
            None => 0,
        }
    }

    /// The batch that is out is settled, in whatever way. Nothing happens if none is.
    pub fn ack(&mut self) {
        let Some(out) = self.out.take() else { return };
        if out.on_disk {
            self.first().settle(out.sequence, out.records);
            self.leave_empty();
        }
    }

    fn first(&mut self) -> &mut Log {
        self.adopted.front_mut().unwrap_or(&mut self.own)
    }

    /// Parts from queues of dead processes that are empty.
    fn leave_empty(&mut self) {
        while self.adopted.front().is_some_and(Log::is_empty) {
            self.leaving.extend(self.adopted.pop_front());
            self.delete_rest();
        }
    }

    /// Deletes what is settled and could not be deleted before.
    fn delete_rest(&mut self) {
        self.own.delete_rest();
        self.leaving.retain_mut(|log| {
            log.finish();
            log.bytes() > 0
        });
    }

    /// What was lost since the last call.
    pub fn losses(&mut self) -> Losses {
        std::mem::take(&mut self.losses)
    }

    /// Records that dead processes left, found when the queue was opened.
    pub fn recovered(&self) -> u64 {
        self.recovered
    }

    /// Records on disk that are not settled, the batch that is out included.
    pub fn pending(&self) -> u64 {
        let out = self.out.filter(|out| !out.on_disk);
        let logs = self.adopted.iter().chain([&self.own]);
        logs.map(Log::records).sum::<u64>() + out.map_or(0, |out| out.records)
    }

    /// Bytes of segments on disk.
    pub fn bytes(&self) -> u64 {
        let logs = self.adopted.iter().chain([&self.own]).chain(&self.leaving);
        logs.map(Log::bytes).sum()
    }

    /// Deletes everything but the batch that is out, and returns the records that were pending. That batch is in memory alone
    /// from then on.
    pub fn purge(&mut self) -> u64 {
        let logs = self.adopted.iter_mut().chain([&mut self.own]);
        let mut records = logs.map(Log::purge).sum::<u64>();
        if let Some(out) = self.out.as_mut().filter(|out| out.on_disk) {
            out.on_disk = false;
            records = records.saturating_sub(out.records);
        }
        self.leave_empty();
        records
    }

    /// Notes what is settled, where that failed before, and brings to the disk what is not on it yet. The latter not with [`SpoolSync::Never`](super::SpoolSync::Never).
    ///
    /// # Errors
    /// What the disk says; it is tried again with the next sync.
    pub fn sync(&mut self) -> io::Result<()> {
        self.delete_rest();
        for log in self.adopted.iter_mut().chain([&mut self.own]) {
            log.note();
        }
        self.syncer.sync()
    }
}

impl Drop for DiskQueue {
    fn drop(&mut self) {
        self.delete_rest();
        for log in self.adopted.iter_mut().chain([&mut self.own]) {
            log.finish();
        }
    }
}
