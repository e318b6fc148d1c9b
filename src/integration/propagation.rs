//! Trace context in requests: W3C `traceparent`, `tracestate` and `baggage`, in HTTP headers and in JSON maps (the `_meta`
//! of an MCP message, the metadata of an A2A task).
//!
//! Works from [`opentelemetry::Context::current`], so it finds the span this thread is in whether it came from
//! `tracing` or from the OpenTelemetry API. Never overwrites other entries; what is malformed is ignored.
//!
//! ```
//! use tracing_genai::propagation::{extract, inject};
//!
//! let mut headers = http::HeaderMap::new();
//! inject(&mut headers); // on the client, inside a span
//! let context = extract(&headers); // on the server
//! let tool = tracing_genai::tool("search").remote_parent(&context).start();
//! # tool.complete();
//! ```

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::{
    Extractor, Injector, TextMapCompositePropagator, TextMapPropagator,
};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};

/// A place that carries trace context: HTTP headers or a JSON map.
pub trait Carrier {
    /// Writes an entry; one that the carrier cannot hold is left out.
    fn put(&mut self, name: &str, value: String);
    /// Reads an entry; one that stands there several times is joined by commas, as HTTP has it.
    fn entry(&self, name: &str) -> Option<Cow<'_, str>>;
}

impl Carrier for HeaderMap {
    fn put(&mut self, name: &str, value: String) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            self.insert(name, value);
        }
    }

    fn entry(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut lines = self.get_all(name).iter().map(HeaderValue::to_str);
        let first = lines.next()?.ok()?;
        lines.try_fold(Cow::from(first), |whole, line| {
            Some(format!("{whole},{}", line.ok()?).into())
        })
    }
}

impl Carrier for serde_json::Map<String, serde_json::Value> {
    fn put(&mut self, name: &str, value: String) {
        self.insert(name.to_owned(), value.into());
    }

    fn entry(&self, name: &str) -> Option<Cow<'_, str>> {
        self.get(name)?.as_str().map(Cow::from)
    }
}

struct Writer<'a, C>(&'a mut C);

impl<C: Carrier> Injector for Writer<'_, C> {
    fn set(&mut self, key: &str, value: String) {
        // An empty `tracestate` or `baggage` says nothing.
        if !value.is_empty() {
            self.0.put(key, value);
        }
    }
}

/// The entries that propagators ask for, read beforehand: they ask by reference.
struct Reader<'a>(Vec<(&'a str, Cow<'a, str>)>);

impl Extractor for Reader<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        let found = self.0.iter().find(|(name, _)| *name == key);
        found.map(|(_, value)| value.as_ref())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.iter().map(|(name, _)| *name).collect()
    }
}

/// Writes the context of the span this thread is in. Outside any span nothing is written.
pub fn inject(carrier: &mut impl Carrier) {
    inject_context(&Context::current(), carrier);
}

/// Writes a given context, for instance [`ActiveSpan::context`](crate::ActiveSpan::context).
pub fn inject_context(context: &Context, carrier: &mut impl Carrier) {
    w3c().inject_context(context, &mut Writer(carrier));
}

/// Writes a given trace context without its baggage, unless the carrier has one.
#[cfg(feature = "http")]
pub(crate) fn inject_trace(context: &Context, carrier: &mut impl Carrier) {
    if carrier.entry("traceparent").is_none() {
        TraceContextPropagator::new().inject_context(context, &mut Writer(carrier));
    }
}

/// Reads the context of a request. Without a valid `traceparent` it holds no span.
pub fn extract(carrier: &impl Carrier) -> Context {
    let propagator = w3c();
    let entries = propagator
        .fields()
        .filter_map(|name| Some((name, carrier.entry(name)?)))
        .filter(|(name, value)| *name != "traceparent" || is_traceparent(value));
    propagator.extract_with_context(&Context::new(), &Reader(entries.collect()))
}

/// Whether it begins with `version-trace-parent-flags` in lower-case hexadecimal digits. The SDK's reader takes signs for digits,
/// and so the ids of somebody else.
fn is_traceparent(value: &str) -> bool {
    let value = value.trim().as_bytes();
    let shape = value.iter().take(55).enumerate();
    value.len() >= 55
        && shape.into_iter().all(|(at, byte)| match at {
            2 | 35 | 52 => *byte == b'-',
            _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
        })
}

/// Trace context and baggage, the specification's default of `OTEL_PROPAGATORS`.
fn w3c() -> TextMapCompositePropagator {
    TextMapCompositePropagator::new(vec![
        Box::new(TraceContextPropagator::new()) as Box<dyn TextMapPropagator + Send + Sync>,
        Box::new(BaggagePropagator::new()),
    ])
}
