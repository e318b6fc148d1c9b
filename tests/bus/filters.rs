//! Filters: by what the event says, and by questions of the application's own.

use std::{
    sync::{Arc, Mutex, mpsc},
    thread,
};

use futures_util::FutureExt;
use tracing_genai::{
    bus::{Bus, Delivery, Filter, Handler, Overflow},
    event::{Event, Flavor, Kind, Level, ParseEventTypeError, Subject, TraceId, Visibility},
};

use crate::support::*;

fn trace(number: u8) -> TraceId {
    TraceId::from_bytes([number; 16])
}

/// Events that differ in everything a filter can ask for; their number is their place.
fn variety() -> Vec<Event> {
    let mut all = [
        data("llm.call.started", 0),
        data("llm.call.failed", 1),
        data("tool.call.completed", 2),
        data("billing.invoice.failed", 3),
        data("security.alert", 4),
    ];
    all[0].who.agent_name = Some("planner".into());
    all[0].cx.trace = trace(1);
    all[1].who.agent_id = Some("agent-7".into());
    all[1].who.session_id = Some("s1".into());
    all[2].attrs.set("gen_ai.agent.name", "planner");
    all[2].who.conversation_id = Some("s1".into());
    all[2].cx.trace = trace(2);
    all[3].channel = "BILLING".into();
    all[3].flavor = Flavor::new("crew");
    all[3].attrs.set("gen_ai.conversation.id", "s2");
    all[4].visibility = Visibility::Internal;
    all.into_iter().map(Event::new).collect()
}

#[test]
fn every_condition_lets_through_what_it_names_to_subscriptions_handlers_and_taps_alike() {
    let filter = Filter::new;
    for (what, filter, expected) in [
        ("everything", filter(), vec![0, 1, 2, 3, 4]),
        (
            "a type",
            filter().pattern("llm.call.failed").unwrap(),
            vec![1],
        ),
        (
            "a pattern",
            filter().pattern("llm.call.*").unwrap(),
            vec![0, 1],
        ),
        (
            "failures",
            filter().pattern("*.failed").unwrap(),
            vec![1, 3],
        ),
        ("a kind", filter().kind(Kind::Tool), vec![2]),
        ("a subject", filter().subject(Subject::LLM_CALL), vec![0, 1]),
        ("a channel", filter().channel("billing"), vec![3]),
        ("a level", filter().level(Level::Error), vec![1, 3, 4]),
        ("the highest level", filter().level(Level::Alert), vec![4]),
        ("an agent's name", filter().agent("planner"), vec![0, 2]),
        ("an agent's id", filter().agent("agent-7"), vec![1]),
        ("a trace", filter().trace(trace(2)), vec![2]),
        (
            "a session or conversation",
            filter().session("s1"),
            vec![1, 2],
        ),
        (
            "a conversation's attribute",
            filter().session("s2"),
            vec![3],
        ),
        ("a flavor", filter().flavor("crew"), vec![3]),
        ("no flavor", filter().flavor(Flavor::NONE), vec![0, 1, 2, 4]),
        ("user-facing", filter().user_facing(), vec![0, 1, 2, 3]),
        (
            "a question",
            filter().filter(|event| event.cursor % 2 == 1),
            vec![1, 3],
        ),
        (
            "two of a sort",
            filter().channel("BILLING").channel("TOOL"),
            vec![2, 3],
        ),
        (
            "two sorts",
            filter().pattern("*.failed").unwrap().channel("BILLING"),
            vec![3],
        ),
        (
            "two questions",
            filter()
                .filter(|event| event.cursor > 1)
                .filter(|event| event.cursor < 4),
            vec![2, 3],
        ),
        ("nothing", filter().kind(Kind::Mcp), vec![]),
    ] {
        let bus = Bus::new();
        let seen = || {
            let seen = Arc::new(Mutex::new(Vec::new()));
            let sink = Arc::clone(&seen);
            (seen, move |event: &Event| {
                sink.lock().unwrap().push(event.cursor)
            })
        };
        let mut subscription = bus.subscription().matching(filter.clone()).open();
        let (handled, handler) = seen();
        bus.add(
            Handler::named("handler")
                .matching(filter.clone())
                .on_event(handler),
        )
        .unwrap();
        let (tapped, tap) = seen();
        bus.tap(filter.clone(), tap);
        for event in variety() {
            assert_eq!(
                filter.matches(&event),
                expected.contains(&event.cursor),
                "{what}"
            );
            bus.publish(event);
        }
        flush(&bus);
        let read: Vec<_> = drain(&mut subscription).into_iter().flatten().collect();
        assert_eq!(read, expected, "{what}: subscription");
        assert_eq!(*handled.lock().unwrap(), expected, "{what}: handler");
        assert_eq!(*tapped.lock().unwrap(), expected, "{what}: tap");
        assert_books(&bus);
    }
}

#[test]
fn the_builders_ask_for_the_same_as_a_filter() {
    let bus = Bus::new();
    let mut failures = bus
        .subscription()
        .pattern("*.failed")
        .unwrap()
        .channel("LLM")
        .channel("BILLING")
        .level(Level::Error)
        .filter(|event| event.cursor == 3)
        .capacity(100)
        .overflow(Overflow::DropNewest)
        .open();
    let mut calls = bus.subscribe_to("llm.call.*").unwrap();
    variety().into_iter().for_each(|event| bus.publish(event));
    assert_eq!(drain(&mut failures), [Some(3)]);
    assert_eq!(drain(&mut calls), [Some(0), Some(1)]);
}

#[test]
fn what_is_no_pattern_is_refused_with_its_place() {
    let bus = Bus::new();
    let refused = ParseEventTypeError::Segment(2);
    assert_eq!(bus.subscribe_to("llm.Call!.*").unwrap_err(), refused);
    assert_eq!(Filter::new().pattern("llm..*").unwrap_err(), refused);
    assert_eq!(bus.stats().subscriptions, 0);
}

#[test]
fn an_event_hidden_from_users_reaches_everybody_but_the_user_facing() {
    let bus = Bus::new();
    let mut users = bus.subscription().user_facing().open();
    let mut log = bus.subscribe();
    let (sender, stored) = mpsc::channel();
    bus.on_event(move |event| sender.send(event.cursor).unwrap());
    let mut hidden = data("step.completed", 7);
    hidden.visibility = Visibility::Internal;
    bus.publish(Event::new(hidden));
    flush(&bus);
    assert_eq!(drain(&mut users), []);
    assert_eq!(drain(&mut log), [Some(7)]);
    assert_eq!(stored.try_iter().collect::<Vec<_>>(), [7]);
}

#[test]
fn a_predicate_is_asked_where_events_are_read_and_never_where_they_are_published() {
    let bus = Bus::new();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&asked);
    let note = move |_: &Event| {
        log.lock().unwrap().push(thread::current().id());
        true
    };
    let mut subscription = bus.subscription().filter(note.clone()).open();
    let publisher = bus.clone();
    thread::spawn(move || publish(&publisher, 0..3))
        .join()
        .unwrap();
    assert!(asked.lock().unwrap().is_empty(), "nobody has read yet");
    assert_eq!(drain(&mut subscription).len(), 3);
    let reader = thread::current().id();
    assert_eq!(*asked.lock().unwrap(), [reader; 3]);

    drop(subscription);
    asked.lock().unwrap().clear();
    bus.add(Handler::named("handler").filter(note).on_event(|_| ()))
        .unwrap();
    publish(&bus, 0..3);
    flush(&bus);
    let asked = asked.lock().unwrap();
    assert!(asked.len() == 3 && !asked.contains(&reader));
}

#[test]
fn a_predicate_that_panics_means_no_and_counts_under_its_place() {
    silence_expected_panics();
    let bus = Bus::new();
    let line = line!() + 1;
    let filter = Filter::new().filter(|event| event.cursor != 1 || panic!("expected: one"));
    let mut subscription = bus.subscription().matching(filter.clone()).open();
    let (sender, handled) = mpsc::channel();
    bus.add(
        Handler::named("handler")
            .matching(filter.clone())
            .on_event(move |event| sender.send(event.cursor).unwrap()),
    )
    .unwrap();
    bus.tap(filter, |event| assert!(event.cursor != 1));
    publish(&bus, 0..3);
    flush(&bus);
    assert_eq!(drain(&mut subscription), [Some(0), Some(2)]);
    assert_eq!(handled.try_iter().collect::<Vec<_>>(), [0, 2]);
    let errors = bus.stats().handler_errors;
    let name = format!("filter at {}:{line}", file!());
    assert_eq!(errors.into_iter().collect::<Vec<_>>(), [(name, 3)]);
}

#[test]
fn what_a_predicate_refuses_is_in_the_books_and_is_neither_delivered_nor_lagged() {
    let bus = Bus::new();
    let mut odd = bus
        .subscription()
        .channel("STEP")
        .filter(|event| event.cursor % 2 == 1)
        .capacity(10)
        .open();
    publish(&bus, 0..25);
    bus.publish(event("llm.call.started", 99));
    let stats = bus.stats();
    assert_eq!((stats.offered, stats.unread, stats.lagged), (25, 10, 15));
    assert_eq!(odd.try_recv(), Some(Delivery::Lagged(15)));
    assert_eq!(odd.try_recv().unwrap().event().unwrap().cursor, 15);
    assert_books(&bus);
    assert_eq!(drain(&mut odd).len(), 4);
    let stats = bus.stats();
    assert_eq!(
        (stats.delivered, stats.filtered, stats.lagged, stats.unread),
        (5, 5, 15, 0)
    );
    publish(&bus, 0..4);
    drop(odd);
    assert_eq!(bus.stats().discarded, 4);
    assert_books(&bus);
}

#[test]
fn an_async_reader_sleeps_through_what_its_predicate_refuses() {
    let bus = Bus::new();
    let mut subscription = bus.subscription().filter(|event| event.cursor == 5).open();
    publish(&bus, 0..5);
    assert!(subscription.next().now_or_never().is_none());
    publish(&bus, 5..9);
    let found = subscription.next().now_or_never().flatten();
    assert_eq!(found.unwrap().event().unwrap().cursor, 5);
    assert!(subscription.next().now_or_never().is_none());
    bus.close();
    assert_eq!(subscription.next().now_or_never(), Some(None));
    assert_eq!(bus.stats().filtered, 8);
}

#[test]
fn a_predicate_may_use_its_own_bus() {
    let bus = Bus::new();
    let inside = bus.clone();
    let mut subscription = bus
        .subscription()
        .filter(move |event| {
            drop(inside.subscribe());
            if event.cursor == 0 {
                publish(&inside, 1..2);
            }
            inside.stats().unread > 0
        })
        .open();
    publish(&bus, 0..1);
    let read = within("predicates that use the bus", move || {
        drain(&mut subscription)
    });
    assert_eq!(
        read,
        [Some(0), Some(1)],
        "what is being decided counts as unread"
    );
}
