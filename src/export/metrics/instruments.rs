//! The instruments, made from the rows of [`METRICS`](crate::semconv::METRICS) and four rows of our own.
//!
//! Promise: unit, buckets and description are the row's; what nobody asked for is not created.

use opentelemetry::metrics::{Counter, Histogram, Meter};

use super::MetricNames;
use crate::semconv::{self, Instrument, MetricSpec};

/// Calls of a model whose price is not known.
pub(super) const GENAI_COST_UNKNOWN: &str = "genai.cost.unknown";
/// What the security policy found, or the application told of under the same event.
pub(super) const GENAI_SECURITY_FINDINGS: &str = "genai.security.findings";
/// Work that was tried again, as `step.retrying` tells it.
pub(super) const GENAI_RETRIES: &str = "genai.retries";

/// US dollars: from a hundredth of a cent, one short call of a small model, to ten dollars, a full context of the dearest.
const COST_BUCKETS: &[f64] = &[
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    5.0, 10.0,
];

/// What the conventions have no metric for.
pub(super) const OWN: [MetricSpec; 4] = [
    MetricSpec {
        name: semconv::GEN_AI_USAGE_COST,
        description: "Cost of one model call, where its price is known",
        unit: "{USD}",
        instrument: Instrument::HistogramF64,
        buckets: COST_BUCKETS,
        required: &[
            semconv::GEN_AI_OPERATION_NAME,
            semconv::GEN_AI_PROVIDER_NAME,
            semconv::GENAI_COST_SOURCE,
        ],
        attributes: &[
            semconv::GEN_AI_REQUEST_MODEL,
            semconv::GEN_AI_RESPONSE_MODEL,
            semconv::GEN_AI_AGENT_NAME,
        ],
        legacy: false,
    },
    MetricSpec {
        name: GENAI_COST_UNKNOWN,
        description: "Model calls that no price is known for, by reason",
        unit: "{call}",
        instrument: Instrument::CounterU64,
        buckets: &[],
        required: &[
            semconv::GEN_AI_OPERATION_NAME,
            semconv::GEN_AI_PROVIDER_NAME,
            semconv::GENAI_COST_UNKNOWN_REASON,
        ],
        attributes: &[
            semconv::GEN_AI_REQUEST_MODEL,
            semconv::GEN_AI_RESPONSE_MODEL,
        ],
        legacy: false,
    },
    MetricSpec {
        name: GENAI_SECURITY_FINDINGS,
        description: "Security findings, by rule and by what was done about them",
        unit: "{finding}",
        instrument: Instrument::CounterU64,
        buckets: &[],
        required: &[],
        attributes: &[
            semconv::SECURITY_ALERT_LEVEL,
            semconv::SECURITY_ACTION,
            semconv::SECURITY_CATEGORY,
            semconv::SECURITY_RULE,
            semconv::SECURITY_POINT,
        ],
        legacy: false,
    },
    MetricSpec {
        name: GENAI_RETRIES,
        description: "Work that was tried again after an error",
        unit: "{retry}",
        instrument: Instrument::CounterU64,
        buckets: &[],
        required: &[],
        attributes: &[semconv::GEN_AI_AGENT_NAME, semconv::ERROR_TYPE],
        legacy: false,
    },
];

/// The row of a metric of the conventions or of ours.
pub(super) fn spec(name: &str) -> Option<&'static MetricSpec> {
    const OURS: &[MetricSpec] = &OWN;
    MetricSpec::named(name).or_else(|| OURS.iter().find(|spec| spec.name == name))
}

/// The instruments of one meter.
pub(super) struct Instruments {
    pub(super) latest: Option<Latest>,
    pub(super) legacy: Option<Legacy>,
    /// Client operations other than inference; under the legacy names inference too.
    pub(super) operation_duration: Histogram<f64>,
    pub(super) agent_duration: Histogram<f64>,
    pub(super) agent_inference_calls: Histogram<u64>,
    pub(super) agent_tool_calls: Histogram<u64>,
    pub(super) workflow_duration: Histogram<f64>,
    pub(super) tool_duration: Histogram<f64>,
    pub(super) mcp_client_duration: Histogram<f64>,
    pub(super) mcp_server_duration: Histogram<f64>,
    pub(super) mcp_client_session: Histogram<f64>,
    pub(super) mcp_server_session: Histogram<f64>,
    pub(super) cost: Histogram<f64>,
    pub(super) cost_unknown: Counter<u64>,
    pub(super) findings: Counter<u64>,
    pub(super) retries: Counter<u64>,
}

/// Model calls under the names in force.
pub(super) struct Latest {
    pub(super) duration: Histogram<f64>,
    pub(super) first_chunk: Histogram<f64>,
    pub(super) per_chunk: Histogram<f64>,
    pub(super) input: Counter<u64>,
    pub(super) output: Counter<u64>,
    pub(super) cache_read: Counter<u64>,
    pub(super) cache_write: Counter<u64>,
    pub(super) reasoning: Counter<u64>,
    pub(super) input_per_call: Histogram<u64>,
    pub(super) output_per_call: Histogram<u64>,
}

/// Model calls under the names before.
pub(super) struct Legacy {
    pub(super) token_usage: Histogram<u64>,
    pub(super) first_chunk: Histogram<f64>,
    pub(super) per_chunk: Histogram<f64>,
}

impl Instruments {
    pub(super) fn new(meter: &Meter, names: MetricNames) -> Self {
        let make = Make(meter);
        Self {
            latest: names.latest().then(|| Latest::new(&make)),
            legacy: names.legacy().then(|| Legacy::new(&make)),
            operation_duration: make.numbers(semconv::GEN_AI_CLIENT_OPERATION_DURATION),
            agent_duration: make.numbers(semconv::GEN_AI_INVOKE_AGENT_DURATION),
            agent_inference_calls: make.counts(semconv::GEN_AI_INVOKE_AGENT_INFERENCE_CALLS),
            agent_tool_calls: make.counts(semconv::GEN_AI_INVOKE_AGENT_TOOL_CALLS),
            workflow_duration: make.numbers(semconv::GEN_AI_INVOKE_WORKFLOW_DURATION),
            tool_duration: make.numbers(semconv::GEN_AI_EXECUTE_TOOL_DURATION),
            mcp_client_duration: make.numbers(semconv::MCP_CLIENT_OPERATION_DURATION),
            mcp_server_duration: make.numbers(semconv::MCP_SERVER_OPERATION_DURATION),
            mcp_client_session: make.numbers(semconv::MCP_CLIENT_SESSION_DURATION),
            mcp_server_session: make.numbers(semconv::MCP_SERVER_SESSION_DURATION),
            cost: make.numbers(semconv::GEN_AI_USAGE_COST),
            cost_unknown: make.sum(GENAI_COST_UNKNOWN),
            findings: make.sum(GENAI_SECURITY_FINDINGS),
            retries: make.sum(GENAI_RETRIES),
        }
    }
}

impl Latest {
    fn new(make: &Make<'_>) -> Self {
        Self {
            duration: make.numbers(semconv::GEN_AI_CLIENT_INFERENCE_DURATION),
            first_chunk: make.numbers(semconv::GEN_AI_CLIENT_INFERENCE_TIME_TO_FIRST_CHUNK),
            per_chunk: make.numbers(semconv::GEN_AI_CLIENT_INFERENCE_TIME_PER_OUTPUT_CHUNK),
            input: make.sum(semconv::GEN_AI_CLIENT_INFERENCE_USAGE_INPUT_TOKENS),
            output: make.sum(semconv::GEN_AI_CLIENT_INFERENCE_USAGE_OUTPUT_TOKENS),
            cache_read: make.sum(semconv::GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_READ_INPUT_TOKENS),
            cache_write: make.sum(semconv::GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_WRITE_INPUT_TOKENS),
            reasoning: make.sum(semconv::GEN_AI_CLIENT_INFERENCE_USAGE_REASONING_OUTPUT_TOKENS),
            input_per_call: make.counts(semconv::GEN_AI_CLIENT_INFERENCE_OPERATION_INPUT_TOKENS),
            output_per_call: make.counts(semconv::GEN_AI_CLIENT_INFERENCE_OPERATION_OUTPUT_TOKENS),
        }
    }
}

impl Legacy {
    fn new(make: &Make<'_>) -> Self {
        Self {
            token_usage: make.counts(semconv::GEN_AI_CLIENT_TOKEN_USAGE),
            first_chunk: make.numbers(semconv::GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK),
            per_chunk: make.numbers(semconv::GEN_AI_CLIENT_OPERATION_TIME_PER_OUTPUT_CHUNK),
        }
    }
}

/// Makes an instrument from the row of its name.
struct Make<'a>(&'a Meter);

impl Make<'_> {
    fn numbers(&self, name: &'static str) -> Histogram<f64> {
        let builder = self.0.f64_histogram(name);
        match spec(name) {
            Some(spec) => builder
                .with_unit(spec.unit)
                .with_description(spec.description)
                .with_boundaries(spec.buckets.to_vec()),
            None => builder,
        }
        .build()
    }

    fn counts(&self, name: &'static str) -> Histogram<u64> {
        let builder = self.0.u64_histogram(name);
        match spec(name) {
            Some(spec) => builder
                .with_unit(spec.unit)
                .with_description(spec.description)
                .with_boundaries(spec.buckets.to_vec()),
            None => builder,
        }
        .build()
    }

    fn sum(&self, name: &'static str) -> Counter<u64> {
        let builder = self.0.u64_counter(name);
        match spec(name) {
            Some(spec) => builder
                .with_unit(spec.unit)
                .with_description(spec.description),
            None => builder,
        }
        .build()
    }
}
