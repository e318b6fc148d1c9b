//! The call sites of the starters: one static span each, because a `tracing` span's name belongs to its call site.
//!
//! The declared fields are those a neighbouring layer (a log line, say) would want to print; the record gets all
//! attributes past them.

use tracing::{Id, Span};

use crate::record::Fields;
use crate::semconv;

/// Where a started span belongs.
#[derive(Debug, Clone, Default)]
pub(crate) enum Place {
    /// Below the span this thread is in.
    #[default]
    Current,
    /// Below this span; `None` makes a root.
    Below(Option<Id>),
}

macro_rules! site {
    ($place:expr, $fields:expr, $name:literal) => {
        match $place {
            Place::Current => site!(@span $fields, $name),
            Place::Below(parent) => site!(@span $fields, $name, parent: parent),
        }
    };
    (@span $fields:expr, $name:literal $(, parent: $parent:expr)?) => {
        tracing::info_span!(
            target: "tracing_genai", $(parent: $parent,)? $name,
            gen_ai.provider.name = $fields.str(semconv::GEN_AI_PROVIDER_NAME),
            gen_ai.request.model = $fields.str(semconv::GEN_AI_REQUEST_MODEL),
            gen_ai.agent.name = $fields.str(semconv::GEN_AI_AGENT_NAME),
            gen_ai.tool.name = $fields.str(semconv::GEN_AI_TOOL_NAME),
            name = $fields.str(semconv::STEP_NAME),
        )
    };
}

macro_rules! sites {
    ($site:expr, $place:expr, $fields:expr, $($name:literal)*) => {
        match $site {
            $($name => site!($place, $fields, $name),)*
            _ => site!($place, $fields, "step"),
        }
    };
}

/// The span called `name`, an operation's or a subject's, with what `fields` knows for the neighbours.
pub(crate) fn span(name: &str, place: Place, fields: &Fields) -> Span {
    sites!(name, place, fields,
        "chat" "generate_content" "text_completion" "embeddings"
        "execute_tool" "invoke_agent" "invoke_workflow" "plan" "retrieval"
        "workflow.train" "workflow.test" "call" "tag" "session" "conversation.turn" "agent"
        "plan.observation" "mcp.connection" "mcp.tool" "mcp.request" "retrieval.search"
        "memory.query" "memory.retrieval" "memory.save" "guardrail" "evaluation"
        "checkpoint.save" "checkpoint.fork" "checkpoint.restore"
        "skill.discovery" "skill.download" "api.call" "process.exec"
        "a2a.delegation" "a2a.conversation" "a2a.parallel" "a2a.server_task"
    )
}
