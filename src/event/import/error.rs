//! Why a foreign document is no event. Never: quotes a value, which may be content.

use crate::event::Dialect;

/// Why a document could not be imported.
///
/// Names fields, never values, so it can be shown and logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ImportError {
    /// The document is not a JSON object.
    #[error(
        "a {dialect} event is a JSON object, and this is {found}; import a list one element at a time"
    )]
    NotAnObject {
        /// The dialect it was read in.
        dialect: Dialect,
        /// What the document is instead: `a list`, `text`.
        found: &'static str,
    },
    /// A field without which there is no event is absent or null.
    #[error("a {dialect} event needs the field {field:?}, which this document does not have")]
    Missing {
        /// The dialect it was read in.
        dialect: Dialect,
        /// The field.
        field: &'static str,
    },
    /// A field without which there is no event holds something else than it should.
    #[error(
        "the field {field:?} of a {dialect} event must be {expected}; here it is {found} and cannot be read so"
    )]
    IllTyped {
        /// The dialect it was read in.
        dialect: Dialect,
        /// The field.
        field: &'static str,
        /// What it should be.
        expected: &'static str,
        /// What kind of value it is.
        found: &'static str,
    },
    /// The document nests deeper than [`MAX_DEPTH`](super::MAX_DEPTH).
    #[error("the document nests deeper than {limit} levels")]
    TooDeep {
        /// The deepest that is read.
        limit: usize,
    },
}

/// What kind of value this is, for a message.
pub(super) fn kind_of(json: &serde_json::Value) -> &'static str {
    match json {
        serde_json::Value::Null => "null",
        serde_json::Value::Bool(_) => "true or false",
        serde_json::Value::Number(_) => "a number",
        serde_json::Value::String(_) => "text",
        serde_json::Value::Array(_) => "a list",
        serde_json::Value::Object(_) => "an object",
    }
}
