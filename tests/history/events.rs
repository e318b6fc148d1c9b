//! What the tests tell each other: events, stores, and the way through both kinds.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;
use tracing_genai::event::{Event, EventData, EventType};
use tracing_genai::history::{EventStore, History, MemoryStore, SqliteStore};

/// 2025-01-01T00:00:00Z and so many seconds.
pub(crate) fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(1_735_689_600 + seconds)
}

/// An event of this type at this second, changed.
pub(crate) fn event(ty: &str, seconds: u64, change: impl FnOnce(&mut EventData)) -> Event {
    let mut data = EventData::new(EventType::parse(ty).unwrap(), at(seconds));
    change(&mut data);
    data.into()
}

/// So many events, a second apart.
pub(crate) fn many(n: u64) -> Vec<Event> {
    (0..n)
        .map(|n| event("step.completed", n, |data| data.attrs.set("n", n)))
        .collect()
}

/// A directory and the path of a database in it.
pub(crate) fn place() -> (TempDir, PathBuf) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("events.db");
    (directory, path)
}

/// A store of either kind, empty, and its history.
pub(crate) struct Store<'s> {
    pub(crate) kind: &'static str,
    pub(crate) store: &'s dyn EventStore,
    pub(crate) history: History,
}

/// Runs `test` on an empty store of each kind.
pub(crate) fn on_both(test: impl Fn(Store<'_>)) {
    let memory = MemoryStore::new();
    test(Store {
        kind: "memory",
        store: &memory,
        history: History::new(memory.clone()),
    });
    let (_directory, path) = place();
    let sqlite = SqliteStore::open(path).unwrap();
    test(Store {
        kind: "SQLite",
        store: &sqlite,
        history: History::new(sqlite.clone()),
    });
}

/// The values of the attribute `n`.
pub(crate) fn numbers(events: &[Event]) -> Vec<i64> {
    let number = |event: &Event| event.attr("n").and_then(|n| n.as_i64()).unwrap();
    events.iter().map(number).collect()
}
