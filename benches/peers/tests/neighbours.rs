//! F21 of the fault matrix: what tracing-opentelemetry exports is the same with and without us in the stack: with ours below it, as it
//! is, and with ours above it, where ours must not make its context the current one. Both take the parent of a span from the current
//! context, and the layer that is entered last has the last word.

use std::sync::{Arc, Mutex};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use tracing::{Dispatch, error, info, info_span, instrument};
use tracing_genai::Telemetry;
use tracing_genai_peers::workload;
use tracing_subscriber::Registry;
use tracing_subscriber::prelude::*;

#[derive(Debug, Clone, Default)]
struct Kept(Arc<Mutex<Vec<SpanData>>>);

impl SpanExporter for Kept {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0.lock().unwrap().extend(batch);
        Ok(())
    }
}

#[instrument(err)]
fn fails(n: u64) -> Result<(), std::io::Error> {
    Err(std::io::Error::other("in the work"))
}

fn work() {
    workload::agent_run();
    let first = info_span!("first", x = 1, late = tracing::field::Empty);
    first.in_scope(|| {
        info!(answer = 42, "inside");
        let _ = fails(3);
        info_span!(parent: None, "a root of its own").in_scope(|| error!("deep"));
    });
    first.record("late", "recorded");
    let second = info_span!("second", otel.kind = "server", otel.name = "GET /");
    second.follows_from(&first);
    drop(first);
    second.in_scope(|| {});
}

/// What it exports, without ids and times: names, kinds, statuses, attributes, events, links, and the names of the parents.
fn exported(ours: &[&str]) -> Vec<String> {
    let kept = Kept::default();
    let provider = SdkTracerProvider::builder()
        .with_simple_exporter(kept.clone())
        .build();
    // Each stack has its own types, and so have the layers in it.
    macro_rules! theirs {
        () => {
            tracing_opentelemetry::layer().with_tracer(provider.tracer("test"))
        };
    }
    let telemetry = Telemetry::builder("test")
        .environment(|_| None)
        .activate_context(ours != ["last"])
        .build()
        .unwrap();
    let dispatch: Dispatch = match ours {
        ["first"] => Registry::default()
            .with(telemetry.layer())
            .with(theirs!())
            .into(),
        ["last"] => Registry::default()
            .with(theirs!())
            .with(telemetry.layer())
            .into(),
        _ => Registry::default().with(theirs!()).into(),
    };
    tracing::dispatcher::with_default(&dispatch, work);
    assert!(telemetry.shutdown().is_complete());
    let spans = kept.0.lock().unwrap().clone();
    let name_of = |id| spans.iter().find(|span| span.span_context.span_id() == id);
    spans
        .iter()
        .map(|span| {
            let timed = ["busy_ns", "idle_ns", "thread.id"];
            let attributes: Vec<_> = span
                .attributes
                .iter()
                .filter(|attribute| !timed.contains(&attribute.key.as_str()))
                .map(|attribute| format!("{}={}", attribute.key, attribute.value))
                .collect();
            let events: Vec<_> = span.events.iter().map(|event| &event.name).collect();
            let parent = name_of(span.parent_span_id).map(|parent| &parent.name);
            let links = span.links.len();
            format!(
                "{} {:?} {:?} in {parent:?}, {links} links, {attributes:?} {events:?}",
                span.name, span.span_kind, span.status
            )
        })
        .collect()
}

#[test]
fn f21_what_tracing_opentelemetry_exports_is_the_same_with_and_without_us() {
    let alone = exported(&[]);
    assert_eq!(alone.len() as u64, workload::SPANS + 4);
    for ours in ["first", "last"] {
        assert_eq!(exported(&[ours]), alone, "ours {ours}");
    }
}
