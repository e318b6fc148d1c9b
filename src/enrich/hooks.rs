//! Your own code in the chain: [`Enrich`].
//!
//! Promise: hooks run on the telemetry thread, in the order they were added; a hook that panics is contained and counted,
//! the record goes on without its part, and after ten panics in a row of one of its methods the hook is switched off, with
//! one line on stderr.
//! Never: a hook delays the application; a slow one delays what comes after it, up to the queue's bound.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry::{SpanId, TraceId};

use crate::contain::contain;
use crate::diagnostics;
use crate::event::{EventData, Key, Subject, Value};
use crate::record::{FieldRef, Limits, Record};
use crate::stats::{Books, Loss};

/// What happens to an event after a hook has seen it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Verdict {
    /// It goes on.
    #[default]
    Keep,
    /// It goes on, marked [`Visibility::Internal`](crate::event::Visibility): not for people's eyes.
    Hide,
    /// It reaches no subscriber and not the console. The span is exported all the same.
    Drop,
}

/// Hooks around spans and their events. Everything has a default that does nothing.
///
/// The order for a span that ends: names, provider and inherited attributes are normalised; `after_span` of each hook;
/// usage, cost and totals are worked out from what is then there; `on_completed` of each hook sees the finished event;
/// metrics, bus, console and exporters follow.
///
/// ```
/// use tracing_genai::{Telemetry, enrich::{Enrich, SpanMut}};
///
/// struct Tenant(&'static str);
///
/// impl Enrich for Tenant {
///     fn after_span(&self, span: &mut SpanMut<'_>) {
///         span.set("tenant", self.0);
///     }
/// }
///
/// let telemetry = Telemetry::builder("planner").enrich(Tenant("acme")).build()?;
/// # Ok::<(), tracing_genai::ConfigError>(())
/// ```
pub trait Enrich: Send + Sync + 'static {
    /// The one subject this hook is for; `None`, the default, is every subject and plain spans too.
    fn subject(&self) -> Option<Subject> {
        None
    }

    /// A span has started. What is set here is on its started event and on the exported span, unless the span itself
    /// sets the same attribute later.
    fn before_span(&self, _span: &mut SpanMut<'_>) {}

    /// A span has ended.
    fn after_span(&self, _span: &mut SpanMut<'_>) {}

    /// The started event is about to be published.
    fn on_started(&self, _event: &mut EventData) -> Verdict {
        Verdict::Keep
    }

    /// The terminal event, whatever the end, is about to be published.
    fn on_completed(&self, _event: &mut EventData) -> Verdict {
        Verdict::Keep
    }
}

/// A span as a hook sees it.
#[derive(Debug)]
pub struct SpanMut<'a> {
    record: &'a mut Record,
    limits: &'a Limits,
}

impl SpanMut<'_> {
    /// What the span is called when exported.
    pub fn name(&self) -> String {
        crate::pipeline::names::span_name(self.record)
    }

    /// What kind of thing it is; `None` for plain spans.
    pub fn subject(&self) -> Option<Subject> {
        self.record.subject
    }

    /// Its trace.
    pub fn trace_id(&self) -> TraceId {
        self.record.id.trace
    }

    /// Its id.
    pub fn span_id(&self) -> SpanId {
        self.record.id.span
    }

    /// How long it took; zero while it is open.
    pub fn duration(&self) -> Duration {
        self.record.duration()
    }

    /// An attribute.
    pub fn get(&self, name: &str) -> Option<Value> {
        self.record.fields.get(name).map(FieldRef::to_value)
    }

    /// Sets an attribute; the last value of a name wins, the span's limits hold.
    pub fn set(&mut self, name: impl Into<Key>, value: impl Into<Value>) {
        self.record
            .fields
            .set_value(name, value.into(), self.limits);
    }

    /// Removes an attribute, and says whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        self.record.fields.remove(name)
    }
}

/// So many panics in a row switch a hook off: fewer would punish one bad record, more would fill stderr.
const PATIENCE: u32 = 10;

/// The methods of a hook.
#[derive(Clone, Copy)]
enum Point {
    Before,
    After,
    Started,
    Completed,
}

struct Hook {
    inner: Box<dyn Enrich>,
    /// Panics in a row of each method: those a hook leaves at their default never panic, and say nothing about the others.
    panics: [u32; 4],
}

impl Hook {
    fn is_on(&self) -> bool {
        self.panics.iter().all(|panics| *panics < PATIENCE)
    }
}

/// The hooks of an instance.
pub(crate) struct Hooks {
    hooks: Vec<Hook>,
    parts: Arc<Books>,
}

impl Hooks {
    pub(crate) fn new(hooks: Vec<Box<dyn Enrich>>, parts: Arc<Books>) -> Self {
        let hooks = hooks
            .into_iter()
            .map(|inner| Hook {
                inner,
                panics: [0; 4],
            })
            .collect();
        Self { hooks, parts }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.hooks.is_empty()
    }

    /// A start that is told `late` was told before, without a subject: hooks for every span have seen it.
    pub(crate) fn before_span(&mut self, record: &mut Record, late: bool, limits: &Limits) {
        let subject = record.subject;
        self.each(Point::Before, subject, |hook| {
            if late && hook.subject().is_none() {
                return;
            }
            hook.before_span(&mut SpanMut { record, limits })
        });
    }

    pub(crate) fn after_span(&mut self, record: &mut Record, limits: &Limits) {
        let subject = record.subject;
        self.each(Point::After, subject, |hook| {
            hook.after_span(&mut SpanMut { record, limits })
        });
    }

    pub(crate) fn on_event(&mut self, event: &mut EventData, started: bool) -> Verdict {
        let mut verdict = Verdict::Keep;
        let point = if started {
            Point::Started
        } else {
            Point::Completed
        };
        self.each(point, Some(event.ty.subject()), |hook| {
            let said = if started {
                hook.on_started(event)
            } else {
                hook.on_completed(event)
            };
            verdict = match (verdict, said) {
                (Verdict::Drop, _) | (_, Verdict::Drop) => Verdict::Drop,
                (Verdict::Hide, _) | (_, Verdict::Hide) => Verdict::Hide,
                (Verdict::Keep, Verdict::Keep) => Verdict::Keep,
            };
        });
        verdict
    }

    fn each(&mut self, point: Point, subject: Option<Subject>, mut call: impl FnMut(&dyn Enrich)) {
        for (number, hook) in self.hooks.iter_mut().enumerate() {
            if !hook.is_on() {
                continue;
            }
            let called = contain(|| {
                let wanted = hook.inner.subject();
                let meant = wanted.is_none() || wanted == subject;
                if meant {
                    call(hook.inner.as_ref());
                }
                meant
            });
            let panics = &mut hook.panics[point as usize];
            match called {
                Some(true) => *panics = 0,
                Some(false) => {}
                None => {
                    *panics += 1;
                    self.parts.lose(Loss::Hook, 1);
                    if *panics == PATIENCE {
                        diagnostics::say_once(
                            &format!("hook {number}"),
                            format_args!(
                                "enrichment hook {number} panicked {PATIENCE} times in a row and is off"
                            ),
                        );
                    }
                }
            }
        }
    }
}
