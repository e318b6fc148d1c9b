//! What the layer makes of spans: plain `#[instrument]`, macros, and the traps of `tracing`.
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

use std::time::Duration;

use opentelemetry::trace::{SpanKind, Status, TraceContextExt as _};
use tracing::{Instrument as _, field, info, info_span, instrument};
use tracing_genai::event::{Phase, Value};
use tracing_genai::testing::{capture, capture_with};
use tracing_genai::{Steps, agent, chat, step, tool};
use tracing_subscriber::filter::LevelFilter;
use tracing_subscriber::prelude::*;

#[derive(Debug)]
struct NotFound;
impl std::fmt::Display for NotFound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("secret-path not found")
    }
}
impl std::error::Error for NotFound {}

#[instrument]
fn sync_step(n: u64) -> u64 {
    n * 2
}

#[instrument(err)]
fn failing_step() -> Result<(), NotFound> {
    Err(NotFound)
}

#[instrument(err, fields(gen_ai.operation.name = "invoke_agent", gen_ai.agent.name = "planner"))]
async fn async_agent(fail: bool) -> Result<u64, NotFound> {
    tokio::task::yield_now().await;
    if fail {
        Err(NotFound)
    } else {
        Ok(sync_step(21))
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

#[test]
fn plain_instrument_yields_started_and_completed_and_numbers_stay_numbers() {
    let capture = capture();
    assert_eq!(capture.record(|| sync_step(7)), 14);
    let span = capture.span("sync_step");
    assert_eq!(span.attr("n"), Some(&Value::I64(7)));
    assert_eq!(span.status, Status::Unset);
    let events = capture.events();
    let types: Vec<_> = events.iter().map(|e| e.ty.to_string()).collect();
    assert_eq!(types, ["step.started", "step.completed"]);
    assert_eq!(events[1].cx.started_event, Some(events[0].id));
}

#[test]
fn instrument_with_err_fails_the_span_without_keeping_the_message() {
    let capture = capture();
    capture.record(failing_step).unwrap_err();
    let span = capture.span("failing_step");
    assert_eq!(span.status, Status::error("_OTHER"));
    assert!(!format!("{span:?}").contains("secret-path"));
    assert_eq!(capture.events().last().unwrap().phase, Phase::Failed);
}

#[test]
fn an_instrumented_async_agent_nests_its_steps_and_ends_once() {
    let capture = capture();
    capture.record(|| {
        block_on(async {
            assert_eq!(async_agent(false).await.unwrap(), 42);
            async_agent(true).await.unwrap_err();
        });
    });
    assert_eq!(
        capture.tree(),
        "invoke_agent planner\n    sync_step\ninvoke_agent planner  error=_OTHER\n"
    );
    let terminal = capture
        .events()
        .iter()
        .filter(|e| e.phase.is_terminal())
        .count();
    assert_eq!(terminal, 3);
}

#[test]
fn error_messages_are_kept_when_they_are_asked_for() {
    let capture = capture_with(|b| b.error_messages(true));
    capture.record(failing_step).unwrap_err();
    assert_eq!(
        capture.span("failing_step").status,
        Status::error("secret-path not found")
    );
}

#[test]
fn a_handled_error_event_does_not_fail_the_span() {
    let capture = capture();
    capture.record(|| info_span!("retry").in_scope(|| tracing::error!("attempt 1 failed")));
    let span = capture.span("retry");
    assert_eq!(span.status, Status::Unset);
    assert_eq!(span.events[0].name, "attempt 1 failed");
}

#[test]
fn recorded_values_overwrite_in_place_and_undeclared_ones_are_ignored() {
    let capture = capture();
    capture.record(|| {
        let span = info_span!("s", tokens = field::Empty, kept = 1u8);
        span.record("tokens", 5u64)
            .record("tokens", 7u64)
            .record("unknown", "x");
    });
    let span = capture.span("s");
    let attributes: Vec<_> = span.attributes.iter().collect();
    assert_eq!(
        attributes,
        [("kept", &Value::I64(1)), ("tokens", &Value::I64(7))]
    );
}

#[test]
fn wide_integers_are_numbers_as_far_as_they_fit_and_text_beyond() {
    let capture = capture();
    capture.record(|| {
        info_span!(
            "s",
            a = u64::MAX,
            b = i128::MIN,
            c = 5i128,
            d = u128::MAX,
            e = f64::NAN,
            f = usize::MAX
        )
        .in_scope(|| {});
    });
    let span = capture.span("s");
    assert_eq!(
        span.attr("a").unwrap().as_str(),
        Some("18446744073709551615")
    );
    assert_eq!(
        span.attr("b").unwrap().as_str(),
        Some("-170141183460469231731687303715884105728")
    );
    assert_eq!(span.attr("c"), Some(&Value::I64(5)));
    assert_eq!(
        span.attr("d").unwrap().as_str(),
        Some("340282366920938463463374607431768211455")
    );
    assert!(matches!(span.attr("e"), Some(Value::F64(x)) if x.is_nan()));
}

#[test]
fn a_debug_that_emits_events_and_spans_neither_deadlocks_nor_loses_the_value() {
    struct Chatty;
    impl std::fmt::Debug for Chatty {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            info_span!("inside_debug").in_scope(|| info!("talking"));
            f.write_str("chatty")
        }
    }
    let capture = capture();
    capture.record(|| {
        let span = info_span!("outer", value = ?Chatty, late = field::Empty);
        span.record("late", field::debug(&Chatty));
        span.in_scope(|| info!(value = ?Chatty, "event"));
    });
    let span = capture.span("outer");
    assert_eq!(span.attr("value").unwrap().as_str(), Some("chatty"));
    assert_eq!(span.attr("late").unwrap().as_str(), Some("chatty"));
}

#[test]
fn hostile_formatting_costs_its_own_value_only() {
    struct Panics;
    impl std::fmt::Display for Panics {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("hostile")
        }
    }
    let capture = capture();
    capture.record(|| info_span!("s", bad = %Panics, good = 1).in_scope(|| {}));
    let span = capture.span("s");
    assert_eq!(span.attr("bad").unwrap().as_str(), Some("<unprintable>"));
    assert_eq!(span.attr("good"), Some(&Value::I64(1)));
}

#[test]
fn a_per_layer_filter_beside_ours_and_stray_enabled_checks_lose_no_span() {
    let capture = capture();
    let neighbour = tracing_subscriber::fmt::layer()
        .with_writer(std::io::sink)
        .with_filter(LevelFilter::WARN);
    let subscriber = tracing_subscriber::registry()
        .with(capture.telemetry().layer())
        .with(neighbour);
    tracing::subscriber::with_default(subscriber, || {
        for _ in 0..5 {
            // What `log::log_enabled!` does through `tracing-log`: a question about another call site.
            tracing::enabled!(target: "sqlx", tracing::Level::TRACE);
            sync_step(1);
        }
    });
    assert_eq!(capture.spans().len(), 5);
}

#[test]
fn neighbours_print_the_same_with_and_without_us() {
    #[derive(Clone, Default)]
    struct Buffer(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);
    impl std::io::Write for Buffer {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    fn work() {
        tracing::debug!("quiet for us, not for the neighbour");
        let span = tracing::debug_span!("debug_span", x = 1);
        span.in_scope(|| info!("inside"));
        sync_step(3);
        failing_step().unwrap_err();
    }
    let printed = |with_us: bool| {
        let buffer = Buffer::default();
        let writer = buffer.clone();
        let fmt = tracing_subscriber::fmt::layer()
            .without_time()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .with_filter(tracing_subscriber::EnvFilter::new("debug"));
        let capture = capture();
        let ours = with_us.then(|| capture.telemetry().layer());
        tracing::subscriber::with_default(
            tracing_subscriber::registry().with(ours).with(fmt),
            work,
        );
        let bytes = buffer.0.lock().unwrap().clone();
        String::from_utf8(bytes).unwrap()
    };
    let alone = printed(false);
    assert!(alone.contains("quiet for us") && alone.contains("debug_span"));
    assert_eq!(printed(true), alone);
}

#[test]
fn explicit_parents_and_roots_are_honoured() {
    let capture = capture();
    capture.record(|| {
        let root = info_span!("root");
        let _other = info_span!("other").entered();
        info_span!(parent: &root, "child").in_scope(|| {});
        info_span!(parent: None, "alone").in_scope(|| {});
    });
    assert_eq!(capture.tree(), "root\n    child\nother\nalone\n");
}

#[test]
fn a_parent_that_our_filter_hides_is_skipped_and_not_lost() {
    let capture = capture();
    let debug = tracing_subscriber::fmt::layer().with_writer(std::io::sink);
    let subscriber = tracing_subscriber::registry()
        .with(capture.telemetry().layer())
        .with(debug);
    tracing::subscriber::with_default(subscriber, || {
        let root = info_span!("root");
        let hidden = tracing::trace_span!(parent: &root, "hidden");
        info_span!(parent: &hidden, "child").in_scope(|| {});
        hidden.in_scope(|| info_span!("contextual").in_scope(|| {}));
    });
    let root = capture.span("root");
    assert_eq!(capture.span("child").parent_id, root.span_id);
    assert_eq!(
        capture.span("contextual").parent_id,
        opentelemetry::SpanId::INVALID
    );
}

#[test]
fn follows_from_becomes_a_link_even_to_a_closed_span_and_never_to_itself() {
    let capture = capture();
    capture.record(|| {
        let first = info_span!("first");
        first.in_scope(|| {});
        let second = info_span!("second");
        second.follows_from(&first);
        second.follows_from(&second);
        second.in_scope(|| {});
    });
    let (first, second) = (capture.span("first"), capture.span("second"));
    assert_eq!(second.links.len(), 1);
    assert_eq!(second.links[0].span_id(), first.span_id);
}

#[test]
fn a_span_that_is_never_entered_is_reported_with_its_own_life_time() {
    let capture = capture();
    capture.record(|| drop(info_span!("never_entered", gen_ai.operation.name = "chat")));
    let span = capture.span("chat");
    assert!(span.duration > Duration::ZERO);
    capture.assert_sequence(["llm.call.started", "llm.call.completed"]);
}

#[test]
fn the_end_is_the_last_exit_though_a_detached_child_holds_the_span_open() {
    let capture = capture();
    capture.record(|| {
        let parent = info_span!("parent");
        parent.in_scope(|| {});
        let child = info_span!(parent: &parent, "child");
        drop(parent);
        for _ in 0..100 {
            child.in_scope(|| {});
        }
    });
    assert!(capture.span("parent").duration < capture.span("child").duration);
}

#[test]
fn spans_open_at_shutdown_are_exported_children_first_as_interrupted() {
    let capture = capture();
    capture.record(|| {
        let outer = agent("planner").start();
        let inner = outer.in_scope(|| info_span!("inner"));
        let report = capture.telemetry().shutdown();
        assert!(report.is_complete(), "{report}");
        drop(inner);
        outer.complete();
    });
    let events = capture.events();
    let ended: Vec<_> = events
        .iter()
        .filter(|e| e.phase.is_terminal())
        .map(|e| (e.name.to_string(), e.phase.clone()))
        .collect();
    assert_eq!(
        ended,
        [
            ("inner".to_owned(), Phase::Canceled),
            ("invoke_agent planner".to_owned(), Phase::Canceled)
        ]
    );
}

#[test]
fn an_event_outside_any_span_is_nobodys_and_a_named_one_is_a_moment() {
    let capture = capture();
    capture.record(|| {
        info!("just a line");
        info!(genai.event = "user.logged_in", user_id = "u1");
        tracing::warn!(
            genai.event = "security.alert",
            genai.alert = true,
            rule = "r1"
        );
    });
    let events = capture.events();
    let seen: Vec<_> = events.iter().map(|e| (e.ty.to_string(), e.level)).collect();
    use tracing_genai::event::Level;
    assert_eq!(
        seen,
        [
            ("user.logged_in".to_owned(), Level::Info),
            ("security.alert".to_owned(), Level::Alert)
        ]
    );
    assert_eq!(events[0].attr("user_id").unwrap().as_str(), Some("u1"));
}

#[test]
fn moments_are_mirrored_on_the_span_they_happen_in() {
    let capture = capture();
    capture.record(|| {
        info_span!("s").in_scope(|| info!(genai.event = "step.retrying", attempt = 2));
    });
    let span = capture.span("s");
    assert_eq!(span.events[0].name, "step.retrying");
    assert_eq!(
        span.events[0].attributes.get("attempt"),
        Some(&Value::I64(2))
    );
    capture.assert_sequence(["step.started", "step.retrying", "step.completed"]);
}

#[test]
fn a_late_operation_makes_a_model_call_of_an_open_span() {
    let capture = capture();
    capture.record(|| {
        let span = info_span!(
            "chat",
            gen_ai.operation.name = field::Empty,
            gen_ai.request.model = field::Empty
        );
        let _in = span.enter();
        span.record("gen_ai.operation.name", "chat")
            .record("gen_ai.request.model", "gpt-4o");
    });
    let span = capture.span("chat gpt-4o");
    assert_eq!(span.kind, SpanKind::Client);
}

#[test]
fn otel_name_kind_and_status_are_instructions_and_no_attributes() {
    let capture = capture();
    capture.record(|| {
        let span = info_span!(
            "s",
            otel.name = "GET /users",
            otel.kind = "server",
            otel.status_code = field::Empty
        );
        span.record("otel.status_code", "ERROR");
    });
    let span = capture.span("GET /users");
    assert_eq!(span.kind, SpanKind::Server);
    assert!(matches!(span.status, Status::Error { .. }));
    assert!(span.attr("otel.name").is_none());
}

#[test]
fn genai_only_leaves_everything_else_out_but_keeps_the_steps_inside() {
    let capture = capture_with(|b| b.genai_only());
    capture
        .record(|| {
            sync_step(1);
            agent("planner").in_scope(|_| {
                info_span!(target: "hyper::client", "request").in_scope(|| sync_step(2));
                Ok::<_, NotFound>(())
            })
        })
        .unwrap();
    assert_eq!(capture.tree(), "invoke_agent planner\n    sync_step\n");
}

#[test]
fn steps_can_be_narrowed_to_targets_or_marks() {
    let capture = capture_with(|b| b.steps(Steps::Targets(vec!["my_app".into()])));
    capture.record(|| {
        info_span!(target: "my_app::search", "mine").in_scope(|| {});
        info_span!(target: "my_application", "other").in_scope(|| {});
        info_span!("marked", genai.subject = "step").in_scope(|| {});
    });
    let steps: Vec<_> = capture
        .events()
        .iter()
        .filter(|e| e.phase.is_terminal())
        .map(|e| e.name.to_string())
        .collect();
    assert_eq!(steps, ["mine", "marked"]);
    assert_eq!(
        capture.spans().len(),
        3,
        "what is no step is exported all the same"
    );
}

#[test]
fn native_opentelemetry_spans_nest_below_ours_and_ours_below_theirs() {
    use opentelemetry::trace::{Tracer as _, TracerProvider as _};
    let exporter = opentelemetry_sdk::trace::InMemorySpanExporter::default();
    let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let tracer = provider.tracer("native");
    let capture = capture();
    capture.record(|| {
        info_span!("outer").in_scope(|| {
            tracer.in_span("native", |cx| {
                assert!(cx.span().span_context().is_valid());
                info_span!("inner").in_scope(|| {
                    opentelemetry::trace::get_active_span(|span| {
                        span.set_attribute(opentelemetry::KeyValue::new("set.by.otel", 1));
                    });
                });
            });
        });
    });
    let (outer, inner) = (capture.span("outer"), capture.span("inner"));
    let native = exporter.get_finished_spans().unwrap().remove(0);
    assert_eq!(native.parent_span_id, outer.span_id);
    assert_eq!(native.span_context.trace_id(), outer.trace_id);
    assert_eq!(inner.parent_id, native.span_context.span_id());
    assert_eq!(inner.attr("set.by.otel"), Some(&Value::I64(1)));
}

#[test]
fn totals_skip_a_native_span_in_between_and_reach_the_agent() {
    use opentelemetry::trace::{Tracer as _, TracerProvider as _};
    let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder().build();
    let tracer = provider.tracer("native");
    let capture = capture();
    capture
        .record(|| {
            agent("a").in_scope(|_| {
                tracer.in_span("native", |_| {
                    chat("openai", "gpt-4o-mini")
                        .start()
                        .usage(tracing_genai::event::Usage::new().input(1).output(1))
                        .complete();
                });
                Ok::<_, NotFound>(())
            })
        })
        .unwrap();
    assert_eq!(
        capture.span("invoke_agent a").attr("llm.total_calls"),
        Some(&Value::I64(1))
    );
}

#[test]
fn entering_a_span_while_the_otel_context_is_borrowed_is_survived() {
    let capture = capture();
    capture.record(|| {
        info_span!("outer").in_scope(|| {
            let _ = std::panic::catch_unwind(|| {
                opentelemetry::trace::get_active_span(|_| info_span!("inside").in_scope(|| {}));
            });
        });
        sync_step(1);
    });
    assert!(capture.spans().iter().any(|s| s.name == "sync_step"));
}

#[test]
fn limits_hold_at_insertion_and_what_is_cut_is_counted() {
    let capture = capture();
    let huge = "x".repeat(64 << 20);
    capture.record(|| {
        let call = chat("openai", "gpt-4o").start();
        for n in 0..200 {
            call.set(format!("attribute.{n}"), n);
        }
        call.set("huge", huge.as_str())
            .set("gen_ai.request.model", huge.as_str());
        call.complete();
    });
    let span = capture.spans().remove(0);
    assert!(
        span.attributes.len() <= 128 + 8,
        "{}",
        span.attributes.len()
    );
    assert!(span.dropped_attributes >= 70);
    assert!(
        span.attr("gen_ai.request.model")
            .unwrap()
            .as_str()
            .unwrap()
            .len()
            <= 64 * 1024
    );
    assert!(span.name.len() <= 256);
    assert!(capture.telemetry().stats().partial[&tracing_genai::Loss::SpanLimits] >= 70);
}

#[test]
fn negative_and_fractional_token_counts_are_dropped_and_counted_not_exported() {
    let capture = capture();
    capture.record(|| {
        info_span!(
            "c",
            gen_ai.operation.name = "chat",
            gen_ai.usage.input_tokens = -5,
            gen_ai.usage.output_tokens = f64::NAN,
            gen_ai.usage.cache_read.input_tokens = "1200"
        )
        .in_scope(|| {});
    });
    let span = capture.span("chat");
    assert!(
        span.attr("gen_ai.usage.input_tokens").is_none()
            && span.attr("gen_ai.usage.output_tokens").is_none()
    );
    assert_eq!(
        span.attr("gen_ai.usage.cache_read.input_tokens"),
        Some(&Value::I64(1200))
    );
    assert!(span.attr("llm.cost_usd").is_none());
}

#[test]
fn an_unknown_operation_keeps_its_name_and_harms_nothing() {
    let capture = capture();
    capture.record(|| info_span!("s", gen_ai.operation.name = "daydream").in_scope(|| {}));
    assert_eq!(
        capture.spans()[0]
            .attr("gen_ai.operation.name")
            .unwrap()
            .as_str(),
        Some("daydream")
    );
}

#[test]
fn writing_after_the_end_changes_nothing_and_is_counted() {
    let capture = capture();
    capture.record(|| {
        let call = chat("openai", "gpt-4o").start();
        call.complete();
        call.set("late", 1).fail_as("too_late");
        call.cancel();
    });
    let span = capture.span("chat gpt-4o");
    assert!(span.attr("late").is_none() && span.attr("error.type").is_none());
    assert!(capture.telemetry().stats().partial[&tracing_genai::Loss::RecordAfterEnd] >= 2);
    assert_eq!(
        capture
            .events()
            .iter()
            .filter(|e| e.phase.is_terminal())
            .count(),
        1
    );
}

#[test]
fn several_instances_on_one_registry_and_on_one_thread_do_not_disturb_each_other() {
    let (a, b) = (capture(), capture_with(|b| b.genai_only()));
    let subscriber = tracing_subscriber::registry()
        .with(a.telemetry().layer())
        .with(b.telemetry().layer());
    tracing::subscriber::with_default(subscriber, || {
        sync_step(1);
        tool("search").in_scope(|tool| {
            tool.set("hits", 3);
            b.record(|| step("only b").in_scope(|_| Ok::<_, NotFound>(())))
        })
    })
    .unwrap();
    let names = |c: &tracing_genai::testing::Capture| {
        c.spans().into_iter().map(|s| s.name).collect::<Vec<_>>()
    };
    assert_eq!(names(&a), ["sync_step", "execute_tool search"]);
    assert_eq!(names(&b), ["only b", "execute_tool search"]);
    assert_eq!(
        a.span("execute_tool search").attr("hits"),
        b.span("execute_tool search").attr("hits")
    );
}

#[test]
fn a_task_on_another_thread_keeps_its_parent() {
    let capture = capture();
    let subscriber = tracing_subscriber::registry().with(capture.telemetry().layer());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    tracing::subscriber::with_default(subscriber, || {
        let dispatch = tracing::dispatcher::get_default(Clone::clone);
        runtime.block_on(async {
            use tracing::instrument::WithSubscriber as _;
            let root = agent("planner").start();
            let task = tool("search").parent(root.span()).run(async {
                tokio::task::yield_now().await;
                Ok::<_, NotFound>(())
            });
            tokio::spawn(
                task.instrument(root.span().clone())
                    .with_subscriber(dispatch),
            )
            .await
            .unwrap()
            .unwrap();
            root.complete();
        });
    });
    assert_eq!(
        capture.tree(),
        "invoke_agent planner\n    execute_tool search\n"
    );
}

#[test]
fn a_trace_ten_thousand_deep_is_delivered_whole() {
    let capture = capture();
    capture.record(|| {
        let mut open = vec![info_span!("level")];
        for _ in 0..10_000 {
            let child = info_span!(parent: open.last().unwrap(), "level");
            open.push(child);
        }
        while let Some(span) = open.pop() {
            drop(span);
        }
    });
    assert_eq!(capture.spans().len(), 10_001);
}

#[test]
fn a_remote_parent_can_be_set_before_the_span_is_entered_and_not_after() {
    use tracing_genai::propagation::{extract, inject_context};
    use tracing_genai::{SetParentError, SpanExt as _};
    let mut headers = http::HeaderMap::new();
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    headers.insert("traceparent", traceparent.parse().unwrap());
    let remote = extract(&headers);
    let capture = capture();
    capture.record(|| {
        let span = info_span!("server");
        span.set_parent(&remote).unwrap();
        span.in_scope(|| {});
        assert_eq!(span.set_parent(&remote), Err(SetParentError::Fixed));
        assert_eq!(
            tracing::Span::none().set_parent(&remote),
            Err(SetParentError::NotSeen)
        );
        span.set_attribute("undeclared", "kept");
        let tool = tool("search").remote_parent(&remote).start();
        let mut meta = serde_json::Map::new();
        inject_context(&tool.context(), &mut meta);
        assert!(
            meta["traceparent"]
                .as_str()
                .unwrap()
                .starts_with("00-0af7651916cd43dd8448eb211c80319c-")
        );
        tool.complete();
    });
    for name in ["server", "execute_tool search"] {
        let span = capture.span(name);
        assert_eq!(
            span.trace_id.to_string(),
            "0af7651916cd43dd8448eb211c80319c"
        );
        assert_eq!(span.parent_id.to_string(), "b7ad6b7169203331");
        assert!(span.parent_is_remote);
    }
    assert_eq!(
        capture.span("server").attr("undeclared").unwrap().as_str(),
        Some("kept")
    );
}

#[test]
fn a_sub_agents_calls_inside_a_tool_inside_a_model_call_are_its_own_and_a_wrapped_call_is_one() {
    let capture = capture();
    let usage = || tracing_genai::event::Usage::new().input(10).output(1);
    capture
        .record(|| {
            agent("outer").in_scope(|_| {
                let outer = chat("openai", "gpt-4o-mini").start();
                outer.in_scope(|| {
                    // The provider's client, instrumented too: the same call.
                    chat("openai", "gpt-4o-mini")
                        .start()
                        .usage(usage())
                        .complete();
                    tool("ask_expert").in_scope(|_| {
                        agent("inner").in_scope(|_| {
                            chat("openai", "gpt-4o-mini")
                                .start()
                                .usage(usage())
                                .complete();
                            Ok::<_, NotFound>(())
                        })
                    })
                })?;
                outer.usage(usage()).complete();
                Ok::<_, NotFound>(())
            })
        })
        .unwrap();
    let total = |name: &str| capture.span(name).attr("llm.total_calls").cloned();
    assert_eq!(total("invoke_agent inner"), Some(Value::I64(1)));
    assert_eq!(total("invoke_agent outer"), Some(Value::I64(2)));
}
