//! What an event is once its values have had their say: `Success: false` makes a failure of a completion.
//!
//! Promise: the rules are data of the dialect; nothing is decided here that no table says.

use serde_json::{Map, Value as Json};

use super::{
    document::field,
    place::{Effect, Format, Is, same},
};
use crate::event::{EventType, Flavor, Level, Phase, Resolved, Subject};

/// What an event turned out to be.
pub(super) struct Decided {
    pub(super) ty: EventType,
    pub(super) flavor: Flavor,
    pub(super) level: Level,
    /// What is left to do once the fields are placed.
    pub(super) effects: Vec<&'static Effect>,
}

impl Decided {
    /// Applies the rules of `format` to what the name stands for; `fields` are searched in this order.
    pub(super) fn new(
        format: Option<&'static Format>,
        resolved: Resolved,
        fields: &[&Map<String, Json>],
    ) -> Self {
        let mut decided = Self {
            ty: resolved.ty,
            flavor: resolved.flavor,
            level: resolved.level,
            effects: Vec::new(),
        };
        for rule in format.map_or(&[][..], |format| format.rules) {
            let covered = rule.about.covers(&decided.ty, decided.flavor.as_str());
            if covered && rule.is.true_of(fields, rule.field) {
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

    fn retype(&mut self, subject: Subject, phase: Phase) {
        self.ty = EventType::new(subject, phase);
        self.level = self.ty.default_level();
    }
}

impl Is {
    fn true_of(&self, fields: &[&Map<String, Json>], name: &str) -> bool {
        if matches!(self, Self::Anything) {
            return true;
        }
        let Some(value) = fields.iter().find_map(|fields| field(fields, name)) else {
            return false;
        };
        let says = |wanted: &str| value.as_str().is_some_and(|text| same(text, wanted));
        match self {
            Self::Anything | Self::Present => true,
            Self::Bool(wanted) => value == wanted || says(if *wanted { "true" } else { "false" }),
            Self::Text(wanted) => says(wanted),
            Self::Member(wanted, number) => says(wanted) || value == number,
        }
    }
}
