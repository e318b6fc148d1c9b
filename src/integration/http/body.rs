//! The body of an answer, read as it passes.

use std::fmt;
use std::io::IoSlice;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Buf;
use http::Response;
use http_body::{Body, Frame, SizeHint};

use super::Exchange;
use super::sending::error_type;

pin_project_lite::pin_project! {
    /// A body that is read as it passes: the same frames at the same time, trailers included, with the inner body's size hint
    /// and end. Made by the adapters of this module; [`TapBody::new`] is for adapters of your own.
    pub struct TapBody<B>
    where
        B: Body,
    {
        // Nothing in the answer to a request that was not sent.
        #[pin]
        inner: Option<B>,
        exchange: Option<Exchange>,
        error_type: fn(&B::Error) -> &'static str,
    }
}

impl<B: Body> fmt::Debug for TapBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TapBody")
            .field("exchange", &self.exchange)
            .finish_non_exhaustive()
    }
}

impl<B: Body> TapBody<B> {
    /// Reads `inner` for `exchange`, which has seen the [head](Exchange::response) of the answer; with `None` it passes.
    pub fn new(inner: B, exchange: Option<Exchange>) -> Self {
        let mut body = Self {
            inner: Some(inner),
            exchange,
            error_type: |_| error_type::<B::Error>(),
        };
        if body.is_end_stream()
            && let Some(exchange) = body.exchange.take()
        {
            exchange.end();
        }
        body
    }

    /// An empty body, of a request that was not sent.
    pub(super) fn nothing() -> Self {
        Self {
            inner: None,
            exchange: None,
            error_type: |_| error_type::<B::Error>(),
        }
    }

    /// Names errors of the body: a word of few values for the kind, never a text. Default: the type of the error.
    #[must_use]
    pub fn naming_errors(mut self, error_type: fn(&B::Error) -> &'static str) -> Self {
        self.error_type = error_type;
        self
    }

    /// The inner body; `None` where the request was not sent. Ends the reading, as a drop does.
    pub fn into_inner(self) -> Option<B> {
        self.inner
    }
}

/// An answer whose body is read for `exchange`.
pub(super) fn read<B: Body>(
    response: Response<B>,
    mut exchange: Option<Exchange>,
) -> Response<TapBody<B>> {
    if let Some(exchange) = &mut exchange {
        exchange.response(response.status(), response.headers());
    }
    response.map(|body| TapBody::new(body, exchange))
}

impl<B: Body> Body for TapBody<B> {
    type Data = B::Data;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<B::Data>, B::Error>>> {
        let this = self.project();
        let Some(mut inner) = this.inner.as_pin_mut() else {
            return Poll::Ready(None);
        };
        let frame = ready!(inner.as_mut().poll_frame(cx));
        let Some(exchange) = this.exchange.as_mut() else {
            return Poll::Ready(frame);
        };
        let over = match &frame {
            Some(Ok(frame)) => {
                if let Some(data) = frame.data_ref() {
                    look(exchange, data);
                }
                inner.is_end_stream()
            }
            Some(Err(error)) => {
                if let Some(exchange) = this.exchange.take() {
                    exchange.fail((this.error_type)(error));
                }
                false
            }
            None => true,
        };
        if over && let Some(exchange) = this.exchange.take() {
            exchange.end();
        }
        Poll::Ready(frame)
    }

    fn size_hint(&self) -> SizeHint {
        let inner = self.inner.as_ref();
        inner.map_or(SizeHint::with_exact(0), Body::size_hint)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.as_ref().is_none_or(Body::is_end_stream)
    }
}

/// Shows the bytes of a frame to the exchange. The frame is borrowed, so a buffer in many pieces, which tells them only as
/// they are consumed, cannot be looked at.
fn look(exchange: &mut Exchange, data: &impl Buf) {
    let whole = data.remaining();
    if data.chunk().len() == whole {
        return exchange.chunk(data.chunk());
    }
    let mut slices = [IoSlice::new(&[]); 16];
    let filled = data.chunks_vectored(&mut slices);
    let slices = slices.get(..filled).unwrap_or_default();
    if slices.iter().map(|slice| slice.len()).sum::<usize>() == whole {
        slices.iter().for_each(|slice| exchange.chunk(slice));
    } else {
        exchange.unread();
    }
}
