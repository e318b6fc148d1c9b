//! Token counts of one model call.
//!
//! `input_tokens` includes what was read from and written to a cache; `output_tokens` includes reasoning.
//! A count that was not reported stays `None`: absent is not zero.

use serde::{Deserialize, Serialize};

/// Token counts of one model call, as the GenAI conventions define them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Usage {
    /// Everything the model read, cache reads and cache writes included.
    pub input_tokens: Option<u64>,
    /// Everything the model wrote, reasoning included.
    pub output_tokens: Option<u64>,
    /// The part of the input that came from a cache.
    pub cache_read_tokens: Option<u64>,
    /// The part of the input that was written to a cache.
    pub cache_write_tokens: Option<u64>,
    /// The part of the output that was reasoning.
    pub reasoning_tokens: Option<u64>,
}

impl Usage {
    /// No counts at all.
    pub const fn new() -> Self {
        Self {
            input_tokens: None,
            output_tokens: None,
            cache_read_tokens: None,
            cache_write_tokens: None,
            reasoning_tokens: None,
        }
    }

    /// Sets the input tokens, cache included.
    #[must_use]
    pub const fn input(mut self, tokens: u64) -> Self {
        self.input_tokens = Some(tokens);
        self
    }

    /// Sets the output tokens, reasoning included.
    #[must_use]
    pub const fn output(mut self, tokens: u64) -> Self {
        self.output_tokens = Some(tokens);
        self
    }

    /// Sets the tokens read from a cache.
    #[must_use]
    pub const fn cache_read(mut self, tokens: u64) -> Self {
        self.cache_read_tokens = Some(tokens);
        self
    }

    /// Sets the tokens written to a cache.
    #[must_use]
    pub const fn cache_write(mut self, tokens: u64) -> Self {
        self.cache_write_tokens = Some(tokens);
        self
    }

    /// Sets the reasoning tokens.
    #[must_use]
    pub const fn reasoning(mut self, tokens: u64) -> Self {
        self.reasoning_tokens = Some(tokens);
        self
    }
}
