//! The tables: one file a dialect, one row a field.
//!
//! Never: logic. What a place or a rule means is said in [`place`](super::place).

mod ai_task_agent;
mod crew_ai;
mod cylestio;
mod cylestio_otel;
mod scenario;

use super::place::Format;
use crate::event::Dialect;

/// How the dialect writes its events down.
pub(super) fn format(dialect: Dialect) -> &'static Format {
    match dialect {
        Dialect::Cylestio => &cylestio::FORMAT,
        Dialect::CylestioOtel => &cylestio_otel::FORMAT,
        Dialect::AiTaskAgent => &ai_task_agent::FORMAT,
        Dialect::CrewAi => &crew_ai::FORMAT,
        Dialect::Scenario => &scenario::FORMAT,
    }
}
