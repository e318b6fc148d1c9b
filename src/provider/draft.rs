//! What is known of an answer while it arrives.
//!
//! Promise: whole answers and streams fill the same draft, so both read alike; what it keeps is bounded.
//! Never: knows an API. The shapes do, and tell it.

use std::fmt;

use serde_json::{Value as Json, json};

use super::answer::{Answer, ProviderError};
use super::text::TextMeter;
use crate::event::usage::wire::{Counts, Shape};
use crate::event::{Attrs, FinishReason, Value};
use crate::semconv;

/// What is to be kept of the texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Want {
    /// The messages.
    pub(super) content: bool,
    /// How long they are.
    pub(super) size: bool,
    /// The text of the frame at hand.
    pub(super) piece: bool,
}

/// Bytes of content kept of one answer, names and arguments of tool calls included. An answer with more is told without its
/// content: half a message would pass for a whole one.
const CONTENT: usize = super::Reader::LIMIT;
/// OpenAI answers up to 128 choices; a higher index is nonsense, and a stream of ever new ones would fill the memory.
const CHOICES: u64 = 128;
/// Parts of one message. Real ones have a dozen; each costs a walk over the others.
const PARTS: usize = 1024;

/// What a part of a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Reasoning,
    Refusal,
}

/// Where a piece of text goes: the provider's number of the block, or the last part if it is of the same kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Block {
    Number(u64),
    Last,
}

#[derive(Clone)]
enum Part {
    Text {
        kind: Kind,
        block: Block,
        text: String,
    },
    Tool {
        block: Block,
        id: Option<String>,
        name: String,
        /// As it arrives: pieces of a JSON text.
        pieces: String,
        /// As some send it: whole.
        whole: Option<Json>,
    },
    Other(Json),
}

#[derive(Clone, Default)]
struct Choice {
    index: u64,
    reason: Option<String>,
    tools: bool,
    refused: bool,
    parts: Vec<Part>,
}

/// See the module. Its `Debug` tells no content.
#[derive(Clone)]
pub(super) struct Draft {
    want: Want,
    usage_shape: &'static Shape,
    /// Attributes that hold one text each, in the order they were learned.
    texts: Vec<(&'static str, String)>,
    counts: Counts,
    cost: Option<f64>,
    cost_refused: bool,
    choices: Vec<Choice>,
    error: Option<ProviderError>,
    text: TextMeter,
    /// Bytes of content so far; above [`CONTENT`] there is none.
    kept: usize,
    /// The finish reasons are not the provider's words, so they are no attribute.
    pub(super) derived_reasons: bool,
    /// The provider said that this is the end.
    pub(super) complete: bool,
    /// The frame at hand holds generated output.
    pub(super) output: bool,
    /// The frame at hand tells more than text.
    pub(super) news: bool,
    /// Its text, and whether that is reasoning; see [`Want::piece`].
    pub(super) piece: Option<(Kind, String)>,
    /// Frames or answers that could not be read.
    pub(super) unread: u32,
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Draft")
            .field("want", &self.want)
            .field("complete", &self.complete)
            .field("unread", &self.unread)
            .finish_non_exhaustive()
    }
}

impl Draft {
    pub(super) fn new(want: Want, usage_shape: &'static Shape) -> Self {
        Self {
            want,
            usage_shape,
            texts: Vec::new(),
            counts: Counts::default(),
            cost: None,
            cost_refused: false,
            choices: Vec::new(),
            error: None,
            text: TextMeter::default(),
            kept: 0,
            derived_reasons: false,
            complete: false,
            output: false,
            news: false,
            piece: None,
            unread: 0,
        }
    }

    /// Forgets what was said of the frame before.
    pub(super) fn next_frame(&mut self) {
        self.output = false;
        self.news = false;
        self.piece = None;
    }

    // === facts ===

    /// A fact that does not change: the first to tell it is believed.
    pub(super) fn first(&mut self, name: &'static str, value: Option<&Json>) {
        if !self.texts.iter().any(|(known, _)| *known == name) {
            self.last(name, value);
        }
    }

    /// A fact that may change: the last to tell it is believed.
    pub(super) fn last(&mut self, name: &'static str, value: Option<&Json>) {
        let Some(text) = value.and_then(Json::as_str).filter(|text| !text.is_empty()) else {
            return;
        };
        match self.texts.iter_mut().find(|(known, _)| *known == name) {
            Some((_, known)) if known == text => return,
            Some((_, known)) => text.clone_into(known),
            None => self.texts.push((name, text.to_owned())),
        }
        self.news = true;
    }

    /// The usage object, if it is one.
    pub(super) fn usage(&mut self, usage: Option<&Json>) {
        let Some(usage) = usage.filter(|usage| usage.is_object()) else {
            return;
        };
        self.counts.read(self.usage_shape, usage);
        self.news = true;
    }

    /// What the provider says the call cost, in US dollars.
    pub(super) fn cost(&mut self, cost: Option<&Json>) {
        let Some(cost) = cost.filter(|cost| cost.is_number() || cost.is_string()) else {
            return;
        };
        self.cost = cost
            .as_f64()
            .filter(|cost| cost.is_finite() && *cost >= 0.0);
        self.cost_refused = self.cost.is_none();
        self.news = true;
    }

    /// Why a choice ended. Null and empty say nothing.
    pub(super) fn finish(&mut self, index: u64, reason: Option<&Json>) {
        let Some(reason) = reason
            .and_then(Json::as_str)
            .filter(|word| !word.is_empty())
        else {
            return;
        };
        if let Some(choice) = self.choice_mut(index) {
            choice.reason = Some(reason.to_owned());
            self.news = true;
        }
    }

    /// What went wrong. The first error is the cause of the rest.
    pub(super) fn error(&mut self, error: ProviderError) {
        self.error.get_or_insert(error);
        self.news = true;
    }

    // === texts ===

    /// A choice is there, though it may be empty.
    pub(super) fn choice(&mut self, index: u64) {
        let _ = self.choice_mut(index);
    }

    fn choice_mut(&mut self, index: u64) -> Option<&mut Choice> {
        if index >= CHOICES {
            return None;
        }
        let at = match self.choices.binary_search_by_key(&index, |c| c.index) {
            Ok(at) => at,
            Err(at) => {
                let choice = Choice {
                    index,
                    ..Choice::default()
                };
                self.choices.insert(at, choice);
                at
            }
        };
        self.choices.get_mut(at)
    }

    /// Forgets the messages: a whole answer follows that holds them again.
    pub(super) fn restart(&mut self) {
        self.choices.clear();
        self.text = TextMeter::default();
        self.kept = 0;
    }

    /// A piece of text.
    pub(super) fn write(&mut self, index: u64, kind: Kind, block: Block, piece: Option<&Json>) {
        let Some(piece) = piece.and_then(Json::as_str).filter(|text| !text.is_empty()) else {
            return;
        };
        self.wrote(kind, piece);
        let room = self.room(piece.len());
        let Some(choice) = self.choice_mut(index) else {
            return;
        };
        choice.refused |= kind == Kind::Refusal;
        if !room {
            return;
        }
        let same = |part: &&mut Part| matches!(part, Part::Text { kind: k, block: b, .. } if *k == kind && *b == block);
        let known = match block {
            Block::Last => choice.parts.last_mut().filter(same),
            Block::Number(_) => choice.parts.iter_mut().rev().find(same),
        };
        match known {
            Some(Part::Text { text, .. }) => text.push_str(piece),
            _ => self.add(index, || Part::Text {
                kind,
                block,
                text: piece.to_owned(),
            }),
        }
    }

    /// A tool call begins; its arguments follow in pieces, or are there whole.
    pub(super) fn call(
        &mut self,
        index: u64,
        block: Block,
        id: Option<&Json>,
        name: Option<&Json>,
        whole: Option<&Json>,
    ) {
        self.output = true;
        self.news = true;
        let Some(choice) = self.choice_mut(index) else {
            return;
        };
        choice.tools = true;
        if !self.want.content {
            return;
        }
        let text = |json: Option<&Json>| json.and_then(Json::as_str).map(str::to_owned);
        let (id, name) = (
            text(id).filter(|id| !id.is_empty()),
            text(name).unwrap_or_default(),
        );
        let size = name.len() + id.as_ref().map_or(0, String::len) + whole.map_or(0, size);
        if self.room(size) {
            self.add(index, || Part::Tool {
                block,
                id,
                name,
                pieces: String::new(),
                whole: whole.cloned(),
            });
        }
    }

    /// Whether this tool call has begun.
    pub(super) fn has_call(&self, index: u64, block: Block) -> bool {
        let choice = self.choices.iter().find(|choice| choice.index == index);
        choice.is_some_and(|choice| {
            choice
                .parts
                .iter()
                .any(|part| matches!(part, Part::Tool { block: b, .. } if *b == block))
        })
    }

    /// How many parts a choice has so far: a number for a block that came without one.
    pub(super) fn parts(&self, index: u64) -> u64 {
        let choice = self.choices.iter().find(|choice| choice.index == index);
        choice.map_or(0, |choice| choice.parts.len() as u64)
    }

    /// A piece of a tool call's arguments, as JSON text.
    pub(super) fn arguments(&mut self, index: u64, block: Block, piece: Option<&Json>) {
        let Some(piece) = piece.and_then(Json::as_str).filter(|text| !text.is_empty()) else {
            return;
        };
        self.wrote(Kind::Text, piece);
        if let Some((_, text)) = &mut self.piece {
            // Arguments are no text a user reads.
            text.clear();
        }
        if !self.room(piece.len()) {
            return;
        }
        let Some(choice) = self.choice_mut(index) else {
            return;
        };
        let known = choice.parts.iter_mut().rev().find_map(|part| match part {
            Part::Tool {
                block: b, pieces, ..
            } if *b == block || block == Block::Last => Some(pieces),
            _ => None,
        });
        if let Some(pieces) = known {
            pieces.push_str(piece);
        }
    }

    /// A part of another kind, in the form of the conventions.
    pub(super) fn other(&mut self, index: u64, part: Json) {
        self.output = true;
        if self.want.content && self.room(size(&part)) {
            self.add(index, || Part::Other(part));
        }
    }

    fn wrote(&mut self, kind: Kind, piece: &str) {
        self.output = true;
        if self.want.size {
            self.text.add(piece);
        }
        if self.want.piece {
            let (_, text) = self.piece.get_or_insert_with(|| (kind, String::new()));
            text.push_str(piece);
        }
    }

    /// Whether there is room for so many more bytes of content, if any is wanted.
    fn room(&mut self, bytes: usize) -> bool {
        // A part costs its own place as well as its text.
        self.kept = self.kept.saturating_add(bytes);
        self.want.content && self.kept <= CONTENT
    }

    fn add(&mut self, index: u64, part: impl FnOnce() -> Part) {
        let Some(choice) = self.choice_mut(index) else {
            return;
        };
        if choice.parts.len() < PARTS {
            choice.parts.push(part());
        } else {
            self.kept = usize::MAX;
        }
    }

    // === the answer ===

    /// What is known.
    pub(super) fn answer(&self) -> Answer {
        let content = self.content();
        Answer {
            content,
            ..self.facts()
        }
    }

    /// The messages, where they are wanted and none of them was too long.
    pub(super) fn content(&self) -> Attrs {
        let mut content = Attrs::new();
        if self.want.content && !self.is_cut() && !self.choices.is_empty() {
            let messages: Vec<Value> = self.choices.iter().map(Choice::message).collect();
            content.set(semconv::GEN_AI_OUTPUT_MESSAGES, Value::Array(messages));
        }
        content
    }

    fn is_cut(&self) -> bool {
        self.want.content && self.kept > CONTENT
    }

    /// The same without the messages, which are long.
    pub(super) fn facts(&self) -> Answer {
        let counts = self.counts.resolve(self.usage_shape);
        let mut attrs = Attrs::with_capacity(self.texts.len() + 8);
        for (name, text) in &self.texts {
            attrs.set(*name, text.as_str());
        }
        let reasoned = self.choices.iter().any(|choice| choice.reason.is_some());
        if reasoned && !self.derived_reasons {
            // One for each choice; the conventions' word for a missing one is `error`.
            let words = self.choices.iter().map(|choice| choice.reason.as_deref());
            let words: Vec<Value> = words.map(|word| word.unwrap_or("error").into()).collect();
            attrs.set(semconv::GEN_AI_RESPONSE_FINISH_REASONS, Value::Array(words));
        }
        for (name, count) in counts.counts() {
            attrs.set(name, count);
        }
        if let Some(cost) = self.cost {
            attrs.set(semconv::GEN_AI_USAGE_COST, cost);
        }
        Answer {
            attrs,
            content: Attrs::new(),
            usage: counts.usage,
            finish_reasons: self.choices.iter().map(Choice::normalized).collect(),
            error: self.error.clone(),
            text: self.text.size(),
            complete: self.complete
                || reasoned && self.choices.iter().all(|choice| choice.reason.is_some()),
            refused: counts.refused + u32::from(self.cost_refused),
            unread: self.unread + u32::from(self.is_cut()),
        }
    }
}

// === impl Choice ===

impl Choice {
    /// The reason in the common vocabulary. A plain stop with tool calls reads as tool calls, one with a refusal as withheld.
    fn normalized(&self) -> FinishReason {
        let Some(word) = &self.reason else {
            return FinishReason::Error;
        };
        match FinishReason::from(word.as_str()) {
            FinishReason::Stop if self.tools => FinishReason::ToolCalls,
            FinishReason::Stop if self.refused => FinishReason::ContentFilter,
            reason => reason,
        }
    }

    fn message(&self) -> Value {
        let parts: Vec<Json> = self.parts.iter().map(Part::json).collect();
        Value::Json(json!({
            "role": "assistant",
            "parts": parts,
            "finish_reason": self.normalized().message_word(),
        }))
    }
}

impl Part {
    fn json(&self) -> Json {
        match self {
            Self::Text { kind, text, .. } => {
                let kind = match kind {
                    Kind::Text => "text",
                    Kind::Reasoning => "reasoning",
                    Kind::Refusal => "refusal",
                };
                json!({"type": kind, "content": text})
            }
            Self::Tool {
                id,
                name,
                pieces,
                whole,
                ..
            } => {
                // Pieces win over the empty object some providers announce them with.
                let arguments = match whole {
                    _ if !pieces.is_empty() => {
                        super::content::arguments(&Json::from(pieces.as_str()))
                    }
                    Some(whole) => super::content::arguments(whole),
                    None => json!({}),
                };
                super::content::tool_call(id.as_deref(), name, Some(&arguments))
            }
            Self::Other(part) => part.clone(),
        }
    }
}

/// About how many bytes a value holds.
fn size(json: &Json) -> usize {
    let inside = match json {
        Json::String(text) => text.len(),
        Json::Array(items) => items.iter().map(size).sum(),
        Json::Object(fields) => fields
            .iter()
            .map(|(name, value)| name.len() + size(value))
            .sum(),
        Json::Null | Json::Bool(_) | Json::Number(_) => 0,
    };
    size_of::<Json>() + inside
}
