//! Metric names and the bucket boundaries advised for them.
//!
//! Promise: every metric in force has a constant, and so have the three older ones that
//! dashboards still read. What each is made of is in [`METRICS`](super::METRICS).

/// Seconds one model call took, retries included.
pub const GEN_AI_CLIENT_INFERENCE_DURATION: &str = "gen_ai.client.inference.duration";

/// Seconds from request to first chunk. Streamed calls only.
pub const GEN_AI_CLIENT_INFERENCE_TIME_TO_FIRST_CHUNK: &str =
    "gen_ai.client.inference.time_to_first_chunk";

/// Seconds from one chunk to the next. Streamed calls only.
pub const GEN_AI_CLIENT_INFERENCE_TIME_PER_OUTPUT_CHUNK: &str =
    "gen_ai.client.inference.time_per_output_chunk";

/// Input tokens, cache included, split by modality.
pub const GEN_AI_CLIENT_INFERENCE_USAGE_INPUT_TOKENS: &str =
    "gen_ai.client.inference.usage.input_tokens";

/// Output tokens, reasoning included, split by modality.
pub const GEN_AI_CLIENT_INFERENCE_USAGE_OUTPUT_TOKENS: &str =
    "gen_ai.client.inference.usage.output_tokens";

/// Input tokens served from cache, split by modality.
pub const GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_READ_INPUT_TOKENS: &str =
    "gen_ai.client.inference.usage.cache_read.input_tokens";

/// Input tokens written to cache, split by modality.
pub const GEN_AI_CLIENT_INFERENCE_USAGE_CACHE_WRITE_INPUT_TOKENS: &str =
    "gen_ai.client.inference.usage.cache_write.input_tokens";

/// Output tokens spent on reasoning, split by modality.
pub const GEN_AI_CLIENT_INFERENCE_USAGE_REASONING_OUTPUT_TOKENS: &str =
    "gen_ai.client.inference.usage.reasoning.output_tokens";

/// Input tokens per call, never split by modality.
pub const GEN_AI_CLIENT_INFERENCE_OPERATION_INPUT_TOKENS: &str =
    "gen_ai.client.inference.operation.input_tokens";

/// Output tokens per call, never split by modality.
pub const GEN_AI_CLIENT_INFERENCE_OPERATION_OUTPUT_TOKENS: &str =
    "gen_ai.client.inference.operation.output_tokens";

/// Seconds a client operation other than inference took. The older convention counts inference here too.
pub const GEN_AI_CLIENT_OPERATION_DURATION: &str = "gen_ai.client.operation.duration";

/// Seconds a model server worked on a request. For model hosts, not for clients.
pub const GEN_AI_SERVER_REQUEST_DURATION: &str = "gen_ai.server.request.duration";

/// Seconds per token after the first. For model hosts, not for clients.
pub const GEN_AI_SERVER_TIME_PER_OUTPUT_TOKEN: &str = "gen_ai.server.time_per_output_token";

/// Seconds to the first token. For model hosts, not for clients.
pub const GEN_AI_SERVER_TIME_TO_FIRST_TOKEN: &str = "gen_ai.server.time_to_first_token";

/// Seconds one in-process agent run took.
pub const GEN_AI_INVOKE_AGENT_DURATION: &str = "gen_ai.invoke_agent.duration";

/// Model calls the agent itself made in one run: failed ones count, those of sub-agents do not.
pub const GEN_AI_INVOKE_AGENT_INFERENCE_CALLS: &str = "gen_ai.invoke_agent.inference_calls";

/// Client-side tool calls the agent itself made in one run.
pub const GEN_AI_INVOKE_AGENT_TOOL_CALLS: &str = "gen_ai.invoke_agent.tool_calls";

/// Seconds one workflow run took.
pub const GEN_AI_INVOKE_WORKFLOW_DURATION: &str = "gen_ai.invoke_workflow.duration";

/// Seconds one tool run took.
pub const GEN_AI_EXECUTE_TOOL_DURATION: &str = "gen_ai.execute_tool.duration";

/// Seconds from sending an MCP message to its answer.
pub const MCP_CLIENT_OPERATION_DURATION: &str = "mcp.client.operation.duration";

/// Seconds from receiving an MCP message to answering it.
pub const MCP_SERVER_OPERATION_DURATION: &str = "mcp.server.operation.duration";

/// Seconds an MCP session lasted, seen by the client.
pub const MCP_CLIENT_SESSION_DURATION: &str = "mcp.client.session.duration";

/// Seconds an MCP session lasted, seen by the server.
pub const MCP_SERVER_SESSION_DURATION: &str = "mcp.server.session.duration";

// === Older names ===

/// Tokens per call, split by [`GEN_AI_TOKEN_TYPE`](super::GEN_AI_TOKEN_TYPE).
pub const GEN_AI_CLIENT_TOKEN_USAGE: &str = "gen_ai.client.token.usage";

/// Older name of [`GEN_AI_CLIENT_INFERENCE_TIME_TO_FIRST_CHUNK`].
pub const GEN_AI_CLIENT_OPERATION_TIME_TO_FIRST_CHUNK: &str =
    "gen_ai.client.operation.time_to_first_chunk";

/// Older name of [`GEN_AI_CLIENT_INFERENCE_TIME_PER_OUTPUT_CHUNK`].
pub const GEN_AI_CLIENT_OPERATION_TIME_PER_OUTPUT_CHUNK: &str =
    "gen_ai.client.operation.time_per_output_chunk";

// === Bucket boundaries ===

/// Seconds, for model calls, tools and other client operations.
pub const DURATION_BUCKETS: &[f64] = &[
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];

/// Tokens per call: powers of four.
pub const TOKEN_BUCKETS: &[f64] = &[
    1.0, 4.0, 16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262144.0, 1048576.0, 4194304.0,
    16777216.0, 67108864.0,
];

/// Seconds, for agent runs.
pub const AGENT_DURATION_BUCKETS: &[f64] = &[
    0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6,
];

/// Calls per agent run.
pub const CALL_COUNT_BUCKETS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];

/// Seconds, for workflow runs: up to two hours.
pub const WORKFLOW_DURATION_BUCKETS: &[f64] = &[
    1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 7200.0,
];

/// Seconds, for MCP messages and sessions.
pub const MCP_DURATION_BUCKETS: &[f64] = &[
    0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0,
];

/// Seconds per token, for model hosts.
pub const SERVER_TIME_PER_TOKEN_BUCKETS: &[f64] = &[
    0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5,
];

/// Seconds to the first token, for model hosts.
pub const SERVER_FIRST_TOKEN_BUCKETS: &[f64] = &[
    0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0,
];
