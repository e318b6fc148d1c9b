//! The bounds of one span.

/// How much one span may carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Attributes on a span, and on each of its events.
    pub(crate) attributes: usize,
    /// Bytes of one text value; longer ones are cut and end in [`TRUNCATED`].
    pub(crate) value_bytes: usize,
    /// Bytes of text on the whole span; what no longer fits is dropped and counted.
    pub(crate) span_bytes: usize,
    /// Bytes of lists and JSON on the whole span. Content comes as such, and is cut to its own budget afterwards.
    pub(crate) structure_bytes: usize,
    pub(crate) events: usize,
    pub(crate) links: usize,
}

impl Limits {
    pub(crate) const DEFAULT: Self = Self {
        // The OpenTelemetry defaults: 128 of each.
        attributes: 128,
        events: 128,
        links: 128,
        // The conventions' default is "no limit"; a prompt of megabytes on every span would cost the whole batch.
        value_bytes: 64 * 1024,
        // A quarter of the 4 MiB that gRPC receivers commonly take, so that one span never fills a request.
        span_bytes: 1024 * 1024,
        structure_bytes: 4 * 1024 * 1024,
    };
}
