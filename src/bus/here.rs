//! What this thread is doing for a bus right now: with which event, how deep, for which dispatcher.

use std::{cell::Cell, ptr, sync::Arc};

use super::dispatch::Dispatcher;

#[derive(Clone, Copy)]
struct Here {
    /// The depth of the event that is being handled or shown.
    depth: u8,
    /// Whose handler this is. Null in a tap outside of handlers. Only compared, never read.
    dispatcher: *const Dispatcher,
}

thread_local! {
    static HERE: Cell<Option<Here>> = const { Cell::new(None) };
}

/// Until dropped, this thread is with an event.
pub(super) struct With(Option<Here>);

impl Drop for With {
    fn drop(&mut self) {
        HERE.set(self.0);
    }
}

/// From here on, this thread runs handlers of `dispatcher`.
pub(super) fn handling(depth: u8, dispatcher: &Arc<Dispatcher>) -> With {
    let dispatcher = Arc::as_ptr(dispatcher);
    With(HERE.replace(Some(Here { depth, dispatcher })))
}

/// From here on, this thread runs taps, possibly inside a handler.
pub(super) fn tapping(depth: u8) -> With {
    let dispatcher = HERE.get().map_or(ptr::null(), |here| here.dispatcher);
    With(HERE.replace(Some(Here { depth, dispatcher })))
}

/// The depth of an event published on this thread now.
pub(super) fn depth() -> u8 {
    HERE.get().map_or(0, |here| here.depth.saturating_add(1))
}

/// Whether this is a handler of `dispatcher`.
pub(super) fn inside(dispatcher: &Arc<Dispatcher>) -> bool {
    HERE.get()
        .is_some_and(|here| ptr::eq(here.dispatcher, Arc::as_ptr(dispatcher)))
}
