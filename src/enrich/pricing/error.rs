//! Why prices could not be taken over. The prices in use stay as they were.

use std::path::PathBuf;

use super::ParseUsdError;
use crate::console::escape;

/// Why a price table or an override was refused. Whatever was in use before stays in use.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PriceError {
    /// The file could not be read.
    #[error("price file {} cannot be read: {source}", escape(&.path.to_string_lossy()))]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The file is larger than any price list; nothing was read.
    #[error("price file {} is larger than {} MiB", escape(&.path.to_string_lossy()), limit >> 20)]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// The content is not a `genai-prices` table in its v2 form.
    #[error("{} is not a genai-prices table: {}", escape(.origin), escape(.problem))]
    Table {
        /// The file, or `price table` for bytes.
        origin: String,
        /// What is wrong with it.
        problem: String,
    },
    /// The overrides are not JSON of the documented shape.
    #[error("{} is not a list of price overrides: {}", escape(.origin), escape(.problem))]
    Overrides {
        /// The file, or `overrides` for bytes.
        origin: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An override's rate is not a price.
    #[error("override {}: {field} is {problem}", escape(.pattern))]
    Rate {
        /// The override's pattern.
        pattern: String,
        /// Which rate.
        field: &'static str,
        /// What is wrong with it.
        problem: ParseUsdError,
    },
    /// An override that can apply to nothing or says nothing.
    #[error("override {}: {}", escape(.pattern), escape(.problem))]
    Pattern {
        /// The override's pattern.
        pattern: String,
        /// What is wrong with it.
        problem: String,
    },
}
