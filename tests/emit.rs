//! Emitting: by name, by builder, by macro, from spans; what set what off; in which order.
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod support;

use std::collections::BTreeSet;
use std::fmt;
use std::future::ready;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry::trace::Status;
use serde::{Serialize, Serializer};
use serde_json::json;
use support::waiting::block_on;
use tracing_genai::bus::{Delivery, Overflow};
use tracing_genai::event::{
    Channel, Event, EventData, EventType, Kind, Level, Phase, Subject, Usage, Value, Visibility,
};
use tracing_genai::testing::{Capture, capture, capture_with};
use tracing_genai::{
    ActiveSpan, ChunkExport, FailurePolicy, Loss, OnMisuse, Plain, ScopePolicy, Source, Starter,
    ToolFailure, Validation, agent, chat, emission, evaluation, event, human_feedback_received,
    human_feedback_requested, instrumentation_applied, log_error, log_event, log_info, log_warning,
    plan, retrieval, route, scope, starters, step, tool, triggered_by, workflow,
};
use tracing_subscriber::prelude::*;

#[derive(Debug)]
struct Lost(&'static str);

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl std::error::Error for Lost {}

/// The events of what `f` does.
fn events<T>(f: impl FnOnce() -> T) -> Vec<Event> {
    let capture = capture();
    let _ = capture.record(f);
    capture.events()
}

fn only<T>(f: impl FnOnce() -> T) -> Event {
    let mut events = events(f);
    assert_eq!(events.len(), 1, "{events:?}");
    events.remove(0)
}

fn named<'e>(events: &'e [Event], ty: &str) -> &'e Event {
    let mut found = events.iter().filter(|event| event.ty == ty);
    let event = found
        .next()
        .unwrap_or_else(|| panic!("no {ty}: {events:?}"));
    assert!(found.next().is_none(), "several {ty}: {events:?}");
    event
}

fn text<'e>(event: &'e Event, name: &str) -> Option<&'e str> {
    event.attr(name).and_then(Value::as_str)
}

// === log_event and the builder ===

#[test]
fn log_event_logs_any_custom_event_with_its_data_channel_and_level() {
    let event = only(|| {
        log_event(
            "custom_event",
            json!({ "key": "value", "n": 3, "deep": { "a": [1, null] } }),
            "CUSTOM_CHANNEL",
            Level::Warn,
        );
    });
    assert!(event.ty == "custom_event");
    assert_eq!(event.kind, Kind::Custom);
    assert_eq!(event.channel.as_str(), "CUSTOM_CHANNEL");
    assert_eq!(event.level, Level::Warn);
    assert_eq!(text(&event, "key"), Some("value"));
    assert_eq!(event.attr("n"), Some(&Value::I64(3)));
    assert_eq!(
        event.attr("deep"),
        Some(&Value::Json(json!({ "a": [1, null] })))
    );
}

#[test]
fn every_event_carries_id_time_type_kind_phase_channel_level_and_inside_a_span_its_ids() {
    let all = events(|| {
        step("s")
            .in_scope(|_| Ok::<_, Lost>(event("order.placed").emit()))
            .unwrap();
    });
    let ids: BTreeSet<_> = all.iter().map(|event| event.id).collect();
    assert_eq!(ids.len(), all.len());
    for event in &all {
        let json = serde_json::to_value(event).unwrap();
        assert!(json["time"].as_str().unwrap().ends_with('Z'), "{json}");
        for field in [
            "id",
            "event_type",
            "kind",
            "phase",
            "channel",
            "level",
            "trace_id",
            "span_id",
        ] {
            assert!(json[field].is_string(), "{field}: {json}");
        }
        assert!(event.seq > 0 && event.cursor > 0);
    }
}

#[test]
fn the_channel_defaults_to_system_and_the_level_to_info() {
    let event = only(|| event("something").emit());
    assert_eq!(
        (event.channel.clone(), event.level),
        (Channel::SYSTEM, Level::Info)
    );
    let empty = only(|| {
        log_event(
            "something",
            json!({}),
            "",
            Level::from_str_lossy("shouting"),
        )
    });
    assert_eq!(
        (empty.channel.clone(), empty.level),
        (Channel::SYSTEM, Level::Info)
    );
}

#[test]
fn levels_from_trace_to_alert_exist_and_an_alert_leaves_the_spans_status_alone() {
    let capture = capture();
    let levels = [
        Level::Trace,
        Level::Debug,
        Level::Info,
        Level::Warn,
        Level::Error,
        Level::Alert,
    ];
    assert!(levels.is_sorted());
    capture.record(|| {
        let step = step("s").start();
        for level in levels {
            step.event("a.told").level(level).emit();
        }
        step.complete();
    });
    let told: Vec<_> = capture
        .events()
        .iter()
        .filter(|event| event.ty == "a.told")
        .map(|event| event.level)
        .collect();
    assert_eq!(told, levels);
    assert_eq!(Level::Alert.severity_number(), 19);
    assert_eq!(capture.span("s").status, Status::Unset);
}

#[test]
fn data_that_does_not_serialise_is_too_large_or_no_object_never_fails_the_caller() {
    struct Fails;
    impl Serialize for Fails {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            Err(serde::ser::Error::custom("the content"))
        }
    }
    struct Panics;
    impl Serialize for Panics {
        fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
            panic!("the content")
        }
    }
    let huge = "x".repeat(64 << 20);
    let all = events(|| {
        log_event("a.b", Fails, "", Level::Info);
        log_event("a.b", Panics, "", Level::Info);
        log_event("a.b", json!({ "huge": huge }), "", Level::Info);
        log_event("a.b", [1, 2], "", Level::Info);
        log_event("a.b", (), "", Level::Info);
        log_event("", json!({ "": 1 }), "  ", Level::Info);
        log_event("!? not a type\u{0}", json!({}), "", Level::Info);
    });
    for event in &all[..2] {
        let told = text(event, "data").unwrap();
        assert!(told.starts_with("<not serialisable: "), "{told}");
        assert!(!told.contains("the content"));
    }
    assert!(text(&all[2], "huge").unwrap().len() < 1 << 20);
    assert_eq!(all[3].attr("data").unwrap().as_array().unwrap().len(), 2);
    assert!(all[4].attrs.is_empty());
    assert!(all[5].ty == "unnamed");
    assert_eq!(all.len(), 7);
}

#[test]
fn a_writer_that_always_fails_costs_the_caller_nothing_and_is_counted() {
    struct Fails;
    impl tracing_genai::EventWriter for Fails {
        fn write(&mut self, _: &[Event]) -> Result<(), tracing_genai::WriteError> {
            Err(tracing_genai::WriteError::new("the disk is gone"))
        }
    }
    let capture = capture_with(|builder| builder.event_writer("bad disk", Fails));
    capture.record(|| log_event("a.b", json!({}), "", Level::Info));
    let report = capture.flush();
    let (name, tally) = &report.writers[0];
    assert_eq!(*name, "bad disk");
    assert_eq!(
        (tally.accepted, tally.dropped.get(&Loss::Write)),
        (1, Some(&1))
    );
    assert!(!report.is_complete());
    assert_eq!(capture.events().len(), 1, "others are unaffected");
}

#[test]
fn a_declared_list_of_channels_reports_others_once_and_lets_them_pass() {
    let heard = support::waiting::alone(
        "a_declared_list_of_channels_reports_others_once_and_lets_them_pass",
        || {
            let capture = capture_with(|builder| builder.channels(["MY_FRAMEWORK"]));
            capture.record(|| {
                for channel in ["my_framework", "LLM", "OTHER", "OTHER"] {
                    log_event("a.b", json!({}), channel, Level::Info);
                }
            });
            assert_eq!(capture.events().len(), 4);
        },
    );
    if let Some(stderr) = heard {
        assert_eq!(stderr.matches("channel OTHER").count(), 1, "{stderr}");
        assert_eq!(
            stderr.matches("channel MY_FRAMEWORK").count(),
            0,
            "{stderr}"
        );
    }
}

#[test]
fn helpers_log_texts_and_errors_with_type_and_message_apart() {
    let capture = capture_with(|builder| builder.error_messages(true));
    capture.record(|| {
        log_info("data.loaded", "12 rows");
        log_warning("data.odd", "no header");
        log_error("data.error", &Lost("in transit"));
    });
    let all = capture.events();
    assert_eq!(
        all.iter().map(|event| event.level).collect::<Vec<_>>(),
        [Level::Info, Level::Warn, Level::Error]
    );
    assert_eq!(text(&all[0], "message"), Some("12 rows"));
    let error = all[2].error.as_ref().unwrap();
    assert!(error.kind.ends_with("Lost"));
    assert_eq!(error.message.as_deref(), Some("in transit"));
    let silent = only(|| log_error("data.error", &Lost("secret")));
    assert!(!serde_json::to_string(&silent).unwrap().contains("secret"));
    assert!(silent.error.as_ref().unwrap().kind.ends_with("Lost"));
}

#[test]
fn the_plain_macros_and_the_builder_make_the_same_event() {
    let all = events(|| {
        tracing::info!(
            genai.event = "user_login",
            user_id = "u1",
            genai.channel = "users"
        );
        event("user_login")
            .attr("user_id", "u1")
            .channel("users")
            .emit();
        tracing::warn!(genai.event = "tripped", genai.alert = true);
    });
    let strip = |event: &Event| {
        let mut data = EventData::clone(event);
        (data.id, data.seq, data.cursor) = (all[0].id, 0, 0);
        data.time = all[0].time;
        data
    };
    assert_eq!(strip(&all[0]), strip(&all[1]));
    assert_eq!(all[2].level, Level::Alert);
}

#[test]
fn names_of_other_systems_are_understood_and_keep_their_flavor() {
    let all = events(|| {
        log_event(
            "tool_failure_detected",
            json!({ "tool_name": "search", "policy": "warn" }),
            "",
            Level::Warn,
        );
        tracing::info!(genai.event = "human_feedback_requested");
    });
    assert!(all[0].ty == "tool.call.failure_reported");
    assert_eq!(text(&all[0], "gen_ai.tool.name"), Some("search"));
    assert!(all[1].ty == "human.feedback.requested");
}

#[test]
fn a_start_and_an_end_logged_by_name_are_one_exported_span() {
    let capture = capture();
    capture.record(|| {
        agent("planner")
            .in_scope(|_| {
                log_event(
                    "LLM_call_start",
                    json!({ "model": "gpt-4o-mini" }),
                    "",
                    Level::Info,
                );
                log_event(
                    "LLM_call_finish",
                    json!({ "duration": 0.5 }),
                    "",
                    Level::Info,
                );
                Ok::<_, Lost>(())
            })
            .unwrap();
    });
    let (agent, call) = (
        capture.span("invoke_agent planner"),
        capture.span("chat gpt-4o-mini"),
    );
    assert_eq!(
        (call.trace_id, call.parent_id),
        (agent.trace_id, agent.span_id)
    );
    let all = capture.events();
    let (start, end) = (
        named(&all, "llm.call.started"),
        named(&all, "llm.call.completed"),
    );
    assert_eq!(end.cx.started_event, Some(start.id));
    assert_eq!((start.cx.span, end.cx.span), (call.span_id, call.span_id));
    assert!(end.duration.is_some());
    assert_eq!(
        agent.attr("llm.total_calls"),
        Some(&Value::I64(1)),
        "it counts as a call of the agent's"
    );
}

#[test]
fn a_start_that_finds_no_end_is_exported_as_interrupted_at_shutdown() {
    let capture = capture();
    capture.record(|| log_event("llm.call.started", json!({}), "", Level::Info));
    capture.telemetry().shutdown();
    let span = capture.span("chat");
    assert_eq!(span.attr("genai.interrupted"), Some(&Value::Bool(true)));
}

#[test]
fn identical_events_count_once_in_the_window_and_different_ones_do_not() {
    let capture = capture_with(|builder| builder.dedupe(1024));
    capture.record(|| {
        for n in [1, 1, 2, 1] {
            event("rate.limited").attr("n", n).emit();
        }
        tool("t").start().complete();
        tool("t").start().complete();
    });
    let all = capture.events();
    assert_eq!(
        all.iter()
            .filter(|event| event.ty == "rate.limited")
            .count(),
        2
    );
    assert_eq!(
        all.iter()
            .filter(|event| event.ty == "tool.call.started")
            .count(),
        2
    );
    assert_eq!(capture.flush().partial.get(&Loss::Duplicate), Some(&2));
}

#[test]
fn without_a_window_identical_events_all_arrive() {
    let all = events(|| {
        for _ in 0..3 {
            event("rate.limited").emit();
        }
    });
    assert_eq!(all.len(), 3);
}

#[test]
fn without_a_layer_emitting_does_nothing_and_says_so() {
    assert_eq!(event("a.b").emit(), None);
    log_event("a.b", json!({}), "", Level::Info);
    assert_eq!(route("x").emit(), None);
    let step = step("s").start();
    step.progress("m", 1, 2).retrying(2, &Lost("x"));
    assert!(!step.span_context().is_valid());
}

#[test]
fn bodies_and_content_attributes_stay_home_unless_content_is_on() {
    let emit = || {
        event("conversation.message.added").body("the text").emit();
        log_event(
            "LLM_call_start",
            json!({ "prompt": "the text" }),
            "",
            Level::Info,
        );
    };
    let off = capture();
    off.record(emit);
    for event in off.events() {
        assert!(
            !serde_json::to_string(&event).unwrap().contains("the text"),
            "{event:?}"
        );
    }
    let on = capture_with(|builder| builder.content(true));
    on.record(emit);
    let told = on.events();
    assert_eq!(told[0].body.as_ref().unwrap().as_str(), Some("the text"));
    assert!(
        serde_json::to_string(&told[1])
            .unwrap()
            .contains("the text")
    );
    assert!(!format!("{told:?}").contains("the text"));
}

// === moments ===

#[test]
fn streamed_chunks_and_thinking_arrive_in_order_and_leave_one_end_with_usage() {
    let capture = capture_with(|builder| builder.chunk_text(true));
    capture.record(|| {
        let call = chat("openai", "m").streaming().start();
        for n in 0..100 {
            if n % 10 == 0 {
                call.thinking(&n.to_string());
            } else {
                call.chunk(&n.to_string());
            }
        }
        call.usage(Usage::new().input(7).output(100)).complete();
    });
    let all = capture.events();
    let pieces: Vec<_> = all
        .iter()
        .filter(|event| event.phase.is_moment())
        .map(|event| event.body.as_ref().unwrap().as_str().unwrap().to_owned())
        .collect();
    assert_eq!(pieces, (0..100).map(|n| n.to_string()).collect::<Vec<_>>());
    assert_eq!(
        all.iter()
            .filter(|event| event.ty == "llm.call.thinking")
            .count(),
        10
    );
    let end = named(&all, "llm.call.completed");
    assert!(end.attr("gen_ai.response.time_to_first_chunk").is_some());
    assert_eq!(end.attr("gen_ai.usage.input_tokens"), Some(&Value::I64(7)));
}

#[test]
fn retries_carry_the_attempt_and_the_type_of_the_error() {
    let all = events(|| {
        for attempt in 1..=3 {
            let step = step("load").attempt(attempt).start();
            if attempt < 3 {
                step.retrying(attempt + 1, &Lost("x"));
                step.fail(&Lost("x"));
            } else {
                step.complete();
            }
        }
    });
    let attempts: Vec<_> = all
        .iter()
        .filter(|event| event.ty == "step.started")
        .map(|event| event.attr("step.attempt").unwrap().as_i64().unwrap())
        .collect();
    assert_eq!(attempts, [1, 2, 3]);
    let retry = all
        .iter()
        .find(|event| event.ty == "step.retrying")
        .unwrap();
    assert_eq!(retry.level, Level::Warn);
    assert_eq!(retry.attr("step.attempt"), Some(&Value::I64(2)));
    assert!(retry.error.as_ref().unwrap().kind.ends_with("Lost"));
}

#[test]
fn validations_are_events_and_a_failed_one_is_a_warning() {
    let all = events(|| {
        let step = step("extract").start();
        step.validated(Validation::structural(true))
            .validated(Validation::semantic(false).error("wrong"));
        step.complete();
    });
    let judged: Vec<_> = all
        .iter()
        .filter(|event| event.ty == "step.validated")
        .collect();
    assert_eq!(
        judged
            .iter()
            .map(|event| (event.level, text(event, "step.validation.type")))
            .collect::<Vec<_>>(),
        [
            (Level::Info, Some("structural")),
            (Level::Warn, Some("semantic"))
        ]
    );
    assert_eq!(
        judged[1].attr("step.validation.valid"),
        Some(&Value::Bool(false))
    );
}

#[test]
fn routing_decisions_say_where_why_and_from_where() {
    let event = only(|| {
        route("billing")
            .reason("intent=refund")
            .previous("triage")
            .emit()
    });
    assert!(event.ty == "routing.selected");
    assert_eq!(event.channel, Channel::STEP);
    for (name, value) in [
        ("selected", "billing"),
        ("reason", "intent=refund"),
        ("previous", "triage"),
    ] {
        assert_eq!(text(&event, &format!("routing.{name}")), Some(value));
    }
}

#[test]
fn progress_carries_its_numbers_and_a_total_of_zero_is_unknown() {
    let capture = capture_with(|builder| builder.content(true));
    capture.record(|| {
        let step = step("read").start();
        step.progress("page 3", 3, 10).progress("somewhere", 3, 0);
        step.complete();
    });
    let all = capture.events();
    assert_eq!(all[1].level, Level::Debug);
    assert_eq!(all[1].attr("step.progress.current"), Some(&Value::I64(3)));
    assert_eq!(all[1].attr("step.progress.total"), Some(&Value::I64(10)));
    assert_eq!(all[1].body.as_ref().unwrap().as_str(), Some("page 3"));
    assert_eq!(all[2].attr("step.progress.total"), Some(&Value::I64(0)));
}

#[test]
fn a_failure_that_a_tool_reports_fails_the_span_only_when_the_policy_raises_it() {
    for (policy, level, status) in [
        (FailurePolicy::Ignore, Level::Info, Status::Unset),
        (FailurePolicy::Warn, Level::Warn, Status::Unset),
        (
            FailurePolicy::Raise,
            Level::Warn,
            Status::error("not_found"),
        ),
    ] {
        let capture = capture();
        capture.record(|| {
            let tool = tool("search").start();
            tool.report_failure(
                ToolFailure::new("not_found")
                    .code("404")
                    .message("secret")
                    .retryable(false),
                policy,
            );
            tool.complete();
        });
        let all = capture.events();
        let told = named(&all, "tool.call.failure_reported");
        assert_eq!(told.level, level);
        assert_eq!(text(told, "tool.failure.reason"), Some("not_found"));
        assert_eq!(text(told, "tool.failure.code"), Some("404"));
        assert_eq!(
            told.attr("tool.failure.retryable"),
            Some(&Value::Bool(false))
        );
        assert_eq!(capture.span("execute_tool search").status, status);
        assert!(!format!("{all:?}").contains("secret"));
    }
}

#[test]
fn inline_tags_are_spans_of_tools() {
    let capture = capture();
    capture.record(|| {
        starters::tag("write_file")
            .attr("tag.attr.path", "a.txt")
            .start()
            .complete();
    });
    let span = capture.span("execute_tool write_file");
    assert_eq!(span.attr("gen_ai.tool.type"), Some(&"tag".into()));
    capture.assert_sequence(["tag.started", "tag.completed"]);
}

#[test]
fn evaluations_guardrails_feedback_and_instrumentation_have_their_words() {
    let all = events(|| {
        evaluation("Relevance")
            .score(0.9)
            .label("pass")
            .explanation("it fits")
            .emit();
        starters::guardrail("pii").start().allow();
        starters::guardrail("pii").start().deny("an address");
        human_feedback_requested("r1", ["yes", "no"]).emit();
        human_feedback_received("r1", "yes").emit();
        instrumentation_applied("reqwest").emit();
    });
    let verdict = named(&all, "evaluation.result");
    assert_eq!(verdict.channel, Channel::EVALUATION);
    assert_eq!(
        verdict.attr("gen_ai.evaluation.score.value"),
        Some(&Value::F64(0.9))
    );
    let judged: Vec<_> = all
        .iter()
        .filter(|event| event.ty == "guardrail.completed")
        .map(|event| (text(event, "guardrail.verdict"), event.level))
        .collect();
    assert_eq!(
        judged,
        [(Some("allow"), Level::Info), (Some("deny"), Level::Warn)]
    );
    assert_eq!(
        text(named(&all, "human.feedback.received"), "human.outcome"),
        Some("yes")
    );
    let applied = named(&all, "instrumentation.applied");
    assert_eq!(
        (applied.channel.clone(), text(applied, "framework.name")),
        (Channel::SYSTEM, Some("reqwest"))
    );
}

// === spans of every subject ===

#[test]
fn every_span_subject_starts_and_ends_under_its_own_name_kind_and_channel() {
    type Make = fn(&str) -> Starter<Plain>;
    let table: &[(Make, Subject, &str, &str)] = &[
        (agent, Subject::AGENT_EXECUTION, "invoke_agent x", "AGENT"),
        (workflow, Subject::WORKFLOW, "invoke_workflow x", "WORKFLOW"),
        (tool, Subject::TOOL_CALL, "execute_tool x", "TOOL"),
        (step, Subject::STEP, "x", "STEP"),
        (plan, Subject::PLAN_REASONING, "plan x", "AGENT"),
        (
            retrieval,
            Subject::RETRIEVAL_QUERY,
            "retrieval x",
            "RETRIEVAL",
        ),
        (
            starters::workflow_train,
            Subject::WORKFLOW_TRAIN,
            "train x",
            "WORKFLOW",
        ),
        (
            starters::workflow_test,
            Subject::WORKFLOW_TEST,
            "test x",
            "WORKFLOW",
        ),
        (starters::call, Subject::CALL, "call x", "SYSTEM"),
        (starters::tag, Subject::TAG, "execute_tool x", "TOOL"),
        (starters::session, Subject::SESSION, "session x", "SESSION"),
        (
            starters::turn,
            Subject::CONVERSATION_TURN,
            "turn x",
            "SESSION",
        ),
        (
            starters::create_agent,
            Subject::AGENT,
            "create_agent x",
            "AGENT",
        ),
        (
            starters::plan_observation,
            Subject::PLAN_OBSERVATION,
            "plan x",
            "AGENT",
        ),
        (
            starters::mcp_connection,
            Subject::MCP_CONNECTION,
            "initialize",
            "MCP",
        ),
        (starters::mcp_tool, Subject::MCP_TOOL, "tools/call x", "MCP"),
        (starters::mcp_request, Subject::MCP_REQUEST, "x", "MCP"),
        (
            starters::retrieval_search,
            Subject::RETRIEVAL_SEARCH,
            "retrieval x",
            "RETRIEVAL",
        ),
        (
            starters::memory_query,
            Subject::MEMORY_QUERY,
            "search_memory",
            "MEMORY",
        ),
        (
            starters::memory_retrieval,
            Subject::MEMORY_RETRIEVAL,
            "search_memory",
            "MEMORY",
        ),
        (
            starters::memory_save,
            Subject::MEMORY_SAVE,
            "upsert_memory",
            "MEMORY",
        ),
        (
            starters::guardrail,
            Subject::GUARDRAIL,
            "apply_guardrail x",
            "SECURITY",
        ),
        (
            starters::evaluate,
            Subject::EVALUATION,
            "evaluate x",
            "EVALUATION",
        ),
        (
            starters::checkpoint_save,
            Subject::CHECKPOINT_SAVE,
            "checkpoint save",
            "CHECKPOINT",
        ),
        (
            starters::checkpoint_fork,
            Subject::CHECKPOINT_FORK,
            "checkpoint fork",
            "CHECKPOINT",
        ),
        (
            starters::checkpoint_restore,
            Subject::CHECKPOINT_RESTORE,
            "checkpoint restore",
            "CHECKPOINT",
        ),
        (
            starters::skill_discovery,
            Subject::SKILL_DISCOVERY,
            "skill discovery",
            "SKILL",
        ),
        (
            starters::skill_download,
            Subject::SKILL_DOWNLOAD,
            "skill download",
            "SKILL",
        ),
        (starters::api_call, Subject::API_CALL, "x", "API"),
        (
            starters::process_exec,
            Subject::PROCESS_EXEC,
            "exec x",
            "SECURITY",
        ),
        (
            starters::a2a_delegation,
            Subject::A2A_DELEGATION,
            "invoke_agent x",
            "A2A",
        ),
        (
            starters::a2a_conversation,
            Subject::A2A_CONVERSATION,
            "invoke_agent x",
            "A2A",
        ),
        (
            starters::a2a_parallel,
            Subject::A2A_PARALLEL,
            "invoke_workflow a2a_parallel",
            "A2A",
        ),
        (
            starters::a2a_server_task,
            Subject::A2A_SERVER_TASK,
            "x",
            "A2A",
        ),
    ];
    let seen: BTreeSet<_> = table.iter().map(|(_, subject, ..)| *subject).collect();
    let spans = Subject::ALL.iter().filter(|subject| subject.has_span());
    assert_eq!(seen.len() + 1, spans.count(), "all but the model call");
    for (make, subject, name, channel) in table {
        let capture = capture();
        capture.record(|| make("x").start().complete());
        let span = capture.span(name);
        assert_eq!(span.kind, subject.span_kind().into(), "{subject}");
        let all = capture.events();
        let types: Vec<_> = all.iter().map(|event| event.ty.to_string()).collect();
        assert_eq!(
            types,
            [format!("{subject}.started"), format!("{subject}.completed")]
        );
        assert!(
            all.iter().all(|event| event.channel.as_str() == *channel),
            "{subject}"
        );
    }
}

#[test]
fn exactly_one_end_on_every_way_out() {
    type Way = fn(ActiveSpan<Plain>);
    let ways: &[(&str, Way)] = &[
        ("completed", |span| span.complete()),
        ("failed", |span| span.fail(&Lost("x"))),
        ("blocked", |span| span.block("policy")),
        ("paused", |span| drop(span.pause("run-1"))),
        ("canceled", |span| span.cancel()),
        ("canceled", drop),
        ("failed", |span| {
            let panicked = catch_unwind(AssertUnwindSafe(move || {
                let _span = span;
                panic!("on purpose");
            }));
            assert!(panicked.is_err());
        }),
    ];
    for (phase, way) in ways {
        let all = events(|| {
            let span = tool("t").start();
            way(span);
        });
        let types: Vec<_> = all.iter().map(|event| event.ty.to_string()).collect();
        assert_eq!(
            types,
            ["tool.call.started".to_owned(), format!("tool.call.{phase}")]
        );
        assert_eq!(all[1].cx.started_event, Some(all[0].id));
        assert_eq!(all[1].cx.span, all[0].cx.span);
    }
}

#[test]
fn a_blocked_span_has_an_error_status_and_its_reason() {
    let capture = capture();
    capture.record(|| tool("rm").start().block("dangerous"));
    let span = capture.span("execute_tool rm");
    assert_eq!(span.status, Status::error("blocked"));
    assert_eq!(
        span.attr("security.block_reason"),
        Some(&"dangerous".into())
    );
    let all = capture.events();
    assert_eq!(
        (all[1].phase.clone(), all[1].level),
        (Phase::Blocked, Level::Warn)
    );
}

#[test]
fn paused_work_is_resumed_by_a_span_that_links_the_one_that_was() {
    let capture = capture();
    capture.record(|| {
        let paused = step("review").start().pause("run-7");
        let stored = serde_json::to_string(&paused).unwrap();
        let paused = serde_json::from_str(&stored).unwrap();
        step("review again").resume(&paused).start().complete();
    });
    let (first, second) = (capture.span("review"), capture.span("review again"));
    assert_eq!(first.attr("genai.outcome"), Some(&"paused".into()));
    assert_eq!(first.status, Status::Unset);
    assert_eq!(second.links.len(), 1);
    assert_eq!(second.links[0].span_id(), first.span_id);
    for span in [&first, &second] {
        assert_eq!(span.attr("workflow.run.id"), Some(&"run-7".into()));
    }
    capture.assert_sequence([
        "step.started",
        "step.paused",
        "step.started",
        "step.completed",
    ]);
}

#[test]
fn a_source_is_on_events_and_span() {
    let capture = capture();
    capture.record(|| {
        agent("a")
            .source(
                Source::new("f1")
                    .kind("agent")
                    .metadata(json!({ "team": "x" })),
            )
            .start()
            .complete();
    });
    let span = capture.span("invoke_agent a");
    assert_eq!(span.attr("source.fingerprint"), Some(&"f1".into()));
    for event in capture.events() {
        assert_eq!(text(&event, "source.fingerprint"), Some("f1"));
        assert_eq!(text(&event, "source.type"), Some("agent"));
        assert_eq!(
            event.attr("source.metadata"),
            Some(&Value::Json(json!({ "team": "x" })))
        );
    }
}

#[test]
fn internal_events_are_marked_and_exported_all_the_same() {
    let capture = capture();
    capture.record(|| {
        tool("secret").internal().start().complete();
        event("a.b").internal().emit();
    });
    for event in capture.events() {
        assert_eq!(event.visibility, Visibility::Internal, "{event:?}");
    }
    capture.span("execute_tool secret");
}

#[test]
fn flavor_and_channel_of_a_span_are_those_of_its_events() {
    for event in events(|| {
        workflow("w")
            .flavor("crew")
            .channel("mine")
            .start()
            .complete()
    }) {
        assert_eq!(
            (event.flavor.as_str(), event.channel.as_str()),
            ("crew", "MINE")
        );
        assert_eq!(event.attr("genai.channel"), None);
    }
}

// === order and causality ===

#[test]
fn starts_ends_and_children_name_each_other() {
    let all = events(|| {
        workflow("w")
            .in_scope(|_| {
                step("s").in_scope(|_| {
                    chat("openai", "m").start().complete();
                    tool("t").in_scope(|_| Ok::<_, Lost>(()))
                })
            })
            .unwrap();
    });
    let started = |subject: &str| named(&all, &format!("{subject}.started"));
    let ended = |subject: &str| named(&all, &format!("{subject}.completed"));
    for (child, parent) in [
        ("step", "workflow"),
        ("llm.call", "step"),
        ("tool.call", "step"),
    ] {
        assert_eq!(
            started(child).cx.parent_event,
            Some(started(parent).id),
            "{child}"
        );
        assert_eq!(
            ended(child).cx.parent_event,
            Some(started(parent).id),
            "{child}"
        );
    }
    for subject in ["workflow", "step", "llm.call", "tool.call"] {
        assert_eq!(ended(subject).cx.started_event, Some(started(subject).id));
        assert_eq!(ended(subject).cx.span, started(subject).cx.span);
    }
    assert_eq!(started("workflow").cx.parent_event, None);
}

#[test]
fn each_event_of_an_execution_names_the_one_before_it() {
    let all = events(|| {
        agent("a")
            .in_scope(|agent| {
                agent.event("plan.refined").emit();
                tool("t").in_scope(|_| Ok::<_, Lost>(()))
            })
            .unwrap();
        agent("b").start().complete();
    });
    let mut at = named(&all[..5], "agent.execution.completed");
    let mut walked = vec![at.ty.to_string()];
    while let Some(before) = at.cx.previous {
        at = all.iter().find(|event| event.id == before).unwrap();
        walked.push(at.ty.to_string());
    }
    assert_eq!(
        walked,
        [
            "agent.execution.completed",
            "tool.call.completed",
            "tool.call.started",
            "plan.refined",
            "agent.execution.started"
        ]
    );
    assert_eq!(all[5].cx.previous, None, "another execution begins anew");
}

#[test]
fn a_cause_is_on_what_it_set_off_is_linked_by_spans_and_restored_on_exit_and_panic() {
    let capture = capture();
    capture.record(|| {
        let origin = tool("sensor").start();
        origin.complete();
        let all = capture.events();
        let cause = named(&all, "tool.call.completed").clone();
        triggered_by(&cause).in_scope(|| {
            step("outer")
                .in_scope(|_| step("inner").in_scope(|_| Ok::<_, Lost>(())))
                .unwrap();
            let other = event("other.cause").emit().unwrap();
            let _guard = triggered_by(other).enter();
            step("nested").start().complete();
        });
        let panicked = catch_unwind(|| triggered_by(&cause).in_scope(|| panic!("on purpose")));
        assert!(panicked.is_err());
        step("after").start().complete();
        block_on(triggered_by(&cause).run(async {
            step("awaited").run(ready(Ok::<_, Lost>(()))).await.unwrap();
        }));
        tool("named").triggered_by(&cause).start().complete();
        event("named.too").triggered_by(&cause).emit();
    });
    let all = capture.events();
    let cause = all
        .iter()
        .find(|event| event.ty == "tool.call.completed")
        .unwrap()
        .id;
    let of = |name: &str| {
        let found = all
            .iter()
            .find(|event| &*event.name == name && event.phase == Phase::Started);
        found.unwrap().cx.triggered_by
    };
    assert_eq!(of("outer"), Some(cause));
    assert_eq!(of("inner"), Some(cause));
    assert_eq!(of("nested"), Some(named(&all, "other.cause").id));
    assert_eq!(of("after"), None);
    assert_eq!(of("awaited"), Some(cause));
    assert_eq!(of("execute_tool named"), Some(cause));
    assert_eq!(named(&all, "named.too").cx.triggered_by, Some(cause));
    let sensor = capture.span("execute_tool sensor");
    let links = |name: &str| {
        let span = capture.span(name);
        span.links
            .iter()
            .map(|link| link.span_id())
            .collect::<Vec<_>>()
    };
    assert_eq!(links("outer"), [sensor.span_id]);
    assert!(links("inner").is_empty(), "the outermost span links it");
    assert_eq!(links("awaited"), [sensor.span_id]);
    assert_eq!(links("execute_tool named"), [sensor.span_id]);
}

#[test]
fn the_emission_sequence_counts_per_thread_from_one_and_can_be_reset_and_set() {
    std::thread::spawn(|| {
        assert_eq!(emission::current(), 0);
        assert_eq!((emission::next(), emission::next()), (1, 2));
        emission::reset();
        assert_eq!(emission::next(), 1);
        emission::set(41);
        assert_eq!(emission::next(), 42);
        let other = std::thread::spawn(emission::next).join().unwrap();
        assert_eq!(other, 1, "other threads count for themselves");
        let event = only(|| event("a.b").emit());
        assert_eq!(event.seq, 43);
        assert_eq!(emission::current(), 43);
    })
    .join()
    .unwrap();
}

#[test]
fn the_cursor_is_unique_and_increasing_over_threads_and_installations() {
    let captures: Vec<Capture> = (0..2).map(|_| capture()).collect();
    std::thread::scope(|threads| {
        for n in 0..8 {
            let capture = &captures[n % 2];
            threads.spawn(move || {
                capture.record(|| {
                    for k in 0..500 {
                        event("a.b").attr("k", k).emit();
                    }
                });
            });
        }
    });
    let mut cursors = BTreeSet::new();
    for capture in &captures {
        let all = capture.events();
        assert_eq!(all.len(), 2_000);
        assert!(all.windows(2).all(|pair| pair[0].cursor < pair[1].cursor));
        cursors.extend(all.iter().map(|event| event.cursor));
    }
    assert_eq!(cursors.len(), 4_000);
}

#[test]
fn events_of_one_trace_stay_in_order_for_each_subscriber_though_the_task_moves_between_threads() {
    let capture = capture_with(|builder| builder.chunk_text(true));
    let mut seen = capture
        .telemetry()
        .bus()
        .subscribe_with(10_000, Overflow::DropNewest);
    let subscriber = tracing_subscriber::registry().with(capture.telemetry().layer());
    let dispatch = tracing::Dispatch::new(subscriber);
    let _enter = tracing::dispatcher::set_default(&dispatch);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .on_thread_start({
            let dispatch = dispatch.clone();
            move || std::mem::forget(tracing::dispatcher::set_default(&dispatch))
        })
        .build()
        .unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..8)
            .map(|n| {
                tokio::spawn(async move {
                    let call = chat("openai", &format!("m{n}")).start();
                    for k in 0..100 {
                        call.chunk(&k.to_string());
                        tokio::task::yield_now().await;
                    }
                    call.complete();
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    capture.flush();
    let mut of_trace: std::collections::HashMap<_, Vec<String>> = Default::default();
    while let Some(Delivery::Event(event)) = seen.try_recv() {
        let told = match &event.body {
            Some(body) => body.as_str().unwrap().to_owned(),
            None => event.phase.to_string(),
        };
        of_trace.entry(event.cx.trace).or_default().push(told);
    }
    assert_eq!(of_trace.len(), 8);
    let mut expected: Vec<_> = (0..100).map(|k| k.to_string()).collect();
    expected.insert(0, "started".to_owned());
    expected.push("completed".to_owned());
    for told in of_trace.values() {
        assert_eq!(*told, expected);
    }
}

#[test]
fn spans_nested_too_deeply_or_left_out_of_order_are_counted_and_told_as_the_policy_says() {
    fn nest(depth: u32) {
        if depth > 0 {
            step("s")
                .in_scope(|_| {
                    nest(depth - 1);
                    Ok::<_, Lost>(())
                })
                .unwrap();
        }
    }
    for (policy, told) in [
        (OnMisuse::Silent, 0),
        (OnMisuse::Warn, 0),
        (OnMisuse::Error, 3),
    ] {
        let capture = capture_with(|builder| {
            builder.scopes(ScopePolicy {
                too_deep: policy,
                mismatch: policy,
                ..ScopePolicy::default()
            })
        });
        capture.record(|| {
            nest(100);
            assert_eq!(capture.telemetry().stats().scopes.too_deep, 0);
            nest(102);
            let (a, b) = (step("a").start(), step("b").start());
            let (first, second) = (a.span().clone().entered(), b.span().clone().entered());
            drop(first);
            drop(second);
        });
        let scopes = capture.flush().scopes;
        assert_eq!((scopes.too_deep, scopes.mismatched), (2, 1));
        let all = capture.events();
        let errors = all
            .iter()
            .filter(|event| event.ty == "instrumentation.errored");
        assert_eq!(errors.count(), told);
        assert_eq!(
            capture.spans().len(),
            204,
            "the spans are recorded all the same"
        );
    }
}

#[test]
fn chunks_reach_every_subscriber_and_are_exported_only_as_asked() {
    for (export, expected) in [(ChunkExport::Off, 0), (ChunkExport::Every(10), 10)] {
        let collector = support::collector::Collector::start();
        let config = tracing_genai::otlp::OtlpConfig::new().endpoint(collector.endpoint());
        let capture = capture_with(|builder| builder.otlp(config).chunk_export(export));
        capture.record(|| {
            let call = chat("openai", "m").start();
            for _ in 0..100 {
                call.chunk("x");
            }
            call.complete();
        });
        let chunks = capture
            .events()
            .iter()
            .filter(|event| event.ty == "llm.call.chunk")
            .count();
        assert_eq!(chunks, 100);
        capture.telemetry().flush(Duration::from_secs(20));
        assert_eq!(collector.log_records().len(), expected);
    }
}

#[test]
fn a_verdict_is_exported_under_the_conventions_name_with_the_ids_of_its_span() {
    let collector = support::collector::Collector::start();
    let config = tracing_genai::otlp::OtlpConfig::new().endpoint(collector.endpoint());
    let capture = capture_with(|builder| builder.otlp(config));
    capture.record(|| {
        let call = chat("openai", "m").start();
        call.in_scope(|| evaluation("Relevance").score(0.9).emit());
        call.complete();
    });
    capture.telemetry().flush(Duration::from_secs(20));
    let record = collector.log_records().remove(0);
    assert_eq!(record.event_name, "gen_ai.evaluation.result");
    let span = capture.span("chat m");
    assert_eq!(record.span_id, span.span_id.to_bytes());
    assert_eq!(
        span.events[0].name, "gen_ai.evaluation.result",
        "mirrored on the span"
    );
}

#[test]
fn attributes_of_a_scope_and_identity_reach_what_is_emitted_inside_and_across_tasks() {
    let capture = capture();
    capture.record(|| {
        scope([
            ("user.id", "u1"),
            ("session.id", "s1"),
            ("correlation.id", "c1"),
        ])
        .in_scope(|| {
            event("a.b").emit();
            scope([("user.id", "u2")]).in_scope(|| event("a.c").emit());
            event("a.d").emit();
        });
        event("a.e").emit();
    });
    let all = capture.events();
    let user = |ty: &str| text(named(&all, ty), "user.id").map(str::to_owned);
    assert_eq!(user("a.b").as_deref(), Some("u1"));
    assert_eq!(user("a.c").as_deref(), Some("u2"));
    assert_eq!(user("a.d").as_deref(), Some("u1"));
    assert_eq!(user("a.e"), None);
    let who = &named(&all, "a.b").who;
    assert_eq!(who.session_id.as_deref(), Some("s1"));
    assert_eq!(who.correlation_id.as_deref(), Some("c1"));
}

#[test]
fn a_handler_that_emits_to_itself_ends_at_the_depth_limit_and_blocks_nobody() {
    let capture = capture();
    let dispatch =
        tracing::Dispatch::new(tracing_subscriber::registry().with(capture.telemetry().layer()));
    let inside = dispatch.clone();
    let calls = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&calls);
    capture.telemetry().bus().on_event(move |seen| {
        if seen.ty == "echo.heard" {
            *counted.lock().unwrap() += 1;
            tracing::dispatcher::with_default(&inside, || event("echo.heard").emit());
        }
    });
    tracing::dispatcher::with_default(&dispatch, || event("echo.heard").emit());
    support::waiting::until("the chain ends", || {
        capture.flush();
        capture.telemetry().bus().stats().too_deep > 0
    });
    assert_eq!(*calls.lock().unwrap(), 17, "the first and sixteen echoes");
}

#[test]
fn an_event_type_that_is_malformed_becomes_the_nearest_one() {
    for (given, expected) in [
        ("User Login!", "user_login_"),
        ("llm.call", "custom.llm_call"),
        ("..", "unnamed"),
    ] {
        let event = only(|| event(given).emit());
        assert_eq!(event.ty, EventType::from_lossy(given));
        assert!(event.ty == expected, "{given}: {}", event.ty);
    }
}
