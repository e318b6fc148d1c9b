//! Events that come without a span of `tracing`: documents of other systems, and `log_event("LLM_call_start", …)`.
//!
//! Owns their place in a trace, and the starts that wait for their ends: the two together are an exported span.
//! Promise: bounded; an end without a start is a span all the same, a start without an end becomes one at shutdown.
//! Never: changes an id or a time that an event came with.

use std::collections::{HashMap, VecDeque};
use std::time::SystemTime;

use opentelemetry::trace::TraceState;
use opentelemetry::{SpanId, TraceId};
use opentelemetry_sdk::trace::IdGenerator;

use super::grave;
use crate::clock::Clock;
use crate::event::{Causality, EventData, EventId, Phase, Value};
use crate::record::{Fields, Identity, Limits, Moment, Outcome, Record, What};
use crate::semconv;

/// Starts that wait, and places remembered, at most. Beyond it the oldest start is exported as it stands.
const OPEN: usize = 4096;
const PLACES: usize = 16_384;

/// Attributes that name one execution: a start and an end with the same one belong together.
const CALL_IDS: [&str; 8] = [
    "llm.call_id",
    semconv::GEN_AI_TOOL_CALL_ID,
    "mcp.connection.id",
    "a2a.task.id",
    "scenario.run.id",
    semconv::WORKFLOW_RUN_ID,
    semconv::STEP_ID,
    "checkpoint.id",
];

/// Attributes that name a run: what carries the same one lies in one trace.
const RUN_IDS: [&str; 3] = [
    "scenario.run.id",
    semconv::WORKFLOW_RUN_ID,
    semconv::CORRELATION_ID,
];

/// Where an event comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// This process: its span, if it has one, is the one it was emitted in.
    Here,
    /// A document: its span, if it has one, is its own.
    Document,
}

#[derive(Debug, Default)]
pub(crate) struct Foreign {
    /// In the order they came.
    open: VecDeque<EventData>,
    places: HashMap<EventId, (TraceId, SpanId)>,
    order: VecDeque<EventId>,
}

/// What is to be done with an event that was given its place.
pub(crate) enum Placed {
    /// Nothing but to publish it.
    Started,
    /// It is to be published and logged.
    Moment,
    /// It ends a span, which began with the event inside, if that was seen.
    Ended(Option<Box<EventData>>),
}

impl Foreign {
    /// Gives the event its place in a trace, and finds the start it ends.
    pub(crate) fn place(
        &mut self,
        data: &mut EventData,
        origin: Origin,
        ids: &dyn IdGenerator,
    ) -> Placed {
        let lives = data.ty.subject().has_span();
        match &data.phase {
            Phase::Started if lives => {
                self.begin(data, origin, ids);
                self.open.push_back(data.clone());
                Placed::Started
            }
            phase if phase.is_terminal() && lives => {
                let Some(start) = self.take_start(data) else {
                    self.begin(data, origin, ids);
                    return Placed::Ended(None);
                };
                let cx = &mut data.cx;
                (cx.trace, cx.span, cx.parent_span) =
                    (start.cx.trace, start.cx.span, start.cx.parent_span);
                cx.parent_event = cx.parent_event.or(start.cx.parent_event);
                cx.started_event = Some(start.id);
                Placed::Ended(Some(Box::new(start)))
            }
            _ => {
                if origin == Origin::Document {
                    self.attach(data);
                }
                Placed::Moment
            }
        }
    }

    /// The oldest start, if there are too many.
    pub(crate) fn excess(&mut self) -> Option<EventData> {
        (self.open.len() > OPEN)
            .then(|| self.open.pop_front())
            .flatten()
    }

    /// The starts that found no end, the youngest first.
    pub(crate) fn rest(&mut self) -> impl Iterator<Item = EventData> + use<> {
        std::mem::take(&mut self.open).into_iter().rev()
    }

    fn begin(&mut self, data: &mut EventData, origin: Origin, ids: &dyn IdGenerator) {
        let cx = data.cx;
        let above = cx.parent_event.and_then(|id| self.places.get(&id)).copied();
        let mut trace = cx.trace;
        let mut parent = cx.parent_span;
        if let Some((of, span)) = above {
            (trace, parent) = (of, span);
        } else if origin == Origin::Here {
            parent = cx.span;
        } else {
            if trace == TraceId::INVALID {
                trace = run(data).unwrap_or(TraceId::INVALID);
            }
            if parent == SpanId::INVALID
                && let Some(around) = self.innermost(trace)
            {
                (parent, data.cx.parent_event) = (around.cx.span, Some(around.id));
            }
        }
        if trace == TraceId::INVALID {
            trace = ids.new_trace_id();
        }
        let own = origin == Origin::Document && cx.span != SpanId::INVALID;
        let span = if own { cx.span } else { ids.new_span_id() };
        (data.cx.trace, data.cx.span, data.cx.parent_span) = (trace, span, parent);
        if self.places.insert(data.id, (trace, span)).is_none() {
            self.order.push_back(data.id);
            if self.order.len() > PLACES
                && let Some(oldest) = self.order.pop_front()
            {
                self.places.remove(&oldest);
            }
        }
    }

    /// Puts a moment of a document into the span it says it belongs to, else into the innermost one open in its trace.
    fn attach(&self, data: &mut EventData) {
        let cx = &data.cx;
        let named = cx.started_event.or(cx.parent_event);
        if let Some((trace, span)) = named.and_then(|id| self.places.get(&id)).copied() {
            (data.cx.trace, data.cx.span) = (trace, span);
            return;
        }
        if data.cx.trace == TraceId::INVALID {
            data.cx.trace = run(data).unwrap_or(TraceId::INVALID);
        }
        if data.cx.span == SpanId::INVALID
            && let Some(around) = self.innermost(data.cx.trace)
        {
            let (span, parent, id) = (around.cx.span, around.cx.parent_span, around.id);
            (data.cx.span, data.cx.parent_span) = (span, parent);
            data.cx.parent_event = data.cx.parent_event.or(Some(id));
        }
    }

    fn innermost(&self, trace: TraceId) -> Option<&EventData> {
        let known = trace != TraceId::INVALID;
        self.open
            .iter()
            .rev()
            .find(|start| known && start.cx.trace == trace)
    }

    /// Takes the start that `end` ends: the one it names, the one of its span, the one of its call, else the latest of its
    /// subject that nothing speaks against.
    fn take_start(&mut self, end: &EventData) -> Option<EventData> {
        let subject = end.ty.subject();
        let last = |test: &dyn Fn(&EventData) -> bool| {
            self.open
                .iter()
                .rposition(|start| start.ty.subject() == subject && test(start))
        };
        let at = last(&|start| end.cx.started_event == Some(start.id))
            .or_else(|| {
                last(&|start| end.cx.span != SpanId::INVALID && end.cx.span == start.cx.span)
            })
            .or_else(|| last(&|start| agree(start, end, &CALL_IDS) == Some(true)))
            .or_else(|| {
                last(&|start| end.cx.started_event.is_none() && nothing_against(start, end))
            })?;
        self.open.remove(at)
    }
}

/// Whether the two say the same under these names; `None` where they have none in common.
fn agree(start: &EventData, end: &EventData, names: &[&str]) -> Option<bool> {
    names.iter().find_map(|name| {
        let (a, b) = (start.attr(name)?, end.attr(name)?);
        Some(a == b)
    })
}

fn nothing_against(start: &EventData, end: &EventData) -> bool {
    let traces = [start.cx.trace, end.cx.trace];
    let apart = traces[0] != traces[1] && !traces.contains(&TraceId::INVALID);
    let runs = run(start).zip(run(end)).is_some_and(|(a, b)| a != b);
    let name = end.ty.subject().span_name_key();
    !apart
        && !runs
        && agree(start, end, &CALL_IDS) != Some(false)
        && name.and_then(|name| agree(start, end, &[name])) != Some(false)
        && start.flavor == end.flavor
}

/// The trace of the run that the event says it belongs to: the same for the same run, in every process.
fn run(data: &EventData) -> Option<TraceId> {
    let attribute = RUN_IDS
        .iter()
        .find_map(|name| data.attr(name).and_then(Value::as_str));
    let id = attribute.or(data.who.correlation_id.as_deref())?;
    // FNV-1a of 128 bits: no secret, but the same everywhere and always.
    let hash = id.bytes().fold(
        0x6c62_272e_07bb_0142_62b8_2175_6295_c58d_u128,
        |hash, byte| {
            (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013b)
        },
    );
    Some(TraceId::from(hash.max(1)))
}

// === from events to records ===

/// The span of a start and its end, either of which may be missing.
pub(crate) fn span(
    start: Option<&EventData>,
    end: Option<&EventData>,
    now: SystemTime,
    clock: &Clock,
    limits: &Limits,
) -> Record {
    let mut record = Record::default();
    for data in [start, end].into_iter().flatten() {
        fill(&mut record.fields, data, limits);
        record.subject = Some(data.ty.subject());
        record.id = identity(&data.cx);
        record.around = data.cx.parent_span;
    }
    let ended = end.map_or(now, |end| end.time);
    let lasted = end.and_then(|end| end.duration).unwrap_or_default();
    record.end = clock.at(ended);
    record.start = match start {
        Some(start) => clock.at(start.time).min(record.end),
        None => record
            .end
            .saturating_sub(u64::try_from(lasted.as_nanos()).unwrap_or(u64::MAX))
            .max(1),
    };
    record.outcome = match end.map(|end| &end.phase) {
        None => Outcome::Interrupted,
        Some(Phase::Failed | Phase::Blocked) => Outcome::Failed,
        Some(Phase::Canceled) => Outcome::Canceled,
        Some(_) => Outcome::Completed,
    };
    if let Some(outcome @ ("blocked" | "paused")) = end.and_then(|end| end.phase.outcome()) {
        record
            .fields
            .set_str(semconv::GENAI_OUTCOME, outcome, limits);
    }
    if let Some(error) = end.and_then(|end| end.error.as_ref()) {
        record
            .fields
            .set_str(semconv::ERROR_TYPE, &error.kind, limits);
        record.error_message = error.message.as_deref().map(str::to_owned);
    }
    record
}

/// The log record of a moment, and the moment at the level its facts give it.
pub(crate) fn moment(data: &mut EventData, clock: &Clock, limits: &Limits) -> Record {
    let mut record = Record {
        what: What::Moment,
        subject: Some(data.ty.subject()),
        id: identity(&data.cx),
        start: clock.at(data.time),
        end: clock.at(data.time),
        ..Record::default()
    };
    fill(&mut record.fields, data, limits);
    if let Some(error) = &data.error {
        record
            .fields
            .set_str(semconv::ERROR_TYPE, &error.kind, limits);
    }
    data.level = grave::level(&data.ty, data.level, &record.fields);
    record.moment = Some(Moment {
        ty: Some(data.ty.clone()),
        level: Some(data.level),
        body: data.body.as_ref().map(|body| Box::new(body.0.clone())),
        ..Moment::new(data.ty.to_string())
    });
    record
}

fn fill(fields: &mut Fields, data: &EventData, limits: &Limits) {
    for (name, value) in data.attrs.iter() {
        fields.set_value(name.to_owned(), value.clone(), limits);
    }
    let who = &data.who;
    for (name, value) in [
        (semconv::GEN_AI_AGENT_NAME, &who.agent_name),
        (semconv::GEN_AI_AGENT_ID, &who.agent_id),
        (semconv::STEP_NAME, &who.step_name),
        (semconv::SESSION_ID, &who.session_id),
        (semconv::GEN_AI_CONVERSATION_ID, &who.conversation_id),
        (semconv::CORRELATION_ID, &who.correlation_id),
    ] {
        if let Some(value) = value
            && fields.get(name).is_none()
        {
            fields.set_str(name, value, limits);
        }
    }
    if !data.flavor.is_none() {
        fields.set_str(semconv::GENAI_FLAVOR, data.flavor.as_str(), limits);
    }
}

fn identity(cx: &Causality) -> Identity {
    Identity {
        trace: cx.trace,
        span: cx.span,
        parent: cx.parent_span,
        sampled: true,
        trace_state: TraceState::NONE,
        started_event: cx.started_event.map_or(0, EventId::as_u128),
        parent_event: cx.parent_event.map_or(0, EventId::as_u128),
        ..Identity::NONE
    }
}
