//! The view of any failure, whatever failed.

use std::{fmt, time::Duration};

use super::{
    EventSpec,
    read::{agent_name, step_name},
};
use crate::event::{ErrorInfo, Event, Phase, Subject};

/// Something failed, whatever it was; events of the application's own that end in `.failed` included.
#[derive(Clone)]
#[non_exhaustive]
pub struct FailureView<'e> {
    /// The event itself, with every attribute.
    pub event: &'e Event,
    /// What failed.
    pub subject: Subject,
    /// The span's name: `chat gpt-4o`. Empty outside a span.
    pub name: &'e str,
    /// The agent it happened to.
    pub agent_name: Option<&'e str>,
    /// The step it happened in.
    pub step_name: Option<&'e str>,
    /// How long it lived.
    pub duration: Option<Duration>,
    /// What went wrong.
    pub error: Option<&'e ErrorInfo>,
}

impl fmt::Debug for FailureView<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailureView")
            .field("type", &format_args!("{}", self.event.ty))
            .field("name", &self.name)
            .field("agent_name", &self.agent_name)
            .field("step_name", &self.step_name)
            .field("duration", &self.duration)
            .field("error", &self.error)
            .finish_non_exhaustive()
    }
}

/// Anything failed.
///
/// Every type in the phase `failed`, read as [`FailureView`].
///
/// ```
/// use tracing_genai::{bus::Bus, event::AnyFailed};
///
/// let bus = Bus::new();
/// bus.on::<AnyFailed>(|failure| eprintln!("{}: {:?}", failure.name, failure.error));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct AnyFailed;

impl EventSpec for AnyFailed {
    const TYPE: &'static str = "*.failed";
    type View<'e> = FailureView<'e>;

    fn view(event: &Event) -> Option<FailureView<'_>> {
        (event.phase == Phase::Failed).then(|| FailureView {
            event,
            subject: event.ty.subject(),
            name: &event.name,
            agent_name: agent_name(event),
            step_name: step_name(event),
            duration: event.duration,
            error: event.error.as_ref(),
        })
    }
}
