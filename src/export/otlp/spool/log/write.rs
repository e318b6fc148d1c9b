//! Appending to the active segment.
//!
//! Promise: after an error nothing of the batch counts, and the next one is tried.

use std::io;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use super::{Log, Segment, segment_path};
use crate::export::otlp::spool::disk::DiskFile;
use crate::export::otlp::spool::frame::{
    FRAME_HEADER, FrameHeader, SEGMENT_HEADER, segment_header,
};

impl Log {
    /// What the file grows by, or a new one begins with, when a frame of `frame` bytes is appended.
    pub(in crate::export::otlp::spool) fn grows_by(&self, frame: u64, segment_bytes: u64) -> u64 {
        match self.active_len() {
            Some(len) if len > 0 && len + frame <= segment_bytes => frame,
            _ => SEGMENT_HEADER as u64 + frame,
        }
    }

    fn active_len(&self) -> Option<u64> {
        self.active.as_ref()?;
        self.segments.back().map(|segment| segment.len)
    }

    /// Closes the active segment if a frame of `frame` bytes does not fit in any more.
    pub(in crate::export::otlp::spool) fn roll(&mut self, frame: u64, segment_bytes: u64) {
        if self
            .active_len()
            .is_some_and(|len| len > 0 && len + frame > segment_bytes)
        {
            self.active = None;
        }
    }

    /// Writes a frame. After an error it is not there.
    pub(in crate::export::otlp::spool) fn append(
        &mut self,
        body: &[u8],
        records: u32,
    ) -> io::Result<()> {
        let file = match &self.active {
            Some(file) => file.clone(),
            None => self.begin()?,
        };
        let Some(segment) = self.segments.back_mut() else {
            return Err(io::ErrorKind::NotFound.into());
        };
        let header = FrameHeader::new(self.next, unix_ms(self.disk.now()), records, body).bytes();
        let mut head = Vec::with_capacity(SEGMENT_HEADER + FRAME_HEADER);
        if segment.len == 0 {
            head.extend(segment_header());
        }
        head.extend(header);
        // Used, whatever comes of it: a frame that could not be cut off has it.
        self.next += 1;
        let path = segment_path(&self.dir, segment.first);
        let written = file
            .append(&head, body)
            .and_then(|()| self.syncer.written(&path, &file));
        match written {
            Ok(()) => {
                segment.len += (head.len() + body.len()) as u64;
                segment.records += u64::from(records);
                Ok(())
            }
            Err(error) => {
                if file.set_len(segment.len).is_err() {
                    self.active = None;
                }
                Err(error)
            }
        }
    }

    /// Makes a new segment, and before the first one what is around it.
    fn begin(&mut self) -> io::Result<Arc<dyn DiskFile>> {
        if !self.made {
            match self.disk.create_dir(&self.dir) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => self.syncer.dirty_dir(self.home.path()),
            }
            let cursor = self.cursor.create(&*self.disk)?;
            self.made = true;
            self.syncer.written(self.cursor.path(), &cursor)?;
        }
        let first = self.next;
        let file = self.disk.create(&self.path(first)).inspect_err(|error| {
            // Somebody removed the directory: it is made again the next time.
            self.made &= error.kind() != io::ErrorKind::NotFound;
        })?;
        self.syncer.dirty_dir(&self.dir);
        self.segments.push_back(Segment {
            first,
            len: 0,
            records: 0,
        });
        self.active = Some(file.clone());
        Ok(file)
    }
}

fn unix_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
