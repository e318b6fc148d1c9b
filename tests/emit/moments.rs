//! What happens inside a span.

use opentelemetry::trace::Status;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Told;
use std::time::Duration;
use tracing_genai::content::CaptureMode;
use tracing_genai::event::{Channel, Level, Usage, Value};
use tracing_genai::testing::{capture, capture_with};
use tracing_genai::{
    ChunkExport, FailurePolicy, ToolFailure, Validation, chat, evaluation, human_feedback_received,
    human_feedback_requested, instrumentation_applied, route, starters, step, tool,
};

use crate::vocabulary::*;

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
    let capture = capture_with(|builder| builder.capture(CaptureMode::Redacted));
    capture.record(|| {
        route("billing")
            .reason("intent=refund")
            .previous("triage")
            .emit()
    });
    let event = capture.events().remove(0);
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
    let capture = capture_with(|builder| builder.capture(CaptureMode::Redacted));
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

#[test]
fn chunks_reach_every_subscriber_and_are_exported_only_as_asked() {
    for (export, expected) in [(ChunkExport::Off, 0), (ChunkExport::Every(10), 10)] {
        let collector = crate::support::collector::Collector::start();
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
    let collector = crate::support::collector::Collector::start();
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
fn an_evaluation_is_the_conventions_event_with_name_score_label_explanation_and_response() {
    let collector = crate::support::collector::Collector::start();
    let config = tracing_genai::otlp::OtlpConfig::new().endpoint(collector.endpoint());
    for mode in [CaptureMode::Full, CaptureMode::Off] {
        let before = collector.log_records().len();
        let capture = capture_with(|builder| builder.otlp(config.clone()).capture(mode));
        capture.record(|| {
            evaluation("Relevance")
                .score(0.9)
                .label("pass")
                .explanation("it fits")
                .response_id("chatcmpl-1")
                .emit();
        });
        capture.telemetry().flush(Duration::from_secs(20));
        let record = collector.log_records().remove(before);
        assert_eq!(record.event_name, "gen_ai.evaluation.result");
        let told = |key: &str| {
            let found = record.attributes.iter().find(|it| it.key == key);
            found.and_then(|it| it.value.clone()?.value)
        };
        let text = |text: &str| Some(Told::StringValue(text.to_owned()));
        assert_eq!(told("gen_ai.evaluation.name"), text("Relevance"));
        assert_eq!(
            told("gen_ai.evaluation.score.value"),
            Some(Told::DoubleValue(0.9))
        );
        assert_eq!(told("gen_ai.evaluation.score.label"), text("pass"));
        assert_eq!(told("gen_ai.response.id"), text("chatcmpl-1"));
        // Why is content.
        let why = text("it fits").filter(|_| mode == CaptureMode::Full);
        assert_eq!(told("gen_ai.evaluation.explanation"), why);
    }
}
