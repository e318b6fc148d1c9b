//! What the console knows of a span and of a moment: the few facts it shows, taken out of events.
//!
//! Promise: every text in here has been escaped and cut; nothing in here is content.
//! Never: keeps the event.

use std::time::{Duration, SystemTime};

use super::escape::escape;
use crate::event::{Attrs, Event, Kind, Level, Phase, Usage, Value, Visibility};
use crate::semconv;

/// The longest name shown, in characters: the longest model ids in use (Bedrock's) have about 60.
const NAME: usize = 80;
/// The longest error type shown: Rust type paths are this long.
const ERROR: usize = 60;

/// One span.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) started: SystemTime,
    /// How and when it ended; `None` while it is open.
    pub(super) ended: Option<Ended>,
    /// It is only a place in the tree: its line is left out, and what is below it moves up.
    pub(super) hidden: bool,
    pub(super) chunks: u64,
    pub(super) first_chunk: Option<Duration>,
}

/// What is known of a span once it has ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) phase: Phase,
    pub(super) at: SystemTime,
    pub(super) duration: Duration,
    pub(super) error: Option<String>,
    pub(super) usage: Usage,
    pub(super) cost: Option<f64>,
    pub(super) totals: Totals,
}

/// What the spans below a span add up to.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) calls: u64,
    pub(super) tools: u64,
    pub(super) tool_errors: u64,
    pub(super) usage: Usage,
    pub(super) cost: Option<f64>,
    /// Some call below has no known price.
    pub(super) cost_partial: bool,
}

impl Run {
    /// The span of a `started` event, or of a terminal one whose start was not seen.
    pub(super) fn new(event: &Event) -> Self {
        let lived = event.duration.unwrap_or_default();
        Self {
            kind: event.kind,
            name: name(event),
            started: event.time.checked_sub(lived).unwrap_or(event.time),
            ended: None,
            hidden: event.visibility == Visibility::Internal,
            chunks: 0,
            first_chunk: None,
        }
    }

    /// A span that has no events of its own.
    pub(super) fn unseen() -> Self {
        Self {
            kind: Kind::Custom,
            name: String::new(),
            started: SystemTime::UNIX_EPOCH,
            ended: None,
            hidden: true,
            chunks: 0,
            first_chunk: None,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.ended.is_none()
    }

    /// Takes over what a terminal event says.
    pub(super) fn end(&mut self, event: &Event) {
        let attrs = &event.attrs;
        self.kind = event.kind;
        self.name = name(event);
        self.hidden |= event.visibility == Visibility::Internal;
        if let Some(seconds) = float(attrs, &[semconv::GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK]) {
            self.first_chunk = Duration::try_from_secs_f64(seconds)
                .ok()
                .or(self.first_chunk);
        }
        let lived = || event.time.duration_since(self.started).unwrap_or_default();
        self.ended = Some(Ended {
            phase: event.phase.clone(),
            at: event.time,
            duration: event.duration.unwrap_or_else(lived),
            error: event.error.as_ref().map(|error| label(&error.kind, ERROR)),
            usage: Usage::from_attrs(attrs),
            cost: float(attrs, &[semconv::GEN_AI_USAGE_COST, semconv::LLM_COST_USD]),
            totals: Totals::new(attrs),
        });
    }

    /// Ends what has no events of its own.
    pub(super) fn end_unseen(&mut self) {
        self.ended = Some(Ended {
            phase: Phase::Completed,
            at: self.started,
            duration: Duration::ZERO,
            error: None,
            usage: Usage::new(),
            cost: None,
            totals: Totals::default(),
        });
    }

    /// A piece of a streamed answer has arrived.
    pub(super) fn chunk(&mut self, at: SystemTime) {
        self.chunks += 1;
        if self.first_chunk.is_none() {
            self.first_chunk = at.duration_since(self.started).ok();
        }
    }
}

impl Totals {
    fn new(attrs: &Attrs) -> Self {
        let count = |name| {
            attrs
                .get(name)
                .and_then(Value::as_i64)
                .and_then(|n| u64::try_from(n).ok())
        };
        let mut usage = Usage::new();
        usage.input_tokens = count(semconv::GEN_AI_AGGREGATED_USAGE_INPUT_TOKENS);
        usage.output_tokens = count(semconv::GEN_AI_AGGREGATED_USAGE_OUTPUT_TOKENS);
        Self {
            calls: count(semconv::LLM_TOTAL_CALLS).unwrap_or(0),
            tools: count(semconv::LLM_TOTAL_TOOL_CALLS).unwrap_or(0),
            tool_errors: count(semconv::LLM_TOTAL_TOOL_ERRORS).unwrap_or(0),
            usage,
            cost: float(
                attrs,
                &[
                    semconv::GEN_AI_AGGREGATED_USAGE_COST,
                    semconv::LLM_TOTAL_COST_USD,
                ],
            ),
            cost_partial: attrs
                .get(semconv::LLM_TOTAL_COST_COMPLETE)
                .and_then(Value::as_bool)
                == Some(false),
        }
    }
}

/// A moment: something that happened inside a span.
#[derive(Debug)]
pub(super) struct Note {
    pub(super) text: String,
    pub(super) level: Level,
    pub(super) error: Option<String>,
}

impl Note {
    /// `None` for what is too fine or not meant for people.
    pub(super) fn new(event: &Event) -> Option<Self> {
        let shown = event.level >= Level::Info && event.visibility == Visibility::Public;
        shown.then(|| Self {
            text: label(&event.ty.to_string(), NAME),
            level: event.level,
            error: event.error.as_ref().map(|error| label(&error.kind, ERROR)),
        })
    }
}

/// Whether the event is a piece of a stream: counted, never a line of its own.
pub(super) fn is_chunk(event: &Event) -> bool {
    matches!(&event.phase, Phase::Moment(word) if word == "chunk" || word == "thinking")
}

fn name(event: &Event) -> String {
    if event.name.is_empty() {
        label(event.ty.subject_name(), NAME)
    } else {
        label(&event.name, NAME)
    }
}

fn float(attrs: &Attrs, names: &[&str]) -> Option<f64> {
    names.iter().find_map(|name| attrs.get(name)?.as_f64())
}

/// Foreign text for one place of one line: escaped, tabs as spaces, at most `most` characters.
fn label(text: &str, most: usize) -> String {
    let start = text
        .char_indices()
        .nth(most + 1)
        .map_or(text, |(end, _)| &text[..end]);
    let mut shown = escape(start).replace('\t', " ");
    if let Some((end, _)) = shown.char_indices().nth(most) {
        let last = shown[..end]
            .char_indices()
            .next_back()
            .map_or(0, |(at, _)| at);
        shown.truncate(last);
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_escaped_and_cut_to_whole_characters() {
        assert_eq!(label("chat gpt-4o", 20), "chat gpt-4o");
        assert_eq!(label("a\tb\nc", 20), "a b\\nc");
        assert_eq!(label("ééééé", 5), "ééééé");
        assert_eq!(label("éééééé", 5), "éééé…");
        assert_eq!(label(&"\u{202e}".repeat(1_000), 9), "\\u{202e}…");
    }
}
