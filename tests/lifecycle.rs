//! From `build` to the end: what is refused at the start, flushing and shutting down in every surrounding, and what
//! happens afterwards.
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, OnceLock, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use support::ends::{NotFound, ends};
use support::waiting::{DEADLINE, alone, block_on, until, within};
use tracing::Dispatch;
use tracing::instrument::WithSubscriber as _;
use tracing_genai::bus::{Handler, RecvError};
use tracing_genai::enrich::{Enrich, SpanMut};
use tracing_genai::testing::{Captured, capture, capture_with};
use tracing_genai::{
    ConfigError, Loss, Report, StreamExt as _, Telemetry, TelemetryBuilder, agent, chat, step, tool,
};
use tracing_subscriber::prelude::*;

/// An installation whose spans are kept, without a handler on its bus.
fn keeping() -> (Telemetry, Captured) {
    keeping_with(|builder| builder)
}

fn keeping_with(
    configure: impl FnOnce(TelemetryBuilder) -> TelemetryBuilder,
) -> (Telemetry, Captured) {
    let spans = Captured::default();
    let builder = Telemetry::builder("test").environment(|_| None);
    let telemetry = configure(builder)
        .span_exporter(spans.clone())
        .build()
        .unwrap();
    (telemetry, spans)
}

fn subscriber(telemetry: &Telemetry) -> Dispatch {
    Dispatch::new(tracing_subscriber::registry().with(telemetry.layer()))
}

fn record<T>(telemetry: &Telemetry, f: impl FnOnce() -> T) -> T {
    tracing::dispatcher::with_default(&subscriber(telemetry), f)
}

fn one_call() {
    chat("openai", "m").start().complete();
}

/// A future driven without any runtime.
fn drive<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut future = std::pin::pin!(future);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    loop {
        match future.as_mut().poll(&mut Context::from_waker(&waker)) {
            Poll::Ready(value) => return value,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// A hook that holds the telemetry thread up until it is let go.
struct Gate(Mutex<mpsc::Receiver<()>>);

impl Gate {
    /// Dropping the sender opens it for good.
    fn new() -> (mpsc::Sender<()>, Self) {
        let (open, wait) = mpsc::channel();
        (open, Self(Mutex::new(wait)))
    }
}

impl Enrich for Gate {
    fn before_span(&self, _: &mut SpanMut<'_>) {
        let _ = self.0.lock().unwrap().recv();
    }
}

// === building ===

fn refusal(builder: TelemetryBuilder) -> String {
    let error = builder.environment(|_| None).build().unwrap_err();
    assert!(matches!(error, ConfigError::OutOfRange { .. }), "{error:?}");
    error.to_string()
}

#[test]
fn a_number_that_cannot_work_is_refused_with_its_name_its_value_and_what_would_work() {
    let b = || Telemetry::builder("test");
    let hours = Duration::from_secs(3601);
    for (builder, setting, value) in [
        (b().queue_records(0), "queue_records", "0"),
        (
            b().queue_records(usize::MAX),
            "queue_records",
            "18446744073709551615",
        ),
        (b().queue_bytes(0), "queue_bytes", "0"),
        (
            b().queue_bytes(usize::MAX),
            "queue_bytes",
            "18446744073709551615",
        ),
        (b().batch_records(0), "batch_records", "0"),
        (b().batch_bytes(0), "batch_bytes", "0"),
        (b().batch_bytes(5_000_000), "batch_bytes", "5000000"),
        (b().batch_delay(hours), "batch_delay", "3601s"),
        (b().batch_delay(Duration::MAX), "batch_delay", "18446744073"),
    ] {
        let said = refusal(builder);
        assert!(said.contains(&format!("`{setting}` is {value}")), "{said}");
        assert!(said.contains("must be"), "{said}");
    }
}

#[test]
fn the_limits_of_every_number_work() {
    for builder in [
        Telemetry::builder("test").queue_records(1),
        Telemetry::builder("test").queue_records(1 << 24),
        Telemetry::builder("test").queue_bytes(64 << 10),
        Telemetry::builder("test").queue_bytes(16 << 30),
        Telemetry::builder("test").batch_records(1),
        Telemetry::builder("test").batch_records(usize::MAX),
        Telemetry::builder("test").batch_bytes(1024),
        Telemetry::builder("test").batch_bytes(4_000_000),
        Telemetry::builder("test").batch_delay(Duration::ZERO),
        Telemetry::builder("test").batch_delay(Duration::from_secs(3600)),
    ] {
        let telemetry = builder.environment(|_| None).build().unwrap();
        record(&telemetry, one_call);
        assert!(telemetry.shutdown().is_complete());
    }
}

#[test]
fn a_service_without_a_name_is_refused() {
    for name in ["", "  "] {
        let error = Telemetry::builder(name)
            .environment(|_| None)
            .build()
            .unwrap_err();
        assert!(matches!(error, ConfigError::NoServiceName));
        assert!(error.to_string().contains("OTEL_SERVICE_NAME"), "{error}");
    }
}

/// The `service.name` that exporters are told.
fn exported_service(given: &str, env: &'static [(&'static str, &'static str)]) -> String {
    #[derive(Debug)]
    struct Told(Arc<OnceLock<String>>);
    impl SpanExporter for Told {
        async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
            Ok(())
        }
        fn set_resource(&mut self, resource: &Resource) {
            let name = resource.get(&"service.name".into());
            self.0.set(name.unwrap().to_string()).unwrap();
        }
    }
    let told = Arc::new(OnceLock::new());
    let telemetry = Telemetry::builder(given)
        .environment(|name| {
            let mut all = env.iter();
            all.find(|(known, _)| *known == name)
                .map(|(_, value)| (*value).to_owned())
        })
        .span_exporter(Told(Arc::clone(&told)))
        .build()
        .unwrap();
    record(&telemetry, one_call);
    assert!(telemetry.shutdown().is_complete());
    told.get().unwrap().clone()
}

#[test]
fn a_service_is_called_as_the_builder_says_else_as_the_environment_does() {
    let both = &[
        ("OTEL_SERVICE_NAME", "by name"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "team=x,service.name=by%20resource",
        ),
    ];
    assert_eq!(exported_service("built", both), "built");
    assert_eq!(exported_service("", both), "by name");
    assert_eq!(exported_service(" ", &both[1..]), "by resource");
}

#[test]
fn nonsense_about_limits_samplers_and_propagators_is_no_reason_not_to_start() {
    let telemetry = Telemetry::builder("test")
        .environment(|name| {
            let told = name.ends_with("_LIMIT")
                || name.starts_with("OTEL_TRACES_SAMPLER")
                || ["OTEL_PROPAGATORS", "OTEL_RESOURCE_ATTRIBUTES"].contains(&name);
            told.then(|| "\u{7f}?! ".to_owned())
        })
        .build()
        .unwrap();
    record(&telemetry, one_call);
    assert!(telemetry.shutdown().is_complete());
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn a_refused_installation_starts_no_thread() {
    let test = "a_refused_installation_starts_no_thread";
    alone(test, || {
        refusal(Telemetry::builder("test").batch_records(0));
        assert_eq!(our_threads(), 0);
    });
}

// === flushing ===

#[test]
fn flush_waits_for_everything_before_it_the_handlers_included() {
    let (telemetry, spans) = keeping();
    let handled = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&handled);
    telemetry.bus().on_event(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    for round in 1..=20 {
        record(&telemetry, || (0..100).for_each(|_| one_call()));
        let report = telemetry.flush(DEADLINE);
        assert!(report.is_complete(), "{report}");
        assert_eq!(handled.load(Ordering::Relaxed), round * 200);
        assert_eq!(spans.spans().len(), round * 100);
    }
}

#[test]
fn flush_waits_for_what_other_threads_recorded_before_it() {
    let (telemetry, spans) = keeping();
    let dispatch = subscriber(&telemetry);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                tracing::dispatcher::with_default(&dispatch, || {
                    (0..500).for_each(|_| one_call());
                });
            });
        }
    });
    assert!(telemetry.flush(DEADLINE).is_complete());
    assert_eq!(spans.spans().len(), 4_000);
}

#[test]
fn flush_leaves_open_spans_open() {
    let capture = capture();
    capture.record(|| {
        let run = tool("t").start();
        assert!(capture.flush().is_complete());
        assert!(ends(&capture).is_empty());
        run.complete();
    });
    assert_eq!(ends(&capture).len(), 1);
}

#[test]
fn no_timeout_is_too_short_or_too_long() {
    within("flushing with every timeout", || {
        let (telemetry, _) = keeping();
        for timeout in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
            record(&telemetry, one_call);
            let report = telemetry.flush(timeout);
            assert!(
                report.in_time || timeout < DEADLINE,
                "{timeout:?}: {report}"
            );
        }
        assert!(telemetry.shutdown_within(Duration::MAX).is_complete());
    });
}

#[test]
fn a_flush_that_times_out_says_so_and_loses_nothing() {
    let (open, gate) = Gate::new();
    let (telemetry, spans) = keeping_with(|b| b.enrich(gate));
    record(&telemetry, one_call);
    let report = telemetry.flush(Duration::from_millis(10));
    assert!(!report.in_time && !report.is_complete(), "{report}");
    assert!(report.to_string().contains("time was up"), "{report}");
    assert!(report.capture.pending > 0);
    drop(open);
    let report = telemetry.flush(DEADLINE);
    assert!(report.is_complete(), "{report}");
    assert_eq!(spans.spans().len(), 1);
}

// === in every surrounding ===

/// Records, flushes and shuts down here; both must get through.
fn a_life(telemetry: &Telemetry, spans: &Captured) {
    record(telemetry, one_call);
    let report = telemetry.flush(DEADLINE);
    assert!(report.is_complete(), "flush: {report}");
    assert_eq!(spans.spans().len(), 1);
    record(telemetry, one_call);
    let report = telemetry.shutdown_within(DEADLINE);
    assert!(report.is_complete(), "shutdown: {report}");
    assert_eq!(spans.spans().len(), 2);
}

async fn an_async_life(telemetry: &Telemetry, spans: &Captured) {
    record(telemetry, one_call);
    let report = telemetry.flush_async(DEADLINE).await;
    assert!(report.is_complete(), "flush: {report}");
    assert_eq!(spans.spans().len(), 1);
    record(telemetry, one_call);
    let report = telemetry.shutdown_async().await;
    assert!(report.is_complete(), "shutdown: {report}");
    assert_eq!(spans.spans().len(), 2);
}

/// An installation with a handler, as most have.
fn lively() -> (Telemetry, Captured) {
    let (telemetry, spans) = keeping();
    telemetry.bus().on_event(|_| {});
    (telemetry, spans)
}

fn runtime(workers: usize) -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .build()
        .unwrap()
}

#[test]
fn it_works_without_a_runtime() {
    within("a life without a runtime", || {
        let (telemetry, spans) = lively();
        a_life(&telemetry, &spans);
        let (telemetry, spans) = lively();
        drive(an_async_life(&telemetry, &spans));
    });
}

#[test]
fn it_works_inside_a_runtime_of_one_thread() {
    within("a life on the only thread", || {
        block_on(async {
            let (telemetry, spans) = lively();
            a_life(&telemetry, &spans);
            let (telemetry, spans) = lively();
            an_async_life(&telemetry, &spans).await;
        });
    });
}

#[test]
fn it_works_inside_a_task_of_the_only_worker() {
    within("a life on the only worker", || {
        let runtime = runtime(1);
        let task = runtime.spawn(async {
            let (telemetry, spans) = lively();
            a_life(&telemetry, &spans);
            let (telemetry, spans) = lively();
            an_async_life(&telemetry, &spans).await;
        });
        runtime.block_on(task).unwrap();
    });
}

#[test]
fn it_works_inside_many_tasks_of_many_workers() {
    within("eight lives on four workers", || {
        let runtime = runtime(4);
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                runtime.spawn(async move {
                    let (telemetry, spans) = lively();
                    if n % 2 == 0 {
                        a_life(&telemetry, &spans);
                    } else {
                        an_async_life(&telemetry, &spans).await;
                    }
                })
            })
            .collect();
        for task in tasks {
            runtime.block_on(task).unwrap();
        }
    });
}

#[test]
fn it_works_inside_spawn_blocking_and_a_local_set() {
    within("a life on a blocking thread and one on a local set", || {
        block_on(async {
            tokio::task::spawn_blocking(|| {
                let (telemetry, spans) = lively();
                a_life(&telemetry, &spans);
            })
            .await
            .unwrap();
            let local = tokio::task::LocalSet::new();
            local
                .run_until(async {
                    let (telemetry, spans) = lively();
                    an_async_life(&telemetry, &spans).await;
                })
                .await;
        });
    });
}

#[test]
fn flush_async_leaves_the_only_worker_to_other_tasks() {
    within("a flush and a task on one worker", || {
        let (open, gate) = Gate::new();
        let (telemetry, _) = keeping_with(|b| b.enrich(gate));
        record(&telemetry, one_call);
        let runtime = runtime(1);
        let task = runtime.spawn(async move {
            // The flush can only end after the other task has run, on the worker this one runs on.
            let other = tokio::spawn(async move { drop(open) });
            let report = telemetry.flush_async(DEADLINE).await;
            other.await.unwrap();
            report
        });
        assert!(runtime.block_on(task).unwrap().is_complete());
    });
}

#[test]
fn dropping_it_inside_a_task_of_the_only_worker_works() {
    let spans = within("a drop on the only worker", || {
        let runtime = runtime(1);
        let task = runtime.spawn(async {
            let (telemetry, spans) = lively();
            record(&telemetry, one_call);
            drop(telemetry);
            spans
        });
        runtime.block_on(task).unwrap()
    });
    assert_eq!(spans.spans().len(), 1);
}

#[test]
fn a_runtime_that_goes_away_with_calls_in_flight_cancels_them() {
    let capture = capture();
    let dispatch = subscriber(capture.telemetry());
    let runtime = runtime(2);
    let (running, wait) = mpsc::channel();
    for _ in 0..4 {
        let running = running.clone();
        runtime.spawn(
            async move {
                tool("t")
                    .run(async move {
                        running.send(()).unwrap();
                        std::future::pending::<Result<(), NotFound>>().await
                    })
                    .await
            }
            .with_subscriber(dispatch.clone()),
        );
    }
    (0..4).for_each(|_| wait.recv_timeout(DEADLINE).unwrap());
    drop(runtime);
    let ends = ends(&capture);
    assert_eq!(ends.len(), 4);
    assert!(ends.iter().all(|e| e.ty == "tool.call.canceled"));
}

// === shutting down ===

#[test]
fn a_second_shutdown_gives_the_report_of_the_first() {
    let (telemetry, _) = lively();
    record(&telemetry, one_call);
    let first = telemetry.shutdown();
    assert!(first.is_complete());
    record(&telemetry, one_call);
    assert_eq!(telemetry.shutdown(), first);
    assert_eq!(telemetry.shutdown_within(Duration::ZERO), first);
    assert_eq!(drive(telemetry.shutdown_async()), first);
    assert_eq!(telemetry.flush(DEADLINE), first);
}

#[test]
fn shutdowns_at_once_give_the_same_report() {
    let reports: Vec<Report> = within("four shutdowns at once", || {
        let (telemetry, _) = lively();
        record(&telemetry, || (0..1_000).for_each(|_| one_call()));
        let barrier = Barrier::new(4);
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        barrier.wait();
                        telemetry.shutdown()
                    })
                })
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).collect()
        })
    });
    assert!(reports[0].is_complete(), "{}", reports[0]);
    assert!(reports.iter().all(|report| *report == reports[0]));
}

#[test]
fn flushes_beside_a_shutdown_get_through() {
    for _ in 0..50 {
        let reports: Vec<Report> = within("three flushes and a shutdown at once", || {
            let (telemetry, _) = lively();
            record(&telemetry, one_call);
            let barrier = Barrier::new(4);
            std::thread::scope(|scope| {
                let flushes: Vec<_> = (0..3)
                    .map(|_| {
                        scope.spawn(|| {
                            barrier.wait();
                            telemetry.flush(DEADLINE)
                        })
                    })
                    .collect();
                barrier.wait();
                let report = telemetry.shutdown();
                let mut all: Vec<_> = flushes.into_iter().map(|t| t.join().unwrap()).collect();
                all.push(report);
                all
            })
        });
        for report in reports {
            assert!(report.in_time && report.is_complete(), "{report}");
        }
    }
}

#[test]
fn a_flush_beside_a_shutdown_that_hangs_keeps_to_its_own_timeout() {
    within("a flush beside a hanging shutdown", || {
        let (open, gate) = Gate::new();
        let (telemetry, _) = keeping_with(|b| b.enrich(gate));
        record(&telemetry, one_call);
        let unfinished = record(&telemetry, || tool("unfinished").start());
        std::thread::scope(|scope| {
            let shutdown = scope.spawn(|| telemetry.shutdown_within(DEADLINE * 10));
            until("the shutdown has begun", || {
                unfinished.set("late", true);
                let lost = telemetry.stats().partial;
                lost.contains_key(&Loss::RecordAfterEnd)
            });
            let short = Duration::from_millis(1);
            assert!(!telemetry.flush(short).in_time);
            assert!(!telemetry.shutdown_within(short).in_time);
            drop(open);
            let report = shutdown.join().unwrap();
            assert!(report.is_complete(), "{report}");
        });
    });
}

#[test]
fn a_shutdown_that_hangs_keeps_to_its_timeout_and_tells_what_is_pending() {
    let (open, gate) = Gate::new();
    let (telemetry, _) = keeping_with(|b| b.enrich(gate));
    record(&telemetry, || (0..3).for_each(|_| one_call()));
    let report = within("a shutdown past a hook that hangs", move || {
        let report = telemetry.shutdown_within(Duration::from_millis(20));
        drop(open);
        report
    });
    assert!(!report.in_time && !report.is_complete());
    let capture = &report.capture;
    assert_eq!(
        capture.accepted,
        capture.delivered + capture.total_dropped() + capture.pending
    );
    assert!(capture.pending > 0, "{report}");
}

#[test]
fn what_comes_after_shutdown_is_harmless_and_counted() {
    let (telemetry, spans) = lively();
    record(&telemetry, one_call);
    let report = telemetry.shutdown();
    record(&telemetry, || {
        for _ in 0..3 {
            one_call();
        }
        tracing::info!(genai.event = "user.left");
        block_on(agent("a").run(async {
            step("s").start().moment("step.progress", &[]);
            Err::<(), _>(NotFound)
        }))
        .unwrap_err();
        let words = futures_util::stream::iter([1, 2]);
        drop(words.instrumented(chat("openai", "m").start()));
        let _ = catch_unwind(|| tool("t").in_scope(|_| -> Result<(), NotFound> { panic!() }));
    });
    assert_eq!(spans.spans().len(), 1);
    let stats = telemetry.stats();
    let capture = &stats.capture;
    // Seven spans and two moments; their starts are nobody's wish any more.
    assert_eq!(capture.dropped[&Loss::AfterShutdown], 9, "{stats}");
    assert_eq!(capture.pending, 0);
    assert_eq!(capture.delivered, report.capture.delivered);
}

#[test]
fn trace_context_still_travels_after_shutdown() {
    let (telemetry, _) = keeping();
    telemetry.shutdown();
    let mut headers = http::HeaderMap::new();
    record(&telemetry, || {
        let call = chat("openai", "m").start();
        call.in_scope(|| tracing_genai::propagation::inject(&mut headers));
        assert!(call.span_context().is_valid());
    });
    assert!(headers.contains_key("traceparent"));
}

#[test]
fn a_bus_ends_with_its_installation() {
    let (telemetry, _) = keeping();
    let mut events = telemetry.bus().subscribe();
    record(&telemetry, one_call);
    telemetry.shutdown();
    let mut types = Vec::new();
    loop {
        match events.recv_timeout(DEADLINE) {
            Ok(delivery) => types.push(delivery.into_event().unwrap().ty.to_string()),
            Err(RecvError::Closed) => break,
            Err(RecvError::Timeout) => panic!("the subscription does not end"),
        }
    }
    assert_eq!(types, ["llm.call.started", "llm.call.completed"]);
}

#[test]
fn dropping_it_shuts_it_down() {
    let (telemetry, spans) = keeping();
    let dispatch = subscriber(&telemetry);
    let open = tracing::dispatcher::with_default(&dispatch, || {
        one_call();
        tool("open").start()
    });
    drop(telemetry);
    let names: Vec<_> = spans.spans().iter().map(|s| s.name.clone()).collect();
    assert_eq!(names, ["chat m", "execute_tool open"]);
    let interrupted = spans.spans()[1].attr("genai.interrupted").cloned();
    assert_eq!(interrupted, Some(true.into()));
    open.complete();
    assert_eq!(spans.spans().len(), 2);
}

#[test]
fn several_installations_in_one_process_do_not_disturb_each_other() {
    let (a, of_a) = lively();
    let (b, of_b) = lively();
    record(&a, || {
        one_call();
        record(&b, one_call);
        one_call();
    });
    assert!(a.shutdown().is_complete());
    record(&b, one_call);
    assert!(b.flush(DEADLINE).is_complete());
    assert!(b.bus().has_interest() && !a.bus().has_interest());
    assert_eq!((of_a.spans().len(), of_b.spans().len()), (2, 2));
    assert!(b.shutdown().is_complete());
}

// === threads ===

/// Threads of this process that carry our name, which the kernel cuts after 15 letters.
fn our_threads() -> usize {
    std::fs::read_dir("/proc/self/task")
        .unwrap()
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .filter(|name| name.starts_with("tracing-genai"))
        .count()
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn one_thread_runs_until_the_end_and_another_while_there_are_handlers() {
    let test = "one_thread_runs_until_the_end_and_another_while_there_are_handlers";
    alone(test, || {
        // A thread takes its name some time after it was started.
        let come = |n| until("the threads have come", || our_threads() == n);
        assert_eq!(our_threads(), 0);
        let (telemetry, _) = keeping();
        come(1);
        telemetry.bus().on_event(|_| {});
        come(2);
        record(&telemetry, one_call);
        assert!(telemetry.shutdown().is_complete());
        until("the threads are gone", || our_threads() == 0);
        let (telemetry, _) = lively();
        come(2);
        drop(telemetry);
        until("the threads are gone", || our_threads() == 0);
    });
}

#[test]
#[cfg_attr(not(target_os = "linux"), ignore = "reads /proc")]
fn a_disabled_installation_has_no_threads_no_output_and_no_complaint() {
    let test = "a_disabled_installation_has_no_threads_no_output_and_no_complaint";
    let said = alone(test, || {
        let spans = Captured::default();
        let telemetry = Telemetry::builder("test")
            .environment(|name| match name {
                "OTEL_SDK_DISABLED" => Some("true".into()),
                "OTEL_EXPORTER_OTLP_ENDPOINT" => Some("not an address".into()),
                _ => None,
            })
            .console()
            .otlp_from_env()
            .span_exporter(spans.clone())
            .build()
            .unwrap();
        telemetry.bus().on_event(|_| panic!("nothing happens"));
        let mut events = telemetry.bus().subscribe();
        record(&telemetry, || {
            one_call();
            tracing::info!(genai.event = "user.left");
            tool("t").in_scope(|_| Err::<(), _>(NotFound)).unwrap_err();
            let call = chat("openai", "m").start();
            assert!(!call.span_context().is_valid());
            call.chunk("x");
        });
        assert_eq!(our_threads(), 0);
        assert!(telemetry.flush(DEADLINE).is_complete());
        assert!(drive(telemetry.flush_async(DEADLINE)).is_complete());
        assert!(events.try_recv().is_none());
        let report = telemetry.shutdown();
        assert!(report.is_complete(), "{report}");
        assert_eq!((report.capture.accepted, report.plugged), (0, None));
        assert!(spans.spans().is_empty());
        until("a flushing thread is gone", || our_threads() == 0);
    });
    if let Some(said) = said {
        assert_eq!(said, "");
    }
}

// === handlers ===

#[test]
fn a_handler_that_waits_delays_nobodys_export_and_no_other_installation() {
    let capture = capture();
    let (open, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    capture.telemetry().bus().on_event(move |_| {
        let _ = wait.lock().unwrap().recv();
    });
    let (other, of_other) = lively();
    capture.record(|| (0..10).for_each(|_| one_call()));
    let report = capture.telemetry().flush(Duration::from_millis(10));
    assert!(!report.in_time, "the handler has not seen everything");
    until("the spans are exported", || {
        capture.telemetry().stats().plugged.unwrap().delivered == 10
    });
    record(&other, one_call);
    assert!(other.flush(DEADLINE).is_complete());
    assert_eq!(of_other.spans().len(), 1);
    drop(open);
    assert!(capture.flush().is_complete());
}

#[test]
fn a_handler_that_panics_is_counted_by_name_and_harms_nothing() {
    let (telemetry, spans) = keeping();
    let fragile = Handler::named("fragile").on_event(|_| panic!("in the handler"));
    telemetry.bus().add(fragile).unwrap();
    record(&telemetry, one_call);
    let report = telemetry.shutdown();
    assert_eq!(report.bus.handler_errors["fragile"], 2);
    assert!(report.is_complete(), "{report}");
    assert_eq!(spans.spans().len(), 1);
}

#[test]
fn a_handler_that_emits_through_the_macros_ends_at_the_depth_of_the_bus() {
    let (telemetry, _) = keeping();
    let dispatch = subscriber(&telemetry);
    let inside = dispatch.clone();
    let seen = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&seen);
    telemetry.bus().on_event(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        tracing::dispatcher::with_default(&inside, || {
            tracing::info!(genai.event = "echo.heard");
        });
    });
    tracing::dispatcher::with_default(&dispatch, || tracing::info!(genai.event = "echo.shouted"));
    until("the echo has died away", || {
        telemetry.stats().bus.too_deep == 1
    });
    assert!(telemetry.flush(DEADLINE).is_complete());
    assert_eq!(seen.load(Ordering::Relaxed), 17, "one, and sixteen echoes");
}

#[test]
fn a_handler_can_start_spans_of_its_own() {
    let capture = capture();
    let dispatch = subscriber(capture.telemetry());
    let inside = dispatch.clone();
    capture.telemetry().bus().on_event(move |event| {
        if event.ty == "tool.call.completed" {
            tracing::dispatcher::with_default(&inside, || step("reaction").start().complete());
        }
    });
    tracing::dispatcher::with_default(&dispatch, || tool("t").start().complete());
    until("the reaction is recorded", || capture.spans().len() == 2);
    assert_eq!(capture.tree(), "execute_tool t\nreaction\n");
}

#[test]
fn a_handler_may_flush_and_shut_down() {
    within("a handler that flushes and shuts down", || {
        let shared = Arc::new(OnceLock::<Telemetry>::new());
        let (telemetry, spans) = keeping();
        let inside = Arc::downgrade(&shared);
        let (done, wait) = mpsc::channel();
        telemetry.bus().on_event(move |event| {
            if event.ty != "llm.call.completed" {
                return;
            }
            let shared = inside.upgrade().unwrap();
            let telemetry = shared.get().unwrap();
            telemetry.flush(DEADLINE);
            telemetry.shutdown_within(DEADLINE);
            done.send(()).unwrap();
        });
        let dispatch = subscriber(&telemetry);
        shared.set(telemetry).unwrap();
        tracing::dispatcher::with_default(&dispatch, one_call);
        wait.recv_timeout(DEADLINE).unwrap();
        assert_eq!(spans.spans().len(), 1);
        assert!(!shared.get().unwrap().bus().has_interest());
    });
}

#[test]
fn a_handler_that_flushes_while_somebody_shuts_down_does_not_wait_for_its_own_end() {
    within("a flush in a handler beside a shutdown", || {
        let shared = Arc::new(OnceLock::<Telemetry>::new());
        let (telemetry, _) = keeping();
        let inside = Arc::downgrade(&shared);
        let (entered, wait) = mpsc::channel();
        telemetry.bus().on_event(move |event| {
            if event.ty == "llm.call.completed" {
                let shared = inside.upgrade().unwrap();
                entered.send(()).unwrap();
                // The shutdown has begun once the layer's bus no longer takes what is emitted; until then, flush.
                for _ in 0..100 {
                    shared.get().unwrap().flush(DEADLINE * 10);
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        });
        let dispatch = subscriber(&telemetry);
        shared.set(telemetry).unwrap();
        tracing::dispatcher::with_default(&dispatch, one_call);
        wait.recv_timeout(DEADLINE).unwrap();
        let begun = Instant::now();
        let report = shared.get().unwrap().shutdown_within(DEADLINE * 10);
        assert!(report.is_complete(), "{report}");
        assert!(begun.elapsed() < DEADLINE);
    });
}

// === losses ===

#[test]
fn a_burst_beyond_the_queue_is_counted_to_the_last_record() {
    let (open, gate) = Gate::new();
    let (telemetry, spans) = keeping_with(|b| b.enrich(gate).queue_records(10));
    record(&telemetry, || (0..100).for_each(|_| one_call()));
    let stats = telemetry.stats().capture;
    assert_eq!(stats.accepted, 200, "a start and an end each");
    assert_eq!(stats.dropped[&Loss::QueueFull], 190);
    drop(open);
    let report = telemetry.shutdown();
    assert_eq!(report.capture.delivered, 10);
    assert_eq!(report.capture.pending, 0);
    assert!(!report.is_complete(), "what was lost stays lost: {report}");
    assert_eq!(spans.spans().len(), 5);
}

#[test]
fn a_burst_beyond_the_queues_bytes_is_counted() {
    let (open, gate) = Gate::new();
    let (telemetry, _) = keeping_with(|b| b.enrich(gate).queue_bytes(64 << 10));
    let long = "x".repeat(30_000);
    record(&telemetry, || {
        for _ in 0..20 {
            chat("openai", "m")
                .attr("long", long.as_str())
                .start()
                .complete();
        }
    });
    drop(open);
    let capture = telemetry.shutdown().capture;
    assert!(capture.dropped[&Loss::QueueBytes] > 0);
    assert_eq!(
        capture.accepted,
        capture.delivered + capture.total_dropped()
    );
}

#[test]
fn a_sampler_that_panics_is_contained_and_the_span_is_kept() {
    #[derive(Debug, Clone)]
    struct Panics;
    impl opentelemetry_sdk::trace::ShouldSample for Panics {
        fn should_sample(
            &self,
            _: Option<&opentelemetry::Context>,
            _: opentelemetry::TraceId,
            _: &str,
            _: &opentelemetry::trace::SpanKind,
            _: &[opentelemetry::KeyValue],
            _: &[opentelemetry::trace::Link],
        ) -> opentelemetry_sdk::trace::SamplingResult {
            panic!("in the sampler")
        }
    }
    let capture = capture_with(|b| b.sampler(Panics));
    let worked = catch_unwind(AssertUnwindSafe(|| capture.record(one_call)));
    assert!(worked.is_ok());
    assert_eq!(capture.spans().len(), 1);
    assert_eq!(capture.telemetry().stats().partial[&Loss::Hook], 1);
}
