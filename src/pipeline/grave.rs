//! Facts that make an event graver than its type is.
//!
//! Promise: bus, log record and history have the same level. Never: lowers a level that was set higher.

use crate::event::{EventType, Level};
use crate::record::{FieldRef, Fields};
use crate::semconv;

/// What a fact must say.
enum Says {
    Text(&'static str),
    False,
}

/// Type, attribute, what it must say, and the level the event has then.
const GRAVER: [(&str, &str, Says, Level); 6] = {
    use Level::{Error, Warn};
    use Says::{False, Text};
    [
        (
            "guardrail.completed",
            semconv::GUARDRAIL_VERDICT,
            Text("deny"),
            Warn,
        ),
        (
            "step.validated",
            semconv::STEP_VALIDATION_VALID,
            False,
            Warn,
        ),
        ("hook.dispatched", "hook.outcome", Text("aborted"), Warn),
        ("mcp.authenticated", "mcp.success", False, Warn),
        ("a2a.push.sent", "a2a.push.success", False, Warn),
        (
            "mcp.file_transfer",
            "mcp.transfer.status",
            Text("failed"),
            Error,
        ),
    ]
};

/// The level of an event of this type with these facts, at least `level`.
pub(crate) fn level(ty: &EventType, level: Level, facts: &Fields) -> Level {
    let told = GRAVER.iter().filter(|(of, name, says, _)| {
        let grave = |fact: FieldRef<'_>| match (says, fact) {
            (Says::Text(text), fact) => fact.as_str() == Some(text),
            (Says::False, fact) => fact == FieldRef::Bool(false),
        };
        *ty == **of && facts.get(name).is_some_and(grave)
    });
    told.map(|(.., graver)| *graver)
        .fold(level, |level, graver| level.max(graver))
}
