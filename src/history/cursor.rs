//! Reading on from where one stopped.
//!
//! Promise: cursors grow in the order in which a store took events in, and are never used again.
//! Never: comparable between two stores.

use std::{fmt, num::ParseIntError, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::event::Event;

/// A place in a store: after the event of this number. Write it down, and read on from it in another process.
///
/// ```
/// use tracing_genai::history::Cursor;
///
/// let saved = Cursor::START.to_string();
/// assert_eq!(saved.parse(), Ok(Cursor::START));
/// ```
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Cursor(pub(super) u64);

impl Cursor {
    /// Before the first event.
    pub const START: Self = Self(0);

    /// After the event of this number: for stores of one's own, and for the `id` column of the SQLite file.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The text is not a cursor.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor: a whole number from 0 was expected")]
pub struct ParseCursorError(#[source] ParseIntError);

impl FromStr for Cursor {
    type Err = ParseCursorError;

    fn from_str(text: &str) -> Result<Self, ParseCursorError> {
        text.parse().map(Self).map_err(ParseCursorError)
    }
}

/// Some events in the order in which a store took them in.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct Page {
    /// The events, each with the cursor that comes after it: whoever handled only a part reads on from there.
    pub events: Vec<(Cursor, Event)>,
    /// Where to read on. The cursor that was asked for, if there is nothing after it.
    pub next: Cursor,
    /// Events between the two that are gone because they were the oldest (the ring was full, or retention took them),
    /// with those erased around them. What was only erased is not missed.
    pub missed: u64,
}

impl Page {
    /// A page of `found`, which are all events after `cursor` or the first `limit` of them, from a store that dropped
    /// events up to and including the number `dropped`.
    pub(super) fn new(
        cursor: Cursor,
        limit: usize,
        found: Vec<(Cursor, Event)>,
        dropped: u64,
    ) -> Self {
        let last = found.last().map_or(cursor, |(last, _)| *last);
        let next = if found.len() < limit {
            last.max(Cursor(dropped))
        } else {
            last
        };
        let end = next.0.min(dropped);
        let there = found.iter().filter(|(at, _)| at.0 <= end).count() as u64;
        Self {
            events: found,
            next,
            missed: end.saturating_sub(cursor.0).saturating_sub(there),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventData, EventType};

    fn page(cursor: u64, limit: usize, numbers: &[u64], dropped: u64) -> (u64, u64) {
        let event = |n: &u64| {
            let ty = EventType::from_lossy("a.b");
            let event = EventData::new(ty, std::time::SystemTime::UNIX_EPOCH).into();
            (Cursor(*n), event)
        };
        let found = numbers.iter().map(event).collect();
        let page = Page::new(Cursor(cursor), limit, found, dropped);
        (page.next.0, page.missed)
    }

    #[test]
    fn what_is_missing_is_counted_once_over_all_pages() {
        assert_eq!(page(0, 10, &[1, 2, 3], 0), (3, 0));
        assert_eq!(page(3, 10, &[], 0), (3, 0));
        assert_eq!(page(0, 10, &[6, 7], 5), (7, 5));
        assert_eq!(page(0, 10, &[], 5), (5, 5));
        assert_eq!(page(9, 10, &[], 5), (9, 0));
        // 3 and 5 are gone, 4 was kept: first page, second page.
        assert_eq!(page(0, 2, &[1, 2], 5), (2, 0));
        assert_eq!(page(2, 2, &[4, 6], 5), (6, 2));
        assert_eq!(page(0, 0, &[], 5), (0, 0));
    }

    #[test]
    fn a_cursor_survives_text_and_json() {
        let cursor = Cursor::new(42);
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        let json = serde_json::to_string(&cursor).unwrap();
        assert_eq!(json, "42");
        assert_eq!(serde_json::from_str::<Cursor>(&json).unwrap(), cursor);
        assert!("-1".parse::<Cursor>().is_err());
    }
}
