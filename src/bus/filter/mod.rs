//! Which events somebody wants: declared conditions, and questions of the application's own.
//!
//! Promise: conditions are compared on the publisher's thread, for a few nanoseconds each; predicates are user code and
//! are asked where the events are used, never there (see [`Filter::filter`]).
//! Never: changes an event.

mod condition;
mod predicate;

use std::{panic::Location, sync::Arc};

pub(super) use self::{
    condition::{Condition, Conditions},
    predicate::Predicate,
};
use super::failures::Failures;
use crate::event::{Event, EventType};

/// Which events a subscription, a handler or a tap is for; by default all.
///
/// Conditions of different sorts must all hold; of one sort, any. So `.channel("LLM").channel("TOOL").level(Level::Warn)`
/// is what happened on either channel and is a warning or worse. Cheap to clone.
///
/// The builders of [subscriptions](super::Bus::subscription) and [handlers](super::Handler::named) have the same methods.
///
/// ```
/// use tracing_genai::{bus::{Bus, Filter}, event::Level};
///
/// let bus = Bus::new();
/// let alarms = Filter::new().pattern("*.failed")?.level(Level::Error).agent("planner");
/// let mut alarms = bus.subscription().matching(alarms).open();
/// # assert!(alarms.try_recv().is_none());
/// # Ok::<(), tracing_genai::event::ParseEventTypeError>(())
/// ```
#[derive(Debug, Clone, Default)]
#[must_use = "a filter does nothing until something is opened with it"]
pub struct Filter {
    pub(super) conditions: Conditions,
    pub(super) predicates: Vec<Predicate>,
}

/// The conditions of [`Filter`] as methods of a builder, which has `filter_mut` to give its filter, and `Condition` at hand.
macro_rules! narrowing {
    () => {
        /// Only events of the types that `pattern` means: `llm.call.*`, `*.failed`, a name of a known dialect; see
        /// [`Pattern`](crate::event::Pattern).
        ///
        /// # Errors
        /// When `pattern` is none.
        pub fn pattern(self, pattern: &str) -> Result<Self, crate::event::ParseEventTypeError> {
            Ok(self.types(crate::event::Pattern::parse(pattern)?))
        }

        /// Only events of the types that a pattern, or one type, means.
        pub fn types(self, pattern: impl Into<crate::event::Pattern>) -> Self {
            self.wanting(Condition::Types(vec![pattern.into()]))
        }

        /// Only events about components of this kind.
        pub fn kind(self, kind: crate::event::Kind) -> Self {
            self.wanting(Condition::Kinds(vec![kind]))
        }

        /// Only events about this subject, whatever the phase.
        pub fn subject(self, subject: crate::event::Subject) -> Self {
            self.wanting(Condition::Subjects(vec![subject]))
        }

        /// Only events on this channel.
        pub fn channel(self, channel: impl Into<crate::event::Channel>) -> Self {
            self.wanting(Condition::Channels(vec![channel.into()]))
        }

        /// Only events of this level or a more serious one. Said twice, the last counts.
        pub fn level(self, at_least: crate::event::Level) -> Self {
            self.wanting(Condition::AtLeast(at_least))
        }

        /// Only events of the agent of this name or id.
        pub fn agent(self, name_or_id: impl Into<std::sync::Arc<str>>) -> Self {
            self.wanting(Condition::Agents(vec![name_or_id.into()]))
        }

        /// Only events of this trace.
        pub fn trace(self, trace: crate::event::TraceId) -> Self {
            self.wanting(Condition::Traces(vec![trace]))
        }

        /// Only events of the session or conversation of this id.
        pub fn session(self, id: impl Into<std::sync::Arc<str>>) -> Self {
            self.wanting(Condition::Sessions(vec![id.into()]))
        }

        /// Only events from this dialect; [`Flavor::NONE`](crate::event::Flavor::NONE) for this library's own.
        pub fn flavor(self, flavor: impl Into<crate::event::Flavor>) -> Self {
            self.wanting(Condition::Flavors(vec![flavor.into()]))
        }

        /// Only what users of the application may see: hides
        /// [`Visibility::Internal`](crate::event::Visibility::Internal).
        pub fn user_facing(self) -> Self {
            self.wanting(Condition::Public)
        }

        /// Only events for which `holds` says so; of several, all must.
        ///
        /// It is user code, so it never runs while somebody publishes, except for a tap, which does everything there: a
        /// subscription asks where it is read, a handler on the bus's thread. It is asked only about events that meet all
        /// other conditions. If it panics that means no, and counts in
        /// [`BusStats::handler_errors`](crate::bus::BusStats::handler_errors) as `filter at src/main.rs:12`.
        #[track_caller]
        pub fn filter(
            mut self,
            holds: impl Fn(&crate::event::Event) -> bool + Send + Sync + 'static,
        ) -> Self {
            self.filter_mut().ask(holds);
            self
        }

        fn wanting(mut self, condition: Condition) -> Self {
            self.filter_mut().conditions.widen(condition);
            self
        }
    };
}
pub(super) use narrowing;

impl Filter {
    /// Everything.
    pub fn new() -> Self {
        Self::default()
    }

    narrowing!();

    /// Whether the event is wanted. Asks the predicates; one that panics means no.
    pub fn matches(&self, event: &Event) -> bool {
        self.passes(event, &Failures::default())
    }

    /// Whether the declared conditions hold; no user code runs.
    pub(crate) fn meets_conditions(&self, event: &Event) -> bool {
        self.conditions.match_event(event)
    }

    /// Whether the event is wanted; runs user code.
    pub(super) fn passes(&self, event: &Event, failures: &Failures) -> bool {
        self.conditions.match_event(event) && holds_all(&self.predicates, event, failures)
    }

    /// Narrows to one type, whatever other types are asked for.
    pub(super) fn only_type(&mut self, ty: EventType) {
        self.conditions.also(Condition::Types(vec![ty.into()]));
    }

    fn filter_mut(&mut self) -> &mut Self {
        self
    }

    #[track_caller]
    pub(super) fn ask(&mut self, holds: impl Fn(&Event) -> bool + Send + Sync + 'static) {
        self.predicates.push(Predicate::new(place("filter"), holds));
    }
}

pub(super) fn holds_all(predicates: &[Predicate], event: &Event, failures: &Failures) -> bool {
    predicates
        .iter()
        .all(|predicate| predicate.holds(event, failures))
}

/// `llm.call.completed at src/main.rs:12`: enough to find the code that a panic is reported for.
#[track_caller]
pub(super) fn place(what: &str) -> Arc<str> {
    let at = Location::caller();
    format!("{what} at {}:{}", at.file(), at.line()).into()
}
