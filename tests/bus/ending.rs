//! Flushing and closing.

use std::{
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::Instant,
};

use tracing_genai::bus::{Bus, RecvError};

use crate::support::*;

#[test]
fn flush_waits_for_everything_published_before_it() {
    let bus = Bus::new();
    let done = Arc::new(AtomicUsize::new(0));
    for _ in 0..3 {
        let done = Arc::clone(&done);
        bus.on_event(move |_| {
            thread::yield_now();
            done.fetch_add(1, Ordering::SeqCst);
        });
    }
    for round in 1..=50 {
        publish(&bus, 0..4);
        flush(&bus);
        assert_eq!(done.load(Ordering::SeqCst), round * 12);
    }
}

#[test]
fn flush_without_handlers_is_complete_at_once() {
    let bus = Bus::new();
    let _subscription = bus.subscribe();
    publish(&bus, 0..3);
    assert!(bus.flush(Instant::now()).complete);
}

#[test]
fn a_flush_that_runs_out_of_time_says_how_many_are_pending() {
    let bus = Bus::new();
    let (release, stuck) = mpsc::channel::<()>();
    let stuck = Mutex::new(stuck);
    bus.on_event(move |_| {
        let _ = stuck.lock().unwrap().recv();
    });
    publish(&bus, 0..5);
    let report = bus.flush(Instant::now());
    assert_eq!((report.complete, report.pending), (false, 5));
    drop(release);
    flush(&bus);
}

#[test]
fn a_closed_bus_refuses_and_counts_and_lets_readers_finish() {
    let bus = Bus::new();
    let mut subscription = bus.subscribe();
    let called = Arc::new(AtomicBool::new(false));
    publish(&bus, 0..2);
    bus.close();
    bus.close();
    publish(&bus, 2..5);
    assert_eq!(drain(&mut subscription), [Some(0), Some(1)]);
    assert_eq!(subscription.recv_timeout(DEADLINE), Err(RecvError::Closed));
    assert_eq!(bus.stats().after_close, 3);
    assert!(!bus.has_interest());

    let late = Arc::clone(&called);
    bus.on_event(move |_| late.store(true, Ordering::SeqCst));
    assert_eq!(
        bus.subscribe().recv_timeout(DEADLINE),
        Err(RecvError::Closed)
    );
    bus.publish(event("step.completed", 9));
    assert!(bus.flush(Instant::now()).complete);
    assert!(!called.load(Ordering::SeqCst));
}

#[test]
fn closing_with_events_still_queued_counts_them_and_frees_the_handlers() {
    let bus = Bus::new();
    let (release, stuck) = mpsc::channel::<()>();
    let (entered, entering) = mpsc::channel();
    let stuck = Mutex::new(stuck);
    let captured = Arc::new(());
    let inside = Arc::clone(&captured);
    bus.on_event(move |_| {
        let _keep = &inside;
        entered.send(()).unwrap();
        let _ = stuck.lock().unwrap().recv();
    });
    publish(&bus, 0..10);
    entering.recv_timeout(DEADLINE).unwrap();
    bus.close();
    assert_eq!(bus.stats().handler_discarded, 9);
    drop(release);
    until("the thread let go of the handler", || {
        Arc::strong_count(&captured) == 1 && bus.stats().handled == 1
    });
    let stats = bus.stats();
    assert_eq!(
        (
            stats.handled,
            stats.handler_discarded,
            stats.handler_pending,
            stats.handlers
        ),
        (1, 9, 0, 0)
    );
}

#[test]
fn nothing_holds_a_handler_once_its_bus_is_gone() {
    let bus = Bus::new();
    let captured = Arc::new(());
    let weak: Weak<()> = Arc::downgrade(&captured);
    bus.on_event(move |_| {
        let _keep = &captured;
    });
    publish(&bus, 0..1);
    flush(&bus);
    drop(bus);
    until("nothing holds the handler", || weak.upgrade().is_none());
}

#[test]
fn a_closed_bus_says_once_on_stderr_that_it_refuses_events() {
    let test = "ending::a_closed_bus_says_once_on_stderr_that_it_refuses_events";
    let stderr = alone(test, || {
        let bus = Bus::new();
        bus.close();
        publish(&bus, 0..100);
        assert_eq!(bus.stats().after_close, 100);
    });
    if let Some(stderr) = stderr {
        assert_eq!(stderr.matches("tracing-genai: ").count(), 1, "{stderr}");
        assert!(stderr.contains("closed"), "{stderr}");
    }
}

#[test]
fn the_global_bus_is_one_and_nobody_elses() {
    let own = Bus::new();
    let mut global = Bus::global().subscribe_to("global.test").unwrap();
    let mut theirs = own.subscribe();
    Bus::global().publish(event("global.test", 1));
    own.publish(event("global.test", 2));
    assert_eq!(drain(&mut global), [Some(1)]);
    assert_eq!(drain(&mut theirs), [Some(2)]);
}
