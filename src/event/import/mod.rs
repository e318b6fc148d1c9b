//! Foreign events: JSON documents of other systems, read into events of this library.
//!
//! Lies in `event` because it makes events out of data and knows nobody else. Owns the tables that say where every field of every
//! dialect goes ([`dialect`]), and the one reader that follows them.
//! Promise: nothing is lost. Known fields become what they mean (attributes of the conventions, content in the body, times and
//! ids in the envelope); unknown ones are attributes under their own names. Times are kept as given.
//! Never: recurses past [`MAX_DEPTH`], nor quotes a value in an error.

mod depth;
mod dialect;
mod error;
mod fill;
mod more;
mod place;
mod read;

use std::{borrow::Cow, time::SystemTime};

use serde_json::{Map, Value as Json};

pub use self::{depth::MAX_DEPTH, error::ImportError};
use self::{
    fill::Filling,
    place::{Effect, Format, Is, Place, same},
};
use super::{Dialect, EventData, EventType, Flavor, Level, Phase, Resolved, Value, alias};

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
/// assert_eq!(events[0].ty, "step.failed".parse()?);
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
    let format = dialect::format(dialect);
    let name = name(dialect, format, fields)?;
    let payload = payload(dialect, format, fields)?;
    let resolved = dialect.resolve(name);
    let tables = resolved.is_some().then_some(format);
    let own = [payload.as_ref().map(|(_, own)| own.as_ref()), Some(fields)];
    let decided = Decided::new(tables, resolved.unwrap_or_else(|| unknown(name)), &own);
    let mut filling = Filling::new(dialect, &decided);
    for (field, json) in fields {
        match (tables, place::find(format.envelope, field)) {
            _ if payload
                .as_ref()
                .is_some_and(|(payload, _)| payload == field) => {}
            (None, Some((place, rest))) => filling.place(field, rest, json.clone(), place),
            _ => filling.field(tables, field, json.clone()),
        }
    }
    for (field, json) in payload.iter().flat_map(|(_, own)| own.iter()) {
        filling.field(tables, field, json.clone());
    }
    if tables.is_none() {
        filling.name(name, &decided.ty);
    }
    let event = filling
        .finish(&decided, None)
        .ok_or_else(|| no_time(dialect, format, fields))?;
    let mut events = more::following(&event);
    events.insert(0, event);
    Ok(events)
}

/// The event that a name and its own fields describe, said here and now. Never fails.
///
/// A name of this library's own, or one nobody knows, keeps the fields as attributes as they are; the name some dialect has for an
/// event has its fields placed by that dialect's tables. Identity, order and time are those of a new event whatever the
/// fields say.
#[allow(dead_code, reason = "for whoever emits by name")]
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
    let decided = Decided::new(Some(format), resolved, &[Some(&data)]);
    let mut filling = Filling::new(dialect, &decided).emitted();
    for (field, json) in data {
        filling.field(Some(format), &field, json);
    }
    filling
        .finish(&decided, Some(now))
        .unwrap_or_else(|| EventData::new(decided.ty.clone(), now))
}

fn bounded(json: Json) -> Json {
    if depth::is_shallow(&json) {
        return json;
    }
    depth::dismantle(json);
    format!("<nested deeper than {MAX_DEPTH} levels>").into()
}

/// What an event turned out to be: its name's meaning, and what its values say about it.
struct Decided {
    ty: EventType,
    flavor: Flavor,
    level: Level,
    /// What is left to do once the fields are placed.
    effects: Vec<&'static Effect>,
}

impl Decided {
    fn new(
        format: Option<&'static Format>,
        resolved: Resolved,
        own: &[Option<&Map<String, Json>>],
    ) -> Self {
        let mut decided = Self {
            ty: resolved.ty,
            flavor: resolved.flavor,
            level: resolved.level,
            effects: Vec::new(),
        };
        for rule in format.map_or(&[][..], |format| format.rules) {
            if !rule.about.covers(&decided.ty, decided.flavor.as_str()) {
                continue;
            }
            let value = own
                .iter()
                .flatten()
                .find_map(|fields| field(fields, rule.field));
            if rule.is.matches(value) {
                for effect in rule.then {
                    decided.apply(effect);
                }
            }
        }
        decided
    }

    fn apply(&mut self, effect: &'static Effect) {
        match effect {
            Effect::Phase(phase) => self.retype(self.ty.subject(), Phase::from(*phase)),
            Effect::Subject(subject) => self.retype(*subject, self.ty.phase().clone()),
            Effect::Level(level) => self.level = *level,
            later => self.effects.push(later),
        }
    }

    fn retype(&mut self, subject: super::Subject, phase: Phase) {
        self.ty = EventType::new(subject, phase);
        self.level = self.ty.default_level();
    }
}

impl Is {
    fn matches(&self, value: Option<&Json>) -> bool {
        let text = value.and_then(Json::as_str);
        match self {
            Self::Anything => true,
            Self::Present => value.is_some(),
            Self::Bool(wanted) => match value {
                Some(Json::Bool(found)) => found == wanted,
                _ => text.is_some_and(|text| same(text, if *wanted { "true" } else { "false" })),
            },
            Self::Text(wanted) => text.is_some_and(|text| same(text, wanted)),
            Self::Member(wanted, number) => {
                text.is_some_and(|text| same(text, wanted))
                    || value.and_then(Json::as_u64) == Some(*number)
            }
        }
    }
}

/// The value of a field, however its name is spelled; null is no value.
fn field<'d>(fields: &'d Map<String, Json>, name: &str) -> Option<&'d Json> {
    fields
        .iter()
        .find(|(field, json)| same(name, field) && !json.is_null())
        .map(|(_, json)| json)
}

fn name<'d>(
    dialect: Dialect,
    format: &'static Format,
    fields: &'d Map<String, Json>,
) -> Result<&'d str, ImportError> {
    for known in format.names {
        match field(fields, known) {
            None => {}
            Some(Json::String(name)) => return Ok(name),
            Some(other) => {
                return Err(ImportError::IllTyped {
                    dialect,
                    field: known,
                    expected: "the name of an event",
                    found: error::kind_of(other),
                });
            }
        }
    }
    match format.nameless {
        Some((known, name)) if field(fields, known).is_some() => Ok(name),
        _ => Err(ImportError::Missing {
            dialect,
            field: format.names[0],
        }),
    }
}

/// The field the event's own fields lie in, and those. A database keeps them as the text of a JSON object.
fn payload<'d>(
    dialect: Dialect,
    format: &'static Format,
    fields: &'d Map<String, Json>,
) -> Result<Option<(&'d str, Cow<'d, Map<String, Json>>)>, ImportError> {
    let Some(known) = format.payload else {
        return Ok(None);
    };
    let Some((name, json)) = fields.iter().find(|(field, _)| same(known, field)) else {
        return Ok(None);
    };
    let own = match json {
        Json::Object(own) => Cow::Borrowed(own),
        Json::Null => return Ok(None),
        // Text from the parser is never deeper than MAX_DEPTH.
        Json::String(text) if text.starts_with('{') => match serde_json::from_str(text) {
            Ok(own) => Cow::Owned(own),
            Err(_) => return Err(no_payload(dialect, known, json)),
        },
        other => return Err(no_payload(dialect, known, other)),
    };
    Ok(Some((name, own)))
}

fn no_payload(dialect: Dialect, field: &'static str, json: &Json) -> ImportError {
    ImportError::IllTyped {
        dialect,
        field,
        expected: "an object, or the text of one",
        found: error::kind_of(json),
    }
}

fn no_time(dialect: Dialect, format: &'static Format, fields: &Map<String, Json>) -> ImportError {
    let known = format
        .envelope
        .iter()
        .find(|(_, place)| matches!(place, Place::Time(_)))
        .map_or("timestamp", |(field, _)| *field);
    match field(fields, known) {
        None => ImportError::Missing {
            dialect,
            field: known,
        },
        Some(json) => ImportError::IllTyped {
            dialect,
            field: known,
            expected: "a time of RFC 3339, with or without offset, or a number from 1970",
            found: error::kind_of(json),
        },
    }
}

fn unknown(name: &str) -> Resolved {
    let ty = EventType::from_lossy(name);
    Resolved {
        level: ty.default_level(),
        flavor: Flavor::NONE,
        ty,
    }
}
