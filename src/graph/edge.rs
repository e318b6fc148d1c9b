//! The eight ways one event can stand to another. Four are said by the event itself, in its [`Causality`]; the other four are
//! the same seen from the other end.
//!
//! Promise: an edge is there exactly when its inverse is, because only the said half is stored.
//!
//! [`Causality`]: crate::event::Causality

use std::fmt;

use crate::event::{EventData, EventId};

/// How one event stands to another. Read `a —Parent→ b` as "b is a's parent".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Edge {
    /// To the `started` event of the enclosing span.
    Parent,
    /// To what happened directly inside.
    Child,
    /// To the event named as the cause, maybe in another trace.
    TriggeredBy,
    /// To what this event is named as the cause of.
    Trigger,
    /// To the event before it in the same execution.
    Previous,
    /// To the event after it in the same execution.
    Next,
    /// From an end to the `started` event of the same span.
    Started,
    /// From a start to the end of the same span.
    CompletedBy,
}

impl Edge {
    /// All eight, each before its inverse.
    pub const ALL: [Self; 8] = [
        Self::Parent,
        Self::Child,
        Self::TriggeredBy,
        Self::Trigger,
        Self::Previous,
        Self::Next,
        Self::Started,
        Self::CompletedBy,
    ];

    /// The four an event says of itself.
    pub(super) const SAID: [Self; 4] = [
        Self::Parent,
        Self::TriggeredBy,
        Self::Previous,
        Self::Started,
    ];

    /// The same edge seen from the other end.
    #[must_use]
    pub const fn inverse(self) -> Self {
        match self {
            Self::Parent => Self::Child,
            Self::Child => Self::Parent,
            Self::TriggeredBy => Self::Trigger,
            Self::Trigger => Self::TriggeredBy,
            Self::Previous => Self::Next,
            Self::Next => Self::Previous,
            Self::Started => Self::CompletedBy,
            Self::CompletedBy => Self::Started,
        }
    }

    /// The name, in lower case with `_`: `triggered_by`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parent => "parent",
            Self::Child => "child",
            Self::TriggeredBy => "triggered_by",
            Self::Trigger => "trigger",
            Self::Previous => "previous",
            Self::Next => "next",
            Self::Started => "started",
            Self::CompletedBy => "completed_by",
        }
    }

    /// Where `event` says this edge leads. An event that names itself says nothing.
    pub(super) fn said(self, event: &EventData) -> Option<EventId> {
        let target = match self {
            Self::Parent => event.cx.parent_event,
            Self::TriggeredBy => event.cx.triggered_by,
            Self::Previous => event.cx.previous,
            Self::Started => event.cx.started_event,
            Self::Child | Self::Trigger | Self::Next | Self::CompletedBy => None,
        };
        target.filter(|target| *target != event.id)
    }
}

impl fmt::Display for Edge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_edge_has_an_inverse_and_one_half_of_each_pair_is_said() {
        for pair in Edge::ALL.chunks(2) {
            assert_eq!(pair[0].inverse(), pair[1]);
            assert_eq!(pair[1].inverse(), pair[0]);
            assert!(Edge::SAID.contains(&pair[0]) && !Edge::SAID.contains(&pair[1]));
        }
    }
}
