//! A record's names and values, brought to the conventions'.
//!
//! Promise: runs in one pass over the attributes; each fact is under one name afterwards, its order kept; what could not be
//! read is counted among the dropped attributes.

use serde_json::Value as Json;

use super::shapes::Preset;
use super::table::{Row, Rule, To};
use super::value::{Read, read, truth};
use super::{Allowed, Dialects, kinds, lookup, url};
use crate::event::{Kind, Subject, Usage, Value};
use crate::record::{FieldRef, Limits, Outcome, Record};
use crate::semconv as s;

/// Translates a record that started or ended.
pub(crate) fn translate(record: &mut Record, allowed: Allowed, limits: &Limits) {
    name_operation(record, limits);
    if !record.site.walk {
        return;
    }
    let speaks = spoken(record);
    let shape = record.site.shape();
    let mut at = 0;
    while let Some(name) = record.fields.name_at(at) {
        let found = shape.plain(name).or_else(|| lookup::find(name));
        let row = found.filter(|row| speaks.allow(row.of));
        match row {
            Some(row) => at = apply(record, row, at, allowed, limits),
            None => at += 1,
        }
    }
    if shape.subject.is_some() {
        fill_from_shape(record, limits);
    }
}

/// The dialects of the names that are there, declared or not.
fn spoken(record: &Record) -> Dialects {
    let declared = record.site.speaks;
    if !record.site.undeclared {
        return declared;
    }
    let rows = record
        .fields
        .iter()
        .filter_map(|(name, _)| lookup::find(name));
    rows.fold(declared, |speaks, row| speaks.and(row.speaks))
}

/// Older words for operations become today's, and a kind told in another dialect an operation.
fn name_operation(record: &mut Record, limits: &Limits) {
    let fields = &mut record.fields;
    let told = fields.str(s::GEN_AI_OPERATION_NAME).map(kinds::operation);
    let meaning = match told {
        Some(meaning) => meaning.filter(|meaning| meaning.operation.is_some()),
        None if record.site.speaks.is_none() && !record.site.undeclared => None,
        None => kinds::kind(fields),
    };
    if let Some(meaning) = meaning {
        if let Some(operation) = meaning.operation {
            fields.set_str(s::GEN_AI_OPERATION_NAME, operation, limits);
        }
        if meaning.streamed {
            fields.set_bool(s::GEN_AI_REQUEST_STREAM, true, limits);
        }
    }
}

/// Works on the attribute at `at`; answers where to go on.
fn apply(record: &mut Record, row: &Row, at: usize, allowed: Allowed, limits: &Limits) -> usize {
    if row.content && !allowed.content {
        record.remove_at(at);
        return at;
    }
    match row.rule {
        Rule::Gone | Rule::Kind => {
            record.remove_at(at);
            at
        }
        Rule::Parameters | Rule::Usage | Rule::Costs => {
            let json = record.fields.value_at(at).and_then(json);
            record.remove_at(at);
            match json {
                Some(json) => spread(record, row.rule, &json, limits),
                None => record.fields.drop_one(),
            }
            at
        }
        Rule::ErrorText | Rule::ErrorFlag | Rule::StatusText | Rule::Outcome => {
            let value = record.fields.value_at(at).map(FieldRef::to_value);
            record.remove_at(at);
            if let Some(value) = value {
                settle(record, row.rule, &value, allowed, limits);
            }
            at
        }
        Rule::Url | Rule::Query => {
            if record.genai {
                scrub(record, row.rule, at, limits);
            }
            at + 1
        }
        _ => rename(record, row, at, limits),
    }
}

fn rename(record: &mut Record, row: &Row, at: usize, limits: &Limits) -> usize {
    let Some(value) = record.fields.value_at(at) else {
        return at + 1;
    };
    let read = read(row.rule, value);
    let [target, second] = match resolve(row.to, record.subject) {
        Target::Stay => [Some(row.name), None],
        Target::Names(names) => names,
    };
    let Some(target) = target else {
        record.remove_at(at);
        return at;
    };
    let read = match read {
        Read::Bad => {
            record.remove_at(at);
            record.fields.drop_one();
            return at;
        }
        Read::Nothing => {
            record.remove_at(at);
            return at;
        }
        Read::Same => None,
        Read::As(value) => Some(value),
    };
    if target == row.name {
        if let Some(value) = read {
            record.fields.set_value(target, value, limits);
        }
        return at + 1;
    }
    if row.copied || second.is_some() {
        let value = read
            .clone()
            .or_else(|| record.fields.value_at(at).map(FieldRef::to_value));
        for name in [Some(target).filter(|_| row.copied), second]
            .into_iter()
            .flatten()
        {
            if record.fields.get(name).is_none()
                && let Some(value) = value.clone()
            {
                record.fields.set_value(name, value, limits);
            }
        }
        if row.copied {
            return at + 1;
        }
    }
    match record.fields.position(target) {
        None => {
            record.fields.rename_at(at, target);
            if let Some(value) = read {
                record.fields.set_value(target, value, limits);
            }
            at + 1
        }
        // What was said first under another name has been corrected by this, and a name says more than that there is none.
        Some(earlier) if earlier < at && !row.weak || is_fallback(record, target) => {
            let value = read.or_else(|| record.fields.value_at(at).map(FieldRef::to_value));
            if let Some(value) = value {
                record.fields.set_value(target, value, limits);
            }
            record.remove_at(at);
            at
        }
        Some(_) => {
            record.remove_at(at);
            at
        }
    }
}

enum Target {
    /// It stays under its name.
    Stay,
    Names([Option<&'static str>; 2]),
}

fn resolve(to: To, subject: Option<Subject>) -> Target {
    let kind = subject.map(Subject::kind);
    let one = |name| Target::Names([Some(name), None]);
    match to {
        To::Same => Target::Stay,
        To::Name(name) => one(name),
        To::Both(first, second) => Target::Names([Some(first), Some(second)]),
        To::EntityName => match kind {
            Some(Kind::Tool) => one(s::GEN_AI_TOOL_NAME),
            Some(Kind::Agent) => one(s::GEN_AI_AGENT_NAME),
            Some(Kind::Workflow) => one(s::GEN_AI_WORKFLOW_NAME),
            Some(Kind::Step) => one(s::STEP_NAME),
            _ => Target::Stay,
        },
        To::WorkflowName if kind == Some(Kind::Workflow) => one(s::GEN_AI_WORKFLOW_NAME),
        To::WorkflowName => Target::Stay,
        To::Input => match kind {
            Some(Kind::Tool) => one(s::GEN_AI_TOOL_CALL_ARGUMENTS),
            Some(Kind::Retrieval) => one(s::GEN_AI_RETRIEVAL_QUERY_TEXT),
            Some(Kind::Llm | Kind::Agent | Kind::Workflow) => one(s::GEN_AI_INPUT_MESSAGES),
            _ => Target::Stay,
        },
        To::Output => match kind {
            Some(Kind::Tool) => one(s::GEN_AI_TOOL_CALL_RESULT),
            Some(Kind::Llm | Kind::Agent | Kind::Workflow) => one(s::GEN_AI_OUTPUT_MESSAGES),
            _ => Target::Stay,
        },
    }
}

// === values that are several ===

fn json(value: FieldRef<'_>) -> Option<Json> {
    match value {
        FieldRef::Value(value @ (Value::Json(_) | Value::Array(_))) => Some(value.to_json()),
        other => serde_json::from_str(other.as_str()?).ok(),
    }
}

/// Request parameters as clients name them.
const PARAMETERS: &[(&str, &str, Rule)] = &[
    ("temperature", s::GEN_AI_REQUEST_TEMPERATURE, Rule::Number),
    ("top_p", s::GEN_AI_REQUEST_TOP_P, Rule::Number),
    ("top_k", s::GEN_AI_REQUEST_TOP_K, Rule::Int),
    ("max_tokens", s::GEN_AI_REQUEST_MAX_TOKENS, Rule::Int),
    (
        "max_completion_tokens",
        s::GEN_AI_REQUEST_MAX_TOKENS,
        Rule::Int,
    ),
    ("max_output_tokens", s::GEN_AI_REQUEST_MAX_TOKENS, Rule::Int),
    (
        "frequency_penalty",
        s::GEN_AI_REQUEST_FREQUENCY_PENALTY,
        Rule::Number,
    ),
    (
        "presence_penalty",
        s::GEN_AI_REQUEST_PRESENCE_PENALTY,
        Rule::Number,
    ),
    ("seed", s::GEN_AI_REQUEST_SEED, Rule::Int),
    ("stop", s::GEN_AI_REQUEST_STOP_SEQUENCES, Rule::List),
    (
        "stop_sequences",
        s::GEN_AI_REQUEST_STOP_SEQUENCES,
        Rule::List,
    ),
    ("stream", s::GEN_AI_REQUEST_STREAM, Rule::Flag),
    (
        "dimensions",
        s::GEN_AI_EMBEDDINGS_DIMENSION_COUNT,
        Rule::Int,
    ),
];

/// Sets what a JSON object says, where nothing says so yet.
fn spread(record: &mut Record, rule: Rule, json: &Json, limits: &Limits) {
    let fields = &mut record.fields;
    match rule {
        Rule::Parameters => {
            for &(name, to, rule) in PARAMETERS {
                let Some(value) = json.get(name).filter(|value| !value.is_null()) else {
                    continue;
                };
                if fields.get(to).is_none() {
                    fields.set_value(to, Value::from(value.clone()), limits);
                    let told = fields.get(to).map(|value| read(rule, value));
                    match told {
                        Some(Read::As(value)) => fields.set_value(to, value, limits),
                        Some(Read::Bad | Read::Nothing) => drop(fields.remove(to)),
                        Some(Read::Same) | None => {}
                    }
                }
            }
        }
        Rule::Usage => {
            // Langfuse's own buckets, which are what its clients send, else a provider's.
            let bucket = |name: &str| json.get(name).and_then(Json::as_u64);
            let usage = match (bucket("input"), bucket("output")) {
                (None, None) => Usage::from_json(json).unwrap_or_default(),
                (input, output) => Usage {
                    input_tokens: input,
                    output_tokens: output,
                    ..Usage::new()
                },
            };
            for (name, count) in usage.counts() {
                if fields.get(name).is_none() {
                    fields.set_value(name, Value::from(count), limits);
                }
            }
            if usage.is_empty() {
                fields.drop_one();
            }
        }
        Rule::Costs => {
            let total = json.get("total").and_then(Json::as_f64).or_else(|| {
                let parts = json.as_object()?.values().map(Json::as_f64);
                parts.sum()
            });
            match total.filter(|_| fields.get(s::GEN_AI_USAGE_COST).is_none()) {
                Some(total) => fields.set_f64(s::GEN_AI_USAGE_COST, total, limits),
                None => fields.drop_one(),
            }
        }
        _ => {}
    }
}

// === how it ended ===

fn settle(record: &mut Record, rule: Rule, value: &Value, allowed: Allowed, limits: &Limits) {
    let told = match value {
        Value::Bool(flag) => FieldRef::Bool(*flag),
        Value::Str(text) => FieldRef::Str(text),
        other => FieldRef::Value(other),
    };
    match rule {
        Rule::ErrorFlag if truth(told) == Some(true) => fail(record, limits),
        Rule::ErrorText if truth(told) == Some(false) => {}
        Rule::ErrorText => {
            fail(record, limits);
            message(record, told, allowed, limits);
        }
        Rule::StatusText => message(record, told, allowed, limits),
        Rule::Outcome => match told.as_str() {
            Some("error") => fail(record, limits),
            Some("denied") => {
                record.fields.set_str(s::GENAI_OUTCOME, "blocked", limits);
                if record.fields.get(s::ERROR_TYPE).is_none() {
                    record
                        .fields
                        .set_str(s::ERROR_TYPE, s::error_type::BLOCKED, limits);
                }
            }
            Some("skipped") if record.outcome == Outcome::Closed => {
                record.outcome = Outcome::Canceled
            }
            _ => {}
        },
        _ => {}
    }
}

fn fail(record: &mut Record, limits: &Limits) {
    if record.outcome == Outcome::Closed {
        record.outcome = Outcome::Failed;
    }
    if record.fields.get(s::ERROR_TYPE).is_none() {
        record
            .fields
            .set_str(s::ERROR_TYPE, s::error_type::OTHER, limits);
    }
}

fn message(record: &mut Record, told: FieldRef<'_>, allowed: Allowed, limits: &Limits) {
    let text = told
        .as_str()
        .filter(|text| !text.is_empty() && allowed.error_messages);
    if let Some(text) = text.filter(|_| record.error_message.is_none()) {
        let kept = crate::record::cut::floor(text, limits.value_bytes);
        record.error_message = Some(kept.to_owned());
    }
}

// === the rest ===

fn scrub(record: &mut Record, rule: Rule, at: usize, limits: &Limits) {
    let Some(told) = record.fields.value_at(at).and_then(FieldRef::as_str) else {
        return;
    };
    let scrubbed = match rule {
        Rule::Query => url::scrub_query(told),
        _ => url::scrub_url(told),
    };
    if let std::borrow::Cow::Owned(scrubbed) = scrubbed {
        record.fields.put_at(at, &scrubbed, limits);
    }
}

fn is_fallback(record: &Record, name: &str) -> bool {
    name == s::ERROR_TYPE && record.fields.str(name) == Some(s::error_type::OTHER)
}

/// What every span of the shape has, where it does not say so itself.
fn fill_from_shape(record: &mut Record, limits: &Limits) {
    let shape = record.site.shape();
    if record.subject == shape.subject {
        let own = record.subject.and_then(Subject::operation);
        if let Some(operation) = shape.operation.or(own)
            && record.fields.get(s::GEN_AI_OPERATION_NAME).is_none()
        {
            record
                .fields
                .set_str(s::GEN_AI_OPERATION_NAME, operation, limits);
        }
    }
    for &(name, preset) in shape.presets {
        if record.fields.get(name).is_none() {
            match preset {
                Preset::Text(text) => record.fields.set_str(name, text, limits),
                Preset::True => record.fields.set_bool(name, true, limits),
            }
        }
    }
    if let Some((prefix, key)) = shape.named
        && let Some(told) = record.fields.str(s::OTEL_NAME)
        && let Some(name) = told.strip_prefix(prefix).map(str::to_owned)
    {
        if record.fields.get(key).is_none() {
            record.fields.set_str(key, &name, limits);
        }
        if let Some(at) = record.fields.position(s::OTEL_NAME) {
            record.remove_at(at);
        }
    }
    if shape.cache_beside_input {
        let count = |name: &str| record.fields.get(name).and_then(FieldRef::as_count);
        if let (Some(rest), Some(cached)) = (
            count(s::GEN_AI_USAGE_INPUT_TOKENS),
            count(s::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
        ) && let Ok(whole) = i64::try_from(rest.saturating_add(cached))
        {
            record
                .fields
                .set_i64(s::GEN_AI_USAGE_INPUT_TOKENS, whole, limits);
        }
    }
}
