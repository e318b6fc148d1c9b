//! Which metrics and labels a query may name: those of this crate, translated as Prometheus translates them, and some of others.

use std::collections::BTreeSet;

use tracing_genai::semconv::{self, Instrument, METRICS};

/// What this crate exports besides the conventions' metrics, as Prometheus has it, with its attributes.
const OURS: [(&str, &[&str]); 4] = [
    (
        "genai_retries_total",
        &[semconv::GEN_AI_AGENT_NAME, semconv::ERROR_TYPE],
    ),
    (
        "gen_ai_usage_cost_sum",
        &[semconv::GENAI_COST_SOURCE, semconv::GEN_AI_AGENT_NAME],
    ),
    (
        "genai_cost_unknown_total",
        &[semconv::GENAI_COST_UNKNOWN_REASON],
    ),
    (
        "genai_security_findings_total",
        &[
            semconv::SECURITY_ALERT_LEVEL,
            semconv::SECURITY_ACTION,
            semconv::SECURITY_CATEGORY,
            semconv::SECURITY_RULE,
            semconv::SECURITY_POINT,
        ],
    ),
];
/// The conventions for SDKs, which this crate keeps.
const SDK: [&str; 9] = [
    "otel_sdk_processor_span_queue_size",
    "otel_sdk_processor_span_queue_capacity",
    "otel_sdk_processor_span_processed_total",
    "otel_sdk_exporter_span_exported_total",
    "otel_sdk_exporter_span_inflight",
    "otel_sdk_exporter_log_exported_total",
    "otel_sdk_exporter_log_inflight",
    "otel_sdk_exporter_metric_data_point_exported_total",
    "otel_sdk_exporter_metric_data_point_inflight",
];
/// What others call the cost of a call. They are not measured here.
const OTHERS: [&str; 1] = ["gen_ai_usage_cost_USD_sum"];
/// The collector about itself, some of them with `_total` in some versions, and Prometheus about the collector.
const COLLECTOR: [&str; 15] = [
    "otelcol_receiver_accepted_spans",
    "otelcol_receiver_accepted_log_records",
    "otelcol_receiver_accepted_metric_points",
    "otelcol_receiver_refused_spans",
    "otelcol_receiver_refused_log_records",
    "otelcol_receiver_refused_metric_points",
    "otelcol_exporter_enqueue_failed_spans",
    "otelcol_exporter_enqueue_failed_log_records",
    "otelcol_exporter_enqueue_failed_metric_points",
    "otelcol_exporter_send_failed_spans",
    "otelcol_exporter_send_failed_log_records",
    "otelcol_exporter_send_failed_metric_points",
    "otelcol_exporter_queue_size",
    "otelcol_exporter_queue_capacity",
    "up",
];

fn underscored(name: &str) -> String {
    name.replace('.', "_")
}

/// Every series name a query may have.
pub(crate) fn known_metrics() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for spec in METRICS {
        let unit = if spec.unit == "s" { "_seconds" } else { "" };
        let name = format!("{}{unit}", underscored(spec.name));
        match spec.instrument {
            Instrument::CounterU64 => names.extend([format!("{name}_total")]),
            _ => names.extend(["bucket", "sum", "count"].map(|end| format!("{name}_{end}"))),
        }
    }
    let others = OURS.iter().map(|(name, _)| name).chain(&SDK);
    let others = others.chain(&OTHERS).chain(&COLLECTOR);
    names.extend(others.map(|name| (*name).to_owned()));
    names
}

/// Every label a query may have.
pub(crate) fn known_labels() -> BTreeSet<String> {
    let specs = METRICS.iter();
    let attributes = specs.flat_map(|spec| spec.required.iter().chain(spec.attributes));
    let ours = OURS.iter().flat_map(|(_, attributes)| *attributes);
    let mut labels: BTreeSet<_> = attributes
        .chain(ours)
        .map(|name| underscored(name))
        .collect();
    labels.extend(["job", "instance", "le", "receiver", "exporter"].map(str::to_owned));
    labels
}

/// The series and the labels that a PromQL query names. A name is a series where a selector or a range follows at once, which is
/// how all queries here are written.
pub(crate) fn named(query: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut series, mut labels) = (BTreeSet::new(), BTreeSet::new());
    let mut rest = query;
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '_' || c == '"') {
        rest = &rest[start..];
        if let Some(quoted) = rest.strip_prefix('"') {
            rest = &quoted[quoted.find('"').unwrap() + 1..];
            continue;
        }
        let end = rest
            .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        rest = after;
        if word == "by" {
            let list = after.trim_start().strip_prefix('(').unwrap();
            let (list, after) = list.split_once(')').unwrap();
            labels.extend(list.split(',').map(|label| label.trim().to_owned()));
            rest = after;
        } else if word == "__name__" {
            let pattern = after.trim_start_matches("=~").strip_prefix('"').unwrap();
            let (pattern, _) = pattern.split_once('"').unwrap();
            series.insert(pattern.replace("(_total)?", ""));
        } else if after.starts_with(['{', '[']) {
            series.insert(word.to_owned());
        } else if after.starts_with(['=', '!']) {
            labels.insert(word.to_owned());
        }
    }
    (series, labels)
}
