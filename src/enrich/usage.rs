//! Counts that cannot be true, counts that are missing, and counts that are somebody else's.
//!
//! Promise: usage stands on model calls only, once; a count that contradicts another is no count; a call whose usage nobody
//! knows says so instead of looking like one that used nothing.

use super::Usd;
use super::builtin::{self, USAGE, is_inference};
use super::totals::{Totals, reports_tokens};
use crate::pipeline::events::failed;
use crate::record::{FieldRef, Limits, Outcome, Record};
use crate::semconv as s;

/// Every count there is a name for.
const AUDIO: [&str; 2] = [
    s::GEN_AI_USAGE_AUDIO_INPUT_TOKENS,
    s::GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS,
];

/// Takes out counts that contradict each other: which of them is wrong, nobody can tell, and whoever prices the rest
/// prices it wrong. Answers whether there were any.
pub(crate) fn drop_contradictions(record: &mut Record) -> bool {
    let usage = builtin::usage(record);
    let mut found = false;
    let cache = usage
        .cache_read_tokens
        .unwrap_or(0)
        .checked_add(usage.cache_write_tokens.unwrap_or(0));
    if usage
        .input_tokens
        .is_some_and(|whole| cache.is_none_or(|part| part > whole))
    {
        found = true;
        take(record, &[USAGE[0], USAGE[2], USAGE[3], AUDIO[0]]);
    }
    let output = usage.output_tokens;
    if output.is_some_and(|whole| usage.reasoning_tokens.is_some_and(|part| part > whole)) {
        found = true;
        take(record, &[USAGE[1], USAGE[4], AUDIO[1]]);
    }
    found
}

fn take(record: &mut Record, names: &[&str]) {
    for name in names {
        if record.fields.remove(name) {
            record.fields.drop_one();
        }
    }
}

/// Says why a model call that ended without an error has no usage.
pub(crate) fn mark_unknown(record: &mut Record, contradicted: bool, limits: &Limits) {
    let fetched = record.fields.str(s::GEN_AI_OPERATION_NAME) == Some(s::operation::FETCH_RESPONSE);
    if !is_inference(record) || fetched {
        return;
    }
    let whole = record.fields.get(s::LLM_TOKENS_USED).is_some();
    let known = whole || reports_tokens(&builtin::usage(record));
    let why = match record.outcome {
        _ if contradicted => "invalid",
        _ if known || failed(record) => return,
        Outcome::Canceled | Outcome::Interrupted => "interrupted",
        _ => "not_reported",
    };
    record
        .fields
        .set_str(s::GENAI_USAGE_UNKNOWN_REASON, why, limits);
}

/// Takes the usage off a span that is no model call: what it says is the sum of calls elsewhere.
pub(crate) fn take_reported(record: &mut Record) -> Totals {
    if record.subject.is_none() || is_inference(record) {
        return Totals::NONE;
    }
    let fields = &mut record.fields;
    let cost = fields
        .get(s::GEN_AI_USAGE_COST)
        .and_then(FieldRef::as_number)
        .filter(|dollars| *dollars >= 0.0)
        .and_then(Usd::from_f64);
    let mut usage = builtin::usage(record);
    let fields = &mut record.fields;
    let whole = fields.get(s::LLM_TOKENS_USED).and_then(FieldRef::as_count);
    for name in USAGE
        .iter()
        .chain(&AUDIO)
        .chain(&[s::GEN_AI_USAGE_COST, s::LLM_TOKENS_USED])
    {
        fields.remove(name);
    }
    if !reports_tokens(&usage) {
        // A sum without its parts: all that can be said is how many tokens there were.
        usage.input_tokens = whole;
    }
    Totals {
        usage,
        cost,
        ..Totals::NONE
    }
}
