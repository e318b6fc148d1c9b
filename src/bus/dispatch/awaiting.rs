//! Async handlers of one level, awaited together on the handlers' own thread.
//!
//! Promise: a panic ends the one call it is in; closing the bus ends the wait.
//! Never: needs the application's runtime, nor makes one before there is an async handler to call.

use std::{
    future::poll_fn,
    pin::pin,
    task::{Context, Poll},
};

use tokio::runtime::{Builder, Runtime};

use super::{Dispatcher, Fate};
use crate::{
    bus::{
        failures::contain,
        handler::{Call, Callee, Running},
    },
    diagnostics,
    event::Event,
};

/// The runtime, once it was needed.
#[derive(Default)]
pub(super) struct Awaiting(Option<Runtime>);

/// One call: under way until it has a fate.
struct UnderWay<'c> {
    place: usize,
    callee: &'c Callee,
    running: Option<Running<'c>>,
}

impl Awaiting {
    /// Calls handlers and awaits them all; false if the bus was closed first.
    pub(super) fn all<'c>(
        &mut self,
        dispatcher: &Dispatcher,
        callees: impl Iterator<Item = (usize, &'c Callee)>,
        event: &Event,
        mut report: impl FnMut(usize, Fate),
    ) -> bool {
        let Some(runtime) = self.runtime() else {
            for (place, callee) in callees {
                report(place, dispatcher.judge(callee, None));
            }
            return true;
        };
        runtime.block_on(async {
            let call = |(place, callee): (usize, &'c Callee)| {
                let Call::Async(function) = &callee.call else {
                    return None;
                };
                let running = Some(function.start(event.clone(), callee.show_errors));
                Some(UnderWay {
                    place,
                    callee,
                    running,
                })
            };
            let mut calls: Vec<_> = callees.filter_map(call).collect();
            let mut closed = pin!(dispatcher.closing.notified());
            let complete = poll_fn(|cx| {
                if closed.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(false);
                }
                calls.retain_mut(|call| match call.poll(dispatcher, cx) {
                    Some(fate) => {
                        report(call.place, fate);
                        false
                    }
                    None => true,
                });
                if calls.is_empty() {
                    Poll::Ready(true)
                } else {
                    Poll::Pending
                }
            })
            .await;
            calls.iter_mut().for_each(UnderWay::end);
            complete
        })
    }

    fn runtime(&mut self) -> Option<&Runtime> {
        if self.0.is_none() {
            match Builder::new_current_thread().enable_all().build() {
                Ok(runtime) => self.0 = Some(runtime),
                Err(error) => {
                    diagnostics::say_once(
                        "bus runtime",
                        format_args!("async handlers cannot run, and count as failed: {error}"),
                    );
                }
            }
        }
        self.0.as_ref()
    }
}

impl Drop for Awaiting {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // What a handler left behind on it may take its time; nobody waits for that.
            runtime.shutdown_background();
        }
    }
}

impl UnderWay<'_> {
    fn poll(&mut self, dispatcher: &Dispatcher, cx: &mut Context<'_>) -> Option<Fate> {
        let running = self.running.as_mut()?;
        let went = match contain(|| running.as_mut().poll(cx)) {
            Some(Poll::Pending) => return None,
            Some(Poll::Ready(went)) => Some(went),
            None => None,
        };
        self.end();
        Some(dispatcher.judge(self.callee, went))
    }

    /// Drops what is left of it, which is the application's.
    fn end(&mut self) {
        let running = self.running.take();
        contain(|| drop(running));
    }
}
