//! From a request to the exchange that follows it: is it a call of a model, and which span is it.

use std::cell::Cell;

use http::{HeaderMap, Method, header};
use tracing::Span;

use super::Exchange;
use super::TapLayer;
use crate::layer::enclosing;
use crate::layer::starting::Opened;
use crate::provider::{Endpoint, Reader, Request};
use crate::span::{Inference, Starter};

/// Reads calls of model APIs. Cheap to clone; has no state of its own.
#[derive(Debug, Clone, Default)]
pub struct Tap {
    propagate: bool,
}

thread_local! {
    /// Whether what this thread does now is part of an exchange that is read already.
    static INSIDE: Cell<bool> = const { Cell::new(false) };
}

/// Says that another tap reads the exchange of this request. Travels in its extensions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen;

/// Runs `f` as part of an exchange that is being read: taps further in do nothing.
pub(super) fn inside<T>(f: impl FnOnce() -> T) -> T {
    struct Restore(bool);
    impl Drop for Restore {
        fn drop(&mut self) {
            let _ = INSIDE.try_with(|inside| inside.set(self.0));
        }
    }
    let before = INSIDE.try_with(|inside| inside.replace(true));
    let _restore = Restore(before.unwrap_or(false));
    f()
}

impl Tap {
    /// A tap with the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether requests carry the trace context of the call's span (`traceparent`, `tracestate`; never baggage). Default
    /// `false`: a model API is somebody else's, does nothing with it, and has no business knowing the ids of your traces. Turn
    /// it on for a gateway or a model server of your own. A `traceparent` that the request has already stays.
    pub fn propagate(mut self, on: bool) -> Self {
        self.propagate = on;
        self
    }

    /// The same as a `tower` layer.
    pub fn layer(&self) -> TapLayer {
        TapLayer::new(self.clone())
    }

    /// Begins to read a call; `None` if it is no call of a model ([`Endpoint::of_url`]), if nothing listens, or if a tap
    /// further out reads it. `url` is absolute. `body` is the request's, where it is at hand: without it, model and parameters
    /// are not known but from the URL and the answer. Bodies over [`Reader::LIMIT`] bytes are not read.
    ///
    /// ```
    /// use http::{HeaderMap, Method, StatusCode};
    /// use tracing_genai::tap::Tap;
    ///
    /// # fn send() -> (StatusCode, HeaderMap, Vec<&'static [u8]>) { (StatusCode::OK, HeaderMap::new(), vec![]) }
    /// let (url, body) = ("https://api.openai.com/v1/chat/completions", br#"{"model":"gpt-4o-mini"}"#);
    /// let mut headers = HeaderMap::new();
    /// let mut exchange = Tap::new().request(&Method::POST, url, &headers, Some(body));
    /// if let Some(exchange) = &exchange {
    ///     exchange.propagate(&mut headers);
    /// }
    /// let (status, headers, chunks) = send();
    /// if let Some(exchange) = &mut exchange {
    ///     exchange.response(status, &headers);
    ///     for chunk in chunks {
    ///         exchange.chunk(chunk);
    ///     }
    /// }
    /// if let Some(exchange) = exchange {
    ///     exchange.end();
    /// }
    /// ```
    pub fn request(
        &self,
        method: &Method,
        url: &str,
        headers: &HeaderMap,
        body: Option<&[u8]>,
    ) -> Option<Exchange> {
        if !self.may_read(method) {
            return None;
        }
        let instance = enclosing::listening()?;
        let endpoint = Endpoint::of_url(url)?.measuring(instance.estimate_tokens);
        let around = enclosing::model_call(&Span::current(), endpoint.operation());
        if around.as_ref().is_some_and(is_read) {
            return None;
        }
        let plain = !headers.contains_key(header::CONTENT_ENCODING);
        let request = match body {
            Some(body) if plain && body.len() <= Reader::LIMIT => {
                endpoint.request(body, instance.content)
            }
            _ => endpoint.bare(),
        };
        Some(
            match around {
                Some(call) => {
                    call.instance.fill(&call.state, request.attrs.clone());
                    Exchange::on(call, endpoint, &request)
                }
                None => Exchange::own(open(&endpoint, &request).start(), endpoint, &request)?,
            }
            .propagating(self.propagate)
            .checked(&request),
        )
    }

    /// The questions that cost nothing: model APIs are asked by `POST`, and by one tap.
    pub(super) fn may_read(&self, method: &Method) -> bool {
        *method == Method::POST && !INSIDE.try_with(Cell::get).unwrap_or(true)
    }
}

/// Whether the span was opened by a tap further out: for this call, whatever thread sends it.
fn is_read(call: &Opened) -> bool {
    let inner = call.state.lock();
    inner.wire.as_ref().is_some_and(|wire| wire.own)
}

fn open(endpoint: &Endpoint, request: &Request) -> Starter<Inference> {
    let mut starter = Starter::new(endpoint.operation());
    for (name, value) in request.attrs.clone() {
        starter = starter.attr(name, value);
    }
    for (name, value) in request.content.clone() {
        starter = starter.attr(name, value);
    }
    starter
}
