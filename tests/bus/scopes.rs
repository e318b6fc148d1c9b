//! Scoped handlers: what was there is hidden for the length of a test, and comes back as it was.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex},
};

use tracing_genai::bus::{Bus, DependencyError, Handler};

use crate::support::*;

type Log = Arc<Mutex<Vec<(&'static str, u64)>>>;

fn logging(name: &'static str, log: &Log) -> Handler {
    let log = Arc::clone(log);
    Handler::named(name).on_event(move |event| log.lock().unwrap().push((name, event.cursor)))
}

fn taken(bus: &Bus, log: &Log) -> Vec<(&'static str, u64)> {
    flush(bus);
    std::mem::take(&mut log.lock().unwrap())
}

#[test]
fn a_scope_hides_the_handlers_there_were_and_brings_them_back_with_their_dependencies() {
    let (bus, log) = (Bus::new(), Log::default());
    bus.add_all([logging("b", &log).after("a"), logging("a", &log)])
        .unwrap();
    {
        let _scope = bus.scoped();
        assert!(!bus.has_interest());
        publish(&bus, 0..1);
        bus.add(logging("inside", &log)).unwrap();
        publish(&bus, 1..2);
        assert_eq!(taken(&bus, &log), [("inside", 1)]);
        let refused = bus.add(logging("late", &log).after("a"));
        assert!(matches!(refused, Err(DependencyError::Unresolved { .. })));
    }
    publish(&bus, 2..3);
    assert_eq!(taken(&bus, &log), [("a", 2), ("b", 2)]);
    assert_eq!(bus.validate_dependencies(), Ok(()));
}

#[test]
fn scopes_nest_and_may_end_in_any_order() {
    let (bus, log) = (Bus::new(), Log::default());
    bus.add(logging("outside", &log)).unwrap();
    let first = bus.scoped();
    bus.add(logging("first", &log)).unwrap();
    let second = bus.scoped();
    bus.add(logging("second", &log)).unwrap();
    publish(&bus, 0..1);
    assert_eq!(taken(&bus, &log), [("second", 0)]);
    drop(first);
    publish(&bus, 1..2);
    assert_eq!(taken(&bus, &log), [("second", 1)]);
    drop(second);
    publish(&bus, 2..3);
    assert_eq!(taken(&bus, &log), [("outside", 2)]);
}

#[test]
fn a_panic_inside_brings_the_hidden_handlers_back() {
    silence_expected_panics();
    let (bus, log) = (Bus::new(), Log::default());
    bus.add(logging("outside", &log)).unwrap();
    let panicked = catch_unwind(AssertUnwindSafe(|| {
        let _scope = bus.scoped();
        bus.add(logging("inside", &log)).unwrap();
        panic!("expected: a failing test");
    }));
    assert!(panicked.is_err());
    publish(&bus, 0..1);
    assert_eq!(taken(&bus, &log), [("outside", 0)]);
}

#[test]
fn an_event_meets_the_handlers_of_its_own_time_however_late_they_get_to_it() {
    let (bus, log) = (Bus::new(), Log::default());
    let gate = Gate::new();
    let inside = Arc::clone(&gate);
    bus.add(logging("outside", &log)).unwrap();
    bus.on::<tracing_genai::event::StepStarted>(move |_| inside.pass());
    bus.publish(event("step.started", 0));
    gate.wait_for(1);
    publish(&bus, 1..2);
    let scope = bus.scoped();
    publish(&bus, 2..3);
    bus.add(logging("inside", &log)).unwrap();
    publish(&bus, 3..4);
    drop(scope);
    publish(&bus, 4..5);
    gate.open();
    let mut seen = taken(&bus, &log);
    seen.sort();
    assert_eq!(seen, [("outside", 0), ("outside", 1), ("outside", 4)]);
}

#[test]
fn a_hidden_handler_can_be_removed() {
    let (bus, log) = (Bus::new(), Log::default());
    let id = bus.add(logging("outside", &log)).unwrap();
    let scope = bus.scoped();
    assert!(bus.off(&id));
    drop(scope);
    publish(&bus, 0..1);
    assert_eq!(taken(&bus, &log), []);
    assert!(!bus.has_interest());
}

#[test]
fn a_scope_that_outlives_its_bus_does_nothing() {
    let bus = Bus::new();
    let scope = bus.scoped();
    bus.close();
    drop(bus.scoped());
    drop(bus);
    drop(scope);
}
