//! Spans of every subject, and how they end.

use opentelemetry::trace::Status;
use serde_json::json;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use tracing_genai::event::{Level, Phase, Subject, Value, Visibility};
use tracing_genai::testing::capture;
use tracing_genai::{
    ActiveSpan, Plain, Source, Starter, agent, event, plan, retrieval, starters, step, tool,
    workflow,
};

use crate::vocabulary::*;

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
    assert_eq!(span.status, Status::error("dangerous"));
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
