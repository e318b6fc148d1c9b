//! What can be wrong with a redactor, said at its build.

use crate::console::{escape, escape_lines};

/// Why a redactor cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedactError {
    /// The name of a rule cannot be written into a marker, or is taken.
    #[error(
        "rule name \"{}\": {problem}; write 1 to 64 characters of a-z, 0-9, '-' and '_' that no other rule is called",
        escape(.name)
    )]
    Name {
        /// The name, escaped.
        name: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A pattern is no regular expression, or one that cannot be used.
    #[error("pattern of rule \"{}\": {}", escape(.rule), escape_lines(.problem))]
    Pattern {
        /// The rule.
        rule: String,
        /// What is wrong with it.
        problem: String,
    },
    /// There is no rule of that name.
    #[error("there is no rule \"{}\"; see Redactor::known_rules", escape(.name))]
    UnknownRule {
        /// The name, escaped.
        name: String,
    },
    /// A replacement would itself be found and replaced.
    #[error(
        "the mask of rule \"{rule}\" makes text that rule \"{by}\" finds again; choose another replacement"
    )]
    Mask {
        /// The rule whose mask it is.
        rule: String,
        /// The rule that finds it.
        by: String,
    },
    /// The name of a key has no letters or digits.
    #[error("key \"{}\" has no letter or digit to be known by", escape(.key))]
    Key {
        /// The key, escaped.
        key: String,
    },
    /// There are more patterns than can be looked for.
    #[error("{count} patterns; 256 at most, as each of them reads all text once more")]
    TooMany {
        /// How many there are.
        count: usize,
    },
}
