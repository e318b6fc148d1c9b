//! The layer: sees spans and events, copies what they say into records, and pushes the records.
//!
//! Owns capture, classification of call sites, identity and the OpenTelemetry context of entered spans.
//! Promise: user code (`Debug`, `Display`) runs with no lock held; nothing here panics, blocks, allocates beyond the
//! queue's limits or changes what other layers see.
//! Never: parses, prices, scans or sends.

pub(crate) mod classify;
pub(crate) mod entered;
pub(crate) mod face;
pub(crate) mod filter;
pub(crate) mod instance;
pub(crate) mod scope;
pub(crate) mod starting;
pub(crate) mod state;
pub(crate) mod visit;

use std::sync::{Arc, OnceLock};

use tracing::dispatcher::WeakDispatch;
use tracing::span::{Attributes, Id, Record as Values};
use tracing::{Dispatch, Event, Level, Subscriber};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{Extensions, LookupSpan};
use tracing_subscriber::{Layer, Registry};

use crate::event::{Level as EventLevel, Subject};
use crate::record::{Inherited, Outcome};
use crate::semconv;
use classify::{Class, classify};
use entered::Place;
use instance::{Instance, foreign_parent};
use state::{ParentIds, SpanState};
use visit::{Capture, InSpan, Loose, with_scratch};

pub use classify::Steps;
pub use filter::GenAiFilter;

/// The layer itself. [`Telemetry::layer`](crate::Telemetry::layer) gives it out, wrapped in its filter.
#[derive(Debug, Clone)]
pub struct GenAiLayer {
    instance: Arc<Instance>,
    /// Tells the subscribers apart that one instance listens to: each gives its spans ids of its own.
    number: u32,
    /// The subscriber it is part of, for parents that its filter hides.
    dispatch: Arc<OnceLock<WeakDispatch>>,
}

/// What a subscriber's span carries for us: one state for every instance that sees it, usually one.
#[derive(Debug)]
struct Tracked {
    instance: u32,
    state: Arc<SpanState>,
    others: Vec<(u32, Arc<SpanState>)>,
}

impl Tracked {
    fn of(&self, instance: u32) -> Option<&Arc<SpanState>> {
        if self.instance == instance {
            return Some(&self.state);
        }
        self.others
            .iter()
            .find(|(i, _)| *i == instance)
            .map(|(_, state)| state)
    }
}

/// What a span takes from the span around it.
struct Around {
    ids: ParentIds,
    inherited: Option<Arc<Inherited>>,
    genai: bool,
    inference: bool,
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

    fn tracked(&self, extensions: &Extensions<'_>) -> Option<Arc<SpanState>> {
        extensions
            .get::<Tracked>()
            .and_then(|t| t.of(self.instance.number))
            .cloned()
    }

    /// The state of a span of the subscriber, if this instance sees it.
    pub(crate) fn state(&self, id: &Id) -> Option<Arc<SpanState>> {
        let dispatch = self.dispatch.get()?.upgrade()?;
        self.tracked(&dispatch.downcast_ref::<Registry>()?.span(id)?.extensions())
    }

    /// The same, from inside the subscriber.
    fn seen<S>(&self, id: &Id, ctx: &Context<'_, S>) -> Option<Arc<SpanState>>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        self.tracked(&ctx.span(id)?.extensions())
    }

    /// The explicit parent `id`, or the nearest span around it that this instance sees: a filter may hide the parent
    /// itself, and then only the registry knows it.
    fn nearest<S>(&self, id: &Id, ctx: &Context<'_, S>) -> Option<Arc<SpanState>>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        if let Some(span) = ctx.span(id) {
            return span
                .scope()
                .find_map(|span| self.tracked(&span.extensions()));
        }
        let dispatch = self.dispatch.get()?.upgrade()?;
        let registry = dispatch.downcast_ref::<Registry>()?;
        registry
            .span(id)?
            .scope()
            .find_map(|span| self.tracked(&span.extensions()))
    }

    fn around(&self, state: &Arc<SpanState>) -> Around {
        let ids = ParentIds::from(self.instance.identity(state));
        let inherited = state.lock().record.inherited.clone();
        Around {
            ids,
            inherited,
            genai: state.has(SpanState::GENAI),
            inference: state.has(SpanState::INSIDE_INFERENCE) && !state.has(SpanState::SCOPE),
        }
    }

    fn open(
        &self,
        attrs: &Attributes<'_>,
        class: Class,
        outer: Option<&Arc<SpanState>>,
    ) -> Arc<SpanState> {
        let instance = &self.instance;
        let around = outer.map(|outer| self.around(outer));
        let foreign = if attrs.is_contextual() {
            foreign_parent(around.as_ref().map(|a| a.ids.span))
        } else {
            None
        };
        let state = instance.open.open();
        let mut genai = class.is(Class::GENAI);
        {
            let mut inner = state.lock();
            let record = &mut inner.record;
            record.meta = Some(attrs.metadata());
            record.start = instance.clock.now();
            let mut ids = None;
            if let Some(around) = around {
                record.around = around.ids.span;
                record.inherited = around.inherited;
                record.inside_inference = around.inference;
                genai |= around.genai;
                if around.inference {
                    state.set(SpanState::INSIDE_INFERENCE);
                }
                ids = Some(around.ids);
            }
            scope::inherit(&mut record.inherited);
            if class.is(Class::STEP)
                && !class.is(Class::GENAI)
                && (genai || instance.steps != Steps::InsideGenAi)
            {
                record.subject = Some(Subject::STEP);
            }
            if genai {
                state.set(SpanState::GENAI);
            }
            inner.parent = foreign.or(ids);
            if class.is(Class::STARTER)
                && starting::take(&mut inner.record.fields, &instance.limits)
            {
                instance.understand(&state, &mut inner.record);
            } else {
                let mut capture = Capture(InSpan::locked(instance, &state, inner));
                attrs.record(&mut capture);
                capture.0.finish();
            }
        }
        state
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

    fn on_new_span(&self, attrs: &Attributes<'_>, id: &Id, ctx: Context<'_, S>) {
        let instance = &self.instance;
        if !instance.is_on() || entered::is_quiet() {
            return;
        }
        let class = classify(attrs.metadata(), &instance.steps, instance.number);
        let outer = if attrs.is_contextual() {
            entered::current(instance.number)
        } else {
            attrs.parent().and_then(|parent| self.nearest(parent, &ctx))
        };
        if instance.genai_only && !class.is(Class::GENAI) {
            let inside = outer
                .as_ref()
                .is_some_and(|outer| outer.has(SpanState::GENAI));
            if !inside || !class.is(Class::STEP) {
                return;
            }
        }
        let state = self.open(attrs, class, outer.as_ref());
        if class.is(Class::STARTER) {
            starting::opened(instance, &state);
        }
        let Some(span) = ctx.span(id) else { return };
        let mut extensions = span.extensions_mut();
        match extensions.get_mut::<Tracked>() {
            Some(tracked) => tracked.others.push((instance.number, state)),
            None => extensions.insert(Tracked {
                instance: instance.number,
                state,
                others: Vec::new(),
            }),
        }
    }

    fn on_record(&self, id: &Id, values: &Values<'_>, ctx: Context<'_, S>) {
        if entered::is_quiet() {
            return;
        }
        // Values are nearly always recorded inside the span, and this thread's stack is cheaper than the registry.
        let state = entered::find(self.number, id.into_u64()).or_else(|| self.seen(id, &ctx));
        if let Some(state) = state {
            let mut capture = Capture(InSpan::new(&self.instance, &state));
            values.record(&mut capture);
            capture.0.finish();
        }
    }

    fn on_follows_from(&self, id: &Id, follows: &Id, ctx: Context<'_, S>) {
        if id == follows {
            return;
        }
        if let (Some(state), Some(cause)) = (self.seen(id, &ctx), self.seen(follows, &ctx)) {
            let link = self.instance.identity(&cause).context();
            self.instance.add_link(&state, link);
        }
    }

    fn on_event(&self, event: &Event<'_>, ctx: Context<'_, S>) {
        let instance = &self.instance;
        if !instance.is_on() || entered::is_quiet() {
            return;
        }
        let meta = event.metadata();
        let class = classify(meta, &instance.steps, instance.number);
        let state = if event.is_contextual() {
            entered::current(instance.number)
        } else {
            event.parent().and_then(|parent| self.nearest(parent, &ctx))
        };
        if state.is_none() && !class.is(Class::MOMENT) {
            return;
        }
        with_scratch(|fields| {
            event.record(&mut Capture(Loose {
                fields,
                limits: &instance.limits,
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
                instance.moment(state.as_ref(), name, level, fields);
            } else if let Some(state) = &state {
                if Self::is_err_report(meta, state) {
                    let message = fields.str("error").map(str::to_owned);
                    instance.note_error(state, None, message.as_deref());
                    return;
                }
                instance.add_event(state, meta.name(), fields);
            }
        });
    }

    fn on_enter(&self, id: &Id, ctx: Context<'_, S>) {
        let Some(state) = self.seen(id, &ctx) else {
            return;
        };
        let context = if self.instance.activate {
            Some(self.instance.context(&state))
        } else {
            self.instance.identity(&state);
            None
        };
        let place = Place {
            instance: self.instance.number,
            layer: self.number,
            id: id.into_u64(),
        };
        entered::push(place, state, context);
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        if let Some(state) = entered::pop(self.number, id.into_u64()) {
            state.last_exit.store(
                self.instance.clock.now(),
                std::sync::atomic::Ordering::Relaxed,
            );
        }
    }

    fn on_close(&self, id: Id, ctx: Context<'_, S>) {
        let Some(state) = self.seen(&id, &ctx) else {
            return;
        };
        if std::thread::panicking() && !state.has(SpanState::ENDED) {
            self.instance
                .note_error(&state, Some(semconv::error_type::PANIC), None);
        }
        let left = state.last_exit.load(std::sync::atomic::Ordering::Relaxed);
        self.instance
            .end(&state, Outcome::Closed, (left > 0).then_some(left));
    }
}
