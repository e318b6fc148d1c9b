//! Subscriptions: nothing missing that is not counted, nobody slowed down by anybody else.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
    thread,
    time::Duration,
};

use futures_util::{FutureExt, StreamExt};
use proptest::prelude::*;
use tracing_genai::bus::{Bus, Delivery, Overflow, RecvError, Subscription};

use crate::support::*;

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
    let delivery = tokio::time::timeout(DEADLINE, subscription.next())
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
    assert!(subscription.recv_timeout(DEADLINE).is_ok());
    assert_eq!(subscription.recv_timeout(DEADLINE), Err(RecvError::Closed));
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
    for overflow in policies() {
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

fn policies() -> [Overflow; 3] {
    let at_most = Duration::from_micros(10);
    [
        Overflow::DropOldest,
        Overflow::DropNewest,
        Overflow::Block { at_most },
    ]
}

proptest! {
    #[test]
    fn whatever_the_pace_every_event_is_read_or_missed_in_its_place(
        capacity in 0_usize..5,
        policy in 0_usize..3,
        steps in prop::collection::vec((0_u64..8, 0_usize..8), 0..40),
    ) {
        let bus = Bus::new();
        let overflow = policies()[policy];
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
