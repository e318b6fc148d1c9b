//! The crate's names against the conventions they claim to follow.
//!
//! Constants cannot be enumerated at run time, so the files that declare them are read as text.

#![allow(clippy::unwrap_used, reason = "a helper of a test may panic")]

use std::collections::{BTreeMap, BTreeSet};

use opentelemetry::trace::SpanKind;
use serde_json::Value;
use tracing_genai::semconv::{self, Instrument, METRICS, MetricSpec, SPANS};

/// Names of ours under a prefix of theirs.
const OWN: &[&str] = &[
    semconv::GEN_AI_AGGREGATED_USAGE_COST,
    semconv::GEN_AI_AGGREGATED_USAGE_INPUT_TOKENS,
    semconv::GEN_AI_AGGREGATED_USAGE_OUTPUT_TOKENS,
    semconv::GEN_AI_USAGE_COST,
];

/// Names that are no longer in force, but still read or written by other software.
const LEGACY: &[&str] = &[
    semconv::GEN_AI_CLIENT_OPERATION_TIME_PER_OUTPUT_CHUNK,
    semconv::GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK,
    semconv::GEN_AI_CLIENT_TOKEN_USAGE,
    semconv::GEN_AI_SYSTEM,
    semconv::GEN_AI_TOKEN_TYPE,
    semconv::GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS,
    semconv::GEN_AI_USAGE_COMPLETION_TOKENS,
    semconv::GEN_AI_USAGE_PROMPT_TOKENS,
];

/// Attributes with a known set of values, and the set.
const VALUES: &[(&str, &[&str])] = &[
    (semconv::GEN_AI_OPERATION_NAME, semconv::operation::ALL),
    (semconv::GEN_AI_OUTPUT_TYPE, semconv::output_type::ALL),
    (semconv::GEN_AI_PROVIDER_NAME, semconv::provider::ALL),
    (
        semconv::GEN_AI_RESPONSE_STATUS,
        semconv::response_status::ALL,
    ),
    (semconv::GEN_AI_TOKEN_MODALITY, semconv::token_modality::ALL),
    (semconv::GEN_AI_TOKEN_TYPE, semconv::token_type::ALL),
    (semconv::MCP_METHOD_NAME, semconv::mcp_method::ALL),
    (semconv::OPENAI_API_TYPE, semconv::openai_api_type::ALL),
    (
        semconv::OPENAI_REQUEST_SERVICE_TIER,
        semconv::openai_service_tier::ALL,
    ),
];

#[test]
fn the_data_is_of_the_pinned_commit() {
    let data = conventions();
    let state = data["about"]["state"].as_str().unwrap();
    assert!(state.contains(semconv::SEMCONV_COMMIT), "{state}");
}

#[test]
fn a_constant_is_its_name_in_capitals() {
    for (constant, name) in constants() {
        assert_eq!(constant, name.to_uppercase().replace('.', "_"));
    }
}

#[test]
fn no_name_has_two_constants() {
    let all = constants();
    let distinct: BTreeSet<_> = all.iter().map(|(_, name)| name).collect();
    assert_eq!(all.len(), distinct.len());
}

#[test]
fn every_name_in_force_has_a_constant() {
    let ours = names();
    let missing: Vec<_> = status_by_name()
        .into_iter()
        .filter(|(name, status)| status == "current" && !ours.contains(name))
        .collect();
    assert_eq!(missing, []);
}

#[test]
fn every_constant_under_a_prefix_of_theirs_is_in_force_or_listed_as_an_exception() {
    let theirs = status_by_name();
    for name in names() {
        if !["gen_ai.", "mcp.", "openai.", "aws."]
            .iter()
            .any(|prefix| name.starts_with(prefix))
        {
            continue;
        }
        let status = theirs.get(&name).map(String::as_str);
        if OWN.contains(&name.as_str()) {
            assert_eq!(status, None, "{name} is theirs by now");
        } else if LEGACY.contains(&name.as_str()) {
            assert!(
                matches!(status, Some("renamed" | "removed" | "deprecated")),
                "{name} is {status:?}"
            );
        } else {
            assert_eq!(status, Some("current"), "{name}");
        }
    }
}

#[test]
fn every_general_attribute_their_signals_carry_has_a_constant() {
    let ours = names();
    let data = conventions();
    for section in ["spans", "span_refinements", "events", "metrics"] {
        for (signal, spec) in object(&data[section]) {
            for attribute in object(&spec["attributes"]).keys() {
                let is_reference = attribute.starts_with('$');
                let is_proposed = spec["status"] == "proposed";
                assert!(
                    is_reference || is_proposed || ours.contains(attribute),
                    "{attribute} of {signal}"
                );
            }
        }
    }
}

#[test]
fn every_attribute_with_known_values_has_all_of_them() {
    let data = conventions();
    let known: BTreeMap<_, _> = VALUES.iter().copied().collect();
    for (attribute, spec) in object(&data["attributes"]) {
        if spec["type"] == "enum" && spec["status"] == "current" {
            assert!(known.contains_key(attribute.as_str()), "{attribute}");
        }
    }
    for (attribute, values) in VALUES {
        assert_eq!(
            *values,
            strings(&data["attributes"][attribute]["members"]),
            "{attribute}"
        );
    }
}

#[test]
fn every_value_constant_is_in_its_list() {
    let text = source("value");
    let modules: Vec<_> = text.split("pub mod ").skip(1).collect();
    assert_eq!(
        modules.len(),
        VALUES.len() + 3,
        "tool_type is open, cost_source and error_type are ours"
    );
    for module in modules {
        let listed = module.split_once("ALL: &[&str] = &[").unwrap().1;
        let listed: Vec<_> = listed.split_once(']').unwrap().0.split(',').collect();
        let listed: BTreeSet<_> = listed.iter().map(|name| name.trim()).collect();
        for (constant, _) in parse_constants(module) {
            assert!(listed.contains(constant.as_str()), "{constant}");
        }
    }
}

#[test]
fn sensitive_attributes_are_those_marked_so_upstream() {
    let data = conventions();
    let marked: Vec<_> = object(&data["attributes"])
        .iter()
        .filter(|(_, spec)| spec["status"] == "current" && spec["sensitive"] == true)
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(semconv::SENSITIVE, marked);
}

#[test]
fn the_metric_table_agrees_with_the_conventions() {
    let data = conventions();
    for (name, theirs) in object(&data["metrics"]) {
        let in_force = theirs["status"] == "current";
        let Some(ours) = MetricSpec::named(name) else {
            assert!(!in_force, "{name} has no row");
            continue;
        };
        let instrument = match (&theirs["instrument"], &theirs["value_type"]) {
            (i, v) if i == "counter" && v == "int" => Instrument::CounterU64,
            (i, v) if i == "histogram" && v == "int" => Instrument::HistogramU64,
            (i, v) if i == "histogram" && v == "double" => Instrument::HistogramF64,
            other => panic!("{name}: {other:?}"),
        };
        let buckets: Vec<f64> = match &theirs["buckets"] {
            Value::Null => Vec::new(),
            list => list
                .as_array()
                .unwrap()
                .iter()
                .map(|b| b.as_f64().unwrap())
                .collect(),
        };
        assert_eq!(ours.instrument, instrument, "{name}");
        assert_eq!(theirs["unit"], ours.unit, "{name}");
        assert_eq!(ours.buckets, buckets, "{name}");
        assert_eq!(ours.legacy, !in_force, "{name}");
        assert_eq!(
            set(ours.required),
            with_level(theirs, &["required"]),
            "{name}"
        );
        assert_eq!(
            set(ours.attributes),
            with_level(theirs, &["conditionally_required", "recommended"]),
            "{name}"
        );
    }
}

#[test]
fn every_metric_row_belongs_to_one_metric_of_the_conventions() {
    let data = conventions();
    let rows: BTreeSet<_> = METRICS.iter().map(|spec| spec.name).collect();
    assert_eq!(rows.len(), METRICS.len());
    for spec in METRICS {
        assert!(data["metrics"].get(spec.name).is_some(), "{}", spec.name);
        assert!(!spec.description.is_empty(), "{}", spec.name);
    }
}

#[test]
fn a_metric_allows_its_attributes_and_no_opt_in_ones() {
    let spec = MetricSpec::named(semconv::MCP_CLIENT_OPERATION_DURATION).unwrap();
    assert!(spec.allows(semconv::MCP_METHOD_NAME));
    assert!(spec.allows(semconv::GEN_AI_TOOL_NAME));
    assert!(!spec.allows(semconv::MCP_RESOURCE_URI));
    assert!(!spec.allows(semconv::GEN_AI_CONVERSATION_ID));
}

#[test]
fn the_span_table_agrees_with_the_conventions() {
    let data = conventions();
    let theirs = object(&data["spans"]);
    assert_eq!(SPANS.len(), theirs.len());
    for ours in SPANS {
        let ty = ours.ty;
        let theirs = &theirs[ty];
        let kind = match ours.kind {
            SpanKind::Client => "client",
            SpanKind::Server => "server",
            SpanKind::Internal => "internal",
            ref other => panic!("{ty}: {other:?}"),
        };
        // An MCP span's operation carries a remark in brackets: it is there on tool calls only.
        let operations: Vec<_> = strings(&theirs["operation_names"])
            .into_iter()
            .map(|name| name.split_once(" (").map_or(name, |(name, _)| name))
            .collect();
        let at_start = object(&theirs["attributes"])
            .iter()
            .filter(|(_, spec)| spec["at_start"] == true)
            .map(|(name, _)| name.as_str())
            .collect();
        assert_eq!(theirs["kind"], kind, "{ty}");
        assert_eq!(ours.operations, operations, "{ty}");
        assert_eq!(ours.names, strings(&theirs["name"]), "{ty}");
        assert_eq!(
            set(ours.required),
            with_level(theirs, &["required"]),
            "{ty}"
        );
        assert_eq!(set(ours.at_start), at_start, "{ty}");
    }
}

#[test]
fn every_operation_has_a_span_and_a_kind() {
    use semconv::{SpanSpec, operation};

    let ty = |operation| SpanSpec::of_operation(operation).map(|spec| spec.ty);
    for name in operation::ALL {
        assert!(ty(name).is_some(), "{name}");
    }
    // Where several types fit, the plain in-process one.
    assert_eq!(
        ty(operation::INVOKE_AGENT),
        Some("gen_ai.invoke_agent.internal")
    );
    assert_eq!(
        ty(operation::EXECUTE_TOOL),
        Some("gen_ai.execute_tool.internal")
    );
    assert_eq!(ty("dance"), None);

    let remote = SpanSpec::of_type("gen_ai.invoke_agent.client").unwrap();
    assert_eq!(remote.kind, SpanKind::Client);
}

// === Reading the conventions ===

fn conventions() -> Value {
    serde_json::from_str(include_str!("data/semconv/current.json")).unwrap()
}

/// Attribute, metric and event names with their status. Events have none: all are in force.
fn status_by_name() -> BTreeMap<String, String> {
    let data = conventions();
    ["attributes", "metrics", "events"]
        .iter()
        .flat_map(|section| object(&data[section]))
        .map(|(name, spec)| {
            let status = spec["status"].as_str().unwrap_or("current");
            (name.clone(), status.to_owned())
        })
        .collect()
}

fn with_level<'a>(signal: &'a Value, levels: &[&str]) -> BTreeSet<&'a str> {
    object(&signal["attributes"])
        .iter()
        .filter(|(_, spec)| levels.contains(&spec["level"].as_str().unwrap()))
        .map(|(name, _)| name.as_str())
        .collect()
}

fn object(value: &Value) -> &serde_json::Map<String, Value> {
    value.as_object().unwrap()
}

fn strings(value: &Value) -> Vec<&str> {
    value
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s.as_str().unwrap())
        .collect()
}

fn set<'a>(names: &[&'a str]) -> BTreeSet<&'a str> {
    names.iter().copied().collect()
}

// === Reading the constants ===

fn source(module: &str) -> String {
    let path = format!("{}/src/semconv/{module}.rs", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

/// `(constant, name)` of every attribute, metric and event name the crate declares.
fn constants() -> Vec<(String, String)> {
    let all: Vec<_> = ["attribute", "borrowed", "event", "metric", "ours"]
        .iter()
        .flat_map(|module| parse_constants(&source(module)))
        .collect();
    assert!(all.len() > 100, "only {} constants found", all.len());
    all
}

fn names() -> BTreeSet<String> {
    constants().into_iter().map(|(_, name)| name).collect()
}

fn parse_constants(text: &str) -> Vec<(String, String)> {
    text.split("pub const ")
        .skip(1)
        .filter_map(|item| {
            let (declaration, _) = item.split_once(';')?;
            let (constant, value) = declaration.split_once(": &str =")?;
            let name = value.trim().strip_prefix('"')?.strip_suffix('"')?;
            Some((constant.to_owned(), name.to_owned()))
        })
        .collect()
}
