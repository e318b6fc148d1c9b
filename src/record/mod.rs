//! The record: the one truth about something that happened, from which every outlet reads.
//!
//! A record is filled on the application's thread by copying, travels through the queue to the telemetry thread, is
//! enriched there, read by the bus, the metrics, the console and the exporters, then cleared and used again.
//! Never: parses, prices, scans or sends; holds no lock and no reference into the subscriber.

pub(crate) mod cut;
mod field_ref;
mod fields;
mod limits;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use opentelemetry::trace::{SpanContext, TraceFlags, TraceState};
use opentelemetry::{SpanId, TraceId};
use tracing::Metadata;

use crate::clock::Nanos;
use crate::event::{EventType, Flavor, Level, Subject, alias, json_bytes};
pub(crate) use field_ref::FieldRef;
pub(crate) use fields::Fields;
pub(crate) use limits::Limits;

use crate::enrich::Totals;
use crate::enrich::dialect::Site;
use crate::semconv;

/// Who a span is, fixed once.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) trace: TraceId,
    pub(crate) span: SpanId,
    /// [`SpanId::INVALID`] for a root.
    pub(crate) parent: SpanId,
    pub(crate) parent_remote: bool,
    pub(crate) sampled: bool,
    pub(crate) trace_state: TraceState,
    /// The id of the span's started event, zero where nobody wanted one.
    pub(crate) started_event: u128,
    /// The id of the parent's started event, zero for none.
    pub(crate) parent_event: u128,
}

impl Identity {
    pub(crate) const NONE: Self = Self {
        trace: TraceId::INVALID,
        span: SpanId::INVALID,
        parent: SpanId::INVALID,
        parent_remote: false,
        sampled: false,
        trace_state: TraceState::NONE,
        started_event: 0,
        parent_event: 0,
    };

    /// Whether it is fixed. Before, only what it takes from its parent is known.
    pub(crate) fn is_fixed(&self) -> bool {
        self.span != SpanId::INVALID
    }

    /// Takes over from the parent what a child does.
    pub(crate) fn inherit(&mut self, parent: &Self) {
        self.trace = parent.trace;
        self.parent = parent.span;
        self.sampled = parent.sampled;
        self.trace_state.clone_from(&parent.trace_state);
        self.parent_event = parent.started_event;
    }

    /// What a child of a span of another's takes from it.
    pub(crate) fn child_of(parent: &SpanContext) -> Self {
        Self {
            trace: parent.trace_id(),
            parent: parent.span_id(),
            parent_remote: parent.is_remote(),
            sampled: parent.is_sampled(),
            trace_state: parent.trace_state().clone(),
            ..Self::NONE
        }
    }

    /// The parent of a span whose identity is not fixed, as it was taken over from it.
    pub(crate) fn parent_context(&self) -> Option<SpanContext> {
        (self.parent != SpanId::INVALID).then(|| {
            SpanContext::new(
                self.trace,
                self.parent,
                self.flags(),
                self.parent_remote,
                self.trace_state.clone(),
            )
        })
    }

    pub(crate) fn flags(&self) -> TraceFlags {
        if self.sampled {
            TraceFlags::SAMPLED
        } else {
            TraceFlags::NOT_SAMPLED
        }
    }

    pub(crate) fn context(&self) -> SpanContext {
        SpanContext::new(
            self.trace,
            self.span,
            self.flags(),
            false,
            self.trace_state.clone(),
        )
    }
}

impl Default for Identity {
    fn default() -> Self {
        Self::NONE
    }
}

/// What children take over from the spans around them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Inherited {
    pub(crate) agent_name: Option<Arc<str>>,
    pub(crate) conversation_id: Option<Arc<str>>,
    pub(crate) session_id: Option<Arc<str>>,
    /// The scope it began in.
    pub(crate) scope: Option<Arc<Around>>,
}

/// What is the same for everything that begins in a scope.
#[derive(Debug, Clone, Default)]
pub(crate) struct Around {
    pub(crate) fields: Fields,
    pub(crate) cause: Option<Cause>,
}

/// The event that was named as what set something off.
#[derive(Debug, Clone)]
pub(crate) struct Cause {
    pub(crate) event: u128,
    /// Its span, where that is known: what spans link.
    pub(crate) span: Option<SpanContext>,
}

/// How a span ended, as far as the application's thread could tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Outcome {
    /// It closed, and nobody said how: completed, unless its attributes say otherwise.
    #[default]
    Closed,
    Completed,
    Failed,
    /// Dropped before its end.
    Canceled,
    /// Still open when the instance shut down.
    Interrupted,
}

/// What a record tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum What {
    /// A span began.
    Started,
    /// A span ended.
    #[default]
    Ended,
    /// Something happened inside a span, or outside any.
    Moment,
}

/// An event inside a span: its attributes are the entries `from..to` of [`Record::event_fields`].
#[derive(Debug, Clone, Copy)]
pub(crate) struct SpanEvent {
    pub(crate) at: Nanos,
    /// The call site's own name; an event with a message is called by that.
    pub(crate) name: &'static str,
    pub(crate) from: u32,
    pub(crate) to: u32,
}

/// When the pieces of a streamed answer came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chunks {
    pub(crate) first: Nanos,
    pub(crate) last: Nanos,
    pub(crate) count: u64,
    /// Nanoseconds between one piece and the next, for the metric; no more than [`Chunks::KEPT`] of them.
    pub(crate) gaps: Vec<u64>,
}

impl Chunks {
    /// 16 KiB a stream at most; a stream of more pieces keeps its count and its first gaps.
    pub(crate) const KEPT: usize = 2048;

    pub(crate) fn arrived(&mut self, at: Nanos) {
        if self.count == 0 {
            self.first = at;
        } else if self.gaps.len() < Self::KEPT {
            self.gaps.push(at.saturating_sub(self.last));
        }
        self.last = at;
        self.count += 1;
    }

    fn clear(&mut self) {
        self.gaps.clear();
        (self.first, self.last, self.count) = (0, 0, 0);
    }
}

/// What kind of model call a span is, as far as nesting goes: one call told twice is told as the same kind both times.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Call {
    /// No model call.
    #[default]
    None,
    /// A model generates, under whichever operation.
    Generation,
    Embeddings,
    /// Anything else a model is called for.
    Other,
}

/// A model call and the one around it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nesting {
    pub(crate) call: Call,
    /// The outermost model call it lies in, agents and tools between them not counted; [`SpanId::INVALID`] for none.
    pub(crate) inside: SpanId,
    /// The nearest call it lies in: itself a part of the outermost one, or that.
    pub(crate) nearest: SpanId,
    /// What kind of call the outermost one is.
    pub(crate) inside_call: Call,
}

impl Nesting {
    pub(crate) const NONE: Self = Self {
        call: Call::None,
        inside: SpanId::INVALID,
        nearest: SpanId::INVALID,
        inside_call: Call::None,
    };

    /// Whether it is a call inside a call of its kind: one call, told twice.
    pub(crate) fn is_inner(&self) -> bool {
        self.inside != SpanId::INVALID && self.call != Call::None && self.call == self.inside_call
    }
}

/// One thing that happened.
#[derive(Debug, Clone)]
pub(crate) struct Record {
    pub(crate) what: What,
    /// The call site, for its name, target and level.
    pub(crate) meta: Option<&'static Metadata<'static>>,
    /// What kind of span it is, as far as it was known at the start.
    pub(crate) subject: Option<Subject>,
    pub(crate) id: Identity,
    /// The nearest span around it that this instance sees, whoever is the exported parent: what totals add up along.
    pub(crate) around: SpanId,
    /// It is a model call that is a part of the one around it, which counts.
    pub(crate) inside_inference: bool,
    pub(crate) nesting: Nesting,
    /// What its call site tells.
    pub(crate) site: Site,
    /// It, or a span around it, speaks GenAI.
    pub(crate) genai: bool,
    /// The subject its start was told with: events of the end have it too.
    pub(crate) told: Option<Subject>,
    /// On a start: it is told late, when the subject became known.
    pub(crate) late: bool,
    pub(crate) inherited: Option<Arc<Inherited>>,
    pub(crate) start: Nanos,
    pub(crate) end: Nanos,
    pub(crate) outcome: Outcome,
    /// Kept only where error messages may be captured.
    pub(crate) error_message: Option<String>,
    pub(crate) fields: Fields,
    pub(crate) events: Vec<SpanEvent>,
    pub(crate) event_fields: Fields,
    pub(crate) dropped_events: u32,
    pub(crate) links: Vec<SpanContext>,
    pub(crate) dropped_links: u32,
    pub(crate) chunks: Chunks,
    /// Number of this record on the thread that emitted it.
    pub(crate) seq: u64,
    /// How deep in handlers of the bus it was emitted; see [`Bus::depth`](crate::bus::Bus::depth).
    pub(crate) depth: u8,
    /// How many of its fields it began with.
    pub(crate) began_with: u32,
    /// The points at which its texts were checked before, one bit each.
    pub(crate) checked: u8,
    /// Its log record is the details of the model call that ended.
    pub(crate) details: bool,
    /// What is in its totals and on no span of a call: a sum that somebody reported, or what calls inside this one cost.
    pub(crate) stood_in: Option<Box<Totals>>,
    /// For a moment: what it is called (`subject.phase`), and how grave it is.
    pub(crate) moment: Option<Moment>,
}

/// The head of a moment.
#[derive(Debug, Clone)]
pub(crate) struct Moment {
    /// As it was given: a type, a seed system's name for one, or anything.
    pub(crate) name: Cow<'static, str>,
    /// What the name stands for, once the telemetry thread has looked it up.
    pub(crate) ty: Option<EventType>,
    /// What goes with a name of another system's, once it has been looked up.
    pub(crate) flavor: Flavor,
    /// As it was given, else what the type implies, once that is known.
    pub(crate) level: Option<Level>,
    /// The id it was given, zero for none yet.
    pub(crate) id: u128,
    /// How long its subject lived, where it is an end that says so.
    pub(crate) lasted: Option<Duration>,
    /// Content.
    pub(crate) body: Option<Box<serde_json::Value>>,
    /// For the bus only: the pieces of a stream.
    pub(crate) bus_only: bool,
}

impl Moment {
    pub(crate) fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            ty: None,
            flavor: Flavor::NONE,
            level: None,
            id: 0,
            lasted: None,
            body: None,
            bus_only: false,
        }
    }

    /// Finds out what the name stands for.
    pub(crate) fn resolve(&mut self) -> &EventType {
        let (name, flavor) = (&self.name, &mut self.flavor);
        let ty = self.ty.get_or_insert_with(|| match alias::resolve(name) {
            Some(known) => {
                *flavor = known.flavor;
                known.ty
            }
            None => EventType::from_lossy(name),
        });
        self.level.get_or_insert_with(|| ty.default_level());
        ty
    }

    pub(crate) fn level(&self) -> Level {
        self.level.unwrap_or(Level::Info)
    }

    /// What it is called where it is exported: as the conventions call it, where they do.
    pub(crate) fn event_name(&self) -> Cow<'_, str> {
        match &self.ty {
            Some(ty) if *ty == "evaluation.result" => semconv::GEN_AI_EVALUATION_RESULT.into(),
            Some(ty) => ty.to_string().into(),
            None => self.name.as_ref().into(),
        }
    }
}

impl Default for Record {
    fn default() -> Self {
        Self {
            what: What::Ended,
            meta: None,
            subject: None,
            id: Identity::NONE,
            around: SpanId::INVALID,
            inside_inference: false,
            nesting: Nesting::NONE,
            site: Site::default(),
            genai: false,
            told: None,
            late: false,
            inherited: None,
            start: 0,
            end: 0,
            outcome: Outcome::Closed,
            error_message: None,
            fields: Fields::default(),
            events: Vec::new(),
            event_fields: Fields::default(),
            dropped_events: 0,
            links: Vec::new(),
            dropped_links: 0,
            chunks: Chunks::default(),
            seq: 0,
            depth: 0,
            began_with: 0,
            checked: 0,
            details: false,
            stood_in: None,
            moment: None,
        }
    }
}

impl Record {
    /// Empties it and keeps its buffers.
    pub(crate) fn clear(&mut self) {
        // Every field by name: one that is added and forgotten here would travel from span to span, so it does not compile.
        let Self {
            what,
            meta,
            subject,
            id,
            around,
            inside_inference,
            nesting,
            site,
            genai,
            told,
            late,
            inherited,
            start,
            end,
            outcome,
            error_message,
            fields,
            events,
            event_fields,
            dropped_events,
            links,
            dropped_links,
            chunks,
            seq,
            depth,
            began_with,
            checked,
            details,
            stood_in,
            moment,
        } = self;
        (*what, *meta, *subject, *outcome) = (What::Ended, None, None, Outcome::Closed);
        *id = Identity::NONE;
        (*around, *inside_inference, *inherited) = (SpanId::INVALID, false, None);
        (*nesting, *site) = (Nesting::NONE, Site::default());
        (*genai, *told, *late, *details) = (false, None, false, false);
        *checked = 0;
        (*start, *end, *seq, *depth, *began_with) = (0, 0, 0, 0, 0);
        (*error_message, *stood_in, *moment) = (None, None, None);
        (*dropped_events, *dropped_links) = (0, 0);
        fields.clear();
        event_fields.clear();
        events.clear();
        links.clear();
        chunks.clear();
    }

    /// Becomes a copy of what `other` says in its event: its own events, links and pieces are no part of that.
    pub(crate) fn remember(&mut self, other: &Self) {
        self.what = other.what;
        self.meta = other.meta;
        (self.subject, self.told) = (other.subject, other.told);
        self.id.clone_from(&other.id);
        self.around = other.around;
        self.inherited.clone_from(&other.inherited);
        (self.start, self.end, self.outcome) = (other.start, other.end, other.outcome);
        self.error_message.clone_from(&other.error_message);
        self.fields.copy_from(&other.fields);
        (self.seq, self.began_with) = (other.seq, other.began_with);
        self.moment.clone_from(&other.moment);
    }

    /// Its start, as it could have been told then: with the fields it began with, at their values of now.
    pub(crate) fn as_started(&self) -> Self {
        let mut start = Self {
            what: What::Started,
            meta: self.meta,
            subject: self.subject,
            id: self.id.clone(),
            around: self.around,
            inherited: self.inherited.clone(),
            start: self.start,
            seq: self.seq,
            ..Self::default()
        };
        for (name, value) in self.fields.range(0, self.began_with as usize) {
            start
                .fields
                .set_value(name.to_owned(), value.to_value(), &Limits::DEFAULT);
        }
        start
    }

    /// Takes out the attribute at `at`.
    pub(crate) fn remove_at(&mut self, at: usize) {
        self.fields.remove_at(at);
        if at < self.began_with as usize {
            self.began_with -= 1;
        }
    }

    /// A moment in this span, that the telemetry thread found out.
    pub(crate) fn moment_in(&self, name: impl Into<Cow<'static, str>>, at: Nanos) -> Self {
        Self {
            what: What::Moment,
            meta: self.meta,
            subject: self.subject,
            id: self.id.clone(),
            inherited: self.inherited.clone(),
            start: at,
            end: at,
            seq: self.seq,
            depth: self.depth,
            moment: Some(Moment::new(name)),
            ..Self::default()
        }
    }

    /// Takes out the attribute of this name.
    pub(crate) fn remove(&mut self, name: &str) {
        if let Some(at) = self.fields.position(name) {
            self.remove_at(at);
        }
    }

    /// Keeps the attributes of its events that `keep` says of.
    pub(crate) fn retain_event_fields(&mut self, keep: impl Fn(&str) -> bool) {
        if self.event_fields.iter().all(|(name, _)| keep(name)) {
            return;
        }
        let mut gone = 0;
        for event in &mut self.events {
            let (from, to) = (event.from - gone, event.to - gone);
            let mut at = from;
            for _ in from..to {
                let name = self.event_fields.name_at(at as usize);
                if name.is_none_or(&keep) {
                    at += 1;
                } else {
                    self.event_fields.remove_at(at as usize);
                    gone += 1;
                }
            }
            (event.from, event.to) = (from, at);
        }
    }

    /// Bytes it holds, which is what the queue's limit counts.
    pub(crate) fn bytes(&self) -> usize {
        let body = self.moment.as_ref().and_then(|m| m.body.as_deref());
        size_of::<Self>()
            + body.map_or(0, json_bytes)
            + self.fields.capacity_bytes()
            + self.event_fields.capacity_bytes()
            + self.events.capacity() * size_of::<SpanEvent>()
            + self.links.capacity() * size_of::<SpanContext>()
            + self.stood_in.as_ref().map_or(0, |_| size_of::<Totals>())
            + self.chunks.gaps.capacity() * size_of::<u64>()
    }

    /// Adds an event with the attributes in `fields`.
    pub(crate) fn add_event(
        &mut self,
        at: Nanos,
        name: &'static str,
        fields: &Fields,
        limits: &Limits,
    ) {
        if self.events.len() >= limits.events {
            self.dropped_events = self.dropped_events.saturating_add(1);
            return;
        }
        let (from, to) = self.event_fields.extend_from(fields, limits);
        self.events.push(SpanEvent { at, name, from, to });
    }

    pub(crate) fn add_link(&mut self, link: SpanContext, limits: &Limits) {
        if self.links.len() >= limits.links {
            self.dropped_links = self.dropped_links.saturating_add(1);
        } else {
            self.links.push(link);
        }
    }

    /// What did not fit: attributes, events and links together.
    pub(crate) fn dropped(&self) -> u64 {
        u64::from(self.fields.dropped())
            + u64::from(self.event_fields.dropped())
            + u64::from(self.dropped_events)
            + u64::from(self.dropped_links)
    }

    pub(crate) fn duration(&self) -> Duration {
        Duration::from_nanos(self.end.saturating_sub(self.start))
    }
}
