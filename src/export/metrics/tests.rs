//! What metrics of model calls promise, and what all metrics do.

mod outlet;
mod support;
mod work;

use std::sync::Arc;

use super::MetricNames;
use super::instruments::{self, GENAI_COST_UNKNOWN, GENAI_RETRIES, GENAI_SECURITY_FINDINGS};
use crate::event::Subject;
use crate::record::{Inherited, Moment, Outcome, Record, What};
use crate::semconv::{self, Instrument, METRICS, MetricSpec};
use support::{Build as _, Number, Points, START, agent, chat, measured, metrics, span};

const CALL: &str = "gen_ai.operation.name=chat gen_ai.provider.name=openai gen_ai.request.model=gpt-4o \
                    gen_ai.response.model=gpt-4o-2024-08-06 server.address=api.openai.com server.port=443";

#[test]
fn a_call_is_measured_under_the_names_in_force() {
    let points = measured(MetricNames::Latest, &[chat()]);
    assert_eq!(
        points.names(),
        [
            "gen_ai.client.inference.duration",
            "gen_ai.client.inference.operation.input_tokens",
            "gen_ai.client.inference.operation.output_tokens",
            "gen_ai.client.inference.usage.input_tokens",
            "gen_ai.client.inference.usage.output_tokens",
        ]
    );
    let duration = points.one("gen_ai.client.inference.duration");
    assert_eq!((duration.count(), duration.sum()), (1, 1.5));
    assert_eq!(duration.unit, "s");
    assert_eq!(duration.labels(), CALL);
    let input = points.one("gen_ai.client.inference.usage.input_tokens");
    assert_eq!(input.number, Number::Sum(1_200.0));
    assert_eq!(input.unit, "{token}");
    assert_eq!(input.attributes["gen_ai.token.modality"], "unknown");
    assert_eq!(input.attributes.len(), 7);
    let output = points.one("gen_ai.client.inference.operation.output_tokens");
    assert_eq!((output.count(), output.sum()), (1, 340.0));
    assert_eq!(output.labels(), CALL);
}

#[test]
fn a_call_is_measured_under_the_older_names() {
    let points = measured(MetricNames::Legacy, &[chat()]);
    assert_eq!(
        points.names(),
        [
            "gen_ai.client.operation.duration",
            "gen_ai.client.token.usage"
        ]
    );
    let duration = points.one("gen_ai.client.operation.duration");
    assert_eq!((duration.sum(), duration.labels().as_str()), (1.5, CALL));
    let tokens = points.all("gen_ai.client.token.usage");
    let mut found: Vec<_> = tokens
        .iter()
        .map(|p| (p.attributes["gen_ai.token.type"].as_str(), p.sum()))
        .collect();
    found.sort_by(|a, b| a.0.cmp(b.0));
    assert_eq!(found, [("input", 1_200.0), ("output", 340.0)]);
    assert_eq!(tokens[0].attributes.len(), 7);
}

#[test]
fn by_default_both_generations_are_written_and_agree() {
    assert_eq!(MetricNames::default(), MetricNames::Both);
    let points = measured(MetricNames::Both, &[chat(), chat()]);
    let latest = points.one("gen_ai.client.inference.duration");
    let legacy = points.one("gen_ai.client.operation.duration");
    assert_eq!(latest.number, legacy.number);
    assert_eq!((latest.count(), latest.labels()), (2, legacy.labels()));
    assert_eq!(points.all("gen_ai.client.token.usage").len(), 2);
}

#[test]
fn an_unsampled_call_counts_like_any_other() {
    let mut sampled = chat();
    sampled.id.sampled = true;
    assert!(!chat().id.sampled);
    let points = measured(MetricNames::Latest, &[chat(), sampled]);
    assert_eq!(points.one("gen_ai.client.inference.duration").count(), 2);
}

#[test]
fn only_the_end_of_a_span_counts() {
    let mut records = [chat(), chat()];
    records[0].what = What::Started;
    records[1].what = What::Moment;
    assert!(measured(MetricNames::Both, &records).0.is_empty());
    let plain = Record::default();
    assert!(
        measured(MetricNames::Both, &[plain, span(Subject::STEP)])
            .0
            .is_empty()
    );
}

#[test]
fn a_model_call_inside_a_model_call_counts_once() {
    let inner = chat().at(3, 2).nested().with("gen_ai.usage.cost", 0.01);
    let embeddings = chat()
        .at(4, 2)
        .nested()
        .with("gen_ai.operation.name", "embeddings");
    let records = [inner, embeddings, chat().at(2, 1), agent().at(1, 0)];
    let points = measured(MetricNames::Both, &records);
    assert_eq!(points.one("gen_ai.client.inference.duration").count(), 1);
    assert_eq!(points.one("gen_ai.client.operation.duration").count(), 1);
    let tokens = points.one("gen_ai.client.inference.usage.input_tokens");
    assert_eq!(tokens.sum(), 1_200.0);
    assert_eq!(points.one("gen_ai.invoke_agent.inference_calls").sum(), 1.0);
    assert!(points.all("gen_ai.usage.cost").is_empty());
}

#[test]
fn a_failed_call_that_says_nothing_counts_with_no_tokens() {
    let failed = span(Subject::LLM_CALL)
        .with(semconv::GEN_AI_PROVIDER_NAME, "openai")
        .failed("rate_limit");
    let points = measured(MetricNames::Both, &[failed]);
    for name in ["input", "output"] {
        let counter = points.one(&format!("gen_ai.client.inference.usage.{name}_tokens"));
        assert_eq!(counter.number, Number::Sum(0.0));
        assert!(!counter.attributes.contains_key("error.type"));
        let histogram = format!("gen_ai.client.inference.operation.{name}_tokens");
        assert!(points.all(&histogram).is_empty());
    }
    assert!(points.all("gen_ai.client.token.usage").is_empty());
    assert!(
        points
            .all("gen_ai.client.inference.usage.reasoning.output_tokens")
            .is_empty()
    );
    let duration = points.one("gen_ai.client.inference.duration");
    assert_eq!(
        duration.labels(),
        "error.type=rate_limit gen_ai.operation.name=chat gen_ai.provider.name=openai"
    );
}

#[test]
fn an_unknown_count_of_a_call_that_did_not_fail_is_absent() {
    for outcome in [Outcome::Completed, Outcome::Canceled, Outcome::Interrupted] {
        let mut record = span(Subject::LLM_CALL);
        record.outcome = outcome;
        let points = measured(MetricNames::Latest, &[record]);
        assert_eq!(points.names(), ["gen_ai.client.inference.duration"]);
    }
}

#[test]
fn a_failure_without_a_type_has_the_conventions_fallback() {
    let mut record = chat();
    record.outcome = Outcome::Failed;
    let points = measured(MetricNames::Latest, &[record]);
    let duration = points.one("gen_ai.client.inference.duration");
    assert_eq!(duration.attributes["error.type"], "_OTHER");
}

#[test]
fn all_kinds_of_tokens_are_counted() {
    let record = chat()
        .with(semconv::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, 1_000_i64)
        .with(semconv::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, 100_i64)
        .with(semconv::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, 30_i64);
    let points = measured(MetricNames::Latest, &[record]);
    for (name, tokens) in [
        ("cache_read.input_tokens", 1_000.0),
        ("cache_write.input_tokens", 100.0),
        ("reasoning.output_tokens", 30.0),
    ] {
        let counter = points.one(&format!("gen_ai.client.inference.usage.{name}"));
        assert_eq!(counter.sum(), tokens, "{name}");
    }
}

#[test]
fn a_stream_is_measured_by_its_chunks() {
    let mut record = chat();
    for millis in [250, 300, 400] {
        record.chunks.arrived(START + millis * 1_000_000);
    }
    let points = measured(MetricNames::Both, &[record.clone()]);
    for family in ["inference", "operation"] {
        let first = points.one(&format!("gen_ai.client.{family}.time_to_first_chunk"));
        assert_eq!((first.count(), first.sum()), (1, 0.25));
        assert_eq!((first.labels().as_str(), first.unit.as_str()), (CALL, "s"));
        let each = points.one(&format!("gen_ai.client.{family}.time_per_output_chunk"));
        assert_eq!(each.count(), 2);
        assert!((each.sum() - 0.15).abs() < 1e-12);
    }
    let told = record.with(semconv::GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK, 0.125);
    let points = measured(MetricNames::Latest, &[told]);
    let first = points.one("gen_ai.client.inference.time_to_first_chunk");
    assert_eq!(first.sum(), 0.125);
}

#[test]
fn cost_is_measured_where_it_is_known_and_counted_where_not() {
    let priced = || {
        chat()
            .with(semconv::GEN_AI_USAGE_COST, 0.25)
            .with(semconv::GENAI_COST_SOURCE, "table")
            .with(semconv::GEN_AI_AGENT_NAME, "planner")
    };
    let unpriced = || chat().with(semconv::GENAI_COST_UNKNOWN_REASON, "unknown_model");
    let embeddings = priced().with("gen_ai.operation.name", "embeddings");
    let records = [priced(), priced(), unpriced(), unpriced(), embeddings];
    let points = measured(MetricNames::Both, &records);
    let costs = points.all("gen_ai.usage.cost");
    let cost = costs
        .iter()
        .find(|p| p.attributes["gen_ai.operation.name"] == "chat");
    let cost = cost.unwrap();
    assert_eq!((costs.len(), cost.count(), cost.sum()), (2, 2, 0.5));
    assert_eq!(cost.unit, "{USD}");
    assert_eq!(cost.attributes["genai.cost.source"], "table");
    assert_eq!(cost.attributes["gen_ai.agent.name"], "planner");
    assert!(!cost.attributes.contains_key("server.address"));
    let unknown = points.one(GENAI_COST_UNKNOWN);
    assert_eq!(unknown.number, Number::Sum(2.0));
    assert_eq!(
        unknown.attributes["genai.cost.unknown_reason"],
        "unknown_model"
    );
    assert_eq!(unknown.attributes["gen_ai.request.model"], "gpt-4o");
}

#[test]
fn a_security_finding_is_counted_by_rule_and_action_and_nothing_else_is() {
    let moment = |name: &'static str, rule: &str, action: &str| {
        let mut record = Record::default()
            .with(semconv::SECURITY_RULE, rule)
            .with(semconv::SECURITY_ACTION, action)
            .with(semconv::SECURITY_ALERT_LEVEL, "dangerous")
            .with(semconv::SECURITY_TEXT_BYTES, 12_i64);
        record.what = What::Moment;
        let mut moment = Moment::new(name);
        moment.resolve();
        record.moment = Some(moment);
        record
    };
    let mut metrics = metrics(MetricNames::Both);
    for record in [
        moment("security.block", "shell.delete", "blocked"),
        moment("security.block", "shell.delete", "blocked"),
        moment("security.alert", "injection", "alerted"),
        moment("plan.refined", "injection", "alerted"),
    ] {
        metrics.record(&record);
    }
    let points = Points::of(&metrics);
    assert_eq!(points.names(), [GENAI_SECURITY_FINDINGS]);
    let found: Vec<_> = points.0.iter().map(|p| (p.labels(), p.sum())).collect();
    let labels = |action: &str, rule: &str| {
        format!("security.action={action} security.alert_level=dangerous security.rule={rule}")
    };
    assert_eq!(found.len(), 2);
    assert!(found.contains(&(labels("blocked", "shell.delete"), 2.0)));
    assert!(found.contains(&(labels("alerted", "injection"), 1.0)));
}

#[test]
fn work_that_is_tried_again_is_counted_by_its_agent_and_the_error() {
    let mut metrics = metrics(MetricNames::Latest);
    for (event, error) in [
        ("step.retrying", "timeout"),
        ("step.retrying", "timeout"),
        ("step.retrying", "rate_limited"),
        ("step.validated", "timeout"),
    ] {
        let mut moment = Moment::new(event);
        moment.resolve();
        let mut record = span(Subject::STEP).with(semconv::ERROR_TYPE, error);
        record.inherited = Some(Arc::new(Inherited {
            agent_name: Some("clerk".into()),
            ..Inherited::default()
        }));
        record.what = What::Moment;
        record.moment = Some(moment);
        metrics.record(&record);
    }
    let points = Points::of(&metrics);
    assert_eq!(points.names(), [GENAI_RETRIES]);
    let mut found: Vec<_> = points.0.iter().map(|p| (p.labels(), p.sum())).collect();
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let labels = |error: &str| format!("error.type={error} gen_ai.agent.name=clerk");
    assert_eq!(
        found,
        [(labels("rate_limited"), 1.0), (labels("timeout"), 2.0)]
    );
    assert_eq!(points.0[0].unit, "{retry}");
}

#[test]
fn impossible_numbers_are_absent_and_harmless() {
    let impossible = [f64::NAN, f64::INFINITY, -1.0, 1e300];
    let records = impossible.map(|number| {
        let mut record = chat()
            .with(semconv::GEN_AI_USAGE_COST, number)
            .with(semconv::GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK, number)
            .with(semconv::GEN_AI_USAGE_INPUT_TOKENS, number)
            .with(semconv::GEN_AI_USAGE_OUTPUT_TOKENS, u64::MAX.to_string())
            .with(semconv::SERVER_PORT, 70_000_i64);
        // The end before the start.
        record.end = 0;
        record
    });
    let points = measured(MetricNames::Both, &records);
    assert_eq!(
        points.names(),
        [
            "gen_ai.client.inference.duration",
            "gen_ai.client.operation.duration"
        ]
    );
    let duration = points.one("gen_ai.client.inference.duration");
    assert_eq!((duration.count(), duration.sum()), (4, 0.0));
    assert!(!duration.attributes.contains_key("server.port"));
}

#[test]
fn the_largest_count_that_is_believed_adds_up() {
    let record = chat().with(semconv::GEN_AI_USAGE_INPUT_TOKENS, 1_i64 << 40);
    let points = measured(MetricNames::Both, &[record.clone(), record]);
    let tokens = points.one("gen_ai.client.inference.usage.input_tokens");
    assert_eq!(tokens.sum(), 2.0 * (1_u64 << 40) as f64);
}

#[test]
fn an_attribute_is_short_text() {
    let record = span(Subject::LLM_CALL)
        .with(semconv::GEN_AI_REQUEST_MODEL, "é".repeat(1_000))
        .with(semconv::GEN_AI_PROVIDER_NAME, "")
        .with(semconv::GEN_AI_RESPONSE_MODEL, 7.5)
        .with(semconv::ERROR_TYPE, 429_i64)
        .with(semconv::SERVER_PORT, "8443");
    let points = measured(MetricNames::Latest, &[record]);
    let point = points.one("gen_ai.client.inference.duration");
    assert_eq!(point.attributes["gen_ai.request.model"].len(), 256);
    assert_eq!(point.attributes["error.type"], "429");
    assert_eq!(point.attributes["server.port"], "8443");
    assert!(!point.attributes.contains_key("gen_ai.provider.name"));
    assert!(!point.attributes.contains_key("gen_ai.response.model"));
}

/// A record that has every attribute there is, and what no metric may carry.
fn loaded(subject: Subject) -> Record {
    let specs = METRICS.iter().chain(&instruments::OWN);
    let mut record = span(subject);
    for name in specs.flat_map(|spec| spec.required.iter().chain(spec.attributes)) {
        record = record.with(name, "1");
    }
    for name in [
        semconv::GEN_AI_CONVERSATION_ID,
        semconv::SESSION_ID,
        semconv::GEN_AI_RESPONSE_ID,
        semconv::GEN_AI_AGENT_ID,
        "user.id",
        "gen_ai.input.messages",
    ] {
        record = record.with(name, "canary");
    }
    record
        .with(semconv::GEN_AI_USAGE_INPUT_TOKENS, 1_i64)
        .with(semconv::GEN_AI_USAGE_OUTPUT_TOKENS, 1_i64)
        .with(semconv::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, 1_i64)
        .with(semconv::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS, 1_i64)
        .with(semconv::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, 1_i64)
        .with(semconv::GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK, 0.1)
}

#[test]
fn no_metric_has_an_attribute_unit_or_bucket_that_is_not_in_its_row() {
    let mut metrics = metrics(MetricNames::Both);
    for subject in Subject::ALL {
        let mut record = loaded(*subject);
        record.chunks.arrived(START);
        record.chunks.arrived(START + 1);
        metrics.record_ended(&record);
        record.fields.remove(semconv::ERROR_TYPE);
        metrics.record_ended(&record.with(semconv::GEN_AI_USAGE_COST, 0.1));
    }
    metrics.record_ended(&loaded(Subject::MCP_TOOL).with(semconv::OTEL_KIND, "server"));
    for (subject, name) in [
        (Subject::SECURITY, "security.alert"),
        (Subject::STEP, "step.retrying"),
        (Subject::MCP_CONNECTION, "mcp.connection.closed"),
        (Subject::MCP, "mcp.connection.closed"),
    ] {
        let mut told = loaded(subject);
        if subject == Subject::MCP {
            told = told.with(semconv::OTEL_KIND, "server");
        }
        told.what = What::Moment;
        let moment = told.moment.insert(Moment::new(name));
        moment.lasted = Some(std::time::Duration::from_secs(1));
        moment.resolve();
        metrics.record(&told);
    }
    let points = Points::of(&metrics);
    for point in &points.0 {
        let spec = instruments::spec(&point.metric).unwrap();
        for name in point.attributes.keys() {
            assert!(spec.allows(name), "{} has {name}", point.metric);
        }
        for name in spec.required {
            let has = point.attributes.contains_key(*name);
            assert!(has, "{} lacks {name}", point.metric);
        }
        assert!(!point.labels().contains("canary"));
        assert_eq!(point.unit, spec.unit, "{}", point.metric);
        match &point.number {
            Number::Sum(_) => assert_eq!(spec.instrument, Instrument::CounterU64),
            Number::Histogram { bounds, .. } => {
                assert_ne!(spec.instrument, Instrument::CounterU64);
                assert_eq!(bounds, spec.buckets, "{}", point.metric);
            }
        }
    }
    // And every row that a client is to measure was.
    let not_ours = |spec: &&MetricSpec| !spec.name.starts_with("gen_ai.server.");
    for spec in METRICS.iter().chain(&instruments::OWN).filter(not_ours) {
        let points = points.all(spec.name);
        assert!(!points.is_empty(), "{}", spec.name);
        for name in spec.attributes {
            let set = points.iter().any(|p| p.attributes.contains_key(*name));
            assert!(set, "{} never has {name}", spec.name);
        }
    }
}
