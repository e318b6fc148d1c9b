//! Foreign events: JSON documents of other systems, read into events of this library.
//!
//! Lies in `event` because it makes events out of data and knows nobody else. Owns the tables that say where every field of every
//! dialect goes ([`dialect`]), and the one reader that follows them.
//! Promise: nothing is lost. Known fields become what they mean (attributes of the conventions, content in the body, times and
//! ids in the envelope); unknown ones are attributes under their own names. Times are kept as given.
//! Never: recurses past [`MAX_DEPTH`], nor quotes a value in an error.

mod decide;
mod depth;
mod dialect;
mod document;
mod error;
mod fill;
mod more;
mod place;
mod read;

use std::time::SystemTime;

use serde_json::{Map, Value as Json};

pub(crate) use self::depth::nests_within;
use self::{decide::Decided, document::Document, fill::Filling};
pub use self::{depth::MAX_DEPTH, error::ImportError};
use super::{Dialect, EventData, EventType, Value, alias};

/// Where the foreign name of an event is kept that no table knows and no event type can spell.
const FOREIGN_NAME: &str = "source.event_name";

/// Reads one foreign document: the event it describes, and after it those that follow from it (a finished scenario run also
/// gives one `evaluation.result` per criterion and evaluator).
///
/// * A name the dialect knows becomes its type and flavor, and a field such as `Success` decides between `completed` and
///   `failed`. An unknown name becomes an event type of its own ([`EventType::from_lossy`]).
/// * Times are kept as given; those without an offset (Cylestio writes such) are read as UTC.
/// * Ids that are UUIDs are kept. Another id becomes one by hashing, the same in every import, and is kept as
///   `source.event_id`. A document without an id gets a fresh one in every import.
/// * A field that finds its place taken by another value, or does not fit it, is an attribute under its own name. Left out are
///   only what the type says anyway (`Success`), live objects but for their names, the values of changed settings, and
///   the credentials in addresses.
/// * Contents (prompts, answers, arguments, results) are imported. Whoever must not have them removes the body and
///   the attributes of that kind before passing the events on.
///
/// ```
/// use tracing_genai::event::{Dialect, import};
///
/// let events = import(Dialect::AiTaskAgent, &serde_json::json!({
///     "EventType": "step.completed",
///     "StepName": "rank",
///     "Timestamp": "2026-01-31T12:00:00+01:00",
///     "Success": false,
///     "ErrorMessage": "no candidates",
/// }))?;
/// assert_eq!(events[0].ty, "step.failed");
/// assert_eq!(events[0].who.step_name.as_deref(), Some("rank"));
/// assert_eq!(events[0].time_rfc3339(), "2026-01-31T11:00:00.000000000Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// When the document is no object, says nowhere what happened or when, or nests deeper than [`MAX_DEPTH`]. A list is not
/// read; import its elements. There is no limit on size.
pub fn import(dialect: Dialect, document: &Json) -> Result<Vec<EventData>, ImportError> {
    let Json::Object(fields) = document else {
        return Err(ImportError::NotAnObject {
            dialect,
            found: error::kind_of(document),
        });
    };
    if !depth::is_shallow(document) {
        return Err(ImportError::TooDeep { limit: MAX_DEPTH });
    }
    let document = Document::open(dialect, fields)?;
    // Without tables for the event, only the envelope is understood.
    let tables = document.resolved.is_some().then_some(document.format);
    let decided = Decided::new(tables, document.event(), &document.maps());
    let mut filling = Filling::new(dialect, tables, document.name, &decided);
    for (field, json) in document.outer() {
        match place::find(document.format.envelope, field) {
            Some((place, rest)) if tables.is_none() => {
                filling.place(field, rest, json.clone(), place);
            }
            _ => filling.field(field, json.clone()),
        }
    }
    for (field, json) in document.inner() {
        filling.field(field, json.clone());
    }
    if tables.is_none() {
        filling.unknown_name();
    }
    let time = filling.time().ok_or_else(|| document.no_time())?;
    let event = filling.finish(&decided, time);
    let mut events = more::following(&event);
    events.insert(0, event);
    Ok(events)
}

/// The event that a name and its own fields describe, said here and now. Never fails.
///
/// A name of this library's own, or one nobody knows, keeps the fields as attributes as they are; the name some dialect has for an
/// event has its fields placed by that dialect's tables. Identity, order and time are those of a new event whatever the
/// fields say.
pub(crate) fn read_named(name: &str, data: Map<String, Json>) -> EventData {
    let now = SystemTime::now();
    let data = data.into_iter().map(|(field, json)| (field, bounded(json)));
    let Some((dialect, resolved)) = alias::foreign(name) else {
        let mut event = EventData::new(EventType::from_lossy(name), now);
        event
            .attrs
            .extend(data.map(|(field, json)| (field, Value::from(json))));
        if event.ty != *name {
            event.attrs.set(FOREIGN_NAME, name);
        }
        event.who = fill::who(&event.attrs);
        return event;
    };
    let format = dialect::format(dialect);
    let data: Map<_, _> = data.collect();
    let decided = Decided::new(Some(format), resolved, &[&data]);
    let mut filling = Filling::new(dialect, Some(format), name, &decided).emitted();
    for (field, json) in data {
        filling.field(&field, json);
    }
    filling.finish(&decided, now)
}

fn bounded(json: Json) -> Json {
    if depth::is_shallow(&json) {
        return json;
    }
    depth::dismantle(json);
    format!("<nested deeper than {MAX_DEPTH} levels>").into()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::event::{Channel, Level, Phase};

    fn said(name: &str, data: Json) -> EventData {
        let Json::Object(data) = data else {
            panic!("an event has fields")
        };
        read_named(name, data)
    }

    #[test]
    fn a_name_of_our_own_or_of_nobody_keeps_its_fields_as_they_are() {
        for name in ["llm.call.started", "user_login", "step.completed"] {
            let data = json!({"model": "gpt-4o", "Success": false, "n": null, "agent_id": "a"});
            let event = said(name, data.clone());
            assert_eq!(event.ty, *name);
            let found: Map<_, _> = event
                .attrs
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_json()))
                .collect();
            assert_eq!(Json::Object(found), data, "{name}");
        }
        let odd = said("User Login", json!({}));
        assert_eq!(odd.ty, *"user_login");
        assert_eq!(odd.attr(FOREIGN_NAME), Some(&"User Login".into()));
    }

    #[test]
    fn a_dialect_s_name_has_its_fields_placed_by_the_dialect() {
        let event = said(
            "LLM_call_start",
            json!({"prompt": "hi", "model": "gpt-4o", "level": "gold", "mine": 1}),
        );
        assert_eq!(event.ty, *"llm.call.started");
        assert_eq!((event.channel, event.level), (Channel::LLM, Level::Info));
        assert_eq!(&*event.name, "chat gpt-4o");
        let names: Vec<_> = event.attrs.iter().map(|(name, _)| name).collect();
        assert_eq!(
            names,
            [
                "gen_ai.input.messages",
                "gen_ai.request.model",
                "level",
                "mine"
            ]
        );
        let denied = said("llm_guardrail_completed", json!({"success": false}));
        assert_eq!(
            (denied.phase, denied.level),
            (Phase::Completed, Level::Warn)
        );
    }

    #[test]
    fn the_emitter_s_identity_and_time_stand_whatever_the_fields_say() {
        let before = SystemTime::now();
        let event = said(
            "task_started",
            json!({"event_id": "e-1", "emission_sequence": 9, "timestamp": "2001-01-01T00:00:00Z"}),
        );
        assert!(event.time >= before && event.seq == 0);
        assert_eq!(event.attr("source.event_id"), Some(&"e-1".into()));
        assert_eq!(event.attr("emission_sequence"), Some(&Value::I64(9)));
        assert_eq!(
            event.attr("timestamp"),
            Some(&"2001-01-01T00:00:00Z".into())
        );
    }

    #[test]
    fn data_too_deep_for_the_stack_becomes_marked_text() {
        for name in ["x.y", "task_started"] {
            let deep = (0..1_000_000).fold(Json::Null, |inner, _| Json::Array(vec![inner]));
            let mut data = Map::new();
            data.insert("deep".to_owned(), deep);
            let event = read_named(name, data);
            let marked = event.attr("deep").and_then(Value::as_str);
            assert_eq!(marked, Some("<nested deeper than 128 levels>"));
        }
    }
}
