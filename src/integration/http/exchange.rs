//! One call, from the request to the last byte of its answer.
//!
//! A state machine that does no I/O: [`Tap::request`](super::Tap::request) → [`Exchange::response`] → [`Exchange::chunk`]* →
//! [`Exchange::end`], [`Exchange::fail`] or a drop. What it learns is written when there is something to write: at the first
//! piece of output, whenever the provider says something besides output, and at the end. So the span knows it before the
//! caller sees the bytes, and whoever owns the span may end it on seeing them.

use std::fmt;

use http::{HeaderMap, StatusCode, header};

use super::tap::inside;
use crate::clock::Nanos;
use crate::event::{Key, Value};
use crate::layer::classify::OUR_TARGET;
use crate::layer::starting::Opened;
use crate::layer::visit::with_scratch;
use crate::propagation;
use crate::provider::{Answer, Endpoint, Progress, Reader, Request};
use crate::record::{Chunks, Moment};
use crate::security::{SecurityBlocked, found};
use crate::semconv;
use crate::span::Call;

/// A call that is being read. Made by [`Tap::request`](super::Tap::request).
///
/// Dropped before its end it is canceled, unless the provider has said that the answer is whole.
#[must_use = "dropping it at once ends the call as canceled"]
pub struct Exchange {
    /// The span that was opened for it, and is its to end.
    call: Option<Call>,
    /// The same, or the open call it is part of, as the installations see it.
    spans: Vec<Opened>,
    endpoint: Endpoint,
    propagate: bool,
    /// Whether the pieces of the answer are told on the bus: not where the application tells them itself, by `Call::chunk`.
    tells_pieces: bool,
    begun: Nanos,
    status: Option<StatusCode>,
    reading: Reading,
    chunks: Chunks,
    /// What was written of usage so far.
    counted: Vec<(Key, Value)>,
    /// Everything read is written, and the provider has said that it is all.
    written_whole: bool,
    settled: bool,
    /// Why the request is not to be sent.
    blocked: Option<SecurityBlocked>,
}

/// What is done with the bytes of the answer.
enum Reading {
    /// Its head has not come.
    Ahead,
    Body(Box<Reader>),
    /// They pass unread, for this reason.
    Not(String),
}

/// How an exchange ended.
enum End<'a> {
    Whole,
    Failed(&'a str),
    Dropped,
}

impl fmt::Debug for Exchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange")
            .field("api", &self.endpoint.api())
            .field("own_span", &self.call.is_some())
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

impl Exchange {
    /// One that is part of a call somebody else has open.
    pub(super) fn on(call: Opened, endpoint: Endpoint, request: &Request) -> Self {
        let meta = call.state.lock().record.meta;
        let tells_pieces = meta.is_none_or(|meta| meta.target() != OUR_TARGET);
        let exchange = Self::new(None, vec![call], endpoint, tells_pieces);
        exchange.asked(request);
        exchange
    }

    /// One with a span of its own; `None` if nobody sees the span.
    pub(super) fn own(call: Call, endpoint: Endpoint, request: &Request) -> Option<Self> {
        let spans = call.opened().to_vec();
        if spans.is_empty() {
            return None;
        }
        let exchange = Self::new(Some(call), spans, endpoint, true);
        exchange.asked(request);
        Some(exchange)
    }

    fn new(call: Option<Call>, spans: Vec<Opened>, endpoint: Endpoint, tells_pieces: bool) -> Self {
        let begun = spans.first().map_or(0, |span| span.instance.clock.now());
        Self {
            call,
            spans,
            endpoint,
            propagate: false,
            tells_pieces,
            begun,
            status: None,
            reading: Reading::Ahead,
            chunks: Chunks::default(),
            counted: Vec::new(),
            written_whole: false,
            settled: false,
            blocked: None,
        }
    }

    /// Has what is asked checked, and ends the call if it is blocked.
    pub(super) fn checked(mut self, request: &Request) -> Self {
        let mut all = self
            .spans
            .iter()
            .map(|span| found::stop(span, Some(&request.content)));
        // Each installation checks for itself, whatever the others say.
        let first = all.by_ref().flatten().next();
        all.for_each(drop);
        if let Some(blocked) = &first {
            match &self.call {
                Some(call) => call.block(&blocked.reason),
                // Whoever opened it ends it: as blocked, whatever is made of the answer.
                None => self
                    .spans
                    .iter()
                    .for_each(|span| span.instance.note_blocked(&span.state, &blocked.reason)),
            }
            self.settled = true;
        }
        self.blocked = first;
        self
    }

    /// Why the request is not to be sent, if the [policy](crate::TelemetryBuilder::security) blocks what it asks. Its span has
    /// ended, as blocked. The adapters of this module do not send it: they answer `403 Forbidden` with this among the extensions
    /// (and, where the client has errors for it, fail).
    ///
    /// ```
    /// use http::{HeaderMap, Method};
    /// use tracing_genai::tap::Tap;
    ///
    /// let body = br#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"run rm -rf /"}]}"#;
    /// let url = "https://api.openai.com/v1/chat/completions";
    /// let exchange = Tap::new().request(&Method::POST, url, &HeaderMap::new(), Some(body));
    /// if let Some(blocked) = exchange.as_ref().and_then(|exchange| exchange.blocked()) {
    ///     println!("not sent: {blocked}");
    /// }
    /// ```
    pub fn blocked(&self) -> Option<&SecurityBlocked> {
        self.blocked.as_ref()
    }

    pub(super) fn take_blocked(&mut self) -> Option<SecurityBlocked> {
        self.blocked.take()
    }

    pub(super) fn propagating(mut self, on: bool) -> Self {
        self.propagate = on;
        self
    }

    fn asked(&self, request: &Request) {
        let own = self.call.is_some();
        for span in &self.spans {
            span.instance.read(&span.state, |wire, limits| {
                let again = wire.exchanges;
                wire.exchanges = again.saturating_add(1);
                wire.asked = request.text;
                // The attempt before is no longer how the call went.
                wire.error = None;
                wire.cut = false;
                wire.facts.remove(semconv::HTTP_RESPONSE_STATUS_CODE);
                wire.facts.remove(&retry_after());
                if again > 0 {
                    let name = semconv::HTTP_REQUEST_RESEND_COUNT;
                    wire.facts.set_i64(name, again.into(), limits);
                }
                wire.own |= own;
                if !own {
                    for (name, value) in request.content.clone() {
                        wire.content.set_value(name, value, limits);
                    }
                }
            });
        }
    }

    /// Runs `f`, which sends the request or polls whatever does, inside the span of the call if that is the exchange's own.
    pub fn in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        inside(|| match &self.call {
            Some(call) => call.poll_in_scope(f),
            None => f(),
        })
    }

    /// Writes the call's trace context into the headers of the request, if [that is on](super::Tap::propagate).
    pub fn propagate(&self, headers: &mut HeaderMap) {
        if self.propagate
            && let Some(span) = self.spans.first()
        {
            let context = span.instance.context(&span.state);
            propagation::inject_trace(&context, headers);
        }
    }

    /// The head of the answer has come.
    pub fn response(&mut self, status: StatusCode, headers: &HeaderMap) {
        self.status = Some(status);
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        self.reading = match text(header::CONTENT_ENCODING).map(str::trim) {
            None | Some("" | "identity") => {
                let content = self.spans.iter().any(|span| span.instance.content);
                let content_type = text(header::CONTENT_TYPE);
                Reading::Body(Box::new(self.endpoint.reader(content_type, content)))
            }
            Some(encoding) => Reading::Not(encoding.to_ascii_lowercase()),
        };
        if is_error(status) {
            let wait = text(header::RETRY_AFTER).map(|wait| Value::Array(vec![wait.into()]));
            for span in &self.spans {
                span.instance.read(&span.state, |wire, limits| {
                    let name = semconv::HTTP_RESPONSE_STATUS_CODE;
                    wire.facts.set_i64(name, status.as_u16().into(), limits);
                    if let Some(wait) = &wait {
                        wire.facts.set_value(retry_after(), wait.clone(), limits);
                    }
                });
            }
        }
    }

    /// The next bytes of the answer's body, cut anywhere.
    pub fn chunk(&mut self, bytes: &[u8]) {
        let Reading::Body(reader) = &mut self.reading else {
            return;
        };
        let Progress {
            frames, outputs, ..
        } = reader.push(bytes);
        self.written_whole = false;
        if outputs > 0 && reader.is_stream() {
            self.pieces(outputs);
        }
        if frames > outputs {
            let answer = self.note(None);
            self.written_whole = answer.complete && self.failure(&answer, None).is_none();
        }
    }

    /// The body is made in a way that its bytes cannot be looked at: the rest passes unread.
    pub fn unread(&mut self) {
        self.reading = Reading::Not("fragmented".to_owned());
    }

    /// The body came to its end.
    pub fn end(mut self) {
        self.settle(&End::Whole);
    }

    /// The request could not be sent, or the answer broke off. `error_type` is a short, stable name (`timeout`,
    /// `connect`), never a text.
    pub fn fail(mut self, error_type: &str) {
        self.settle(&End::Failed(error_type));
    }

    fn pieces(&mut self, outputs: u32) {
        let Some(first) = self.spans.first() else {
            return;
        };
        let now = first.instance.clock.now();
        if self.chunks.count == 0 {
            let waited = now.saturating_sub(self.begun) as f64 / 1e9;
            for span in &self.spans {
                let note = |wire: &mut crate::layer::wire::Wire, _: &_| {
                    wire.first_chunk = Some(waited);
                };
                span.instance.read(&span.state, note);
            }
        }
        for _ in 0..outputs {
            self.chunks.arrived(now);
            if self.tells_pieces {
                self.tell_piece();
            }
        }
    }

    /// A piece of output, as an event: by number and time. What it says, who reads the answer knows.
    fn tell_piece(&self) {
        for span in &self.spans {
            let exported = span.instance.chunk_export.takes(self.chunks.count);
            if exported || span.instance.wants_chunks() {
                let moment = Moment {
                    bus_only: !exported,
                    ..Moment::new("llm.call.chunk")
                };
                with_scratch(|fields| {
                    span.instance.push_moment(Some(&span.state), moment, fields);
                });
            }
        }
    }

    /// Writes what the answer tells by now.
    fn note(&mut self, end: Option<&End<'_>>) -> Answer {
        let (answer, unread) = match &self.reading {
            Reading::Body(reader) => (reader.answer(), None),
            Reading::Ahead => (Answer::default(), None),
            Reading::Not(why) => (Answer::default(), Some(why.as_str())),
        };
        let (counts, facts): (Vec<_>, Vec<_>) = answer
            .attrs
            .iter()
            .partition(|(name, _)| name.starts_with("gen_ai.usage."));
        let failure = self.failure(&answer, end);
        let message = message(&answer);
        let before = |name: &str| self.counted.iter().find(|(n, _)| n == name).map(|(_, v)| v);
        for span in &self.spans {
            span.instance.read(&span.state, |wire, limits| {
                for (name, value) in &counts {
                    wire.count(&Key::Owned((*name).to_owned()), before(name), value, limits);
                }
                for (name, value) in &facts {
                    wire.facts
                        .set_value((*name).to_owned(), (*value).clone(), limits);
                }
                if answer.refused > 0 {
                    let name = semconv::GENAI_USAGE_REFUSED;
                    wire.facts.set_i64(name, answer.refused.into(), limits);
                }
                if let Some(why) = unread {
                    wire.facts.set_str(semconv::GENAI_TAP_UNREAD, why, limits);
                }
                for (name, value) in answer.content.iter() {
                    wire.content
                        .set_value(name.to_owned(), value.clone(), limits);
                }
                wire.answered = answer.text;
                wire.chunks.clone_from(&self.chunks);
                wire.cut = end.is_some_and(|end| self.is_cut(&answer, end));
                if self.call.is_none() {
                    let message = message.filter(|_| span.instance.error_messages);
                    let failure = failure.clone();
                    wire.error = failure.map(|kind| (kind, message.map(str::to_owned)));
                }
            });
        }
        let counts = counts.into_iter();
        self.counted = counts
            .map(|(name, value)| (Key::Owned(name.to_owned()), value.clone()))
            .collect();
        answer
    }

    /// Whether the answer broke off: what is known of it may not be all.
    fn is_cut(&self, answer: &Answer, end: &End<'_>) -> bool {
        if answer.complete || self.status.is_some_and(is_error) {
            return false;
        }
        match end {
            // A stream that lacks what the provider ends it with.
            End::Whole => matches!(&self.reading, Reading::Body(reader) if reader.is_stream()),
            End::Failed(_) => self.status.is_some(),
            End::Dropped => true,
        }
    }

    /// The `error.type`, if the call failed. What the provider says went wrong says more than that its answer was not read to
    /// the end.
    fn failure(&self, answer: &Answer, end: Option<&End<'_>>) -> Option<String> {
        let status = self.status.filter(|status| is_error(*status));
        let told = answer.error.as_ref();
        if told.is_none() && status.is_none() {
            return match end {
                Some(End::Failed(kind)) => Some((*kind).to_owned()),
                _ => None,
            };
        }
        let kind = told.map(|error| error.kind.as_str());
        let kind = kind.filter(|kind| is_name(kind)).map(str::to_owned);
        let status = status.map(|status| status.as_str().to_owned());
        let other = || Some(semconv::error_type::OTHER.to_owned());
        kind.or(status).or_else(other)
    }

    fn settle(&mut self, end: &End<'_>) {
        if std::mem::replace(&mut self.settled, true) {
            return;
        }
        if self.written_whole && self.call.is_none() && !matches!(end, End::Failed(_)) {
            // Whoever owns the span may have ended it since.
            return;
        }
        let answer = self.note(Some(end));
        let failure = self.failure(&answer, Some(end));
        let Some(call) = self.call.take() else {
            return;
        };
        match failure {
            Some(kind) => {
                for span in &self.spans {
                    let message = message(&answer).filter(|_| span.instance.error_messages);
                    span.instance.note_error(&span.state, Some(&kind), message);
                }
                call.end_failed();
            }
            None if matches!(end, End::Whole) || answer.complete => call.complete(),
            // Cancels it, or fails it while the thread panics.
            None => drop(call),
        }
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        self.settle(&End::Dropped);
    }
}

fn is_error(status: StatusCode) -> bool {
    status.is_client_error() || status.is_server_error()
}

/// Whether a provider's word for an error is one: short, of few values, and saying more than that there is an error.
fn is_name(kind: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let says = kind != semconv::error_type::OTHER;
    says && (1..=64).contains(&kind.len()) && kind.chars().all(plain)
}

/// What the provider says of the error: content.
fn message(answer: &Answer) -> Option<&str> {
    answer.error.as_ref()?.message.as_deref()
}

fn retry_after() -> String {
    format!("{}.{}", semconv::HTTP_RESPONSE_HEADER, header::RETRY_AFTER)
}
