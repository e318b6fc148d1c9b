//! One queue of one process: its segments, where they are read, and how far they are settled.
//!
//! Promise: counts are exact for what this process wrote, and what a segment is short of when it was read is told. Never:
//! deletes a segment that has something unsettled, unless it is told to.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::cursor::{self, Cursor};
use super::disk::{Disk, DiskFile, Kind, passes_by_itself};
use super::frame::{FRAME_HEADER, FrameHeader, SEGMENT_HEADER, SegmentKind, segment_header};
use super::home::{Home, left_alone};
use super::queue::{Losses, Taken};
use super::syncer::Syncer;
use super::walk::{Step, Walk};
use crate::diagnostics::say_once;

/// How long a segment is tried that cannot be read. A network disk may come back; a broken one must not stop the queue.
const PATIENCE: Duration = Duration::from_secs(60);

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

    /// The queue of a dead process, if it had one of that name and something is left in it.
    pub(super) fn recover(
        name: &str,
        home: &Arc<Home>,
        disk: &Arc<dyn Disk>,
        syncer: &Arc<Syncer>,
        losses: &mut Losses,
    ) -> io::Result<Option<Log>> {
        let mut log = Log::new(name, home, disk, syncer);
        let entries = match disk.list(&log.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            entries => entries?,
        };
        log.made = true;
        // Nothing is appended here, so what is told to be settled may be everything.
        log.next = u64::MAX;
        log.settled = log.cursor.load(&**disk)?;
        log.noted = log.settled;
        let mut found = Vec::new();
        for entry in &entries {
            match segment_number(&entry.name) {
                Some(first) if entry.kind == Kind::File => found.push((first, entry.len)),
                _ if entry.name == cursor::NAME => {}
                _ => left_alone(&log.dir.join(&entry.name), &"it is none of the spool's"),
            }
        }
        found.sort_unstable();
        let mut unreadable = 0;
        for (first, len) in found {
            let path = log.path(first);
            match log.examine(&path, len)? {
                Found::Ours { records: 0, bytes } => {
                    unreadable += bytes;
                    log.delete(Segment {
                        first,
                        len,
                        records: 0,
                    });
                }
                Found::Ours { records, .. } => log.segments.push_back(Segment {
                    first,
                    len,
                    records,
                }),
                Found::Newer(version) => {
                    log.left = true;
                    left_alone(
                        &path,
                        &format_args!(
                            "it is of version {version}, which this program does not read"
                        ),
                    );
                }
                Found::Foreign => left_alone(&path, &"it is not a segment"),
            }
        }
        losses.unreadable_bytes += unreadable;
        if log.segments.is_empty() {
            log.finish();
            return Ok(None);
        }
        Ok(Some(log))
    }

    /// What is in the file of a segment, without reading bodies.
    fn examine(&self, path: &Path, len: u64) -> io::Result<Found> {
        let file = self.disk.open(path, false)?;
        let mut start = [0; SEGMENT_HEADER];
        let start = &mut start[..len.min(SEGMENT_HEADER as u64) as usize];
        file.read_at(start, 0)?;
        let kind = super::frame::segment_kind(start);
        if let SegmentKind::Newer(version) = kind {
            return Ok(Found::Newer(version));
        }
        let (mut walk, mut frames, mut records, mut bytes) = (Walk::default(), 0_u64, 0, 0);
        loop {
            match walk.step(&|buf, at| file.read_at(buf, at), len)? {
                Step::Frame { header, .. } | Step::Cut(header) => {
                    frames += 1;
                    if header.sequence > self.settled {
                        records += u64::from(header.records);
                    }
                }
                Step::Unreadable(found) => bytes += found,
                Step::End => break,
            }
        }
        Ok(match kind {
            SegmentKind::Unknown if frames == 0 => Found::Foreign,
            _ => Found::Ours { records, bytes },
        })
    }

    fn path(&self, first: u64) -> PathBuf {
        self.dir.join(format!("{first:016x}.seg"))
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

    // === writing ===

    /// What the file grows by, or a new one begins with, when a frame of `frame` bytes is appended.
    pub(super) fn grows_by(&self, frame: u64, segment_bytes: u64) -> u64 {
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
    pub(super) fn roll(&mut self, frame: u64, segment_bytes: u64) {
        if self
            .active_len()
            .is_some_and(|len| len > 0 && len + frame > segment_bytes)
        {
            self.active = None;
        }
    }

    /// Writes a frame. After an error it is not there.
    pub(super) fn append(&mut self, body: &[u8], records: u32) -> io::Result<()> {
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
        let path = self.dir.join(format!("{:016x}.seg", segment.first));
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

    // === reading ===

    fn front_is_active(&self) -> bool {
        self.active.is_some() && self.segments.len() == 1
    }

    /// The oldest frame that is right and young enough. `Ok(None)` if there is none; an error if there may be one.
    pub(super) fn read(
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
                let path = self.dir.join(format!("{:016x}.seg", segment.first));
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
                let written = UNIX_EPOCH + Duration::from_millis(header.written);
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
    pub(super) fn unread(&mut self) {
        if let Some(head) = &mut self.head {
            head.walk = head.last;
        }
    }

    /// Settles the frame that was read last.
    pub(super) fn settle(&mut self, sequence: u64, records: u64) {
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

    // === deleting ===

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
        if self.records() > 0 {
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

enum Read {
    Frame(Taken),
    /// Nothing to deliver, but something was done.
    Next,
    Nothing,
}

enum Found {
    Ours { records: u64, bytes: u64 },
    Newer(u32),
    Foreign,
}

/// The number in `<16 hex digits>.seg`.
fn segment_number(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(".seg")?;
    let plain = digits.len() == 16
        && digits
            .bytes()
            .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    plain.then(|| u64::from_str_radix(digits, 16).ok())?
}

fn unix_ms(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
