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

/// The span of `operation`, with what `fields` knows for the neighbours.
pub(crate) fn span(operation: &str, place: Place, fields: &Fields) -> Span {
    match operation {
        "chat" => site!(place, fields, "chat"),
        "generate_content" => site!(place, fields, "generate_content"),
        "text_completion" => site!(place, fields, "text_completion"),
        "embeddings" => site!(place, fields, "embeddings"),
        "execute_tool" => site!(place, fields, "execute_tool"),
        "invoke_agent" => site!(place, fields, "invoke_agent"),
        "invoke_workflow" => site!(place, fields, "invoke_workflow"),
        "plan" => site!(place, fields, "plan"),
        "retrieval" => site!(place, fields, "retrieval"),
        _ => site!(place, fields, "step"),
    }
}
