//! Finding what a dead process left in a queue.
//!
//! Promise: what is counted here is what reading finds, or is told to be lost. Never: reads a body, or deletes what is not ours.

use std::io;
use std::path::Path;
use std::sync::Arc;

use super::{Log, Segment};
use crate::export::otlp::spool::cursor;
use crate::export::otlp::spool::disk::{Disk, Kind};
use crate::export::otlp::spool::frame::{SEGMENT_HEADER, SegmentKind, segment_kind};
use crate::export::otlp::spool::home::{Home, left_alone};
use crate::export::otlp::spool::queue::Losses;
use crate::export::otlp::spool::syncer::Syncer;
use crate::export::otlp::spool::walk::{Step, Walk};

enum Found {
    Ours { records: u64, bytes: u64 },
    Newer(u32),
    Foreign,
}

impl Log {
    /// The queue of a dead process, if it had one of that name and something is left in it.
    pub(in crate::export::otlp::spool) fn recover(
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
        let kind = segment_kind(start);
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
