//! What a field of an event type of one's own can be: between a Rust type and the attribute's [`Value`].
//!
//! Promise: what was written reads back equal, through JSON too. Never: converts between text, numbers and truth values.

use std::{borrow::Cow, sync::Arc};

use super::Value;

/// The type of a field in [`event_types!`](crate::event_types).
///
/// Reading back gives what was written, but for what JSON or attributes cannot say: `null` in an `Option` reads as `None`, and
/// a whole number above [`i64::MAX`] inside a [`serde_json::Value`] reads as its digits.
///
/// Implement it for a type of your own:
///
/// ```
/// use tracing_genai::event::{FieldValue, Value};
///
/// #[derive(Debug, Clone, PartialEq)]
/// enum Plan { Free, Paid }
///
/// impl FieldValue for Plan {
///     fn into_value(self) -> Option<Value> {
///         Some(match self { Plan::Free => "free", Plan::Paid => "paid" }.into())
///     }
///
///     fn from_value(value: Option<&Value>) -> Option<Self> {
///         match value?.as_str()? { "free" => Some(Plan::Free), "paid" => Some(Plan::Paid), _ => None }
///     }
/// }
///
/// tracing_genai::event_types! {
///     struct Upgraded: "account.upgraded" { plan: Plan }
/// }
/// ```
pub trait FieldValue: Sized {
    /// The attribute; `None` leaves it out.
    fn into_value(self) -> Option<Value>;

    /// Reads the attribute, or its absence. `None` when that cannot be this type: the event is then not one with this field.
    fn from_value(value: Option<&Value>) -> Option<Self>;
}

macro_rules! field_values {
    ($($type:ty, $read:expr;)*) => {$(
        impl FieldValue for $type {
            fn into_value(self) -> Option<Value> {
                Some(self.into())
            }

            fn from_value(value: Option<&Value>) -> Option<Self> {
                ($read)(value?)
            }
        }
    )*};
}

field_values! {
    bool, Value::as_bool;
    i8, whole;
    i16, whole;
    i32, whole;
    i64, whole;
    isize, whole;
    u8, whole;
    u16, whole;
    u32, whole;
    u64, large;
    usize, large;
    f32, |value| float(value).map(|number| number as f32);
    f64, float;
    String, |value: &Value| value.as_str().map(Into::into);
    Arc<str>, |value: &Value| value.as_str().map(Into::into);
    Cow<'static, str>, |value: &Value| value.as_str().map(|text| text.to_owned().into());
    Value, |value: &Value| Some(value.clone());
    serde_json::Value, |value: &Value| Some(value.to_json());
}

/// An absent, `null` or ill-typed attribute is `None`.
impl<T: FieldValue> FieldValue for Option<T> {
    fn into_value(self) -> Option<Value> {
        self.and_then(T::into_value)
    }

    fn from_value(value: Option<&Value>) -> Option<Self> {
        let value = value.filter(|value| **value != Value::Json(serde_json::Value::Null));
        Some(value.and_then(|value| T::from_value(Some(value))))
    }
}

/// Elements that are `None` become `null`.
impl<T: FieldValue> FieldValue for Vec<T> {
    fn into_value(self) -> Option<Value> {
        let null = || Value::Json(serde_json::Value::Null);
        let values = self.into_iter();
        Some(Value::Array(
            values
                .map(|value| value.into_value().unwrap_or_else(null))
                .collect(),
        ))
    }

    fn from_value(value: Option<&Value>) -> Option<Self> {
        let values = value?.as_array()?.iter();
        values.map(|value| T::from_value(Some(value))).collect()
    }
}

fn whole<T: TryFrom<i64>>(value: &Value) -> Option<T> {
    value.as_i64()?.try_into().ok()
}

/// Numbers above [`i64::MAX`] travel as their digits.
fn large<T: TryFrom<u64>>(value: &Value) -> Option<T> {
    let number = match value {
        Value::Str(digits) => digits
            .parse()
            .ok()
            .filter(|number| Value::from(*number) == *value)?,
        _ => u64::try_from(value.as_i64()?).ok()?,
    };
    number.try_into().ok()
}

/// What JSON has no number for travels as a word.
fn float(value: &Value) -> Option<f64> {
    match value.as_str() {
        Some("NaN") => Some(f64::NAN),
        Some("inf") => Some(f64::INFINITY),
        Some("-inf") => Some(f64::NEG_INFINITY),
        Some(_) => None,
        None => value.as_f64(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read<T: FieldValue>(value: impl Into<Value>) -> Option<T> {
        T::from_value(Some(&value.into()))
    }

    #[test]
    fn a_value_of_another_type_or_range_is_not_converted() {
        assert_eq!(read::<u8>(256), None);
        assert_eq!(read::<u64>(-1), None);
        assert_eq!(read::<u64>("12"), None, "only what does not fit is digits");
        assert_eq!(read::<i64>("12"), None);
        assert_eq!(read::<i64>(1.0), None);
        assert_eq!(read::<bool>("true"), None);
        assert_eq!(read::<String>(1), None);
        assert_eq!(read::<f64>("infinity"), None);
        assert_eq!(read::<Vec<u8>>(vec![1, 300]), None);
        assert_eq!(read::<Option<u8>>(256), Some(None));
    }
}
