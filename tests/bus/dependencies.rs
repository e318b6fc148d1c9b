//! Handlers after handlers: levels, what happens when one fails, what cannot be ordered.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, mpsc},
    time::Duration,
};

use proptest::prelude::*;
use tracing_genai::{
    bus::{Bus, CircularDependencyError, DependencyError, Depends, Handler, HandlerId},
    event::{StepCompleted, StepStarted},
};

use crate::support::*;

type Log = Arc<Mutex<Vec<String>>>;

fn logging(name: &str, log: &Log) -> Handler {
    let (own, log) = (name.to_owned(), Arc::clone(log));
    Handler::named(name).on_event(move |_| log.lock().unwrap().push(own.clone()))
}

fn taken(bus: &Bus, log: &Log) -> Vec<String> {
    flush(bus);
    std::mem::take(&mut log.lock().unwrap())
}

fn circle(result: Result<impl Sized, DependencyError>) -> Vec<String> {
    match result {
        Err(CircularDependencyError::Circular(names)) => names,
        Err(other) => panic!("not a circle: {other}"),
        Ok(_) => panic!("no circle was found"),
    }
}

#[test]
fn a_diamond_is_called_level_by_level_with_sync_and_async_handlers() {
    let (bus, log) = (Bus::new(), Log::default());
    let right = Arc::clone(&log);
    bus.add_all([
        logging("bottom", &log).after("left").after("right"),
        logging("left", &log).after("top"),
        Handler::named("right")
            .on_event_async(move |_| {
                let log = Arc::clone(&right);
                async move {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    log.lock().unwrap().push("right".to_owned());
                }
            })
            .after("top"),
        logging("top", &log),
    ])
    .unwrap();
    for number in 0..20 {
        publish(&bus, number..number + 1);
        let mut order = taken(&bus, &log);
        order[1..3].sort();
        assert_eq!(order, ["top", "left", "right", "bottom"]);
    }
}

#[test]
fn handlers_of_one_level_are_called_at_the_same_time_and_the_next_level_waits() {
    let bus = Bus::new();
    let gate = Gate::new();
    let (sender, seen) = mpsc::channel();
    let held = |name: &str| {
        let gate = Arc::clone(&gate);
        Handler::named(name).on_event(move |_| gate.pass())
    };
    bus.add_all([
        held("one"),
        held("two"),
        held("three"),
        Handler::named("next")
            .on_event(move |event| sender.send(event.cursor).unwrap())
            .after("one"),
    ])
    .unwrap();
    publish(&bus, 0..1);
    gate.wait_for(3);
    assert!(seen.try_recv().is_err());
    gate.open();
    flush(&bus);
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), [0]);
}

#[test]
fn a_level_of_more_handlers_than_threads_is_called_whole_and_each_handler_in_order() {
    let bus = Bus::new();
    let seen: Vec<_> = (0..Bus::PARALLEL_HANDLERS * 3)
        .map(|_| {
            let seen = Arc::new(Mutex::new(Vec::new()));
            let log = Arc::clone(&seen);
            bus.on_event(move |event| log.lock().unwrap().push(event.cursor));
            seen
        })
        .collect();
    publish(&bus, 0..200);
    flush(&bus);
    for seen in seen {
        assert!(seen.lock().unwrap().iter().copied().eq(0..200));
    }
}

#[test]
fn dependents_are_called_though_a_handler_fails_unless_they_need_it_to_be_ok() {
    silence_expected_panics();
    let (bus, log) = (Bus::new(), Log::default());
    let recovers = |event: &tracing_genai::event::Event| match event.cursor {
        0 => panic!("expected: the first time"),
        1 => Err("the second time"),
        _ => Ok(()),
    };
    let shaky = bus.add(Handler::named("shaky").on_event(recovers)).unwrap();
    let first =
        Handler::named("async").on_event_async(async |event: tracing_genai::event::Event| {
            if event.cursor < 2 {
                Err("twice")
            } else {
                Ok(())
            }
        });
    bus.add_all([
        first,
        logging("always", &log).after(&shaky),
        logging("if ok", &log).after_ok(&shaky),
        logging("if async ok", &log).after_ok("async"),
        logging("after that", &log).after_ok("if ok"),
        logging("whatever", &log).after("if ok"),
    ])
    .unwrap();
    for number in 0..3 {
        publish(&bus, number..number + 1);
        let mut called = taken(&bus, &log);
        called.sort();
        if number < 2 {
            assert_eq!(called, ["always", "whatever"]);
            continue;
        }
        let all = ["after that", "always", "if async ok", "if ok", "whatever"];
        assert_eq!(called, all);
    }
    let stats = bus.stats();
    assert_eq!(stats.handler_skipped, 6);
    assert_eq!(
        (stats.handler_errors["shaky"], stats.handler_errors["async"]),
        (2, 2)
    );
}

#[test]
fn a_circle_is_refused_with_its_names_and_nothing_of_the_batch_is_there() {
    let (bus, log) = (Bus::new(), Log::default());
    bus.add(logging("there", &log)).unwrap();
    let result = bus.add_all([
        logging("fine", &log),
        logging("a", &log).after("b"),
        logging("b", &log).after("c"),
        logging("c", &log).after("a").after("there"),
        logging("behind", &log).after("a"),
    ]);
    let text = result.as_ref().unwrap_err().to_string();
    let mut names = circle(result);
    names.sort();
    assert_eq!(names, ["a", "b", "c"]);
    assert!(
        ["a after b", "b after c", "c after a"]
            .iter()
            .all(|part| text.contains(part)),
        "{text}"
    );
    publish(&bus, 0..1);
    assert_eq!(taken(&bus, &log), ["there"]);
    assert_eq!(bus.stats().handlers, 1);
    assert_eq!(bus.validate_dependencies(), Ok(()));
}

#[test]
fn a_handler_after_itself_is_a_circle_of_one() {
    let (bus, log) = (Bus::new(), Log::default());
    assert_eq!(
        circle(bus.add(logging("narcissus", &log).after("narcissus"))),
        ["narcissus"]
    );
    let own = logging("by id", &log);
    let id = own.id().clone();
    assert_eq!(circle(bus.add(own.after(id))), ["by id"]);
    assert_eq!(bus.stats().handlers, 0);
}

#[test]
fn a_dependency_that_is_not_there_is_named_and_is_no_circle() {
    let (bus, log) = (Bus::new(), Log::default());
    let gone = bus.add(logging("gone", &log)).unwrap();
    let elsewhere = Bus::new().add(logging("elsewhere", &log)).unwrap();
    assert!(bus.off(&gone));
    for missing in [HandlerId::new("nobody"), gone, elsewhere] {
        let name = missing.name().to_owned();
        let result = bus.add_all([logging("fine", &log), logging("late", &log).after(missing)]);
        let expected = DependencyError::Unresolved {
            handler: "late".to_owned(),
            missing: name.clone(),
        };
        assert_eq!(result, Err(expected.clone()));
        let text = format!("handler late comes after {name}, which is not registered");
        assert_eq!(expected.to_string(), text);
    }
    assert_eq!(bus.stats().handlers, 0);
}

#[test]
fn a_dependency_on_a_handler_of_another_type_is_no_error_and_nothing_to_wait_for() {
    let (bus, log) = (Bus::new(), Log::default());
    let started = bus.on::<StepStarted>(|_| ());
    let own = Arc::clone(&log);
    bus.add(
        Handler::named("completed")
            .on::<StepCompleted>(move |_| own.lock().unwrap().push("completed".to_owned()))
            .after_ok(&started),
    )
    .unwrap();
    assert_eq!(bus.validate_dependencies(), Ok(()));
    publish(&bus, 0..1);
    assert_eq!(taken(&bus, &log), ["completed"]);
}

#[test]
fn a_handler_added_removed_or_reordered_after_the_first_event_counts_from_the_next() {
    let (bus, log) = (Bus::new(), Log::default());
    bus.add_all([logging("one", &log), logging("two", &log).after("one")])
        .unwrap();
    publish(&bus, 0..1);
    assert_eq!(taken(&bus, &log), ["one", "two"]);
    bus.add(logging("three", &log).after("two")).unwrap();
    publish(&bus, 1..2);
    assert_eq!(taken(&bus, &log), ["one", "two", "three"]);
    assert!(bus.off("two"));
    bus.depend(Depends {
        handler: HandlerId::new("one"),
        depends_on: vec![HandlerId::new("three")],
    })
    .unwrap();
    publish(&bus, 2..3);
    assert_eq!(taken(&bus, &log), ["three", "one"]);
}

#[test]
fn removing_a_handler_frees_those_after_it_and_validation_says_so() {
    let (bus, log) = (Bus::new(), Log::default());
    bus.add_all([logging("b", &log).after_ok("a"), logging("a", &log)])
        .unwrap();
    assert!(bus.off("a"));
    publish(&bus, 0..1);
    assert_eq!(taken(&bus, &log), ["b"]);
    let unresolved = DependencyError::Unresolved {
        handler: "b".to_owned(),
        missing: "a".to_owned(),
    };
    assert_eq!(bus.validate_dependencies(), Err(unresolved));

    // A handler of that name is what b comes after again.
    assert_eq!(circle(bus.add(logging("a", &log).after("b"))).len(), 2);
    bus.add(logging("a", &log)).unwrap();
    assert_eq!(bus.validate_dependencies(), Ok(()));
    publish(&bus, 1..2);
    assert_eq!(taken(&bus, &log), ["a", "b"]);
}

#[test]
fn dependencies_declared_later_hold_or_change_nothing() {
    let (bus, log) = (Bus::new(), Log::default());
    for name in ["b", "a"] {
        bus.add(logging(name, &log)).unwrap();
    }
    let depends = |handler: &str, on: &str| Depends {
        handler: HandlerId::new(handler),
        depends_on: vec![HandlerId::new(on)],
    };
    bus.depend(depends("b", "a")).unwrap();
    assert_eq!(circle(bus.depend(depends("a", "b"))).len(), 2);
    assert_eq!(circle(bus.depend(depends("a", "a"))), ["a"]);
    assert!(matches!(
        bus.depend(depends("a", "nobody")),
        Err(DependencyError::Unresolved { missing, .. }) if missing == "nobody"
    ));
    let unknown = DependencyError::Unknown("nobody".to_owned());
    assert_eq!(bus.depend(depends("nobody", "a")), Err(unknown));
    for number in 0..10 {
        publish(&bus, number..number + 1);
        assert_eq!(taken(&bus, &log), ["a", "b"]);
    }
}

#[test]
fn an_error_about_a_long_circle_stays_readable() {
    let (bus, log) = (Bus::new(), Log::default());
    let ring = (0..100)
        .map(|number| logging(&number.to_string(), &log).after(((number + 1) % 100).to_string()));
    let error = bus.add_all(ring).unwrap_err();
    assert!(error.to_string().contains("92 more"), "{error}");
    assert_eq!(circle(Err::<(), _>(error)).len(), 100);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_the_graph_each_handler_is_called_once_and_after_those_it_depends_on(
        graph in prop::collection::vec(prop::collection::vec(any::<prop::sample::Index>(), 0..3), 1..7)
    ) {
        let (bus, log) = (Bus::new(), Log::default());
        let mut after: HashMap<String, Vec<String>> = HashMap::new();
        let handlers = graph.iter().enumerate().map(|(number, others)| {
            let name = number.to_string();
            let mut handler = logging(&name, &log);
            for other in others.iter().filter(|_| number > 0) {
                let other = other.index(number).to_string();
                handler = handler.after(other.as_str());
                after.entry(name.clone()).or_default().push(other);
            }
            handler
        });
        bus.add_all(handlers).unwrap();
        for number in 0..3 {
            publish(&bus, number..number + 1);
            let order = taken(&bus, &log);
            let place = |name: &String| order.iter().position(|called| called == name);
            prop_assert_eq!(order.len(), graph.len());
            for (name, others) in &after {
                for other in others {
                    prop_assert!(place(other) < place(name), "{order:?}");
                }
            }
        }
    }
}
