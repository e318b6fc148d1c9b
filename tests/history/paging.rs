//! Reading on from a cursor.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tracing_genai::history::{Cursor, EventStore, History, MemoryStore, SqliteStore};

use super::events::{event, many, numbers, on_both, place};
use super::support::waiting::until;

#[test]
fn a_reader_gets_every_event_once_in_the_order_of_storing() {
    on_both(|on| {
        // Stored in the reverse order of their times.
        let mut events = many(25);
        events.reverse();
        on.store.append(&events).unwrap();
        let mut cursor = Cursor::START;
        let mut read = Vec::new();
        loop {
            let page = on.store.since(cursor, 10).unwrap();
            assert_eq!(page.missed, 0);
            if page.events.is_empty() {
                assert_eq!(page.next, cursor);
                break;
            }
            assert_eq!(page.events.last().unwrap().0, page.next);
            read.extend(page.events.into_iter().map(|(_, event)| event));
            cursor = page.next;
        }
        assert_eq!(read, events, "{}", on.kind);
        on.store.append(&[event("a.b", 0, |_| ())]).unwrap();
        let page = on.store.since(cursor, 10).unwrap();
        assert_eq!(page.events.len(), 1, "{}", on.kind);
    });
}

#[test]
fn the_cursor_of_an_event_in_the_middle_of_a_page_reads_on_there() {
    on_both(|on| {
        on.store.append(&many(10)).unwrap();
        let page = on.store.since(Cursor::START, 10).unwrap();
        let (cursor, _) = page.events[3];
        let rest = on.store.since(cursor, 100).unwrap();
        assert_eq!(rest.events, page.events[4..], "{}", on.kind);
    });
}

#[test]
fn a_reader_of_the_ring_learns_how_many_it_missed() {
    let store = MemoryStore::with_limits(10, usize::MAX);
    store.append(&many(5)).unwrap();
    let read = store.since(Cursor::START, 3).unwrap();
    assert_eq!((read.events.len(), read.missed), (3, 0));
    for n in 100..120 {
        store.push(event("a.b", n, |data| data.attrs.set("n", n)));
    }
    assert_eq!(store.stats().evicted, 15);
    // 4 to 15 went before they were read.
    let page = store.since(read.next, 4).unwrap();
    assert_eq!((page.missed, page.events.len()), (12, 4));
    let page = store.since(page.next, 100).unwrap();
    assert_eq!((page.missed, page.events.len()), (0, 6));
}

#[test]
fn the_ring_is_bounded_in_events_and_in_bytes() {
    let store = MemoryStore::with_limits(100, usize::MAX);
    store.append(&many(250)).unwrap();
    let stats = store.stats();
    assert_eq!((stats.events, stats.evicted), (100, 150));
    let history = History::new(store);
    assert_eq!(
        numbers(&history.limit(1).oldest_first().fetch().unwrap()),
        [150]
    );

    let store = MemoryStore::with_limits(1_000, 100_000);
    let large = |n| event("a.b", n, |data| data.body = Some("x".repeat(9_000).into()));
    store
        .append(&(0..50).map(large).collect::<Vec<_>>())
        .unwrap();
    let stats = store.stats();
    assert!(stats.bytes <= 100_000 && stats.events >= 5, "{stats:?}");
    assert_eq!(stats.events as u64 + stats.evicted, 50);

    // One that alone is too large evicts everything and itself, and says so.
    let huge = event("a.b", 9, |data| {
        data.body = Some("x".repeat(200_000).into())
    });
    assert!(store.push(huge));
    let stats = store.stats();
    assert_eq!((stats.events, stats.bytes, stats.evicted), (0, 0, 51));
    assert_eq!(store.since(Cursor::new(50), 10).unwrap().missed, 1);
}

#[test]
fn a_reader_beside_writing_threads_misses_and_repeats_nothing() {
    let (_directory, path) = place();
    let store = SqliteStore::open(path).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut read = Vec::new();
            let mut cursor = Cursor::START;
            loop {
                let last = done.load(Ordering::Acquire);
                let page = store.since(cursor, 64).unwrap();
                if page.events.is_empty() && last {
                    return read;
                }
                read.extend(page.events.iter().map(|(cursor, _)| cursor.number()));
                cursor = page.next;
            }
        });
        let writers: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    for batch in many(200).chunks(20) {
                        store.append(batch).unwrap();
                    }
                })
            })
            .collect();
        until("all written", || {
            writers.iter().all(|writer| writer.is_finished())
        });
        done.store(true, Ordering::Release);
        assert_eq!(reader.join().unwrap(), (1..=800).collect::<Vec<_>>());
    });
}
