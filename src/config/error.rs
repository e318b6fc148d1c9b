//! What can be wrong with a configuration file.

use std::path::PathBuf;

/// A configuration that cannot be used. It names the key and the line, and never the value of a key that holds a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The file could not be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The text is no YAML, or YAML of a kind that no configuration needs.
    #[error("line {line}: {problem}")]
    Yaml {
        /// The line, from 1.
        line: u32,
        /// What is wrong.
        problem: String,
    },
    /// A value that its key cannot have.
    #[error("`{key}`{} is {found}, but must be {expected}", at(*line))]
    Value {
        /// The path of the key.
        key: String,
        /// The line, where it was read from a file.
        line: Option<u32>,
        /// The type of the value, and the value where it is short and no secret.
        found: String,
        /// What is allowed.
        expected: String,
    },
    /// A word or pattern of `security` that nothing can be looked for by.
    #[error("`security`: {0}")]
    Rules(#[from] crate::security::RuleError),
    /// A pattern of `data_masking.patterns` that no redactor can be made with.
    #[error("`data_masking.patterns`: {0}")]
    Redaction(#[from] crate::security::redact::RedactError),
    /// A key that needs a feature this crate was built without.
    #[error("`{key}` needs the feature `{feature}` of tracing-genai")]
    Feature {
        /// The path of the key.
        key: &'static str,
        /// The feature.
        feature: &'static str,
    },
}

fn at(line: Option<u32>) -> String {
    line.map(|line| format!(" (line {line})"))
        .unwrap_or_default()
}
