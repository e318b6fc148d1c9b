//! What is asked for.
//!
//! Promise: deciding whether an event is meant looks at the event alone, so that every store decides alike.

use std::{cmp::Reverse, sync::Arc, time::SystemTime};

use super::search::Needle;
use crate::event::{Channel, Event, Level, Pattern, TraceId, Who};
use crate::semconv;

/// Filters, order, limit and offset; made by the methods of [`History`](super::History). For stores of one's own.
#[derive(Debug, Clone, Default)]
pub struct Query {
    pub(super) agent: Option<Arc<str>>,
    /// Any of them; every type if there is none.
    pub(super) types: Vec<Pattern>,
    pub(super) channel: Option<Channel>,
    pub(super) level: Option<Level>,
    pub(super) min_level: Option<Level>,
    pub(super) trace: Option<TraceId>,
    pub(super) session: Option<Arc<str>>,
    pub(super) conversation: Option<Arc<str>>,
    pub(super) user: Option<Arc<str>>,
    pub(super) since: Option<SystemTime>,
    pub(super) before: Option<SystemTime>,
    pub(super) search: Option<Arc<str>>,
    pub(super) limit: Option<usize>,
    pub(super) offset: usize,
    pub(super) oldest_first: bool,
}

impl Query {
    /// Whether the event passes all filters.
    pub fn matches(&self, event: &Event) -> bool {
        fn same(wanted: Option<&str>, found: Option<&str>) -> bool {
            wanted.is_none_or(|wanted| found == Some(wanted))
        }
        let who = &event.who;
        self.agent.as_deref().is_none_or(|agent| {
            agent_of(who).is_some_and(|(id, name)| agent == id || Some(agent) == name)
        }) && (self.types.is_empty() || self.types.iter().any(|ty| ty.matches(event)))
            && self.channel.as_ref().is_none_or(|c| *c == event.channel)
            && self.level.is_none_or(|level| level == event.level)
            && self.min_level.is_none_or(|level| level <= event.level)
            && self.trace.is_none_or(|trace| trace == event.cx.trace)
            && same(self.session.as_deref(), who.session_id.as_deref())
            && same(self.conversation.as_deref(), who.conversation_id.as_deref())
            && same(self.user.as_deref(), user_of(event))
            && self.since.is_none_or(|since| since <= event.time)
            && self.before.is_none_or(|before| event.time < before)
            && self
                .search
                .as_deref()
                .is_none_or(|text| Needle::new(text).is_mentioned(event))
    }

    /// Those of `events` that the query is for: filtered, ordered, cut. Each comes with the number it has in its store,
    /// which orders events of the same time.
    pub fn select(&self, events: impl IntoIterator<Item = (u64, Event)>) -> Vec<Event> {
        self.numbered(events)
            .into_iter()
            .map(|(_, event)| event)
            .collect()
    }

    pub(super) fn numbered(
        &self,
        events: impl IntoIterator<Item = (u64, Event)>,
    ) -> Vec<(u64, Event)> {
        let mut found: Vec<_> = events
            .into_iter()
            .filter(|(_, event)| self.matches(event))
            .collect();
        if self.oldest_first {
            found.sort_by_key(|(number, event)| (event.time, *number));
        } else {
            found.sort_by_key(|(number, event)| Reverse((event.time, *number)));
        }
        let limit = self.limit.unwrap_or(usize::MAX);
        found.into_iter().skip(self.offset).take(limit).collect()
    }

    /// How many events are wanted at most; `None` for all.
    pub fn limit(&self) -> Option<usize> {
        self.limit
    }

    /// How many of the first are to be passed over.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Whether the oldest come first instead of the newest.
    pub fn is_oldest_first(&self) -> bool {
        self.oldest_first
    }

    /// The same without limit and offset.
    pub(super) fn whole(&self) -> Self {
        Self {
            limit: None,
            offset: 0,
            ..self.clone()
        }
    }
}

/// The agent as history knows it: its id, or its name if it has no id; and its name. Empty texts are none.
pub(super) fn agent_of(who: &Who) -> Option<(&str, Option<&str>)> {
    let some = |text: &'_ Option<Arc<str>>| text.as_deref().is_some_and(|text| !text.is_empty());
    let id = who.agent_id.as_deref().filter(|_| some(&who.agent_id));
    let name = who.agent_name.as_deref().filter(|_| some(&who.agent_name));
    id.or(name).map(|id| (id, name))
}

/// The user an event is about: its attribute `user.id`.
pub(super) fn user_of(event: &Event) -> Option<&str> {
    event.attr(semconv::USER_ID)?.as_str()
}
