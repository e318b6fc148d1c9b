//! Listeners: an id, the types they are interested in, what they do.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use tracing_genai::{
    bus::{Bus, EventListener, Handler, HandlerId, Listener},
    event::Event,
};

use crate::support::*;

struct Recorder {
    id: &'static str,
    types: &'static [&'static str],
    seen: Arc<Mutex<Vec<String>>>,
}

impl EventListener for Recorder {
    fn on_event(&self, event: &Event) {
        let line = format!("{}:{}", self.id, event.event_type());
        self.seen.lock().unwrap().push(line);
    }

    fn listener_id(&self) -> &str {
        self.id
    }

    fn event_types(&self) -> &[&str] {
        self.types
    }
}

#[test]
fn a_listener_hears_the_types_it_is_interested_in_and_none_named_means_all() {
    let bus = Bus::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let listener = |id, types| Recorder {
        id,
        types,
        seen: Arc::clone(&seen),
    };
    bus.register(listener("all", &[])).unwrap();
    let id = bus
        .register(listener("some", &["llm.call.*", "step.failed"]))
        .unwrap();
    assert_eq!(id.name(), "some");
    for ty in ["llm.call.started", "step.completed", "step.failed"] {
        bus.publish(event(ty, 0));
        flush(&bus);
    }
    let mut seen = seen.lock().unwrap().clone();
    seen.sort();
    let expected = [
        "all:llm.call.started",
        "all:step.completed",
        "all:step.failed",
        "some:llm.call.started",
        "some:step.failed",
    ];
    assert_eq!(seen, expected);
}

#[test]
fn types_may_be_named_as_another_system_names_them() {
    let bus = Bus::new();
    let (sender, heard) = std::sync::mpsc::channel();
    let names = ["LLM_call_start", "step.completed", "SCENARIO_RUN_FINISHED"];
    let listener = Listener::new("foreign", move |event| sender.send(event.cursor).unwrap());
    bus.register(listener.to(names)).unwrap();
    for (number, ty) in (0..).zip(["llm.call.started", "llm.call.failed", "step.completed"]) {
        bus.publish(event(ty, number));
    }
    flush(&bus);
    assert_eq!(heard.try_iter().collect::<Vec<_>>(), [0, 2]);
}

#[test]
fn a_closure_listens_under_its_id_sees_the_whole_event_and_is_removed_by_its_id() {
    let bus = Bus::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let listener = Listener::new("my_logger", move |event| {
        log.lock().unwrap().push(format!(
            "[{}] {}: {}",
            event.timestamp(),
            event.event_type(),
            event.event_id(),
        ));
    });
    bus.register(listener.to(["step.*"])).unwrap();
    let sent = event("step.completed", 1);
    bus.publish(sent.clone());
    bus.publish(event("tool.call.started", 2));
    flush(&bus);
    let line = format!(
        "[1970-01-01T00:00:00.000000000Z] step.completed: {}",
        sent.id
    );
    assert_eq!(*seen.lock().unwrap(), [line]);
    assert!(bus.off("my_logger"));
    assert!(!bus.off("my_logger"));
    assert_eq!(bus.stats().handlers, 0);
}

#[test]
fn a_listener_to_something_that_is_no_type_is_refused_and_not_registered() {
    let bus = Bus::new();
    let refused = bus.register(Listener::new("typo", |_| ()).to(["llm.call.*", "no such type!"]));
    assert!(refused.is_err());
    assert_eq!(bus.stats().handlers, 0);
}

#[test]
fn listeners_depend_on_each_other_like_any_handler() {
    let bus = Bus::new();
    let order = Arc::new(Mutex::new(Vec::new()));
    let listener = |id: &'static str| {
        let order = Arc::clone(&order);
        let listener = Listener::new(id, move |_| order.lock().unwrap().push(id));
        Handler::listening(listener).unwrap()
    };
    bus.add_all([
        listener("third").after("second"),
        listener("first"),
        listener("second").after("first"),
    ])
    .unwrap();
    publish(&bus, 0..1);
    flush(&bus);
    assert_eq!(*order.lock().unwrap(), ["first", "second", "third"]);
}

#[test]
fn a_name_means_all_handlers_that_have_it() {
    let bus = Bus::new();
    let calls = Arc::new(AtomicUsize::new(0));
    for _ in 0..3 {
        let calls = Arc::clone(&calls);
        bus.register(Listener::new("same", move |_| {
            let _ = calls.fetch_add(1, Ordering::SeqCst);
        }))
        .unwrap();
    }
    let other = bus.on_event(|_| ());
    publish(&bus, 0..1);
    flush(&bus);
    assert_eq!(calls.load(Ordering::SeqCst), 3);
    assert!(bus.off(HandlerId::new("same")));
    assert_eq!(bus.stats().handlers, 1);
    assert!(bus.off(&other));
}

#[test]
fn a_guard_removes_its_handler_when_dropped_and_can_be_given_up() {
    let bus = Bus::new();
    let guard = bus.guard(bus.on_event(|_| ()));
    let kept = bus.guard(bus.on_event(|_| ())).keep();
    assert_eq!(bus.stats().handlers, 2);
    drop(guard);
    assert_eq!(bus.stats().handlers, 1);
    assert!(bus.off(kept));
    let outlives = bus.guard(bus.on_event(|_| ()));
    drop(bus);
    drop(outlives);
}
