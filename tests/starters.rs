//! The typed starters: what they put on a span, that the conventions are kept, and that every way out ends a span once.
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod support;

use std::future::{pending, ready};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::{Arc, Barrier};
use std::task::{Context, Waker};

use futures_util::FutureExt as _;
use opentelemetry::trace::{SpanKind, Status};
use support::ends::{NotFound, ends, only_end};
use support::waiting::{block_on, within};
use tracing::instrument::WithSubscriber as _;
use tracing_genai::event::{Phase, Usage, Value};
use tracing_genai::testing::{Capture, CapturedSpan, capture, capture_with};
use tracing_genai::{
    ActiveSpan, Loss, agent, chat, embeddings, generate_content, plan, retrieval, step,
    text_completion, tool, workflow,
};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::prelude::*;

const NOT_FOUND: &str = "starters::support::ends::NotFound";

#[track_caller]
fn has(span: &CapturedSpan, expected: &[(&str, Value)]) {
    for (name, value) in expected {
        assert_eq!(span.attr(name), Some(value), "{name} of {}", span.name);
    }
}

fn texts(all: &[&str]) -> Value {
    Value::Array(all.iter().copied().map(Value::from).collect())
}

// === what is on the span ===

#[test]
fn every_starter_names_its_span_and_its_kind_as_the_conventions_do() {
    let capture = capture();
    capture.record(|| {
        chat("openai", "m").start().complete();
        generate_content("gcp.gemini", "m").start().complete();
        text_completion("openai", "m").start().complete();
        embeddings("openai", "m").start().complete();
        chat("openai", "").start().complete();
        tool("search").start().complete();
        agent("planner").start().complete();
        workflow("trip").start().complete();
        step("parse").start().complete();
        plan("planner").start().complete();
        retrieval("docs").start().complete();
    });
    let spans = capture.spans();
    let seen: Vec<_> = spans
        .iter()
        .map(|s| (s.name.as_str(), s.kind.clone()))
        .collect();
    use SpanKind::{Client, Internal};
    assert_eq!(
        seen,
        [
            ("chat m", Client),
            ("generate_content m", Client),
            ("text_completion m", Client),
            ("embeddings m", Client),
            ("chat", Client),
            ("execute_tool search", Internal),
            ("invoke_agent planner", Internal),
            ("invoke_workflow trip", Internal),
            ("parse", Internal),
            ("plan planner", Internal),
            ("retrieval docs", Client),
        ]
    );
    let types: Vec<_> = ends(&capture).iter().map(|e| e.ty.to_string()).collect();
    assert_eq!(types[..5], ["llm.call.completed"; 5]);
    assert_eq!(
        types[5..],
        [
            "tool.call.completed",
            "agent.execution.completed",
            "workflow.completed",
            "step.completed",
            "plan.reasoning.completed",
            "retrieval.query.completed"
        ]
    );
}

#[test]
fn what_a_request_asks_for_is_on_the_span_under_the_conventional_name_and_type() {
    let capture = capture();
    capture.record(|| {
        chat("openai", "gpt-4o")
            .temperature(0.2)
            .top_p(0.9)
            .top_k(40)
            .max_tokens(256)
            .seed(7)
            .frequency_penalty(0.5)
            .presence_penalty(-0.5)
            .choice_count(3)
            .streaming()
            .stop_sequences(["END", "."])
            .output_type("json")
            .reasoning_level("high")
            .server("api.openai.com", 443)
            .conversation_id("conv-1")
            .session_id("session-1")
            .attr("app.tenant", "acme")
            .start()
            .complete();
    });
    has(
        &capture.span("chat gpt-4o"),
        &[
            ("gen_ai.operation.name", "chat".into()),
            ("gen_ai.provider.name", "openai".into()),
            ("gen_ai.request.model", "gpt-4o".into()),
            ("gen_ai.request.temperature", Value::F64(0.2)),
            ("gen_ai.request.top_p", Value::F64(0.9)),
            ("gen_ai.request.top_k", Value::I64(40)),
            ("gen_ai.request.max_tokens", Value::I64(256)),
            ("gen_ai.request.seed", Value::I64(7)),
            ("gen_ai.request.frequency_penalty", Value::F64(0.5)),
            ("gen_ai.request.presence_penalty", Value::F64(-0.5)),
            ("gen_ai.request.choice.count", Value::I64(3)),
            ("gen_ai.request.stream", Value::Bool(true)),
            ("gen_ai.request.stop_sequences", texts(&["END", "."])),
            ("gen_ai.output.type", "json".into()),
            ("gen_ai.request.reasoning.level", "high".into()),
            ("server.address", "api.openai.com".into()),
            ("server.port", Value::I64(443)),
            ("gen_ai.conversation.id", "conv-1".into()),
            ("session.id", "session-1".into()),
            ("app.tenant", "acme".into()),
        ],
    );
}

#[test]
fn what_a_call_learns_is_on_the_span_under_the_conventional_name_and_type() {
    let capture = capture();
    let usage = Usage::new()
        .input(100)
        .output(50)
        .cache_read(20)
        .cache_write(10)
        .reasoning(5);
    capture.record(|| {
        chat("openai", "gpt-4o")
            .start()
            .usage(usage)
            .response_model("gpt-4o-2024-11-20")
            .response_id("chatcmpl-1")
            .finish_reasons(["stop", "length"])
            .cost_usd(0.25)
            .set("app.cached", false)
            .complete();
    });
    let span = capture.span("chat gpt-4o");
    has(
        &span,
        &[
            ("gen_ai.usage.input_tokens", Value::I64(100)),
            ("gen_ai.usage.output_tokens", Value::I64(50)),
            ("gen_ai.usage.cache_read.input_tokens", Value::I64(20)),
            ("gen_ai.usage.cache_write.input_tokens", Value::I64(10)),
            ("gen_ai.usage.reasoning.output_tokens", Value::I64(5)),
            ("gen_ai.response.model", "gpt-4o-2024-11-20".into()),
            ("gen_ai.response.id", "chatcmpl-1".into()),
            ("gen_ai.response.finish_reasons", texts(&["stop", "length"])),
            ("gen_ai.usage.cost", Value::F64(0.25)),
            ("app.cached", Value::Bool(false)),
        ],
    );
    assert_eq!(only_end(&capture).0.attrs, span.attributes, "one truth");
}

#[test]
fn one_finish_reason_is_a_list_of_one() {
    let capture = capture();
    capture.record(|| {
        let call = chat("openai", "m").start();
        call.finish_reason("stop").complete();
    });
    let span = capture.span("chat m");
    has(
        &span,
        &[("gen_ai.response.finish_reasons", texts(&["stop"]))],
    );
}

#[test]
fn a_providers_answer_tells_model_id_reasons_and_usage() {
    let capture = capture();
    capture.record(|| {
        let call = chat("anthropic", "claude-sonnet-4-5").start();
        call.response(&serde_json::json!({
            "id": "msg_1", "model": "claude-sonnet-4-5-20250929", "stop_reason": "end_turn",
            "usage": {"input_tokens": 10, "cache_read_input_tokens": 5, "output_tokens": 3},
        }))
        .complete();
    });
    has(
        &capture.span("chat claude-sonnet-4-5"),
        &[
            ("gen_ai.response.id", "msg_1".into()),
            ("gen_ai.response.model", "claude-sonnet-4-5-20250929".into()),
            ("gen_ai.response.finish_reasons", texts(&["end_turn"])),
            ("gen_ai.usage.input_tokens", Value::I64(15)),
            ("gen_ai.usage.cache_read.input_tokens", Value::I64(5)),
            ("gen_ai.usage.output_tokens", Value::I64(3)),
        ],
    );
}

#[test]
fn a_choice_count_of_one_is_not_recorded() {
    let capture = capture();
    capture.record(|| chat("openai", "m").choice_count(1).start().complete());
    assert!(
        capture
            .span("chat m")
            .attr("gen_ai.request.choice.count")
            .is_none()
    );
}

#[test]
fn tools_and_agents_say_what_they_are_under_their_own_names() {
    let capture = capture();
    capture.record(|| {
        tool("search")
            .call_id("call_1")
            .tool_type("datastore")
            .description("finds pages")
            .start()
            .complete();
        agent("planner")
            .description("plans trips")
            .model("gpt-4o")
            .start()
            .complete();
        tool("plain").start().complete();
    });
    has(
        &capture.span("execute_tool search"),
        &[
            ("gen_ai.operation.name", "execute_tool".into()),
            ("gen_ai.tool.name", "search".into()),
            ("gen_ai.tool.call.id", "call_1".into()),
            ("gen_ai.tool.type", "datastore".into()),
            ("gen_ai.tool.description", "finds pages".into()),
        ],
    );
    has(
        &capture.span("execute_tool plain"),
        &[("gen_ai.tool.type", "function".into())],
    );
    has(
        &capture.span("invoke_agent planner"),
        &[
            ("gen_ai.operation.name", "invoke_agent".into()),
            ("gen_ai.agent.name", "planner".into()),
            ("gen_ai.agent.description", "plans trips".into()),
            ("gen_ai.request.model", "gpt-4o".into()),
        ],
    );
}

#[test]
fn workflows_plans_retrievals_and_steps_carry_their_names() {
    let capture = capture();
    capture.record(|| {
        workflow("trip").start().complete();
        plan("planner").start().complete();
        retrieval("docs").start().complete();
        step("parse").start().complete();
    });
    for (span, attribute, value) in [
        ("invoke_workflow trip", "gen_ai.workflow.name", "trip"),
        (
            "invoke_workflow trip",
            "gen_ai.operation.name",
            "invoke_workflow",
        ),
        ("plan planner", "gen_ai.agent.name", "planner"),
        ("plan planner", "gen_ai.operation.name", "plan"),
        ("retrieval docs", "gen_ai.data_source.id", "docs"),
        ("retrieval docs", "gen_ai.operation.name", "retrieval"),
        ("parse", "step.name", "parse"),
    ] {
        has(&capture.span(span), &[(attribute, value.into())]);
    }
    let step = capture.span("parse");
    assert!(
        step.attr("gen_ai.operation.name").is_none(),
        "the conventions know no steps"
    );
}

#[test]
fn the_last_value_of_a_name_wins_before_and_after_the_start() {
    let capture = capture();
    capture.record(|| {
        let call = chat("openai", "m")
            .temperature(0.1)
            .temperature(0.7)
            .attr("x", 1)
            .start();
        call.set("x", "two").set("x", 3.0).complete();
    });
    let span = capture.span("chat m");
    has(
        &span,
        &[
            ("gen_ai.request.temperature", Value::F64(0.7)),
            ("x", Value::F64(3.0)),
        ],
    );
}

#[test]
fn attribute_limits_of_the_environment_hold_for_starters_too() {
    let capture = capture_with(|b| {
        b.environment(|name| (name == "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT").then(|| "16".to_owned()))
    });
    capture.record(|| {
        tool("search")
            .description(&"long ".repeat(100))
            .start()
            .complete();
    });
    let span = capture.span("execute_tool search");
    let description = span.attr("gen_ai.tool.description").unwrap();
    assert!(description.as_str().unwrap().len() <= 16, "{description}");
}

#[test]
fn links_and_explicit_parents_and_roots_are_kept() {
    let capture = capture();
    capture.record(|| {
        let first = agent("first").start();
        let second = agent("second").link(first.span_context()).start();
        second.link(&first.span_context());
        second.in_scope(|| {
            tool("below").parent(first.span()).start().complete();
            tool("alone").root().start().complete();
        });
        second.complete();
        first.complete();
    });
    let (first, second) = (
        capture.span("invoke_agent first"),
        capture.span("invoke_agent second"),
    );
    let linked: Vec<_> = second.links.iter().map(|l| l.span_id()).collect();
    assert_eq!(linked, [first.span_id, first.span_id]);
    assert_eq!(
        capture.tree(),
        "invoke_agent first\n    execute_tool below\ninvoke_agent second\nexecute_tool alone\n"
    );
}

// === every way out ends the span once ===

/// What a span's one end is called, with its `error.type`.
fn end_of(capture: &Capture) -> (Phase, Option<String>) {
    let (event, span) = only_end(capture);
    let error = span.attr("error.type").map(ToString::to_string);
    assert_eq!(
        event.error.as_ref().map(|e| e.kind.to_string()),
        error,
        "the event and the span tell the same"
    );
    assert_eq!(
        matches!(span.status, Status::Error { .. }),
        event.phase == Phase::Failed
    );
    assert!(event.duration.is_some());
    (event.phase.clone(), error)
}

fn failed(error_type: &str) -> (Phase, Option<String>) {
    (Phase::Failed, Some(error_type.to_owned()))
}

#[test]
fn ok_completes_the_span() {
    let capture = capture();
    let answer = capture.record(|| block_on(tool("t").run(ready(Ok::<_, NotFound>(42)))));
    assert_eq!(answer.unwrap(), 42);
    assert_eq!(end_of(&capture), (Phase::Completed, None));
}

#[test]
fn an_early_return_by_question_mark_fails_the_span_with_the_errors_type() {
    async fn work() -> Result<u8, NotFound> {
        tokio::task::yield_now().await;
        Err(NotFound)?;
        Ok(1)
    }
    let capture = capture();
    let answer = capture.record(|| block_on(tool("t").run(work())));
    answer.unwrap_err();
    assert_eq!(end_of(&capture), failed(NOT_FOUND));
    assert!(
        !format!("{:?}{:?}", capture.spans(), capture.events()).contains("secret-path"),
        "the message is content"
    );
}

#[test]
fn a_named_failure_has_that_name() {
    let capture = capture();
    capture.record(|| chat("openai", "m").start().fail_as("rate_limited"));
    assert_eq!(end_of(&capture), failed("rate_limited"));
}

#[test]
fn a_boxed_error_fails_the_span() {
    let capture = capture();
    capture.record(|| {
        let error: Box<dyn std::error::Error + Send + Sync> = "broken".into();
        tool("t").start().fail(error.as_ref());
    });
    assert_eq!(end_of(&capture).0, Phase::Failed);
}

#[test]
fn an_error_that_cannot_be_printed_fails_the_span_and_nothing_else() {
    struct Panics;
    impl std::fmt::Display for Panics {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("in Display")
        }
    }
    struct Endless;
    impl std::fmt::Display for Endless {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            loop {
                f.write_str("more and ")?;
            }
        }
    }
    let capture = capture_with(|b| b.error_messages(true));
    capture.record(|| {
        tool("panics").start().fail(&Panics);
        tool("endless").start().fail(&Endless);
    });
    for event in ends(&capture) {
        assert_eq!(event.phase, Phase::Failed);
        let message = event.error.as_ref().unwrap().message.clone().unwrap();
        assert!(message.len() <= 64 * 1024);
    }
    assert_eq!(ends(&capture).len(), 2);
}

#[test]
fn in_scope_completes_on_ok_and_fails_on_err() {
    let (good, bad) = (capture(), capture());
    let answer = good.record(|| tool("t").in_scope(|_| Ok::<_, NotFound>(42)));
    assert_eq!(answer.unwrap(), 42);
    assert_eq!(end_of(&good), (Phase::Completed, None));
    bad.record(|| tool("t").in_scope(|_| Err::<(), _>(NotFound)))
        .unwrap_err();
    assert_eq!(end_of(&bad), failed(NOT_FOUND));
}

#[test]
fn a_panic_in_scope_fails_the_span_as_panic() {
    let capture = capture();
    let caught = capture.record(|| {
        catch_unwind(|| tool("t").in_scope(|_| -> Result<(), NotFound> { panic!("in the tool") }))
    });
    assert!(caught.is_err());
    assert_eq!(end_of(&capture), failed("panic"));
}

#[test]
fn a_panic_of_the_future_fails_the_span_as_panic() {
    let capture = capture();
    let caught = capture.record(|| {
        catch_unwind(|| {
            block_on(tool("t").run(async {
                tokio::task::yield_now().await;
                panic!("in the tool");
                #[allow(unreachable_code)]
                Ok::<(), NotFound>(())
            }))
        })
    });
    assert!(caught.is_err());
    assert_eq!(end_of(&capture), failed("panic"));
}

#[test]
fn a_panic_that_is_caught_around_the_poll_fails_the_span_as_panic() {
    let capture = capture();
    // `FutureExt::catch_unwind`, as web frameworks use it, drops the future only after the unwinding is over.
    let caught = capture.record(|| {
        let work = tool("t").run(async { panic!("in the tool") as Result<(), NotFound> });
        block_on(AssertUnwindSafe(work).catch_unwind())
    });
    assert!(caught.is_err());
    assert_eq!(end_of(&capture), failed("panic"));
}

#[test]
fn a_panic_caught_around_the_poll_fails_a_shared_span_too() {
    let capture = capture();
    capture.record(|| {
        let call = chat("openai", "m").start();
        let work = call.run(async { panic!("in the client") as Result<(), NotFound> });
        block_on(AssertUnwindSafe(work).catch_unwind()).unwrap_err();
        call.complete();
    });
    assert_eq!(end_of(&capture), failed("panic"));
}

#[test]
fn a_panic_of_a_spawned_task_fails_the_span_as_panic() {
    let capture = capture();
    let error = capture.record(|| {
        block_on(async {
            let work = tool("t").run(async { panic!("in the task") as Result<(), NotFound> });
            tokio::spawn(work.with_current_subscriber())
                .await
                .unwrap_err()
        })
    });
    assert!(error.is_panic());
    assert_eq!(end_of(&capture), failed("panic"));
}

#[test]
fn a_future_dropped_half_way_cancels_the_span() {
    let capture = capture();
    capture.record(|| {
        let mut work = Box::pin(tool("t").run(pending::<Result<(), NotFound>>()));
        let polled = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
    });
    assert_eq!(end_of(&capture), (Phase::Canceled, None));
}

#[test]
fn a_future_that_is_never_polled_cancels_the_span() {
    let capture = capture();
    capture.record(|| drop(tool("t").run(ready(Ok::<_, NotFound>(())))));
    assert_eq!(end_of(&capture), (Phase::Canceled, None));
}

#[test]
fn the_loser_of_a_select_is_canceled() {
    let capture = capture();
    capture.record(|| {
        block_on(async {
            tokio::select! {
                biased;
                _ = tool("slow").run(pending::<Result<(), NotFound>>()) => unreachable!(),
                answer = tool("fast").run(ready(Ok::<_, NotFound>(()))) => answer.unwrap(),
            }
        });
    });
    let ends: Vec<_> = ends(&capture)
        .iter()
        .map(|e| (e.name.to_string(), e.phase.clone()))
        .collect();
    assert_eq!(
        ends,
        [
            ("execute_tool fast".to_owned(), Phase::Completed),
            ("execute_tool slow".to_owned(), Phase::Canceled)
        ]
    );
}

#[test]
fn an_aborted_task_cancels_the_span() {
    let capture = capture();
    capture.record(|| {
        block_on(async {
            let work = tool("t").run(pending::<Result<(), NotFound>>());
            let task = tokio::spawn(work.with_current_subscriber());
            tokio::task::yield_now().await;
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        });
    });
    assert_eq!(end_of(&capture), (Phase::Canceled, None));
}

#[test]
fn what_a_canceled_future_holds_is_dropped_inside_the_span() {
    struct Guard;
    impl Drop for Guard {
        fn drop(&mut self) {
            tracing::info_span!("cleanup").in_scope(|| {});
        }
    }
    let capture = capture();
    capture.record(|| {
        let guard = Guard;
        let mut work = Box::pin(tool("t").run(async move {
            let _guard = guard;
            pending::<Result<(), NotFound>>().await
        }));
        let _ = work.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    });
    assert_eq!(capture.tree(), "execute_tool t\n    cleanup\n");
}

#[test]
fn a_handle_that_is_dropped_cancels_the_span() {
    let capture = capture();
    capture.record(|| drop(chat("openai", "m").start()));
    assert_eq!(end_of(&capture), (Phase::Canceled, None));
}

#[test]
fn a_handle_that_is_dropped_by_a_panic_fails_the_span_as_panic() {
    let capture = capture();
    capture.record(|| {
        let _ = catch_unwind(|| {
            let _call = chat("openai", "m").start();
            panic!("beside the call");
        });
    });
    assert_eq!(end_of(&capture), failed("panic"));
}

#[test]
fn the_first_of_several_ends_holds() {
    type End = fn(&ActiveSpan<tracing_genai::Inference>);
    let ways: [(End, (Phase, Option<String>)); 4] = [
        (|c| c.complete(), (Phase::Completed, None)),
        (|c| c.fail(&NotFound), failed(NOT_FOUND)),
        (|c| c.fail_as("timeout"), failed("timeout")),
        (|c| c.cancel(), (Phase::Canceled, None)),
    ];
    for (first, expected) in &ways {
        let capture = capture();
        capture.record(|| {
            let call = chat("openai", "m").start();
            first(&call);
            ways.iter().for_each(|(again, _)| again(&call));
        });
        assert_eq!(&end_of(&capture), expected);
    }
}

#[test]
fn of_ends_on_two_threads_at_once_one_holds() {
    for _ in 0..100 {
        let capture = capture();
        capture.record(|| {
            let call = chat("openai", "m").start();
            let barrier = Barrier::new(2);
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    barrier.wait();
                    call.complete();
                });
                barrier.wait();
                call.cancel();
            });
        });
        only_end(&capture);
    }
}

#[test]
fn a_completed_span_that_is_dropped_in_a_panic_stays_completed() {
    let capture = capture();
    capture.record(|| {
        let _ = catch_unwind(|| {
            let call = chat("openai", "m").start();
            call.complete();
            panic!("later");
        });
    });
    assert_eq!(end_of(&capture), (Phase::Completed, None));
    assert!(
        !capture
            .telemetry()
            .stats()
            .partial
            .contains_key(&Loss::RecordAfterEnd),
        "dropping a handle writes nothing"
    );
}

#[test]
fn run_on_a_shared_span_leaves_it_open_on_ok_and_ends_it_on_err() {
    let capture = capture();
    capture.record(|| {
        let call = chat("openai", "m").start();
        block_on(async {
            call.run(ready(Ok::<_, NotFound>(1))).await.unwrap();
            call.usage(Usage::new().input(1).output(1));
            assert!(ends(&capture).is_empty());
            call.run(ready(Err::<(), _>(NotFound))).await.unwrap_err();
            call.complete();
        });
    });
    assert_eq!(end_of(&capture), failed(NOT_FOUND));
    has(
        &capture.span("chat m"),
        &[("gen_ai.usage.input_tokens", Value::I64(1))],
    );
}

#[test]
fn what_runs_inside_is_below_the_span_and_what_runs_between_two_polls_is_not() {
    let capture = capture();
    capture.record(|| {
        let mut work = pin!(tool("t").run(async {
            step("inside").start().complete();
            tokio::task::yield_now().await;
            Ok::<_, NotFound>(())
        }));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(work.as_mut().poll(&mut cx).is_pending());
        step("between").start().complete();
        assert!(work.as_mut().poll(&mut cx).is_ready());
        // Polled past its end: nothing happens, least of all a panic.
        assert!(work.as_mut().poll(&mut cx).is_pending());
    });
    assert_eq!(capture.tree(), "execute_tool t\n    inside\nbetween\n");
}

#[test]
fn nested_runs_keep_their_tree_across_the_tasks_of_a_runtime_of_many_threads() {
    let capture = within("eight agents on four threads", || {
        let capture = capture();
        let subscriber = tracing_subscriber::registry().with(capture.telemetry().layer());
        let dispatch = tracing::Dispatch::new(subscriber);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(4)
            .build()
            .unwrap();
        runtime.block_on(async {
            let agents: Vec<_> = (0..8)
                .map(|n| {
                    let work = async move {
                        let name = format!("a{n}");
                        agent(&name)
                            .run(async {
                                for _ in 0..3 {
                                    let here = tracing::Span::current();
                                    let work = async move {
                                        tool("search")
                                            .parent(&here)
                                            .run(async {
                                                tokio::task::yield_now().await;
                                                chat("openai", "m")
                                                    .run(ready(Ok::<_, NotFound>(())))
                                                    .await
                                            })
                                            .await
                                    };
                                    tokio::spawn(work.with_current_subscriber())
                                        .await
                                        .unwrap()?;
                                    tokio::task::yield_now().await;
                                }
                                Ok::<_, NotFound>(())
                            })
                            .await
                    };
                    tokio::spawn(work.with_subscriber(dispatch.clone()))
                })
                .collect();
            for agent in agents {
                agent.await.unwrap().unwrap();
            }
        });
        capture
    });
    let spans = capture.spans();
    let parent = |span: &CapturedSpan| {
        spans
            .iter()
            .find(|p| p.span_id == span.parent_id)
            .map(|p| p.name.clone())
    };
    assert_eq!(spans.len(), 8 * (1 + 3 + 3));
    for span in &spans {
        let above = parent(span);
        match span.name.as_str() {
            "chat m" => assert_eq!(above.as_deref(), Some("execute_tool search")),
            "execute_tool search" => assert!(above.unwrap().starts_with("invoke_agent a")),
            _ => {
                assert_eq!(above, None);
                has(span, &[("llm.total_calls", Value::I64(3))]);
            }
        }
    }
}

#[test]
fn a_start_its_moments_and_its_end_come_in_that_order() {
    let capture = capture();
    capture.record(|| {
        let run = step("parse").start();
        run.moment("step.progress", &[("done", Value::F64(0.5))])
            .moment("step.retrying", &[("attempt", Value::I64(2))]);
        run.complete();
        run.moment("step.progress", &[]);
    });
    let events = capture.events();
    let types: Vec<_> = events.iter().map(|e| e.ty.to_string()).collect();
    assert_eq!(
        types[..4],
        [
            "step.started",
            "step.progress",
            "step.retrying",
            "step.completed"
        ]
    );
    assert_eq!(events[2].attr("attempt"), Some(&Value::I64(2)));
    for event in &events[1..3] {
        assert_eq!(event.cx.span, events[0].cx.span);
        assert_eq!(event.cx.parent_event, Some(events[0].id));
    }
    assert!(events.windows(2).all(|w| w[0].cursor < w[1].cursor));
    assert!(events.windows(2).all(|w| w[0].seq < w[1].seq));
    assert!(events.windows(2).all(|w| w[0].time <= w[1].time));
    let span = capture.span("parse");
    let mirrored: Vec<_> = span.events.iter().map(|e| e.name.as_str()).collect();
    assert_eq!(mirrored, ["step.progress", "step.retrying"]);
}

// === where nobody records ===

/// Everything a starter offers, one after another.
fn everything() {
    let call = chat("openai", "m").temperature(0.1).streaming().start();
    call.in_scope(|| tool("t").in_scope(|_| Ok::<_, NotFound>(())))
        .unwrap();
    call.set("x", 1)
        .moment("llm.call.retried", &[])
        .link(&call.span_context());
    call.usage(Usage::new().input(1)).chunk("text").complete();
    block_on(agent("a").run(async {
        step("s").run(ready(Ok::<_, NotFound>(()))).await?;
        drop(retrieval("docs").start());
        plan("a").run(ready(Err::<(), _>(NotFound))).await
    }))
    .unwrap_err();
    let _ = catch_unwind(|| workflow("w").in_scope(|_| -> Result<(), NotFound> { panic!() }));
    let mut headers = http::HeaderMap::new();
    tracing_genai::propagation::inject_context(&call.context(), &mut headers);
}

#[test]
fn without_any_layer_everything_works_and_nothing_is_recorded() {
    everything();
    assert!(!chat("openai", "m").start().span_context().is_valid());
    tracing::subscriber::with_default(tracing_subscriber::registry(), everything);
}

#[test]
fn a_filter_that_hides_our_target_hides_the_starters_and_nothing_else() {
    let capture = capture();
    let not_ours = || filter_fn(|meta| meta.target() != "tracing_genai");
    let beside = tracing_subscriber::registry()
        .with(capture.telemetry().layer())
        .with(not_ours());
    let around =
        tracing_subscriber::registry().with(capture.telemetry().layer().with_filter(not_ours()));
    let work = || {
        tracing::info_span!("mine").in_scope(|| {
            let call = chat("openai", "m").start();
            call.in_scope(|| tracing::info_span!("inner").in_scope(|| {}));
            assert!(!call.span_context().is_valid());
            call.complete();
            everything();
        });
    };
    tracing::subscriber::with_default(beside, work);
    tracing::subscriber::with_default(around, work);
    assert_eq!(
        capture.tree(),
        "mine\n    inner\nmine\n    inner\n",
        "what is inside a hidden starter belongs to the nearest visible span"
    );
}

#[test]
fn a_starter_under_two_layers_is_recorded_by_both() {
    let (a, b) = (capture(), capture());
    let subscriber = tracing_subscriber::registry()
        .with(a.telemetry().layer())
        .with(b.telemetry().layer());
    tracing::subscriber::with_default(subscriber, || {
        let call = chat("openai", "m").start();
        call.usage(Usage::new().input(3)).chunk("").complete();
    });
    for capture in [&a, &b] {
        let (event, span) = only_end(capture);
        assert_eq!(event.phase, Phase::Completed);
        has(&span, &[("gen_ai.usage.input_tokens", Value::I64(3))]);
    }
}

#[test]
fn a_span_handed_to_other_threads_takes_what_they_say() {
    let capture = capture();
    capture.record(|| {
        let call = Arc::new(chat("openai", "m").start());
        std::thread::scope(|scope| {
            for n in 0..4 {
                let call = Arc::clone(&call);
                scope.spawn(move || {
                    for k in 0..10 {
                        call.set(format!("thread.{n}.{k}"), k);
                    }
                });
            }
        });
        call.complete();
    });
    let span = capture.span("chat m");
    let set = span
        .attributes
        .iter()
        .filter(|(name, _)| name.starts_with("thread."));
    assert_eq!(set.count(), 40);
}
