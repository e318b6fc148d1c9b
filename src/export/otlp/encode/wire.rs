//! The few shapes of protobuf that OTLP is made of, appended to a buffer.
//!
//! Promise: no allocation but the buffer's own growth; what a field's default says is left out, as proto3 does; nothing
//! nests deeper than decoders follow.
//! Never: fails.

use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};
use serde::Serialize;

use crate::event::Value;
use crate::export::shape;
use crate::record::FieldRef;

/// Levels of lists and maps inside one attribute of a log record; what lies deeper is written as JSON text. A level is
/// three messages, and around them are six: decoders give up at a hundred, and with one record the whole request.
const DEEPEST: u32 = 24;

/// Where a value is written to, which decides what its lists and objects become.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Lists of one scalar type stay lists; all other structure becomes JSON text, which is what backends read from spans.
    Span,
    /// Structure stays structure.
    Log,
}

// === fields ===

/// The key of a field. It takes one byte below field 16.
const fn key(field: u32, wire: WireType) -> u8 {
    debug_assert!(field < 16);
    ((field << 3) | wire as u32) as u8
}

fn varint(buffer: &mut Vec<u8>, value: u64) {
    match u8::try_from(value) {
        Ok(small @ 0..0x80) => buffer.push(small),
        _ => encode_varint(value, buffer),
    }
}

/// A message inside a message, or a text written piece by piece. Its length is known only behind it: `ROOM` bytes are
/// left for it, and a length that takes more or fewer of them moves what was written. So `ROOM` is the usual case.
pub(crate) fn delimited<const ROOM: usize>(
    buffer: &mut Vec<u8>,
    field: u32,
    write: impl FnOnce(&mut Vec<u8>),
) {
    buffer.push(key(field, WireType::LengthDelimited));
    let at = buffer.len();
    buffer.extend_from_slice(&[0; ROOM]);
    let start = buffer.len();
    write(buffer);
    let end = buffer.len();
    let length = (end - start) as u64;
    let digits = encoded_len_varint(length);
    if digits > ROOM {
        buffer.resize(end + digits - ROOM, 0);
    }
    if digits != ROOM {
        buffer.copy_within(start..end, at + digits);
        buffer.truncate(end + digits - ROOM);
    }
    let mut place = buffer.get_mut(at..at + digits).unwrap_or_default();
    encode_varint(length, &mut place);
}

pub(crate) fn bytes(buffer: &mut Vec<u8>, field: u32, value: &[u8]) {
    buffer.push(key(field, WireType::LengthDelimited));
    varint(buffer, value.len() as u64);
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
        buffer.push(key(field, WireType::Varint));
        varint(buffer, value);
    }
}

/// A `fixed64`; zero is left out.
pub(crate) fn fixed64(buffer: &mut Vec<u8>, field: u32, value: u64) {
    if value != 0 {
        buffer.push(key(field, WireType::SixtyFourBit));
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

// === attributes ===

/// One attribute, `KeyValue`.
pub(crate) fn attribute(
    buffer: &mut Vec<u8>,
    field: u32,
    name: &str,
    value: FieldRef<'_>,
    place: Place,
) {
    const NAME: u8 = key(1, WireType::LengthDelimited);
    const VALUE: u8 = key(2, WireType::LengthDelimited);
    let whole = key(field, WireType::LengthDelimited);
    let inside = scalar_len(value).unwrap_or(usize::MAX);
    // Nearly all attributes are scalars of less than 128 bytes: every length is known beforehand and takes one byte.
    let length = name.len().saturating_add(inside).saturating_add(4);
    match (name.len(), u8::try_from(length)) {
        (1.., Ok(length @ 0..0x80)) => {
            buffer.extend_from_slice(&[whole, length, NAME, name.len() as u8]);
            buffer.extend_from_slice(name.as_bytes());
            buffer.extend_from_slice(&[VALUE, inside as u8]);
            inside_any(buffer, value, place);
        }
        _ => delimited::<1>(buffer, field, |buffer| {
            text(buffer, 1, name);
            any(buffer, 2, value, place);
        }),
    }
}

/// `AnyValue` as a field.
pub(crate) fn any(buffer: &mut Vec<u8>, field: u32, value: FieldRef<'_>, place: Place) {
    delimited::<1>(buffer, field, |buffer| inside_any(buffer, value, place));
}

/// The length of an `AnyValue`; `None` for what has to be written to know it.
fn scalar_len(value: FieldRef<'_>) -> Option<usize> {
    Some(match value {
        FieldRef::Str(s) => 1 + encoded_len_varint(s.len() as u64) + s.len(),
        FieldRef::Bool(_) => 2,
        FieldRef::I64(n) => 1 + encoded_len_varint(n as u64),
        FieldRef::F64(_) => 9,
        FieldRef::Value(_) => return None,
    })
}

// The alternatives of an `AnyValue` are written even where they are a default: that is what tells them apart.

fn inside_any(buffer: &mut Vec<u8>, value: FieldRef<'_>, place: Place) {
    match value {
        FieldRef::Str(s) => bytes(buffer, 1, s.as_bytes()),
        FieldRef::Bool(b) => flag(buffer, b),
        FieldRef::I64(n) => integer(buffer, n),
        FieldRef::F64(x) => double(buffer, x),
        FieldRef::Value(value) => inside_value(buffer, value, place, 0),
    }
}

fn inside_value(buffer: &mut Vec<u8>, value: &Value, place: Place, depth: u32) {
    match value {
        Value::Str(s) => bytes(buffer, 1, s.as_bytes()),
        Value::Bool(b) => flag(buffer, *b),
        Value::I64(n) => integer(buffer, *n),
        Value::F64(x) => double(buffer, *x),
        _ if depth >= DEEPEST => json_text(buffer, value),
        Value::Array(items) if place == Place::Log || shape::is_plain(items) => {
            list(buffer, items, |buffer, item| {
                inside_value(buffer, item, place, depth + 1);
            });
        }
        Value::Json(json) if place == Place::Log => inside_json(buffer, json, depth),
        Value::Array(_) | Value::Json(_) => json_text(buffer, value),
    }
}

/// The JSON value's own shape; `null` is the empty `AnyValue`.
fn inside_json(buffer: &mut Vec<u8>, value: &serde_json::Value, depth: u32) {
    use serde_json::Value as J;
    match value {
        J::Null => {}
        J::String(s) => bytes(buffer, 1, s.as_bytes()),
        J::Bool(b) => flag(buffer, *b),
        J::Number(n) => match (n.as_i64(), n.as_f64()) {
            (Some(n), _) => integer(buffer, n),
            // As everywhere, a count beyond i64 is told in decimals rather than rounded.
            (None, Some(x)) if !n.is_u64() => double(buffer, x),
            _ => json_text(buffer, value),
        },
        _ if depth >= DEEPEST => json_text(buffer, value),
        J::Array(items) => list(buffer, items, |buffer, item| {
            inside_json(buffer, item, depth + 1);
        }),
        J::Object(map) => delimited::<1>(buffer, 6, |buffer| {
            for (name, value) in map {
                delimited::<1>(buffer, 1, |buffer| {
                    text(buffer, 1, name);
                    delimited::<1>(buffer, 2, |buffer| inside_json(buffer, value, depth + 1));
                });
            }
        }),
    }
}

fn list<T>(buffer: &mut Vec<u8>, items: &[T], write: impl Fn(&mut Vec<u8>, &T)) {
    delimited::<1>(buffer, 5, |buffer| {
        for item in items {
            delimited::<1>(buffer, 1, |buffer| write(buffer, item));
        }
    });
}

/// The value as JSON in a text.
fn json_text(buffer: &mut Vec<u8>, value: &impl Serialize) {
    delimited::<1>(buffer, 1, |buffer| {
        let start = buffer.len();
        // A buffer takes everything, and these values serialise; half a text would be worse than none.
        if serde_json::to_writer(&mut *buffer, value).is_err() {
            buffer.truncate(start);
        }
    });
}

fn flag(buffer: &mut Vec<u8>, value: bool) {
    buffer.extend_from_slice(&[key(2, WireType::Varint), u8::from(value)]);
}

fn integer(buffer: &mut Vec<u8>, value: i64) {
    buffer.push(key(3, WireType::Varint));
    varint(buffer, value as u64);
}

fn double(buffer: &mut Vec<u8>, value: f64) {
    buffer.push(key(4, WireType::SixtyFourBit));
    buffer.extend_from_slice(&value.to_le_bytes());
}
