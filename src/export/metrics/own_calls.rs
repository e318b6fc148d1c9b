//! How many calls an agent made itself: those below it, but not those below another agent it ran.
//!
//! Promise: bounded memory; counts on whatever is sampled; a model call inside a model call is one call.
//! Never: differs from the totals on spans but in this: it stops at agents, and embeddings are no inference.

use opentelemetry::SpanId;

use super::facts::Work;
use crate::enrich::{Role, RollUp, Totals};
use crate::event::Usage;
use crate::record::Record;

/// Open spans with calls below them, and spans that ended lately, that are remembered: a quarter of what the totals on
/// spans remember, because nothing goes past an agent.
const REMEMBERED: usize = RollUp::DEFAULT_CAPACITY / 4;

/// Calls on their way up to the agent that made them.
#[derive(Debug)]
pub(super) struct OwnCalls(RollUp);

impl OwnCalls {
    pub(super) fn new() -> Self {
        Self(RollUp::with_capacity(REMEMBERED))
    }

    /// Takes in a span that ended, and answers what was called below it.
    pub(super) fn ended(&mut self, record: &Record, work: Option<Work>) -> Totals {
        let (role, own) = match work {
            Some(Work::Inference) => (
                Role::ModelCall,
                // How many is all that is asked here.
                Totals::model_call(Usage::new(), None),
            ),
            Some(Work::Embeddings) => (Role::ModelCall, Totals::NONE),
            Some(Work::Tool | Work::McpClient { tool: true }) => {
                (Role::Scope, Totals::tool_call(false))
            }
            Some(Work::Agent | Work::Workflow) => (Role::Scope, Totals::NONE),
            Some(Work::Client | Work::McpClient { tool: false } | Work::McpServer) | None => {
                (Role::Plain, Totals::NONE)
            }
        };
        let around = match work {
            Some(Work::Agent) => None,
            _ => Some(record.around).filter(|around| *around != SpanId::INVALID),
        };
        self.0.end(record.id.span, around, role, own)
    }
}
