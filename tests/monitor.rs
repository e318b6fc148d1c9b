//! Wrapping functions, futures, model calls and clients: nothing the caller sees changes, and everything is told.
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod support;

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;
use support::ends::{NotFound, ends, only_end};
use support::waiting::block_on;
use tracing::Instrument as _;
use tracing::instrument::WithSubscriber as _;
use tracing_genai::content::CaptureMode;
use tracing_genai::event::{Event, Level, Usage, Value};
use tracing_genai::monitor::{Guard, Judged, LlmClient, LlmError, LlmRequest, Part};
use tracing_genai::monitor::{LlmResponse, Verdict};
use tracing_genai::security::SecurityBlocked;
use tracing_genai::testing::{Capture, capture, capture_with};
use tracing_genai::{
    Call, MonitorExt as _, Monitored, agent, chat, instrumentation_applied, monitor, monitor_async,
    monitor_call, monitor_call_showing, monitor_future, monitor_llm, monitor_llm_async, scope,
};
use tracing_subscriber::prelude::*;

fn types(capture: &Capture) -> Vec<String> {
    capture.events().iter().map(|e| e.ty.to_string()).collect()
}

fn named(capture: &Capture, ty: &str) -> Event {
    let mut found = capture.events();
    found.retain(|event| event.ty == ty);
    assert_eq!(found.len(), 1, "{ty} in {:?}", types(capture));
    found.remove(0)
}

/// Runs `future` on two workers, spawned tasks with the capture's subscriber too.
fn on_threads<F: Future>(capture: &Capture, future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(capture.telemetry().layer());
    runtime.block_on(future.with_subscriber(subscriber))
}

// === functions ===

#[test]
fn a_wrapped_function_returns_what_it_returned_and_tells_its_start_and_its_finish_on_its_channel() {
    fn add(a: i32, b: i32) -> i32 {
        a + b
    }
    let capture = capture();
    let sum = capture.record(|| {
        let add = monitor_call("add", add, "custom");
        add(1, 2)
    });
    assert_eq!(sum, 3);
    assert_eq!(types(&capture), ["call.started", "call.completed"]);
    for event in capture.events() {
        assert_eq!(event.channel.as_str(), "CUSTOM");
        assert_eq!(event.attr("code.function.name"), Some(&"add".into()));
    }
    let (end, span) = only_end(&capture);
    assert_eq!(end.duration, Some(span.duration));
    assert_eq!(span.name, "call add");
}

#[test]
fn a_function_of_any_number_of_arguments_up_to_six_keeps_its_signature() {
    let capture = capture();
    capture.record(|| {
        let none = monitor_call("f0", || 0, "C");
        let one = monitor_call("f1", |a: u8| a, "C");
        let text = monitor_call("f1", |a: String| a.len(), "C");
        let three = monitor_call("f3", |a: u8, b: u8, c: u8| a + b + c, "C");
        let four = monitor_call("f4", |a: u8, b: u8, c: u8, d: u8| a + b + c + d, "C");
        let five = monitor_call(
            "f5",
            |a: u8, b: u8, c: u8, d: u8, e: u8| a + b + c + d + e,
            "C",
        );
        let six = monitor_call(
            "f6",
            |a: u8, b: u8, c: u8, d: u8, e: u8, f: u8| a + b + c + d + e + f,
            "C",
        );
        assert_eq!((none(), one(1), text("ab".into())), (0, 1, 2));
        assert_eq!((three(1, 1, 1), four(1, 1, 1, 1)), (3, 4));
        assert_eq!((five(1, 1, 1, 1, 1), six(1, 1, 1, 1, 1, 1)), (5, 6));
        // It is a function as any other.
        fn apply(f: impl Fn(u8) -> u8 + Send + Sync) -> u8 {
            f(7)
        }
        assert_eq!(apply(one), 7);
    });
    assert_eq!(ends(&capture).len(), 8);
}

#[test]
fn functions_that_borrow_and_methods_are_wrapped_too() {
    struct Framework(Vec<u32>);
    impl Framework {
        fn analyze(&self, by: u32) -> u32 {
            self.0.iter().map(|row| row * by).sum()
        }
        fn first<'a>(&self, text: &'a str) -> &'a str {
            monitor("Framework::first", "MY_FRAMEWORK", || {
                text.split(' ').next().unwrap_or_default()
            })
        }
    }
    fn shout(text: &str) -> String {
        text.to_uppercase()
    }
    let capture = capture();
    capture.record(|| {
        let framework = Framework(vec![1, 2]);
        let analyze = monitor_call("analyze", |by| framework.analyze(by), "MY_FRAMEWORK");
        assert_eq!(analyze(10), 30);
        let text = String::from("two words");
        let shout = monitor_call("shout", shout, "MY_FRAMEWORK");
        assert_eq!(shout(&text), "TWO WORDS");
        let mut count = 0;
        monitor("count", "MY_FRAMEWORK", || count += 1);
        assert_eq!((framework.first(&text), count), ("two", 1));
    });
    let names: Vec<_> = capture.spans().into_iter().map(|span| span.name).collect();
    assert_eq!(
        names,
        [
            "call analyze",
            "call shout",
            "call count",
            "call Framework::first"
        ]
    );
}

#[test]
fn an_err_is_returned_as_it_is_and_fails_the_call_with_the_errors_type_but_not_its_text() {
    let capture = capture_with(|builder| builder.error_messages(true));
    let result = capture.record(|| {
        let find = monitor_call("find", |_: u8| Err::<(), _>(NotFound), "CUSTOM");
        find(1)
    });
    assert!(matches!(result, Err(NotFound)));
    assert_eq!(types(&capture), ["call.started", "call.failed"]);
    let (end, _) = only_end(&capture);
    let error = end.error.clone().unwrap();
    assert_eq!(&*error.kind, "monitor::support::ends::NotFound");
    assert_eq!((error.message.as_deref(), end.level), (None, Level::Error));
    assert_eq!(end.channel.as_str(), "CUSTOM");
}

#[test]
fn a_panic_fails_the_call_and_goes_on() {
    let capture = capture();
    let panicked = capture.record(|| {
        let boom = monitor_call("boom", || -> u8 { panic!("out") }, "CUSTOM");
        catch_unwind(AssertUnwindSafe(&boom))
    });
    let text = panicked.unwrap_err().downcast_ref::<&str>().copied();
    assert_eq!(text, Some("out"));
    assert_eq!(&*only_end(&capture).0.error.clone().unwrap().kind, "panic");
}

#[test]
fn a_result_is_kept_only_where_content_is_allowed_and_a_panic_in_showing_it_is_nobodys() {
    for (allowed, expected) in [(false, None), (true, Some(Value::from(3)))] {
        let capture = capture_with(|builder| {
            builder.capture(if allowed {
                CaptureMode::Redacted
            } else {
                CaptureMode::Off
            })
        });
        let asked = AtomicUsize::new(0);
        capture.record(|| {
            let show = |sum: &i64| {
                asked.fetch_add(1, Ordering::Relaxed);
                Value::from(*sum)
            };
            monitor_call_showing("add", |a: i64, b: i64| a + b, "CUSTOM", show)(1, 2);
        });
        assert_eq!(asked.into_inner(), usize::from(allowed));
        assert_eq!(only_end(&capture).0.attr("call.result"), expected.as_ref());
    }
    let capture = capture_with(|builder| builder.capture(CaptureMode::Redacted));
    let sum = capture.record(|| {
        let show = |_: &i64| -> Value { panic!("in show") };
        monitor_call_showing("add", |a: i64, b: i64| a + b, "CUSTOM", show)(1, 2)
    });
    assert_eq!(sum, 3);
    assert!(only_end(&capture).1.attr("call.result").is_none());
    assert_eq!(types(&capture), ["call.started", "call.completed"]);
}

#[test]
fn without_a_layer_the_work_is_done_and_nothing_else_happens() {
    assert_eq!(monitor_call("add", |a: i32, b: i32| a + b, "C")(1, 2), 3);
    assert_eq!(block_on(async { 1 }.monitored("C")), 1);
    let answer = monitor_llm("m", "p", |p| Ok::<_, Infallible>(p.to_owned()));
    assert_eq!(answer.unwrap(), "p");
}

#[test]
fn the_names_that_cylestio_monitor_gives_these_events_find_them() {
    let capture = capture();
    capture.record(|| {
        monitor_call("add", |a: u8| a, "CUSTOM")(1);
        let _ = monitor_call("find", || Err::<(), _>(NotFound), "CUSTOM")();
        let _ = chat("openai", "m")
            .guard(&check)
            .call("DROP", |_| Ok::<_, NotFound>(String::new()));
        let _ = monitor_llm("m", "Hello", |_| Ok::<_, NotFound>(String::new()));
    });
    capture.flush();
    let history = capture.telemetry().history();
    for (name, count) in [
        ("call_start", 2),
        ("call_finish", 1),
        ("call_error", 1),
        ("LLM_call_start", 2),
        ("LLM_call_finish", 1),
        ("LLM_call_blocked", 1),
    ] {
        let found = history.event_type(name).unwrap().fetch().unwrap();
        assert_eq!(found.len(), count, "{name}");
    }
}

// === futures ===

async fn fetch(url: String) -> Result<usize, NotFound> {
    tokio::task::yield_now().await;
    chat("openai", "m").start().complete();
    tokio::task::yield_now().await;
    if url.is_empty() {
        Err(NotFound)
    } else {
        Ok(url.len())
    }
}

#[test]
fn a_future_is_monitored_across_its_awaits_and_from_thread_to_thread() {
    let capture = capture();
    let results = on_threads(&capture, async {
        let fetch_all = monitor_async("fetch", fetch, "CUSTOM");
        let tasks: Vec<_> = ["abc", ""]
            .map(|url| tokio::spawn(fetch_all(url.to_owned()).with_current_subscriber()))
            .into();
        let mut results = Vec::new();
        for task in tasks {
            results.push(task.await.unwrap());
        }
        results
    });
    assert!(matches!(results[..], [Ok(3), Err(NotFound)]));
    let calls: Vec<_> = capture
        .spans()
        .into_iter()
        .filter(|span| span.name == "call fetch")
        .collect();
    for call in &calls {
        let inside = capture.spans();
        let inside = inside.iter().filter(|s| s.parent_id == call.span_id);
        assert_eq!(inside.count(), 1, "{}", capture.tree());
    }
    let mut failed: Vec<_> = calls.iter().filter_map(|c| c.attr("error.type")).collect();
    assert_eq!(failed.len(), 1);
    assert_eq!(
        failed.remove(0).as_str(),
        Some("monitor::support::ends::NotFound")
    );
}

#[test]
fn a_futures_own_name_is_that_of_the_async_function_and_its_result_is_shown_where_allowed() {
    let capture = capture_with(|builder| builder.capture(CaptureMode::Redacted));
    capture.record(|| {
        let shown = fetch("ab".into())
            .monitored("CUSTOM")
            .showing(|result| Value::from(*result.as_ref().unwrap_or(&0)));
        block_on(shown).unwrap();
    });
    let call = capture.span("call monitor::fetch");
    assert_eq!(call.attr("call.result"), Some(&2.into()));
}

#[test]
fn a_dropped_future_is_a_canceled_call_and_a_panic_in_one_a_failed_call() {
    let capture = capture();
    capture.record(|| {
        drop(monitor_future("never", "CUSTOM", async { 1 }));
        let boom = monitor_future("boom", "CUSTOM", async { panic!("out") });
        assert!(catch_unwind(AssertUnwindSafe(|| block_on(boom))).is_err());
    });
    let told: Vec<_> = ends(&capture).iter().map(|e| e.ty.to_string()).collect();
    assert_eq!(told, ["call.canceled", "call.failed"]);
}

#[test]
fn steps_of_spawned_tasks_are_nested_under_the_run_that_spawned_them_and_in_one_trace() {
    let capture = capture();
    on_threads(&capture, async {
        let run = agent("planner").start();
        let tasks = run.in_scope(|| {
            let later = monitor_future("later", "CUSTOM", fetch("a".into()));
            let current = async { monitor("current", "CUSTOM", || ()) }.in_current_span();
            [
                tokio::spawn(later.map_to_unit().with_current_subscriber()),
                tokio::spawn(current.with_current_subscriber()),
            ]
        });
        for task in tasks {
            task.await.unwrap();
        }
        run.complete();
    });
    let run = capture.span("invoke_agent planner");
    for name in ["call later", "call current"] {
        let step = capture.span(name);
        assert_eq!(step.parent_id, run.span_id, "{}", capture.tree());
        assert_eq!(step.trace_id, run.trace_id);
    }
    let call = capture.span("call later");
    assert_eq!(capture.span("chat m").parent_id, call.span_id);
}

trait MapToUnit: Future + Sized {
    fn map_to_unit(self) -> impl Future<Output = ()> + Send
    where
        Self: Send,
    {
        async move {
            self.await;
        }
    }
}

impl<F: Future> MapToUnit for F {}

#[test]
fn a_scope_is_inherited_by_a_task_spawned_in_the_current_span_and_restored_after_an_inner_one() {
    let capture = capture();
    on_threads(
        &capture,
        scope([("session.id", "s1"), ("gen_ai.agent.id", "a1")]).run(async {
            let run = agent("planner").start();
            let task = run.in_scope(|| {
                tokio::spawn(
                    async { monitor("spawned", "C", || ()) }
                        .in_current_span()
                        .with_current_subscriber(),
                )
            });
            task.await.unwrap();
            scope([("session.id", "s2")]).in_scope(|| monitor("inner", "C", || ()));
            monitor("after", "C", || ());
            run.complete();
        }),
    );
    let session = |name: &str| {
        let span = capture.span(name);
        let value = span.attr("session.id").and_then(Value::as_str);
        value.map(str::to_owned)
    };
    assert_eq!(session("call spawned").as_deref(), Some("s1"));
    assert_eq!(session("call inner").as_deref(), Some("s2"));
    assert_eq!(session("call after").as_deref(), Some("s1"));
    let spawned = capture.span("call spawned");
    assert_eq!(spawned.attr("gen_ai.agent.id"), Some(&"a1".into()));
}

#[test]
fn patching_a_framework_is_an_event_on_system_or_on_the_frameworks_own_channel() {
    let capture = capture();
    capture.record(|| {
        instrumentation_applied("reqwest").emit();
        instrumentation_applied("Mine")
            .channel("MY_FRAMEWORK")
            .emit();
    });
    let told: Vec<_> = capture
        .events()
        .iter()
        .map(|e| (e.ty.to_string(), e.channel.to_string()))
        .collect();
    let applied = |channel: &str| ("instrumentation.applied".to_owned(), channel.to_owned());
    assert_eq!(told, [applied("SYSTEM"), applied("MY_FRAMEWORK")]);
}

// === model calls ===

fn check(text: &str) -> Verdict {
    match text {
        text if text.contains("DROP") => Verdict::block("dangerous_command"),
        text if text.contains("HACK") => Verdict::alert("suspicious_word"),
        _ => Verdict::Allow,
    }
}

/// Anything but the words of the prompt.
fn nowhere(capture: &Capture, secret: &str) {
    let all = format!("{:?} {:?}", capture.spans(), capture.events());
    assert!(!all.contains(secret), "{all}");
    for event in capture.events() {
        let json = serde_json::to_string(&event).unwrap();
        assert!(!json.contains(secret), "{json}");
    }
}

#[test]
fn a_monitored_model_call_returns_the_answer_and_ends_completed() {
    let capture = capture();
    let answer = capture.record(|| {
        monitor_llm("gpt-4o", "Hello", |prompt| {
            Ok::<_, NotFound>(json!({ "echo": prompt }))
        })
    });
    assert_eq!(answer.unwrap(), json!({ "echo": "Hello" }));
    assert_eq!(types(&capture), ["llm.call.started", "llm.call.completed"]);
    assert_eq!(capture.span("chat gpt-4o").name, "chat gpt-4o");
    nowhere(&capture, "Hello");
}

#[test]
fn an_answer_of_ones_own_type_tells_its_usage_and_the_model_that_gave_it() {
    struct Reply(u64);
    impl LlmResponse for Reply {
        fn tell(&self, call: &Call) {
            call.usage(Usage::new().input(self.0).output(1))
                .response_model("gpt-4o-2024-08-06");
        }
    }
    let capture = capture();
    let reply = capture.record(|| {
        block_on(monitor_llm_async("gpt-4o", "Hello", |_| async {
            Ok::<_, NotFound>(Reply(7))
        }))
    });
    assert_eq!(reply.unwrap().0, 7);
    let call = capture.span("chat gpt-4o");
    assert_eq!(call.attr("gen_ai.usage.input_tokens"), Some(&7.into()));
    assert_eq!(
        call.attr("gen_ai.response.model"),
        Some(&"gpt-4o-2024-08-06".into())
    );
}

#[test]
fn a_failed_model_call_gives_back_its_own_error() {
    let capture = capture();
    let result: Result<String, _> =
        capture.record(|| monitor_llm("gpt-4o", "Hello", |_| Err(NotFound)));
    assert!(matches!(result, Err(LlmError::Call(NotFound))));
    assert_eq!(types(&capture), ["llm.call.started", "llm.call.failed"]);
}

#[test]
fn a_dangerous_prompt_is_not_sent_and_the_call_ends_as_blocked() {
    for sync in [true, false] {
        let capture = capture();
        let sent = AtomicUsize::new(0);
        let send = |_: &str| {
            sent.fetch_add(1, Ordering::Relaxed);
            Ok::<_, NotFound>(String::new())
        };
        let refused = capture.record(|| {
            let call = chat("openai", "gpt-4o").guard(&check);
            if sync {
                call.call("DROP TABLE users", send)
            } else {
                block_on(call.call_async("DROP TABLE users", async |p| send(p)))
            }
        });
        let Err(LlmError::Blocked(blocked)) = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(blocked.reason, "dangerous_command");
        assert_eq!(sent.load(Ordering::Relaxed), 0);
        assert_eq!(
            types(&capture),
            ["llm.call.started", "security.block", "llm.call.blocked"]
        );
        let (end, _) = only_end(&capture);
        assert_eq!(&*end.error.clone().unwrap().kind, "blocked");
        assert_eq!(
            end.attr("security.block_reason"),
            Some(&"dangerous_command".into())
        );
        let block = named(&capture, "security.block");
        assert_eq!(block.attr("security.action"), Some(&"blocked".into()));
        assert_eq!(block.cx.span, end.cx.span);
        nowhere(&capture, "DROP");
    }
}

#[test]
fn a_call_that_was_refused_is_no_part_of_its_agents_totals() {
    let capture = capture();
    capture
        .record(|| {
            agent("planner").in_scope(|_| {
                let paid = chat("openai", "gpt-4o-mini").start();
                paid.usage(Usage::new().input(10).output(2)).complete();
                drop(
                    chat("openai", "gpt-4o")
                        .guard(&check)
                        .call("DROP TABLE", |_| Ok::<_, NotFound>(String::new())),
                );
                Ok::<_, NotFound>(())
            })
        })
        .unwrap();
    let run = capture.span("invoke_agent planner");
    assert_eq!(run.attr("llm.total_calls"), Some(&Value::I64(1)));
    assert_eq!(run.attr("llm.total_cost_complete"), None);
}

#[test]
fn a_suspicious_prompt_is_sent_with_an_alert_and_a_dangerous_answer_is_only_flagged() {
    let capture = capture();
    let answer = capture.record(|| {
        chat("openai", "gpt-4o")
            .guard(&check)
            .call("HACK it", |_| Ok::<_, NotFound>("DROP TABLE".to_owned()))
    });
    assert_eq!(answer.unwrap(), "DROP TABLE");
    assert_eq!(
        types(&capture),
        [
            "llm.call.started",
            "security.alert",
            "security.alert",
            "llm.call.completed"
        ]
    );
    let levels: Vec<_> = capture
        .events()
        .iter()
        .filter(|event| event.ty == "security.alert")
        .map(|event| event.attr("security.alert_level").cloned().unwrap())
        .collect();
    assert_eq!(levels, ["suspicious".into(), "dangerous".into()]);
    nowhere(&capture, "HACK it");
    nowhere(&capture, "DROP TABLE");
}

#[test]
fn a_guard_that_panics_has_not_allowed_anything() {
    struct Broken;
    impl Guard for Broken {
        fn judge(&self, judged: Judged<'_>) -> Verdict {
            assert!(!format!("{judged:?}").contains("secret"));
            match judged.part {
                Part::Prompt => panic!("broken"),
                _ => Verdict::Allow,
            }
        }
    }
    let capture = capture();
    let refused = capture.record(|| {
        chat("openai", "gpt-4o")
            .guard(&Broken)
            .call("secret", |_| Ok::<_, NotFound>(String::new()))
    });
    assert_eq!(
        refused.unwrap_err().to_string(),
        "blocked for security: guard_panicked"
    );
}

#[test]
fn prompt_and_answer_are_on_the_span_only_where_content_is_allowed() {
    let capture = capture_with(|builder| builder.capture(CaptureMode::Redacted));
    capture
        .record(|| {
            monitor_llm("m", "the prompt", |_| {
                Ok::<_, NotFound>("the answer".to_owned())
            })
        })
        .unwrap();
    let call = capture.span("chat m");
    let text = |name: &str| call.attr(name).map(ToString::to_string).unwrap_or_default();
    assert!(text("gen_ai.input.messages").contains("the prompt"));
    assert!(text("gen_ai.output.messages").contains("the answer"));
}

// === clients ===

#[derive(Debug, thiserror::Error)]
enum ClientError {
    #[error(transparent)]
    Blocked(#[from] SecurityBlocked),
    #[error("overloaded")]
    Overloaded,
}

#[derive(Debug, Clone, Default)]
struct Client {
    sent: Arc<AtomicUsize>,
}

impl Client {
    fn region(&self) -> &'static str {
        "eu"
    }
}

impl LlmClient for Client {
    type Request = String;
    type Response = String;
    type Error = ClientError;

    fn describe<'r>(&self, prompt: &'r String) -> LlmRequest<'r> {
        LlmRequest::new("openai", "gpt-4o", prompt)
    }

    async fn send(&self, prompt: String) -> Result<String, ClientError> {
        self.sent.fetch_add(1, Ordering::Relaxed);
        tokio::task::yield_now().await;
        if prompt.is_empty() {
            return Err(ClientError::Overloaded);
        }
        Ok(prompt.to_uppercase())
    }
}

/// Code that was written before anybody thought of monitoring.
async fn application(
    client: &impl LlmClient<Request = String, Response = String, Error = ClientError>,
    prompt: &str,
) -> Result<String, ClientError> {
    client.send(prompt.to_owned()).await
}

#[test]
fn a_client_type_is_monitored_without_a_change_where_it_is_called() {
    let capture = capture();
    let client = Client::default();
    let monitored = Monitored::new(client.clone()).guard(check);
    assert_eq!(monitored.region(), "eu");
    on_threads(&capture, async {
        assert_eq!(application(&client, "hello").await.unwrap(), "HELLO");
        assert_eq!(application(&monitored, "hello").await.unwrap(), "HELLO");
        let failed = application(&monitored, "").await;
        assert!(matches!(failed, Err(ClientError::Overloaded)));
        let blocked = application(&monitored, "DROP").await;
        assert!(matches!(blocked, Err(ClientError::Blocked(_))));
    });
    assert_eq!(client.sent.load(Ordering::Relaxed), 3);
    let told: Vec<_> = ends(&capture).iter().map(|e| e.ty.to_string()).collect();
    assert_eq!(
        told,
        ["llm.call.completed", "llm.call.failed", "llm.call.blocked"]
    );
    for span in capture.spans() {
        assert_eq!(span.name, "chat gpt-4o");
        assert_eq!(span.attr("gen_ai.provider.name"), Some(&"openai".into()));
    }
}
