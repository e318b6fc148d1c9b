//! What was read of a model call on its way over the wire, kept beside what the span says of itself until the span ends.
//!
//! Promise: at the end of the span what the provider said wins over what a client library made of it; names and times only
//! fill what the span lacks. Several exchanges on one span (attempts of one call) add their usage up, and the last one says
//! how it went.
//! Never: writes into the span's own fields before its end, so that whatever the span records later cannot undo it.

use super::instance::Instance;
use super::state::{Inner, SpanState};
use crate::event::{Key, Value};
use crate::provider::TextSize;
use crate::record::{Chunks, FieldRef, Fields, Limits, Outcome, Record};
use crate::semconv;

/// What was read for one span.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    /// The provider's words. They win.
    pub(crate) facts: Fields,
    /// Messages. They fill what the span lacks.
    pub(crate) content: Fields,
    /// When the pieces of the last answer came.
    pub(crate) chunks: Chunks,
    /// Seconds from sending the request to the first piece of generated output.
    pub(crate) first_chunk: Option<f64>,
    /// The last exchange failed: its `error.type`, and content.
    pub(crate) error: Option<(String, Option<String>)>,
    /// How much text went out and came back, for estimates.
    pub(crate) asked: TextSize,
    pub(crate) answered: TextSize,
    /// The answer broke off: what is known is what had come until then.
    pub(crate) cut: bool,
    /// Exchanges begun.
    pub(crate) exchanges: u32,
    /// The span was opened for one call on the wire.
    pub(crate) own: bool,
}

impl Instance {
    /// Notes something read from the wire. Too late for a span that ended, which is counted.
    pub(crate) fn read(&self, state: &SpanState, note: impl FnOnce(&mut Wire, &Limits)) {
        self.write(state, |inner| {
            note(inner.wire.get_or_insert_default(), &self.limits);
        });
    }

    /// Notes how much text was sent and received, where estimates are wanted.
    pub(crate) fn note_text(&self, state: &SpanState, asked: TextSize, answered: TextSize) {
        if self.estimate_tokens {
            self.read(state, |wire, _| {
                wire.asked = add(wire.asked, asked);
                wire.answered = add(wire.answered, answered);
            });
        }
    }

    /// Sets what the span does not say yet.
    pub(crate) fn fill(
        &self,
        state: &SpanState,
        attributes: impl IntoIterator<Item = (Key, Value)>,
    ) {
        self.write(state, |inner| {
            let fields = &mut inner.record.fields;
            for (name, value) in attributes {
                if fields.get(&name).is_none() {
                    fields.set_value(name, value, &self.limits);
                }
            }
            self.understand(inner);
        });
    }

    /// Brings what was read into the record of a span that ends. Part of the end, and done under its lock.
    pub(super) fn settle(&self, inner: &mut Inner) {
        if let Some(wire) = inner.wire.take() {
            wire.settle(&mut inner.record, &self.limits, self.estimate_tokens);
        }
    }
}

impl Wire {
    /// Replaces what an exchange had said of a number by what it says now; other exchanges on the span keep their parts.
    pub(crate) fn count(
        &mut self,
        name: &Key,
        before: Option<&Value>,
        now: &Value,
        limits: &Limits,
    ) {
        let held = self.facts.get(name).map(FieldRef::to_value);
        let sum = match (held, before, now) {
            (Some(Value::I64(held)), before, Value::I64(now)) => {
                let before = before.and_then(Value::as_i64).unwrap_or(0);
                Value::I64(held.saturating_sub(before).saturating_add(*now))
            }
            (Some(Value::F64(held)), before, Value::F64(now)) => {
                Value::F64(held - before.and_then(Value::as_f64).unwrap_or(0.0) + now)
            }
            (_, _, now) => now.clone(),
        };
        self.facts.set_value(name.clone(), sum, limits);
    }

    fn settle(self, record: &mut Record, limits: &Limits, estimate: bool) {
        let told = has_usage(&self.facts);
        record.fields.merge_from(&self.facts, limits);
        record.fields.fill_from(&self.content, limits);
        if record.chunks.count == 0 {
            if let Some(seconds) = self.first_chunk {
                let name = semconv::GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK;
                if record.fields.get(name).is_none() {
                    record.fields.set_f64(name, seconds, limits);
                }
            }
            record.chunks = self.chunks;
        }
        if let Some((kind, message)) = self.error {
            fail(record, &kind, message, limits);
        }
        if self.cut {
            record
                .fields
                .set_bool(semconv::GENAI_INTERRUPTED, true, limits);
        }
        let source = match told {
            true if self.cut => "wire_partial",
            true => "wire",
            // The span has counts of its own.
            false if has_usage(&record.fields) => return,
            false if record.outcome == Outcome::Failed => return,
            false if estimate && estimated(record, self.asked, self.answered, limits) => "estimate",
            // Nothing was on the wire: there is no news in that.
            false if self.exchanges == 0 => return,
            false => "unknown",
        };
        record
            .fields
            .set_str(semconv::GENAI_USAGE_SOURCE, source, limits);
    }
}

/// The exchange failed. Whoever owns the span may have said so already, in a word of its own or by the type of its error,
/// which says less than what the provider answered.
fn fail(record: &mut Record, kind: &str, message: Option<String>, limits: &Limits) {
    if !matches!(record.outcome, Outcome::Closed | Outcome::Failed) {
        return;
    }
    record.outcome = Outcome::Failed;
    let said = record.fields.str(semconv::ERROR_TYPE);
    if said.is_none_or(|said| said.contains("::") || said == semconv::error_type::OTHER) {
        record.fields.set_str(semconv::ERROR_TYPE, kind, limits);
    }
    if record.error_message.is_none() {
        record.error_message = message;
    }
}

fn add(a: TextSize, b: TextSize) -> TextSize {
    TextSize {
        chars: a.chars.saturating_add(b.chars),
        words: a.words.saturating_add(b.words),
    }
}

/// How much text `text` is.
pub(crate) fn size(text: &str) -> TextSize {
    TextSize {
        chars: text.chars().count() as u64,
        words: text.split_whitespace().count() as u64,
    }
}

fn has_usage(fields: &Fields) -> bool {
    let counts = |name: &str| name.starts_with("gen_ai.usage.") && name.ends_with("_tokens");
    fields.iter().any(|(name, _)| counts(name))
}

/// Sets estimates of both sides whose text is known, and says whether there are any.
fn estimated(record: &mut Record, asked: TextSize, answered: TextSize, limits: &Limits) -> bool {
    let mut any = false;
    for (name, text) in [
        (semconv::GEN_AI_USAGE_INPUT_TOKENS, asked),
        (semconv::GEN_AI_USAGE_OUTPUT_TOKENS, answered),
    ] {
        if let Some(tokens) = tokens(text) {
            record.fields.set_i64(name, tokens, limits);
            any = true;
        }
    }
    if any {
        record
            .fields
            .set_bool(semconv::GENAI_USAGE_ESTIMATED, true, limits);
    }
    any
}

/// About how many tokens a text is: the mean of two rules of thumb, three quarters of a word a token and four characters a
/// token. No text is no estimate.
fn tokens(text: TextSize) -> Option<i64> {
    let mean = (text.words as f64 / 0.75 + text.chars as f64 / 4.0) / 2.0;
    (text.chars > 0).then(|| mean.ceil() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_is_the_mean_of_words_and_characters() {
        let size = |words, chars| TextSize { words, chars };
        assert_eq!(tokens(size(0, 0)), None);
        // 6 / 0.75 = 8 and 24 / 4 = 6
        assert_eq!(tokens(size(6, 24)), Some(7));
        // One long word: 1 1/3 and 10.
        assert_eq!(tokens(size(1, 40)), Some(6));
        assert_eq!(tokens(size(1, 1)), Some(1));
    }

    #[test]
    fn an_exchange_replaces_its_own_part_of_a_count_only() {
        let (mut wire, limits) = (Wire::default(), Limits::DEFAULT);
        let name = Key::Borrowed(semconv::GEN_AI_USAGE_INPUT_TOKENS);
        let mut count = |before: Option<i64>, now: i64| {
            wire.count(
                &name,
                before.map(Value::I64).as_ref(),
                &Value::I64(now),
                &limits,
            );
            wire.facts.get(&name).and_then(FieldRef::as_count)
        };
        assert_eq!(count(None, 10), Some(10));
        assert_eq!(count(Some(10), 12), Some(12));
        assert_eq!(count(None, 5), Some(17));
        assert_eq!(count(Some(5), 8), Some(20));
    }
}
