//! One request in the making: the frame around the records, and when it is full.
//!
//! Promise: no request is larger than [`HARD`], none is larger than its batch's limit unless it holds one record only,
//! records stay in order, and a record is in a request whole or not at all.
//! Never: decides what becomes of a record that fits nowhere; it says so.

use bytes::Bytes;
use opentelemetry_sdk::Resource;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

use super::buffers::Buffers;
use super::wire::{self, Place};
use super::{log, span};
use crate::clock::Clock;
use crate::record::{FieldRef, Record};

/// The largest request, in bytes before compression. gRPC receivers commonly take 4 MiB, and count what is around the
/// request too; a request above that is refused with all that is in it.
pub(crate) const HARD: usize = 4 * 1024 * 1024 - 64 * 1024;

/// The key and the length of a message of at most [`HARD`] bytes.
const HEAD: usize = 1 + 4;

/// What became of a record that was to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "a record that was not added is in no request"]
pub(crate) enum Push {
    Added,
    /// The request has no room for it, the next one will.
    Full,
    /// No request has room for it: a loss of [`Loss::TooLarge`](crate::Loss::TooLarge).
    TooLarge,
}

/// Appends the inside of one record's message; the text is scratch.
type Write = fn(&mut Vec<u8>, &Record, &Clock, &mut String);

/// A request in the making, of spans or of log records.
pub(crate) struct BatchEncoder {
    /// The field `resource` of `ResourceSpans`.
    resource: Vec<u8>,
    /// The field `scope` of `ScopeSpans`.
    scope: Vec<u8>,
    /// The field `schema_url` of `ResourceSpans`, which comes last.
    schema_url: Vec<u8>,
    /// Room for what comes before the records, then the records.
    buffer: Vec<u8>,
    buffers: Buffers,
    records: u32,
    max_bytes: usize,
    clock: Clock,
    write: Write,
    scratch: String,
}

impl BatchEncoder {
    /// For spans: `ExportTraceServiceRequest`, closed before it passes `max_bytes`.
    pub(crate) fn spans(resource: &Resource, clock: Clock, max_bytes: usize) -> Self {
        Self::new(resource, clock, max_bytes, span::write)
    }

    /// For moments and exceptions: `ExportLogsServiceRequest`, closed before it passes `max_bytes`.
    pub(crate) fn logs(resource: &Resource, clock: Clock, max_bytes: usize) -> Self {
        Self::new(resource, clock, max_bytes, log::write)
    }

    fn new(resource: &Resource, clock: Clock, max_bytes: usize, write: Write) -> Self {
        let mut schema_url = Vec::new();
        wire::text(
            &mut schema_url,
            3,
            resource.schema_url().unwrap_or_default(),
        );
        Self {
            resource: self::resource(resource),
            scope: scope(),
            schema_url,
            buffer: Vec::new(),
            buffers: Buffers::new(max_bytes),
            records: 0,
            max_bytes: max_bytes.min(HARD),
            clock,
            write,
            scratch: String::new(),
        }
    }

    /// Records in the request so far.
    pub(crate) fn records(&self) -> usize {
        self.records as usize
    }

    /// The most bytes that [`finish`](Self::finish) would return now.
    pub(crate) fn len(&self) -> usize {
        self.buffer.len().max(self.front()) + self.schema_url.len()
    }

    /// Adds a record, all of it or nothing.
    pub(crate) fn push(&mut self, record: &Record) -> Push {
        let before = self.buffer.len().max(self.front());
        self.buffer.resize(before, 0);
        let (write, clock, scratch) = (self.write, &self.clock, &mut self.scratch);
        wire::delimited::<2>(&mut self.buffer, 2, |buffer| {
            write(buffer, record, clock, scratch);
        });
        let len = self.len();
        if len <= self.max_bytes || (self.records == 0 && len <= HARD) {
            self.records += 1;
            return Push::Added;
        }
        self.buffer.truncate(before);
        if self.records > 0 {
            return Push::Full;
        }
        // One giant must not stay resident.
        self.buffer = Vec::new();
        Push::TooLarge
    }

    /// The request and the number of its records; nothing if there are none. The next request is empty.
    pub(crate) fn finish(&mut self) -> (Bytes, u32) {
        if self.records == 0 {
            return (Bytes::new(), 0);
        }
        let front = self.front();
        let scoped = self.buffer.len() - front + self.scope.len();
        let whole = self.resource.len()
            + 1
            + encoded_len_varint(scoped as u64)
            + scoped
            + self.schema_url.len();
        let mut head = Vec::with_capacity(front);
        encode_key(1, WireType::LengthDelimited, &mut head);
        encode_varint(whole as u64, &mut head);
        head.extend_from_slice(&self.resource);
        encode_key(2, WireType::LengthDelimited, &mut head);
        encode_varint(scoped as u64, &mut head);
        head.extend_from_slice(&self.scope);

        // The lengths may be shorter than the room for them, so the front is written up to the records.
        let unused = front - head.len();
        if let Some(place) = self.buffer.get_mut(unused..front) {
            place.copy_from_slice(&head);
        }
        self.buffer.extend_from_slice(&self.schema_url);
        let records = std::mem::take(&mut self.records);
        (self.buffers.send(&mut self.buffer, unused), records)
    }

    /// Room for everything before the records.
    fn front(&self) -> usize {
        HEAD + self.resource.len() + HEAD + self.scope.len()
    }
}

impl std::fmt::Debug for BatchEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BatchEncoder")
            .field("records", &self.records)
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

fn resource(resource: &Resource) -> Vec<u8> {
    let mut field = Vec::new();
    wire::delimited::<2>(&mut field, 1, |buffer| {
        for (name, value) in resource {
            let value = crate::layer::face::from_otel(value.clone());
            let value = FieldRef::Value(&value);
            wire::attribute(buffer, 1, name.as_str(), value, Place::Span);
        }
    });
    field
}

fn scope() -> Vec<u8> {
    let mut field = Vec::new();
    wire::delimited::<1>(&mut field, 1, |buffer| {
        wire::text(buffer, 1, env!("CARGO_PKG_NAME"));
        wire::text(buffer, 2, env!("CARGO_PKG_VERSION"));
    });
    field
}
