//! Which pieces of a stream leave the process.

/// Which pieces of streamed answers are exported as log records. Subscribers get every piece either way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ChunkExport {
    /// None: the default, since a stream has hundreds.
    #[default]
    Off,
    /// The first of a stream, and every n-th after it.
    Every(u64),
}

impl ChunkExport {
    pub(crate) fn takes(self, number: u64) -> bool {
        match self {
            Self::Off => false,
            Self::Every(n) => number > 0 && (number - 1).is_multiple_of(n.max(1)),
        }
    }
}
