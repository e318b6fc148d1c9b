//! Deleting: by filter, by age, for good.

use std::fs;
use std::time::{Duration, SystemTime};

use tracing_genai::EventWriter;
use tracing_genai::event::{Event, EventData, EventType};
use tracing_genai::history::{Cursor, EventStore, History, SqliteStore};

use super::events::{at, event, many, numbers, on_both, place};

const DAY: Duration = Duration::from_secs(86_400);

#[test]
fn erasing_an_agent_a_session_or_a_user_leaves_no_event_of_theirs() {
    on_both(|on| {
        let of = |n: u64| {
            event("llm.call.completed", n, |data| {
                data.attrs.set("n", n);
                match n % 4 {
                    0 => data.who.agent_id = Some("a".into()),
                    1 => data.who.session_id = Some("s".into()),
                    2 => data.attrs.set("user.id", "u"),
                    _ => {}
                }
            })
        };
        on.store
            .append(&(0..16).map(of).collect::<Vec<_>>())
            .unwrap();
        assert_eq!(on.history.agent("a").erase().unwrap(), 4, "{}", on.kind);
        assert_eq!(on.history.session("s").erase().unwrap(), 4, "{}", on.kind);
        assert_eq!(on.history.user("u").erase().unwrap(), 4, "{}", on.kind);
        assert_eq!(on.history.user("u").erase().unwrap(), 0, "{}", on.kind);
        let left = on.history.oldest_first().fetch().unwrap();
        assert_eq!(numbers(&left), [3, 7, 11, 15], "{}", on.kind);
        assert!(on.history.agents().unwrap().is_empty(), "{}", on.kind);
    });
}

#[test]
fn exactly_what_would_be_fetched_is_erased() {
    on_both(|on| {
        on.store.append(&many(10)).unwrap();
        // The third to fifth newest.
        assert_eq!(
            on.history.limit(3).offset(2).erase().unwrap(),
            3,
            "{}",
            on.kind
        );
        let left = on.history.oldest_first().fetch().unwrap();
        assert_eq!(numbers(&left), [0, 1, 2, 3, 4, 8, 9], "{}", on.kind);
        assert_eq!(on.history.limit(0).erase().unwrap(), 0, "{}", on.kind);
        assert_eq!(on.history.erase().unwrap(), 7, "{}", on.kind);
        // An erased event may come again, under a number of its own.
        assert_eq!(on.store.append(&many(1)).unwrap(), 1, "{}", on.kind);
        let page = on.store.since(Cursor::START, 10).unwrap();
        assert_eq!(
            (page.next, page.missed),
            (Cursor::new(11), 0),
            "{}",
            on.kind
        );
    });
}

/// More than one slice.
#[test]
fn thousands_are_erased_slice_by_slice() {
    on_both(|on| {
        on.store.append(&many(2_500)).unwrap();
        assert_eq!(
            on.history.limit(2_100).erase().unwrap(),
            2_100,
            "{}",
            on.kind
        );
        let left = on.history.fetch().unwrap();
        assert_eq!(left.len(), 400, "{}", on.kind);
        assert_eq!(numbers(&left)[0], 399, "{}", on.kind);
    });
}

/// Every file of the database in one.
fn bytes_of(path: &std::path::Path) -> Vec<u8> {
    let mut all = Vec::new();
    for suffix in ["", "-wal", "-shm"] {
        let mut name = path.as_os_str().to_owned();
        name.push(suffix);
        all.extend(fs::read(name).unwrap_or_default());
    }
    all
}

#[test]
fn what_was_erased_is_no_longer_in_the_files() {
    const CANARY: &[u8] = b"canary-7f3a";
    let (_directory, path) = place();
    let store = SqliteStore::open(&path).unwrap();
    let secret = |n| {
        event("llm.call.completed", n, |data| {
            data.who.agent_id = Some("canary-7f3a-agent".into());
            data.who.session_id = Some("canary-7f3a-session".into());
            data.body = Some("canary-7f3a and more of it ".repeat(300).into());
        })
    };
    store
        .append(&(0..50).map(secret).collect::<Vec<_>>())
        .unwrap();
    store.append(&many(50)).unwrap();
    let found = || {
        bytes_of(&path)
            .windows(CANARY.len())
            .any(|part| part == CANARY)
    };
    assert!(found());

    let history = History::new(store.clone());
    assert_eq!(history.agent("canary-7f3a-agent").erase().unwrap(), 50);
    assert!(!found(), "neither in the file nor in its log");
    assert_eq!(history.count().unwrap(), 50);

    let before = fs::metadata(&path).unwrap().len();
    store.vacuum().unwrap();
    let after = fs::metadata(&path).unwrap().len();
    assert!(after < before / 2, "{before} to {after} bytes");
    assert_eq!(history.count().unwrap(), 50);
}

#[test]
fn retention_deletes_what_is_older_and_says_how_many() {
    let (_directory, path) = place();
    let store = SqliteStore::builder()
        .path(path)
        .retention_days(30)
        .open()
        .unwrap();
    let old: Vec<Event> = (0..60)
        .map(|day| event("a.b", day * 86_400, |data| data.attrs.set("n", day)))
        .collect();
    store.append(&old).unwrap();
    let now = at(60 * 86_400);
    assert_eq!(store.retain(now).unwrap(), 30);
    let history = History::new(store.clone());
    assert_eq!(history.stats().unwrap().first, Some(at(30 * 86_400)));
    assert_eq!(store.retain(now).unwrap(), 0);
    assert_eq!(store.delete_before(at(40 * 86_400)).unwrap(), 10);

    // Whoever had read to 20 missed twenty.
    let page = store.since(Cursor::new(20), 100).unwrap();
    assert_eq!((page.missed, page.events.len()), (20, 20));
}

#[test]
fn without_a_retention_nothing_expires() {
    let (_directory, path) = place();
    let store = SqliteStore::open(path).unwrap();
    store.append(&many(3)).unwrap();
    assert_eq!(store.retain(at(0) + DAY * 100_000).unwrap(), 0);
    assert_eq!(History::new(store).count().unwrap(), 3);
}

#[test]
fn the_writer_deletes_expired_events_between_its_batches() {
    let (_directory, path) = place();
    let store = SqliteStore::builder()
        .path(path)
        .retention_days(1)
        .open()
        .unwrap();
    let history = History::new(store.clone());
    let mut writer = store.writer();
    let now = |n: u64| -> Event {
        let mut data = EventData::new(EventType::parse("a.b").unwrap(), SystemTime::now());
        data.attrs.set("n", n);
        data.into()
    };
    // Written with another tool's help, long ago: three slices of them.
    store.append(&many(2_500)).unwrap();
    writer.write(&[now(1)]).unwrap();
    assert_eq!(history.count().unwrap(), 1_501, "one slice with each batch");
    writer.write(&[now(2)]).unwrap();
    writer.sync().unwrap();
    writer.sync().unwrap();
    let left = history.oldest_first().fetch().unwrap();
    assert_eq!(numbers(&left), [1, 2]);
}
