//! Reading the oldest frame, over whatever is broken before it.
//!
//! Promise: a frame comes out whole or is counted, and what cannot be read now is tried again. Never: moves over a frame because
//! there are no file handles.

use std::io;
use std::time::{Duration, UNIX_EPOCH};

use super::{Head, Log, segment_path};
use crate::diagnostics::say_once;
use crate::export::otlp::spool::disk::passes_by_itself;
use crate::export::otlp::spool::frame::FrameHeader;
use crate::export::otlp::spool::queue::{Losses, Taken};
use crate::export::otlp::spool::walk::{Step, Walk};

/// How long a segment is tried that cannot be read. A network disk may come back; a broken one must not stop the queue.
const PATIENCE: Duration = Duration::from_secs(60);

enum Read {
    Frame(Taken),
    /// Nothing to deliver, but something was done.
    Next,
    Nothing,
}

impl Log {
    /// The oldest frame that is right and young enough. `Ok(None)` if there is none; an error if there may be one.
    pub(in crate::export::otlp::spool) fn read(
        &mut self,
        max_age: Duration,
        losses: &mut Losses,
    ) -> io::Result<Option<Taken>> {
        loop {
            match self.read_step(max_age, losses) {
                Ok(Read::Next) => {}
                Ok(Read::Frame(taken)) => {
                    self.failing = None;
                    return Ok(Some(taken));
                }
                Ok(Read::Nothing) => {
                    self.failing = None;
                    self.note();
                    return Ok(None);
                }
                Err(error) => self.failed(error, losses)?,
            }
        }
    }

    fn read_step(&mut self, max_age: Duration, losses: &mut Losses) -> io::Result<Read> {
        let Some(segment) = self.segments.front().copied() else {
            return Ok(Read::Nothing);
        };
        if segment.len == 0 && self.front_is_active() {
            return Ok(Read::Nothing);
        }
        let head = match &mut self.head {
            Some(head) => head,
            None => {
                let path = segment_path(&self.dir, segment.first);
                self.head.insert(Head {
                    file: self.disk.open(&path, false)?,
                    walk: Walk::default(),
                    last: Walk::default(),
                })
            }
        };
        let file = head.file.clone();
        head.last = head.walk;
        match head
            .walk
            .step(&|buf, at| file.read_at(buf, at), segment.len)?
        {
            Step::End => return Ok(self.end_of_head(losses)),
            Step::Unreadable(bytes) => losses.unreadable_bytes += bytes,
            Step::Frame { header, .. } | Step::Cut(header) if header.sequence <= self.settled => {}
            Step::Cut(header) => losses.corrupt += self.skip(header),
            Step::Frame { header, body: at } => {
                let mut body = vec![0; header.length as usize];
                if let Err(error) = file.read_at(&mut body, at) {
                    head.walk = head.last;
                    return Err(error);
                }
                let since = Duration::from_millis(header.written);
                let written = UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH);
                // A clock that was set back makes nothing old.
                let age = self.disk.now().duration_since(written).unwrap_or_default();
                if !header.is_right(&body) {
                    losses.corrupt += self.skip(header);
                } else if age > max_age {
                    losses.expired += self.skip(header);
                } else {
                    return Ok(Read::Frame(Taken {
                        body: body.into(),
                        records: header.records,
                        written,
                        sequence: header.sequence,
                    }));
                }
            }
        }
        Ok(Read::Next)
    }

    /// Everything of the first segment was read and settled.
    fn end_of_head(&mut self, losses: &mut Losses) -> Read {
        if let Some(segment) = self.segments.front_mut() {
            losses.corrupt += std::mem::take(&mut segment.records);
        }
        self.note();
        if self.clear_head() {
            Read::Next
        } else {
            Read::Nothing
        }
    }

    /// Settles a frame that is not delivered, and returns what it was counted with.
    fn skip(&mut self, header: FrameHeader) -> u64 {
        self.settled = header.sequence;
        self.count_off(u64::from(header.records))
    }

    fn count_off(&mut self, records: u64) -> u64 {
        let Some(segment) = self.segments.front_mut() else {
            return 0;
        };
        let counted = records.min(segment.records);
        segment.records -= counted;
        counted
    }

    /// The frame that was read last is read again.
    pub(in crate::export::otlp::spool) fn unread(&mut self) {
        if let Some(head) = &mut self.head {
            head.walk = head.last;
        }
    }

    /// Settles the frame that was read last.
    pub(in crate::export::otlp::spool) fn settle(&mut self, sequence: u64, records: u64) {
        self.settled = sequence;
        self.count_off(records);
        self.note();
        let read_whole = match (&self.head, self.segments.front()) {
            (Some(head), Some(segment)) => head.walk.at() >= segment.len,
            _ => false,
        };
        if read_whole && self.segments.front().is_some_and(|s| s.records == 0) {
            self.clear_head();
        }
    }

    /// What to do about a segment that cannot be read: an error to wait for, or nothing to go on behind it.
    fn failed(&mut self, error: io::Error, losses: &mut Losses) -> io::Result<()> {
        if passes_by_itself(&error) {
            return Err(error);
        }
        let active = self.front_is_active();
        let size = match &self.head {
            Some(head) => head.file.size().ok(),
            None => None,
        };
        let Some(segment) = self.segments.front_mut() else {
            return Err(error);
        };
        match error.kind() {
            // Somebody cut it: what is gone is told at its end.
            io::ErrorKind::UnexpectedEof if size.is_some_and(|size| size < segment.len) => {
                segment.len = size.unwrap_or_default();
                if active {
                    self.active = None;
                }
                return Ok(());
            }
            // Somebody removed it.
            io::ErrorKind::NotFound => {}
            _ => {
                let now = self.disk.now();
                let since = *self.failing.get_or_insert(now);
                if now.duration_since(since).unwrap_or_default() < PATIENCE {
                    return Err(error);
                }
                say_once(
                    "spool.unreadable",
                    format_args!("spool: a segment cannot be read and is given up: {error}"),
                );
            }
        }
        losses.corrupt += std::mem::take(&mut segment.records);
        // If it cannot be deleted either, it must not come again.
        let next = self.segments.get(1).map_or(self.next, |next| next.first);
        self.settled = self.settled.max(next.saturating_sub(1));
        self.note();
        self.active = self.active.take().filter(|_| !active);
        self.clear_head();
        Ok(())
    }
}
