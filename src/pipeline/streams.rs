//! Streamed answers that are checked piece by piece, until their calls end.
//!
//! Promise: what is split over pieces is found; memory is bounded by [`MOST`] streams of a small window each. Never: keeps text beyond
//! what the scanner needs to see over a border.

use std::collections::HashMap;

use opentelemetry::SpanId;

use crate::record::Record;
use crate::security::found::Found;
use crate::security::{Point, Policy, StreamScanner};
use crate::semconv;

/// Streams that are checked at the same time. Those that begin when there are so many are not.
const MOST: usize = 1_024;

#[derive(Default)]
pub(crate) struct Streams(HashMap<SpanId, Stream>);

struct Stream {
    scanner: StreamScanner,
    bytes: usize,
    found: Vec<Found>,
}

impl Streams {
    /// Checks a piece, if the record is one, and takes its text out unless it is to be `kept`; answers what is new.
    pub(crate) fn piece(
        &mut self,
        policy: &Policy,
        record: &mut Record,
        kept: bool,
    ) -> Option<Found> {
        let text = record.fields.str(semconv::GENAI_CHUNK_TEXT)?;
        let room = self.0.len() < MOST;
        let stream = match self.0.get_mut(&record.id.span) {
            Some(stream) => Some(stream),
            None if room => Some(self.0.entry(record.id.span).or_insert_with(|| Stream {
                scanner: policy.scans().stream(Point::Stream),
                bytes: 0,
                found: Vec::new(),
            })),
            None => None,
        };
        let found = stream.and_then(|stream| {
            stream.bytes += text.len();
            let verdict = stream.scanner.push(text);
            let found = Found::verdict(policy, verdict, Point::Stream, stream.bytes)?;
            stream.found.push(found.clone());
            Some(found)
        });
        if !kept {
            record.remove(semconv::GENAI_CHUNK_TEXT);
        }
        found
    }

    /// The call of a stream ended: what was told of it, and what is found only now.
    pub(crate) fn end(&mut self, policy: &Policy, span: SpanId) -> (Vec<Found>, Option<Found>) {
        let Some(stream) = self.0.remove(&span) else {
            return (Vec::new(), None);
        };
        let last = stream.scanner.finish();
        let last = Found::verdict(policy, last, Point::Stream, stream.bytes);
        (stream.found, last)
    }
}
