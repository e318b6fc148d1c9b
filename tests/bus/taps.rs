//! Taps: inline, before everybody else, contained.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tracing_genai::bus::{Bus, Filter, Subscription};

use crate::support::*;

#[test]
fn a_tap_sees_events_on_the_publishing_thread_before_any_subscription_has_them() {
    let bus = Bus::new();
    let subscription = Arc::new(OnceLock::<Mutex<Subscription>>::new());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (log, reader) = (Arc::clone(&seen), Arc::clone(&subscription));
    bus.tap(Filter::new(), move |event| {
        let unread = reader.get().unwrap().lock().unwrap().unread();
        let here = thread::current().id();
        log.lock().unwrap().push((event.cursor, unread, here));
    });
    let _ = subscription.set(Mutex::new(bus.subscribe()));
    publish(&bus, 0..2);
    let here = thread::current().id();
    assert_eq!(*seen.lock().unwrap(), [(0, 0, here), (1, 1, here)]);
    assert_eq!((bus.stats().taps, bus.stats().handlers), (1, 0));
}

#[test]
fn a_tap_that_panics_is_counted_by_its_place_and_harms_neither_publisher_nor_others() {
    silence_expected_panics();
    let bus = Bus::new();
    let line = line!() + 1;
    bus.tap(Filter::new(), |_| panic!("expected: a tap"));
    let mut subscription = bus.subscribe();
    assert!(catch_unwind(AssertUnwindSafe(|| publish(&bus, 0..3))).is_ok());
    assert_eq!(drain(&mut subscription).len(), 3);
    assert_eq!(
        bus.stats().handler_errors[&format!("tap at {}:{line}", file!())],
        3
    );
}

#[test]
fn a_removed_tap_sees_nothing_more_and_what_it_captured_is_dropped() {
    let bus = Bus::new();
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    let guard = bus.guard(bus.tap(Filter::new(), move |_| {
        count.fetch_add(1, Ordering::SeqCst);
    }));
    publish(&bus, 0..2);
    drop(guard);
    assert!(!bus.has_interest());
    publish(&bus, 2..9);
    assert_eq!(
        (seen.load(Ordering::SeqCst), Arc::strong_count(&seen)),
        (2, 1)
    );
}

#[test]
fn a_tap_that_publishes_its_own_event_again_ends_at_the_depth_limit() {
    let bus = Bus::new();
    let inside = bus.clone();
    let depths = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&depths);
    bus.tap(Filter::new(), move |event| {
        log.lock().unwrap().push(Bus::depth());
        inside.publish_at_depth(event.clone(), 0);
    });
    publish(&bus, 0..1);
    assert!(
        depths
            .lock()
            .unwrap()
            .iter()
            .copied()
            .eq(1..=Bus::MAX_DEPTH + 1)
    );
    assert_eq!((bus.stats().too_deep, Bus::depth()), (1, 0));
    bus.close();
}

#[test]
fn a_tap_may_use_its_own_bus_and_remove_itself() {
    let bus = Bus::new();
    let inside = bus.clone();
    let own = Arc::new(OnceLock::new());
    let id = Arc::clone(&own);
    let seen = bus.tap(Filter::new(), move |_| {
        drop(inside.subscribe());
        inside.off(inside.on_event(|_| ()));
        assert!(inside.off(id.get().unwrap()));
        let _ = inside.flush(in_time());
    });
    own.set(seen).unwrap();
    within("a tap that uses its bus", move || {
        publish(&bus, 0..3);
        assert_eq!((bus.stats().taps, bus.stats().published), (0, 1));
        assert!(bus.stats().handler_errors.is_empty());
    });
}

#[test]
fn a_tap_is_gone_with_its_bus() {
    let captured = Arc::new(());
    for closes in [true, false] {
        let bus = Bus::new();
        let inside = Arc::clone(&captured);
        bus.tap(Filter::new(), move |_| {
            let _kept = &inside;
        });
        if closes {
            bus.close();
            bus.tap(Filter::new(), |_| unreachable!("the bus is closed"));
            publish(&bus, 0..1);
        }
        drop(bus);
        assert_eq!(Arc::strong_count(&captured), 1);
    }
}
