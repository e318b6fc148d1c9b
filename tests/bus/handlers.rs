//! Handlers: only what they are for, on a thread of their own, one failing alone.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
};

use tracing_genai::{
    bus::{Bus, Handler},
    event::{Event, EventSpec, StepCompleted, StepStarted},
};

use crate::support::*;

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
        threads.recv_timeout(DEADLINE).unwrap().as_deref(),
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
    let budget = Handler::named("budget").on_event(|_| panic!("expected: over budget"));
    let ui = Handler::named("ui").on_event(move |event| sender.send(event.cursor).unwrap());
    bus.add_all([budget, ui]).unwrap();
    let line = line!() + 1;
    bus.on::<StepCompleted>(|_| panic!("expected: unnamed"));
    publish(&bus, 0..3);
    flush(&bus);
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), [0, 1, 2]);
    let unnamed = format!("step.completed at {}:{line}", file!());
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
    let bomb = Handler::named("bomb").on_event(|_| std::panic::resume_unwind(Box::new(Payload)));
    bus.add(bomb).unwrap();
    publish(&bus, 0..2);
    flush(&bus);
    assert_eq!(bus.stats().handler_errors["bomb"], 2);
}

#[test]
fn handler_errors_stay_bounded_when_every_handler_has_a_new_name() {
    silence_expected_panics();
    let bus = Bus::new();
    for number in 0..300 {
        let named = Handler::named(format!("handler {number}"));
        bus.add(named.on_event(|_| panic!("expected: one of many")))
            .unwrap();
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
    entering.recv_timeout(DEADLINE).unwrap();
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
    assert!(bus.off(&id));
    assert!(!bus.off(&id));
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
    entering.recv_timeout(DEADLINE).unwrap();
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
