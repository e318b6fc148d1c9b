//! What other systems call these events: one table, both ways.
//!
//! Promise: within a dialect no two events share a name. Never: guesses; a name that is not in the table has no alias.

use super::{EventType, Flavor};

/// A system whose names for events are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Dialect {
    /// Cylestio Monitor, first generation: `LLM_call_start`.
    Cylestio,
    /// Cylestio Monitor, later versions in the shape of OpenTelemetry: `llm.call.start`.
    CylestioOtel,
    /// AITaskAgent: `pipeline.started`.
    AiTaskAgent,
    /// crewAI and crewai-rust: `crew_kickoff_started`.
    CrewAi,
    /// LangWatch Scenario: `SCENARIO_RUN_STARTED`.
    Scenario,
}

/// A name, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Resolved {
    /// The type it stands for.
    pub ty: EventType,
    /// The flavor that tells it apart from others of the type.
    pub flavor: Flavor,
}

/// What `name` stands for in any dialect.
pub(crate) fn resolve(_name: &str) -> Option<Resolved> {
    None
}
