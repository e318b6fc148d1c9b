//! What leaves is what its owner decided: content, secrets, and what is not sent at all.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it goes wrong"
)]
#![allow(
    unreachable_pub,
    missing_debug_implementations,
    reason = "nobody's API"
)]

#[path = "../support/mod.rs"]
mod support;

#[cfg(feature = "otlp")]
mod canaries;
mod content;
#[cfg(feature = "otlp")]
mod details;
mod policy;
mod secrets;

/// Everything a span says. `Debug` alone would not do: it hides what is content.
fn told(span: &tracing_genai::testing::CapturedSpan) -> String {
    let mut all = format!("{span:?}");
    let events = span.events.iter().map(|event| &event.attributes);
    for attributes in std::iter::once(&span.attributes).chain(events) {
        for (name, value) in attributes.iter() {
            all.push_str(&format!(" {name}={value}"));
        }
    }
    all
}
