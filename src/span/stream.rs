//! Streams that keep a model call open to their end.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

use super::Call;

/// What [`InstrumentedStream::inspect`] calls with each item.
type Inspect<T> = Box<dyn FnMut(&Call, &T) + Send>;

/// Adds `instrumented` to every stream.
pub trait StreamExt: Stream + Sized {
    /// Ties `call` to this stream: each poll runs inside the call's span, each item is a chunk (time to first chunk, time
    /// between chunks), the end of the stream completes the call, dropping the stream half-way cancels it with what had
    /// arrived until then.
    ///
    /// ```
    /// use tracing_genai::{StreamExt as _, chat};
    ///
    /// # fn example(words: impl futures_core::Stream<Item = &'static str>) {
    /// let call = chat("openai", "gpt-4o-mini").streaming().start();
    /// let words = words.instrumented(call).inspect(|call, word| {
    ///     if *word == "." { call.finish_reason("stop"); }
    /// });
    /// # }
    /// ```
    fn instrumented(self, call: Call) -> InstrumentedStream<Self> {
        InstrumentedStream {
            inner: Some(self),
            call,
            inspect: None,
            is_chunk: |_| true,
        }
    }

    /// The same for a stream of results: an `Err` item fails the call.
    fn try_instrumented<T, E>(self, call: Call) -> TryInstrumentedStream<Self>
    where
        Self: Stream<Item = Result<T, E>>,
        E: fmt::Display,
    {
        TryInstrumentedStream {
            inner: InstrumentedStream {
                inner: Some(self),
                call,
                inspect: None,
                is_chunk: Result::is_ok,
            },
        }
    }
}

impl<S: Stream> StreamExt for S {}

pin_project_lite::pin_project! {
    /// Made by [`StreamExt::instrumented`].
    #[must_use = "streams do nothing unless polled"]
    pub struct InstrumentedStream<S: Stream> {
        // None once it has ended.
        #[pin]
        inner: Option<S>,
        call: Call,
        inspect: Option<Inspect<S::Item>>,
        is_chunk: fn(&S::Item) -> bool,
    }

    impl<S: Stream> PinnedDrop for InstrumentedStream<S> {
        fn drop(this: Pin<&mut Self>) {
            let mut this = this.project();
            // What the stream holds, a connection for instance, is dropped inside the span; then the call is given up.
            if this.inner.is_some() {
                this.call.in_scope(|| this.inner.set(None));
            }
        }
    }
}

impl<S: Stream> fmt::Debug for InstrumentedStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InstrumentedStream")
            .field("call", &self.call)
            .field("ended", &self.inner.is_none())
            .finish_non_exhaustive()
    }
}

impl<S: Stream> InstrumentedStream<S> {
    /// Calls `f` with every item, inside the span, to read from it what the call should know (usage, finish reason).
    /// Without it every item counts as a chunk; with it `f` decides, by [`Call::chunk`].
    pub fn inspect(mut self, f: impl FnMut(&Call, &S::Item) + Send + 'static) -> Self {
        self.inspect = Some(Box::new(f));
        self
    }

    /// The call, for attributes that are learned outside the stream.
    pub fn call(&self) -> &Call {
        &self.call
    }
}

impl<S: Stream> Stream for InstrumentedStream<S> {
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut this = self.project();
        let Some(inner) = this.inner.as_mut().as_pin_mut() else {
            return Poll::Ready(None);
        };
        let item = ready!(this.call.poll_in_scope(|| inner.poll_next(cx)));
        match (&item, this.inspect) {
            (Some(item), Some(inspect)) => {
                this.call.poll_in_scope(|| inspect(this.call, item));
            }
            (Some(item), None) => {
                if (this.is_chunk)(item) {
                    this.call.chunk("");
                }
            }
            (None, _) => {
                this.call.poll_in_scope(|| this.inner.set(None));
                this.call.complete();
            }
        }
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.as_ref().map_or((0, Some(0)), Stream::size_hint)
    }
}

pin_project_lite::pin_project! {
    /// Made by [`StreamExt::try_instrumented`].
    #[must_use = "streams do nothing unless polled"]
    pub struct TryInstrumentedStream<S: Stream> {
        #[pin]
        inner: InstrumentedStream<S>,
    }
}

impl<S: Stream> fmt::Debug for TryInstrumentedStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

impl<S: Stream> TryInstrumentedStream<S> {
    /// As [`InstrumentedStream::inspect`]; errors come by here too, before they fail the call.
    pub fn inspect(mut self, f: impl FnMut(&Call, &S::Item) + Send + 'static) -> Self {
        self.inner = self.inner.inspect(f);
        self
    }
}

impl<S, T, E> Stream for TryInstrumentedStream<S>
where
    S: Stream<Item = Result<T, E>>,
    E: fmt::Display,
{
    type Item = S::Item;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<S::Item>> {
        let mut inner = self.project().inner;
        let item = ready!(inner.as_mut().poll_next(cx));
        if let Some(Err(error)) = &item {
            inner.call.fail(error);
        }
        Poll::Ready(item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.inner.size_hint()
    }
}
