//! The binary event stream of AWS (`application/vnd.amazon.eventstream`): a prelude of two lengths and their checksum, headers,
//! payload, and a checksum of it all. Source: the "Amazon event stream" encoding in the Smithy specification.

use super::{Found, keep};

/// Prelude (lengths and their checksum), and the checksum at the end.
const PRELUDE: usize = 12;
const SMALLEST: usize = PRELUDE + 4;

/// The state between two pieces of bytes.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Aws {
    buffer: Vec<u8>,
    /// A length could not be believed: where the next frame begins is unknown.
    lost: bool,
}

impl Aws {
    /// The next bytes.
    pub(in super::super) fn push(&mut self, bytes: &[u8], found: &mut impl FnMut(Found<'_>)) {
        if self.lost {
            return;
        }
        if self.buffer.is_empty() {
            let used = self.take(bytes, found);
            self.lost |= !keep(&mut self.buffer, bytes.get(used..).unwrap_or_default());
        } else {
            self.lost |= !keep(&mut self.buffer, bytes);
            let buffer = std::mem::take(&mut self.buffer);
            let used = self.take(&buffer, found);
            self.buffer = buffer;
            self.buffer.drain(..used);
        }
        if self.lost {
            found(Found::Broken);
            self.buffer = Vec::new();
        }
    }

    /// Tells the whole frames at the beginning of `bytes`, and says how many bytes they have.
    fn take(&mut self, bytes: &[u8], found: &mut impl FnMut(Found<'_>)) -> usize {
        let mut used = 0;
        while let Some(rest) = bytes.get(used..).filter(|rest| rest.len() >= PRELUDE) {
            let Some((total, headers)) = lengths(rest) else {
                self.lost = true;
                return used;
            };
            let Some(frame) = rest.get(..total) else {
                break;
            };
            tell(frame, headers, found);
            used += total;
        }
        used
    }

    /// A frame that has not ended says nothing.
    pub(in super::super) fn rest(self, _: &mut impl FnMut(Found<'_>)) {}
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    let four = bytes.get(at..at + 4)?.try_into().ok()?;
    Some(u32::from_be_bytes(four))
}

/// The length of the frame and of its headers, if their checksum is right and they can be.
fn lengths(prelude: &[u8]) -> Option<(usize, usize)> {
    let [total, headers, sum] = [0, 4, 8].map(|at| number(prelude, at));
    let (total, headers) = (total? as usize, headers? as usize);
    let right = crc32fast::hash(prelude.get(..8)?) == sum?;
    let fits = total >= SMALLEST && headers <= total - SMALLEST;
    (right && fits && total <= super::super::Reader::LIMIT).then_some((total, headers))
}

fn tell(frame: &[u8], headers: usize, found: &mut impl FnMut(Found<'_>)) {
    let body = frame.len() - 4;
    let right = number(frame, body) == frame.get(..body).map(crc32fast::hash);
    let named = frame.get(PRELUDE..PRELUDE + headers).and_then(names);
    match (named, frame.get(PRELUDE + headers..body)) {
        (
            Some(Names {
                error: Some(kind), ..
            }),
            Some(payload),
        ) if right => {
            found(Found::Error(kind, payload));
        }
        (Some(Names { event, .. }), Some(payload)) if right => {
            found(Found::Frame(event.unwrap_or_default(), payload));
        }
        _ => found(Found::Broken),
    }
}

/// What the headers tell.
#[derive(Default)]
struct Names<'a> {
    event: Option<&'a str>,
    error: Option<&'a str>,
}

fn names(mut headers: &[u8]) -> Option<Names<'_>> {
    let mut names = Names::default();
    while let [length, rest @ ..] = headers {
        let (name, rest) = rest.split_at_checked(usize::from(*length))?;
        let [kind, rest @ ..] = rest else {
            return None;
        };
        // Booleans, integers of 1 to 8 bytes, bytes and text with a length in front, a time, a UUID.
        let (skip, length) = match kind {
            0 | 1 => (0, 0),
            2 => (0, 1),
            3 => (0, 2),
            4 => (0, 4),
            5 | 8 => (0, 8),
            6 | 7 => {
                let (length, _) = rest.split_at_checked(2)?;
                (2, usize::from(u16::from_be_bytes(length.try_into().ok()?)))
            }
            9 => (0, 16),
            _ => return None,
        };
        let (value, rest) = rest.get(skip..)?.split_at_checked(length)?;
        if *kind == 7 {
            let value = std::str::from_utf8(value).ok();
            match name {
                b":event-type" => names.event = value,
                b":exception-type" | b":error-code" => names.error = value,
                _ => {}
            }
        }
        headers = rest;
    }
    Some(names)
}
