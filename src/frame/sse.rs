//! Frames as server-sent events, for browsers and everybody else who reads `text/event-stream`.
//!
//! Promise: each item is one or more whole messages; a frame is one `data:` line of JSON; a silent stream says that it lives.
//! Never: needs a runtime's timer.

use std::fmt::{self, Write as _};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use futures_core::Stream;

use super::delay::Delay;
use super::{Frame, FrameItem};

pin_project_lite::pin_project! {
    /// A stream of frames as the body of a `text/event-stream` response.
    ///
    /// Takes a [`Subscription`](crate::bus::Subscription) (everything that is not hidden), a
    /// [`RunStream`](super::RunStream) (one run) or any stream of [`Frame`]s or [`FrameItem`]s, and yields text:
    ///
    /// ```text
    /// : connected
    ///
    /// data: {"id":"01912345-…","seq":7,"type":"llm.call.chunk","channel":"llm", …}
    ///
    /// : keep-alive
    ///
    /// event: lagged
    /// data: {"missed":12}
    ///
    /// ```
    ///
    /// Browsers pass messages without a name to `onmessage`, and `lagged` to `addEventListener("lagged", …)`. With axum, say,
    /// `Body::from_stream(sse.map(Ok::<_, Infallible>))` is the body; the content type is [`Sse::CONTENT_TYPE`].
    ///
    /// ```
    /// use futures_util::{StreamExt, stream};
    /// use tracing_genai::event::{Event, EventData, EventType};
    /// use tracing_genai::frame::{Frame, Sse};
    ///
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let event = Event::new(EventData::new(EventType::parse("step.started")?, std::time::SystemTime::now()));
    /// let frame = Frame::of(&event).expect("it is not hidden");
    /// let body: Vec<String> = Sse::new(stream::iter([frame.clone()])).collect().await;
    /// assert_eq!(body, [": connected\n\n".to_owned(), format!("data: {}\n\n", serde_json::to_string(&frame)?)]);
    /// # Ok(()) }
    /// ```
    #[must_use = "streams do nothing unless polled"]
    pub struct Sse<S> {
        #[pin]
        frames: S,
        heartbeat: Option<Duration>,
        ids: bool,
        names: bool,
        retry: Option<Duration>,
        says_end: bool,
        after: Option<u64>,
        // When something was last said, from the greeting on.
        said: Option<Instant>,
        beat: Option<Delay>,
        ended: bool,
    }
}

impl<S> Sse<S>
where
    S: Stream,
    S::Item: Into<Option<FrameItem>>,
{
    /// The `Content-Type` of the response.
    pub const CONTENT_TYPE: &'static str = "text/event-stream";
    /// How long a stream may be silent unless told otherwise. Proxies close connections that are idle for 30 or 60 seconds.
    pub const HEARTBEAT: Duration = Duration::from_secs(15);

    /// The frames of `frames`.
    pub fn new(frames: S) -> Self {
        Self {
            frames,
            heartbeat: Some(Self::HEARTBEAT),
            ids: false,
            names: false,
            retry: None,
            says_end: false,
            after: None,
            said: None,
            beat: None,
            ended: false,
        }
    }

    /// Says `: keep-alive` after this long a silence, a millisecond at least. Default [`Sse::HEARTBEAT`]; `None` never does.
    /// It is timed by a thread of this crate's own, so it needs no runtime.
    pub fn heartbeat(mut self, silence: Option<Duration>) -> Self {
        self.heartbeat = silence.map(|silence| silence.max(Duration::from_millis(1)));
        self
    }

    /// Adds `id: {seq}` to every frame that has a place in the order of the process, which a browser sends back as
    /// `Last-Event-ID` when it reconnects. Default off.
    pub fn ids(mut self) -> Self {
        self.ids = true;
        self
    }

    /// Adds `event: {type}` to every frame. Browsers then call the listeners of that type instead of `onmessage`. Default
    /// off.
    pub fn event_names(mut self) -> Self {
        self.names = true;
        self
    }

    /// Tells the browser how long to wait before it reconnects. Default: nothing, and browsers wait a few seconds.
    pub fn retry(mut self, wait: Duration) -> Self {
        self.retry = Some(wait);
        self
    }

    /// Ends with `event: end`. Default off. A browser whose stream ends connects again, which may start the next run: let it
    /// close the stream when it hears this.
    pub fn end_event(mut self) -> Self {
        self.says_end = true;
        self
    }

    /// Goes on after a `Last-Event-ID`: passes over every frame whose `seq` is not greater than the last one sent. Chain the
    /// frames of a history and a subscription that is older than the query, and the reader sees each frame once. An id that
    /// is no number is taken for none.
    pub fn resume_after(mut self, last_event_id: &str) -> Self {
        self.after = Some(last_event_id.trim().parse().unwrap_or(0));
        self
    }
}

/// What a message depends on.
struct Form {
    ids: bool,
    names: bool,
}

impl Form {
    fn message(&self, item: &FrameItem) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = match item {
            FrameItem::Frame(frame) => self.frame(frame, &mut text),
            FrameItem::Lagged(missed) => lagged(*missed, &mut text),
        };
        text
    }

    fn frame(&self, frame: &Frame, out: &mut String) -> fmt::Result {
        // JSON escapes line breaks, and types have none, so no field reaches the next line.
        let Ok(json) = serde_json::to_string(frame) else {
            return lagged(1, out);
        };
        if self.ids && frame.seq > 0 {
            writeln!(out, "id: {}", frame.seq)?;
        }
        if self.names {
            writeln!(out, "event: {}", frame.ty)?;
        }
        write!(out, "data: {json}\n\n")
    }
}

fn lagged(missed: u64, out: &mut String) -> fmt::Result {
    write!(out, "event: lagged\ndata: {{\"missed\":{missed}}}\n\n")
}

fn greeting(retry: Option<Duration>) -> String {
    let mut text = String::from(": connected\n\n");
    if let Some(retry) = retry {
        // Writing to a string cannot fail.
        let _ = write!(text, "retry: {}\n\n", retry.as_millis());
    }
    text
}

/// Whether the frame comes after the last one sent, which it then is.
fn is_next(after: &mut Option<u64>, item: &FrameItem) -> bool {
    let (Some(after), FrameItem::Frame(frame)) = (after, item) else {
        return true;
    };
    // Where nobody counted there is no telling.
    let next = frame.seq == 0 || frame.seq > *after;
    *after = frame.seq.max(*after);
    next
}

impl<S> Stream for Sse<S>
where
    S: Stream,
    S::Item: Into<Option<FrameItem>>,
{
    type Item = String;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<String>> {
        let mut this = self.project();
        if this.said.is_none() {
            *this.said = Some(Instant::now());
            return Poll::Ready(Some(greeting(*this.retry)));
        }
        while !*this.ended {
            let Poll::Ready(next) = this.frames.as_mut().poll_next(cx) else {
                return poll_beat(*this.heartbeat, this.said, this.beat, cx);
            };
            let Some(item) = next else {
                *this.ended = true;
                break;
            };
            if let Some(item) = item.into()
                && is_next(this.after, &item)
            {
                *this.said = Some(Instant::now());
                let form = Form {
                    ids: *this.ids,
                    names: *this.names,
                };
                return Poll::Ready(Some(form.message(&item)));
            }
        }
        *this.beat = None;
        let end = std::mem::take(this.says_end).then(|| "event: end\ndata: {}\n\n".to_owned());
        Poll::Ready(end)
    }
}

/// A heartbeat, once nothing was said for long enough. What was said meanwhile puts it off without a delay of its own each
/// time.
fn poll_beat(
    every: Option<Duration>,
    said: &mut Option<Instant>,
    beat: &mut Option<Delay>,
    cx: &mut Context<'_>,
) -> Poll<Option<String>> {
    let (Some(every), Some(last)) = (every, *said) else {
        return Poll::Pending;
    };
    // A silence the clock cannot say never ends.
    let Some(due) = last.checked_add(every) else {
        return Poll::Pending;
    };
    loop {
        if beat.is_none() {
            *beat = Delay::until(due);
        }
        // Without a thread to wait on there are no heartbeats.
        let Some(delay) = beat else {
            return Poll::Pending;
        };
        if Pin::new(delay).poll(cx).is_pending() {
            return Poll::Pending;
        }
        *beat = None;
        let now = Instant::now();
        if now >= due {
            *said = Some(now);
            return Poll::Ready(Some(": keep-alive\n\n".to_owned()));
        }
    }
}

impl<S> fmt::Debug for Sse<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sse")
            .field("heartbeat", &self.heartbeat)
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
