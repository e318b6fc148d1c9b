//! Handlers: what is called, with which events, after whom.
//!
//! Promise: nothing is called before it is added to a bus. Never: calls anything itself; the dispatcher does.

mod call;
mod callee;
mod guard;
mod id;
mod listener;

use std::{error::Error, fmt, sync::Arc};

pub use self::{
    call::Outcome,
    guard::HandlerGuard,
    id::HandlerId,
    listener::{EventListener, Listener},
};
pub(super) use self::{
    call::{Call, Running, sealed::Failed},
    callee::Callee,
};
use super::{
    Bus,
    filter::{Condition, Filter, narrowing, place},
    registry::After,
};
use crate::event::{Event, EventSpec, EventType};

/// A handler not yet added to a bus: [`Bus::add`] and [`Bus::add_all`] do that.
///
/// ```
/// use tracing_genai::{bus::{Bus, Handler}, event::{LlmCallCompleted, LlmCallFailed}};
///
/// let bus = Bus::new();
/// let price = bus.on::<LlmCallCompleted>(|call| { /* sum up what it cost */ });
/// bus.add(
///     Handler::named("budget alarm")
///         .on::<LlmCallCompleted>(|call| { /* compare the sum with the budget */ })
///         .after(&price),
/// )?;
/// # Ok::<(), tracing_genai::bus::DependencyError>(())
/// ```
///
/// # Order
///
/// Handlers are called with one event at a time, in the order of the events. For one event, a handler is called once those
/// it comes [after](Handler::after) have returned; handlers that depend on nothing, or on the same, are called at the same
/// time, on [`Bus::PARALLEL_HANDLERS`] threads at most, and the next event waits for all of them.
///
/// A dependency orders two handlers that are both called for an event. Where the other one is not, because the event is of
/// a type or on a channel it is not for, there is nothing to wait for.
#[must_use = "a handler does nothing until it is added to a bus"]
pub struct Handler {
    pub(super) callee: Callee,
    pub(super) after: Vec<After>,
}

impl Handler {
    /// Begins a handler of this name, under which it fails, is depended on, and is shown. Names need not be unique.
    pub fn named(name: impl Into<Arc<str>>) -> HandlerBuilder {
        HandlerBuilder {
            name: name.into(),
            filter: Filter::new(),
            show_errors: false,
        }
    }

    /// The id it has on every bus, for others to refer to before it is added.
    pub fn id(&self) -> &HandlerId {
        &self.callee.id
    }

    /// Calls it after `other`, whether or not that succeeds. `other` may be an id or a name; a name means all handlers that
    /// have it.
    pub fn after(self, other: impl Into<HandlerId>) -> Self {
        self.comes_after(other.into(), false)
    }

    /// Calls it after `other`, and only if `other` returned without an error or a panic. It is also called when `other`
    /// was not called for the event. Skipped calls count in [`BusStats::handler_skipped`](super::BusStats::handler_skipped).
    pub fn after_ok(self, other: impl Into<HandlerId>) -> Self {
        self.comes_after(other.into(), true)
    }

    fn comes_after(mut self, other: HandlerId, only_if_ok: bool) -> Self {
        self.after.push(After { other, only_if_ok });
        self
    }
}

impl fmt::Debug for Handler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handler")
            .field("name", &self.callee.id.name())
            .field("filter", &self.callee.filter)
            .field("after", &self.after)
            .finish_non_exhaustive()
    }
}

/// A handler whose events and whose code are still to be named, from [`Handler::named`].
///
/// ```
/// use tracing_genai::{bus::{Bus, Handler}, event::{Event, Level}};
///
/// let bus = Bus::new();
/// bus.add(
///     Handler::named("pager")
///         .pattern("*.failed")?
///         .level(Level::Error)
///         .on_event_async(|event: Event| async move {
///             // Any future: the bus has a runtime of its own for it.
///             tokio::time::sleep(std::time::Duration::from_millis(1)).await;
///             println!("{event}");
///         }),
/// )?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
#[must_use = "a handler is made by `on`, `on_event`, `on_async` …"]
pub struct HandlerBuilder {
    name: Arc<str>,
    filter: Filter,
    show_errors: bool,
}

impl HandlerBuilder {
    /// Only events that `filter` wants, in place of all conditions given before.
    pub fn matching(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    narrowing!();

    /// Shows what the handler's errors say on stderr, once an hour. By default they are only counted, because the text of
    /// an error may carry what should not be in a log.
    pub fn show_errors(mut self) -> Self {
        self.show_errors = true;
        self
    }

    /// Calls `handler` with every event of one type.
    pub fn on<S: EventSpec>(
        self,
        handler: impl for<'e> Fn(S::View<'e>) + Send + Sync + 'static,
    ) -> Handler {
        self.only::<S>().calling(Call::sync(move |event| {
            if let Some(view) = S::view(event) {
                handler(view);
            }
        }))
    }

    /// The same for code that may fail. Failures count in
    /// [`BusStats::handler_errors`](super::BusStats::handler_errors), and those that come [after it is
    /// ok](Handler::after_ok) are not called.
    pub fn try_on<S: EventSpec>(
        self,
        handler: impl for<'e> Fn(S::View<'e>) -> Result<(), Box<dyn Error + Send + Sync>>
        + Send
        + Sync
        + 'static,
    ) -> Handler {
        self.only::<S>().calling(Call::sync(move |event| {
            S::view(event).map_or(Ok(()), &handler)
        }))
    }

    /// Calls `handler` with every event that meets the conditions. It returns nothing, or a `Result` whose error counts.
    pub fn on_event<R: Outcome>(
        self,
        handler: impl Fn(&Event) -> R + Send + Sync + 'static,
    ) -> Handler {
        self.calling(Call::sync(handler))
    }

    /// Awaits what `handler` makes of every event of one type. See [`Bus::on_async`].
    pub fn on_async<S: EventSpec>(
        self,
        handler: impl AsyncFn(Event) + Send + Sync + 'static,
    ) -> Handler {
        self.only::<S>().calling(Call::asynchronous(
            |event| S::view(event).is_some(),
            handler,
        ))
    }

    /// Awaits what `handler` makes of every event that meets the conditions: nothing, or a `Result` whose error counts.
    pub fn on_event_async<R: Outcome + 'static>(
        self,
        handler: impl AsyncFn(Event) -> R + Send + Sync + 'static,
    ) -> Handler {
        self.calling(Call::asynchronous(|_| true, handler))
    }

    /// A type whose text is no event type is looked for in every event: whoever reads the event decides.
    fn only<S: EventSpec>(mut self) -> Self {
        if let Ok(ty) = EventType::parse(S::TYPE) {
            self.filter.only_type(ty);
        }
        self
    }

    fn calling(self, call: Call) -> Handler {
        let id = HandlerId::next(self.name);
        Handler {
            callee: Callee::new(id, self.filter, call, self.show_errors),
            after: Vec::new(),
        }
    }

    fn filter_mut(&mut self) -> &mut Filter {
        &mut self.filter
    }
}

impl Bus {
    /// Calls `handler` with every event of one type, on the bus's own thread, from now on.
    ///
    /// The handler is named by its event type and this line of code; [`Handler::named`] gives it another name, more
    /// conditions, and a place after others.
    #[track_caller]
    pub fn on<S: EventSpec>(
        &self,
        handler: impl for<'e> Fn(S::View<'e>) + Send + Sync + 'static,
    ) -> HandlerId {
        self.put(Handler::named(place(S::TYPE)).on::<S>(handler))
    }

    /// Calls `handler` with every event, on the bus's own thread, from now on.
    #[track_caller]
    pub fn on_event<R: Outcome>(
        &self,
        handler: impl Fn(&Event) -> R + Send + Sync + 'static,
    ) -> HandlerId {
        self.put(Handler::named(place("*")).on_event(handler))
    }

    /// Awaits what `handler` makes of every event of one type, on the bus's own thread, from now on. It gets the event
    /// itself, to keep it across an `await`; [`EventSpec::view`] reads it.
    ///
    /// The bus has a runtime of its own, with timers, so none of the application's is needed; the future never leaves its
    /// thread, so it need not be `Send`. Handlers of one event that wait do so at the same time. Tasks that a handler spawns
    /// on this runtime make progress only while a handler is awaited: await what you start. Closing the bus drops what is
    /// waiting.
    ///
    /// ```
    /// use tracing_genai::{bus::Bus, event::{EventSpec, LlmCallFailed}};
    ///
    /// let bus = Bus::new();
    /// bus.on_async::<LlmCallFailed>(async |event| {
    ///     let call = LlmCallFailed::view(&event);
    ///     tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    ///     println!("{call:?}");
    /// });
    /// ```
    #[track_caller]
    pub fn on_async<S: EventSpec>(
        &self,
        handler: impl AsyncFn(Event) + Send + Sync + 'static,
    ) -> HandlerId {
        self.put(Handler::named(place(S::TYPE)).on_async::<S>(handler))
    }

    /// The same with every event.
    #[track_caller]
    pub fn on_event_async<R: Outcome + 'static>(
        &self,
        handler: impl AsyncFn(Event) -> R + Send + Sync + 'static,
    ) -> HandlerId {
        self.put(Handler::named(place("*")).on_event_async(handler))
    }
}
