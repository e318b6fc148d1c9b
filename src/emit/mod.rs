//! Emitting events: by name with data, by a builder, or as a type of the application's own.
//!
//! An event emitted here goes the way of every record: through the queue to the telemetry thread, and from there to the bus,
//! the history, files and, as a log record with the ids of the span it happened in, to the collector. The `tracing` macros do
//! the same with `tracing::info!(genai.event = "order.placed", …)`.
//!
//! Promise: emitting never fails, blocks or panics in the caller, whatever the data, and costs nothing but a look where no
//! layer is installed.
//! Never: runs a handler, looks at content, or waits for an outlet.
//!
//! ```
//! use tracing_genai::{event, event::Level, log_event, testing::capture};
//!
//! let capture = capture();
//! capture.record(|| {
//!     log_event("user_login", serde_json::json!({ "user_id": "user123", "successful": true }), "USER_ACTIVITY", Level::Info);
//!     event("billing.invoice.paid").attr("invoice.id", 7).channel("BILLING").emit();
//! });
//! let events = capture.events();
//! assert_eq!(events[0].attr("user_id").and_then(|id| id.as_str()), Some("user123"));
//! assert!(events[1].ty == "billing.invoice.paid");
//! ```

mod builder;
mod cause;
pub mod emission;
mod moments;

pub use builder::EventBuilder;
pub use cause::{Cause, TriggeredBy, TriggeredGuard, triggered_by};
pub use moments::{
    Evaluation, Routing, evaluation, human_feedback_received, human_feedback_requested,
    instrumentation_applied, route,
};

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::event::{Channel, EventId, Level};
use crate::layer::instance::Instance;
use crate::layer::{GenAiLayer, entered};

/// Emits an event: its name, its data, its channel, its level.
///
/// `event_type` is a type (`billing.invoice.paid`), one of the taxonomy (`security.alert`), or what a known dialect calls one
/// (`LLM_call_start`, `crew_kickoff_started`), whose data then takes the places this library has for it. Any other text becomes
/// the nearest type. The keys of `data` become attributes; data that is no object becomes the attribute `data`, and what does
/// not serialise a text that says so. An empty channel is that of the type, [`Channel::SYSTEM`] for types of one's own.
///
/// ```
/// use tracing_genai::{event::Level, log_event};
///
/// log_event("custom_event", serde_json::json!({ "key": "value" }), "CUSTOM_CHANNEL", Level::Info);
/// ```
pub fn log_event(
    event_type: impl Into<String>,
    data: impl Serialize,
    channel: impl Into<String>,
    level: Level,
) {
    let channel = channel.into();
    let event = event(event_type.into()).data(data).level(level);
    if channel.trim().is_empty() {
        event.emit();
    } else {
        event.channel(Channel::new(channel)).emit();
    }
}

/// Begins an event of this type; see [`EventBuilder`].
pub fn event(event_type: impl Into<std::borrow::Cow<'static, str>>) -> EventBuilder {
    EventBuilder::new(event_type.into())
}

/// Emits an event at level `INFO` with a text.
pub fn log_info(event_type: impl Into<String>, message: &str) -> Option<EventId> {
    event(event_type.into())
        .level(Level::Info)
        .message(message)
        .emit()
}

/// Emits an event at level `WARN` with a text.
pub fn log_warning(event_type: impl Into<String>, message: &str) -> Option<EventId> {
    event(event_type.into())
        .level(Level::Warn)
        .message(message)
        .emit()
}

/// Emits an event at level `ERROR`. The error's Rust type becomes `error.type`; its text is content, and kept only where
/// [`error_messages`](crate::TelemetryBuilder::error_messages) allows it.
///
/// ```
/// if let Err(error) = "many".parse::<u32>() {
///     tracing_genai::log_error("data.error", &error);
/// }
/// ```
pub fn log_error<E: fmt::Display + ?Sized>(
    event_type: impl Into<String>,
    error: &E,
) -> Option<EventId> {
    event(event_type.into()).error(error).emit()
}

/// Emits an event of a type of the application's own, declared with [`event_types!`](crate::event_types).
pub fn emit<E: crate::event::CustomEvent>(event: E) -> Option<EventId> {
    EventBuilder::from_custom(event).emit()
}

/// The installation whose layer this thread's subscriber has; `None` without one, and where telemetry is suppressed.
pub(crate) fn installed() -> Option<Arc<Instance>> {
    if entered::is_quiet() {
        return None;
    }
    tracing::dispatcher::get_default(|dispatch| {
        let layer = dispatch.downcast_ref::<GenAiLayer>()?;
        let instance = layer.instance();
        instance.is_on().then(|| Arc::clone(instance))
    })
}
