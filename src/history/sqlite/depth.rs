//! Nesting that would not be readable again: JSON is read to 128 levels, so that a hostile document cannot exhaust the stack.
//!
//! Promise: whatever was written can be read. Never: looks deeper than it has to.

use std::borrow::Cow;

use serde_json::Value as Json;

use crate::event::{Event, EventData, Value};

/// Levels of lists and objects kept in an attribute or body: what the reader allows, less the event around it.
const LEVELS: usize = 120;

/// What stands where something was nested deeper.
const CUT: &str = "<nested too deeply to be stored>";

/// The event as it is, or a copy with what is nested too deeply replaced by a note.
pub(super) fn readable(event: &Event) -> Cow<'_, EventData> {
    let deep = event.attrs.iter().any(|(_, value)| is_deep(value, LEVELS))
        || event
            .body
            .as_ref()
            .is_some_and(|body| is_deep_json(&body.0, LEVELS));
    if !deep {
        return Cow::Borrowed(event);
    }
    let mut data = EventData::clone(event);
    data.attrs = std::mem::take(&mut data.attrs)
        .into_iter()
        .map(|(key, value)| match value {
            nested @ (Value::Array(_) | Value::Json(_)) => {
                let mut json = nested.to_json();
                cut(&mut json, LEVELS);
                (key, json.into())
            }
            scalar => (key, scalar),
        })
        .collect();
    if let Some(body) = &mut data.body {
        cut(&mut body.0, LEVELS);
    }
    Cow::Owned(data)
}

fn is_deep(value: &Value, left: usize) -> bool {
    match value {
        Value::Array(items) => left == 0 || items.iter().any(|item| is_deep(item, left - 1)),
        Value::Json(json) => is_deep_json(json, left),
        _ => false,
    }
}

fn is_deep_json(json: &Json, left: usize) -> bool {
    match json {
        Json::Array(items) => left == 0 || items.iter().any(|item| is_deep_json(item, left - 1)),
        Json::Object(fields) => {
            left == 0 || fields.values().any(|item| is_deep_json(item, left - 1))
        }
        _ => false,
    }
}

fn cut(json: &mut Json, left: usize) {
    match json {
        Json::Array(_) | Json::Object(_) if left == 0 => *json = CUT.into(),
        Json::Array(items) => items.iter_mut().for_each(|item| cut(item, left - 1)),
        Json::Object(fields) => fields.values_mut().for_each(|item| cut(item, left - 1)),
        _ => {}
    }
}
