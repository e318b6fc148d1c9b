//! From records straight into the bytes of an OTLP request.
//!
//! Resource and scope are encoded once; each record is appended once, by the primitives of `prost`; a finished request is
//! those bytes with their lengths in front.
//! Promise: what leaves is what `opentelemetry-proto` would make of the same span, field by field; a request stays within
//! the batch's bytes unless one record alone is larger, and within [`HARD`] always.
//! Never: allocates for a record in a steady state.

mod log;
pub(crate) mod span;
#[cfg(test)]
mod tests;
mod wire;

use bytes::Bytes;
use opentelemetry_sdk::Resource;
use prost::encoding::{WireType, encode_key, encode_varint};

use crate::clock::Clock;
use crate::record::{FieldRef, Record};
use wire::Json;

/// The largest request, in bytes before compression: what gRPC receivers commonly take is 4 MiB, with room for the frame
/// around it.
pub(crate) const HARD: usize = 4 * 1024 * 1024 - 64 * 1024;

/// What became of a record that was to be added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Push {
    /// It is in the batch.
    Added,
    /// It does not fit any more; it will into the next batch.
    Full,
    /// It fits no batch.
    TooLarge,
}

/// Appends the inside of one record's message.
type Write = fn(&mut Vec<u8>, &Record, &Clock, &mut String);

/// A request in the making.
pub(crate) struct BatchEncoder {
    /// The `resource` field of `ResourceSpans`, and the `scope` field of `ScopeSpans`.
    resource: Vec<u8>,
    scope: Vec<u8>,
    schema_url: Vec<u8>,
    /// The `spans` fields of `ScopeSpans`.
    records: Vec<u8>,
    count: u32,
    max: usize,
    clock: Clock,
    write: Write,
    name: String,
}

impl BatchEncoder {
    /// For requests of spans that are closed at `max` bytes.
    pub(crate) fn spans(resource: &Resource, clock: Clock, max: usize) -> Self {
        Self::new(resource, clock, max, span::write)
    }

    /// For requests of log records.
    pub(crate) fn logs(resource: &Resource, clock: Clock, max: usize) -> Self {
        Self::new(resource, clock, max, |buffer, record, clock, _| {
            log::write(buffer, record, clock)
        })
    }

    fn new(resource: &Resource, clock: Clock, max: usize, write: Write) -> Self {
        let (mut encoded, mut scope, mut schema_url) = (Vec::new(), Vec::new(), Vec::new());
        wire::message(&mut encoded, 1, |buffer| {
            for (name, value) in resource.iter() {
                let value = crate::layer::face::from_otel(value.clone());
                wire::attribute(
                    buffer,
                    1,
                    name.as_str(),
                    FieldRef::Value(&value),
                    Json::AsText,
                );
            }
        });
        wire::message(&mut scope, 1, |buffer| {
            wire::text(buffer, 1, env!("CARGO_PKG_NAME"));
            wire::text(buffer, 2, env!("CARGO_PKG_VERSION"));
        });
        wire::text(
            &mut schema_url,
            3,
            resource.schema_url().unwrap_or_default(),
        );
        Self {
            resource: encoded,
            scope,
            schema_url,
            records: Vec::new(),
            count: 0,
            max: max.min(HARD),
            clock,
            write,
            name: String::new(),
        }
    }

    /// Records in the open batch.
    pub(crate) fn records(&self) -> usize {
        self.count as usize
    }

    /// Adds a record, all of it or nothing.
    pub(crate) fn push(&mut self, record: &Record) -> Push {
        let before = self.records.len();
        let (write, clock, name) = (self.write, &self.clock, &mut self.name);
        wire::message(&mut self.records, 2, |buffer| {
            write(buffer, record, clock, name)
        });
        // What lies around the records is some hundred bytes of resource and three lengths.
        let around = self.resource.len() + self.scope.len() + self.schema_url.len() + 32;
        let size = self.records.len() + around;
        if size <= self.max || (self.count == 0 && size <= HARD) {
            self.count += 1;
            return Push::Added;
        }
        self.records.truncate(before);
        if self.count == 0 {
            Push::TooLarge
        } else {
            Push::Full
        }
    }

    /// The request and the number of its records; the next batch is empty.
    pub(crate) fn finish(&mut self) -> (Bytes, u32) {
        let count = std::mem::take(&mut self.count);
        if count == 0 {
            return (Bytes::new(), 0);
        }
        let scoped = self.scope.len() + self.records.len();
        let inner = 1 + prost::length_delimiter_len(scoped) + scoped;
        let whole = self.resource.len() + inner + self.schema_url.len();
        let mut body = Vec::with_capacity(whole + 16);
        encode_key(1, WireType::LengthDelimited, &mut body);
        encode_varint(whole as u64, &mut body);
        body.extend_from_slice(&self.resource);
        encode_key(2, WireType::LengthDelimited, &mut body);
        encode_varint(scoped as u64, &mut body);
        body.extend_from_slice(&self.scope);
        body.extend_from_slice(&self.records);
        body.extend_from_slice(&self.schema_url);
        self.records.clear();
        (Bytes::from(body), count)
    }
}
