//! What every span gets without being asked: one spelling of provider and tokens, what it inherits, time to the first
//! chunk, cost, the four plain names, and the totals of what lies below it.
//!
//! Promise: token counts are integers, input includes what came from a cache; an unknown cost is absent and says why;
//! totals never use the names of a single call's usage, so that no backend adds them twice.

use std::sync::Arc;

use opentelemetry::SpanId;

use super::dialect::Allowed;
use super::dialect::translate::translate;
use super::usage::take_reported;
use super::{
    CostModel, CostOutcome, ModelAliases, PricedCall, Role, RollUp, Totals, UnknownCost, Usd,
    names, reported_cost,
};
use crate::clock::Clock;
use crate::contain::contain;
use crate::event::{Kind, SpanKind, Subject, Usage, Value};
use crate::pipeline::events::failed;
use crate::pipeline::names::span_kind;
#[cfg(feature = "viewer")]
use crate::record::What;
use crate::record::{FieldRef, Limits, Outcome, Record};
use crate::semconv;
use crate::stats::{Books, Loss};

/// The names of the token counts, with what they count.
pub(crate) const USAGE: [&str; 5] = [
    semconv::GEN_AI_USAGE_INPUT_TOKENS,
    semconv::GEN_AI_USAGE_OUTPUT_TOKENS,
    semconv::GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    semconv::GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
    semconv::GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
];

/// Whether the span is a model call.
pub(crate) fn is_inference(record: &Record) -> bool {
    record
        .subject
        .is_some_and(|subject| subject.kind() == Kind::Llm)
}

/// Whether the span counts as a call of a model: one that was made, and is no part of another one of its kind.
pub(crate) fn counts_as_call(record: &Record) -> bool {
    is_inference(record) && record.fields.str(semconv::GENAI_OUTCOME) != Some("blocked")
}

/// Whether the span counts as a call of a tool: one that is called over MCP does where it has no span of its own around the call. Its
/// server's span is no second call.
pub(crate) fn counts_as_tool(record: &Record) -> bool {
    record.subject.map(Subject::kind) == Some(Kind::Tool)
        || (record.subject == Some(Subject::MCP_TOOL) && span_kind(record) != SpanKind::Server)
}

/// Brings a span that started or ended to one spelling.
pub(crate) fn normalise(record: &mut Record, allowed: Allowed, limits: &Limits) {
    translate(record, allowed, limits);
    if let Some(given) = record.fields.str(semconv::GEN_AI_PROVIDER_NAME) {
        let name = names::provider(given).to_owned();
        if name != given {
            record
                .fields
                .set_str(semconv::GEN_AI_PROVIDER_NAME, &name, limits);
        }
    }
    inherit(record, limits);
}

/// Sets the attributes of the scope it began in, where it says nothing itself.
pub(crate) fn fill_scope(record: &mut Record, limits: &Limits) {
    if let Some(scope) = record
        .inherited
        .as_ref()
        .and_then(|above| above.scope.as_ref())
    {
        record.fields.fill_from(&scope.fields, limits);
    }
}

fn inherit(record: &mut Record, limits: &Limits) {
    let (Some(subject), Some(above)) = (record.subject, record.inherited.clone()) else {
        return;
    };
    // A step has no use for the attribute: the agent above it says it.
    let agent = above
        .agent_name
        .as_deref()
        .filter(|_| subject != Subject::STEP && subject != Subject::WORKFLOW);
    for (name, value) in [
        (semconv::GEN_AI_AGENT_NAME, agent),
        (
            semconv::GEN_AI_CONVERSATION_ID,
            above.conversation_id.as_deref(),
        ),
        (semconv::SESSION_ID, above.session_id.as_deref()),
    ] {
        if let Some(value) = value
            && record.fields.get(name).is_none()
        {
            record.fields.set_str(name, value, limits);
        }
    }
    fill_scope(record, limits);
}

/// The token counts on the span.
pub(crate) fn usage(record: &Record) -> Usage {
    let count = |name: &str| record.fields.get(name).and_then(FieldRef::as_count);
    let [input, output, cache_read, cache_write, reasoning] = USAGE.map(count);
    let mut usage = Usage::new();
    usage.input_tokens = input;
    usage.output_tokens = output;
    usage.cache_read_tokens = cache_read;
    usage.cache_write_tokens = cache_write;
    usage.reasoning_tokens = reasoning;
    usage
}

/// What model calls are priced by.
pub(crate) struct Prices {
    pub(crate) model: Arc<dyn CostModel>,
    pub(crate) aliases: ModelAliases,
}

impl Prices {
    /// The bundled table, or without the feature `pricing` none.
    pub(crate) fn default_model() -> Arc<dyn CostModel> {
        #[cfg(feature = "pricing")]
        return Arc::new(super::PriceTable::bundled());
        #[cfg(not(feature = "pricing"))]
        return Arc::new(|_: &PricedCall<'_>| CostOutcome::Unknown(UnknownCost::TableUnavailable));
    }
}

/// What a model call cost, written onto it, with the plain names: `settled`, where that is known already. A cost model that
/// panics leaves the cost unknown and is counted in `parts`.
pub(crate) fn price(
    record: &mut Record,
    settled: Option<CostOutcome>,
    prices: &Prices,
    clock: &Clock,
    parts: &Books,
    limits: &Limits,
) -> CostOutcome {
    if record.chunks.count > 0
        && record
            .fields
            .get(semconv::GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK)
            .is_none()
    {
        let waited = record.chunks.first.saturating_sub(record.start) as f64 / 1e9;
        record
            .fields
            .set_f64(semconv::GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK, waited, limits);
    }
    let usage = usage(record);
    let text = |name: &str| record.fields.str(name);
    let asked = text(semconv::GEN_AI_REQUEST_MODEL);
    let model = text(semconv::GEN_AI_RESPONSE_MODEL).or(asked);
    let told = reported_cost(|name| record.fields.get(name).and_then(FieldRef::as_number));
    let outcome = match (told, model) {
        (Some(cost), _) => CostOutcome::Priced(cost),
        _ if settled.is_some() => settled.unwrap_or(CostOutcome::Unknown(UnknownCost::NoUsage)),
        (None, None) => CostOutcome::Unknown(UnknownCost::UnknownModel),
        (None, Some(model)) => {
            let mut call = PricedCall::new(
                prices.aliases.resolve(model),
                usage,
                clock.system_time(record.start),
            );
            call.provider = text(semconv::GEN_AI_PROVIDER_NAME);
            call.request_model = asked.map(|asked| prices.aliases.resolve(asked));
            call.service_tier = text(semconv::OPENAI_RESPONSE_SERVICE_TIER);
            contain(|| prices.model.price(&call)).unwrap_or_else(|| {
                parts.lose(Loss::Hook, 1);
                CostOutcome::Unknown(UnknownCost::ModelFailed)
            })
        }
    };
    let cost = write_cost(record, &outcome, limits);
    write_plain_names(record, usage, cost, limits);
    outcome
}

fn write_cost(record: &mut Record, outcome: &CostOutcome, limits: &Limits) -> Option<Usd> {
    let fields = &mut record.fields;
    match outcome {
        CostOutcome::Priced(cost) => {
            fields.set_f64(semconv::GEN_AI_USAGE_COST, cost.total.as_f64(), limits);
            fields.set_str(semconv::GENAI_COST_SOURCE, cost.source.as_str(), limits);
            Some(cost.total)
        }
        CostOutcome::Unknown(reason) => {
            fields.remove(semconv::GEN_AI_USAGE_COST);
            fields.set_str(semconv::GENAI_COST_UNKNOWN_REASON, reason.as_str(), limits);
            None
        }
    }
}

fn write_plain_names(record: &mut Record, usage: Usage, cost: Option<Usd>, limits: &Limits) {
    let fields = &mut record.fields;
    let model = fields
        .str(semconv::GEN_AI_RESPONSE_MODEL)
        .or_else(|| fields.str(semconv::GEN_AI_REQUEST_MODEL));
    let model = model.map(Value::from);
    let provider = fields.str(semconv::GEN_AI_PROVIDER_NAME).map(Value::from);
    let tokens = usage
        .total()
        .and_then(|n| i64::try_from(n).ok())
        .map(Value::I64);
    for (name, value) in [
        (semconv::LLM_MODEL, model),
        (semconv::LLM_PROVIDER, provider),
        (semconv::LLM_TOKENS_USED, tokens),
        (
            semconv::LLM_COST_USD,
            cost.map(|cost| Value::F64(cost.as_f64())),
        ),
    ] {
        if let Some(value) = value {
            fields.set_value(name, value, limits);
        }
    }
}

/// Adds the span to the totals of what lies around it, and writes the totals of what lay below it.
pub(crate) fn roll_up(
    record: &mut Record,
    cost: Option<Usd>,
    totals: &mut RollUp,
    limits: &Limits,
) {
    let reported = take_reported(record);
    let (role, own) = part(record, cost);
    let around = (record.around != SpanId::INVALID).then_some(record.around);
    let (whole, taken) = totals.end_reporting(record.id.span, around, role, own, &reported);
    // What a step or a call inside a call tells is the outer call's.
    let inside = record.nesting.inside != SpanId::INVALID;
    let counts = role == Role::Scope || !inside;
    record.stood_in = stood_in(taken).filter(|_| counts);
    let kind = record.subject.map(Subject::kind);
    let sums = matches!(kind, Some(Kind::Agent | Kind::Workflow | Kind::Step));
    if (sums || !reported.is_none()) && !whole.is_none() {
        write_totals(record, &whole, limits);
    }
}

/// What a span is to the totals around it, and what it did itself.
fn part(record: &Record, cost: Option<Usd>) -> (Role, Totals) {
    let kind = record.subject.map(Subject::kind);
    match kind {
        // A call that was not made used nothing.
        Some(Kind::Llm) if !counts_as_call(record) => (Role::Scope, Totals::NONE),
        // A call of another kind than the one around it is no part of that.
        Some(Kind::Llm) if apart(record) => (Role::Scope, Totals::model_call(usage(record), cost)),
        Some(Kind::Llm) => (Role::ModelCall, Totals::model_call(usage(record), cost)),
        _ if counts_as_tool(record) => (Role::Scope, Totals::tool_call(failed(record))),
        Some(Kind::Agent | Kind::Workflow) => (Role::Scope, Totals::NONE),
        _ => (Role::Plain, Totals::NONE),
    }
}

/// Finds out again what stood in for what in the totals of a span that was exported by an earlier process: those that end before it
/// come first.
#[cfg(feature = "viewer")]
pub(crate) fn roll_up_again(record: &mut Record, totals: &mut RollUp) {
    let cost = |name: &str| {
        let number = record.fields.get(name).and_then(FieldRef::as_number);
        number.and_then(Usd::from_f64)
    };
    let count = |name: &str| record.fields.get(name).and_then(FieldRef::as_count);
    if record.what != What::Ended {
        return;
    }
    let mut told = Totals::NONE;
    told.usage.input_tokens = count(semconv::GEN_AI_AGGREGATED_USAGE_INPUT_TOKENS);
    told.usage.output_tokens = count(semconv::GEN_AI_AGGREGATED_USAGE_OUTPUT_TOKENS);
    told.cost = cost(semconv::GEN_AI_AGGREGATED_USAGE_COST);
    let (role, own) = part(record, cost(semconv::GEN_AI_USAGE_COST));
    let around = (record.around != SpanId::INVALID).then_some(record.around);
    let (_, taken) = totals.end_reporting(record.id.span, around, role, own, &told);
    record.stood_in = stood_in(taken);
}

fn stood_in(taken: Totals) -> Option<Box<Totals>> {
    let told = taken.cost.is_some() || taken.usage != Usage::new();
    told.then(|| Box::new(taken))
}

fn apart(record: &Record) -> bool {
    let nesting = &record.nesting;
    nesting.inside != SpanId::INVALID && !nesting.is_inner()
}

fn write_totals(record: &mut Record, totals: &Totals, limits: &Limits) {
    let count = |n: u64| Some(Value::from(n));
    // Tokens without a call: somebody reported their sum, and how many calls they were nobody knows.
    let calls = Some(totals.calls).filter(|calls| *calls > 0 || totals.usage.total().is_none());
    let cost = totals.cost.map(|cost| Value::F64(cost.as_f64()));
    for (name, value) in [
        (semconv::LLM_TOTAL_CALLS, calls.and_then(count)),
        (
            semconv::LLM_TOTAL_TOKENS,
            totals.usage.total().map(Value::from),
        ),
        (semconv::LLM_TOTAL_COST_USD, cost.clone()),
        (semconv::LLM_TOTAL_TOOL_CALLS, count(totals.tool_calls)),
        (semconv::LLM_TOTAL_TOOL_ERRORS, count(totals.tool_errors)),
        (
            semconv::GEN_AI_AGGREGATED_USAGE_INPUT_TOKENS,
            totals.usage.input_tokens.map(Value::from),
        ),
        (
            semconv::GEN_AI_AGGREGATED_USAGE_OUTPUT_TOKENS,
            totals.usage.output_tokens.map(Value::from),
        ),
        (semconv::GEN_AI_AGGREGATED_USAGE_COST, cost),
    ] {
        if let Some(value) = value {
            record.fields.set_value(name, value, limits);
        }
    }
    // A sum that leaves calls out must say so.
    if totals.calls > 0 && !totals.cost_complete {
        record
            .fields
            .set_bool(semconv::LLM_TOTAL_COST_COMPLETE, false, limits);
    }
}

/// What an interrupted span carries.
pub(crate) fn mark_interrupted(record: &mut Record, limits: &Limits) {
    if record.outcome == Outcome::Interrupted {
        record
            .fields
            .set_bool(semconv::GENAI_INTERRUPTED, true, limits);
    }
}
