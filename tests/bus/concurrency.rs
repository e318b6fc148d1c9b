//! Everything at once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use tracing_genai::{
    bus::{Bus, Filter, Handler, HandlerId, Overflow},
    event::StepCompleted,
};

use crate::support::*;

#[test]
fn handlers_and_subscriptions_come_and_go_while_others_publish() {
    const EACH: u64 = 2_000;
    let bus = Bus::new();
    let steady = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&steady);
    bus.on_event(move |_| {
        let _ = counter.fetch_add(1, Ordering::Relaxed);
    });
    let mut reader = bus.subscribe_with(1 << 20, Overflow::DropOldest);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| publish(&bus, 0..EACH));
        }
        for _ in 0..2 {
            scope.spawn(|| {
                for _ in 0..500 {
                    let id = bus.on::<StepCompleted>(|_| ());
                    assert!(bus.off(id));
                }
            });
            scope.spawn(|| {
                for _ in 0..500 {
                    let mut passing = bus.subscribe_with(2, Overflow::DropOldest);
                    passing.try_recv();
                }
            });
        }
    });
    flush(&bus);
    assert_eq!(
        drain(&mut reader).into_iter().flatten().count() as u64,
        4 * EACH
    );
    let stats = bus.stats();
    assert_eq!(
        steady.load(Ordering::Relaxed) as u64,
        4 * EACH - stats.handler_lagged
    );
    assert_eq!((stats.handlers, stats.subscriptions), (1, 1));
    assert_eq!(
        stats.offered,
        stats.delivered + stats.lagged + stats.unread + stats.discarded
    );
}

#[test]
fn closing_while_others_publish_and_subscribe_leaves_nothing_open() {
    for _ in 0..50 {
        let bus = Bus::new();
        thread::scope(|scope| {
            scope.spawn(|| publish(&bus, 0..200));
            scope.spawn(|| {
                for _ in 0..50 {
                    bus.on_event(|_| ());
                    drop(bus.subscribe());
                }
            });
            scope.spawn(|| bus.close());
        });
        let stats = bus.stats();
        assert_eq!((stats.handlers, stats.subscriptions), (0, 0));
        assert!(!bus.has_interest());
    }
}

#[test]
fn eight_threads_change_the_handlers_while_all_of_them_publish() {
    const EACH: u64 = 300;
    let bus = Bus::with_handler_queue(1 << 16);
    let calls = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&calls);
    let steady = bus.on_event(move |_| {
        let _ = count.fetch_add(1, Ordering::Relaxed);
    });
    thread::scope(|scope| {
        for number in 0..8 {
            let (bus, steady) = (&bus, &steady);
            scope.spawn(move || {
                for round in 0..EACH {
                    publish(bus, round..round + 1);
                    let name = format!("thread {number}");
                    let after = Handler::named(name.as_str()).on::<StepCompleted>(|_| ());
                    bus.add(after.after(steady)).unwrap();
                    let waiting = bus.on_event_async(async |_| tokio::task::yield_now().await);
                    let tap = bus.tap(Filter::new(), |_| ());
                    publish(bus, round..round + 1);
                    for id in [HandlerId::new(name), waiting, tap] {
                        assert!(bus.off(id));
                    }
                }
            });
        }
    });
    flush(&bus);
    let stats = bus.stats();
    assert_eq!(stats.handler_lagged, 0);
    assert_eq!(calls.load(Ordering::Relaxed) as u64, 8 * EACH * 2);
    assert_eq!((stats.handlers, stats.taps), (1, 0));
    assert!(stats.handler_errors.is_empty(), "{stats:?}");
    assert_eq!(bus.validate_dependencies(), Ok(()));
}
