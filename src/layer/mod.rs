//! The layer: sees spans and events, copies what they say into records, and pushes the records.
//!
//! Owns capture, classification of call sites, identity and the OpenTelemetry context of entered spans.
//! Promise: user code (`Debug`, `Display`) runs with no lock held; nothing here panics, blocks, allocates beyond the
//! queue's limits or changes what other layers see.
//! Never: parses, prices, scans or sends.

pub(crate) mod chunk_export;
pub(crate) mod classify;
#[cfg(feature = "http")]
pub(crate) mod enclosing;
pub(crate) mod entered;
pub(crate) mod face;
pub(crate) mod filter;
pub(crate) mod instance;
mod leaving;
pub(crate) mod misuse;
pub(crate) mod otel_value;
pub(crate) mod scope;
pub(crate) mod spare;
pub(crate) mod starting;
pub(crate) mod state;
pub(crate) mod switch;
pub(crate) mod visit;
#[cfg_attr(
    not(feature = "http"),
    allow(dead_code, reason = "the tap has most to say")
)]
pub(crate) mod wire;

use std::sync::{Arc, OnceLock};

use tracing::dispatcher::WeakDispatch;
use tracing::span::{Attributes, Id, Record as Values};
use tracing::{Dispatch, Event, Level, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::{Layer, Registry};

use crate::event::{Level as EventLevel, Subject};
use crate::record::Moment;
use crate::semconv;
use classify::{Class, classify};
use instance::{Instance, foreign_parent};
use state::{SpanKey, SpanState};
use visit::{Capture, InSpan, Loose, with_scratch};

pub use chunk_export::ChunkExport;
pub use classify::Steps;
pub use filter::GenAiFilter;
use misuse::Mistake;
pub use misuse::{OnMisuse, ScopePolicy, ScopeStats};

/// The layer itself. [`Telemetry::layer`](crate::Telemetry::layer) gives it out, wrapped in its filter.
#[derive(Debug, Clone)]
pub struct GenAiLayer {
    instance: Arc<Instance>,
    /// Tells the subscribers apart that one instance listens to: each gives its spans ids of its own.
    number: u32,
    /// The subscriber it is part of, for parents that its filter hides.
    dispatch: Arc<OnceLock<WeakDispatch>>,
}

impl GenAiLayer {
    pub(crate) fn new(instance: Arc<Instance>) -> Self {
        Self {
            instance,
            number: instance::next_number(),
            dispatch: Arc::default(),
        }
    }

    pub(crate) fn instance(&self) -> &Arc<Instance> {
        &self.instance
    }

    fn key(&self, id: &Id) -> SpanKey {
        SpanKey {
            layer: self.number,
            id: id.into_u64(),
        }
    }

    /// The state of a span of the subscriber, if this layer sees it.
    pub(crate) fn state(&self, id: &Id) -> Option<Arc<SpanState>> {
        self.instance.open.find(self.key(id))
    }

    /// The explicit parent `id`, or the nearest span around it that this layer sees: a filter may hide the parent itself,
    /// and then only the registry knows it.
    fn nearest(&self, id: &Id) -> Option<Arc<SpanState>> {
        self.state(id).or_else(|| {
            let dispatch = self.dispatch.get()?.upgrade()?;
            let registry = dispatch.downcast_ref::<Registry>()?;
            let mut scope = registry.span(id)?.scope();
            scope.find_map(|span| self.state(&span.id()))
        })
    }

    /// Whether a span that does not speak GenAI is to be seen: where only GenAI is wanted, steps inside it are. Connections never
    /// are: what begins in one has the parent it would have outside.
    fn wants(&self, attrs: &Attributes<'_>, class: Class, parent: Option<&Arc<SpanState>>) -> bool {
        if class.is(Class::CONNECTION) {
            return false;
        }
        if !self.instance.genai_only || class.is(Class::GENAI) {
            return true;
        }
        let genai = |outer: &Arc<SpanState>| outer.lock().genai;
        let inside = if attrs.is_contextual() {
            entered::ask_current(self.instance.number, genai)
        } else {
            parent.map(genai)
        };
        class.is(Class::STEP) && inside == Some(true)
    }

    fn open(
        &self,
        id: &Id,
        attrs: &Attributes<'_>,
        class: Class,
        parent: Option<&Arc<SpanState>>,
    ) -> (Arc<SpanState>, u32) {
        let instance = &self.instance;
        let state = instance.open.open(self.key(id));
        let nesting;
        {
            let mut guard = state.lock();
            let inner = &mut *guard;
            inner.record.meta = Some(attrs.metadata());
            inner.record.start = instance.clock.now();
            inner.genai = class.is(Class::GENAI);
            inner.record.site = class.site;
            if attrs.is_contextual() {
                // What is entered has its identity, so no sampler runs in here.
                entered::ask_current(instance.number, |outer| instance.inherit(outer, inner));
                if let Some(foreign) = foreign_parent(inner.record.around) {
                    inner.id = foreign;
                }
            } else if let Some(parent) = parent {
                instance.inherit(parent, inner);
            }
            nesting = inner.nesting;
            let record = &mut inner.record;
            if scope::inherit(&mut record.inherited)
                && let Some(link) = scope::cause_span(record.inherited.as_deref())
            {
                record.add_link(link, &instance.limits);
            }
            let step = class.is(Class::STEP) && !class.is(Class::GENAI);
            if step && (inner.genai || instance.steps != Steps::InsideGenAi) {
                record.subject = Some(Subject::STEP);
            }
            if let Some(subject) = class.site.shape().subject {
                instance.set_subject(inner, subject, None);
            }
            let record = &mut inner.record;
            if class.is(Class::STARTER) && starting::take(&mut record.fields, &instance.limits) {
                instance.understand(inner);
            } else {
                let mut capture = Capture(InSpan::locked(instance, &state, guard));
                attrs.record(&mut capture);
                capture.0.finish();
            }
        }
        (state, nesting)
    }

    /// An event that `#[instrument(err)]` emitted for the span it is in.
    fn is_err_report(meta: &tracing::Metadata<'_>, state: &SpanState) -> bool {
        if *meta.level() > Level::WARN
            || meta.fields().len() != 1
            || meta.fields().field("error").is_none()
        {
            return false;
        }
        let span = state.lock().record.meta;
        span.is_some_and(|span| span.file() == meta.file() && span.line() == meta.line())
    }
}

impl<S> Layer<S> for GenAiLayer
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn on_register_dispatch(&self, subscriber: &Dispatch) {
        let _ = self.dispatch.set(subscriber.downgrade());
    }

    fn on_new_span(&self, attrs: &Attributes<'_>, id: &Id, _: Context<'_, S>) {
        entered::watch_registry();
        let instance = &self.instance;
        if !instance.is_on() {
            return;
        }
        let class = classify(attrs.metadata(), &instance.steps, instance.number);
        let parent = attrs.parent().and_then(|parent| self.nearest(parent));
        if !self.wants(attrs, class, parent.as_ref()) {
            return;
        }
        if let Some(parent) = &parent {
            // Now, while no lock is held: a sampler is somebody's code.
            drop(instance.identified(parent));
        }
        let (state, nesting) = self.open(id, attrs, class, parent.as_ref());
        if nesting >= instance.scopes.max_depth {
            instance.note_misuse(Mistake::TooDeep, &state);
        }
        if class.is(Class::STARTER) {
            starting::opened(instance, &state);
        }
    }

    fn on_record(&self, id: &Id, values: &Values<'_>, _: Context<'_, S>) {
        // Values are nearly always recorded inside the span, and this thread's stack is cheaper than the table.
        let state = entered::find(self.key(id)).or_else(|| self.state(id));
        if let Some(state) = state {
            let mut capture = Capture(InSpan::new(&self.instance, &state));
            values.record(&mut capture);
            capture.0.finish();
        }
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, _: Context<'_, S>) {
        if id == follows {
            return;
        }
        if let (Some(state), Some(cause)) = (self.state(id), self.state(follows)) {
            let link = self.instance.identity(&cause).context();
            self.instance.add_link(&state, link);
        }
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let instance = &self.instance;
        if !instance.is_on() {
            return;
        }
        let meta = event.metadata();
        let class = classify(meta, &instance.steps, instance.number);
        let state = if event.is_contextual() {
            entered::current(instance.number)
        } else {
            event.parent().and_then(|parent| self.nearest(parent))
        };
        if state.is_none() && !class.is(Class::MOMENT) {
            return;
        }
        with_scratch(|fields| {
            event.record(&mut Capture(Loose {
                fields,
                limits: &instance.limits,
                names_of: (class.is(Class::CLIENT) && !instance.content)
                    .then(|| meta.fields().len()),
            }));
            if class.is(Class::MOMENT) {
                let name = fields
                    .str(semconv::GENAI_EVENT)
                    .unwrap_or_default()
                    .to_owned();
                let alert = fields.remove(semconv::GENAI_ALERT);
                let level = if alert {
                    EventLevel::Alert
                } else {
                    instance::level(meta.level())
                };
                fields.remove(semconv::GENAI_EVENT);
                let moment = Moment {
                    level: Some(level),
                    ..Moment::new(name)
                };
                instance.moment(state.as_ref(), moment, fields);
            } else if let Some(state) = &state {
                if Self::is_err_report(meta, state) {
                    let message = fields.str("error").map(str::to_owned);
                    instance.note_error(state, None, message.as_deref());
                    return;
                }
                if class.is(Class::OF_SPAN) {
                    instance.adopt(state, fields);
                    return;
                }
                instance.add_event(state, meta.name(), fields);
            }
        });
    }

    fn on_enter(&self, id: &Id, _: Context<'_, S>) {
        let Some(state) = self.state(id) else {
            return;
        };
        let context = if self.instance.activate && !entered::is_ending() {
            Some(self.instance.context(&state))
        } else {
            drop(self.instance.identified(&state));
            None
        };
        entered::push(self.instance.number, self.key(id), state, context);
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        if let Some((state, innermost)) = entered::pop(self.key(id)) {
            state.last_exit.store(
                self.instance.clock.now(),
                std::sync::atomic::Ordering::Relaxed,
            );
            if !innermost {
                self.instance.note_misuse(Mistake::Mismatch, &state);
            }
        }
    }

    fn on_close(&self, id: Id, _: Context<'_, S>) {
        let Some(state) = self.instance.open.close(self.key(&id)) else {
            return;
        };
        if std::thread::panicking() && !state.is_ended() {
            self.instance
                .note_error(&state, Some(semconv::error_type::PANIC), None);
        }
        let left = state.last_exit.load(std::sync::atomic::Ordering::Relaxed);
        self.instance.close(state, (left > 0).then_some(left));
    }
}
