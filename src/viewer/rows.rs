//! The JSON of lists: runs, spans, models.
//!
//! Times are microseconds since the Unix epoch, cost is USD, and what is not known is absent.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use super::facts::error_type;
use super::model::{Run, Span};
use super::totals::Sums;
use crate::clock::Clock;
use crate::content::is_content;
use crate::enrich::Usd;
use crate::event::Level;
use crate::export::shape;
use crate::pipeline::names::span_name;
use crate::record::cut::floor;
use crate::record::{FieldRef, Fields, Record, SpanEvent};
use crate::semconv as s;

/// Moments of a span in a list; its detail has them all.
const MOMENTS: usize = 100;
/// Models named in a run's row.
const MODELS: usize = 8;
/// Bytes of an error's message in a list; its detail has it all.
const MESSAGE: usize = 300;

fn is_zero(n: &u64) -> bool {
    *n == 0
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

/// A level, as the page spells it.
fn lower<S: Serializer>(level: &Level, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&word(*level))
}

pub(super) fn word(level: Level) -> String {
    level.severity_text().to_ascii_lowercase()
}

/// A run.
#[derive(Serialize)]
pub(super) struct RunRow<'a> {
    run: u64,
    trace: String,
    name: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    start: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<u64>,
    spans: u64,
    #[serde(skip_serializing_if = "is_zero")]
    open: u64,
    #[serde(skip_serializing_if = "is_zero")]
    errors: u64,
    #[serde(skip_serializing_if = "is_zero")]
    calls: u64,
    #[serde(skip_serializing_if = "is_zero")]
    tools: u64,
    #[serde(flatten)]
    tokens: Tokens,
    #[serde(skip_serializing_if = "is_false")]
    partial: bool,
    models: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    conversation: Option<&'a str>,
    #[serde(skip_serializing_if = "is_zero")]
    alerts: u64,
}

impl<'a> RunRow<'a> {
    /// `None` for a run no span is known of yet.
    pub(super) fn new(run: &'a Run) -> Option<Self> {
        let root = run.root()?;
        let mut sums = run.past.clone();
        let (mut start, mut end) = (root.facts.start, root.facts.end);
        let mut models = BTreeSet::new();
        let mut agent = root.facts.agent.clone();
        for span in run.spans.values() {
            sums.add(span);
            start = start.min(span.facts.start);
            end = end.max(span.facts.end);
            if let Some(model) = span
                .facts
                .model
                .as_ref()
                .filter(|_| span.facts.call && models.len() < MODELS)
            {
                models.insert(Arc::clone(model));
            }
            agent = agent.or_else(|| span.facts.agent.clone());
        }
        let text = |name: &str| {
            let mut spans = std::iter::once(root).chain(run.spans.values());
            spans.find_map(|span| span.record.fields.str(name))
        };
        let Sums {
            spans,
            open,
            errors,
            calls,
            tools,
            usage,
            cost,
            partial,
            alerts,
        } = sums;
        Some(Self {
            run: run.number,
            trace: run.trace.to_string(),
            name: span_name(&root.record),
            kind: root.facts.kind,
            agent: agent.as_deref().map(str::to_owned),
            status: if open > 0 { "open" } else { root.facts.status },
            error: error_type(&root.record).filter(|_| !root.facts.open),
            message: message(root),
            start,
            end: (open == 0).then_some(end),
            spans,
            open,
            errors,
            calls,
            tools,
            tokens: Tokens {
                input: usage.input_tokens,
                output: usage.output_tokens,
                cached: usage.cache_read_tokens,
                reasoning: usage.reasoning_tokens,
                cost: cost.map(Usd::as_f64),
            },
            partial,
            models: models
                .iter()
                .map(|model| model.as_ref().to_owned())
                .collect(),
            session: text(s::SESSION_ID),
            conversation: text(s::GEN_AI_CONVERSATION_ID),
            alerts,
        })
    }
}

#[derive(Serialize)]
struct Tokens {
    #[serde(skip_serializing_if = "Option::is_none")]
    input: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cached: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<f64>,
}

/// A span.
#[derive(Serialize)]
pub(super) struct SpanRow<'a> {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
    trace: String,
    kind: &'static str,
    name: String,
    start: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<u64>,
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requested: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<&'a str>,
    #[serde(flatten)]
    tokens: Tokens,
    #[serde(skip_serializing_if = "Option::is_none")]
    ttfc: Option<u64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    finish: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<Total>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    moments: Vec<MomentRow<'a>>,
    #[serde(skip_serializing_if = "is_zero")]
    more: u64,
    #[serde(skip_serializing_if = "is_false")]
    content: bool,
}

/// The totals an agent, a step or a workflow is exported with.
#[derive(Serialize)]
struct Total {
    calls: u64,
    tools: u64,
    #[serde(rename = "toolErrors")]
    tool_errors: u64,
    #[serde(flatten)]
    tokens: Tokens,
    #[serde(skip_serializing_if = "is_false")]
    partial: bool,
}

/// Something that happened inside a span.
#[derive(Serialize)]
pub(super) struct MomentRow<'a> {
    at: u64,
    #[serde(rename = "type")]
    ty: std::borrow::Cow<'a, str>,
    #[serde(serialize_with = "lower")]
    level: Level,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
}

impl<'a> SpanRow<'a> {
    pub(super) fn new(span: &'a Span, clock: &'a Clock) -> Self {
        let (record, facts) = (&span.record, &span.facts);
        let fields = &record.fields;
        let asked = fields.str(s::GEN_AI_REQUEST_MODEL);
        let mut moments: Vec<MomentRow<'a>> = moments(span, clock).take(MOMENTS + 1).collect();
        let all = span.moments.count() + plain_events(record).count() as u64;
        moments.truncate(MOMENTS);
        moments.sort_by_key(|moment| moment.at);
        Self {
            id: record.id.span.to_string(),
            parent: (record.id.parent != opentelemetry::SpanId::INVALID)
                .then(|| record.id.parent.to_string()),
            trace: record.id.trace.to_string(),
            kind: facts.kind,
            name: span_name(record),
            start: facts.start,
            end: (!facts.open).then_some(facts.end),
            status: facts.status,
            error: if facts.open { None } else { error_type(record) },
            message: message(span),
            agent: facts.agent.as_deref(),
            model: facts.model.as_deref(),
            requested: asked.filter(|asked| facts.model.as_deref() != Some(asked)),
            provider: facts.provider.as_deref(),
            tokens: Tokens {
                input: facts.usage.input_tokens,
                output: facts.usage.output_tokens,
                cached: facts.usage.cache_read_tokens,
                reasoning: facts.usage.reasoning_tokens,
                cost: facts.cost.map(Usd::as_f64),
            },
            ttfc: facts.first_chunk,
            finish: texts(fields.get(s::GEN_AI_RESPONSE_FINISH_REASONS)),
            total: total(fields),
            more: all - moments.len() as u64,
            moments,
            content: fields.iter().any(|(name, _)| is_content(name)),
        }
    }
}

/// The beginning of what an error said.
fn message(span: &Span) -> Option<&str> {
    let text = span.record.error_message.as_deref()?;
    let told = !span.facts.open && error_type(&span.record).is_some();
    told.then(|| floor(text, MESSAGE))
}

fn texts(list: Option<FieldRef<'_>>) -> Vec<String> {
    use crate::event::Value;
    match list {
        Some(FieldRef::Value(Value::Array(items))) => items
            .iter()
            .filter_map(|item| item.as_str().map(str::to_owned))
            .collect(),
        Some(one) => one.as_str().map(str::to_owned).into_iter().collect(),
        None => Vec::new(),
    }
}

fn total(fields: &Fields) -> Option<Total> {
    let count = |name: &str| fields.get(name).and_then(FieldRef::as_count);
    let tool_calls = count(s::LLM_TOTAL_TOOL_CALLS);
    let calls = count(s::LLM_TOTAL_CALLS);
    calls.or(tool_calls)?;
    Some(Total {
        calls: calls.unwrap_or(0),
        tools: tool_calls.unwrap_or(0),
        tool_errors: count(s::LLM_TOTAL_TOOL_ERRORS).unwrap_or(0),
        tokens: Tokens {
            input: count(s::GEN_AI_AGGREGATED_USAGE_INPUT_TOKENS),
            output: count(s::GEN_AI_AGGREGATED_USAGE_OUTPUT_TOKENS),
            cached: None,
            reasoning: None,
            cost: fields
                .get(s::GEN_AI_AGGREGATED_USAGE_COST)
                .and_then(FieldRef::as_number),
        },
        partial: matches!(
            fields.get(s::LLM_TOTAL_COST_COMPLETE),
            Some(FieldRef::Bool(false))
        ),
    })
}

/// The events on a span that are no moments: those came by themselves, with more about them.
pub(super) fn plain_events(record: &Record) -> impl Iterator<Item = &SpanEvent> {
    record.events.iter().filter(|event| event.name != MIRRORED)
}

/// What the mirror of a moment on its span is called.
const MIRRORED: &str = "moment";

fn moments<'a>(span: &'a Span, clock: &'a Clock) -> impl Iterator<Item = MomentRow<'a>> {
    let told = span.moments.kept.iter().filter_map(|record| {
        let moment = record.moment.as_ref()?;
        Some(MomentRow {
            at: clock.unix_nanos(record.end) / 1_000,
            ty: moment.event_name(),
            level: moment.level(),
            error: record.fields.str(s::ERROR_TYPE),
        })
    });
    let plain = plain_events(&span.record).map(|event| MomentRow {
        at: clock.unix_nanos(event.at) / 1_000,
        ty: shape::event_name(&span.record, event).into(),
        level: Level::Info,
        error: None,
    });
    told.chain(plain)
}

/// What a model was used for.
#[derive(Serialize)]
pub(super) struct ModelRow {
    pub(super) model: String,
    pub(super) provider: String,
    pub(super) calls: u64,
    pub(super) errors: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) input: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) output: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cached: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) reasoning: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cost: Option<f64>,
    #[serde(skip_serializing_if = "is_zero")]
    pub(super) unpriced: u64,
    pub(super) duration: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) ttfc: Option<u64>,
    #[serde(rename = "ttfcCalls", skip_serializing_if = "is_zero")]
    pub(super) ttfc_calls: u64,
}
