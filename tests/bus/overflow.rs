//! What happens when a subscription is full, above all when it blocks.

use std::{
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use tracing_genai::bus::{Bus, Delivery, Overflow, Subscription};

use crate::support::*;

fn blocking(bus: &Bus, capacity: usize, at_most: Duration) -> Subscription {
    bus.subscribe_with(capacity, Overflow::Block { at_most })
}

#[test]
fn a_publisher_waits_for_a_reader_that_makes_room_and_nothing_is_lost() {
    const EVENTS: u64 = 2_000;
    let bus = Bus::new();
    let mut subscription = blocking(&bus, 3, DEADLINE);
    let publisher = bus.clone();
    let publishing = thread::spawn(move || {
        publish(&publisher, 0..EVENTS);
        publisher.close();
    });
    until("the publisher waits", || bus.stats().blocked == 1);
    assert_eq!(subscription.unread(), 3);
    let mut expected = 0;
    while let Some(delivery) = subscription.recv() {
        assert_eq!(delivery.event().expect("nothing is lost").cursor, expected);
        expected += 1;
    }
    publishing.join().unwrap();
    assert_eq!((expected, bus.stats().lagged), (EVENTS, 0));
    assert_books(&bus);
}

#[test]
fn a_publisher_waits_once_for_a_reader_that_is_gone_and_counts_what_is_missing() {
    let bus = Bus::new();
    let mut subscription = blocking(&bus, 2, Duration::from_millis(1));
    publish(&bus, 0..10);
    let stats = bus.stats();
    assert_eq!((stats.blocked, stats.lagged), (1, 8));
    assert_eq!(subscription.try_recv().unwrap().event().unwrap().cursor, 0);
    publish(&bus, 10..13);
    let stats = bus.stats();
    assert_eq!(
        (stats.blocked, stats.lagged),
        (2, 10),
        "room made is a new chance"
    );
    let mut read = vec![Some(1)];
    read.extend([None; 8]);
    read.extend([Some(10), None, None]);
    assert_eq!(drain(&mut subscription), read);
    assert_books(&bus);
}

#[test]
fn closing_the_bus_or_dropping_the_subscription_ends_the_wait() {
    for drops in [false, true] {
        let bus = Bus::new();
        let subscription = blocking(&bus, 1, DEADLINE);
        let publisher = bus.clone();
        let publishing = thread::spawn(move || publish(&publisher, 0..2));
        until("the publisher waits", || bus.stats().blocked == 1);
        if drops {
            drop(subscription);
        } else {
            bus.close();
        }
        within("the publisher goes on", move || publishing.join().unwrap());
        assert_books(&bus);
    }
}

#[test]
fn a_handler_that_waits_for_itself_goes_on_when_the_time_is_up() {
    let bus = Bus::new();
    let subscription = Arc::new(Mutex::new(blocking(&bus, 1, Duration::from_millis(1))));
    let (inside, reader) = (bus.clone(), Arc::clone(&subscription));
    bus.on::<tracing_genai::event::StepStarted>(move |_| {
        let mut reader = reader.lock().unwrap();
        publish(&inside, 1..5);
        while reader.try_recv().is_some() {}
    });
    bus.publish(event("step.started", 0));
    flush(&bus);
    let stats = bus.stats();
    assert_eq!((stats.delivered, stats.lagged, stats.unread), (1, 4, 0));
}

#[test]
fn without_patience_blocking_is_dropping_the_newest() {
    let bus = Bus::new();
    let mut subscription = blocking(&bus, 1, Duration::ZERO);
    publish(&bus, 0..3);
    assert_eq!(subscription.try_recv().unwrap().event().unwrap().cursor, 0);
    assert_eq!(subscription.try_recv(), Some(Delivery::Lagged(2)));
    assert_eq!(bus.stats().blocked, 0);
}
