//! Async handlers: on a runtime of the bus, together, and waited for like any other.

use std::{
    future::pending,
    rc::Rc,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use tracing_genai::{
    bus::{Bus, Handler},
    event::{Event, EventSpec, StepCompleted},
};

use crate::support::*;

#[test]
fn an_async_handler_gets_its_type_and_nothing_else() {
    let bus = Bus::new();
    let (sender, seen) = mpsc::channel();
    bus.on_async::<StepCompleted>(move |event| {
        let sender = sender.clone();
        async move {
            tokio::task::yield_now().await;
            let step = StepCompleted::view(&event).unwrap();
            sender.send(step.event.cursor).unwrap();
        }
    });
    bus.publish(event("step.started", 0));
    publish(&bus, 1..4);
    flush(&bus);
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), [1, 2, 3]);
}

#[test]
fn timers_work_without_a_runtime_of_the_application_and_futures_need_not_be_send() {
    let bus = Bus::new();
    let (sender, seen) = mpsc::channel();
    bus.on_event_async(async move |event: Event| {
        let kept = Rc::new(event);
        tokio::time::sleep(Duration::from_millis(1)).await;
        let name = thread::current().name().map(str::to_owned);
        sender.send((kept.cursor, name)).unwrap();
    });
    publish(&bus, 4..5);
    flush(&bus);
    let on = Some("tracing-genai-bus".to_owned());
    assert_eq!(seen.try_recv().unwrap(), (4, on));
}

#[test]
fn async_handlers_of_one_event_wait_at_the_same_time_as_each_other_and_as_sync_ones() {
    let bus = Bus::new();
    let meeting = Arc::new(tokio::sync::Barrier::new(2));
    for _ in 0..2 {
        let meeting = Arc::clone(&meeting);
        bus.on_event_async(move |_| {
            let meeting = Arc::clone(&meeting);
            async move {
                meeting.wait().await;
            }
        });
    }
    let (to_async, from_sync) = tokio::sync::oneshot::channel();
    let (to_sync, from_async) = mpsc::channel();
    let (to_async, from_sync) = (Mutex::new(Some(to_async)), Mutex::new(Some(from_sync)));
    let from_async = Mutex::new(from_async);
    bus.on_event(move |_| {
        to_async.lock().unwrap().take().unwrap().send(()).unwrap();
        let from_async = from_async.lock().unwrap();
        from_async
            .recv_timeout(DEADLINE)
            .expect("the async one runs meanwhile");
    });
    bus.on_event_async(move |_| {
        let from_sync = from_sync.lock().unwrap().take().unwrap();
        let to_sync = to_sync.clone();
        async move {
            from_sync.await.unwrap();
            to_sync.send(()).unwrap();
        }
    });
    publish(&bus, 0..1);
    flush(&bus);
    assert_eq!(bus.stats().handler_errors, Default::default());
}

#[test]
fn the_next_event_waits_until_all_handlers_are_through_with_this_one() {
    let bus = Bus::new();
    let log = Arc::new(Mutex::new(Vec::new()));
    for handler in 0..3 {
        let log = Arc::clone(&log);
        bus.on_event_async(move |event: Event| {
            let log = Arc::clone(&log);
            async move {
                for _ in 0..=handler {
                    tokio::task::yield_now().await;
                }
                log.lock().unwrap().push(event.cursor);
            }
        });
    }
    publish(&bus, 0..20);
    flush(&bus);
    assert!(log.lock().unwrap().is_sorted());
    assert_eq!(log.lock().unwrap().len(), 60);
}

/// A bus with sync and async handlers in two levels, all of which count; held up at the gate.
fn mixed(gate: &Arc<Gate>) -> (Bus, Arc<AtomicUsize>) {
    let bus = Bus::new();
    let done = Arc::new(AtomicUsize::new(0));
    let mut handlers = Vec::new();
    for level in 0..2 {
        for name in ["sync", "async"] {
            let (done, gate) = (Arc::clone(&done), Arc::clone(gate));
            let handler = Handler::named(format!("{name} {level}"));
            let handler = if name == "sync" {
                handler.on_event(move |_| {
                    gate.pass();
                    done.fetch_add(1, Ordering::SeqCst);
                })
            } else {
                handler.on_event_async(move |_| {
                    let done = Arc::clone(&done);
                    async move {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                        done.fetch_add(1, Ordering::SeqCst);
                    }
                })
            };
            handlers.push(match level {
                0 => handler,
                _ => handler.after("sync 0").after("async 0"),
            });
        }
    }
    bus.add_all(handlers).unwrap();
    (bus, done)
}

#[test]
fn flush_waits_for_sync_and_async_handlers_of_all_levels_and_says_what_is_pending() {
    let gate = Gate::new();
    let (bus, done) = mixed(&gate);
    publish(&bus, 0..5);
    gate.wait_for(1);
    let report = bus.flush(Instant::now());
    assert_eq!((report.complete, report.pending), (false, 5));
    gate.open();
    flush(&bus);
    assert_eq!(done.load(Ordering::SeqCst), 20);
}

#[test]
fn flush_async_waits_under_any_runtime_for_what_was_published_before_the_call() {
    let gate = Gate::new();
    let (bus, done) = mixed(&gate);
    publish(&bus, 0..3);
    gate.wait_for(1);
    let late = bus.flush_async(Instant::now());
    publish(&bus, 3..5);
    let late = block_on(late);
    assert_eq!((late.complete, late.pending), (false, 3));
    let open = async { gate.open() };
    let (report, ()) = block_on(async { tokio::join!(bus.flush_async(in_time()), open) });
    assert!(report.complete && report.pending == 0);
    assert_eq!(done.load(Ordering::SeqCst), 20);
    let nothing_pending = futures_util::FutureExt::now_or_never(bus.flush_async(in_time()));
    assert!(nothing_pending.expect("no thread is asked").complete);
}

#[test]
fn from_inside_an_async_handler_both_flushes_come_back_at_once() {
    let bus = Bus::new();
    let inside = bus.clone();
    let (sender, reports) = mpsc::channel();
    bus.on_event_async(async move |_| {
        let blocking = inside.flush(in_time());
        let waiting = inside.flush_async(in_time()).await;
        sender.send((blocking.complete, waiting.complete)).unwrap();
    });
    publish(&bus, 0..1);
    let both = reports.recv_timeout(DEADLINE / 2).unwrap();
    assert_eq!(both, (false, false));
    bus.close();
}

#[test]
fn an_async_handler_that_panics_is_counted_by_name_and_harms_no_other() {
    silence_expected_panics();
    let bus = Bus::new();
    let (sender, seen) = mpsc::channel();
    let at_once = |_: Event| -> std::future::Ready<()> { panic!("expected: before the future") };
    bus.add_all([
        Handler::named("at once").on_event_async(at_once),
        Handler::named("later").on_event_async(async |_| {
            tokio::task::yield_now().await;
            panic!("expected: in the future");
        }),
        Handler::named("well").on_event_async(async move |event: Event| {
            tokio::task::yield_now().await;
            sender.send(event.cursor).unwrap();
        }),
    ])
    .unwrap();
    publish(&bus, 0..2);
    flush(&bus);
    assert_eq!(seen.try_iter().collect::<Vec<_>>(), [0, 1]);
    let errors = bus.stats().handler_errors;
    assert_eq!(
        (errors.len(), errors["at once"], errors["later"]),
        (2, 2, 2)
    );
}

#[test]
fn errors_count_under_the_handlers_name_and_their_text_is_shown_only_when_asked_for() {
    let test =
        "awaited::errors_count_under_the_handlers_name_and_their_text_is_shown_only_when_asked_for";
    let stderr = alone(test, || {
        let bus = Bus::new();
        bus.add_all([
            Handler::named("quiet").on_event(|_| Err("SECRET")),
            Handler::named("typed").try_on::<StepCompleted>(|step| {
                step.event.attr("no such").ok_or("SECRET")?;
                Ok(())
            }),
            Handler::named("loud")
                .show_errors()
                .on_event(|_| Err("disk full")),
            Handler::named("async").on_event_async(async |_| Err::<(), _>("SECRET")),
            Handler::named("fine").on_event(|_| Ok::<(), String>(())),
        ])
        .unwrap();
        publish(&bus, 0..3);
        flush(&bus);
        let errors = bus.stats().handler_errors;
        let expected = ["async", "loud", "quiet", "typed"].map(|name| (name.to_owned(), 3));
        assert_eq!(errors.into_iter().collect::<Vec<_>>(), expected);
    });
    if let Some(stderr) = stderr {
        assert!(!stderr.contains("SECRET"), "{stderr}");
        let said = "tracing-genai: handler loud failed: disk full";
        assert_eq!(stderr.matches(said).count(), 1, "{stderr}");
    }
}

#[test]
fn closing_drops_async_handlers_that_wait_for_ever_and_counts_their_event() {
    let bus = Bus::new();
    let captured = Arc::new(());
    let (entered, entering) = mpsc::channel();
    let inside = Arc::clone(&captured);
    bus.on_event_async(move |_| {
        let (kept, entered) = (Arc::clone(&inside), entered.clone());
        async move {
            let _kept = kept;
            entered.send(()).unwrap();
            pending::<()>().await;
        }
    });
    publish(&bus, 0..3);
    entering.recv_timeout(DEADLINE).unwrap();
    bus.close();
    until("the future and its handler are gone", || {
        Arc::strong_count(&captured) == 1
    });
    until("the event is counted", || bus.stats().handler_pending == 0);
    let stats = bus.stats();
    assert_eq!((stats.handled, stats.handler_discarded), (0, 3));
}

#[test]
fn an_async_handler_may_publish_remove_itself_and_close_its_bus() {
    let bus = Bus::new();
    let mut subscription = bus.subscribe_to("custom.deeper").unwrap();
    let inside = bus.clone();
    bus.add(
        Handler::named("busy")
            .types(tracing_genai::event::EventType::from_lossy(
                "step.completed",
            ))
            .on_event_async(move |_| {
                let bus = inside.clone();
                async move {
                    tokio::task::yield_now().await;
                    assert_eq!(Bus::depth(), 1);
                    bus.publish(event("custom.deeper", 1));
                    assert!(bus.off("busy"));
                    bus.close();
                }
            }),
    )
    .unwrap();
    publish(&bus, 0..1);
    drop(bus);
    assert!(subscription.recv_timeout(DEADLINE).is_ok());
    assert!(subscription.recv_timeout(DEADLINE).is_err(), "it is closed");
}
