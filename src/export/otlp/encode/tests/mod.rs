//! The encoder against the field's own: what we write is decoded and compared with what `opentelemetry-proto` makes.

mod logs;
mod random;
mod requests;
mod spans;

use opentelemetry::{SpanId, TraceId};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value as Any};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_sdk::Resource;
use prost::Message as _;

use super::{BatchEncoder, Push};
use crate::clock::Clock;
use crate::event::Value;
use crate::record::{Fields, Limits, Record};

fn clock() -> Clock {
    Clock::system()
}

fn resource() -> Resource {
    Resource::builder_empty()
        .with_service_name("encode-test")
        .build()
}

/// A record of a sampled root span with these attributes.
fn record(attributes: &[(&'static str, Value)]) -> Record {
    let mut record = Record::default();
    record.id.trace = TraceId::from(1);
    record.id.span = SpanId::from(2);
    record.id.sampled = true;
    (record.start, record.end) = (10, 20);
    record.fields = fields(attributes);
    record
}

fn fields(attributes: &[(&'static str, Value)]) -> Fields {
    let mut fields = Fields::default();
    for (name, value) in attributes {
        fields.set_value(*name, value.clone(), &Limits::DEFAULT);
    }
    fields
}

/// The span the receiver sees, and its bytes.
fn sent_span(record: &Record, clock: &Clock) -> (Span, Vec<u8>) {
    let mut bytes = Vec::new();
    super::span::write(&mut bytes, record, clock, &mut String::new());
    (Span::decode(bytes.as_slice()).unwrap(), bytes)
}

fn sent_log(record: &Record, clock: &Clock) -> (LogRecord, Vec<u8>) {
    let mut bytes = Vec::new();
    super::log::write(&mut bytes, record, clock, &mut String::new());
    (LogRecord::decode(bytes.as_slice()).unwrap(), bytes)
}

fn get(attributes: &[KeyValue], name: &str) -> Option<Any> {
    let found = attributes.iter().find(|a| a.key == name)?;
    found.value.clone()?.value
}

fn names(attributes: &[KeyValue]) -> Vec<&str> {
    attributes.iter().map(|a| a.key.as_str()).collect()
}

fn text(text: &str) -> Option<Any> {
    Some(Any::StringValue(text.to_owned()))
}
