//! How the bytes of an answer are cut into frames.
//!
//! Promise: frames come out the same however the bytes are cut; what is kept of an unfinished frame is bounded by
//! [`Reader::LIMIT`](super::Reader::LIMIT); a frame larger than that is dropped and counted.
//! Never: reads what a frame says.

mod array;
mod aws;
mod lines;
mod sse;

pub(super) use array::Array;
pub(super) use aws::Aws;
pub(super) use lines::Lines;
pub(super) use sse::Sse;

/// Something a framing found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Found<'a> {
    /// A frame, and the name it came under; empty if it has none.
    Frame(&'a str, &'a [u8]),
    /// An error that the framing itself tells (AWS), and its message.
    Error(&'a str, &'a [u8]),
    /// A frame that is broken or too large.
    Broken,
}

/// Adds to a buffer that may not grow above the limit; false if it would.
fn keep(buffer: &mut Vec<u8>, bytes: &[u8]) -> bool {
    if buffer.len() + bytes.len() > super::Reader::LIMIT {
        return false;
    }
    buffer.extend_from_slice(bytes);
    true
}
