//! What spans add up to: of a run, and of a model.
//!
//! Promise: a run adds up to the totals its agents are exported with: a call told by several nested spans counts once, because the
//! exported spans carry its usage once, and sums that somebody reported count where no call told them; money is added exactly.

use std::collections::HashMap;
use std::sync::Arc;

use super::model::{Model, Span};
use super::rows::ModelRow;
use crate::enrich::Usd;
use crate::event::Usage;

/// Calls, tools, tokens and cost.
#[derive(Debug, Default, Clone)]
pub(super) struct Sums {
    pub(super) spans: u64,
    pub(super) open: u64,
    pub(super) errors: u64,
    pub(super) calls: u64,
    pub(super) tools: u64,
    pub(super) usage: Usage,
    pub(super) cost: Option<Usd>,
    /// The cost of some call is not known.
    pub(super) partial: bool,
    pub(super) alerts: u64,
}

impl Sums {
    pub(super) fn add(&mut self, span: &Span) {
        let facts = &span.facts;
        self.spans += 1;
        self.open += u64::from(facts.open);
        self.errors += u64::from(facts.failed());
        self.alerts += span.alerts();
        if facts.open {
            return;
        }
        self.tools += u64::from(facts.tool);
        let stood_in = span.record.stood_in.as_deref();
        if let Some(totals) = stood_in {
            add_usage(&mut self.usage, &totals.usage);
            add_cost(&mut self.cost, totals.cost);
        }
        if facts.call {
            self.calls += u64::from(!facts.again);
            add_usage(&mut self.usage, &facts.usage);
            let known =
                stood_in.is_some_and(|totals| totals.cost.is_some() && totals.cost_complete);
            self.partial |= facts.cost.is_none() && !known;
            add_cost(&mut self.cost, facts.cost);
        }
    }
}

fn add_usage(sum: &mut Usage, more: &Usage) {
    for (sum, more) in [
        (&mut sum.input_tokens, more.input_tokens),
        (&mut sum.output_tokens, more.output_tokens),
        (&mut sum.cache_read_tokens, more.cache_read_tokens),
        (&mut sum.reasoning_tokens, more.reasoning_tokens),
    ] {
        if let Some(more) = more {
            *sum = Some(sum.unwrap_or(0).saturating_add(more));
        }
    }
}

fn add_cost(sum: &mut Option<Usd>, more: Option<Usd>) {
    if let Some(more) = more {
        *sum = Some(sum.unwrap_or(Usd::ZERO).saturating_add(more));
    }
}

#[derive(Default)]
struct Tally {
    calls: u64,
    errors: u64,
    usage: Usage,
    cost: Option<Usd>,
    unpriced: u64,
    lasted: u64,
    first_chunks: u64,
    streamed: u64,
}

/// The calls that ended, by model and provider; the most expensive first.
pub(super) fn by_model(model: &Model) -> Vec<ModelRow> {
    let mut tallies: HashMap<(Arc<str>, Arc<str>), Tally> = HashMap::new();
    let spans = model.runs.values().flat_map(|run| run.spans.values());
    for facts in spans
        .map(|span| &span.facts)
        .filter(|facts| facts.call && !facts.open)
    {
        let name = |name: &Option<Arc<str>>| name.clone().unwrap_or_default();
        let tally = tallies
            .entry((name(&facts.model), name(&facts.provider)))
            .or_default();
        tally.calls += u64::from(!facts.again);
        tally.errors += u64::from(facts.failed());
        add_usage(&mut tally.usage, &facts.usage);
        add_cost(&mut tally.cost, facts.cost);
        tally.unpriced += u64::from(facts.cost.is_none());
        tally.lasted = tally.lasted.saturating_add(facts.lasted());
        if let Some(first) = facts.first_chunk {
            tally.first_chunks = tally.first_chunks.saturating_add(first);
            tally.streamed += 1;
        }
    }
    let mut rows: Vec<ModelRow> = tallies
        .into_iter()
        .map(|((model, provider), tally)| ModelRow {
            model: model.as_ref().to_owned(),
            provider: provider.as_ref().to_owned(),
            calls: tally.calls,
            errors: tally.errors,
            input: tally.usage.input_tokens,
            output: tally.usage.output_tokens,
            cached: tally.usage.cache_read_tokens,
            reasoning: tally.usage.reasoning_tokens,
            cost: tally.cost.map(Usd::as_f64),
            unpriced: tally.unpriced,
            duration: tally.lasted,
            ttfc: tally.first_chunks.checked_div(tally.streamed),
            ttfc_calls: tally.streamed,
        })
        .collect();
    rows.sort_by(|a, b| {
        let cost = |row: &ModelRow| row.cost.unwrap_or(0.0);
        let name = |row: &ModelRow| (row.model.clone(), row.provider.clone());
        cost(b)
            .total_cmp(&cost(a))
            .then_with(|| name(a).cmp(&name(b)))
    });
    rows
}
