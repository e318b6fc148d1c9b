//! What is called, and how it went.
//!
//! Promise: an error becomes text only if somebody asked to see it. Never: contains a panic; whoever calls does.

use std::{fmt::Display, marker::PhantomData, pin::Pin};

use self::sealed::{Failed, Judge, Never};
use crate::event::Event;

/// What a handler may return: nothing, or a `Result` whose error counts as a failure under the handler's name.
#[diagnostic::on_unimplemented(
    message = "a handler returns nothing or `Result<(), E>`, not `{Self}`",
    note = "end the closure with a semicolon to drop what it returns"
)]
pub trait Outcome: Judge {}

impl Outcome for () {}
impl<E: Display> Outcome for Result<(), E> {}
impl Outcome for Never {}

pub(in crate::bus) mod sealed {
    use std::fmt::Display;

    /// A handler failed; its error's text, if it is to be shown.
    #[derive(Debug)]
    pub struct Failed(pub Option<String>);

    /// `!`, what a closure that always panics returns, which has no name of its own yet.
    pub(super) type Never = <fn() -> ! as Returns>::Value;

    pub trait Returns {
        type Value;
    }

    impl<T> Returns for fn() -> T {
        type Value = T;
    }

    pub trait Judge {
        fn judge(self, show: bool) -> Result<(), Failed>;
    }

    impl Judge for () {
        fn judge(self, _: bool) -> Result<(), Failed> {
            Ok(())
        }
    }

    impl<E: Display> Judge for Result<(), E> {
        fn judge(self, show: bool) -> Result<(), Failed> {
            self.map_err(|error| Failed(show.then(|| error.to_string())))
        }
    }

    impl Judge for Never {
        fn judge(self, _: bool) -> Result<(), Failed> {
            self
        }
    }
}

/// How one call went.
pub(in crate::bus) type Went = Result<(), Failed>;

/// An asynchronous call under way. It never leaves the thread it was started on.
pub(in crate::bus) type Running<'c> = Pin<Box<dyn Future<Output = Went> + 'c>>;

type Function = dyn Fn(&Event, bool) -> Went + Send + Sync;

/// What is to be called. The flag says whether the text of an error is wanted.
pub(in crate::bus) enum Call {
    Sync(Box<Function>),
    Async(Box<dyn Start + Send + Sync>),
}

/// Starts an asynchronous call, which may borrow from what it calls.
pub(in crate::bus) trait Start {
    fn start(&self, event: Event, show: bool) -> Running<'_>;
}

/// An async function, and whether it is for an event.
struct AsyncCall<F, R> {
    function: F,
    is_for: fn(&Event) -> bool,
    returns: PhantomData<fn() -> R>,
}

impl<F, R> Start for AsyncCall<F, R>
where
    F: AsyncFn(Event) -> R,
    R: Outcome,
{
    fn start(&self, event: Event, show: bool) -> Running<'_> {
        Box::pin(async move {
            if (self.is_for)(&event) {
                (self.function)(event).await.judge(show)
            } else {
                Ok(())
            }
        })
    }
}

impl Call {
    pub(super) fn sync<R: Outcome>(handler: impl Fn(&Event) -> R + Send + Sync + 'static) -> Self {
        Self::Sync(Box::new(move |event, show| handler(event).judge(show)))
    }

    pub(super) fn asynchronous<R: Outcome + 'static>(
        is_for: fn(&Event) -> bool,
        handler: impl AsyncFn(Event) -> R + Send + Sync + 'static,
    ) -> Self {
        Self::Async(Box::new(AsyncCall {
            function: handler,
            is_for,
            returns: PhantomData,
        }))
    }
}
