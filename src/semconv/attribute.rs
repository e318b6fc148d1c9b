//! Attribute names of the GenAI, MCP, OpenAI and AWS conventions.
//!
//! Promise: every attribute in force has a constant here, and nothing else does but the few
//! older names at the end that other software still reads or writes.
//! Never: a name that is only proposed upstream.
//!
//! Each line ends with the type of the value. Structured values travel as JSON text where an
//! attribute must be flat, which is the case on spans. `Content` marks what is in [`SENSITIVE`].

/// Id of the Bedrock guardrail applied to the call (string).
pub const AWS_BEDROCK_GUARDRAIL_ID: &str = "aws.bedrock.guardrail.id";

/// Id of the Bedrock knowledge base queried (string).
pub const AWS_BEDROCK_KNOWLEDGE_BASE_ID: &str = "aws.bedrock.knowledge_base.id";

/// What the agent is for, in the application's words (string).
pub const GEN_AI_AGENT_DESCRIPTION: &str = "gen_ai.agent.description";

/// Id of a hosted agent resource (string). Never an in-memory id, and not set on in-process agents.
pub const GEN_AI_AGENT_ID: &str = "gen_ai.agent.id";

/// Name the application gave the agent (string).
pub const GEN_AI_AGENT_NAME: &str = "gen_ai.agent.name";

/// Version of the agent, as its owner counts versions (string).
pub const GEN_AI_AGENT_VERSION: &str = "gen_ai.agent.version";

/// The model saw a shortened view of the conversation (boolean). Set only when `true`.
pub const GEN_AI_CONVERSATION_COMPACTED: &str = "gen_ai.conversation.compacted";

/// Id of the conversation, session or thread (string). Passed on when the caller has one, never invented.
pub const GEN_AI_CONVERSATION_ID: &str = "gen_ai.conversation.id";

/// Id of the knowledge source a retrieval or agent reads (string).
pub const GEN_AI_DATA_SOURCE_ID: &str = "gen_ai.data_source.id";

/// Length wanted for each embedding vector (integer).
pub const GEN_AI_EMBEDDINGS_DIMENSION_COUNT: &str = "gen_ai.embeddings.dimension.count";

/// Why the evaluator gave this score, as prose (string).
pub const GEN_AI_EVALUATION_EXPLANATION: &str = "gen_ai.evaluation.explanation";

/// Which quality the evaluation measures, e.g. `relevance` (string).
pub const GEN_AI_EVALUATION_NAME: &str = "gen_ai.evaluation.name";

/// Verdict in words, e.g. `pass` (string).
pub const GEN_AI_EVALUATION_SCORE_LABEL: &str = "gen_ai.evaluation.score.label";

/// Verdict as a number (float).
pub const GEN_AI_EVALUATION_SCORE_VALUE: &str = "gen_ai.evaluation.score.value";

/// Messages sent to the model, oldest first (structured). Content.
pub const GEN_AI_INPUT_MESSAGES: &str = "gen_ai.input.messages";

/// Resource attribute: what the one agent this process hosts is for (string).
pub const GEN_AI_MAIN_AGENT_DESCRIPTION: &str = "gen_ai.main_agent.description";

/// Resource attribute: stable id of the one agent this process hosts (string).
pub const GEN_AI_MAIN_AGENT_ID: &str = "gen_ai.main_agent.id";

/// Resource attribute: name of the one agent this process hosts (string).
pub const GEN_AI_MAIN_AGENT_NAME: &str = "gen_ai.main_agent.name";

/// Text a memory search looked for (string). Content.
pub const GEN_AI_MEMORY_QUERY_TEXT: &str = "gen_ai.memory.query.text";

/// How many memory records were read or written (integer).
pub const GEN_AI_MEMORY_RECORD_COUNT: &str = "gen_ai.memory.record.count";

/// Id of the one memory record worked on (string).
pub const GEN_AI_MEMORY_RECORD_ID: &str = "gen_ai.memory.record.id";

/// Memory records stored or found (structured). Content.
pub const GEN_AI_MEMORY_RECORDS: &str = "gen_ai.memory.records";

/// Id of the memory store (string).
pub const GEN_AI_MEMORY_STORE_ID: &str = "gen_ai.memory.store.id";

/// What kind of work the span is; its first word (string, see [`operation`](super::operation)).
pub const GEN_AI_OPERATION_NAME: &str = "gen_ai.operation.name";

/// Messages the model answered with, one per choice (structured). Content.
pub const GEN_AI_OUTPUT_MESSAGES: &str = "gen_ai.output.messages";

/// Form of output the caller asked for (string, see [`output_type`](super::output_type)).
pub const GEN_AI_OUTPUT_TYPE: &str = "gen_ai.output.type";

/// Name of the prompt template or MCP prompt used (string).
pub const GEN_AI_PROMPT_NAME: &str = "gen_ai.prompt.name";

/// Prefix, used as `gen_ai.prompt.variable.<name>`: a value put into the prompt template (string). Content.
pub const GEN_AI_PROMPT_VARIABLE: &str = "gen_ai.prompt.variable";

/// Version of the prompt template used (string).
pub const GEN_AI_PROMPT_VERSION: &str = "gen_ai.prompt.version";

/// Who serves the model, as the client sees it (string, see [`provider`](super::provider)).
pub const GEN_AI_PROVIDER_NAME: &str = "gen_ai.provider.name";

/// How many alternative answers were asked for (integer). Set only when not 1.
pub const GEN_AI_REQUEST_CHOICE_COUNT: &str = "gen_ai.request.choice.count";

/// Encodings asked for in an embeddings call, e.g. `base64` (list of strings).
pub const GEN_AI_REQUEST_ENCODING_FORMATS: &str = "gen_ai.request.encoding_formats";

/// Penalty on tokens by how often they already occurred (float).
pub const GEN_AI_REQUEST_FREQUENCY_PENALTY: &str = "gen_ai.request.frequency_penalty";

/// Upper limit on generated tokens (integer).
pub const GEN_AI_REQUEST_MAX_TOKENS: &str = "gen_ai.request.max_tokens";

/// Model asked for (string).
pub const GEN_AI_REQUEST_MODEL: &str = "gen_ai.request.model";

/// Penalty on tokens that already occurred at all (float).
pub const GEN_AI_REQUEST_PRESENCE_PENALTY: &str = "gen_ai.request.presence_penalty";

/// Id of the earlier response this request continues from (string).
pub const GEN_AI_REQUEST_PREVIOUS_RESPONSE_ID: &str = "gen_ai.request.previous_response.id";

/// Reasoning effort asked for, e.g. `low` or `high` (string).
pub const GEN_AI_REQUEST_REASONING_LEVEL: &str = "gen_ai.request.reasoning.level";

/// Seed for repeatable sampling (integer).
pub const GEN_AI_REQUEST_SEED: &str = "gen_ai.request.seed";

/// Texts at which the model stops (list of strings).
pub const GEN_AI_REQUEST_STOP_SEQUENCES: &str = "gen_ai.request.stop_sequences";

/// The answer is streamed (boolean). Set only when `true`.
pub const GEN_AI_REQUEST_STREAM: &str = "gen_ai.request.stream";

/// Position from which a fetched stream resumes (string).
pub const GEN_AI_REQUEST_STREAM_CURSOR: &str = "gen_ai.request.stream_cursor";

/// Sampling temperature (float).
pub const GEN_AI_REQUEST_TEMPERATURE: &str = "gen_ai.request.temperature";

/// Candidates considered per generated token (integer). Not `top_logprobs`; retrieval has [`GEN_AI_RETRIEVAL_TOP_K`].
pub const GEN_AI_REQUEST_TOP_K: &str = "gen_ai.request.top_k";

/// Probability mass considered per generated token (float).
pub const GEN_AI_REQUEST_TOP_P: &str = "gen_ai.request.top_p";

/// Why generation stopped, one entry per choice (list of strings). `error` stands for a reason that never came.
pub const GEN_AI_RESPONSE_FINISH_REASONS: &str = "gen_ai.response.finish_reasons";

/// The provider's id of the answer (string).
pub const GEN_AI_RESPONSE_ID: &str = "gen_ai.response.id";

/// Model that answered; often more exact than the one asked for (string).
pub const GEN_AI_RESPONSE_MODEL: &str = "gen_ai.response.model";

/// State of a stored response when it was fetched (string, see [`response_status`](super::response_status)).
pub const GEN_AI_RESPONSE_STATUS: &str = "gen_ai.response.status";

/// Seconds from sending the request to the first streamed chunk (float).
pub const GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK: &str = "gen_ai.response.time_to_first_chunk";

/// Documents found, as `{id, score}` entries (structured).
pub const GEN_AI_RETRIEVAL_DOCUMENTS: &str = "gen_ai.retrieval.documents";

/// Text the retrieval looked for (string). Content.
pub const GEN_AI_RETRIEVAL_QUERY_TEXT: &str = "gen_ai.retrieval.query.text";

/// How many documents the retriever was asked for at most (integer).
pub const GEN_AI_RETRIEVAL_TOP_K: &str = "gen_ai.retrieval.top_k";

/// What the agent skill is for (string). Content.
pub const GEN_AI_SKILL_DESCRIPTION: &str = "gen_ai.skill.description";

/// Name of the agent skill a tool call touches (string).
pub const GEN_AI_SKILL_NAME: &str = "gen_ai.skill.name";

/// Script, reference or asset inside the skill, by its relative name (string).
pub const GEN_AI_SKILL_RESOURCE_NAME: &str = "gen_ai.skill.resource.name";

/// Where the skill is loaded from (string). Content.
pub const GEN_AI_SKILL_SOURCE_URI: &str = "gen_ai.skill.source.uri";

/// System prompt, where the provider takes it apart from the messages (structured). Content.
pub const GEN_AI_SYSTEM_INSTRUCTIONS: &str = "gen_ai.system_instructions";

/// Metrics only: modality of the tokens counted (string, see [`token_modality`](super::token_modality)).
pub const GEN_AI_TOKEN_MODALITY: &str = "gen_ai.token.modality";

/// Arguments the tool was called with (structured). Content.
pub const GEN_AI_TOOL_CALL_ARGUMENTS: &str = "gen_ai.tool.call.arguments";

/// The model's id for this tool call (string).
pub const GEN_AI_TOOL_CALL_ID: &str = "gen_ai.tool.call.id";

/// What the tool returned (structured). Content.
pub const GEN_AI_TOOL_CALL_RESULT: &str = "gen_ai.tool.call.result";

/// Tools offered to the model or agent (structured). Content.
pub const GEN_AI_TOOL_DEFINITIONS: &str = "gen_ai.tool.definitions";

/// What the tool is for (string). Content.
pub const GEN_AI_TOOL_DESCRIPTION: &str = "gen_ai.tool.description";

/// Name of the tool (string).
pub const GEN_AI_TOOL_NAME: &str = "gen_ai.tool.name";

/// Where the tool runs (string, see [`tool_type`](super::tool_type)).
pub const GEN_AI_TOOL_TYPE: &str = "gen_ai.tool.type";

/// Audio share of [`GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS`] (integer).
pub const GEN_AI_USAGE_AUDIO_CACHE_READ_INPUT_TOKENS: &str =
    "gen_ai.usage.audio.cache_read.input_tokens";

/// Audio share of [`GEN_AI_USAGE_INPUT_TOKENS`] (integer).
pub const GEN_AI_USAGE_AUDIO_INPUT_TOKENS: &str = "gen_ai.usage.audio.input_tokens";

/// Audio share of [`GEN_AI_USAGE_OUTPUT_TOKENS`] (integer).
pub const GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS: &str = "gen_ai.usage.audio.output_tokens";

/// Input tokens served from the provider's cache; part of [`GEN_AI_USAGE_INPUT_TOKENS`] (integer).
pub const GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS: &str = "gen_ai.usage.cache_read.input_tokens";

/// Input tokens written to the provider's cache; part of [`GEN_AI_USAGE_INPUT_TOKENS`] (integer).
pub const GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS: &str = "gen_ai.usage.cache_write.input_tokens";

/// Image share of [`GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS`] (integer).
pub const GEN_AI_USAGE_IMAGE_CACHE_READ_INPUT_TOKENS: &str =
    "gen_ai.usage.image.cache_read.input_tokens";

/// Image share of [`GEN_AI_USAGE_INPUT_TOKENS`] (integer).
pub const GEN_AI_USAGE_IMAGE_INPUT_TOKENS: &str = "gen_ai.usage.image.input_tokens";

/// Image share of [`GEN_AI_USAGE_OUTPUT_TOKENS`] (integer).
pub const GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS: &str = "gen_ai.usage.image.output_tokens";

/// Tokens read by the model, cache reads and writes included (integer).
pub const GEN_AI_USAGE_INPUT_TOKENS: &str = "gen_ai.usage.input_tokens";

/// Tokens produced by the model, reasoning included (integer).
pub const GEN_AI_USAGE_OUTPUT_TOKENS: &str = "gen_ai.usage.output_tokens";

/// Output tokens spent on reasoning; part of [`GEN_AI_USAGE_OUTPUT_TOKENS`] (integer).
pub const GEN_AI_USAGE_REASONING_OUTPUT_TOKENS: &str = "gen_ai.usage.reasoning.output_tokens";

/// Text share of [`GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS`] (integer).
pub const GEN_AI_USAGE_TEXT_CACHE_READ_INPUT_TOKENS: &str =
    "gen_ai.usage.text.cache_read.input_tokens";

/// Text share of [`GEN_AI_USAGE_INPUT_TOKENS`] (integer).
pub const GEN_AI_USAGE_TEXT_INPUT_TOKENS: &str = "gen_ai.usage.text.input_tokens";

/// Text share of [`GEN_AI_USAGE_OUTPUT_TOKENS`] (integer).
pub const GEN_AI_USAGE_TEXT_OUTPUT_TOKENS: &str = "gen_ai.usage.text.output_tokens";

/// Name of the workflow (string). Few distinct values, and not a framework's type name.
pub const GEN_AI_WORKFLOW_NAME: &str = "gen_ai.workflow.name";

/// JSON-RPC method of the MCP message (string, see [`mcp_method`](super::mcp_method)).
pub const MCP_METHOD_NAME: &str = "mcp.method.name";

/// MCP revision agreed on, a date such as `2025-06-18` (string).
pub const MCP_PROTOCOL_VERSION: &str = "mcp.protocol.version";

/// URI of the MCP resource asked for (string).
pub const MCP_RESOURCE_URI: &str = "mcp.resource.uri";

/// Id of the MCP session (string).
pub const MCP_SESSION_ID: &str = "mcp.session.id";

/// Which OpenAI endpoint family was called (string, see [`openai_api_type`](super::openai_api_type)).
pub const OPENAI_API_TYPE: &str = "openai.api.type";

/// Service tier asked for (string, see [`openai_service_tier`](super::openai_service_tier)).
pub const OPENAI_REQUEST_SERVICE_TIER: &str = "openai.request.service_tier";

/// Service tier that served the answer (string).
pub const OPENAI_RESPONSE_SERVICE_TIER: &str = "openai.response.service_tier";

/// OpenAI's mark of the serving configuration (string).
pub const OPENAI_RESPONSE_SYSTEM_FINGERPRINT: &str = "openai.response.system_fingerprint";

// === Older names ===

/// Older name of [`GEN_AI_PROVIDER_NAME`] (string). Some back ends still look here first.
pub const GEN_AI_SYSTEM: &str = "gen_ai.system";

/// Direction of the tokens in [`GEN_AI_CLIENT_TOKEN_USAGE`](super::GEN_AI_CLIENT_TOKEN_USAGE) (string, see [`token_type`](super::token_type)).
pub const GEN_AI_TOKEN_TYPE: &str = "gen_ai.token.type";

/// Older name of [`GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS`] (integer).
pub const GEN_AI_USAGE_CACHE_CREATION_INPUT_TOKENS: &str =
    "gen_ai.usage.cache_creation.input_tokens";

/// Older name of [`GEN_AI_USAGE_OUTPUT_TOKENS`] (integer). Read, never written.
pub const GEN_AI_USAGE_COMPLETION_TOKENS: &str = "gen_ai.usage.completion_tokens";

/// Older name of [`GEN_AI_USAGE_INPUT_TOKENS`] (integer). Read, never written.
pub const GEN_AI_USAGE_PROMPT_TOKENS: &str = "gen_ai.usage.prompt_tokens";

/// Attributes that upstream marks as likely to carry users' data, in order of name.
///
/// The prompt variable entry is a prefix: it stands for every `gen_ai.prompt.variable.<name>`.
pub const SENSITIVE: &[&str] = &[
    GEN_AI_INPUT_MESSAGES,
    GEN_AI_MEMORY_QUERY_TEXT,
    GEN_AI_MEMORY_RECORDS,
    GEN_AI_OUTPUT_MESSAGES,
    GEN_AI_PROMPT_VARIABLE,
    GEN_AI_RETRIEVAL_QUERY_TEXT,
    GEN_AI_SKILL_DESCRIPTION,
    GEN_AI_SKILL_SOURCE_URI,
    GEN_AI_SYSTEM_INSTRUCTIONS,
    GEN_AI_TOOL_CALL_ARGUMENTS,
    GEN_AI_TOOL_CALL_RESULT,
    GEN_AI_TOOL_DEFINITIONS,
    GEN_AI_TOOL_DESCRIPTION,
];
