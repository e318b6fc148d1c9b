//! Which attributes are content, and of which shape.

use crate::event::CONTENT;
use crate::semconv as s;

/// What stands in an attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A list of messages; those of this role, where it is only text.
    Messages(&'static str),
    /// A list of parts.
    Parts,
    /// Any JSON, or text.
    Json,
}

/// In the order in which the budget of a span is given out: what was answered is looked for first.
const SHAPES: [(&str, Shape); 9] = [
    (s::GEN_AI_OUTPUT_MESSAGES, Shape::Messages("assistant")),
    (s::GEN_AI_INPUT_MESSAGES, Shape::Messages("user")),
    (s::GEN_AI_SYSTEM_INSTRUCTIONS, Shape::Parts),
    (s::GEN_AI_TOOL_CALL_ARGUMENTS, Shape::Json),
    (s::GEN_AI_TOOL_CALL_RESULT, Shape::Json),
    (s::GEN_AI_TOOL_DEFINITIONS, Shape::Json),
    (s::GEN_AI_RETRIEVAL_QUERY_TEXT, Shape::Json),
    (s::GEN_AI_RETRIEVAL_DOCUMENTS, Shape::Json),
    (s::GEN_AI_MEMORY_RECORDS, Shape::Json),
];

/// The content of a model call that the conventions give a form, as a log event has it.
pub(crate) const STRUCTURED: [&str; 4] = [
    s::GEN_AI_OUTPUT_MESSAGES,
    s::GEN_AI_INPUT_MESSAGES,
    s::GEN_AI_SYSTEM_INSTRUCTIONS,
    s::GEN_AI_TOOL_DEFINITIONS,
];

/// Texts of errors: content, but decided apart.
const ERRORS: [&str; 3] = [
    "error.message",
    s::EXCEPTION_MESSAGE,
    s::EXCEPTION_STACKTRACE,
];

/// Whether an attribute of this name holds what people or models wrote, or what tools got and gave. Texts of errors are decided
/// apart, and are none here.
pub(crate) fn is_content(name: &str) -> bool {
    let variable = || {
        name.strip_prefix(s::GEN_AI_PROMPT_VARIABLE)
            .is_some_and(|rest| rest.starts_with('.'))
    };
    let bit = bit(name.as_bytes());
    if MAYBE[bit / 64] & 1 << (bit % 64) == 0 {
        return variable();
    }
    (CONTENT.binary_search(&name).is_ok() && !is_error(name)) || variable()
}

/// A bit for each name that is content: nearly all others are told from them by one look, several times a record.
const MAYBE: [u64; 16] = {
    let mut bits = [0; 16];
    let mut at = 0;
    while at < CONTENT.len() {
        let bit = bit(CONTENT[at].as_bytes());
        bits[bit / 64] |= 1 << (bit % 64);
        at += 1;
    }
    bits
};

/// The bit of a name, by its length, its last two bytes and the one in the middle.
const fn bit(name: &[u8]) -> usize {
    let length = name.len();
    if length < 2 {
        return 0;
    }
    let (last, before, middle) = (name[length - 1], name[length - 2], name[length / 2]);
    (length * 7 + last as usize * 31 + before as usize * 131 + middle as usize * 17) % 1024
}

/// Whether an attribute of this name holds the text of an error.
pub(super) fn is_error(name: &str) -> bool {
    ERRORS.contains(&name)
}

/// The shape of an attribute.
pub(super) fn shape(name: &str) -> Shape {
    let known = SHAPES.iter().find(|(known, _)| *known == name);
    known.map_or(Shape::Json, |(_, shape)| *shape)
}

/// Where an attribute stands when the budget is given out.
pub(super) fn rank(name: &str) -> usize {
    let at = SHAPES.iter().position(|(known, _)| *known == name);
    at.unwrap_or(SHAPES.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_of_content_is_in_order_so_that_it_can_be_searched() {
        assert!(CONTENT.is_sorted());
        assert!(
            CONTENT
                .iter()
                .all(|name| is_content(name) != is_error(name))
        );
        assert!(SHAPES.iter().all(|(name, _)| is_content(name)));
        assert!(is_content("gen_ai.prompt.variable.city"));
        assert!(!is_content("gen_ai.prompt.name") && !is_content("gen_ai.request.model"));
        assert!(!is_content("") && !is_content("x"));
        let set: u32 = MAYBE.iter().map(|bits| bits.count_ones()).sum();
        assert!(set <= CONTENT.len() as u32);
    }
}
