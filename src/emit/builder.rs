//! An event in the making.

use std::any::type_name;
use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::Serialize;
use tracing::Span;

use super::{Cause, installed};
use crate::event::{
    CONTENT, Channel, CustomEvent, EventId, Flavor, Key, Level, Value, alias, import,
};
use crate::layer::entered;
use crate::layer::instance::Instance;
use crate::layer::starting::Opened;
use crate::layer::visit::with_scratch;
use crate::record::{Fields, Limits, Moment};
use crate::semconv;
use crate::span::opened;

/// An event about to be emitted. Made by [`event`](crate::event()).
///
/// ```
/// use tracing_genai::{event, event::Level};
///
/// event("billing.invoice.paid")
///     .attr("invoice.id", 7)
///     .channel("BILLING")
///     .level(Level::Warn)
///     .emit();
/// ```
#[must_use = "nothing happens until `emit`"]
pub struct EventBuilder {
    name: Cow<'static, str>,
    fields: Fields,
    body: Option<serde_json::Value>,
    level: Option<Level>,
    lasted: Option<Duration>,
    error: Option<(&'static str, Option<String>)>,
    cause: Option<Cause>,
    place: Place,
}

/// Where an event happens.
enum Place {
    /// In the span this thread is in, if any.
    Here,
    /// In this span, in the eyes of every installation that sees it.
    In(Vec<Opened>),
    /// In no span, in the eyes of this installation.
    #[cfg(feature = "mcp")]
    Outside(std::sync::Arc<Instance>),
}

impl fmt::Debug for EventBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Attributes may be content: their names are enough to know what one is looking at.
        let names: Vec<_> = self.fields.iter().map(|(name, _)| name).collect();
        f.debug_struct("EventBuilder")
            .field("name", &self.name)
            .field("attributes", &names)
            .finish_non_exhaustive()
    }
}

impl EventBuilder {
    pub(super) fn new(name: Cow<'static, str>) -> Self {
        Self {
            name,
            fields: Fields::default(),
            body: None,
            level: None,
            lasted: None,
            error: None,
            cause: None,
            place: Place::Here,
        }
    }

    pub(super) fn from_custom<E: CustomEvent>(event: E) -> Self {
        let mut builder = Self::new(Cow::Borrowed(E::TYPE));
        builder.level = E::LEVEL;
        if let Some(channel) = E::CHANNEL {
            builder = builder.channel(channel);
        }
        for (name, value) in event.into_attrs().iter() {
            builder = builder.attr(name.to_owned(), value.clone());
        }
        builder
    }

    /// Sets an attribute. The last value of a name wins.
    pub fn attr(mut self, name: impl Into<Key>, value: impl Into<Value>) -> Self {
        self.fields.set_value(name, value.into(), &Limits::DEFAULT);
        self
    }

    /// Sets an attribute for each key of `data`; data that is no object becomes the attribute `data`, `null` nothing. What
    /// does not serialise becomes a text that says so.
    pub fn data(mut self, data: impl Serialize) -> Self {
        match Value::from_serialize(&data) {
            Value::Json(serde_json::Value::Object(entries)) => {
                for (name, value) in entries {
                    self = self.attr(name, value);
                }
                self
            }
            Value::Json(serde_json::Value::Null) => self,
            other => self.attr("data", other),
        }
    }

    /// A text for people: the body of the log record. It is kept whatever the rules about content say, so let it name no
    /// prompts and answers.
    pub fn message(self, text: &str) -> Self {
        self.attr(semconv::MESSAGE, text)
    }

    /// Content: what people and models wrote, what tools got and gave. Kept where
    /// [`capture`](crate::TelemetryBuilder::capture) allows it.
    pub fn body(mut self, body: impl Serialize) -> Self {
        self.body = Some(Value::from_serialize(&body).to_json());
        self
    }

    /// The channel; by default that of the type, [`Channel::SYSTEM`] for types of one's own.
    pub fn channel(self, channel: impl Into<Channel>) -> Self {
        let channel: Channel = channel.into();
        self.attr(semconv::GENAI_CHANNEL, channel.as_str())
    }

    /// The level; by default that of the type, [`Level::Info`] for types of one's own.
    pub fn level(mut self, level: Level) -> Self {
        self.level = Some(level);
        self
    }

    /// The dialect it is told in.
    pub fn flavor(self, flavor: impl Into<Flavor>) -> Self {
        let flavor: Flavor = flavor.into();
        self.attr(semconv::GENAI_FLAVOR, flavor.as_str())
    }

    /// Hides it from user-facing subscribers; logs, stores and exporters have it all the same.
    pub fn internal(self) -> Self {
        self.attr(semconv::GENAI_VISIBILITY, "internal")
    }

    /// The error it tells of: its Rust type as `error.type`; its text is content. The level is `ERROR` unless another is set.
    pub fn error<E: fmt::Display + ?Sized>(mut self, error: &E) -> Self {
        self.level.get_or_insert(Level::Error);
        let allowed = installed().is_some_and(|instance| instance.error_messages);
        let message = allowed.then(|| {
            with_scratch(|fields| {
                let text = format_args!("{error}");
                fields.set_fmt(semconv::EXCEPTION_MESSAGE, &text, &Limits::DEFAULT);
                fields.str(semconv::EXCEPTION_MESSAGE).map(str::to_owned)
            })
        });
        self.error = Some((type_name::<E>(), message.flatten()));
        self
    }

    /// Names the event that set this one off, instead of the one of the [scope](crate::triggered_by).
    pub fn triggered_by(mut self, cause: impl Into<Cause>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// Says that it happened in `span`, and not in the span this thread is in.
    pub fn in_span(self, span: &Span) -> Self {
        self.inside(opened(span).into_iter().collect())
    }

    pub(crate) fn inside(mut self, opened: Vec<Opened>) -> Self {
        self.place = Place::In(opened);
        self
    }

    /// In no span, wherever it is emitted.
    #[cfg(feature = "mcp")]
    pub(crate) fn outside(mut self, instance: std::sync::Arc<Instance>) -> Self {
        self.place = Place::Outside(instance);
        self
    }

    /// How long what it tells the end of has lasted.
    #[cfg(feature = "mcp")]
    pub(crate) fn lasted(mut self, lasted: Duration) -> Self {
        self.lasted = Some(lasted);
        self
    }

    /// Emits it, and says under which id. `None` where no layer is installed.
    pub fn emit(mut self) -> Option<EventId> {
        let places: Vec<_> = match std::mem::replace(&mut self.place, Place::Here) {
            Place::In(opened) => opened
                .into_iter()
                .filter(|seen| seen.instance.is_on())
                .map(|seen| (seen.instance, Some(seen.state)))
                .collect(),
            #[cfg(feature = "mcp")]
            Place::Outside(instance) => {
                let on = instance.is_on().then_some((instance, None));
                on.into_iter().collect()
            }
            Place::Here => installed()
                .map(|instance| {
                    let state = entered::current(instance.number);
                    (instance, state)
                })
                .into_iter()
                .collect(),
        };
        let (first, _) = places.first()?;
        let id = first.event_id();
        self.translate(first);
        if let Some((kind, message)) = self.error.take() {
            self = self.attr(semconv::ERROR_TYPE, kind);
            if let Some(message) = message {
                self = self.attr(semconv::EXCEPTION_MESSAGE, message);
            }
        }
        let moment = Moment {
            level: self.level,
            lasted: self.lasted,
            id,
            body: self.body.take().map(Box::new),
            ..Moment::new(self.name)
        };
        let emit = || {
            for (instance, state) in &places {
                with_scratch(|fields| {
                    fields.copy_from(&self.fields);
                    instance.moment(state.as_ref(), moment.clone(), fields);
                });
            }
        };
        match self.cause {
            Some(cause) => cause.scope().in_scope(emit),
            None => emit(),
        }
        Some(EventId::from_u128(id))
    }

    /// Gives the data of an event that goes by a name of another system's the places this library has for it; what turns out
    /// to be content is kept where that is allowed.
    fn translate(&mut self, instance: &Instance) {
        let Some(known) = alias::resolve(&self.name).filter(|known| known.ty != *self.name) else {
            return;
        };
        let mut data = serde_json::Map::new();
        let mut rest = Fields::default();
        for (name, value) in self.fields.iter() {
            if name.starts_with("genai.") {
                rest.set_value(name.to_owned(), value.to_value(), &Limits::DEFAULT);
            } else {
                data.insert(name.to_owned(), value.to_value().to_json());
            }
        }
        let read = import::read_named(&self.name, data);
        for (name, value) in read.attrs.iter() {
            if instance.content || !CONTENT.contains(&name) {
                rest.set_value(name.to_owned(), value.clone(), &Limits::DEFAULT);
            }
        }
        if let Some(error) = read.error {
            rest.set_str(semconv::ERROR_TYPE, &error.kind, &Limits::DEFAULT);
            if let Some(message) = error.message.filter(|_| instance.error_messages) {
                rest.set_str(semconv::EXCEPTION_MESSAGE, &message, &Limits::DEFAULT);
            }
        }
        if rest.get(semconv::GENAI_FLAVOR).is_none() && !known.flavor.is_none() {
            rest.set_str(
                semconv::GENAI_FLAVOR,
                known.flavor.as_str(),
                &Limits::DEFAULT,
            );
        }
        self.body = self.body.take().or(read.body.map(|body| body.0));
        self.level.get_or_insert(read.level);
        self.lasted = read.duration;
        self.name = read.ty.to_string().into();
        self.fields = rest;
    }
}
