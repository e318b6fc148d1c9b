//! The vocabulary of the tables: where a foreign field belongs, and what a foreign value decides.
//!
//! Owns the shape of a dialect's tables and the look-up in them; the tables themselves are in [`dialect`](super::dialect).
//! Promise: `StepName`, `stepName` and `step_name` are one field.

use crate::event::{EventType, Kind, Level, Subject};

/// How one dialect writes its events down.
pub(super) struct Format {
    /// The fields that say which event it is; the first that is there counts.
    pub(super) names: &'static [&'static str],
    /// A field that only one event has, and that event: for events that say nowhere what they are.
    pub(super) nameless: Option<(&'static str, &'static str)>,
    /// The field with the event's own fields, where they do not lie beside the envelope's.
    pub(super) payload: Option<&'static str>,
    /// The fields every event has.
    pub(super) envelope: Fields,
    /// The fields of some events; an earlier section wins over a later one, and over the envelope.
    pub(super) own: &'static [(Scope, Fields)],
    /// What values decide, in this order.
    pub(super) rules: &'static [Rule],
}

/// Where fields go. A name that ends in `*` stands for all that begin so.
pub(super) type Fields = &'static [(&'static str, Place)];

/// Which events a section or a rule is about.
pub(super) enum Scope {
    Any,
    Kind(Kind),
    Subject(Subject),
    Type(Subject, &'static str),
    Flavor(Subject, &'static str),
}

/// Where a field goes. Null goes nowhere; a value that does not fit its place is kept under its own name.
pub(super) enum Place {
    /// The name of the event.
    Name,
    /// One of these words, or the number of one, that the type says anyway.
    Word(&'static [&'static str]),
    /// True or false that the type says anyway.
    Flag,
    /// When it happened.
    Time(Unit),
    /// When it happened, unless the envelope says so; then the attribute.
    TimeElse(Unit, &'static str),
    Id,
    Cause(Cause),
    Seq,
    Trace,
    Span,
    ParentSpan,
    Level,
    Channel,
    /// True hides the event from people.
    Hidden,

    /// The attribute of this name.
    Attr(&'static str),
    /// The attribute, as a list even of one.
    List(&'static str),
    /// The attribute, a list of one; a number stands for one of the words.
    Words(&'static str, &'static [&'static str]),
    /// The attribute, for the values listed; others go nowhere. For a second place only.
    Mapped(&'static str, &'static [(&'static str, &'static str)]),
    /// The attribute, an object with the field under its own name.
    Piece(&'static str),
    /// The attribute, with the names of what may be live objects: never the objects.
    Names(&'static str),
    /// The attribute, with the paths of the keys: never the values.
    Keys(&'static str),
    /// The attribute, with the length of the list. For a second place only.
    Count(&'static str),
    /// The attribute this prefix and the part of the name behind the `*` make.
    Under(&'static str),
    /// An address: `url.full` without credentials, `server.address`, `server.port`.
    Url,
    /// Token counts as the provider gave them.
    Usage,
    /// All tokens of a call: kept where the parts do not add up to it.
    TotalTokens,

    /// The body.
    Body,
    /// One field of the body.
    Part,

    ErrorType,
    ErrorMessage,
    Duration(Unit),
    StartedAt(&'static str),
    EndedAt(&'static str),

    /// An object: its fields by this table, the rest by [`Rest`]; what is no object goes to the last place.
    Object(Fields, Rest, &'static Place),
    /// Every one of these.
    Both(&'static [Place]),
}

/// Where the fields of an object go that its table does not know.
pub(super) enum Rest {
    /// Attributes, with this in front of their names.
    Prefix(&'static str),
    /// The body, each under its name.
    Body,
}

/// What a number of a time or of a length counts.
#[derive(Clone, Copy)]
pub(super) enum Unit {
    Seconds,
    Millis,
}

/// Another event this one names.
#[derive(Clone, Copy)]
pub(super) enum Cause {
    Parent,
    Started,
    Previous,
    Trigger,
}

/// A field, a value of it, and what follows.
pub(super) struct Rule {
    pub(super) about: Scope,
    pub(super) field: &'static str,
    pub(super) is: Is,
    pub(super) then: &'static [Effect],
}

pub(super) enum Is {
    /// Whatever the field says, even if it is not there.
    Anything,
    /// There, and not null.
    Present,
    Bool(bool),
    /// This text, in any case, whatever separates its words.
    Text(&'static str),
    /// This member of an enumeration, by its name or its number.
    Member(&'static str, u64),
}

pub(super) enum Effect {
    Phase(&'static str),
    Subject(Subject),
    /// The level, unless the document gives one.
    Level(Level),
    /// The class of the error, unless the document gives one.
    ErrorType(&'static str),
    /// The attribute, unless the document gives it.
    Set(&'static str, &'static str),
    /// The event's flavor as an attribute.
    Flavor(&'static str),
}

/// What follows for every such event.
pub(super) const fn always(about: Scope, then: &'static [Effect]) -> Rule {
    when(about, "", Is::Anything, then)
}

/// What follows when the field says so.
pub(super) const fn when(
    about: Scope,
    field: &'static str,
    is: Is,
    then: &'static [Effect],
) -> Rule {
    Rule {
        about,
        field,
        is,
        then,
    }
}

impl Scope {
    pub(super) fn covers(&self, ty: &EventType, flavor: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Kind(kind) => ty.kind() == *kind,
            Self::Subject(subject) => ty.subject() == *subject,
            Self::Type(subject, phase) => ty.subject() == *subject && ty.phase().as_str() == *phase,
            Self::Flavor(subject, wanted) => ty.subject() == *subject && flavor == *wanted,
        }
    }
}

impl Format {
    /// The tables for such an event, the first to be asked first.
    pub(super) fn tables(&'static self, ty: &EventType, flavor: &str) -> Vec<Fields> {
        let own = self
            .own
            .iter()
            .filter(|(scope, _)| scope.covers(ty, flavor));
        own.map(|(_, fields)| *fields)
            .chain([self.envelope])
            .collect()
    }
}

/// Where `field` goes by this table, and the part of its name a `*` stood for.
pub(super) fn find(fields: Fields, field: &str) -> Option<(&'static Place, &str)> {
    fields.iter().find_map(|(known, place)| {
        if let Some(start) = known.strip_suffix('*') {
            return field.strip_prefix(start).map(|rest| (place, rest));
        }
        same(known, field).then_some((place, ""))
    })
}

/// Whether two texts are the same word, in any case and whatever separates its parts.
pub(super) fn same(a: &str, b: &str) -> bool {
    fn letters(text: &str) -> impl Iterator<Item = u8> + '_ {
        text.bytes()
            .filter(|byte| !matches!(byte, b'_' | b'-' | b' '))
            .map(|byte| byte.to_ascii_lowercase())
    }
    letters(a).eq(letters(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_word_has_many_spellings() {
        for spelling in ["StepName", "stepName", "step_name", "STEP-NAME"] {
            assert!(same("step_name", spelling), "{spelling}");
        }
        assert!(same("_a", "a") && same("", "-"));
        assert!(!same("step_name", "step.name"));
        assert!(!same("step_name", "step_names"));
    }
}
