//! What each metric is made of: instrument, unit, buckets and attributes, as one table.
//!
//! Promise: [`METRICS`] has one row for every metric in force and every older one with a constant.
//! Attributes that upstream makes opt-in are left out: they are unbounded, and a row lists what
//! may be set without asking.

use super::{attribute::*, borrowed::*, metric::*};

/// The instrument a metric is recorded with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Instrument {
    /// A monotonic counter of integers.
    CounterU64,
    /// A histogram of integers.
    HistogramU64,
    /// A histogram of floats.
    HistogramF64,
}

/// One metric of the conventions.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct MetricSpec {
    /// Name on the wire.
    pub name: &'static str,
    /// Short description, as it appears beside the metric in a back end.
    pub description: &'static str,
    /// Unit in UCUM notation: `s`, `{token}` …
    pub unit: &'static str,
    /// Instrument kind and value type.
    pub instrument: Instrument,
    /// Advised histogram boundaries, ascending; empty for counters.
    pub buckets: &'static [f64],
    /// Attributes every data point must have.
    pub required: &'static [&'static str],
    /// Further attributes, set when known.
    pub attributes: &'static [&'static str],
    /// Gone from the conventions, kept for dashboards that read it.
    pub legacy: bool,
}

impl MetricSpec {
    /// The row of a metric, or `None` if the conventions have no such metric.
    ///
    /// ```
    /// use tracing_genai::semconv::{self, MetricSpec};
    ///
    /// let spec = MetricSpec::named(semconv::GEN_AI_CLIENT_INFERENCE_DURATION).unwrap();
    /// assert_eq!(spec.unit, "s");
    /// assert_eq!(spec.buckets, semconv::DURATION_BUCKETS);
    /// ```
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        METRICS.iter().find(|spec| spec.name == name)
    }

    /// Whether data points may carry this attribute. A filter with it keeps the number of
    /// time series as low as the conventions intend.
    #[must_use]
    pub fn allows(&self, attribute: &str) -> bool {
        self.required.contains(&attribute) || self.attributes.contains(&attribute)
    }
}

// === What several rows share ===

/// Whose call it was, and where it went.
const CALL: &[&str] = &[
    GEN_AI_REQUEST_MODEL,
    GEN_AI_RESPONSE_MODEL,
    SERVER_ADDRESS,
    SERVER_PORT,
];

/// The same, on metrics that tell failed calls apart.
const CALL_AND_ERROR: &[&str] = &[
    GEN_AI_REQUEST_MODEL,
    GEN_AI_RESPONSE_MODEL,
    ERROR_TYPE,
    SERVER_ADDRESS,
    SERVER_PORT,
];

/// One duration each, with no attributes yet.
const SECONDS: MetricSpec = MetricSpec {
    name: "",
    description: "",
    unit: "s",
    instrument: Instrument::HistogramF64,
    buckets: DURATION_BUCKETS,
    required: &[],
    attributes: &[],
    legacy: false,
};

/// One duration each, of a model call or a part of it.
const CALL_SECONDS: MetricSpec = MetricSpec {
    required: &[GEN_AI_OPERATION_NAME, GEN_AI_PROVIDER_NAME],
    attributes: CALL,
    ..SECONDS
};

/// One token count for each model call.
const CALL_TOKENS: MetricSpec = MetricSpec {
    unit: "{token}",
    instrument: Instrument::HistogramU64,
    buckets: TOKEN_BUCKETS,
    attributes: CALL_AND_ERROR,
    ..CALL_SECONDS
};

/// A running sum of tokens, by modality.
const TOKENS: MetricSpec = MetricSpec {
    unit: "{token}",
    instrument: Instrument::CounterU64,
    buckets: &[],
    required: &[
        GEN_AI_OPERATION_NAME,
        GEN_AI_PROVIDER_NAME,
        GEN_AI_TOKEN_MODALITY,
    ],
    ..CALL_SECONDS
};

/// One count of calls for each agent run.
const AGENT_CALLS: MetricSpec = MetricSpec {
    instrument: Instrument::HistogramU64,
    buckets: CALL_COUNT_BUCKETS,
    attributes: &[GEN_AI_AGENT_NAME],
    ..SECONDS
};

/// One duration for each MCP message, as its receiver sees it.
const MCP_OPERATION: MetricSpec = MetricSpec {
    required: &[MCP_METHOD_NAME],
    attributes: &[
        GEN_AI_OPERATION_NAME,
        GEN_AI_TOOL_NAME,
        GEN_AI_PROMPT_NAME,
        ERROR_TYPE,
        RPC_RESPONSE_STATUS_CODE,
        MCP_PROTOCOL_VERSION,
        JSONRPC_PROTOCOL_VERSION,
        NETWORK_TRANSPORT,
        NETWORK_PROTOCOL_NAME,
        NETWORK_PROTOCOL_VERSION,
    ],
    ..MCP_SESSION
};

/// One duration for each MCP session, as the server sees it.
const MCP_SESSION: MetricSpec = MetricSpec {
    buckets: MCP_DURATION_BUCKETS,
    attributes: &[
        ERROR_TYPE,
        MCP_PROTOCOL_VERSION,
        JSONRPC_PROTOCOL_VERSION,
        NETWORK_TRANSPORT,
        NETWORK_PROTOCOL_NAME,
        NETWORK_PROTOCOL_VERSION,
    ],
    ..SECONDS
};

/// Every metric with a constant: those in force first, then the older ones.
pub const METRICS: &[MetricSpec] = &[
    MetricSpec {
        name: GEN_AI_CLIENT_INFERENCE_DURATION,
        description: "Duration of one model call",
        attributes: CALL_AND_ERROR,
        ..CALL_SECONDS
    },
    MetricSpec {
        name: GEN_AI_CLIENT_INFERENCE_TIME_TO_FIRST_CHUNK,
        description: "Time from request to first streamed chunk",
        ..CALL_SECONDS
    },
    MetricSpec {
        name: GEN_AI_CLIENT_INFERENCE_TIME_PER_OUTPUT_CHUNK,
        description: "Time between streamed chunks",
        ..CALL_SECONDS
    },
    MetricSpec {
        name: GEN_AI_CLIENT_INFERENCE_USAGE_INPUT_TOKENS,
        description: "Input tokens used, cache included",
        ..TOKENS
    },
    MetricSpec {
        name: GEN_AI_CLIENT_INFERENCE_USAGE_OUTPUT_TOKENS,
        description: "Output tokens used, reasoning included",
        ..TOKENS
    },
    MetricSpec {
        name: GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_READ_INPUT_TOKENS,
        description: "Input tokens served from cache",
        ..TOKENS
    },
    MetricSpec {
        name: GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_WRITE_INPUT_TOKENS,
        description: "Input tokens written to cache",
        ..TOKENS
    },
    MetricSpec {
        name: GEN_AI_CLIENT_INFERENCE_USAGE_REASONING_OUTPUT_TOKENS,
        description: "Output tokens spent on reasoning",
        ..TOKENS
    },
    MetricSpec {
        name: GEN_AI_CLIENT_INFERENCE_OPERATION_INPUT_TOKENS,
        description: "Input tokens of one model call",
        ..CALL_TOKENS
    },
    MetricSpec {
        name: GEN_AI_CLIENT_INFERENCE_OPERATION_OUTPUT_TOKENS,
        description: "Output tokens of one model call",
        ..CALL_TOKENS
    },
    MetricSpec {
        name: GEN_AI_CLIENT_OPERATION_DURATION,
        description: "Duration of one client operation",
        required: &[GEN_AI_OPERATION_NAME],
        attributes: &[
            GEN_AI_PROVIDER_NAME,
            GEN_AI_REQUEST_MODEL,
            GEN_AI_RESPONSE_MODEL,
            ERROR_TYPE,
            SERVER_ADDRESS,
            SERVER_PORT,
        ],
        ..CALL_SECONDS
    },
    MetricSpec {
        name: GEN_AI_SERVER_REQUEST_DURATION,
        description: "Duration of one request on the model server",
        attributes: CALL_AND_ERROR,
        ..CALL_SECONDS
    },
    MetricSpec {
        name: GEN_AI_SERVER_TIME_PER_OUTPUT_TOKEN,
        description: "Time per output token after the first",
        buckets: SERVER_TIME_PER_TOKEN_BUCKETS,
        ..CALL_SECONDS
    },
    MetricSpec {
        name: GEN_AI_SERVER_TIME_TO_FIRST_TOKEN,
        description: "Time to the first output token",
        buckets: SERVER_FIRST_TOKEN_BUCKETS,
        ..CALL_SECONDS
    },
    MetricSpec {
        name: GEN_AI_INVOKE_AGENT_DURATION,
        description: "Duration of one in-process agent run",
        buckets: AGENT_DURATION_BUCKETS,
        attributes: &[GEN_AI_AGENT_NAME, GEN_AI_REQUEST_MODEL, ERROR_TYPE],
        ..SECONDS
    },
    MetricSpec {
        name: GEN_AI_INVOKE_AGENT_INFERENCE_CALLS,
        description: "Model calls in one agent run",
        unit: "{inference_call}",
        ..AGENT_CALLS
    },
    MetricSpec {
        name: GEN_AI_INVOKE_AGENT_TOOL_CALLS,
        description: "Tool calls in one agent run",
        unit: "{tool_call}",
        ..AGENT_CALLS
    },
    MetricSpec {
        name: GEN_AI_INVOKE_WORKFLOW_DURATION,
        description: "Duration of one workflow run",
        buckets: WORKFLOW_DURATION_BUCKETS,
        attributes: &[GEN_AI_WORKFLOW_NAME, ERROR_TYPE],
        ..SECONDS
    },
    MetricSpec {
        name: GEN_AI_EXECUTE_TOOL_DURATION,
        description: "Duration of one tool run",
        required: &[GEN_AI_TOOL_NAME],
        attributes: &[GEN_AI_AGENT_NAME, GEN_AI_TOOL_TYPE, ERROR_TYPE],
        ..SECONDS
    },
    MetricSpec {
        name: MCP_CLIENT_OPERATION_DURATION,
        description: "Duration of one MCP request, seen by its sender",
        attributes: &[
            GEN_AI_OPERATION_NAME,
            GEN_AI_TOOL_NAME,
            GEN_AI_PROMPT_NAME,
            ERROR_TYPE,
            RPC_RESPONSE_STATUS_CODE,
            MCP_PROTOCOL_VERSION,
            JSONRPC_PROTOCOL_VERSION,
            NETWORK_TRANSPORT,
            NETWORK_PROTOCOL_NAME,
            NETWORK_PROTOCOL_VERSION,
            SERVER_ADDRESS,
            SERVER_PORT,
        ],
        ..MCP_OPERATION
    },
    MetricSpec {
        name: MCP_SERVER_OPERATION_DURATION,
        description: "Duration of one MCP request, seen by its receiver",
        ..MCP_OPERATION
    },
    MetricSpec {
        name: MCP_CLIENT_SESSION_DURATION,
        description: "Duration of an MCP session, seen by the client",
        attributes: &[
            ERROR_TYPE,
            MCP_PROTOCOL_VERSION,
            JSONRPC_PROTOCOL_VERSION,
            NETWORK_TRANSPORT,
            NETWORK_PROTOCOL_NAME,
            NETWORK_PROTOCOL_VERSION,
            SERVER_ADDRESS,
            SERVER_PORT,
        ],
        ..MCP_SESSION
    },
    MetricSpec {
        name: MCP_SERVER_SESSION_DURATION,
        description: "Duration of an MCP session, seen by the server",
        ..MCP_SESSION
    },
    MetricSpec {
        name: GEN_AI_CLIENT_TOKEN_USAGE,
        description: "Tokens of one model call, by direction",
        required: &[
            GEN_AI_OPERATION_NAME,
            GEN_AI_PROVIDER_NAME,
            GEN_AI_TOKEN_TYPE,
        ],
        attributes: CALL,
        legacy: true,
        ..CALL_TOKENS
    },
    MetricSpec {
        name: GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK,
        description: "Time from request to first streamed chunk",
        legacy: true,
        ..CALL_SECONDS
    },
    MetricSpec {
        name: GEN_AI_CLIENT_OPERATION_TIME_PER_OUTPUT_CHUNK,
        description: "Time between streamed chunks",
        legacy: true,
        ..CALL_SECONDS
    },
];
