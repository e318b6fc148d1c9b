//! A foreign document taken apart: which event it is, its envelope, and its own fields.

use std::borrow::Cow;

use serde_json::{Map, Value as Json};

use super::{
    ImportError, dialect,
    error::kind_of,
    place::{Format, Place, same},
};
use crate::event::{Dialect, EventType, Flavor, Resolved};

pub(super) struct Document<'d> {
    dialect: Dialect,
    pub(super) format: &'static Format,
    /// As the document has it.
    pub(super) name: &'d str,
    /// What the name stands for, if the dialect has it.
    pub(super) resolved: Option<Resolved>,
    fields: &'d Map<String, Json>,
    payload: Option<Payload<'d>>,
}

/// The field in which the event's own fields lie, and those.
type Payload<'d> = (&'d str, Cow<'d, Map<String, Json>>);

impl<'d> Document<'d> {
    pub(super) fn open(
        dialect: Dialect,
        fields: &'d Map<String, Json>,
    ) -> Result<Self, ImportError> {
        let format = dialect::format(dialect);
        let name = name(dialect, format, fields)?;
        Ok(Self {
            dialect,
            format,
            name,
            resolved: dialect.resolve(name),
            fields,
            payload: payload(dialect, format, fields)?,
        })
    }

    /// What the name stands for, or the nearest event type to it.
    pub(super) fn event(&self) -> Resolved {
        self.resolved.clone().unwrap_or_else(|| {
            let ty = EventType::from_lossy(self.name);
            Resolved {
                level: ty.default_level(),
                flavor: Flavor::NONE,
                ty,
            }
        })
    }

    /// The fields beside the payload.
    pub(super) fn outer(&self) -> impl Iterator<Item = (&str, &Json)> {
        let payload = self.payload.as_ref().map(|(field, _)| *field);
        self.fields
            .iter()
            .map(|(field, json)| (field.as_str(), json))
            .filter(move |(field, _)| payload != Some(field))
    }

    /// The fields of the payload.
    pub(super) fn inner(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.payload
            .iter()
            .flat_map(|(_, own)| own.iter())
            .map(|(field, json)| (field.as_str(), json))
    }

    /// All fields, the event's own first.
    pub(super) fn maps(&self) -> Vec<&Map<String, Json>> {
        let own = self.payload.as_ref().map(|(_, own)| own.as_ref());
        own.into_iter().chain([self.fields]).collect()
    }

    /// Why there is no event without a time.
    pub(super) fn no_time(&self) -> ImportError {
        let known = self
            .format
            .envelope
            .iter()
            .find(|(_, place)| matches!(place, Place::Time(_)))
            .map_or("timestamp", |(field, _)| *field);
        match field(self.fields, known) {
            None => ImportError::Missing {
                dialect: self.dialect,
                field: known,
            },
            Some(json) => ImportError::IllTyped {
                dialect: self.dialect,
                field: known,
                expected: "a time of RFC 3339, with or without offset, or a number counted from 1970",
                found: kind_of(json),
            },
        }
    }
}

/// The value of a field, however its name is spelled; null is no value.
pub(super) fn field<'d>(fields: &'d Map<String, Json>, name: &str) -> Option<&'d Json> {
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
                    found: kind_of(other),
                });
            }
        }
    }
    match format.nameless {
        Some((known, name)) if field(fields, known).is_some() => Ok(name),
        _ => Err(ImportError::Missing {
            dialect,
            field: format.names.first().copied().unwrap_or("type"),
        }),
    }
}

fn payload<'d>(
    dialect: Dialect,
    format: &'static Format,
    fields: &'d Map<String, Json>,
) -> Result<Option<Payload<'d>>, ImportError> {
    let Some(known) = format.payload else {
        return Ok(None);
    };
    let Some((name, json)) = fields.iter().find(|(field, _)| same(known, field)) else {
        return Ok(None);
    };
    let own = match json {
        Json::Null => return Ok(None),
        Json::Object(own) => Some(Cow::Borrowed(own)),
        // A database keeps them as text. What the parser takes is never deeper than MAX_DEPTH.
        Json::String(text) => serde_json::from_str(text).ok().map(Cow::Owned),
        _ => None,
    };
    match own {
        Some(own) => Ok(Some((name, own))),
        None => Err(ImportError::IllTyped {
            dialect,
            field: known,
            expected: "an object, or the text of one",
            found: kind_of(json),
        }),
    }
}
