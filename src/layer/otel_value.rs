//! Captured values as OpenTelemetry has them. Never: loses a value; what it has no form for becomes its JSON.

use opentelemetry::Array;

use crate::event::Value;
use crate::record::FieldRef;

/// A value as OpenTelemetry has it. A list whose items are of one type stays a list; anything deeper becomes its JSON.
pub(crate) fn to_otel(value: FieldRef<'_>) -> opentelemetry::Value {
    match value {
        FieldRef::Value(Value::Array(items)) => to_otel_list(items).map_or_else(
            || Value::Array(items.clone()).to_string().into(),
            opentelemetry::Value::Array,
        ),
        FieldRef::I64(n) => n.into(),
        FieldRef::F64(x) => x.into(),
        FieldRef::Bool(b) => b.into(),
        FieldRef::Str(s) => s.to_owned().into(),
        FieldRef::Value(v) => v.to_string().into(),
    }
}

fn to_otel_list(items: &[Value]) -> Option<Array> {
    fn all<'v, T>(items: &'v [Value], read: impl Fn(&'v Value) -> Option<T>) -> Option<Vec<T>> {
        items.iter().map(read).collect()
    }
    let text = |value: &Value| match value {
        Value::Str(s) => Some(s.to_string().into()),
        _ => None,
    };
    let int = |value: &Value| match value {
        Value::I64(n) => Some(*n),
        _ => None,
    };
    let float = |value: &Value| match value {
        Value::F64(x) => Some(*x),
        _ => None,
    };
    all(items, text)
        .map(Array::String)
        .or_else(|| all(items, int).map(Array::I64))
        .or_else(|| all(items, float).map(Array::F64))
        .or_else(|| all(items, Value::as_bool).map(Array::Bool))
}
