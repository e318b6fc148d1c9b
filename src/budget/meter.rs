//! Counting calls, on the telemetry thread.
//!
//! Promise: each model call counts once, when it, or the call it is a part of, has ended; when the meter goes, however the
//! thread ended, everyone who waits is woken.

use std::sync::Arc;

use opentelemetry::SpanId;

use super::Ledger;
use super::account::News;
use super::events::Told;
use crate::clock::Clock;
use crate::contain::contain;
use crate::enrich::builtin::{is_inference, usage};
use crate::enrich::{Role, RollUp, Totals, Usd};
use crate::event::{Kind, Subject};
use crate::record::{Limits, Record};
use crate::semconv;

/// Open calls with calls inside them, and calls that ended lately, that are remembered: as many as metrics do.
const REMEMBERED: usize = RollUp::DEFAULT_CAPACITY / 4;

/// The one who pays: not a span, and so never ended. What arrives below it is to be counted.
const PAYER: SpanId = SpanId::from_bytes([0xff; 8]);

/// Adds calls to accounts.
#[derive(Debug)]
pub(crate) struct Meter {
    ledger: Arc<Ledger>,
    /// Carries calls inside calls to the outer one. Outermost calls lie below [`PAYER`], whatever else is around them.
    calls: RollUp,
    told: Vec<Told>,
}

impl Meter {
    pub(crate) fn new(ledger: Arc<Ledger>) -> Self {
        Self {
            ledger,
            calls: RollUp::with_capacity(REMEMBERED),
            told: Vec::new(),
        }
    }

    /// Takes in a span that ended, with its cost if it is a model call.
    pub(crate) fn ended(&mut self, record: &Record, cost: Option<Usd>) {
        if self.ledger.is_empty() {
            return;
        }
        // Also a call that ends after the one around it, and is told as its own then.
        let inside = record.nesting.is_inner() && record.around != SpanId::INVALID;
        let around = if inside { record.around } else { PAYER };
        let kind = record.subject.map(Subject::kind);
        if is_inference(record) {
            if record.fields.str(semconv::GENAI_OUTCOME) == Some("blocked") {
                return;
            }
            let own = Totals::model_call(usage(record), cost);
            self.calls
                .end(record.id.span, Some(around), Role::ModelCall, own);
        } else if inside && !matches!(kind, Some(Kind::Agent | Kind::Tool | Kind::Workflow)) {
            // On the way from a call to the call around it.
            self.calls
                .end(record.id.span, Some(around), Role::Plain, Totals::NONE);
        } else {
            return;
        }
        let more = self.calls.take(PAYER);
        if more.is_none() {
            return;
        }
        for (account, news, spent) in self.ledger.spend(record, &more) {
            self.told.push(Told::new(&account, news, spent));
            if matches!(news, News::Exceeded(_)) {
                // Wakers are foreign code: a panic in one costs neither this record nor the other accounts.
                let _ = contain(|| account.wake());
            }
        }
    }

    /// What the call that was taken in last led to: moments in its span.
    pub(crate) fn moments(&mut self, call: &Record, clock: &Clock) -> Vec<Record> {
        if self.told.is_empty() {
            return Vec::new();
        }
        let now = clock.now();
        let told = self.told.drain(..);
        told.map(|told| {
            let mut moment = call.moment_in(told.ty, now);
            if let Some(moment) = &mut moment.moment {
                moment.level = told.level;
            }
            let fields = &mut moment.fields;
            for (name, value) in told.attrs.iter() {
                fields.set_value(name.to_owned(), value.clone(), &Limits::DEFAULT);
            }
            if let Some(channel) = told.channel {
                fields.set_str(semconv::GENAI_CHANNEL, channel, &Limits::DEFAULT);
            }
            for name in [semconv::SESSION_ID, semconv::USER_ID] {
                if let Some(id) = call.fields.str(name) {
                    fields.set_str(name, id, &Limits::DEFAULT);
                }
            }
            moment
        })
        .collect()
    }
}

impl Default for Meter {
    fn default() -> Self {
        Self::new(Arc::default())
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.ledger.closed.cancel();
    }
}
