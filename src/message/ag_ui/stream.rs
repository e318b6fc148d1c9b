//! A stream of frames as a stream of the protocol's events.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::{AgUi, AgUiEvent};
use crate::frame::FrameItem;

pin_project_lite::pin_project! {
    /// A stream of frames as AG-UI events; [`AgUiEvent::to_sse`] makes them messages of a `text/event-stream`.
    ///
    /// Takes what [`Sse`](crate::frame::Sse) takes: a [`RunStream`](crate::frame::RunStream), a subscription, a stream of
    /// frames. It ends with the run; a stream that ends before closes what is open and says so (see [`AgUi::finish`]).
    ///
    /// ```
    /// use futures_util::{StreamExt, stream};
    /// use tracing_genai::event::{Event, EventData, EventType};
    /// use tracing_genai::frame::Frame;
    /// use tracing_genai::message::{AgUi, AgUiStream};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let event = Event::new(EventData::new(EventType::parse("workflow.started")?, std::time::SystemTime::UNIX_EPOCH));
    /// let frames = stream::iter(Frame::of(&event));
    /// let run = AgUi::new().thread_id("t").run_id("r");
    /// let body: Vec<String> = AgUiStream::new(frames, run).map(|event| event.to_sse()).collect().await;
    /// assert_eq!(body[0], "data: {\"type\":\"RUN_STARTED\",\"threadId\":\"t\",\"runId\":\"r\",\"timestamp\":0}\n\n");
    /// assert!(body[1].contains("RUN_ERROR")); // there was no end
    /// # Ok(()) }
    /// ```
    #[must_use = "streams do nothing unless polled"]
    pub struct AgUiStream<S> {
        #[pin]
        frames: S,
        run: AgUi,
        ready: VecDeque<AgUiEvent>,
    }
}

impl<S> AgUiStream<S>
where
    S: Stream,
    S::Item: Into<Option<FrameItem>>,
{
    /// The frames of `frames` as `run` shows them.
    pub fn new(frames: S, run: AgUi) -> Self {
        Self {
            frames,
            run,
            ready: VecDeque::new(),
        }
    }
}

impl<S> Stream for AgUiStream<S>
where
    S: Stream,
    S::Item: Into<Option<FrameItem>>,
{
    type Item = AgUiEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<AgUiEvent>> {
        let mut this = self.project();
        loop {
            if let Some(event) = this.ready.pop_front() {
                return Poll::Ready(Some(event));
            }
            if this.run.is_ended() {
                return Poll::Ready(None);
            }
            match ready!(this.frames.as_mut().poll_next(cx)) {
                Some(item) => {
                    if let Some(item) = item.into() {
                        this.ready.extend(this.run.item(&item));
                    }
                }
                None => this.ready.extend(this.run.finish()),
            }
        }
    }
}

impl<S> fmt::Debug for AgUiStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AgUiStream")
            .field("run", &self.run)
            .finish_non_exhaustive()
    }
}
