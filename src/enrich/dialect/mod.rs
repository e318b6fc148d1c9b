//! How others tell what the conventions tell: their attribute names, their span names, their words for values.
//!
//! Owns: the table of attribute names ([`table`]), the table of span shapes ([`shapes`]), the words for operations and kinds
//! ([`kinds`]), and the translation of a record by them ([`translate`]).
//! Promise: what a call site can mean is found out once per call site, from its static metadata; a record is translated on
//! the telemetry thread, and each fact ends under one name, the conventions'. A name without a prefix (`model`,
//! `prompt_tokens`) means something only on a span of the crate that is known to write it.
//! Never: guesses a number, or touches a span of the application's that declares none of these names.
//!
//! Rules:
//!
//! * Of two spellings of one fact on one span, the one that was set first loses, so the last word wins. A spelling marked
//!   weak in the table only fills a gap.
//! * A count is a whole number that is not negative, told as a number or as text; anything else goes and is counted.
//! * A list may be told as a list, as JSON text, or as words with commas between them.
//! * Text that `Debug` put into quotes loses them, where the attribute is known to be text.
//! * Content (prompts, answers, arguments, results) under a foreign name leaves only where
//!   [`capture`](crate::TelemetryBuilder::capture) allows it.

pub(crate) mod events;
pub(crate) mod kinds;
mod lookup;
pub(crate) mod shapes;
pub(crate) mod table;
pub(crate) mod translate;
mod url;
mod value;

use tracing::Metadata;

pub(crate) use shapes::Shape;

/// What may be kept of what others wrote.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Allowed {
    /// Prompts, answers, arguments, results.
    pub(crate) content: bool,
    /// The texts of errors.
    pub(crate) error_messages: bool,
}

/// Dialects whose names are too plain to count on any span: they count beside a name that only this dialect has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Dialects(u8);

impl Dialects {
    pub(crate) const NONE: Self = Self(0);
    pub(crate) const OPEN_INFERENCE: Self = Self(1);
    pub(crate) const TRACELOOP: Self = Self(1 << 1);
    pub(crate) const LANGFUSE: Self = Self(1 << 2);
    pub(crate) const ADK: Self = Self(1 << 3);

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether one of `others` is among them, or `others` is none, which stands for "on any span".
    pub(crate) const fn allow(self, others: Self) -> bool {
        others.0 == 0 || self.0 & others.0 != 0
    }

    pub(crate) const fn is_none(self) -> bool {
        self.0 == 0
    }
}

/// What is known of a call site's spans without looking at a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Site {
    /// The place in the table of shapes; 0 is none.
    shape: u8,
    /// The dialects its field names speak.
    pub(crate) speaks: Dialects,
    /// One of its names is in the table, so its records are to be looked through.
    pub(crate) walk: bool,
    /// Names came that the call site does not declare.
    pub(crate) undeclared: bool,
}

impl Site {
    /// Reads the static metadata of a span's call site; says too whether its names alone make it a GenAI span.
    pub(crate) fn of(meta: &Metadata<'_>) -> (Self, bool) {
        let mut site = Self::default();
        let mut hinted = false;
        for field in meta.fields() {
            if let Some(row) = lookup::find(field.name()) {
                site.walk = true;
                site.speaks = site.speaks.and(row.speaks);
                hinted |= row.hints;
            }
        }
        if let Some(shape) = shapes::place_of(meta) {
            site.shape = shape;
            site.walk = true;
            site.speaks = site.speaks.and(site.shape().speaks);
            hinted = true;
        }
        (site, hinted)
    }

    pub(crate) fn shape(self) -> &'static Shape {
        shapes::at(self.shape)
    }

    /// A name was set that the call site does not declare: it may be any.
    pub(crate) fn note_undeclared(&mut self) {
        self.walk = true;
        self.undeclared = true;
    }
}

/// Text without the quotes `Debug` puts around it.
pub(crate) fn unquoted(text: &str) -> &str {
    let inner = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner
        .filter(|inner| !inner.contains(['"', '\\']))
        .unwrap_or(text)
}
