//! What the bus promises: nothing missing that is not counted, nobody slowed down by anybody else.

#![allow(clippy::unwrap_used)] // clippy.toml allows it in tests, but not in their helper functions.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering},
        mpsc,
    },
    task::{Context, Poll, Wake, Waker},
    thread,
    time::{Duration, Instant, SystemTime},
};

use futures_util::{FutureExt, StreamExt};
use proptest::prelude::*;
use tracing_genai::{
    bus::{Bus, Delivery, Overflow, RecvError, Subscription},
    event::{Event, EventData, EventSpec, EventType, StepCompleted, StepStarted},
};

/// Generous: it only passes when something hangs.
const PATIENCE: Duration = Duration::from_secs(20);

fn event(ty: &str, number: u64) -> Event {
    let mut data = EventData::new(EventType::parse(ty).unwrap(), SystemTime::UNIX_EPOCH);
    data.cursor = number;
    data.attrs.set("custom.number", number);
    Event::new(data)
}

fn publish(bus: &Bus, numbers: std::ops::Range<u64>) {
    numbers.for_each(|number| bus.publish(event("step.completed", number)));
}

fn flush(bus: &Bus) {
    let report = bus.flush(Instant::now() + PATIENCE);
    assert!(report.complete, "{report:?}");
}

fn until(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < deadline, "never happened: {what}");
        thread::yield_now();
    }
}

/// Everything that can be read now: event numbers, and `None` per missing event.
fn drain(subscription: &mut Subscription) -> Vec<Option<u64>> {
    let mut read = Vec::new();
    while let Some(delivery) = subscription.try_recv() {
        match delivery {
            Delivery::Event(event) => read.push(Some(event.cursor)),
            Delivery::Lagged(missed) => {
                assert!(missed > 0);
                read.extend((0..missed).map(|_| None));
            }
        }
    }
    read
}

fn silence_expected_panics() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let default = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |info| {
            let expected = info
                .payload()
                .downcast_ref::<&str>()
                .is_some_and(|text| text.starts_with("expected:"));
            if !expected {
                default(info);
            }
        }));
    });
}

// === subscriptions ===

#[tokio::test]
async fn a_thousand_events_reach_two_subscribers_and_none_is_missing() {
    let bus = Bus::new();
    let subscriptions = [bus.subscribe(), bus.subscribe()];
    let publisher = bus.clone();
    let publishing = thread::spawn(move || {
        publish(&publisher, 0..1_000);
        publisher.close();
    });
    for subscription in subscriptions {
        let numbers: Vec<_> = subscription
            .map(|delivery| {
                delivery
                    .into_event()
                    .expect("1,000 fit into the default capacity")
                    .cursor
            })
            .collect()
            .await;
        assert!(numbers.into_iter().eq(0..1_000));
    }
    publishing.join().unwrap();
}

#[tokio::test(flavor = "current_thread")]
async fn a_stream_sleeps_until_another_thread_publishes() {
    let bus = Bus::new();
    let mut subscription = bus.subscribe();
    assert!(subscription.next().now_or_never().is_none());
    let publisher = bus.clone();
    let publishing = thread::spawn(move || publish(&publisher, 5..6));
    let delivery = tokio::time::timeout(PATIENCE, subscription.next())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(delivery.event().unwrap().cursor, 5);
    publishing.join().unwrap();
}

#[tokio::test(flavor = "current_thread")]
async fn a_reader_that_always_finds_events_lets_other_tasks_run() {
    let bus = Bus::new();
    let mut subscription = bus.subscribe_with(10_000, Overflow::DropOldest);
    publish(&bus, 0..10_000);
    bus.close();
    let read = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&read);
    let reading = tokio::spawn(async move {
        while subscription.next().await.is_some() {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    });
    tokio::task::yield_now().await;
    let so_far = read.load(Ordering::Relaxed);
    assert!(so_far > 0 && so_far < 10_000, "{so_far}");
    reading.await.unwrap();
    assert_eq!(read.load(Ordering::Relaxed), 10_000);
}

#[test]
fn a_blocking_reader_needs_no_runtime() {
    let bus = Bus::new();
    let mut subscription = bus.subscribe();
    assert_eq!(
        subscription.recv_timeout(Duration::ZERO),
        Err(RecvError::Timeout)
    );
    let reader = thread::spawn(move || {
        let mut numbers = Vec::new();
        while let Some(delivery) = subscription.recv() {
            numbers.push(delivery.into_event().unwrap().cursor);
        }
        numbers
    });
    publish(&bus, 0..10);
    bus.close();
    assert!(reader.join().unwrap().into_iter().eq(0..10));
}

#[test]
fn a_subscription_ends_when_the_last_handle_of_its_bus_is_gone() {
    let bus = Bus::new();
    let mut subscription = bus.subscribe();
    publish(&bus, 0..1);
    drop(bus);
    assert!(subscription.recv_timeout(PATIENCE).is_ok());
    assert_eq!(subscription.recv_timeout(PATIENCE), Err(RecvError::Closed));
    assert_eq!(subscription.recv(), None);
}

#[test]
fn a_full_subscription_drops_the_oldest_and_says_how_many_in_their_place() {
    let bus = Bus::new();
    let mut subscription = bus.subscribe_with(3, Overflow::DropOldest);
    publish(&bus, 0..10);
    assert_eq!(subscription.try_recv(), Some(Delivery::Lagged(7)));
    assert_eq!(drain(&mut subscription), [Some(7), Some(8), Some(9)]);
    publish(&bus, 10..11);
    assert_eq!(drain(&mut subscription), [Some(10)]);
}

#[test]
fn a_full_subscription_can_drop_the_newest_and_says_how_many_in_their_place() {
    let bus = Bus::new();
    let mut subscription = bus.subscribe_with(3, Overflow::DropNewest);
    publish(&bus, 0..5);
    assert_eq!(subscription.try_recv().unwrap().event().unwrap().cursor, 0);
    publish(&bus, 5..7);
    let expected = [Some(1), Some(2), None, None, Some(5), None];
    assert_eq!(drain(&mut subscription), expected);
    assert_eq!(subscription.try_recv(), None);
}

#[test]
fn a_slow_reader_learns_exactly_how_many_events_it_missed() {
    for overflow in [Overflow::DropOldest, Overflow::DropNewest] {
        const EVENTS: u64 = 20_000;
        let bus = Bus::new();
        let mut subscription = bus.subscribe_with(7, overflow);
        let publisher = bus.clone();
        let publishing = thread::spawn(move || {
            publish(&publisher, 0..EVENTS);
            publisher.close();
        });
        let (mut received, mut missed) = (0, 0);
        while let Some(delivery) = subscription.recv() {
            match delivery {
                Delivery::Event(event) => {
                    assert_eq!(
                        event.cursor,
                        received + missed,
                        "every event is in its place"
                    );
                    received += 1;
                }
                Delivery::Lagged(number) => missed += number,
            }
        }
        publishing.join().unwrap();
        assert_eq!(received + missed, EVENTS);
        let stats = bus.stats();
        assert_eq!(
            (stats.offered, stats.delivered, stats.lagged),
            (EVENTS, received, missed)
        );
    }
}

#[test]
fn a_slow_reader_costs_the_others_nothing() {
    let bus = Bus::new();
    let mut slow = bus.subscribe_with(1, Overflow::DropOldest);
    let mut quick = bus.subscribe();
    publish(&bus, 0..1_000);
    assert!(drain(&mut quick).into_iter().eq((0..1_000).map(Some)));
    assert_eq!(drain(&mut slow).len(), 1_000);
}

#[test]
fn a_dropped_subscription_gets_nothing_more_and_leaves_nothing_behind() {
    let bus = Bus::new();
    let dropped = bus.subscribe();
    let mut kept = bus.subscribe();
    publish(&bus, 0..2);
    drop(dropped);
    publish(&bus, 2..3);
    let stats = bus.stats();
    assert_eq!(
        (
            stats.subscriptions,
            stats.offered,
            stats.discarded,
            stats.unread
        ),
        (1, 5, 2, 3)
    );
    assert_eq!(drain(&mut kept).len(), 3);
    drop(kept);
    assert!(!bus.has_interest());
    let before = bus.stats();
    publish(&bus, 3..10);
    assert_eq!(bus.stats(), before);
}

#[test]
fn dropping_a_subscription_frees_its_events_and_its_waker() {
    struct Silent;
    impl Wake for Silent {
        fn wake(self: Arc<Self>) {}
    }
    let bus = Bus::new();
    let mut subscription = bus.subscribe();
    let wake = Arc::new(Silent);
    let waker = Waker::from(Arc::clone(&wake));
    assert!(matches!(
        subscription.poll_next_unpin(&mut Context::from_waker(&waker)),
        Poll::Pending
    ));
    drop(waker);
    assert_eq!(Arc::strong_count(&wake), 2);
    drop(subscription);
    assert_eq!(Arc::strong_count(&wake), 1);
}

#[test]
fn a_panicking_waker_harms_neither_the_publisher_nor_other_readers() {
    silence_expected_panics();
    struct Explosive;
    impl Wake for Explosive {
        fn wake(self: Arc<Self>) {
            panic!("expected: a waker of the application");
        }
    }
    let bus = Bus::new();
    let mut first = bus.subscribe();
    let mut second = bus.subscribe();
    let waker = Waker::from(Arc::new(Explosive));
    assert!(
        first
            .poll_next_unpin(&mut Context::from_waker(&waker))
            .is_pending()
    );
    assert!(catch_unwind(AssertUnwindSafe(|| publish(&bus, 0..1))).is_ok());
    assert_eq!((drain(&mut first).len(), drain(&mut second).len()), (1, 1));
}

#[tokio::test]
async fn cancelling_a_read_loses_nothing() {
    let bus = Bus::new();
    let mut subscription = bus.subscribe();
    for _ in 0..3 {
        assert!(subscription.next().now_or_never().is_none());
    }
    publish(&bus, 0..2);
    assert_eq!(
        subscription.next().await.unwrap().event().unwrap().cursor,
        0
    );
    assert_eq!(
        subscription.next().await.unwrap().event().unwrap().cursor,
        1
    );
}

proptest! {
    #[test]
    fn whatever_the_pace_every_event_is_read_or_missed_in_its_place(
        capacity in 0_usize..5,
        newest in any::<bool>(),
        steps in prop::collection::vec((0_u64..8, 0_usize..8), 0..40),
    ) {
        let bus = Bus::new();
        let overflow = if newest { Overflow::DropNewest } else { Overflow::DropOldest };
        let mut subscription = bus.subscribe_with(capacity, overflow);
        let (mut published, mut seen) = (0, 0);
        let mut read = |subscription: &mut Subscription, most: usize| {
            for _ in 0..most {
                match subscription.try_recv() {
                    Some(Delivery::Event(event)) => {
                        assert_eq!(event.cursor, seen);
                        seen += 1;
                    }
                    Some(Delivery::Lagged(missed)) => seen += missed,
                    None => break,
                }
                assert!(subscription.unread() <= capacity.max(1));
            }
            seen
        };
        for (more, reads) in steps {
            publish(&bus, published..published + more);
            published += more;
            read(&mut subscription, reads);
        }
        prop_assert_eq!(read(&mut subscription, usize::MAX), published);
        let stats = bus.stats();
        prop_assert_eq!(stats.offered, stats.delivered + stats.lagged + stats.unread + stats.discarded);
    }
}

// === handlers ===

#[test]
fn a_typed_handler_gets_its_type_and_nothing_else() {
    let bus = Bus::new();
    let (sender, seen) = mpsc::channel();
    bus.on::<StepCompleted>(move |step| sender.send(step.event.cursor).unwrap());
    for (number, ty) in (0..).zip([
        "step.started",
        "step.completed",
        "llm.call.completed",
        "step.completed_twice",
        "step.completed",
    ]) {
        bus.publish(event(ty, number));
    }
    flush(&bus);
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), [1, 4]);
}

#[test]
fn a_type_of_the_applications_own_can_be_handled_like_any_other() {
    struct InvoicePaid;
    impl EventSpec for InvoicePaid {
        const TYPE: &'static str = "billing.invoice.paid";
        type View<'e> = Option<i64>;

        fn view(event: &Event) -> Option<Self::View<'_>> {
            (event.ty == Self::TYPE).then(|| {
                event
                    .attr("custom.number")
                    .and_then(|number| number.as_i64())
            })
        }
    }
    let bus = Bus::new();
    let (sender, seen) = mpsc::channel();
    bus.on::<InvoicePaid>(move |number| sender.send(number).unwrap());
    bus.publish(event("billing.invoice.paid", 3));
    bus.publish(event("billing.invoice.failed", 4));
    flush(&bus);
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), [Some(3)]);
}

#[test]
fn the_whole_event_reaches_a_handler_attributes_included() {
    let bus = Bus::new();
    let (sender, seen) = mpsc::channel();
    bus.on_event(move |event| sender.send(event.clone()).unwrap());
    let sent = event("custom.thing", 9);
    bus.publish(sent.clone());
    flush(&bus);
    assert_eq!(seen.try_recv().unwrap(), sent);
}

#[test]
fn publishing_returns_while_a_handler_is_stuck_and_never_runs_it_inline() {
    let bus = Bus::new();
    let (release, stuck) = mpsc::channel::<()>();
    let (sender, threads) = mpsc::channel();
    let stuck = Mutex::new(stuck);
    bus.on_event(move |_| {
        sender
            .send(thread::current().name().map(str::to_owned))
            .unwrap();
        let _ = stuck.lock().unwrap().recv();
    });
    publish(&bus, 0..100);
    assert_eq!(
        threads.recv_timeout(PATIENCE).unwrap().as_deref(),
        Some("tracing-genai-bus")
    );
    assert_eq!(
        bus.stats().handler_pending,
        100,
        "publishing returned with the first event still in its handler"
    );
    drop(release);
    flush(&bus);
    assert_eq!(bus.stats().handled, 100);
}

#[test]
fn without_handlers_nothing_is_queued_for_them() {
    let bus = Bus::new();
    let _subscription = bus.subscribe();
    publish(&bus, 0..10);
    let stats = bus.stats();
    assert_eq!(
        (stats.handled, stats.handler_pending, stats.handler_lagged),
        (0, 0, 0)
    );
}

#[test]
fn a_panicking_handler_harms_no_other_and_is_reported_by_name() {
    silence_expected_panics();
    let bus = Bus::new();
    let (sender, seen) = mpsc::channel();
    bus.handler("budget")
        .on_event(|_| panic!("expected: over budget"));
    bus.handler("ui")
        .on_event(move |event| sender.send(event.cursor).unwrap());
    let line = line!() + 1;
    bus.on::<StepCompleted>(|_| panic!("expected: unnamed"));
    publish(&bus, 0..3);
    flush(&bus);
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), [0, 1, 2]);
    let unnamed = format!("step.completed at tests/bus.rs:{line}");
    assert_eq!(
        bus.stats().handler_errors,
        BTreeMap::from([("budget".to_owned(), 3), (unnamed, 3)])
    );
}

#[test]
fn a_panic_whose_payload_panics_when_dropped_is_contained_too() {
    silence_expected_panics();
    struct Payload;
    impl Drop for Payload {
        fn drop(&mut self) {
            panic!("expected: payload");
        }
    }
    let bus = Bus::new();
    bus.handler("bomb")
        .on_event(|_| std::panic::resume_unwind(Box::new(Payload)));
    publish(&bus, 0..2);
    flush(&bus);
    assert_eq!(bus.stats().handler_errors["bomb"], 2);
}

#[test]
fn handler_errors_stay_bounded_when_every_handler_has_a_new_name() {
    silence_expected_panics();
    let bus = Bus::new();
    for number in 0..300 {
        bus.handler(format!("handler {number}"))
            .on_event(|_| panic!("expected: one of many"));
    }
    publish(&bus, 0..1);
    flush(&bus);
    let errors = bus.stats().handler_errors;
    assert_eq!(errors.values().sum::<u64>(), 300);
    assert_eq!((errors.len(), errors["(others)"]), (257, 44));
}

#[test]
fn a_full_handler_queue_counts_what_it_does_not_take() {
    let bus = Bus::with_handler_queue(4);
    let (release, stuck) = mpsc::channel::<()>();
    let (entered, entering) = mpsc::channel();
    let stuck = Mutex::new(stuck);
    bus.on_event(move |_| {
        let _ = entered.send(());
        let _ = stuck.lock().unwrap().recv();
    });
    publish(&bus, 0..1);
    entering.recv_timeout(PATIENCE).unwrap();
    publish(&bus, 1..20);
    let stats = bus.stats();
    assert_eq!((stats.handler_pending, stats.handler_lagged), (5, 15));
    drop(release);
    flush(&bus);
    assert_eq!(bus.stats().handled, 5);
}

#[test]
fn a_removed_handler_is_not_called_again_and_what_it_captured_is_dropped() {
    let bus = Bus::new();
    let captured = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&captured);
    let id = bus.on_event(move |_| {
        let _ = counter.fetch_add(1, Ordering::SeqCst);
    });
    publish(&bus, 0..1);
    flush(&bus);
    assert!(bus.off(id));
    assert!(!bus.off(id));
    publish(&bus, 1..5);
    flush(&bus);
    assert_eq!(captured.load(Ordering::SeqCst), 1);
    until("the closure is gone", || Arc::strong_count(&captured) == 1);
    assert_eq!(bus.stats().handlers, 0);
    assert!(!bus.has_interest());
}

#[test]
fn removing_a_handler_stops_events_that_were_already_queued_for_it() {
    let bus = Bus::new();
    let (release, stuck) = mpsc::channel::<()>();
    let stuck = Mutex::new(stuck);
    let (entered, entering) = mpsc::channel();
    bus.on::<StepStarted>(move |_| {
        entered.send(()).unwrap();
        let _ = stuck.lock().unwrap().recv();
    });
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let id = bus.on::<StepCompleted>(move |_| {
        let _ = counter.fetch_add(1, Ordering::SeqCst);
    });
    bus.publish(event("step.started", 0));
    publish(&bus, 1..10);
    entering.recv_timeout(PATIENCE).unwrap();
    bus.off(id);
    drop(release);
    flush(&bus);
    assert_eq!(calls.load(Ordering::SeqCst), 0);
}

#[test]
fn a_handler_gets_only_what_was_published_after_it_was_added() {
    let bus = Bus::new();
    let (release, stuck) = mpsc::channel::<()>();
    let stuck = Mutex::new(stuck);
    bus.on_event(move |_| {
        let _ = stuck.lock().unwrap().recv();
    });
    publish(&bus, 0..5);
    let (sender, seen) = mpsc::channel();
    bus.on_event(move |event| sender.send(event.cursor).unwrap());
    publish(&bus, 5..7);
    drop(release);
    flush(&bus);
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), [5, 6]);
}

#[test]
fn an_id_of_one_bus_removes_nothing_from_another() {
    let (one, other) = (Bus::new(), Bus::new());
    let id = one.on_event(|_| ());
    other.on_event(|_| ());
    assert!(!other.off(id));
    assert_eq!((one.stats().handlers, other.stats().handlers), (1, 1));
}

#[test]
fn two_buses_in_one_process_do_not_cross_talk() {
    let (one, other) = (Bus::new(), Bus::new());
    let (mut from_one, mut from_other) = (one.subscribe(), other.subscribe());
    let (sender, seen) = mpsc::channel();
    other.on_event(move |event| sender.send(event.cursor).unwrap());
    publish(&one, 0..3);
    publish(&other, 3..4);
    flush(&other);
    assert_eq!(drain(&mut from_one), [Some(0), Some(1), Some(2)]);
    assert_eq!(drain(&mut from_other), [Some(3)]);
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), [3]);
    one.close();
    assert!(other.has_interest());
}

// === from inside a handler ===

#[test]
fn a_handler_that_emits_its_own_event_again_ends_at_the_depth_limit() {
    let bus = Bus::new();
    let emitter = bus.clone();
    let depths = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&depths);
    bus.on_event(move |event| {
        seen.lock().unwrap().push(Bus::depth());
        emitter.emit(event.clone());
    });
    bus.emit(event("step.completed", 0));
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
        from.on_event(move |event| to.emit(event.clone()));
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
        sender.send(bus.flush(Instant::now() + PATIENCE)).unwrap();
        bus.close();
    });
    publish(&bus, 0..3);
    let report = reports
        .recv_timeout(PATIENCE / 2)
        .expect("the flush came back at once");
    assert!(!report.complete);
    until("the bus is closed", || !bus.has_interest());
}

// === flush and close ===

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
    assert_eq!(subscription.recv_timeout(PATIENCE), Err(RecvError::Closed));
    assert_eq!(bus.stats().after_close, 3);
    assert!(!bus.has_interest());

    let late = Arc::clone(&called);
    bus.on_event(move |_| late.store(true, Ordering::SeqCst));
    assert_eq!(
        bus.subscribe().recv_timeout(PATIENCE),
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
    entering.recv_timeout(PATIENCE).unwrap();
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

// === concurrency ===

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
