//! Futures, monitored.

use std::any::type_name;
use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::call::{self, Site};
use crate::event::{Channel, Value};
use crate::span::{ActiveSpan, Plain};

type Show<T> = Box<dyn Fn(&T) -> Value + Send + Sync>;

pin_project_lite::pin_project! {
    /// A future that is a call with a span of its own. Made by [`monitor_future`], [`MonitorExt::monitored`] and
    /// [`monitor_async`](super::monitor_async). Enters the span for each poll, never between two.
    #[must_use = "futures do nothing unless awaited"]
    pub struct MonitoredFuture<F>
    where
        F: Future,
    {
        #[pin]
        inner: Option<F>,
        call: ActiveSpan<Plain>,
        show: Option<Show<F::Output>>,
    }

    impl<F> PinnedDrop for MonitoredFuture<F>
    where
        F: Future,
    {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            if this.inner.is_some() {
                // Dropped before its end. What it holds is dropped inside the span, then the span is given up.
                let call: &ActiveSpan<Plain> = this.call;
                call.in_scope(|| this.inner.set(None));
                call.abandon();
            }
        }
    }
}

/// Monitors a future: a span `call {name}`, with its events on `channel`, from now until the future is done.
///
/// `Ok`, and any value that is no `Result`, ends it as completed, an `Err` as failed with the error's Rust type, a panic as
/// failed, a drop before the end as canceled. The span begins here, below the span this thread is in: so it is in its place
/// when the future is spawned, whichever thread polls it.
///
/// ```
/// use tracing_genai::monitor_future;
///
/// # async fn fetch() -> Result<u8, std::io::Error> { Ok(1) }
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let page = monitor_future("fetch", "CUSTOM", fetch()).await?;
/// let task = tokio::spawn(monitor_future("prefetch", "CUSTOM", fetch()));
/// task.await??;
/// # Ok(()) }
/// ```
pub fn monitor_future<F: Future>(
    name: impl Into<Cow<'static, str>>,
    channel: impl Into<Channel>,
    future: F,
) -> MonitoredFuture<F> {
    MonitoredFuture {
        inner: Some(future),
        call: Site::new(name, channel).start(),
        show: None,
    }
}

/// Monitoring, on every future.
pub trait MonitorExt: Future + Sized {
    /// As [`monitor_future`], under the name of the async function the future came from (`my_crate::fetch`), else of the
    /// future's type.
    ///
    /// ```
    /// use tracing_genai::MonitorExt as _;
    ///
    /// # async fn fetch() -> Result<u8, std::io::Error> { Ok(1) }
    /// # async fn example() -> Result<(), std::io::Error> {
    /// let page = fetch().monitored("CUSTOM").await?;
    /// # Ok(()) }
    /// ```
    fn monitored(self, channel: impl Into<Channel>) -> MonitoredFuture<Self> {
        let name = type_name::<Self>();
        let name = name.strip_suffix("::{{closure}}").unwrap_or(name);
        monitor_future(name, channel, self)
    }
}

impl<F: Future> MonitorExt for F {}

impl<F: Future> MonitoredFuture<F> {
    /// Keeps what `show` makes of the output as the attribute `call.result`, where
    /// [`capture`](crate::TelemetryBuilder::capture) allows it. Elsewhere `show` is not called.
    pub fn showing(mut self, show: impl Fn(&F::Output) -> Value + Send + Sync + 'static) -> Self {
        self.show = Some(Box::new(show));
        self
    }
}

impl<F: Future> fmt::Debug for MonitoredFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MonitoredFuture")
            .field("call", &self.call)
            .finish_non_exhaustive()
    }
}

impl<F: Future> Future for MonitoredFuture<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let mut this = self.project();
        let call: &ActiveSpan<Plain> = this.call;
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            // Polled again after its end, which the contract of `Future` leaves open; pending harms nobody.
            return Poll::Pending;
        };
        let value = ready!(call.poll_in_scope(|| inner.poll(cx)));
        call.in_scope(|| this.inner.set(None));
        if let Some(show) = this.show {
            call::show(call, &value, show);
        }
        call::settle(call, &value);
        Poll::Ready(value)
    }
}
