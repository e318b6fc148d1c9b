//! Trace context in the `_meta` of a message: `traceparent`, `tracestate`, `baggage`, without a prefix.
//!
//! Promise: what is malformed, of another type or longer than the specifications ask anybody to take is as if it were not
//! there; no other entry is read, changed or removed.

use std::borrow::Cow;

use opentelemetry::Context;
use opentelemetry::trace::TraceContextExt as _;
use rmcp::model::JsonObject;

use crate::propagation::{self, Carrier};

/// The longest entry that is read, in bytes. W3C Baggage asks for no more than 8,192 in all, and a `tracestate` of 32 members
/// that use all they may is about as long. Twice that would cost parsing time on the say-so of whoever sends it.
const LONGEST: usize = 8 * 1024;

/// Reads no entry that is too long.
struct Bounded<'a, C>(&'a C);

impl<C: Carrier> Carrier for Bounded<'_, C> {
    fn put(&mut self, _: &str, _: String) {}

    fn entry(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.entry(name).filter(|entry| entry.len() <= LONGEST)
    }
}

/// The context that `carrier` names; `None` without a valid span in it.
pub(super) fn read(carrier: &impl Carrier) -> Option<Context> {
    // Nearly every message says nothing: then nothing is set up.
    carrier.entry("traceparent")?;
    let context = propagation::extract(&Bounded(carrier));
    let valid = context.span().span_context().is_valid();
    valid.then_some(context)
}

/// Writes `context` over what stands there, if it has a span. `traceparent` and `tracestate` belong together: a `tracestate`
/// of somebody else's `traceparent` goes. Baggage stays where `context` has none.
pub(super) fn write(context: &Context, meta: &mut JsonObject) {
    if context.span().span_context().is_valid() {
        meta.remove("tracestate");
        propagation::inject_context(context, meta);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn meta(value: serde_json::Value) -> JsonObject {
        value.as_object().unwrap().clone()
    }

    #[test]
    fn malformed_entries_are_as_if_they_were_not_there() {
        for hostile in [
            json!(7),
            json!(null),
            json!([PARENT]),
            json!({"traceparent": PARENT}),
            json!(""),
            json!("00-00000000000000000000000000000000-b7ad6b7169203331-01"),
            json!("00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01"),
            json!("ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            json!(format!("{PARENT}-{}", "x".repeat(1 << 20))),
            json!("00-0af7651916cd43dd8448eb211c80319c\0-b7ad6b7169203331-01"),
        ] {
            assert!(
                read(&meta(json!({"traceparent": hostile}))).is_none(),
                "{hostile}"
            );
        }
    }

    #[test]
    fn a_valid_parent_counts_though_its_neighbours_are_hostile() {
        use opentelemetry::baggage::BaggageExt as _;

        let context = read(&meta(json!({
            "traceparent": PARENT,
            "tracestate": 3,
            "baggage": format!("a={}", "b".repeat(4 << 20)),
        })))
        .unwrap();
        assert!(context.baggage().is_empty());
        assert!(
            context
                .span()
                .span_context()
                .trace_state()
                .header()
                .is_empty()
        );
    }

    #[test]
    fn a_stale_tracestate_goes_with_its_traceparent_and_the_rest_stays() {
        let mut there = meta(json!({
            "progressToken": 7, "traceparent": "old", "tracestate": "old=1", "baggage": "mine=1", "com.example/x": [1],
        }));
        write(
            &read(&meta(json!({"traceparent": PARENT}))).unwrap(),
            &mut there,
        );
        let expected = json!({
            "progressToken": 7, "traceparent": PARENT, "baggage": "mine=1", "com.example/x": [1],
        });
        assert_eq!(there, meta(expected));
        let before = there.clone();
        write(&Context::new(), &mut there);
        assert_eq!(there, before, "without a span nothing is written");
    }
}
