//! A run as a stream: frames while it runs, then its result.
//!
//! Promise: the frames of this run's trace and no others, in their order; whatever is missing is said; dropping the stream drops
//! the work, which ends its spans as canceled.
//! Never: waits for ever for an end that was lost.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};

use futures_core::Stream;

use super::delay::Delay;
use super::namespace::Namespaces;
use super::{Frame, FrameItem};
use crate::bus::{Bus, Delivery, Overflow, Subscription};
use crate::event::{Event, SpanId, TraceId};
use crate::span::{Run, Starter};

/// Unread events a run's stream holds. The work only goes on while the stream is read, so this is for what tasks it spawned say
/// meanwhile, and for the rest of the process as far as it shares the subscription.
const CAPACITY: usize = 16_384;
/// How long the root's end may take to come by. A telemetry thread that is seconds behind is one in trouble.
const SETTLE: Duration = Duration::from_secs(5);
/// A longer wait is this one: the clock cannot say every point in time.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);
/// Frames read in a row before the work gets its turn: tasks it spawned may say more than a reader can read.
const IN_A_ROW: u32 = 64;

/// Runs `work` inside the span that `root` starts, as [`Starter::run`] does, and gives its frames as a stream.
///
/// The span starts here; the work goes on whenever the stream is polled, by [`RunStream::next`], [`RunStream::finish`] or as a
/// [`Stream`], and not otherwise. A slow reader slows the work down instead of missing frames. Nothing is spawned, and any
/// executor will do.
///
/// Frames are those of the root's trace: give each run a trace of its own ([`Starter::root`]), or runs below the same span see
/// each other's frames. `bus` is that of the [`Telemetry`](crate::Telemetry) whose layer is in the current subscriber; where no
/// layer sees the span, there are no frames, and everything else works.
///
/// ```
/// use tracing_genai::frame::{FrameItem, stream};
/// use tracing_genai::{Telemetry, chat, workflow};
/// use tracing_subscriber::prelude::*;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let telemetry = Telemetry::builder("trip-planner").build()?;
/// let subscriber = tracing_subscriber::registry().with(telemetry.layer());
/// # let _default = tracing::subscriber::set_default(subscriber);
///
/// let mut run = stream(telemetry.bus(), workflow("trip").root(), async {
///     chat("openai", "gpt-4o-mini").start().complete();
///     Ok::<_, std::io::Error>("Paris")
/// });
/// let mut seen = Vec::new();
/// while let Some(item) = run.next().await {
///     match item {
///         FrameItem::Frame(frame) => seen.push(frame.ty.to_string()),
///         FrameItem::Lagged(missed) => seen.push(format!("{missed} missed")),
///     }
/// }
/// assert_eq!(seen, ["workflow.started", "llm.call.started", "llm.call.completed", "workflow.completed"]);
/// assert_eq!(run.result()??, "Paris");
/// # Ok(()) }
/// ```
pub fn stream<F, T, E, K>(bus: &Bus, root: Starter<K>, work: F) -> RunStream<Run<F, K>>
where
    F: Future<Output = Result<T, E>>,
    E: fmt::Display,
{
    // Before the span starts, so that its start is among the frames.
    let events = subscribe(bus);
    let active = root.start();
    let span = active.span_context();
    RunStream {
        events: span.is_valid().then_some(events),
        trace: span.trace_id(),
        root: span.span_id(),
        work: Some(Box::pin(Run::whole(active, work))),
        state: RunState::Running,
        result: None,
        namespaces: Namespaces::default(),
        missed: 0,
        in_a_row: 0,
        ended: !span.is_valid(),
        settle: SETTLE,
        settling: None,
    }
}

/// What reads the run's events. The one place that knows how they are filtered: here not at all, so that the events of other
/// runs are passed over below, and a lag may count some of theirs.
fn subscribe(bus: &Bus) -> Subscription {
    bus.subscribe_with(CAPACITY, Overflow::DropOldest)
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunState {
    /// The work is not done.
    Running,
    /// The work is done: `Ok`.
    Completed,
    /// The work is done: `Err`, or it panicked.
    Failed,
    /// The work was given up by [`RunStream::cancel`].
    Canceled,
}

/// Why there is no result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoResult {
    /// The work is not done: read the stream on, or [`finish`](RunStream::finish) it.
    #[error("the run has not finished")]
    NotFinished,
    /// The work was given up.
    #[error("the run was canceled")]
    Canceled,
    /// It was taken before, or the work panicked.
    #[error("the run's result is gone: taken before, or lost to a panic")]
    Gone,
}

/// A run that is streamed, from [`stream`].
///
/// As a [`Stream`] it yields [`FrameItem`]s and ends after the frame of the root's end. Dropping it gives the work up.
#[must_use = "the work only goes on while the stream is read; dropping it cancels the run"]
pub struct RunStream<W: Future> {
    /// `None` once there is nothing more to read.
    events: Option<Subscription>,
    trace: TraceId,
    root: SpanId,
    work: Option<Pin<Box<W>>>,
    state: RunState,
    result: Option<W::Output>,
    namespaces: Namespaces,
    missed: u64,
    in_a_row: u32,
    /// The root's end was read, or there is none to come.
    ended: bool,
    /// How long to wait for that end once the work is done.
    settle: Duration,
    settling: Option<Delay>,
}

/// Nothing in it is pinned but the work, which is in a box.
impl<W: Future> Unpin for RunStream<W> {}

impl<W, T, E> RunStream<W>
where
    W: Future<Output = Result<T, E>>,
{
    /// How long the stream waits for the event of the root's end once the work is done. Default 5 seconds. It comes within
    /// milliseconds, unless it was lost: a full queue, a hook that drops it.
    pub fn settle(mut self, wait: Duration) -> Self {
        self.settle = wait.min(LONGEST);
        self
    }

    /// The next frame, driving the work meanwhile; `None` after the last. Cancelling it loses nothing.
    pub async fn next(&mut self) -> Option<FrameItem> {
        std::future::poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// The frames alone, as a [`Stream`]; what is missing is in [`missed`](Self::missed).
    pub fn frames(&mut self) -> Frames<'_, W> {
        Frames(self)
    }

    /// Drives the run to its end, passing over the frames that are left, and gives the result.
    ///
    /// # Errors
    /// If the run was canceled, or its result is gone.
    pub async fn finish(mut self) -> Result<Result<T, E>, NoResult> {
        while self.next().await.is_some() {}
        self.result()
    }

    /// The result, which is given once. It is there as soon as the work is done, though frames may be left to read.
    ///
    /// # Errors
    /// While the work runs, after it was canceled, and when the result is gone.
    pub fn result(&mut self) -> Result<Result<T, E>, NoResult> {
        match self.state {
            RunState::Running => Err(NoResult::NotFinished),
            RunState::Canceled => Err(NoResult::Canceled),
            RunState::Completed | RunState::Failed => self.result.take().ok_or(NoResult::Gone),
        }
    }

    /// Gives the work up: it is dropped here, its open spans end as canceled. The frames that tell of it can still be read.
    /// Does nothing once the work is done.
    pub fn cancel(&mut self) {
        if let Some(work) = self.work.take() {
            self.state = RunState::Canceled;
            drop(work);
        }
    }

    /// How far the work is.
    pub fn state(&self) -> RunState {
        self.state
    }

    /// Whether the last frame has been read.
    pub fn is_exhausted(&self) -> bool {
        self.work.is_none() && (self.ended || self.events.is_none())
    }

    /// How many events were missed so far, the sum of all [`FrameItem::Lagged`]. Zero means that none of this run is missing;
    /// more may count events of others.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// Whether everything there was to read has been read: nothing missed, and the root's end seen. Where no telemetry sees
    /// the run there is nothing to read, and it is complete once its work is done.
    pub fn is_complete(&self) -> bool {
        self.is_exhausted() && self.ended && self.missed == 0
    }

    /// The trace of the run; invalid if no telemetry sees it.
    pub fn trace_id(&self) -> TraceId {
        self.trace
    }

    fn poll_work(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(mut work) = self.work.take() else {
            return Poll::Ready(());
        };
        // What a panic leaves behind.
        self.state = RunState::Failed;
        match work.as_mut().poll(cx) {
            Poll::Pending => {
                self.state = RunState::Running;
                self.work = Some(work);
                Poll::Pending
            }
            Poll::Ready(result) => {
                if result.is_ok() {
                    self.state = RunState::Completed;
                }
                self.result = Some(result);
                Poll::Ready(())
            }
        }
    }

    /// The next item there is.
    fn poll_item(&mut self, cx: &mut Context<'_>) -> Poll<FrameItem> {
        loop {
            let Some(events) = &mut self.events else {
                return Poll::Pending;
            };
            match ready!(Pin::new(events).poll_next(cx)) {
                Some(Delivery::Event(event)) => {
                    if let Some(frame) = self.frame(&event) {
                        return Poll::Ready(FrameItem::Frame(frame));
                    }
                }
                Some(Delivery::Lagged(missed)) => {
                    self.missed += missed;
                    return Poll::Ready(FrameItem::Lagged(missed));
                }
                None => self.events = None,
            }
            if self.ended {
                // The root's end was hidden: nothing comes after it.
                self.events = None;
            }
        }
    }

    /// The event's frame, if it is one of the run and to be seen.
    fn frame(&mut self, event: &Event) -> Option<Frame> {
        if event.cx.trace != self.trace || event.replay {
            return None;
        }
        self.ended |= event.cx.span == self.root && event.phase.is_terminal();
        let namespace = self.namespaces.of(event);
        Frame::within(event, namespace)
    }

    /// Waits for the root's end no longer than it may take.
    fn poll_settled(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.settling.is_none() {
            self.settling = Delay::until(Instant::now() + self.settle);
        }
        match &mut self.settling {
            Some(delay) => Pin::new(delay).poll(cx),
            None => Poll::Ready(()),
        }
    }
}

impl<W, T, E> Stream for RunStream<W>
where
    W: Future<Output = Result<T, E>>,
{
    type Item = FrameItem;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<FrameItem>> {
        let this = self.get_mut();
        loop {
            if this.is_exhausted() {
                this.events = None;
                return Poll::Ready(None);
            }
            // What is there is read first, so that the work is no further ahead of the reader than it must be.
            if this.in_a_row < IN_A_ROW
                && let Poll::Ready(item) = this.poll_item(cx)
            {
                this.in_a_row += 1;
                return Poll::Ready(Some(item));
            }
            let more = std::mem::take(&mut this.in_a_row) >= IN_A_ROW;
            let working = this.work.is_some();
            if working && this.poll_work(cx).is_pending() && !more {
                return Poll::Pending;
            }
            if !working && !more && !this.is_exhausted() {
                ready!(this.poll_settled(cx));
                this.events = None;
            }
        }
    }
}

impl<W: Future> fmt::Debug for RunStream<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunStream")
            .field("trace", &self.trace)
            .field("state", &self.state)
            .field("missed", &self.missed)
            .finish_non_exhaustive()
    }
}

/// The frames of a run, from [`RunStream::frames`].
#[must_use = "streams do nothing unless polled"]
pub struct Frames<'r, W: Future>(&'r mut RunStream<W>);

impl<W, T, E> Stream for Frames<'_, W>
where
    W: Future<Output = Result<T, E>>,
{
    type Item = Frame;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Frame>> {
        loop {
            match ready!(Pin::new(&mut *self.0).poll_next(cx)) {
                Some(FrameItem::Frame(frame)) => return Poll::Ready(Some(frame)),
                Some(FrameItem::Lagged(_)) => {}
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<W: Future> fmt::Debug for Frames<'_, W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Frames").field(self.0).finish()
    }
}
