//! Trace context between processes: headers, JSON maps, and the OpenTelemetry API's own propagators.
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod support;

use std::borrow::Cow;
use std::collections::HashMap;

use http::{HeaderMap, HeaderValue};
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::{TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use serde_json::{Map, json};
use support::ends::{ends, only_end};
use tracing::info_span;
use tracing_genai::propagation::{Carrier, extract, inject, inject_context};
use tracing_genai::testing::{capture, capture_with};
use tracing_genai::{SpanExt as _, chat, tool};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

fn headers<const N: usize>(all: [(&'static str, &str); N]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in all {
        headers.append(name, value.parse().unwrap());
    }
    headers
}

fn remote() -> HeaderMap {
    headers([
        ("traceparent", &format!("00-{TRACE}-{PARENT}-01")),
        ("tracestate", "vendor=opaque,other=1"),
        ("baggage", "tenant=acme,user=u%201"),
    ])
}

/// Runs `f` inside a tool's span and returns what a request from there would carry, with the span's own ids.
fn request_from(capture: &tracing_genai::testing::Capture, remote: &Context) -> HeaderMap {
    capture.record(|| {
        let run = tool("t").remote_parent(remote).start();
        let mut request = HeaderMap::new();
        run.in_scope(|| inject(&mut request));
        run.complete();
        request
    })
}

#[test]
fn headers_carry_the_span_the_thread_is_in() {
    let capture = capture();
    let mut request = HeaderMap::new();
    let ids = capture.record(|| {
        let call = chat("openai", "m").start();
        call.in_scope(|| inject(&mut request));
        call.span_context()
    });
    let expected = format!("00-{}-{}-01", ids.trace_id(), ids.span_id());
    assert_eq!(request["traceparent"], expected);
    let (_, span) = only_end(&capture);
    assert_eq!(
        (span.trace_id, span.span_id),
        (ids.trace_id(), ids.span_id())
    );
}

#[test]
fn a_json_map_carries_the_same_and_keeps_its_other_entries() {
    let capture = capture();
    let mut meta = Map::new();
    meta.insert("progressToken".into(), json!(7));
    meta.insert("traceparent".into(), json!("stale"));
    let mut request = HeaderMap::new();
    request.insert("authorization", HeaderValue::from_static("Bearer x"));
    capture.record(|| {
        info_span!("plain").in_scope(|| {
            inject(&mut meta);
            inject(&mut request);
        });
    });
    assert_eq!(meta["progressToken"], 7);
    assert_eq!(request["authorization"], "Bearer x");
    assert_eq!(
        meta["traceparent"].as_str(),
        request["traceparent"].to_str().ok()
    );
    assert_eq!(meta.len(), 2, "no empty tracestate or baggage: {meta:?}");
}

#[test]
fn outside_any_span_nothing_is_written() {
    let capture = capture();
    let (mut request, mut meta) = (HeaderMap::new(), Map::new());
    let inject_both = |request: &mut HeaderMap, meta: &mut Map<_, _>| {
        inject(request);
        inject(meta);
        inject_context(&Context::new(), request);
        inject_context(&chat("openai", "m").start().context(), meta);
    };
    inject_both(&mut request, &mut meta);
    assert!(request.is_empty() && meta.is_empty());
    capture.record(|| inject(&mut request));
    assert!(request.is_empty());
}

#[test]
fn a_context_can_be_injected_without_entering_the_span() {
    let capture = capture_with(|b| b.activate_context(false));
    let (mut request, mut entered) = (HeaderMap::new(), HeaderMap::new());
    capture.record(|| {
        let call = chat("openai", "m").start();
        inject_context(&call.context(), &mut request);
        call.in_scope(|| inject(&mut entered));
    });
    let (_, span) = only_end(&capture);
    let expected = format!("00-{}-{}-01", span.trace_id, span.span_id);
    assert_eq!(request["traceparent"], expected);
    assert!(
        entered.is_empty(),
        "that needs the context to be activated, which was switched off"
    );
}

#[test]
fn what_is_extracted_is_what_was_injected() {
    let capture = capture();
    let (mut request, mut meta) = (HeaderMap::new(), Map::new());
    let ids = capture.record(|| {
        let call = chat("openai", "m").start();
        call.in_scope(|| {
            inject(&mut request);
            inject(&mut meta);
        });
        call.span_context()
    });
    for context in [extract(&request), extract(&meta)] {
        let read = context.span().span_context().clone();
        assert!(read.is_remote() && read.is_sampled());
        assert_eq!(
            (read.trace_id(), read.span_id()),
            (ids.trace_id(), ids.span_id())
        );
    }
}

#[test]
fn a_span_below_a_remote_one_continues_its_trace() {
    let capture = capture();
    request_from(&capture, &extract(&remote()));
    let (event, span) = only_end(&capture);
    assert_eq!(span.trace_id.to_string(), TRACE);
    assert_eq!(span.parent_id.to_string(), PARENT);
    assert!(span.parent_is_remote);
    assert_eq!(event.cx.trace, span.trace_id);
    assert_eq!(event.cx.parent_span, span.parent_id);
}

#[test]
fn tracestate_passes_through_to_the_next_process() {
    let capture = capture();
    let request = request_from(&capture, &extract(&remote()));
    assert_eq!(request["tracestate"], "vendor=opaque,other=1");
    let spanned = capture.record(|| {
        let span = info_span!("server");
        span.set_parent(&extract(&remote())).unwrap();
        let mut request = HeaderMap::new();
        span.in_scope(|| {
            chat("openai", "m")
                .start()
                .in_scope(|| inject(&mut request))
        });
        request
    });
    assert_eq!(spanned["tracestate"], "vendor=opaque,other=1");
}

#[test]
fn baggage_passes_through_to_the_next_process() {
    let capture = capture();
    let sorted = |request: &HeaderMap| {
        let mut all: Vec<_> = request["baggage"]
            .to_str()
            .unwrap()
            .split(',')
            .map(str::to_owned)
            .collect();
        all.sort();
        all
    };
    let expected = ["tenant=acme", "user=u%201"];
    let request = request_from(&capture, &extract(&remote()));
    assert_eq!(sorted(&request), expected);
    capture.record(|| {
        let span = info_span!("server");
        span.set_parent(&extract(&remote())).unwrap();
        let mut request = HeaderMap::new();
        // Below the span, in a child that knows nothing of the request.
        span.in_scope(|| {
            chat("openai", "m")
                .start()
                .in_scope(|| inject(&mut request))
        });
        assert_eq!(sorted(&request), expected);
    });
    let mut direct = HeaderMap::new();
    inject_context(&extract(&remote()), &mut direct);
    assert_eq!(sorted(&direct), expected);
}

#[test]
fn baggage_of_the_application_travels_with_spans() {
    let capture = capture();
    let mut request = HeaderMap::new();
    capture.record(|| {
        let tenant = KeyValue::new("tenant", "acme");
        let _in = Context::current_with_baggage([tenant]).attach();
        info_span!("s").in_scope(|| inject(&mut request));
    });
    assert_eq!(request["baggage"], "tenant=acme");
    assert!(request.contains_key("traceparent"));
}

#[test]
fn a_caller_that_does_not_sample_is_obeyed_and_the_bus_sees_all() {
    let capture = capture();
    let unsampled = headers([("traceparent", &format!("00-{TRACE}-{PARENT}-00"))]);
    let request = request_from(&capture, &extract(&unsampled));
    assert!(request["traceparent"].to_str().unwrap().ends_with("-00"));
    assert!(capture.spans().is_empty());
    assert_eq!(ends(&capture).len(), 1);
}

#[test]
fn what_is_no_trace_context_is_ignored() {
    let zeros = "00000000000000000000000000000000";
    let garbage = [
        String::new(),
        "nonsense".into(),
        format!("00-{TRACE}-{PARENT}"),
        format!("00-{TRACE}-{PARENT}-01-more"),
        format!("00-{zeros}-{PARENT}-01"),
        format!("00-{TRACE}-0000000000000000-01"),
        format!("ff-{TRACE}-{PARENT}-01"),
        format!("00-{}-{PARENT}-01", TRACE.to_uppercase()),
        format!("00-{TRACE}x-{PARENT}-01"),
        format!("+0-{TRACE}-{PARENT}-01"),
        format!("00-+{}-{PARENT}-01", &TRACE[1..]),
        format!("00-{TRACE}-+{}-01", &PARENT[1..]),
        format!("00-{TRACE}-{PARENT}-+1"),
        format!("00-{}-{PARENT}-01", TRACE.replace('0', "g")),
        format!("00-{TRACE}-{PARENT}-zz"),
        "x".repeat(100_000),
    ];
    for text in garbage {
        let mut meta = Map::new();
        meta.insert("traceparent".into(), json!(text));
        let mut request = HeaderMap::new();
        request.insert("traceparent", text.parse().unwrap());
        for context in [extract(&meta), extract(&request)] {
            assert!(!context.span().span_context().is_valid(), "{text:.80}");
            let capture = capture();
            request_from(&capture, &context);
            let (_, span) = only_end(&capture);
            assert!(!span.parent_is_remote, "{text:.80}");
        }
    }
}

#[test]
fn values_that_are_no_text_are_ignored() {
    for value in [json!(null), json!(7), json!({"a": 1}), json!(["00-x"])] {
        let mut meta = Map::new();
        for name in ["traceparent", "tracestate", "baggage"] {
            meta.insert(name.into(), value.clone());
        }
        let context = extract(&meta);
        assert!(!context.span().span_context().is_valid());
        assert!(context.baggage().is_empty());
    }
    let mut request = remote();
    let bytes = HeaderValue::from_bytes(b"tenant=\xff\xfe").unwrap();
    request.insert("traceparent", bytes.clone());
    request.insert("baggage", bytes);
    let context = extract(&request);
    assert!(!context.span().span_context().is_valid());
    assert!(context.baggage().is_empty());
}

#[test]
fn a_broken_tracestate_or_baggage_does_not_cost_the_trace() {
    for (name, value) in [
        ("tracestate", "no equals sign"),
        ("tracestate", ",,,=,"),
        ("baggage", ";;;==,"),
        ("baggage", "%zz=%"),
    ] {
        let mut request = headers([("traceparent", &format!("00-{TRACE}-{PARENT}-01"))]);
        request.insert(name, value.parse().unwrap());
        let context = extract(&request);
        assert_eq!(
            context.span().span_context().trace_id().to_string(),
            TRACE,
            "{name}: {value}"
        );
    }
}

#[test]
fn a_header_that_comes_in_several_lines_is_read_whole() {
    let request = headers([
        ("traceparent", &format!("00-{TRACE}-{PARENT}-01")),
        ("tracestate", "a=1"),
        ("tracestate", "b=2"),
        ("baggage", "tenant=acme"),
        ("baggage", "user=u1"),
    ]);
    let context = extract(&request);
    let state = context.span().span_context().trace_state().header();
    assert_eq!(state, "a=1,b=2");
    assert_eq!(context.baggage().len(), 2);
}

#[test]
fn extracting_takes_nothing_from_where_it_is_called() {
    let capture = capture();
    capture.record(|| {
        info_span!("unrelated").in_scope(|| {
            let context = extract(&HeaderMap::new());
            assert!(!context.has_active_span());
        });
    });
}

#[test]
fn a_remote_parent_that_is_none_leaves_the_local_one() {
    let capture = capture();
    capture.record(|| {
        info_span!("outer").in_scope(|| {
            let nobody = extract(&HeaderMap::new());
            tool("t").remote_parent(&nobody).start().complete();
            let span = info_span!("inner");
            span.set_parent(&nobody).unwrap();
        });
    });
    assert_eq!(capture.tree(), "outer\n    execute_tool t\n    inner\n");
}

#[test]
fn a_carrier_of_ones_own_works_like_headers() {
    #[derive(Default)]
    struct Metadata(HashMap<String, String>);
    impl Carrier for Metadata {
        fn put(&mut self, name: &str, value: String) {
            self.0.insert(name.to_owned(), value);
        }
        fn entry(&self, name: &str) -> Option<Cow<'_, str>> {
            self.0.get(name).map(Cow::from)
        }
    }
    let capture = capture();
    let mut message = Metadata::default();
    capture.record(|| info_span!("s").in_scope(|| inject(&mut message)));
    let read = extract(&message);
    assert_eq!(
        read.span().span_context().span_id(),
        capture.span("s").span_id
    );
}

#[test]
fn propagators_of_the_opentelemetry_api_see_our_spans() {
    let capture = capture();
    let mut carrier = HashMap::new();
    let ids = capture.record(|| {
        let call = chat("openai", "m").start();
        call.in_scope(|| {
            TraceContextPropagator::new().inject_context(&Context::current(), &mut carrier);
        });
        call.span_context()
    });
    let expected = format!("00-{}-{}-01", ids.trace_id(), ids.span_id());
    assert_eq!(carrier["traceparent"], expected);
}

#[test]
fn a_native_span_between_ours_is_what_a_request_carries() {
    let exporter = opentelemetry_sdk::trace::InMemorySpanExporter::default();
    let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder()
        .with_simple_exporter(exporter.clone())
        .build();
    let tracer = provider.tracer("native");
    let capture = capture();
    let mut request = HeaderMap::new();
    capture.record(|| {
        tool("t")
            .remote_parent(&extract(&remote()))
            .in_scope(|_| {
                tracer.in_span("native", |_| inject(&mut request));
                Ok::<_, std::fmt::Error>(())
            })
            .unwrap();
    });
    let native = exporter.get_finished_spans().unwrap().remove(0);
    let read = extract(&request).span().span_context().clone();
    assert_eq!(read.span_id(), native.span_context.span_id());
    assert_eq!(read.trace_id().to_string(), TRACE);
    assert_eq!(
        native.parent_span_id,
        capture.span("execute_tool t").span_id
    );
    assert_eq!(read.trace_state().header(), "vendor=opaque,other=1");
}
