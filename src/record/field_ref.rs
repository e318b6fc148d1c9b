//! A captured value, as whoever reads a record sees it.

use crate::event::Value;

/// A captured value, borrowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum FieldRef<'a> {
    I64(i64),
    F64(f64),
    Bool(bool),
    Str(&'a str),
    Value(&'a Value),
}

impl<'a> FieldRef<'a> {
    pub(crate) fn as_str(self) -> Option<&'a str> {
        match self {
            Self::Str(s) => Some(s),
            Self::Value(Value::Str(s)) => Some(s),
            _ => None,
        }
    }

    /// The value as a count: what counters, `usize` fields and providers' texts alike mean by it. Negative numbers,
    /// fractions and words are none.
    pub(crate) fn as_count(self) -> Option<u64> {
        match self {
            Self::I64(n) => u64::try_from(n).ok(),
            Self::F64(x) if x >= 0.0 && x.fract() == 0.0 && x < 9e15 => Some(x as u64),
            Self::Str(s) => s.trim().parse().ok(),
            _ => None,
        }
    }

    /// The value as a finite number.
    pub(crate) fn as_number(self) -> Option<f64> {
        match self {
            Self::I64(n) => Some(n as f64),
            Self::F64(x) => Some(x),
            Self::Str(s) => s.trim().parse().ok(),
            _ => None,
        }
        .filter(|x| x.is_finite())
    }

    pub(crate) fn to_value(self) -> Value {
        match self {
            Self::I64(n) => Value::I64(n),
            Self::F64(x) => Value::F64(x),
            Self::Bool(b) => Value::Bool(b),
            Self::Str(s) => Value::from(s),
            Self::Value(v) => v.clone(),
        }
    }
}
