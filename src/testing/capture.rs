//! An installation that keeps what it would export.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{SpanContext, SpanKind, Status};
use opentelemetry::{SpanId, TraceId};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tracing_subscriber::layer::SubscriberExt as _;

use crate::event::{Attrs, Event, Value};
use crate::layer::face::from_otel;
use crate::{Report, Telemetry, TelemetryBuilder};

/// An installation for tests. Made by [`capture`].
#[derive(Debug)]
pub struct Capture {
    telemetry: Telemetry,
    spans: Captured,
    events: Arc<Mutex<Vec<Event>>>,
}

/// An exported span.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CapturedSpan {
    /// Its exported name.
    pub name: String,
    /// Its trace.
    pub trace_id: TraceId,
    /// Its id.
    pub span_id: SpanId,
    /// Its parent; [`SpanId::INVALID`] for a root.
    pub parent_id: SpanId,
    /// Whether the parent lies in another process.
    pub parent_is_remote: bool,
    /// Its kind.
    pub kind: SpanKind,
    /// When it started.
    pub start: SystemTime,
    /// How long it took.
    pub duration: Duration,
    /// Its attributes.
    pub attributes: Attrs,
    /// Attributes that did not fit.
    pub dropped_attributes: u32,
    /// Its events, in order.
    pub events: Vec<CapturedEvent>,
    /// What it links.
    pub links: Vec<SpanContext>,
    /// Its status.
    pub status: Status,
}

/// An event of an exported span.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct CapturedEvent {
    /// Its name.
    pub name: String,
    /// Its attributes.
    pub attributes: Attrs,
}

impl CapturedSpan {
    /// An attribute.
    pub fn attr(&self, name: &str) -> Option<&Value> {
        self.attributes.get(name)
    }
}

/// An exporter of the SDK's that keeps spans. Clones share what they keep.
#[derive(Debug, Clone, Default)]
pub struct Captured(Arc<Mutex<Vec<CapturedSpan>>>);

impl Captured {
    /// What was exported so far, in the order of the ends.
    pub fn spans(&self) -> Vec<CapturedSpan> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl SpanExporter for Captured {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(batch.into_iter().map(CapturedSpan::from));
        Ok(())
    }
}

fn attributes(all: Vec<opentelemetry::KeyValue>) -> Attrs {
    let mut attrs = Attrs::with_capacity(all.len());
    for attribute in all {
        attrs.set(
            attribute.key.as_str().to_owned(),
            from_otel(attribute.value),
        );
    }
    attrs
}

impl From<SpanData> for CapturedSpan {
    fn from(span: SpanData) -> Self {
        let event = |event: opentelemetry::trace::Event| CapturedEvent {
            name: event.name.into_owned(),
            attributes: attributes(event.attributes),
        };
        Self {
            name: span.name.into_owned(),
            trace_id: span.span_context.trace_id(),
            span_id: span.span_context.span_id(),
            parent_id: span.parent_span_id,
            parent_is_remote: span.parent_span_is_remote,
            kind: span.span_kind,
            start: span.start_time,
            duration: span
                .end_time
                .duration_since(span.start_time)
                .unwrap_or_default(),
            attributes: attributes(span.attributes),
            dropped_attributes: span.dropped_attributes_count,
            events: span.events.events.into_iter().map(event).collect(),
            links: span
                .links
                .links
                .into_iter()
                .map(|link| link.span_context)
                .collect(),
            status: span.status,
        }
    }
}

/// An installation that exports nothing and keeps everything, with a clock that moves a millisecond at every reading and
/// ids that count.
pub fn capture() -> Capture {
    capture_with(|builder| builder)
}

/// The same with settings of one's own.
///
/// # Panics
/// If the settings cannot work.
#[expect(clippy::expect_used, reason = "a test wants to stop here")]
pub fn capture_with(configure: impl FnOnce(TelemetryBuilder) -> TelemetryBuilder) -> Capture {
    let spans = Captured::default();
    // The environment of whoever runs the test has no say in it.
    let builder = Telemetry::builder("test")
        .environment(|_| None)
        .deterministic(Duration::from_millis(1));
    let telemetry = configure(builder)
        .span_exporter(spans.clone())
        .build()
        .expect("settings that can work");
    let events = Arc::<Mutex<Vec<Event>>>::default();
    let seen = Arc::clone(&events);
    telemetry.bus().on_event(move |event| {
        seen.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event.clone());
    });
    Capture {
        telemetry,
        spans,
        events,
    }
}

impl Capture {
    /// Runs `f` with this installation as the thread's subscriber.
    pub fn record<T>(&self, f: impl FnOnce() -> T) -> T {
        tracing::subscriber::with_default(
            tracing_subscriber::registry().with(self.telemetry.layer()),
            f,
        )
    }

    /// The installation, for subscribers of one's own and for its bus.
    pub fn telemetry(&self) -> &Telemetry {
        &self.telemetry
    }

    /// Waits until everything recorded so far has arrived.
    pub fn flush(&self) -> Report {
        self.telemetry.flush(Duration::from_secs(10))
    }

    /// The spans exported so far, in the order of their ends.
    pub fn spans(&self) -> Vec<CapturedSpan> {
        self.flush();
        self.spans.spans()
    }

    /// The one span of this exported name.
    ///
    /// # Panics
    /// If there is none or more than one; the message shows the tree.
    #[expect(clippy::panic, reason = "a test wants to stop here")]
    pub fn span(&self, name: &str) -> CapturedSpan {
        let mut found = self.spans().into_iter().filter(|span| span.name == name);
        match (found.next(), found.next()) {
            (Some(span), None) => span,
            (first, _) => panic!(
                "{} spans are called {name:?}:\n{}",
                if first.is_some() { "several" } else { "no" },
                self.tree()
            ),
        }
    }

    /// The events so far, in order.
    pub fn events(&self) -> Vec<Event> {
        self.flush();
        self.events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The spans as indented text, children below parents in the order of their starts, with tokens, cost and errors.
    pub fn tree(&self) -> String {
        super::tree::render(&self.spans())
    }

    /// Checks that events of these types happened in this order, others between them or not.
    ///
    /// # Panics
    /// If one is missing; the message shows what happened.
    #[expect(clippy::panic, reason = "a test wants to stop here")]
    pub fn assert_sequence<'a>(&self, types: impl IntoIterator<Item = &'a str>) {
        let happened: Vec<_> = self
            .events()
            .iter()
            .map(|event| event.ty.to_string())
            .collect();
        let mut rest = happened.iter();
        for ty in types {
            if !rest.any(|happened| happened == ty) {
                panic!("{ty} did not happen where it was expected; events: {happened:#?}");
            }
        }
    }
}
