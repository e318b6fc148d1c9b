//! From frame to frame through a segment, over whatever is broken in it.
//!
//! Promise: ends on any bytes, in time that grows with their number, and says the same however often it is asked. Never:
//! believes a length beyond the end, or reads a body.

use std::io;

use bytes::Bytes;
use memchr::memmem;

use super::frame::{FRAME_HEADER, FRAME_MAGIC, FrameHeader, SEGMENT_HEADER, SegmentKind};

/// Read at once when looking for the next frame after damage.
const WINDOW: u64 = 64 * 1024;

/// Fills a buffer from a place on.
pub(super) type Read<'a> = &'a dyn Fn(&mut [u8], u64) -> io::Result<()>;

/// What is next in a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// A frame whose header is right, and whose body is there.
    Frame { header: FrameHeader, body: u64 },
    /// A header that is right, and a body that ends after the file.
    Cut(FrameHeader),
    /// So many bytes that are nothing.
    Unreadable(u64),
    /// Nothing.
    End,
}

/// A place in a segment.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Walk {
    at: u64,
}

impl Walk {
    pub(super) fn at(self) -> u64 {
        self.at
    }

    /// Goes on over one step of a segment that has `len` bytes. After an error it is where it was.
    pub(super) fn step(&mut self, read: Read<'_>, len: u64) -> io::Result<Step> {
        let from = if self.at == 0 && len >= SEGMENT_HEADER as u64 {
            let mut bytes = [0; SEGMENT_HEADER];
            read(&mut bytes, 0)?;
            match super::frame::segment_kind(&bytes) {
                SegmentKind::Known => SEGMENT_HEADER as u64,
                _ => 0,
            }
        } else {
            self.at
        };
        if from >= len {
            self.at = from;
            return Ok(Step::End);
        }
        if len - from >= FRAME_HEADER as u64 {
            let mut bytes = [0; FRAME_HEADER];
            read(&mut bytes, from)?;
            if let Some(header) = FrameHeader::parse(&bytes) {
                let body = from + FRAME_HEADER as u64;
                let end = body + u64::from(header.length);
                if end <= len {
                    self.at = end;
                    return Ok(Step::Frame { header, body });
                }
                self.at = next_header(read, body, len)?;
                return Ok(Step::Cut(header));
            }
        }
        let next = next_header(read, from + 1, len)?;
        self.at = next;
        Ok(Step::Unreadable(next - from))
    }
}

/// Where the next right header is, or the end.
fn next_header(read: Read<'_>, from: u64, len: u64) -> io::Result<u64> {
    let mut start = from;
    let mut window = Vec::new();
    while len.saturating_sub(start) >= FRAME_HEADER as u64 {
        let size = (len - start).min(WINDOW);
        window.resize(size as usize, 0);
        read(&mut window, start)?;
        let found = memmem::find_iter(&window, &FRAME_MAGIC)
            .find(|at| FrameHeader::parse(&window[*at..]).is_some());
        if let Some(at) = found {
            return Ok(start + at as u64);
        }
        if start + size == len {
            break;
        }
        // A header may lie across the end of the window.
        start += size - (FRAME_HEADER as u64 - 1);
    }
    Ok(len)
}

/// All that is in the bytes of a segment, for whoever has no directory around it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scan {
    /// Sequence, records and body of every frame that is right.
    pub frames: Vec<(u64, u32, Bytes)>,
    /// Records of frames whose header is right, and whose body is not.
    pub corrupt: u64,
    /// Bytes that are nothing.
    pub unreadable_bytes: u64,
}

/// Reads a segment that is in memory.
pub fn scan(bytes: &[u8]) -> Scan {
    let read = |buf: &mut [u8], at: u64| {
        let at = at as usize;
        let from = bytes.get(at..at + buf.len());
        buf.copy_from_slice(from.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    };
    let mut found = Scan::default();
    let mut walk = Walk::default();
    loop {
        match walk.step(&read, bytes.len() as u64) {
            Ok(Step::Frame { header, body }) => {
                let body = body as usize;
                let body = &bytes[body..body + header.length as usize];
                if header.is_right(body) {
                    let body = Bytes::copy_from_slice(body);
                    found.frames.push((header.sequence, header.records, body));
                } else {
                    found.corrupt += u64::from(header.records);
                }
            }
            Ok(Step::Cut(header)) => found.corrupt += u64::from(header.records),
            Ok(Step::Unreadable(bytes)) => found.unreadable_bytes += bytes,
            Ok(Step::End) | Err(_) => return found,
        }
    }
}
