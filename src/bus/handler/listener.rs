//! Listeners: handlers as objects, with an id and a list of the types they are interested in.

use std::{fmt, sync::Arc};

use crate::{
    bus::Bus,
    event::{Event, ParseEventTypeError},
};

use super::{Handler, HandlerId};

/// Somebody who listens to events; registered with [`Bus::register`].
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use tracing_genai::{bus::{Bus, EventListener}, event::Event};
///
/// #[derive(Default)]
/// struct Failures(AtomicU64);
///
/// impl EventListener for Failures {
///     fn on_event(&self, _event: &Event) {
///         self.0.fetch_add(1, Ordering::Relaxed);
///     }
///
///     fn listener_id(&self) -> &str {
///         "failures"
///     }
///
///     fn event_types(&self) -> &[&str] {
///         &["*.failed"]
///     }
/// }
///
/// Bus::new().register(Failures::default())?;
/// # Ok::<(), tracing_genai::event::ParseEventTypeError>(())
/// ```
pub trait EventListener: Send + Sync + 'static {
    /// Called with every event of the types it is interested in, on the bus's own thread, one event after the other.
    fn on_event(&self, event: &Event);

    /// Its name: panics count under it, others depend on it, and it is removed by it. Read once, when it is registered.
    fn listener_id(&self) -> &str;

    /// The types it is interested in, as [patterns](crate::event::Pattern): `llm.call.*`, `crew_kickoff_started`. None, the
    /// default, means all. Read once, when it is registered.
    fn event_types(&self) -> &[&str] {
        &[]
    }
}

/// A closure that listens.
///
/// ```
/// use tracing_genai::bus::{Bus, Listener};
///
/// let listener = Listener::new("my_logger", move |event| {
///     println!("[{}] {}: {}",
///         event.timestamp(),
///         event.event_type(),
///         event.event_id(),
///     );
/// });
///
/// let bus = Bus::new();
/// bus.register(listener)?;
/// assert!(bus.off("my_logger"));
/// # Ok::<(), tracing_genai::event::ParseEventTypeError>(())
/// ```
#[must_use = "a listener does nothing until it is registered"]
pub struct Listener {
    id: Arc<str>,
    types: Vec<&'static str>,
    on_event: Box<dyn Fn(&Event) + Send + Sync>,
}

impl Listener {
    /// A listener to all events.
    pub fn new(id: impl Into<Arc<str>>, on_event: impl Fn(&Event) + Send + Sync + 'static) -> Self {
        Self {
            id: id.into(),
            types: Vec::new(),
            on_event: Box::new(on_event),
        }
    }

    /// Only interested in these types, or patterns of types; in addition to those named before.
    pub fn to(mut self, types: impl IntoIterator<Item = &'static str>) -> Self {
        self.types.extend(types);
        self
    }
}

impl EventListener for Listener {
    fn on_event(&self, event: &Event) {
        (self.on_event)(event);
    }

    fn listener_id(&self) -> &str {
        &self.id
    }

    fn event_types(&self) -> &[&str] {
        &self.types
    }
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener")
            .field("id", &self.id)
            .field("types", &self.types)
            .finish_non_exhaustive()
    }
}

impl Handler {
    /// A handler of the listener's id that calls it with the events of the types it is interested in.
    ///
    /// # Errors
    /// When one of its types is no pattern.
    pub fn listening(listener: impl EventListener) -> Result<Self, ParseEventTypeError> {
        let mut builder = Self::named(listener.listener_id());
        for pattern in listener.event_types() {
            builder = builder.pattern(pattern)?;
        }
        Ok(builder.on_event(move |event: &Event| listener.on_event(event)))
    }
}

impl Bus {
    /// Adds a listener: from now on it hears the events it is interested in, on the bus's own thread.
    /// [`Bus::off`] removes it, by what this returns or by its id.
    ///
    /// # Errors
    /// When one of its types is no pattern; it is not registered then.
    pub fn register(&self, listener: impl EventListener) -> Result<HandlerId, ParseEventTypeError> {
        Ok(self.put(Handler::listening(listener)?))
    }
}
