//! From fields to an event: puts every field in its place, and keeps what has none.
//!
//! Promise: no field vanishes. What does not fit its place, or finds it taken by another value, becomes an attribute under
//! its own name; content finds room in the body.

mod attributes;
mod envelope;
mod pairs;

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value as Json};

use self::{envelope::Envelope, pairs::Pairs};
use super::{
    FOREIGN_NAME,
    decide::Decided,
    place::{Effect, Fields, Format, Place, Rest, Unit, find, same},
    read,
};
use crate::{
    event::{Attrs, Body, Dialect, ErrorInfo, EventData, EventType, Flavor, Phase, Value, Who},
    semconv,
};

/// An event coming together.
pub(super) struct Filling {
    dialect: Dialect,
    /// As the document has it.
    name: String,
    ty: EventType,
    flavor: Flavor,
    tables: Vec<Fields>,
    /// Said here and now: identity, order and time are the emitter's, whatever the fields say.
    emitted: bool,
    envelope: Envelope,
    attrs: Pairs,
    body: Vec<Piece>,
    duration: Option<Duration>,
    started_at: Option<SystemTime>,
    ended_at: Option<SystemTime>,
    error_type: Option<String>,
    error_message: Option<String>,
    total_tokens: Option<Json>,
}

/// A piece of content.
struct Piece {
    field: String,
    json: Json,
    /// The body itself, unless there is more.
    whole: bool,
}

impl Filling {
    /// An event placed by the tables of `format`; without, every field is kept.
    pub(super) fn new(
        dialect: Dialect,
        format: Option<&'static Format>,
        name: &str,
        decided: &Decided,
    ) -> Self {
        Self {
            tables: format.map_or_else(Vec::new, |format| {
                format.tables(&decided.ty, decided.flavor.as_str())
            }),
            dialect,
            name: name.to_owned(),
            ty: decided.ty.clone(),
            flavor: decided.flavor.clone(),
            emitted: false,
            envelope: Envelope::default(),
            attrs: Pairs::default(),
            body: Vec::new(),
            duration: None,
            started_at: None,
            ended_at: None,
            error_type: None,
            error_message: None,
            total_tokens: None,
        }
    }

    pub(super) fn emitted(mut self) -> Self {
        self.emitted = true;
        self
    }

    /// Puts a field where the tables want it; without one it is kept.
    pub(super) fn field(&mut self, field: &str, json: Json) {
        match self.tables.iter().find_map(|table| find(table, field)) {
            Some((place, rest)) => self.place(field, rest, json, place),
            None => self.attrs.keep(field, json.into()),
        }
    }

    /// Puts a field in this place; `rest` is what the `*` in its name stands for.
    pub(super) fn place(&mut self, field: &str, rest: &str, json: Json, place: &'static Place) {
        if !json.is_null()
            && let Some(json) = self.try_place(field, rest, json, place)
        {
            self.attrs.keep(field, json.into());
        }
    }

    /// Gives a value back that does not fit.
    fn try_place(
        &mut self,
        field: &str,
        rest: &str,
        json: Json,
        place: &'static Place,
    ) -> Option<Json> {
        match place {
            Place::Name => json_unless(json == self.name.as_str(), json),
            Place::Word(words) => json_unless(is_word(&json, words), json),
            Place::Flag => json_unless(json.is_boolean(), json),
            Place::Both(places) => {
                for place in *places {
                    self.place(field, rest, json.clone(), place);
                }
                None
            }
            Place::Object(fields, others, plain) => match json {
                Json::Object(object) => {
                    self.object(field, fields, others, object);
                    None
                }
                json => self.try_place(field, rest, json, plain),
            },
            Place::Body | Place::Part => {
                self.content(field, json, matches!(place, Place::Body));
                None
            }
            Place::ErrorType => {
                let kind = json.as_str().map(str::to_owned);
                json_unless(set(&mut self.error_type, kind), json)
            }
            Place::ErrorMessage => json_unless(self.error(&json), json),
            Place::Duration(unit) => {
                json_unless(set(&mut self.duration, read::duration(&json, *unit)), json)
            }
            // Whether the start was imported as well is not known here, so the times are kept.
            Place::StartedAt(name) => {
                self.started_at = self.started_at.or(read::time(&json, Unit::Seconds));
                self.attr(field, *name, json)
            }
            Place::EndedAt(name) => {
                self.ended_at = self.ended_at.or(read::time(&json, Unit::Seconds));
                self.attr(field, *name, json)
            }
            Place::TimeElse(unit, name) => {
                let time = read::time(&json, *unit);
                self.envelope.time_else = self.envelope.time_else.or(time);
                self.attr(field, *name, json)
            }
            Place::Hidden => json_unless(self.hidden(&json), json),
            Place::Id
            | Place::Cause(_)
            | Place::Seq
            | Place::Trace
            | Place::Span
            | Place::ParentSpan
            | Place::Time(_)
            | Place::Level
            | Place::Channel => {
                let placed = !self.emitted && self.envelope.place(self.dialect, &json, place);
                json_unless(placed, json).and_then(|json| self.source(field, place, json))
            }
            attribute => self.attribute(field, rest, json, attribute),
        }
    }

    fn object(
        &mut self,
        field: &str,
        fields: Fields,
        others: &'static Rest,
        object: Map<String, Json>,
    ) {
        for (name, json) in object {
            let path = format!("{field}.{name}");
            match (find(fields, &name), others) {
                // Parts of the body are known by their own name, all else by its path.
                (Some((place @ (Place::Body | Place::Part), rest)), _) => {
                    self.place(&name, rest, json, place);
                }
                (Some((place, rest)), _) => self.place(&path, rest, json, place),
                (None, Rest::Body) => self.content(&name, json, false),
                (None, Rest::Prefix(prefix)) => {
                    if let Some(json) = self.attr(&path, format!("{prefix}{name}"), json) {
                        self.attrs.keep(&path, json.into());
                    }
                }
            }
        }
    }

    fn content(&mut self, field: &str, json: Json, whole: bool) {
        self.body.push(Piece {
            field: field.to_owned(),
            json,
            whole,
        });
    }

    fn error(&mut self, json: &Json) -> bool {
        let message = match json {
            Json::String(text) if text.is_empty() => return true,
            Json::String(text) => text.clone(),
            Json::Object(fields) => {
                let text = |name| fields.get(name).and_then(Json::as_str);
                match (fields.len(), text("type"), text("message")) {
                    (2, Some(kind), Some(message)) if self.error_type.is_none() => {
                        self.error_type = Some(kind.to_owned());
                        message.to_owned()
                    }
                    _ => json.to_string(),
                }
            }
            other => other.to_string(),
        };
        set(&mut self.error_message, Some(message))
    }

    /// Keeps the name nobody knows, unless the event's type spells it.
    pub(super) fn unknown_name(&mut self) {
        if self.ty != *self.name {
            self.attrs.keep(FOREIGN_NAME, self.name.as_str().into());
        }
    }

    /// When it happened, by the best that is known.
    pub(super) fn time(&self) -> Option<SystemTime> {
        self.envelope.time().or(self.ended_at)
    }

    pub(super) fn finish(mut self, decided: &Decided, time: SystemTime) -> EventData {
        self.close_total();
        for effect in &decided.effects {
            match effect {
                Effect::Set(name, value) => {
                    self.attrs.put((*name).into(), (*value).into());
                }
                Effect::Flavor(name) => {
                    self.attrs.put((*name).into(), self.flavor.as_str().into());
                }
                Effect::ErrorType(kind) => {
                    self.error_type.get_or_insert_with(|| (*kind).to_owned());
                }
                Effect::Phase(_) | Effect::Subject(_) | Effect::Level(_) => {}
            }
        }
        let mut event = EventData::new(self.ty, time);
        event.flavor = self.flavor;
        event.level = decided.level;
        self.envelope.write(&mut event);
        event.duration = self.duration.or_else(|| {
            let (start, end) = self.started_at.zip(self.ended_at)?;
            end.duration_since(start).ok()
        });
        event.error = error_info(self.error_type, self.error_message, &event.phase);
        event.body = body(self.body);
        event.attrs = self.attrs.into_attrs();
        event.who = who(&event.attrs);
        if !event.phase.is_moment()
            && let Some(name) = event.ty.subject().span_name(&event.attrs)
        {
            event.name = name.into();
        }
        event
    }
}

fn is_word(json: &Json, words: &[&str]) -> bool {
    match json {
        Json::String(text) => words.iter().any(|word| same(word, text)),
        Json::Number(number) => number.as_u64().is_some_and(|at| at < words.len() as u64),
        _ => false,
    }
}

fn json_unless(placed: bool, json: Json) -> Option<Json> {
    (!placed).then_some(json)
}

/// Fills an empty slot. False if there is nothing to fill it with, or something else in it.
fn set<T: PartialEq>(slot: &mut Option<T>, value: Option<T>) -> bool {
    match (&slot, value) {
        (_, None) => false,
        (None, value) => {
            *slot = value;
            true
        }
        (Some(there), Some(value)) => *there == value,
    }
}

fn error_info(kind: Option<String>, message: Option<String>, phase: &Phase) -> Option<ErrorInfo> {
    let default = match phase {
        Phase::Blocked => Some("blocked"),
        Phase::Failed => Some(semconv::error_type::OTHER),
        _ if message.is_some() => Some(semconv::error_type::OTHER),
        _ => None,
    };
    let info = ErrorInfo::new(kind.or_else(|| default.map(str::to_owned))?);
    Some(match message {
        Some(message) => info.with_message(message),
        None => info,
    })
}

/// One whole piece as it is, several as the fields of an object.
fn body(mut pieces: Vec<Piece>) -> Option<Body> {
    if pieces.len() == 1 && pieces.first().is_some_and(|piece| piece.whole) {
        return pieces.pop().map(|piece| Body(piece.json));
    }
    let mut object = Map::new();
    for mut piece in pieces {
        while object
            .get(&piece.field)
            .is_some_and(|there| *there != piece.json)
        {
            piece.field.push('_');
        }
        object.insert(piece.field, piece.json);
    }
    (!object.is_empty()).then_some(Body(Json::Object(object)))
}

/// Who did it, by the attributes that say so.
pub(super) fn who(attrs: &Attrs) -> Who {
    let own = |name: &str| attrs.get(name).and_then(Value::as_str).map(Into::into);
    Who {
        agent_name: own(semconv::GEN_AI_AGENT_NAME),
        agent_id: own(semconv::GEN_AI_AGENT_ID),
        step_name: own(semconv::STEP_NAME),
        session_id: own(semconv::SESSION_ID),
        conversation_id: own(semconv::GEN_AI_CONVERSATION_ID),
        correlation_id: own(semconv::CORRELATION_ID),
    }
}
