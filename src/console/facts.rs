//! What the console knows of a span and of a moment: the few facts it shows, taken out of events.
//!
//! Promise: every text in here has been escaped and cut; nothing in here is content, but for what [`Shown`] holds where content
//! is asked for.
//! Never: keeps the event.

use std::time::{Duration, SystemTime};

use super::escape::escape;
use crate::event::{Attrs, Body, Event, Kind, Level, Phase, Usage, Value, Visibility};
use crate::security::redact::Redactor;
use crate::semconv;

/// The longest name shown, in characters: the longest model ids in use (Bedrock's) have about 60.
const NAME: usize = 80;
/// The longest error type shown: Rust type paths are this long.
const ERROR: usize = 60;
/// The longest arguments shown: a row of a wide terminal.
const ARGUMENTS: usize = 200;
/// What is kept of a text that is being streamed, in bytes: so much that a private key in the last row is whole in it.
const TAIL: usize = 4_096;

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
    /// The last piece was reasoning.
    pub(super) thinking: bool,
    /// Content, where it is asked for.
    pub(super) shown: Option<Box<Shown>>,
}

/// Content of a span.
#[derive(Default)]
pub(super) struct Shown {
    /// The end of the text that is being streamed, as it came.
    tail: String,
    /// What a tool is called with, escaped and cut.
    pub(super) arguments: Option<String>,
}

impl std::fmt::Debug for Shown {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Shown(<content>)")
    }
}

impl Shown {
    /// The last whole words of what is being streamed. A word that is still coming may be the half of a secret, which no
    /// redactor knows.
    pub(super) fn words(&self, redactor: Option<&Redactor>) -> Option<String> {
        let end = self.tail.rfind(char::is_whitespace)?;
        let whole = &self.tail[..end];
        let safe = redactor.map_or(whole.into(), |redactor| redactor.redact_str(whole));
        let words = safe.split_whitespace().collect::<Vec<_>>().join(" ");
        (!words.is_empty()).then(|| escape(&words).into_owned())
    }
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
    /// The span of a `started` event, or of a terminal one whose start was not seen. `content` says whether content is shown.
    pub(super) fn new(event: &Event, content: bool) -> Self {
        let lived = event.duration.unwrap_or_default();
        let arguments = || {
            let told = event.attr(semconv::GEN_AI_TOOL_CALL_ARGUMENTS)?;
            Some(match told.as_str() {
                Some(text) => label(text, ARGUMENTS),
                None => label(&told.to_json().to_string(), ARGUMENTS),
            })
        };
        Self {
            kind: event.kind,
            name: name(event),
            started: event.time.checked_sub(lived).unwrap_or(event.time),
            ended: None,
            hidden: event.visibility == Visibility::Internal,
            chunks: 0,
            first_chunk: None,
            thinking: false,
            shown: content.then(|| {
                Box::new(Shown {
                    tail: String::new(),
                    arguments: arguments(),
                })
            }),
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
            thinking: false,
            shown: None,
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
    pub(super) fn chunk(&mut self, event: &Event) {
        self.chunks += 1;
        if self.first_chunk.is_none() {
            self.first_chunk = event.time.duration_since(self.started).ok();
        }
        let thinking = matches!(&event.phase, Phase::Moment(word) if word == "thinking");
        let turned = thinking != std::mem::replace(&mut self.thinking, thinking);
        let Some(shown) = &mut self.shown else { return };
        if turned {
            shown.tail.clear();
        }
        let Some(text) = event.body.as_ref().and_then(Body::as_str) else {
            return;
        };
        shown.tail.push_str(text);
        let mut surplus = shown.tail.len().saturating_sub(TAIL);
        if surplus > 0 {
            while !shown.tail.is_char_boundary(surplus) {
                surplus += 1;
            }
            // The first word would be the end of one, which may be the half of a secret.
            let space = shown.tail[surplus..].find(char::is_whitespace);
            let from = space.map_or(shown.tail.len(), |space| surplus + space);
            shown.tail.drain(..from);
        }
    }

    /// Output tokens a second, from the first piece of a stream to its end.
    pub(super) fn rate(&self) -> Option<f64> {
        /// A shorter stream came at once.
        const LEAST: Duration = Duration::from_millis(20);
        let ended = self.ended.as_ref()?;
        let streamed = ended.duration.checked_sub(self.first_chunk?)?;
        let tokens = ended.usage.output_tokens.filter(|tokens| *tokens > 1)?;
        (streamed >= LEAST).then(|| tokens as f64 / streamed.as_secs_f64())
    }

    pub(super) fn failed(&self) -> bool {
        self.ended_as(&[Phase::Failed])
    }

    /// Whether somebody should look at it.
    pub(super) fn in_trouble(&self) -> bool {
        self.ended_as(&[Phase::Failed, Phase::Blocked])
    }

    fn ended_as(&self, phases: &[Phase]) -> bool {
        let ended = self.ended.as_ref();
        ended.is_some_and(|ended| phases.contains(&ended.phase))
    }

    /// What it adds to the totals of what is around it: one call of a model, or of a tool.
    pub(super) fn adds(&self) -> Option<Totals> {
        let ended = self.ended.as_ref()?;
        let mut totals = Totals::default();
        match self.kind {
            Kind::Llm if ended.phase != Phase::Blocked => {
                totals.calls = 1;
                totals.usage = ended.usage;
                totals.cost = ended.cost;
                totals.cost_partial = ended.cost.is_none() && !ended.usage.is_empty();
            }
            Kind::Tool => {
                totals.tools = 1;
                totals.tool_errors = u64::from(self.failed());
            }
            _ => return None,
        }
        Some(totals)
    }
}

impl Totals {
    pub(super) fn add(&mut self, more: &Self) {
        self.calls += more.calls;
        self.tools += more.tools;
        self.tool_errors += more.tool_errors;
        for (sum, n) in [
            (&mut self.usage.input_tokens, more.usage.input_tokens),
            (&mut self.usage.output_tokens, more.usage.output_tokens),
        ] {
            if let Some(n) = n {
                *sum = Some(sum.unwrap_or(0).saturating_add(n));
            }
        }
        if let Some(cost) = more.cost {
            // To a trillionth, so that the sum of decimals is what a person adds up to.
            let sum = self.cost.unwrap_or(0.0) + cost;
            self.cost = Some((sum * 1e12).round() / 1e12);
        }
        self.cost_partial |= more.cost_partial;
    }

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
    /// How often it happened in a row.
    pub(super) times: u64,
}

impl Note {
    /// `None` for what is too fine or not meant for people.
    pub(super) fn new(event: &Event) -> Option<Self> {
        let shown = event.level >= Level::Info && event.visibility == Visibility::Public;
        shown.then(|| Self {
            text: label(&event.ty.to_string(), NAME),
            level: event.level,
            error: event.error.as_ref().map(|error| label(&error.kind, ERROR)),
            times: 1,
        })
    }

    /// Whether it says the same.
    pub(super) fn is_again(&self, other: &Self) -> bool {
        (self.level, &self.text, &self.error) == (other.level, &other.text, &other.error)
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

    fn shown(tail: &str) -> Option<String> {
        let shown = Shown {
            tail: tail.to_owned(),
            arguments: None,
        };
        shown.words(Some(&Redactor::standard()))
    }

    #[test]
    fn of_a_stream_whole_words_are_shown_on_one_line() {
        assert_eq!(
            shown("Pack an\n\n umbrella, it wi").unwrap(),
            "Pack an umbrella, it"
        );
        assert_eq!(shown("Pack"), None);
        assert_eq!(shown("  "), None);
        assert_eq!(shown("a \x1b[2J b").unwrap(), "a \\u{1b}[2J");
    }

    #[test]
    fn a_private_key_is_not_shown_while_it_is_being_streamed() {
        let lines = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n".repeat(25);
        let key =
            format!("Here: -----BEGIN PRIVATE KEY-----\n{lines}-----END PRIVATE KEY-----\nDone.\n");
        for end in 0..key.len() {
            let words = shown(&key[..end]).unwrap_or_default();
            assert!(!words.contains("MIIEvQ"), "{end}: {words}");
        }
    }

    #[test]
    fn what_is_kept_of_a_stream_is_bounded_and_begins_with_a_whole_word() {
        let ty = crate::event::EventType::parse("llm.call.chunk").unwrap();
        let mut event = crate::event::EventData::new(ty, SystemTime::UNIX_EPOCH);
        event.body = Some("secret-é word ".into());
        let event = Event::new(event);
        let mut run = Run::new(&event, true);
        for _ in 0..10_000 {
            run.chunk(&event);
        }
        let tail = &run.shown.as_ref().unwrap().tail;
        assert!(tail.len() <= TAIL);
        assert!(
            tail.split_whitespace()
                .all(|word| ["secret-é", "word"].contains(&word))
        );
    }

    #[test]
    fn labels_are_escaped_and_cut_to_whole_characters() {
        assert_eq!(label("chat gpt-4o", 20), "chat gpt-4o");
        assert_eq!(label("a\tb\nc", 20), "a b\\nc");
        assert_eq!(label("ééééé", 5), "ééééé");
        assert_eq!(label("éééééé", 5), "éééé…");
        assert_eq!(label(&"\u{202e}".repeat(1_000), 9), "\\u{202e}…");
    }
}
