//! One attribute value: a scalar, a list, or nested JSON.
//!
//! Promise: numbers stay numbers, and a value built through `From` comes back equal from its JSON, except
//! that a non-finite float (which JSON cannot carry) comes back as the string `"NaN"`, `"inf"` or `"-inf"`.
//! Never: panics on a value that does not serialise; it becomes a marked string instead.

use std::{any::type_name, fmt, sync::Arc};

use crate::contain::contain;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The value of an attribute.
///
/// Strings are shared, so cloning a value is cheap unless it is a list or nested JSON.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Value {
    /// True or false.
    Bool(bool),
    /// A whole number. Token counts and sizes are this.
    I64(i64),
    /// A number with a fraction. May be non-finite.
    F64(f64),
    /// Text.
    Str(Arc<str>),
    /// A list. Elements may differ in type.
    Array(Vec<Value>),
    /// What the other variants cannot hold: an object, or null.
    Json(serde_json::Value),
}

impl Value {
    /// Anything that serialises, as a value.
    ///
    /// When its `Serialize` fails or panics the result is the string `<not serialisable: TYPE>`; the error's
    /// own text is left out because it may quote the content.
    pub fn from_serialize<T: Serialize + ?Sized>(value: &T) -> Self {
        match contain(|| serde_json::to_value(value)) {
            Some(Ok(json)) => json.into(),
            Some(Err(_)) | None => format!("<not serialisable: {}>", type_name::<T>()).into(),
        }
    }

    /// The text, if this is text.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The whole number, if this is one. Floats and numeric strings are not converted.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Self::I64(number) => Some(*number),
            _ => None,
        }
    }

    /// The number as a float: floats as they are, whole numbers converted (exact up to 2^53).
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::F64(number) => Some(*number),
            Self::I64(number) => Some(*number as f64),
            _ => None,
        }
    }

    /// The truth value, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Bool(flag) => Some(*flag),
            _ => None,
        }
    }

    /// The elements, if this is a list.
    pub fn as_array(&self) -> Option<&[Value]> {
        match self {
            Self::Array(values) => Some(values),
            _ => None,
        }
    }

    /// Bytes it holds in memory, or so.
    pub(crate) fn bytes(&self) -> usize {
        let inside = match self {
            Self::Str(text) => text.len(),
            Self::Array(values) => values.iter().map(Self::bytes).sum(),
            Self::Json(json) => super::json_bytes(json),
            Self::Bool(_) | Self::I64(_) | Self::F64(_) => 0,
        };
        size_of::<Self>() + inside
    }

    /// The same value as plain JSON; non-finite floats become strings.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Bool(flag) => (*flag).into(),
            Self::I64(number) => (*number).into(),
            Self::F64(number) => match serde_json::Number::from_f64(*number) {
                Some(finite) => finite.into(),
                None => number.to_string().into(),
            },
            Self::Str(text) => text.as_ref().into(),
            Self::Array(values) => values.iter().map(Self::to_json).collect(),
            Self::Json(json) => json.clone(),
        }
    }
}

/// Text as it is; everything else as compact JSON.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(flag) => flag.fmt(f),
            Self::I64(number) => number.fmt(f),
            Self::F64(number) => number.fmt(f),
            Self::Str(text) => f.pad(text),
            Self::Array(_) | Self::Json(_) => self.to_json().fmt(f),
        }
    }
}

// === building a Value ===

macro_rules! whole_numbers {
    ($($from:ty),*) => {$(
        impl From<$from> for Value {
            fn from(number: $from) -> Self {
                Self::I64(number.into())
            }
        }
    )*};
}

whole_numbers!(i8, i16, i32, i64, u8, u16, u32);

/// Numbers above `i64::MAX` become their decimal digits, as text.
impl From<u64> for Value {
    fn from(number: u64) -> Self {
        match i64::try_from(number) {
            Ok(fits) => Self::I64(fits),
            Err(_) => number.to_string().into(),
        }
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        (number as u64).into()
    }
}

impl From<isize> for Value {
    fn from(number: isize) -> Self {
        Self::I64(number as i64)
    }
}

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<f32> for Value {
    fn from(number: f32) -> Self {
        Self::F64(number.into())
    }
}

impl From<f64> for Value {
    fn from(number: f64) -> Self {
        Self::F64(number)
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Str(text.into())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Str(text.into())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Str(text.as_str().into())
    }
}

impl From<Arc<str>> for Value {
    fn from(text: Arc<str>) -> Self {
        Self::Str(text)
    }
}

impl From<std::borrow::Cow<'_, str>> for Value {
    fn from(text: std::borrow::Cow<'_, str>) -> Self {
        Self::Str(text.into())
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(values: Vec<T>) -> Self {
        Self::Array(values.into_iter().map(Into::into).collect())
    }
}

impl From<&[&str]> for Value {
    fn from(values: &[&str]) -> Self {
        Self::Array(values.iter().map(|text| (*text).into()).collect())
    }
}

impl<const N: usize> From<[&str; N]> for Value {
    fn from(values: [&str; N]) -> Self {
        values.as_slice().into()
    }
}

/// Scalars and lists take their own variant; only objects and null stay [`Value::Json`].
impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Self {
        match json {
            serde_json::Value::Bool(flag) => Self::Bool(flag),
            serde_json::Value::String(text) => text.into(),
            serde_json::Value::Array(values) => values.into(),
            serde_json::Value::Number(number) => {
                match (number.as_i64(), number.as_u64(), number.as_f64()) {
                    (Some(signed), ..) => Self::I64(signed),
                    (None, Some(large), _) => large.into(),
                    (None, None, Some(float)) => Self::F64(float),
                    (None, None, None) => number.to_string().into(),
                }
            }
            other @ (serde_json::Value::Null | serde_json::Value::Object(_)) => Self::Json(other),
        }
    }
}

// === JSON ===

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Bool(flag) => serializer.serialize_bool(*flag),
            Self::I64(number) => serializer.serialize_i64(*number),
            Self::F64(number) if number.is_finite() => serializer.serialize_f64(*number),
            Self::F64(number) => serializer.collect_str(number),
            Self::Str(text) => serializer.serialize_str(text),
            Self::Array(values) => serializer.collect_seq(values),
            Self::Json(json) => json.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        serde_json::Value::deserialize(deserializer).map(Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_beyond_i64_become_decimal_text() {
        assert_eq!(Value::from(u64::MAX).as_str(), Some("18446744073709551615"));
        assert_eq!(Value::from(i64::MAX as u64).as_i64(), Some(i64::MAX));
        let read: Value = serde_json::from_str("18446744073709551615").unwrap();
        assert_eq!(read, Value::from(u64::MAX));
    }

    #[test]
    fn json_scalars_and_lists_take_their_own_variant() {
        let value = Value::from(serde_json::json!(["a", 1, 1.5, true, null, {"k": [1]}]));
        let Value::Array(items) = value else {
            panic!("a list stays a list")
        };
        assert_eq!(items[0], "a".into());
        assert_eq!(items[1], Value::I64(1));
        assert_eq!(items[2], Value::F64(1.5));
        assert_eq!(items[3], Value::Bool(true));
        assert_eq!(items[4], Value::Json(serde_json::Value::Null));
        assert_eq!(items[5], Value::Json(serde_json::json!({"k": [1]})));
    }
}
