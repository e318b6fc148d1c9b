//! What a handler may do to its own bus.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
    mpsc,
};

use tracing_genai::{bus::Bus, event::StepStarted};

use crate::support::*;

#[test]
fn a_handler_that_emits_its_own_event_again_ends_at_the_depth_limit() {
    let bus = Bus::new();
    let emitter = bus.clone();
    let depths = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&depths);
    bus.on_event(move |event| {
        seen.lock().unwrap().push(Bus::depth());
        emitter.publish(event.clone());
    });
    bus.publish(event("step.completed", 0));
    until("the chain ends", || bus.stats().too_deep == 1);
    flush(&bus);
    assert!(
        depths
            .lock()
            .unwrap()
            .iter()
            .copied()
            .eq(1..=Bus::MAX_DEPTH + 1)
    );
    assert_eq!(bus.stats().handled, u64::from(Bus::MAX_DEPTH) + 1);
    bus.close();
}

#[test]
fn two_buses_that_answer_each_other_end_at_the_depth_limit_too() {
    let (ping, pong) = (Bus::new(), Bus::new());
    for (from, to) in [(&ping, pong.clone()), (&pong, ping.clone())] {
        from.on_event(move |event| to.publish(event.clone()));
    }
    ping.publish(event("step.completed", 0));
    until("the chain ends", || {
        ping.stats().too_deep + pong.stats().too_deep == 1
    });
    assert_eq!(
        ping.stats().published + pong.stats().published,
        u64::from(Bus::MAX_DEPTH) + 1
    );
    ping.close();
    pong.close();
}

#[test]
fn depth_can_travel_with_an_event_by_way_of_another_thread() {
    let bus = Bus::new();
    let _subscription = bus.subscribe();
    assert_eq!(Bus::depth(), 0);
    bus.publish_at_depth(event("step.completed", 0), Bus::MAX_DEPTH);
    bus.publish_at_depth(event("step.completed", 0), Bus::MAX_DEPTH + 1);
    let stats = bus.stats();
    assert_eq!((stats.published, stats.too_deep), (1, 1));
}

#[test]
fn a_handler_may_subscribe_unsubscribe_add_remove_and_publish() {
    let bus = Bus::new();
    let inside = bus.clone();
    let kept = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&kept);
    let id = bus.on::<StepStarted>(move |_| {
        drop(inside.subscribe());
        let subscription = inside.subscribe();
        let other = inside.on_event(|_| ());
        assert!(inside.off(other));
        inside.publish(event("step.completed", 1));
        *keep.lock().unwrap() = Some(subscription);
    });
    bus.publish(event("step.started", 0));
    flush(&bus);
    let mut subscription = kept
        .lock()
        .unwrap()
        .take()
        .expect("the handler ran to its end");
    assert_eq!(drain(&mut subscription), [Some(1)]);
    assert!(bus.off(id));
    assert!(bus.stats().handler_errors.is_empty());
}

#[test]
fn a_handler_may_remove_itself() {
    let bus = Bus::new();
    let (sender, own_id) = mpsc::channel();
    let (inside, own_id) = (bus.clone(), Mutex::new(own_id));
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let id = bus.on_event(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        inside.off(own_id.lock().unwrap().recv().unwrap());
    });
    sender.send(id).unwrap();
    publish(&bus, 0..5);
    flush(&bus);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    until("the closure is gone", || Arc::strong_count(&calls) == 1);
}

#[test]
fn a_handler_may_flush_close_and_drop_the_bus_without_waiting_for_itself() {
    let bus = Bus::new();
    let slot = Arc::new(Mutex::new(Some(bus.clone())));
    let inside = Arc::clone(&slot);
    let (sender, reports) = mpsc::channel();
    bus.on_event(move |_| {
        let Some(bus) = inside.lock().unwrap().take() else {
            return;
        };
        sender.send(bus.flush(in_time())).unwrap();
        bus.close();
    });
    publish(&bus, 0..3);
    let report = reports
        .recv_timeout(DEADLINE / 2)
        .expect("the flush came back at once");
    assert!(!report.complete);
    until("the bus is closed", || !bus.has_interest());
}
