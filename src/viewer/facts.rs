//! What is read off a record once: the few facts that rows, runs and totals are made of.
//!
//! Promise: the numbers are the exported span's; each call and tool counts as it does in the exported totals.

use std::sync::Arc;

use crate::clock::Clock;
use crate::enrich::{Usd, builtin};
use crate::event::{Kind, Phase, Usage};
use crate::pipeline::events::{failed, phase};
use crate::record::{FieldRef, Record, What};
use crate::semconv as s;

/// The kind of a span that is no subject of ours.
pub(super) const PLAIN: &str = "span";

#[derive(Debug, Clone)]
pub(super) struct Facts {
    pub(super) kind: &'static str,
    pub(super) status: &'static str,
    pub(super) start: u64,
    /// Microseconds; while it is open, where it begins.
    pub(super) end: u64,
    pub(super) open: bool,
    /// A call that counts: no part of another one, and made.
    pub(super) call: bool,
    /// It is told a second time: the call around it ended first, and knew no usage.
    pub(super) again: bool,
    pub(super) tool: bool,
    pub(super) usage: Usage,
    pub(super) cost: Option<Usd>,
    pub(super) model: Option<Arc<str>>,
    pub(super) provider: Option<Arc<str>>,
    pub(super) agent: Option<Arc<str>>,
    /// Microseconds.
    pub(super) first_chunk: Option<u64>,
}

impl Facts {
    pub(super) fn of(record: &Record, clock: &Clock) -> Self {
        let text = |name: &str| record.fields.str(name).filter(|text| !text.is_empty());
        let number = |name: &str| record.fields.get(name).and_then(FieldRef::as_number);
        let kind = record.subject.map(|subject| subject.kind());
        let open = record.what == What::Started;
        let start = clock.unix_nanos(record.start) / 1_000;
        let end = if open {
            start
        } else {
            clock.unix_nanos(record.end) / 1_000
        };
        let inherited = record.inherited.as_deref();
        Self {
            kind: kind.map_or(PLAIN, Kind::as_str),
            status: if open { "open" } else { status(record) },
            start,
            end: end.max(start),
            open,
            call: builtin::counts_as_call(record),
            again: record.nesting.is_inner(),
            tool: builtin::counts_as_tool(record),
            usage: builtin::usage(record),
            cost: number(s::GEN_AI_USAGE_COST).and_then(Usd::from_f64),
            model: text(s::GEN_AI_RESPONSE_MODEL)
                .or_else(|| text(s::GEN_AI_REQUEST_MODEL))
                .map(Arc::from),
            provider: text(s::GEN_AI_PROVIDER_NAME).map(Arc::from),
            agent: text(s::GEN_AI_AGENT_NAME)
                .map(Arc::from)
                .or_else(|| inherited?.agent_name.clone()),
            first_chunk: number(s::GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK)
                .filter(|seconds| (0.0..1e9).contains(seconds))
                .map(|seconds| (seconds * 1e6).round() as u64),
        }
    }

    pub(super) fn failed(&self) -> bool {
        self.status == "failed"
    }

    pub(super) fn lasted(&self) -> u64 {
        self.end - self.start
    }
}

/// How it ended.
fn status(record: &Record) -> &'static str {
    match phase(record) {
        Phase::Blocked => "blocked",
        Phase::Paused => "paused",
        Phase::Failed => "failed",
        Phase::Canceled => "canceled",
        _ => "completed",
    }
}

/// The class of what went wrong.
pub(super) fn error_type(record: &Record) -> Option<&str> {
    let told = record.fields.str(s::ERROR_TYPE);
    told.or_else(|| failed(record).then_some(s::error_type::OTHER))
}
