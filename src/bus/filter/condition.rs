//! What a filter compares: one condition a sort of thing, met by any of its values.
//!
//! Promise: deciding allocates nothing and calls no user code, so that it may happen on the publisher's thread.

use std::sync::Arc;

use crate::{
    event::{
        Channel, Event, EventType, Flavor, Kind, Level, Pattern, Subject, TraceId, Visibility,
    },
    semconv,
};

#[derive(Debug, Clone, PartialEq)]
pub(in crate::bus) enum Condition {
    Types(Vec<Pattern>),
    Kinds(Vec<Kind>),
    Subjects(Vec<Subject>),
    Channels(Vec<Channel>),
    Flavors(Vec<Flavor>),
    /// Names or ids.
    Agents(Vec<Arc<str>>),
    Traces(Vec<TraceId>),
    /// Sessions or conversations.
    Sessions(Vec<Arc<str>>),
    AtLeast(Level),
    Public,
}

impl Condition {
    fn matches(&self, event: &Event) -> bool {
        let named = |names: &[Arc<str>], known: [&Option<Arc<str>>; 2], keys: [&str; 2]| {
            let known = known.into_iter().flatten().map(AsRef::as_ref);
            let attrs = keys.into_iter().filter_map(|key| event.attr(key)?.as_str());
            known
                .chain(attrs)
                .any(|name| names.iter().any(|wanted| **wanted == *name))
        };
        match self {
            Self::Types(patterns) => patterns.iter().any(|pattern| pattern.matches(event)),
            Self::Kinds(kinds) => kinds.contains(&event.kind),
            Self::Subjects(subjects) => subjects.contains(&event.ty.subject()),
            Self::Channels(channels) => channels.contains(&event.channel),
            Self::Flavors(flavors) => flavors.contains(&event.flavor),
            Self::Agents(agents) => named(
                agents,
                [&event.who.agent_name, &event.who.agent_id],
                [semconv::GEN_AI_AGENT_NAME, semconv::GEN_AI_AGENT_ID],
            ),
            Self::Traces(traces) => traces.contains(&event.cx.trace),
            Self::Sessions(sessions) => named(
                sessions,
                [&event.who.session_id, &event.who.conversation_id],
                [semconv::SESSION_ID, semconv::GEN_AI_CONVERSATION_ID],
            ),
            Self::AtLeast(level) => event.level >= *level,
            Self::Public => event.visibility == Visibility::Public,
        }
    }

    /// Takes the values of another condition of the same sort; gives back one of another sort.
    fn absorb(&mut self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Types(mine), Self::Types(more)) => mine.extend(more),
            (Self::Kinds(mine), Self::Kinds(more)) => mine.extend(more),
            (Self::Subjects(mine), Self::Subjects(more)) => mine.extend(more),
            (Self::Channels(mine), Self::Channels(more)) => mine.extend(more),
            (Self::Flavors(mine), Self::Flavors(more)) => mine.extend(more),
            (Self::Agents(mine), Self::Agents(more)) => mine.extend(more),
            (Self::Traces(mine), Self::Traces(more)) => mine.extend(more),
            (Self::Sessions(mine), Self::Sessions(more)) => mine.extend(more),
            (Self::AtLeast(mine), Self::AtLeast(other)) => *mine = other,
            (Self::Public, Self::Public) => {}
            (_, other) => return Some(other),
        }
        None
    }
}

/// Conditions that must all hold. One reference count to clone.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::bus) struct Conditions(Arc<Vec<Condition>>);

impl Conditions {
    pub(in crate::bus) fn match_event(&self, event: &Event) -> bool {
        self.0.iter().all(|condition| condition.matches(event))
    }

    /// Whether there can be an event of this type that matches.
    pub(in crate::bus) fn may_match(&self, ty: &EventType) -> bool {
        self.0.iter().all(|condition| match condition {
            Condition::Types(patterns) => patterns.iter().any(|pattern| pattern.matches_type(ty)),
            _ => true,
        })
    }

    /// Widens the condition of the same sort, or adds one.
    pub(in crate::bus) fn widen(&mut self, condition: Condition) {
        let conditions = Arc::make_mut(&mut self.0);
        let mut left = Some(condition);
        for known in conditions.iter_mut() {
            left = left.and_then(|condition| known.absorb(condition));
        }
        conditions.extend(left);
    }

    /// Adds one that must hold as well, whatever is there of its sort.
    pub(super) fn also(&mut self, condition: Condition) {
        Arc::make_mut(&mut self.0).push(condition);
    }
}
