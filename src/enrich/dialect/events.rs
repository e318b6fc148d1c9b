//! What client libraries log inside spans.
//!
//! Promise: the texts of their events, which quote prompts, arguments and results at every level, leave only where content
//! may; names of things, numbers and times stay.

use tracing::Metadata;

use super::shapes::is_of;

/// Crates that call models and tools, and log what they send.
const CLIENTS: &[&str] = &[
    "adk_*",
    "anthropic*",
    "async_openai",
    "autoagents*",
    "genai",
    "harness_*",
    "langchain_rust",
    "llm_sdk",
    "ollama_rs",
    "rig",
    "rig_*",
    "rmcp",
    "rust_mcp_sdk",
    "swiftide*",
    "yoagent",
];

/// Fields whose text is a name.
const NAMES: &[&str] = &[
    "agent.name",
    "attempt",
    "id",
    "kind",
    "level",
    "method",
    "model",
    "name",
    "node_id",
    "provider",
    "session_id",
    "status",
    "tool",
    "tool.name",
    "turn",
];

/// Whether events of this call site are a client library's.
pub(crate) fn is_clients(meta: &Metadata<'_>) -> bool {
    meta.is_event() && CLIENTS.iter().any(|name| is_of(meta.target(), name))
}

/// Whether the event tells facts about its span: swiftide's `langfuse.*`.
pub(crate) fn tells_of_span(meta: &Metadata<'_>) -> bool {
    let fields = meta.fields();
    meta.is_event()
        && is_of(meta.target(), "swiftide*")
        && (fields.field("langfuse.usage").is_some() || fields.field("langfuse.model").is_some())
}

/// Whether the text of this field of a client's event may be kept without leave. A message beside other fields is a
/// sentence of the library's; one that stands alone may have anything formatted into it.
pub(crate) fn is_name(field: &str, fields: usize) -> bool {
    match field {
        "message" => fields > 1,
        "langfuse.model" | "langfuse.usage" => true,
        other => NAMES.contains(&other),
    }
}
