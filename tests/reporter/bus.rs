//! Alone, as an event bus with one receiver.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Instant;

use tracing_genai::Loss;
use tracing_genai::reporter::{BoxReporter, reporter_fn};

use super::support::waiting::{block_on, until, within};
use super::*;

#[test]
fn a_reporter_is_one_async_method_and_may_be_boxed_and_a_closure_is_one_too() {
    let keeper = Keeper::default();
    let kept = keeper.clone();
    let closure = reporter_fn(move |event| {
        let kept = kept.clone();
        async move { kept.post_event(&event).await }
    });
    for reporter in [BoxReporter::new(keeper.clone()), BoxReporter::new(closure)] {
        let reporting = queue(reporter).0.build().unwrap();
        reporting.listen().unwrap();
        reporting.publish(event("workflow.started", "r", 1));
        assert_eq!(reporting.drain(SOON).left, 0);
    }
    assert_eq!(keeper.numbers(), [1, 1]);
}

#[test]
fn the_documents_program_runs_one_to_one_and_listening_twice_posts_nothing_twice() {
    let keeper = Keeper::default();
    let event_bus = Reporting::builder()
        .reporter(keeper.clone())
        .max_attempts(5)
        .build()
        .unwrap();
    block_on(async {
        event_bus.listen().unwrap();
        event_bus.listen().unwrap();
        event_bus.publish(event("workflow.started", "run-456", 1));
        event_bus.publish(event("conversation.snapshot", "run-456", 2));
        event_bus.publish(event("workflow.completed", "run-456", 3));
        let report = event_bus.drain_async(SOON).await;
        assert!(report.in_time && report.left == 0, "{report}");
        assert_eq!(report.to_string(), "3 delivered");
    });
    assert_eq!(keeper.numbers(), [1, 2, 3]);
    assert!(event_bus.is_completed("run-456"));
}

#[test]
fn what_is_published_before_listening_is_kept_and_posted_in_order() {
    let keeper = Keeper::default();
    let (builder, _) = queue(keeper.clone());
    let reporting = builder.build().unwrap();
    for n in 0..100 {
        reporting.publish(event("workflow.step", "r", n));
    }
    // Nobody listens: nothing is posted, and a drain does not wait for what does not come.
    let report = within("a drain without a listener", {
        let reporting = reporting.clone();
        move || reporting.drain(Duration::from_secs(3600))
    });
    assert_eq!((report.left, report.in_time), (100, false));
    assert!(keeper.events().is_empty());
    reporting.listen().unwrap();
    reporting.publish(event("workflow.step", "r", 100));
    assert_eq!(reporting.drain(SOON).delivered, 101);
    assert_eq!(keeper.numbers(), (0..=100).collect::<Vec<_>>());
}

#[test]
fn it_goes_on_after_a_drain_and_after_the_end_of_a_run() {
    let keeper = Keeper::default();
    let reporting = queue(keeper.clone()).0.build().unwrap();
    reporting.listen().unwrap();
    for round in 1..=3 {
        let run = format!("run {round}");
        reporting.publish(event("workflow.started", &run, 1));
        reporting.publish(event("workflow.failed", &run, 2));
        let report = reporting.drain(SOON);
        assert_eq!((report.delivered, report.in_time), (2 * round, true));
        assert!(reporting.is_completed(&run) && !reporting.is_completed("run 4"));
    }
}

#[test]
fn a_drain_that_runs_out_of_time_says_how_much_is_left() {
    let stuck = Arc::new(AtomicBool::new(true));
    let gate = Arc::clone(&stuck);
    let (builder, _) = queue(reporter_fn(move |_| {
        let gate = Arc::clone(&gate);
        async move {
            while gate.load(Ordering::Relaxed) {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Ok(())
        }
    }));
    let reporting = builder.build().unwrap();
    reporting.listen().unwrap();
    for n in 0..3 {
        reporting.publish(event("workflow.step", "r", n));
    }
    let report = reporting.drain(Duration::from_millis(50));
    assert_eq!(
        (report.delivered, report.left, report.in_time),
        (0, 3, false)
    );
    stuck.store(false, Ordering::Relaxed);
    let report = reporting.drain(SOON);
    assert_eq!(
        (report.delivered, report.left, report.in_time),
        (3, 0, true)
    );
}

#[test]
fn ten_thousand_drains_that_race_with_publishers_all_come_back_with_everything_before_them() {
    let reporting = queue(reporter_fn(|_| async { Ok(()) })).0.build().unwrap();
    reporting.listen().unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let publishers: Vec<_> = (0..2)
        .map(|publisher| {
            let (reporting, done) = (reporting.clone(), Arc::clone(&done));
            thread::spawn(move || {
                let mut n = 0;
                while !done.load(Ordering::Relaxed) {
                    reporting.publish(event("workflow.step", &format!("{publisher} {}", n % 7), n));
                    n += 1;
                    if n % 8 == 0 {
                        thread::sleep(Duration::from_millis(1));
                    }
                }
            })
        })
        .collect();
    let drains = within("10,000 drains", {
        let reporting = reporting.clone();
        move || {
            let mut complete = 0;
            for n in 0..10_000 {
                reporting.publish(event("workflow.step", "mine", n));
                complete += u64::from(reporting.drain(SOON).in_time);
            }
            complete
        }
    });
    done.store(true, Ordering::Relaxed);
    publishers
        .into_iter()
        .for_each(|publisher| publisher.join().unwrap());
    assert_eq!(drains, 10_000);
    let report = reporting.drain(SOON);
    let tally = reporting.stats();
    assert_eq!((report.left, tally.pending), (0, 0));
    assert_eq!(tally.accepted, tally.delivered + tally.total_dropped());
}

#[test]
fn it_works_without_a_runtime_inside_one_and_where_the_runtime_is_gone() {
    let keeper = Keeper::default();
    let reporting = queue(keeper.clone()).0.build().unwrap();
    let inside = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    inside.block_on(async {
        reporting.listen().unwrap();
        reporting.publish(event("workflow.step", "r", 1));
        // Blocks the runtime's only thread; nothing of ours needs it.
        assert!(reporting.drain(SOON).in_time);
    });
    drop(inside);
    reporting.publish(event("workflow.step", "r", 2));
    assert!(reporting.drain(SOON).in_time);
    // Without any runtime: a waker that does nothing, polled until it is done.
    let mut drained = Box::pin(reporting.drain_async(SOON));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let begun = Instant::now();
    while drained.as_mut().poll(&mut cx).is_pending() {
        assert!(begun.elapsed() < SOON);
        thread::yield_now();
    }
    assert_eq!(keeper.numbers(), [1, 2]);
}

#[test]
fn shutting_down_counts_what_is_left_and_what_comes_later_and_dropping_does_it_too() {
    let (builder, said) = queue(reporter_fn(|_| std::future::pending()));
    let reporting = builder.name("langwatch").build().unwrap();
    reporting.listen().unwrap();
    for n in 0..4 {
        reporting.publish(event("workflow.step", "r", n));
    }
    let report = reporting.shutdown(Duration::from_millis(20));
    assert_eq!((report.left, report.dropped, report.in_time), (4, 4, false));
    reporting.publish(event("workflow.step", "r", 5));
    let tally = reporting.stats();
    assert_eq!((tally.accepted, tally.pending), (5, 0));
    assert_eq!(tally.dropped[&Loss::ShutdownTimeout], 4);
    assert_eq!(tally.dropped[&Loss::AfterShutdown], 1);
    assert!(
        said.lock()
            .unwrap()
            .contains("langwatch: 4 events were left"),
        "{}",
        said.lock().unwrap()
    );

    let keeper = Keeper::default();
    let (builder, said) = queue(keeper.clone());
    let reporting = builder.build().unwrap();
    reporting.listen().unwrap();
    for n in 0..50 {
        reporting.publish(event("workflow.step", "r", n));
    }
    drop(reporting);
    assert_eq!(keeper.numbers().len(), 50);
    assert_eq!(*said.lock().unwrap(), "");
}

#[test]
fn a_queue_nobody_listened_to_says_so_when_it_is_dropped() {
    let (builder, said) = queue(Keeper::default());
    let reporting = builder.build().unwrap();
    reporting.publish(event("workflow.step", "r", 1));
    drop(reporting);
    let said = said.lock().unwrap().clone();
    assert!(said.contains("`listen` was never called"), "{said}");
}

#[test]
fn a_reporter_that_blocks_its_thread_for_ever_holds_up_no_publisher_and_no_shutdown() {
    let (builder, _) = queue(reporter_fn(|_| async {
        loop {
            thread::park();
        }
    }));
    let reporting = builder.build().unwrap();
    reporting.listen().unwrap();
    let report = within("publishing, draining and shutting down", move || {
        for n in 0..1000 {
            reporting.publish(event("workflow.step", "r", n));
        }
        assert!(!reporting.drain(Duration::from_millis(10)).in_time);
        reporting.shutdown(Duration::from_millis(10))
    });
    assert_eq!(report.left, 1000);
}

#[test]
fn a_reporter_may_publish_and_may_drop_the_last_handle_of_its_own_queue() {
    let handle = Arc::new(Mutex::new(None::<Reporting>));
    let (mine, count) = (Arc::clone(&handle), Arc::new(AtomicU64::new(0)));
    let seen = Arc::clone(&count);
    let (builder, _) = queue(reporter_fn(move |event| {
        let (mine, seen) = (Arc::clone(&mine), Arc::clone(&seen));
        async move {
            seen.fetch_add(1, Ordering::Relaxed);
            if number(&event) == 0 {
                mine.lock().unwrap().as_ref().unwrap().publish(super::event(
                    "workflow.step",
                    "r",
                    1,
                ));
            } else {
                let last = mine.lock().unwrap().take();
                drop(last);
            }
            Ok(())
        }
    }));
    let reporting = builder.build().unwrap();
    reporting.listen().unwrap();
    *handle.lock().unwrap() = Some(reporting.clone());
    reporting.publish(event("workflow.step", "r", 0));
    drop(reporting);
    until("both events", || count.load(Ordering::Relaxed) == 2);
    until("the end of the queue", || handle.lock().unwrap().is_none());
}

#[test]
fn only_the_events_asked_for_are_accepted_and_questions_of_the_application_are_asked_elsewhere() {
    use tracing_genai::bus::Filter;
    let keeper = Keeper::default();
    let reporting = queue(keeper.clone())
        .0
        .events("workflow.*")
        .unwrap()
        .events("*.failed")
        .unwrap()
        .build()
        .unwrap();
    reporting.listen().unwrap();
    for (n, ty) in ["workflow.started", "llm.call.completed", "llm.call.failed"]
        .into_iter()
        .enumerate()
    {
        reporting.publish(event(ty, "r", i64::try_from(n).unwrap()));
    }
    assert_eq!(reporting.drain(SOON).delivered, 2);
    assert_eq!(
        (reporting.stats().accepted, keeper.numbers()),
        (2, vec![0, 2])
    );

    let (keeper, here) = (Keeper::default(), thread::current().id());
    let filter = Filter::new().filter(move |event| {
        assert_ne!(thread::current().id(), here);
        number(event) > 1
    });
    let reporting = queue(keeper.clone()).0.matching(filter).build().unwrap();
    reporting.listen().unwrap();
    for n in 0..4 {
        reporting.publish(event("workflow.step", "r", n));
    }
    let report = reporting.drain(SOON);
    assert_eq!(
        (report.delivered, report.skipped, report.dropped),
        (2, 2, 0)
    );
    assert_eq!(keeper.numbers(), [2, 3]);
}

#[test]
fn settings_that_cannot_work_are_said_when_it_is_built() {
    let wrong = |builder: ReportingBuilder| builder.build().unwrap_err().to_string();
    let good = || queue(Keeper::default()).0;
    assert_eq!(
        wrong(good().max_attempts(0)),
        "`max_attempts` is 0, but must be from 1 to 100"
    );
    assert!(wrong(good().parallel(0)).contains("`parallel`"));
    assert!(wrong(good().attempt_timeout(Duration::ZERO)).contains("`attempt_timeout`"));
    assert!(wrong(good().queue_events(0)).contains("`queue_events`"));
    assert!(wrong(good().queue_bytes(1)).contains("`queue_bytes`"));
    assert!(wrong(Reporting::builder()).contains("has no reporter"));
    assert!(good().events("not a pattern!").is_err());
}

/// The document's analytics: requirement 121.
#[test]
fn an_analytics_reporter_counts_what_started_what_completed_and_the_messages() {
    use tracing_genai::event::{
        EventSpec as _, ScenarioMessageSnapshot, ScenarioRunCompleted, ScenarioRunFailed,
        ScenarioRunStarted,
    };
    #[derive(Clone, Default)]
    struct Analytics(Arc<[AtomicU64; 3]>);
    impl Reporter for Analytics {
        async fn post_event(&self, event: &Event) -> Result<(), ReportError> {
            let [started, completed, messages] = &*self.0;
            if ScenarioRunStarted::view(event).is_some() {
                started.fetch_add(1, Ordering::Relaxed);
            } else if let Some(snapshot) = ScenarioMessageSnapshot::view(event) {
                messages.fetch_add(snapshot.message_count.unwrap_or(0), Ordering::Relaxed);
            } else if ScenarioRunCompleted::view(event).is_some()
                || ScenarioRunFailed::view(event).is_some()
            {
                completed.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        }
    }
    let analytics = Analytics::default();
    let reporting = queue(analytics.clone()).0.build().unwrap();
    reporting.listen().unwrap();
    for run in ["a", "b", "c"] {
        reporting.publish(event("workflow.started", run, 0));
        for count in 1..=3_i64 {
            let mut data = event("conversation.snapshot", run, count).into_data();
            data.attrs.set("conversation.message_count", count);
            reporting.publish(data);
        }
    }
    reporting.publish(event("workflow.completed", "a", 4));
    reporting.publish(event("workflow.failed", "b", 4));
    assert_eq!(reporting.drain(SOON).delivered, 14);
    assert_eq!(
        analytics.0.each_ref().map(|n| n.load(Ordering::Relaxed)),
        [3, 2, 18]
    );
    let completed: Vec<_> = ["a", "b", "c"]
        .into_iter()
        .filter(|run| reporting.is_completed(run))
        .collect();
    assert_eq!(completed, ["a", "b"]);
}
