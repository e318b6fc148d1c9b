//! One installation's half on the application's threads: what its layer, its starters and its OpenTelemetry spans share.
//!
//! Promise: everything here copies, counts and pushes; a span's identity is fixed once, its end is reported once.
//! Never: prices, parses or sends; runs user code (a custom sampler) under a lock.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, MutexGuard};

use opentelemetry::baggage::{BaggageExt as _, KeyValueMetadata};
use opentelemetry::trace::{Link, SpanContext, SpanKind, TraceContextExt as _, TraceState};
use opentelemetry::{Context, KeyValue, SpanId, TraceId};
use opentelemetry_sdk::trace::{IdGenerator, SamplingDecision, ShouldSample};

use super::chunk_export::ChunkExport;
use super::classify::Steps;
use super::entered;
use super::face::SpanFace;
use super::misuse::{Mistake, Misuse, ScopePolicy};
use super::otel_value::to_otel;
use super::spare::Spare;
use super::state::{Inner, OpenSpans, SpanState};
use super::switch::Switch;
use super::visit::with_scratch;
use crate::bus::Bus;
use crate::clock::Clock;
use crate::contain::contain;
use crate::content::Redactions;
use crate::enrich::builtin::normalise;
use crate::enrich::dialect::{Allowed, Dialects, kinds, unquoted};
use crate::event::{EventId, Key, Kind, Level, Subject, Value};
use crate::pipeline::levels::ChannelLevels;
use crate::pipeline::names::{span_kind, span_name};
use crate::pipeline::queue::Queue;
use crate::record::{Call, Fields, Identity, Inherited, Limits, Moment, Outcome};
use crate::security::Policy;
use crate::semconv;
use crate::stats::{Books, Loss};

/// How the sampling decision of a root is made.
pub(crate) enum Sampling {
    /// A parent decides; a root is sampled. The default, and the only rule that needs no attributes.
    ParentElseAlways,
    Custom(Box<dyn ShouldSample>),
}

pub(crate) struct Instance {
    /// Tells instances apart in thread-local state.
    pub(crate) number: u32,
    pub(crate) clock: Clock,
    pub(crate) limits: Limits,
    pub(crate) queue: Arc<Queue>,
    pub(crate) open: OpenSpans,
    /// Records for starts and moments.
    pub(crate) spare: Spare,
    /// What was captured, and what was lost before it reached the telemetry thread.
    pub(crate) books: Books,
    /// What was lost of records that did arrive: late writes, attributes beyond the limits, a hook's part.
    pub(crate) parts: Arc<Books>,
    /// Who listens in the process: starts and pieces of streams are only reported to listeners.
    pub(crate) bus: Bus,
    /// Whether starts are wanted though nobody listens: by the console or a hook.
    pub(crate) starts_wanted: bool,
    /// Whether pieces of streams are wanted though nobody listens: by a console that shows them.
    pub(crate) chunks_wanted: bool,
    /// Whether anything is recorded, and from which level.
    pub(crate) switch: Switch,
    /// The least level of each channel's events.
    pub(crate) levels: ChannelLevels,
    pub(crate) ids: Box<dyn IdGenerator>,
    pub(crate) sampling: Sampling,
    pub(crate) steps: Steps,
    pub(crate) genai_only: bool,
    /// Whether entering a span makes its OpenTelemetry context current.
    pub(crate) activate: bool,
    /// Whether error messages, which are content, are kept.
    pub(crate) error_messages: bool,
    /// Whether token counts that nobody told are estimated.
    pub(crate) estimate_tokens: bool,
    /// Whether moments are span events too.
    pub(crate) mirror_moments: bool,
    /// Whether content is collected, to be captured or to be checked.
    pub(crate) content: bool,
    /// What is looked for in texts, and what is done about it.
    pub(crate) security: Option<Arc<Policy>>,
    /// What the telemetry thread took out.
    pub(crate) redactions: Arc<Redactions>,
    /// Whether the text of streamed pieces goes to the bus.
    pub(crate) chunk_text: bool,
    /// Which pieces are log records too.
    pub(crate) chunk_export: ChunkExport,
    /// What is done about spans that are nested too deeply, or left in the wrong order.
    pub(crate) scopes: ScopePolicy,
    pub(crate) misuse: Misuse,
    /// Whether it was said that something came after the shutdown.
    pub(crate) told_late: AtomicBool,
}

impl std::fmt::Debug for Instance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Instance")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// A number no other instance of this process has.
pub(crate) fn next_number() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Instance {
    /// Whether somebody in the process wants to hear of each piece of a stream.
    pub(crate) fn wants_chunks(&self) -> bool {
        self.chunks_wanted || self.bus.has_interest()
    }

    pub(crate) fn is_on(&self) -> bool {
        self.switch.is_on()
    }

    // === identity ===

    /// Locks `state` with its identity fixed: now, if it was not before.
    pub(crate) fn identified<'s>(&self, state: &'s SpanState) -> MutexGuard<'s, Inner> {
        let mut inner = state.lock();
        if inner.id.is_fixed() {
            return inner;
        }
        if inner.id.trace == TraceId::INVALID {
            inner.id.trace = self.ids.new_trace_id();
            inner.id.sampled = true;
        }
        if let Sampling::Custom(sampler) = &self.sampling {
            let mut id = inner.id.clone();
            drop(inner);
            self.choose_custom(sampler.as_ref(), state, &mut id);
            inner = state.lock();
            if inner.id.is_fixed() {
                // Another thread was faster.
                return inner;
            }
            inner.id = id;
        }
        inner.record.began_with = inner.record.fields.len() as u32;
        let id = &mut inner.id;
        id.span = self.ids.new_span_id();
        let wants_started = self.starts_wanted || self.bus.has_interest();
        if wants_started {
            id.started_event = self.event_id();
            self.push_started(&mut inner);
        }
        inner
    }

    /// What may be kept of what others wrote.
    pub(crate) fn allowed(&self) -> Allowed {
        Allowed {
            content: self.content,
            error_messages: self.error_messages,
        }
    }

    /// What a new span takes from the span around it.
    pub(crate) fn inherit(&self, outer: &SpanState, inner: &mut Inner) {
        let outer = self.identified(outer);
        inner.id.inherit(&outer.id);
        inner.record.around = outer.id.span;
        inner.record.inherited.clone_from(&outer.record.inherited);
        // What begins below a span that has ended is no part of the call that was.
        let apart = outer.scope || outer.ended;
        inner.inside_inference = outer.inside_inference && !apart;
        let (mine, its) = (&mut inner.record.nesting, &outer.record.nesting);
        (mine.inside, mine.inside_call) = if apart {
            (SpanId::INVALID, Call::None)
        } else if its.call != Call::None && its.call != its.inside_call {
            (outer.id.span, its.call)
        } else {
            (its.inside, its.inside_call)
        };
        mine.nearest = match its.call {
            _ if apart => SpanId::INVALID,
            Call::None => its.nearest,
            _ => outer.id.span,
        };
        inner.genai |= outer.genai;
        inner.nesting = outer.nesting.saturating_add(1);
    }

    /// Who `state` is, decided now if it was not before.
    pub(crate) fn identity(&self, state: &SpanState) -> Identity {
        self.identified(state).id.clone()
    }

    #[cold]
    fn choose_custom(&self, sampler: &dyn ShouldSample, state: &SpanState, id: &mut Identity) {
        // A copy in the spelling that is exported, inherited attributes included: a sampler's rules are written against
        // what one sees in the backend.
        let mut record = state.lock().record.clone();
        normalise(&mut record, self.allowed(), &self.limits);
        let attributes: Vec<_> = record
            .fields
            .iter()
            .map(|(k, v)| KeyValue::new(k.to_owned(), to_otel(v)))
            .collect();
        let links: Vec<_> = record
            .links
            .iter()
            .cloned()
            .map(Link::with_context)
            .collect();
        let (name, kind) = (span_name(&record), SpanKind::from(span_kind(&record)));
        let parent = id
            .parent_context()
            .map(|parent| Context::new().with_remote_span_context(parent));
        let decide =
            || sampler.should_sample(parent.as_ref(), id.trace, &name, &kind, &attributes, &links);
        let decided = entered::quietly(|| contain(decide));
        let Some(result) = decided else {
            self.parts.lose(Loss::Hook, 1);
            return;
        };
        id.sampled = matches!(result.decision, SamplingDecision::RecordAndSample);
        id.trace_state = result.trace_state;
        for attribute in result.attributes {
            self.set(
                state,
                attribute.key.as_str().to_owned(),
                super::face::from_otel(attribute.value),
            );
        }
    }

    pub(crate) fn event_id(&self) -> u128 {
        let millis = self.clock.unix_nanos(self.clock.now()) / 1_000_000;
        EventId::new(
            millis,
            u128::from_be_bytes(self.ids.new_trace_id().to_bytes()),
        )
        .as_u128()
    }

    /// Sets the parent of a span whose identity is still open, and says whether it was. A context without a span leaves the
    /// parent as it is; baggage is taken over from either.
    pub(crate) fn set_parent(&self, state: &SpanState, parent: &Context) -> bool {
        let span = parent.span().span_context().clone();
        let all = parent.baggage().iter();
        let baggage: Vec<_> = all
            .map(|(name, (value, metadata))| {
                KeyValueMetadata::new(name.clone(), value.clone(), metadata.clone())
            })
            .collect();
        let mut inner = state.lock();
        let open = !inner.id.is_fixed();
        if open && span.is_valid() {
            inner.id = Identity::child_of(&span);
        }
        if open && !baggage.is_empty() {
            inner.baggage = baggage;
        }
        open
    }

    /// The OpenTelemetry context that is current while `state` is entered.
    pub(crate) fn context(self: &Arc<Self>, state: &Arc<SpanState>) -> Context {
        let mut inner = self.identified(state);
        if let Some(context) = &inner.context {
            return context.clone();
        }
        let face = SpanFace::new(Arc::clone(self), Arc::clone(state), inner.id.context());
        let mut context = Context::current_with_span(face);
        if !inner.baggage.is_empty() {
            context = context.with_baggage(inner.baggage.iter().cloned());
        }
        // An ended span keeps no context: the context holds the span, and the two would keep each other alive.
        if !inner.ended {
            inner.context = Some(context.clone());
        }
        context
    }

    // === writing to an open span ===

    pub(crate) fn write<R>(
        &self,
        state: &SpanState,
        write: impl FnOnce(&mut Inner) -> R,
    ) -> Option<R> {
        let mut inner = state.lock();
        if inner.ended {
            self.parts.lose(Loss::RecordAfterEnd, 1);
            return None;
        }
        Some(write(&mut inner))
    }

    /// Sets one attribute.
    pub(crate) fn set(&self, state: &SpanState, name: impl Into<Key>, value: Value) {
        let name = name.into();
        self.write(state, |inner| {
            let telling = is_telling(&name);
            inner.record.fields.set_value(name, value, &self.limits);
            inner.record.site.note_undeclared();
            if telling {
                self.understand(inner);
            }
        });
    }

    /// Reads from the fields what the application's side has to know: the subject, and what children inherit.
    pub(crate) fn understand(&self, inner: &mut Inner) {
        let record = &mut inner.record;
        let fields = &record.fields;
        let named = fields.str(semconv::GENAI_SUBJECT).and_then(Subject::parse);
        let operation = fields
            .str(semconv::GEN_AI_OPERATION_NAME)
            .and_then(kinds::operation);
        let foreign = !record.site.speaks.is_none() || record.site.undeclared;
        let told = operation.or_else(|| foreign.then(|| kinds::kind(fields)).flatten());
        let subject = named
            .or_else(|| told.map(|told| told.subject))
            .or(record.site.shape().subject);
        if let Some(subject) = subject {
            let word = told.and_then(|told| told.operation);
            self.set_subject(inner, subject, word);
        }
        let record = &mut inner.record;
        let fields = &record.fields;
        // Children often repeat what they inherit: the same again is nothing new, and costs nothing.
        let above = record.inherited.as_deref();
        let news = |name: &str, known: Option<&Arc<str>>| {
            let own = unquoted(fields.str(name)?);
            known
                .is_none_or(|known| **known != *own)
                .then(|| Arc::<str>::from(own))
        };
        let agent = news(
            semconv::GEN_AI_AGENT_NAME,
            above.and_then(|a| a.agent_name.as_ref()),
        )
        .or_else(|| {
            let plain = Dialects::OPEN_INFERENCE.and(Dialects::ADK);
            if record.site.speaks.is_none() || !record.site.speaks.allow(plain) {
                return None;
            }
            news("agent.name", above.and_then(|a| a.agent_name.as_ref()))
        });
        let conversation = news(
            semconv::GEN_AI_CONVERSATION_ID,
            above.and_then(|a| a.conversation_id.as_ref()),
        );
        let session = news(
            semconv::SESSION_ID,
            above.and_then(|a| a.session_id.as_ref()),
        );
        if agent.is_none() && conversation.is_none() && session.is_none() {
            return;
        }
        let above = record.inherited.take().unwrap_or_default();
        record.inherited = Some(Arc::new(Inherited {
            agent_name: agent.or_else(|| above.agent_name.clone()),
            conversation_id: conversation.or_else(|| above.conversation_id.clone()),
            session_id: session.or_else(|| above.session_id.clone()),
            scope: above.scope.clone(),
        }));
    }

    /// Notes what the span is. What was known of it before, from its call site, no longer counts. `operation` is what the
    /// conventions call it, where its own word for it is another.
    pub(crate) fn set_subject(
        &self,
        inner: &mut Inner,
        subject: Subject,
        operation: Option<&'static str>,
    ) {
        let record = &mut inner.record;
        record.subject = Some(subject);
        inner.genai = true;
        let kind = subject.kind();
        inner.scope = matches!(kind, Kind::Agent | Kind::Tool | Kind::Workflow);
        inner.inside_inference |= kind == Kind::Llm;
        record.nesting.call = if kind == Kind::Llm {
            let told = || record.fields.str(semconv::GEN_AI_OPERATION_NAME);
            let shape = record.site.shape().operation;
            call_of(operation.or_else(told).or(shape))
        } else {
            Call::None
        };
        // Its identity is fixed, and its start was not told for want of a subject.
        if inner.id.started_event != 0 && record.told.is_none() && !inner.ended {
            self.push_started(inner);
        }
    }

    /// Takes facts about an open span out of an event.
    pub(crate) fn adopt(&self, state: &SpanState, facts: &Fields) {
        self.write(state, |inner| {
            inner.record.fields.merge_from(facts, &self.limits);
            inner.record.fields.remove(semconv::MESSAGE);
            inner.record.site.note_undeclared();
            self.understand(inner);
        });
    }

    pub(crate) fn add_event(&self, state: &SpanState, name: &'static str, fields: &Fields) {
        let now = self.clock.now();
        self.write(state, |inner| {
            inner.record.add_event(now, name, fields, &self.limits)
        });
    }

    pub(crate) fn add_link(&self, state: &SpanState, link: SpanContext) {
        if link.is_valid() {
            self.write(state, |inner| inner.record.add_link(link, &self.limits));
        }
    }

    /// Counts a mistake with spans, and tells of it as the policy says.
    pub(crate) fn note_misuse(&self, mistake: Mistake, state: &Arc<SpanState>) {
        if !self.misuse.note(mistake, &self.scopes) {
            return;
        }
        with_scratch(|fields| {
            fields.set_str(semconv::ERROR_TYPE, mistake.as_str(), &self.limits);
            let moment = Moment {
                level: Some(Level::Error),
                ..Moment::new("instrumentation.errored")
            };
            self.moment(Some(state), moment, fields);
        });
    }

    pub(crate) fn note_outcome(&self, state: &SpanState, outcome: Outcome) {
        self.write(state, |inner| inner.record.outcome = outcome);
    }

    /// The span failed: `kind` is the `error.type`, `message` is content and kept only where that is allowed.
    pub(crate) fn note_error(&self, state: &SpanState, kind: Option<&str>, message: Option<&str>) {
        self.write(state, |inner| {
            let record = &mut inner.record;
            record.outcome = Outcome::Failed;
            match kind {
                Some(kind) => record
                    .fields
                    .set_str(semconv::ERROR_TYPE, kind, &self.limits),
                None if record.fields.get(semconv::ERROR_TYPE).is_none() => {
                    record.fields.set_str(
                        semconv::ERROR_TYPE,
                        semconv::error_type::OTHER,
                        &self.limits,
                    );
                }
                None => {}
            }
            if self.error_messages {
                record.error_message = message
                    .map(|m| crate::record::cut::floor(m, self.limits.value_bytes).to_owned());
            }
        });
    }

    /// Says that what the span is about was not done, for this reason. Whoever opened it ends it.
    #[cfg(any(feature = "http", feature = "mcp"))]
    pub(crate) fn note_blocked(&self, state: &SpanState, reason: &str) {
        self.set(state, semconv::GENAI_OUTCOME, "blocked".into());
        self.set(state, semconv::SECURITY_BLOCK_REASON, reason.into());
        self.note_error(state, Some("blocked"), None);
    }

    /// How the call fared that is the work of this span: it is what the span will say, unless a later one fares otherwise.
    #[cfg(feature = "mcp")]
    pub(crate) fn note_call(&self, state: &SpanState, failure: Option<(&str, Option<&str>)>) {
        match failure {
            Some((kind, message)) => self.note_error(state, Some(kind), message),
            None => {
                self.write(state, |inner| {
                    if inner.call_failed {
                        inner.record.outcome = Outcome::Closed;
                        inner.record.error_message = None;
                        inner.record.fields.remove(semconv::ERROR_TYPE);
                        inner
                            .record
                            .fields
                            .remove(semconv::RPC_RESPONSE_STATUS_CODE);
                    }
                });
            }
        }
        state.lock().call_failed = failure.is_some();
    }

    /// Notes a piece of a stream, and says which one of its stream it is, from 1; 0 for one that came too late.
    pub(crate) fn chunk_arrived(&self, state: &SpanState) -> u64 {
        let now = self.clock.now();
        let arrived = self.write(state, |inner| {
            inner.record.chunks.arrived(now);
            inner.record.chunks.count
        });
        arrived.unwrap_or(0)
    }

    /// A moment that names itself: to the bus and the logs at once, and mirrored on the span it happened in.
    pub(crate) fn moment(
        &self,
        state: Option<&Arc<SpanState>>,
        mut moment: Moment,
        fields: &mut Fields,
    ) {
        let mirror = state.filter(|_| self.mirror_moments).and_then(|state| {
            let ty = moment.resolve();
            // A start or an end that goes by name becomes a span of its own.
            let in_span = ty.phase().is_moment() || !ty.subject().has_span();
            in_span.then(|| (state, moment.event_name().into_owned()))
        });
        self.push_moment(state, moment, fields);
        if let Some((state, name)) = mirror {
            fields.set_str(semconv::MESSAGE, &name, &self.limits);
            self.add_event(state, "moment", fields);
        }
    }
}

/// Whether a value of this attribute changes what the application's side knows.
#[inline]
pub(crate) fn is_telling(name: &str) -> bool {
    // By length first: most names are told from all of these by one comparison of a number.
    match name.len() {
        10 => matches!(name, semconv::SESSION_ID | "agent.name"),
        13 => matches!(name, semconv::GENAI_SUBJECT | "langfuse.type"),
        16 => name == "llm.request.type",
        17 => name == semconv::GEN_AI_AGENT_NAME,
        19 => name == "traceloop.span.kind",
        21 => name == semconv::GEN_AI_OPERATION_NAME,
        22 => name == semconv::GEN_AI_CONVERSATION_ID,
        23 => name == "openinference.span.kind",
        25 => name == "langfuse.observation.type",
        _ => false,
    }
}

/// What kind of model call an operation is.
fn call_of(operation: Option<&str>) -> Call {
    use semconv::operation as op;
    match operation.map(unquoted) {
        Some(op::EMBEDDINGS | "embedding") => Call::Embeddings,
        Some(
            op::FETCH_RESPONSE
            | "rerank"
            | "transcription"
            | "image_generation"
            | "audio_generation",
        ) => Call::Other,
        _ => Call::Generation,
    }
}

/// No trace, for spans nobody sees.
pub(crate) fn invalid() -> SpanContext {
    SpanContext::new(
        TraceId::INVALID,
        SpanId::INVALID,
        opentelemetry::TraceFlags::default(),
        false,
        TraceState::NONE,
    )
}

/// What a child takes from the span OpenTelemetry holds for current on this thread, if it is another than `ours`.
pub(crate) fn foreign_parent(ours: SpanId) -> Option<Identity> {
    Context::map_current(|cx| {
        if !cx.has_active_span() {
            return None;
        }
        let span = cx.span();
        let cx = span.span_context();
        (cx.is_valid() && cx.span_id() != ours).then(|| Identity::child_of(cx))
    })
}

/// A level as the moments carry it.
pub(crate) fn level(level: &tracing::Level) -> Level {
    match *level {
        tracing::Level::TRACE => Level::Trace,
        tracing::Level::DEBUG => Level::Debug,
        tracing::Level::INFO => Level::Info,
        tracing::Level::WARN => Level::Warn,
        tracing::Level::ERROR => Level::Error,
    }
}
