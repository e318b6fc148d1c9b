//! What a handler is referred to by: itself, or its name.
//!
//! Promise: numbers are unique in the process, so an id of one bus never removes a handler of another.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

/// Refers to a handler or a tap: to one, when it came from adding it; to all of a name, when made by [`HandlerId::new`].
///
/// Wherever one is taken, a name is taken as well: `bus.off("audit")`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HandlerId {
    /// Zero refers to all of the name.
    number: u64,
    name: Arc<str>,
}

impl HandlerId {
    /// Refers to the handlers of this name, those there are when it is used.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self {
            number: 0,
            name: name.into(),
        }
    }

    /// The id of one more handler.
    pub(in crate::bus) fn next(name: Arc<str>) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        Self {
            number: LAST.fetch_add(1, Ordering::Relaxed) + 1,
            name,
        }
    }

    /// The handler's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it refers to the handler that has the id `other`.
    pub(in crate::bus) fn means(&self, other: &Self) -> bool {
        match self.number {
            0 => self.name == other.name,
            number => number == other.number,
        }
    }
}

impl fmt::Display for HandlerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

impl From<&Self> for HandlerId {
    fn from(id: &Self) -> Self {
        id.clone()
    }
}

impl From<&str> for HandlerId {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for HandlerId {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}
