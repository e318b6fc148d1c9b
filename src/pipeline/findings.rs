//! What a policy finds in the texts of records, on its way to being told.
//!
//! Owns the streamed answers that are checked piece by piece, until their calls end.
//! Promise: what is split over pieces is found; memory is bounded by [`MOST`] streams of a small window each; what was checked on
//! the application's thread is not checked again. Never: keeps text beyond what the scanner needs to see over a border.

use std::collections::HashMap;

use opentelemetry::SpanId;

use crate::event::Kind;
use crate::layer::instance::Instance;
use crate::record::{FieldRef, Record};
use crate::security::found::{self, Found};
use crate::security::{Point, Policy, StreamScanner};
use crate::semconv;

/// Streams that are checked at the same time. Those that begin when there are so many are not.
const MOST: usize = 1_024;

#[derive(Default)]
pub(crate) struct Findings {
    /// Of the record at hand, and not told yet.
    new: Vec<Found>,
    streams: HashMap<SpanId, Stream>,
}

struct Stream {
    scanner: StreamScanner,
    bytes: usize,
    told: Vec<Found>,
}

impl Findings {
    pub(crate) fn is_empty(&self) -> bool {
        self.new.is_empty()
    }

    /// Checks a piece of a streamed answer, if the record is one, and takes its text out unless it is to be `kept`.
    pub(crate) fn piece(&mut self, policy: &Policy, record: &mut Record, kept: bool) {
        let Some(text) = record.fields.str(semconv::GENAI_CHUNK_TEXT) else {
            return;
        };
        let room = self.streams.len() < MOST;
        if room || self.streams.contains_key(&record.id.span) {
            let stream = self
                .streams
                .entry(record.id.span)
                .or_insert_with(|| Stream {
                    scanner: policy.scans().stream(Point::Stream),
                    bytes: 0,
                    told: Vec::new(),
                });
            stream.bytes += text.len();
            let verdict = stream.scanner.push(text);
            if let Some(found) = Found::verdict(policy, verdict, Point::Stream, stream.bytes) {
                stream.told.push(found.clone());
                self.new.push(found.told());
            }
        }
        if !kept {
            record.remove(semconv::GENAI_CHUNK_TEXT);
        }
    }

    /// Checks what was asked and answered in a call that ended, and marks its span with all that was found.
    pub(crate) fn inspect(&mut self, policy: &Policy, record: &mut Record) {
        let kind = record.subject.map(|subject| subject.kind());
        // What is a part of a call is checked with the call.
        if record.inside_inference || !matches!(kind, Some(Kind::Llm | Kind::Tool | Kind::Mcp)) {
            return;
        }
        let (told, last) = self.end(policy, record.id.span);
        let fields = &record.fields;
        let get = |name: &str| fields.get(name).map(FieldRef::to_value);
        let checked = record.checked;
        let unchecked = |point| checked & found::bit(point) == 0;
        let asked = found::Asked::read(record, record.id.trace, get);
        let mut all = asked.check(policy, unchecked);
        all.extend(found::answered(policy, get, unchecked));
        all.extend(last);
        for found in told.iter().chain(&all) {
            found.mark(&mut record.fields);
        }
        // It has been sent: there is nothing to be stopped.
        self.new = all.into_iter().map(Found::told).collect();
    }

    /// What was told of a stream whose call ended, and what is found only now.
    fn end(&mut self, policy: &Policy, span: SpanId) -> (Vec<Found>, Option<Found>) {
        let Some(stream) = self.streams.remove(&span) else {
            return (Vec::new(), None);
        };
        let last = stream.scanner.finish();
        let last = Found::verdict(policy, last, Point::Stream, stream.bytes);
        (stream.told, last)
    }

    /// The moments that tell what is new, each an event of the span as well where that is wanted.
    pub(crate) fn moments(&mut self, span: &mut Record, instance: &Instance) -> Vec<Record> {
        let limits = &instance.limits;
        let mut all = Vec::new();
        for found in std::mem::take(&mut self.new) {
            let Some(event) = found.event() else {
                continue;
            };
            let mut moment = span.moment_in(event, instance.clock.now());
            found.fill(&mut moment.fields);
            if instance.mirror_moments {
                let mut fields = moment.fields.clone();
                fields.set_str(semconv::MESSAGE, event, limits);
                span.add_event(moment.end, "moment", &fields, limits);
            }
            all.push(moment);
        }
        all
    }
}
