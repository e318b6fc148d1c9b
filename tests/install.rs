//! The global subscriber: every test here is a process of its own, with a deadline, because only a global subscriber shows
//! the deadlocks that users meet.
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod support;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use support::ends::{NotFound, ends};
use support::waiting::{DEADLINE, alone, block_on, until};
use tracing::{Span, error, field, info, info_span};
use tracing_genai::enrich::{Enrich, SpanMut};
use tracing_genai::event::{EventData, Phase};
use tracing_genai::testing::{Capture, capture, capture_with};
use tracing_genai::{ActiveSpan, Plain, SpanExt as _, chat, step, tool};

fn installed() -> Capture {
    let capture = capture();
    capture.telemetry().install().unwrap();
    capture
}

/// What the global propagator writes here.
fn injected() -> HashMap<String, String> {
    let mut carrier = HashMap::new();
    opentelemetry::global::get_text_map_propagator(|propagator| {
        propagator.inject_context(&Context::current(), &mut carrier);
    });
    carrier.retain(|_, value| !value.is_empty());
    carrier
}

#[test]
fn install_sets_the_subscriber_for_every_thread() {
    alone("install_sets_the_subscriber_for_every_thread", || {
        let capture = installed();
        tool("here").start().complete();
        std::thread::spawn(|| tool("there").start().complete())
            .join()
            .unwrap();
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let task = runtime.spawn(tool("task").run(async { Ok::<_, NotFound>(()) }));
        runtime.block_on(task).unwrap().unwrap();
        assert_eq!(capture.spans().len(), 3);
    });
}

#[test]
fn install_sets_the_propagators_of_trace_context_and_baggage() {
    let test = "install_sets_the_propagators_of_trace_context_and_baggage";
    alone(test, || {
        assert!(injected().is_empty());
        let _capture = installed();
        let call = chat("openai", "m").start();
        let ids = call.span_context();
        let carrier = call.in_scope(|| {
            let tenant = opentelemetry::KeyValue::new("tenant", "acme");
            let _in = Context::current_with_baggage([tenant]).attach();
            injected()
        });
        let expected = format!("00-{}-{}-01", ids.trace_id(), ids.span_id());
        assert_eq!(carrier["traceparent"], expected);
        assert_eq!(carrier["baggage"], "tenant=acme");
    });
}

#[test]
fn the_environment_chooses_the_propagators() {
    alone("the_environment_chooses_the_propagators", || {
        let capture = capture_with(|b| {
            b.environment(|name| (name == "OTEL_PROPAGATORS").then(|| "none".into()))
        });
        capture.telemetry().install().unwrap();
        let call = chat("openai", "m").start();
        assert!(call.in_scope(injected).is_empty());
    });
}

#[test]
fn a_second_install_is_an_error_that_says_what_to_do_and_changes_nothing() {
    let test = "a_second_install_is_an_error_that_says_what_to_do_and_changes_nothing";
    alone(test, || {
        let first = installed();
        let second = capture_with(|b| {
            b.environment(|name| (name == "OTEL_PROPAGATORS").then(|| "none".into()))
        });
        let error = second.telemetry().install().unwrap_err();
        assert!(error.to_string().contains("telemetry.layer()"), "{error}");
        first.telemetry().install().unwrap_err();
        let call = chat("openai", "m").start();
        assert!(call.in_scope(injected).contains_key("traceparent"));
        call.complete();
        assert_eq!((first.spans().len(), second.spans().len()), (1, 0));
    });
}

#[test]
fn install_beside_another_global_subscriber_is_an_error_and_the_layer_can_be_added_by_hand() {
    let test =
        "install_beside_another_global_subscriber_is_an_error_and_the_layer_can_be_added_by_hand";
    alone(test, || {
        tracing_subscriber::fmt().with_writer(std::io::sink).init();
        let capture = capture();
        capture.telemetry().install().unwrap_err();
        capture.record(|| tool("t").start().complete());
        assert_eq!(capture.spans().len(), 1);
    });
}

/// A value whose printing does everything that printing must not do.
struct Hostile;

fn misbehave() {
    thread_local! {
        static DEPTH: Cell<u32> = const { Cell::new(0) };
    }
    if DEPTH.get() >= 3 {
        return;
    }
    DEPTH.set(DEPTH.get() + 1);
    info!(value = ?Hostile, "an event while an event is made");
    info_span!("inner", value = ?Hostile).in_scope(|| info!("inside"));
    let here = Span::current();
    here.record("late", field::debug(Hostile));
    here.set_attribute("set.by.debug", 1);
    let _ = here.context();
    chat("openai", "m")
        .start()
        .moment("llm.call.retried", &[])
        .complete();
    let _ = std::panic::catch_unwind(|| panic!("while printing"));
    DEPTH.set(DEPTH.get() - 1);
}

impl fmt::Debug for Hostile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        misbehave();
        f.write_str("hostile")
    }
}

impl fmt::Display for Hostile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        misbehave();
        f.write_str("hostile")
    }
}

#[test]
fn values_that_use_tracing_while_they_are_printed_deadlock_nothing() {
    let test = "values_that_use_tracing_while_they_are_printed_deadlock_nothing";
    alone(test, || {
        // A panic hook that logs, as many programs have.
        std::panic::set_hook(Box::new(|_| error!("a panic")));
        let capture = capture_with(|b| b.error_messages(true));
        capture.telemetry().install().unwrap();
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..20 {
                        let span = info_span!("outer", value = ?Hostile, late = field::Empty);
                        span.record("late", field::display(Hostile));
                        span.in_scope(|| {
                            info!(value = %Hostile, "event");
                            info!(genai.event = "step.noticed", value = ?Hostile);
                        });
                        tool("t").in_scope(|_| Err::<(), _>(Hostile)).unwrap_err();
                        block_on(tool("u").run(async { Err::<(), _>(Hostile) })).unwrap_err();
                    }
                });
            }
        });
        let report = capture.flush();
        assert!(report.is_complete(), "{report}");
        let spans = capture.spans();
        let outer: Vec<_> = spans.iter().filter(|s| s.name == "outer").collect();
        assert_eq!(outer.len(), 80);
        for span in outer {
            assert_eq!(span.attr("value").unwrap().as_str(), Some("hostile"));
            assert_eq!(span.attr("late").unwrap().as_str(), Some("hostile"));
        }
        assert_eq!(
            spans.iter().filter(|s| s.name == "execute_tool t").count(),
            80
        );
        assert!(capture.telemetry().shutdown().in_time);
    });
}

#[test]
fn hooks_and_exporters_that_use_tracing_make_no_telemetry_of_telemetry() {
    #[derive(Debug, Default)]
    struct Noisy(Arc<AtomicUsize>);
    impl SpanExporter for Noisy {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            self.0.fetch_add(batch.len(), Ordering::Relaxed);
            info_span!("export").in_scope(|| info!("sending"));
            tool("export").start().complete();
            Ok(())
        }
    }
    struct Loud;
    impl Enrich for Loud {
        fn after_span(&self, _: &mut SpanMut<'_>) {
            tool("hook").start().complete();
        }
        fn on_completed(&self, _: &mut EventData) -> tracing_genai::enrich::Verdict {
            info!(genai.event = "hook.called");
            Default::default()
        }
    }
    let test = "hooks_and_exporters_that_use_tracing_make_no_telemetry_of_telemetry";
    alone(test, || {
        let exported = Arc::new(AtomicUsize::new(0));
        let noisy = Noisy(Arc::clone(&exported));
        let capture = capture_with(|b| b.span_exporter(noisy).enrich(Loud));
        capture.telemetry().install().unwrap();
        (0..10).for_each(|_| tool("t").start().complete());
        assert!(capture.telemetry().shutdown().is_complete());
        assert_eq!(exported.load(Ordering::Relaxed), 10);
        assert_eq!(capture.events().len(), 20);
    });
}

#[test]
fn a_handler_that_emits_through_the_macros_does_not_loop_for_ever() {
    let test = "a_handler_that_emits_through_the_macros_does_not_loop_for_ever";
    alone(test, || {
        let capture = installed();
        capture.telemetry().bus().on_event(|event| {
            info!(genai.event = "echo.heard");
            let name = format!("after {}", event.cursor);
            step(&name).start().complete();
        });
        // Each event causes three, so sixteen generations would be forty million: the bounded queues are the limit, and
        // nobody waits for the echo to die away.
        tool("t").start().complete();
        let stats = || capture.telemetry().stats();
        until("the echo is heard", || stats().bus.published > 10_000);
        let report = capture.telemetry().shutdown_within(DEADLINE / 10);
        let capture = &report.capture;
        assert_eq!(
            capture.accepted,
            capture.delivered + capture.total_dropped() + capture.pending
        );
    });
}

#[test]
fn a_span_in_thread_local_storage_ends_with_its_thread() {
    thread_local! {
        static KEPT: RefCell<Option<(ActiveSpan<Plain>, Guard)>> = const { RefCell::new(None) };
    }
    struct Guard;
    impl Drop for Guard {
        fn drop(&mut self) {
            // No new span: the registry's own slab panics when it is asked for one after its end, with any layer on it.
            info!(genai.event = "thread.ended");
        }
    }
    let test = "a_span_in_thread_local_storage_ends_with_its_thread";
    alone(test, || {
        let capture = installed();
        for first_ours in [true, false] {
            std::thread::spawn(move || {
                if first_ours {
                    step("before").start().complete();
                }
                KEPT.set(None);
                KEPT.set(Some((tool("t").start(), Guard)));
            })
            .join()
            .unwrap();
        }
        let ends = ends(&capture);
        let canceled = ends.iter().filter(|e| e.phase == Phase::Canceled);
        assert_eq!(canceled.count(), 2);
    });
}

#[test]
fn a_process_that_exits_with_open_spans_neither_hangs_nor_panics() {
    let test = "a_process_that_exits_with_open_spans_neither_hangs_nor_panics";
    alone(test, || {
        let capture = Box::leak(Box::new(installed()));
        let open = Box::leak(Box::new(tool("open").start()));
        let _entered = open.span().enter();
        std::mem::forget(open.span().clone().entered());
        assert!(ends(capture).is_empty());
    });
}
