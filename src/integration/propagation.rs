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
    /// Reads an entry.
    fn entry(&self, name: &str) -> Option<&str>;
    /// The names of all entries.
    fn names(&self) -> Vec<&str>;
}

impl Carrier for HeaderMap {
    fn put(&mut self, name: &str, value: String) {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            self.insert(name, value);
        }
    }

    fn entry(&self, name: &str) -> Option<&str> {
        self.get(name)?.to_str().ok()
    }

    fn names(&self) -> Vec<&str> {
        self.keys().map(HeaderName::as_str).collect()
    }
}

impl Carrier for serde_json::Map<String, serde_json::Value> {
    fn put(&mut self, name: &str, value: String) {
        self.insert(name.to_owned(), value.into());
    }

    fn entry(&self, name: &str) -> Option<&str> {
        self.get(name)?.as_str()
    }

    fn names(&self) -> Vec<&str> {
        self.keys().map(String::as_str).collect()
    }
}

struct Adapter<T>(T);

impl<C: Carrier> Injector for Adapter<&mut C> {
    fn set(&mut self, key: &str, value: String) {
        // An empty `tracestate` or `baggage` says nothing.
        if !value.is_empty() {
            self.0.put(key, value);
        }
    }
}

impl<C: Carrier> Extractor for Adapter<&C> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.entry(key)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.names()
    }
}

/// Writes the context of the span this thread is in. Outside any span nothing is written.
pub fn inject(carrier: &mut impl Carrier) {
    inject_context(&Context::current(), carrier);
}

/// Writes a given context, for instance [`ActiveSpan::context`](crate::ActiveSpan::context).
pub fn inject_context(context: &Context, carrier: &mut impl Carrier) {
    w3c().inject_context(context, &mut Adapter(carrier));
}

/// Reads the context of a request. Without a valid `traceparent` it holds no span.
pub fn extract(carrier: &impl Carrier) -> Context {
    w3c().extract_with_context(&Context::new(), &Adapter(carrier))
}

/// Trace context and baggage, the specification's default of `OTEL_PROPAGATORS`.
fn w3c() -> TextMapCompositePropagator {
    TextMapCompositePropagator::new(vec![
        Box::new(TraceContextPropagator::new()) as Box<dyn TextMapPropagator + Send + Sync>,
        Box::new(BaggagePropagator::new()),
    ])
}
