//! The few shapes of protobuf that OTLP is made of, appended to a buffer.
//!
//! Promise: no allocation but the buffer's own growth; what a field's default says is left out, as proto3 does.

use prost::encoding::{WireType, encode_key, encode_varint};

use crate::event::Value;
use crate::record::FieldRef;

/// A message inside a message. Its length is known only behind it, so one byte is left for it, and a longer length moves
/// what was written: attributes are shorter than 128 bytes almost always, and a span's kilobyte moves in no time.
pub(crate) fn message(buffer: &mut Vec<u8>, field: u32, write: impl FnOnce(&mut Vec<u8>)) {
    encode_key(field, WireType::LengthDelimited, buffer);
    let at = buffer.len();
    buffer.push(0);
    write(buffer);
    let length = buffer.len() - at - 1;
    let mut digits = [0_u8; 10];
    let mut rest = &mut digits[..];
    encode_varint(length as u64, &mut rest);
    let used = 10 - rest.len();
    buffer.splice(at..=at, digits.into_iter().take(used));
}

pub(crate) fn bytes(buffer: &mut Vec<u8>, field: u32, value: &[u8]) {
    encode_key(field, WireType::LengthDelimited, buffer);
    encode_varint(value.len() as u64, buffer);
    buffer.extend_from_slice(value);
}

/// A text; an empty one is left out.
pub(crate) fn text(buffer: &mut Vec<u8>, field: u32, value: &str) {
    if !value.is_empty() {
        bytes(buffer, field, value.as_bytes());
    }
}

/// A number of one of the variable-length types; zero is left out.
pub(crate) fn number(buffer: &mut Vec<u8>, field: u32, value: u64) {
    if value != 0 {
        encode_key(field, WireType::Varint, buffer);
        encode_varint(value, buffer);
    }
}

/// A `fixed64`; zero is left out.
pub(crate) fn fixed64(buffer: &mut Vec<u8>, field: u32, value: u64) {
    if value != 0 {
        encode_key(field, WireType::SixtyFourBit, buffer);
        buffer.extend_from_slice(&value.to_le_bytes());
    }
}

/// A `fixed32`; zero is left out.
pub(crate) fn fixed32(buffer: &mut Vec<u8>, field: u32, value: u32) {
    if value != 0 {
        encode_key(field, WireType::ThirtyTwoBit, buffer);
        buffer.extend_from_slice(&value.to_le_bytes());
    }
}

/// How a JSON value is written: spans have no maps that backends read, log records have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Json {
    AsText,
    AsMap,
}

/// One attribute, `KeyValue`.
pub(crate) fn attribute(
    buffer: &mut Vec<u8>,
    field: u32,
    name: &str,
    value: FieldRef<'_>,
    json: Json,
) {
    message(buffer, field, |buffer| {
        text(buffer, 1, name);
        message(buffer, 2, |buffer| any_field(buffer, value, json));
    });
}

/// The inside of an `AnyValue`. Its alternatives are written even where they are a default: that is what tells them apart.
pub(crate) fn any_field(buffer: &mut Vec<u8>, value: FieldRef<'_>, json: Json) {
    match value {
        FieldRef::Str(s) => bytes(buffer, 1, s.as_bytes()),
        FieldRef::Bool(b) => varint_any(buffer, 2, u64::from(b)),
        FieldRef::I64(n) => varint_any(buffer, 3, n as u64),
        FieldRef::F64(x) => double_any(buffer, x),
        FieldRef::Value(value) => any_value(buffer, value, json),
    }
}

fn varint_any(buffer: &mut Vec<u8>, field: u32, value: u64) {
    encode_key(field, WireType::Varint, buffer);
    encode_varint(value, buffer);
}

fn double_any(buffer: &mut Vec<u8>, value: f64) {
    encode_key(4, WireType::SixtyFourBit, buffer);
    buffer.extend_from_slice(&value.to_le_bytes());
}

/// The inside of an `AnyValue`.
pub(crate) fn any_value(buffer: &mut Vec<u8>, value: &Value, json: Json) {
    match value {
        Value::Bool(b) => varint_any(buffer, 2, u64::from(*b)),
        Value::I64(n) => varint_any(buffer, 3, *n as u64),
        Value::F64(x) => double_any(buffer, *x),
        Value::Str(s) => bytes(buffer, 1, s.as_bytes()),
        Value::Array(items) => message(buffer, 5, |buffer| {
            for item in items {
                message(buffer, 1, |buffer| any_value(buffer, item, json));
            }
        }),
        Value::Json(value) if json == Json::AsMap => any_json(buffer, value),
        other => bytes(buffer, 1, other.to_string().as_bytes()),
    }
}

/// The inside of an `AnyValue` of the JSON value's own shape; `null` is the empty one.
fn any_json(buffer: &mut Vec<u8>, value: &serde_json::Value) {
    use serde_json::Value as J;
    match value {
        J::Null => {}
        J::Bool(b) => varint_any(buffer, 2, u64::from(*b)),
        J::Number(n) => match n.as_i64() {
            Some(n) => varint_any(buffer, 3, n as u64),
            None => double_any(buffer, n.as_f64().unwrap_or_default()),
        },
        J::String(s) => bytes(buffer, 1, s.as_bytes()),
        J::Array(items) => message(buffer, 5, |buffer| {
            for item in items {
                message(buffer, 1, |buffer| any_json(buffer, item));
            }
        }),
        J::Object(map) => message(buffer, 6, |buffer| {
            for (name, value) in map {
                message(buffer, 1, |buffer| {
                    text(buffer, 1, name);
                    message(buffer, 2, |buffer| any_json(buffer, value));
                });
            }
        }),
    }
}
