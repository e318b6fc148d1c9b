//! What each span is made of: kind, operations, name and the attributes it cannot lack.
//!
//! Promise: [`SPANS`] has one row for every span type in force.
//! Left out: what single providers add to a row, such as the guardrail of a Bedrock call.

use opentelemetry::trace::SpanKind;

use super::{attribute::*, borrowed::*, operation};

/// One span type of the conventions.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct SpanSpec {
    /// Type of the span in the conventions. Never sent.
    pub ty: &'static str,
    /// Span kind. Model and memory spans become `Internal` when the model or store runs in process.
    pub kind: SpanKind,
    /// Values of [`GEN_AI_OPERATION_NAME`] the span may have. MCP spans have one on `tools/call` only.
    pub operations: &'static [&'static str],
    /// Name templates, longest first: the first one whose attributes are all known is used, and
    /// the operation alone when there is none. `{a|b}` stands for whichever is known.
    pub names: &'static [&'static str],
    /// Attributes the span must have when it ends.
    pub required: &'static [&'static str],
    /// Attributes a sampler may look at: if known at all, they must be there when the span starts.
    pub at_start: &'static [&'static str],
}

impl SpanSpec {
    /// The row of a span type such as `gen_ai.client.inference`.
    #[must_use]
    pub fn of_type(ty: &str) -> Option<&'static Self> {
        SPANS.iter().find(|spec| spec.ty == ty)
    }

    /// The row of an operation. `invoke_agent` means an agent in this process, which is
    /// `Internal`; the remote one is [`of_type`](Self::of_type)`("gen_ai.invoke_agent.client")`.
    ///
    /// ```
    /// use opentelemetry::trace::SpanKind;
    /// use tracing_genai::semconv::{SpanSpec, operation};
    ///
    /// assert_eq!(SpanSpec::of_operation(operation::CHAT).unwrap().kind, SpanKind::Client);
    /// assert_eq!(SpanSpec::of_operation(operation::EXECUTE_TOOL).unwrap().kind, SpanKind::Internal);
    /// ```
    #[must_use]
    pub fn of_operation(operation: &str) -> Option<&'static Self> {
        SPANS
            .iter()
            .find(|spec| spec.operations.contains(&operation))
    }
}

/// Every span type. Where several fit an operation, the most general in-process one comes first.
pub const SPANS: &[SpanSpec] = &[
    SpanSpec {
        ty: "gen_ai.client.inference",
        kind: SpanKind::Client,
        operations: &[
            operation::CHAT,
            operation::GENERATE_CONTENT,
            operation::TEXT_COMPLETION,
        ],
        names: &["{gen_ai.operation.name} {gen_ai.request.model}"],
        required: &[GEN_AI_OPERATION_NAME, GEN_AI_PROVIDER_NAME],
        at_start: &[
            GEN_AI_OPERATION_NAME,
            GEN_AI_PROVIDER_NAME,
            GEN_AI_REQUEST_MODEL,
            SERVER_ADDRESS,
            SERVER_PORT,
        ],
    },
    SpanSpec {
        ty: "gen_ai.embeddings.client",
        kind: SpanKind::Client,
        operations: &[operation::EMBEDDINGS],
        names: &["{gen_ai.operation.name} {gen_ai.request.model}"],
        required: &[GEN_AI_OPERATION_NAME, GEN_AI_PROVIDER_NAME],
        at_start: &[
            GEN_AI_OPERATION_NAME,
            GEN_AI_PROVIDER_NAME,
            GEN_AI_REQUEST_MODEL,
            SERVER_ADDRESS,
            SERVER_PORT,
        ],
    },
    SpanSpec {
        ty: "gen_ai.retrieval.client",
        kind: SpanKind::Client,
        operations: &[operation::RETRIEVAL],
        names: &[
            "{gen_ai.operation.name} {gen_ai.data_source.id}",
            "{gen_ai.operation.name}",
        ],
        required: &[GEN_AI_OPERATION_NAME],
        at_start: &[],
    },
    SpanSpec {
        ty: "gen_ai.fetch_response.client",
        kind: SpanKind::Client,
        operations: &[operation::FETCH_RESPONSE],
        names: &["{gen_ai.operation.name}"],
        required: &[
            GEN_AI_OPERATION_NAME,
            GEN_AI_PROVIDER_NAME,
            GEN_AI_RESPONSE_ID,
        ],
        at_start: &[
            GEN_AI_OPERATION_NAME,
            GEN_AI_PROVIDER_NAME,
            SERVER_ADDRESS,
            SERVER_PORT,
        ],
    },
    SpanSpec {
        ty: "gen_ai.memory.client",
        kind: SpanKind::Client,
        operations: &[
            operation::SEARCH_MEMORY,
            operation::CREATE_MEMORY,
            operation::UPDATE_MEMORY,
            operation::UPSERT_MEMORY,
            operation::DELETE_MEMORY,
            operation::CREATE_MEMORY_STORE,
            operation::DELETE_MEMORY_STORE,
        ],
        names: &["{gen_ai.operation.name}"],
        required: &[GEN_AI_OPERATION_NAME],
        at_start: &[],
    },
    SpanSpec {
        ty: "gen_ai.create_agent.client",
        kind: SpanKind::Client,
        operations: &[operation::CREATE_AGENT],
        names: &["create_agent {gen_ai.agent.name}"],
        required: &[GEN_AI_OPERATION_NAME, GEN_AI_PROVIDER_NAME],
        at_start: &[
            GEN_AI_OPERATION_NAME,
            GEN_AI_PROVIDER_NAME,
            GEN_AI_AGENT_NAME,
            GEN_AI_REQUEST_MODEL,
            SERVER_ADDRESS,
            SERVER_PORT,
        ],
    },
    SpanSpec {
        ty: "gen_ai.invoke_agent.internal",
        kind: SpanKind::Internal,
        operations: &[operation::INVOKE_AGENT],
        names: &["invoke_agent {gen_ai.agent.name}", "invoke_agent"],
        required: &[GEN_AI_OPERATION_NAME],
        at_start: &[
            GEN_AI_OPERATION_NAME,
            GEN_AI_AGENT_NAME,
            GEN_AI_REQUEST_MODEL,
        ],
    },
    SpanSpec {
        ty: "gen_ai.invoke_agent.client",
        kind: SpanKind::Client,
        operations: &[operation::INVOKE_AGENT],
        names: &["invoke_agent {gen_ai.agent.name}", "invoke_agent"],
        required: &[GEN_AI_OPERATION_NAME, GEN_AI_PROVIDER_NAME],
        at_start: &[
            GEN_AI_OPERATION_NAME,
            GEN_AI_PROVIDER_NAME,
            GEN_AI_AGENT_NAME,
            GEN_AI_REQUEST_MODEL,
            SERVER_ADDRESS,
            SERVER_PORT,
        ],
    },
    SpanSpec {
        ty: "gen_ai.execute_tool.internal",
        kind: SpanKind::Internal,
        operations: &[operation::EXECUTE_TOOL],
        names: &["execute_tool {gen_ai.tool.name}"],
        required: &[GEN_AI_OPERATION_NAME, GEN_AI_TOOL_NAME],
        at_start: &[
            GEN_AI_OPERATION_NAME,
            GEN_AI_TOOL_NAME,
            GEN_AI_TOOL_TYPE,
            GEN_AI_AGENT_NAME,
        ],
    },
    SpanSpec {
        ty: "gen_ai.execute_tool.load_skill.internal",
        kind: SpanKind::Internal,
        operations: &[operation::EXECUTE_TOOL],
        names: &[
            "execute_tool {gen_ai.tool.name} {gen_ai.skill.name}",
            "execute_tool {gen_ai.tool.name}",
        ],
        required: &[GEN_AI_OPERATION_NAME, GEN_AI_TOOL_NAME],
        at_start: &[
            GEN_AI_OPERATION_NAME,
            GEN_AI_TOOL_NAME,
            GEN_AI_TOOL_TYPE,
            GEN_AI_AGENT_NAME,
            GEN_AI_SKILL_NAME,
        ],
    },
    SpanSpec {
        ty: "gen_ai.execute_tool.read_skill_resource.internal",
        kind: SpanKind::Internal,
        operations: &[operation::EXECUTE_TOOL],
        names: &[
            "execute_tool {gen_ai.tool.name} {gen_ai.skill.name} {gen_ai.skill.resource.name}",
            "execute_tool {gen_ai.tool.name} {gen_ai.skill.resource.name}",
            "execute_tool {gen_ai.tool.name}",
        ],
        required: &[GEN_AI_OPERATION_NAME, GEN_AI_TOOL_NAME],
        at_start: &[
            GEN_AI_OPERATION_NAME,
            GEN_AI_TOOL_NAME,
            GEN_AI_TOOL_TYPE,
            GEN_AI_AGENT_NAME,
            GEN_AI_SKILL_NAME,
            GEN_AI_SKILL_RESOURCE_NAME,
        ],
    },
    SpanSpec {
        ty: "gen_ai.execute_tool.command.internal",
        kind: SpanKind::Internal,
        operations: &[operation::EXECUTE_TOOL],
        names: &[
            "execute_tool {gen_ai.tool.name} {gen_ai.skill.name} {gen_ai.skill.resource.name}",
            "execute_tool {gen_ai.tool.name} {gen_ai.skill.resource.name}",
            "execute_tool {gen_ai.tool.name} {process.executable.name}",
            "execute_tool {gen_ai.tool.name}",
        ],
        required: &[GEN_AI_OPERATION_NAME, GEN_AI_TOOL_NAME],
        at_start: &[
            GEN_AI_OPERATION_NAME,
            GEN_AI_TOOL_NAME,
            GEN_AI_TOOL_TYPE,
            GEN_AI_AGENT_NAME,
            GEN_AI_SKILL_NAME,
            GEN_AI_SKILL_RESOURCE_NAME,
        ],
    },
    SpanSpec {
        ty: "gen_ai.invoke_workflow.internal",
        kind: SpanKind::Internal,
        operations: &[operation::INVOKE_WORKFLOW],
        names: &["invoke_workflow {gen_ai.workflow.name}", "invoke_workflow"],
        required: &[GEN_AI_OPERATION_NAME],
        at_start: &[GEN_AI_OPERATION_NAME],
    },
    SpanSpec {
        ty: "gen_ai.plan.internal",
        kind: SpanKind::Internal,
        operations: &[operation::PLAN],
        names: &["plan {gen_ai.agent.name}", "plan"],
        required: &[GEN_AI_OPERATION_NAME],
        at_start: &[GEN_AI_OPERATION_NAME, GEN_AI_AGENT_NAME],
    },
    SpanSpec {
        ty: "mcp.client",
        kind: SpanKind::Client,
        operations: &[operation::EXECUTE_TOOL],
        names: &[
            "{mcp.method.name} {gen_ai.tool.name|gen_ai.prompt.name}",
            "{mcp.method.name}",
        ],
        required: &[MCP_METHOD_NAME],
        at_start: &[],
    },
    SpanSpec {
        ty: "mcp.server",
        kind: SpanKind::Server,
        operations: &[operation::EXECUTE_TOOL],
        names: &[
            "{mcp.method.name} {gen_ai.tool.name|gen_ai.prompt.name}",
            "{mcp.method.name}",
        ],
        required: &[MCP_METHOD_NAME],
        at_start: &[],
    },
];
