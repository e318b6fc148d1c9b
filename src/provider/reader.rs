//! An answer as it arrives.

use super::{Answer, Endpoint};

/// Reads an answer, whole or streamed (server-sent events, JSON lines, AWS event stream), as its bytes arrive.
#[derive(Debug)]
pub struct Reader {
    endpoint: Endpoint,
    content: bool,
}

/// What a piece of bytes brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Frames that were completed by it.
    pub frames: u32,
    /// How many of them hold generated output: text, reasoning, a tool call.
    pub outputs: u32,
}

impl Reader {
    /// Bytes kept of one frame, or of a whole answer. What is larger is not read, and counted.
    pub const LIMIT: usize = 8 * 1024 * 1024;

    pub(super) fn new(endpoint: Endpoint, _content_type: Option<&str>, content: bool) -> Self {
        Self { endpoint, content }
    }

    /// Whether the answer comes in frames.
    pub fn is_stream(&self) -> bool {
        false
    }

    /// The next bytes of the body, cut anywhere.
    pub fn push(&mut self, _bytes: &[u8]) -> Progress {
        Progress::default()
    }

    /// What is known so far, or at the end of the body all there is.
    pub fn answer(&self) -> Answer {
        self.endpoint.answer(&serde_json::Value::Null, self.content)
    }
}
