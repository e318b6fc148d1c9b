//! Waiting for the head of an answer inside an exchange.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::Exchange;
use crate::semconv;

pin_project_lite::pin_project! {
    /// Polls what sends the request inside the exchange, and gives the exchange back with what came of it.
    #[derive(Debug)]
    pub(super) struct Sending<F> {
        #[pin]
        inner: F,
        exchange: Option<Exchange>,
    }
}

impl<F> Sending<F> {
    pub(super) fn new(inner: F, exchange: Option<Exchange>) -> Self {
        Self { inner, exchange }
    }
}

impl<F: Future> Future for Sending<F> {
    type Output = (F::Output, Option<Exchange>);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let output = ready!(match this.exchange {
            Some(exchange) => exchange.in_scope(|| this.inner.poll(cx)),
            None => this.inner.poll(cx),
        });
        Poll::Ready((output, this.exchange.take()))
    }
}

/// What an error of a type nobody knows is called: the type, unless that hides another.
pub(super) fn error_type<E: ?Sized>() -> &'static str {
    let name = std::any::type_name::<E>();
    if name.contains("dyn ") {
        semconv::error_type::OTHER
    } else {
        name
    }
}
