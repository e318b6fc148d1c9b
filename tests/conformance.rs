//! The spans the starters make, held against the conventions' own list: `tests/data/semconv/current.json`.
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use opentelemetry::trace::{Link, SpanKind, TraceState};
use opentelemetry::{Context, KeyValue, TraceId};
use opentelemetry_sdk::trace::{SamplingDecision, SamplingResult, ShouldSample};
use serde_json::Value as Json;
use tracing_genai::event::{Event, Usage, Value};
use tracing_genai::testing::{Capture, CapturedSpan, capture_with};
use tracing_genai::{
    agent, chat, embeddings, generate_content, plan, retrieval, step, text_completion, tool,
    workflow,
};

/// A span as a sampler is shown it: name, kind, attributes.
type Sampled = (String, SpanKind, BTreeMap<String, String>);

/// A sampler that keeps what it was shown.
#[derive(Debug, Clone, Default)]
struct Shown(Arc<Mutex<Vec<Sampled>>>);

impl ShouldSample for Shown {
    fn should_sample(
        &self,
        _: Option<&Context>,
        _: TraceId,
        name: &str,
        kind: &SpanKind,
        attributes: &[KeyValue],
        _: &[Link],
    ) -> SamplingResult {
        let attributes = attributes
            .iter()
            .map(|kv| (kv.key.to_string(), kv.value.to_string()))
            .collect();
        self.0
            .lock()
            .unwrap()
            .push((name.to_owned(), kind.clone(), attributes));
        SamplingResult {
            decision: SamplingDecision::RecordAndSample,
            attributes: Vec::new(),
            trace_state: TraceState::default(),
        }
    }
}

struct Run {
    capture: Capture,
    sampler: Shown,
}

/// One run with every starter, each told all it can be told.
fn run() -> Run {
    let sampler = Shown::default();
    let shown = sampler.clone();
    let capture = capture_with(|b| b.sampler(shown));
    let usage = Usage::new()
        .input(100)
        .output(50)
        .cache_read(20)
        .cache_write(10)
        .reasoning(5);
    capture.record(|| {
        let w = workflow("trip").conversation_id("conv-1").start();
        w.in_scope(|| {
            let a = agent("planner")
                .description("plans trips")
                .model("gpt-4o")
                .session_id("session-1")
                .start();
            a.in_scope(|| {
                for starter in [
                    chat("OpenAI", "gpt-4o"),
                    generate_content("gemini", "gemini-2.5-pro"),
                    text_completion("mistral", "codestral"),
                    embeddings("bedrock", "amazon.titan-embed"),
                ] {
                    let call = starter
                        .temperature(1.0)
                        .top_p(1.0)
                        .top_k(40)
                        .max_tokens(256)
                        .seed(7)
                        .frequency_penalty(0.0)
                        .presence_penalty(0.0)
                        .choice_count(2)
                        .streaming()
                        .stop_sequences(["END"])
                        .output_type("text")
                        .reasoning_level("low")
                        .server("localhost", 8080)
                        .start();
                    call.chunk("x")
                        .usage(usage)
                        .response_model("gpt-4o-mini")
                        .response_id("r1")
                        .finish_reason("stop")
                        .complete();
                }
                chat("openai", "no-such-model").start().fail_as("429");
                let t = tool("search")
                    .call_id("call_1")
                    .description("finds pages")
                    .start();
                t.in_scope(|| retrieval("docs").start().complete());
                t.fail_as("timeout");
                plan("planner").start().complete();
                step("parse").start().complete();
                drop(chat("openai", "dropped").start());
            });
            a.complete();
        });
        w.complete();
    });
    Run { capture, sampler }
}

fn conventions() -> Json {
    serde_json::from_str(include_str!("data/semconv/current.json")).unwrap()
}

/// The span type of the conventions for an exported span; steps have none.
fn spec<'c>(conventions: &'c Json, span: &CapturedSpan) -> Option<&'c Json> {
    let operation = span.attr("gen_ai.operation.name")?.as_str().unwrap();
    let ty = match operation {
        "chat" | "generate_content" | "text_completion" => "gen_ai.client.inference",
        "embeddings" => "gen_ai.embeddings.client",
        "retrieval" => "gen_ai.retrieval.client",
        "invoke_agent" => "gen_ai.invoke_agent.internal",
        "execute_tool" => "gen_ai.execute_tool.internal",
        "invoke_workflow" => "gen_ai.invoke_workflow.internal",
        "plan" => "gen_ai.plan.internal",
        other => panic!("no starter makes {other}"),
    };
    let spec = &conventions["spans"][ty];
    let operations = spec["operation_names"].as_array().unwrap();
    assert!(operations.iter().any(|o| o == operation));
    Some(spec)
}

/// The attributes of a span type that satisfy `wanted`.
fn attributes<'s>(
    spec: &'s Json,
    wanted: impl Fn(&Json) -> bool + 's,
) -> impl Iterator<Item = &'s str> {
    spec["attributes"]
        .as_object()
        .unwrap()
        .iter()
        .filter(move |(_, rule)| wanted(rule))
        .map(|(name, _)| name.as_str())
}

fn started(events: &[Event], span: &CapturedSpan) -> Event {
    let mut found = events
        .iter()
        .filter(|e| e.cx.span == span.span_id && e.phase == tracing_genai::event::Phase::Started);
    let event = found.next().unwrap().clone();
    assert!(found.next().is_none(), "{} started twice", span.name);
    event
}

/// Names declared in a file of `src/semconv`.
fn declared(source: &str) -> BTreeSet<&str> {
    source
        .lines()
        .filter_map(|line| line.strip_prefix("pub const "))
        .filter_map(|line| line.split('"').nth(1))
        .collect()
}

#[test]
fn every_span_has_the_kind_and_the_name_of_its_type() {
    let conventions = conventions();
    let spans = run().capture.spans();
    assert_eq!(spans.len(), 12);
    for span in &spans {
        let Some(spec) = spec(&conventions, span) else {
            continue;
        };
        assert_eq!(
            format!("{:?}", span.kind).to_lowercase(),
            spec["kind"].as_str().unwrap(),
            "{}",
            span.name
        );
        // The first template is the one for spans that know their attributes, as all here do.
        let mut name = spec["name"][0].as_str().unwrap().to_owned();
        for (key, value) in span.attributes.iter() {
            name = name.replace(&format!("{{{key}}}"), &value.to_string());
        }
        assert_eq!(span.name, name);
    }
}

#[test]
fn required_attributes_are_on_every_span() {
    let conventions = conventions();
    for span in run().capture.spans() {
        if let Some(spec) = spec(&conventions, &span) {
            for name in attributes(spec, |rule| rule["level"] == "required") {
                assert!(span.attr(name).is_some(), "{} lacks {name}", span.name);
            }
        }
    }
}

#[test]
fn what_a_sampler_may_look_at_is_there_at_the_start() {
    let conventions = conventions();
    let run = run();
    let (spans, events) = (run.capture.spans(), run.capture.events());
    let shown = run.sampler.0.lock().unwrap().clone();
    for span in &spans {
        let Some(spec) = spec(&conventions, span) else {
            continue;
        };
        let started = started(&events, span);
        let sampled = shown.iter().find(|(name, ..)| *name == span.name);
        let (_, kind, sampled) = sampled.unwrap();
        assert_eq!(*kind, span.kind);
        for name in attributes(spec, |rule| rule["at_start"] == true) {
            let Some(exported) = span.attr(name) else {
                continue;
            };
            assert_eq!(
                started.attr(name),
                Some(exported),
                "{name} on the started event of {}",
                span.name
            );
            assert_eq!(
                sampled.get(name),
                Some(&exported.to_string()),
                "{name} as the sampler saw it on {}",
                span.name
            );
        }
    }
}

#[test]
fn no_attribute_is_outside_the_conventions_and_our_documented_own_names() {
    let conventions = conventions();
    let registry = conventions["attributes"].as_object().unwrap();
    let mut own = declared(include_str!("../src/semconv/ours.rs"));
    own.append(&mut declared(include_str!("../src/semconv/borrowed.rs")));
    assert!(own.contains("error.type") && own.contains("llm.cost_usd"));
    let run = run();
    let of_spans = run.capture.spans();
    let of_events = run.capture.events();
    let all = of_spans
        .iter()
        .map(|s| (s.name.to_string(), &s.attributes))
        .chain(of_events.iter().map(|e| (e.ty.to_string(), &e.attrs)));
    for (what, attributes) in all {
        for (name, _) in attributes.iter() {
            let current = registry.get(name).is_some_and(|a| a["status"] == "current");
            assert!(current || own.contains(name), "{name} on {what}");
        }
    }
}

#[test]
fn values_have_the_type_and_are_among_the_members_that_the_conventions_give() {
    let conventions = conventions();
    let run = run();
    let (spans, events) = (run.capture.spans(), run.capture.events());
    let all = spans
        .iter()
        .flat_map(|s| s.attributes.iter())
        .chain(events.iter().flat_map(|e| e.attrs.iter()));
    let mut checked = BTreeSet::new();
    for (name, value) in all {
        let rule = &conventions["attributes"][name];
        let fits = match rule["type"].as_str() {
            None => continue,
            Some("int") => matches!(value, Value::I64(_)),
            Some("double") => matches!(value, Value::F64(_)),
            Some("boolean") => matches!(value, Value::Bool(_)),
            Some("string") => matches!(value, Value::Str(_)),
            Some("string[]") => value
                .as_array()
                .is_some_and(|all| all.iter().all(|item| matches!(item, Value::Str(_)))),
            Some("enum") => rule["members"]
                .as_array()
                .unwrap()
                .iter()
                .any(|member| member.as_str() == value.as_str()),
            Some(other) => panic!("{name} is {other}"),
        };
        assert!(fits, "{name} = {value:?} is no {}", rule["type"]);
        checked.insert(name.to_owned());
    }
    assert!(checked.len() > 25, "{checked:?}");
}

#[test]
fn a_failed_operation_has_an_error_type_and_no_other_has() {
    for span in run().capture.spans() {
        let failed = matches!(span.status, opentelemetry::trace::Status::Error { .. });
        assert_eq!(span.attr("error.type").is_some(), failed, "{}", span.name);
        let expected = ["chat no-such-model", "execute_tool search"].contains(&span.name.as_str());
        assert_eq!(failed, expected, "{}", span.name);
    }
}
