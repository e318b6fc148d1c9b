//! Which events somebody wants.
//!
//! Promise: deciding is a comparison, so that it may happen on the publisher's thread. Never: runs user code.

use crate::event::{Event, EventType};

/// What a handler asked for.
#[derive(Debug, Clone)]
pub(super) enum Selector {
    /// Every event.
    All,
    /// The events of one type.
    Type(EventType),
}

impl Selector {
    /// The selector of a type's printed form. A text that is no event type selects everything, so that whoever
    /// reads the event decides.
    pub(super) fn of(text: &str) -> Self {
        EventType::parse(text).map_or(Self::All, Self::Type)
    }

    pub(super) fn matches(&self, event: &Event) -> bool {
        match self {
            Self::All => true,
            Self::Type(ty) => event.ty == *ty,
        }
    }
}
