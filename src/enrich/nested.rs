//! One model call that several layers of a program tell of: a framework, the client under it, the HTTP layer below.
//!
//! The outermost span of the call counts: it keeps the operation and takes over the facts it lacks. The spans inside become
//! ordinary spans, which say what they were under `genai.nested.*` and carry no usage, so that nobody who adds up spans
//! counts a call twice.
//!
//! Rules:
//!
//! * A call lies inside another when that was open around it, no agent, tool or workflow between them, and both are of one
//!   kind: generation, embeddings, anything else.
//! * Several calls inside one (attempts, a fallback, a router) are parts of it: their usage and cost are added where the outer
//!   call has none of its own; of their other facts the last one's are taken.
//! * Of one call inside, counts that the outer call lacks are taken too, if both say the same input.
//! * An outer call that said neither usage nor how it ended has failed if the last call inside did.
//! * A call inside that ends after the outer one stays a call if it knows the usage and the outer one does not.
//!
//! Promise: bounded memory; what falls out of it is counted.

use std::collections::{HashMap, VecDeque};

use opentelemetry::SpanId;

use super::builtin::{self, USAGE};
use super::totals::reports_tokens;
use super::{Cost, CostOutcome, CostSource, RollUp, UnknownCost};
use crate::clock::Nanos;
use crate::event::Usage;
use crate::pipeline::events::failed;
use crate::record::{FieldRef, Fields, Limits, Outcome, Record};
use crate::semconv as s;
use crate::stats::{Books, Loss};

/// Open calls with calls inside that are remembered, at some 2 KiB each.
const OPEN: usize = 4096;

/// Facts that a call takes over from the one inside it.
const FACTS: &[&str] = &[
    s::GEN_AI_PROVIDER_NAME,
    s::GEN_AI_REQUEST_MODEL,
    s::GEN_AI_REQUEST_STREAM,
    s::GEN_AI_REQUEST_TEMPERATURE,
    s::GEN_AI_REQUEST_TOP_P,
    s::GEN_AI_REQUEST_TOP_K,
    s::GEN_AI_REQUEST_MAX_TOKENS,
    s::GEN_AI_REQUEST_SEED,
    s::GEN_AI_REQUEST_STOP_SEQUENCES,
    s::GEN_AI_RESPONSE_ID,
    s::GEN_AI_RESPONSE_MODEL,
    s::GEN_AI_RESPONSE_FINISH_REASONS,
    s::OPENAI_RESPONSE_SERVICE_TIER,
    s::SERVER_ADDRESS,
    s::SERVER_PORT,
];

/// What the calls inside an open one have told.
#[derive(Debug, Default)]
struct Told {
    calls: u32,
    usage: Usage,
    cost: Option<Cost>,
    /// Why one of them has no cost.
    unpriced: Option<UnknownCost>,
    /// The facts of the last one.
    facts: Fields,
    first_chunk: Option<Nanos>,
    /// The last one's error, with its text where that was kept.
    error: Option<(String, Option<String>)>,
}

/// The calls inside calls that are open.
#[derive(Debug, Default)]
pub(crate) struct Nested {
    open: HashMap<SpanId, Told>,
    /// In the order of their first call inside; those that ended stay until they come up.
    order: VecDeque<SpanId>,
}

impl Nested {
    /// Finds out whether the call is a part of one around it; `totals` knows which calls have ended.
    pub(crate) fn place(record: &mut Record, totals: &RollUp) {
        record.inside_inference = record.nesting.is_inner()
            && match totals.ended_call(record.nesting.inside) {
                Some(false) => {
                    let knows = reports_tokens(&builtin::usage(record))
                        || record.fields.get(s::GEN_AI_USAGE_COST).is_some();
                    !knows
                }
                Some(true) | None => true,
            };
    }

    /// Gives the call what those inside it told; answers their cost, where it is to be the call's.
    pub(crate) fn complete(&mut self, record: &mut Record, limits: &Limits) -> Option<CostOutcome> {
        if self.open.is_empty() {
            return None;
        }
        let told = self.open.remove(&record.id.span)?;
        record.fields.fill_from(&told.facts, limits);
        let own = builtin::usage(record);
        let bare = !reports_tokens(&own);
        let same = told.calls == 1 && own.input_tokens == told.usage.input_tokens;
        if bare || same {
            for (name, count) in told.usage.counts() {
                if record.fields.get(name).is_none() {
                    record.fields.set_value(name, count.into(), limits);
                }
            }
        }
        if record
            .fields
            .get(s::GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK)
            .is_none()
            && record.chunks.count == 0
            && let Some(first) = told.first_chunk
        {
            let waited = first.saturating_sub(record.start) as f64 / 1e9;
            record
                .fields
                .set_f64(s::GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK, waited, limits);
        }
        let silent = bare && !reports_tokens(&told.usage) && record.outcome == Outcome::Closed;
        if let Some((kind, message)) = told.error.filter(|_| silent && !failed(record)) {
            record.fields.set_str(s::ERROR_TYPE, &kind, limits);
            record.error_message = record.error_message.take().or(message);
        }
        match (told.cost, told.unpriced) {
            (Some(cost), _) if told.calls == 1 && cost.source == CostSource::Provider => {
                Some(CostOutcome::Priced(cost))
            }
            (Some(cost), None) if bare && told.calls > 1 => Some(CostOutcome::Priced(cost)),
            (_, Some(why)) if bare && told.calls > 1 => Some(CostOutcome::Unknown(why)),
            _ => None,
        }
    }

    /// Remembers what a call inside another told, and makes an ordinary span of it.
    pub(crate) fn fold(
        &mut self,
        record: &mut Record,
        outcome: Option<CostOutcome>,
        totals: &RollUp,
        parts: &Books,
        limits: &Limits,
    ) {
        // One call told by three spans is told to each by the one inside it, else it would be added up in the outermost.
        let nesting = &record.nesting;
        let is_open = |call: &SpanId| totals.ended_call(*call).is_none();
        if let Some(outer) = [nesting.nearest, nesting.inside].into_iter().find(is_open) {
            let told = self.open.entry(outer).or_insert_with(|| {
                self.order.push_back(outer);
                Told::default()
            });
            told.add(record, outcome, limits);
            self.forget(parts);
        }
        demote(record, limits);
    }

    fn forget(&mut self, parts: &Books) {
        while self.open.len() > OPEN || self.order.len() > 2 * OPEN {
            let Some(oldest) = self.order.pop_front() else {
                break;
            };
            if self.open.remove(&oldest).is_some() {
                parts.lose(Loss::SpanLimits, 1);
            }
        }
    }
}

impl Told {
    fn add(&mut self, record: &Record, outcome: Option<CostOutcome>, limits: &Limits) {
        self.calls = self.calls.saturating_add(1);
        self.usage = self.usage.add(&builtin::usage(record));
        match outcome {
            Some(CostOutcome::Priced(cost)) => match &mut self.cost {
                Some(sum) => {
                    sum.total = sum.total.saturating_add(cost.total);
                    (sum.input, sum.output) = (None, None);
                    if sum.source != cost.source {
                        sum.source = CostSource::Table;
                    }
                }
                None => self.cost = Some(cost),
            },
            Some(CostOutcome::Unknown(why)) => self.unpriced = Some(why),
            None => {}
        }
        let fields = &record.fields;
        for name in FACTS {
            if let Some(value) = fields.get(name) {
                self.facts.set_value(*name, value.to_value(), limits);
            }
        }
        if let Some(waited) = fields
            .get(s::GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK)
            .and_then(FieldRef::as_number)
            .filter(|seconds| (0.0..1e9).contains(seconds))
        {
            self.first_chunk = Some(record.start.saturating_add((waited * 1e9) as Nanos));
        }
        self.error = failed(record).then(|| {
            let kind = fields.str(s::ERROR_TYPE);
            (
                kind.unwrap_or(s::error_type::OTHER).to_owned(),
                record.error_message.clone(),
            )
        });
    }
}

/// Names that make backends take a span for a model call.
const OF_A_CALL: &[&str] = &[
    s::GEN_AI_OPERATION_NAME,
    s::GEN_AI_REQUEST_MODEL,
    s::GEN_AI_RESPONSE_MODEL,
    s::GENAI_SUBJECT,
    s::GENAI_COST_SOURCE,
    s::GENAI_COST_UNKNOWN_REASON,
    s::GENAI_USAGE_UNKNOWN_REASON,
    s::GEN_AI_USAGE_COST,
    s::GEN_AI_USAGE_AUDIO_INPUT_TOKENS,
    s::GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS,
    s::LLM_MODEL,
    s::LLM_PROVIDER,
    s::LLM_TOKENS_USED,
    s::LLM_COST_USD,
    s::OTEL_KIND,
];

fn demote(record: &mut Record, limits: &Limits) {
    let fields = &mut record.fields;
    let model = [s::GEN_AI_RESPONSE_MODEL, s::GEN_AI_REQUEST_MODEL];
    let model = model
        .into_iter()
        .find_map(|name| fields.str(name))
        .map(str::to_owned);
    let operation = fields
        .str(s::GEN_AI_OPERATION_NAME)
        .unwrap_or(s::operation::CHAT)
        .to_owned();
    for name in OF_A_CALL.iter().chain(&USAGE) {
        fields.remove(name);
    }
    fields.set_str(s::GENAI_NESTED_OPERATION, &operation, limits);
    if let Some(model) = model {
        fields.set_str(s::GENAI_NESTED_MODEL, &model, limits);
    }
    record.subject = None;
}
