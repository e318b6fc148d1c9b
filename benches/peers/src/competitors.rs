//! The competitors, each with a consumer that drops what it gets: what is measured is the way there.
//!
//! Only one is alive at a time, because call sites remember what all live subscribers together want of them.

use std::sync::Once;

use fastrace::collector::{Config, Reporter, SpanContext, SpanRecord};
use fastrace::local::LocalSpan;
use fastrace::{Event as FastEvent, Span as FastSpan};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{SdkTracerProvider, SpanData, SpanExporter};
use tracing::Dispatch;
use tracing::level_filters::LevelFilter;
use tracing_genai::{Telemetry, TelemetryBuilder};
use tracing_subscriber::layer::Layer;
use tracing_subscriber::prelude::*;

use crate::workload;

/// A competitor, ready to run.
pub struct Competitor {
    /// Under which the workload runs; none for those that do without `tracing`.
    pub dispatch: Dispatch,
    /// One agent run.
    pub run: fn(),
    /// Waits until what was recorded is consumed.
    pub settle: Box<dyn Fn() + Sync>,
}

/// How a competitor is called in the table, and how it is made.
pub type Entry = (&'static str, fn() -> Competitor);

/// Row that the others are compared with.
pub const REFERENCE: &str = "tracing-opentelemetry 0.34, SDK batch";

pub const ALL: [Entry; 8] = [
    ("registry alone", registry),
    ("registry, filtered no-op layer", filtered),
    (REFERENCE, || tracing_opentelemetry(false)),
    ("the same, all extras off", || tracing_opentelemetry(true)),
    ("fastrace 0.7, its own API", fastrace),
    ("tracing-genai", || ours(|builder| builder)),
    ("tracing-genai, no context activation", || {
        ours(|builder| builder.activate_context(false))
    }),
    ("tracing-genai, somebody on the bus", listened),
];

/// A layer that does nothing. A registry without any layer never frees its spans.
struct Nothing;

impl<S: tracing::Subscriber> Layer<S> for Nothing {}

/// An exporter that drops its batches.
#[derive(Debug)]
struct Sink;

impl SpanExporter for Sink {
    async fn export(&self, _: Vec<SpanData>) -> OTelSdkResult {
        Ok(())
    }
}

pub fn registry() -> Competitor {
    Competitor {
        dispatch: Dispatch::new(tracing_subscriber::registry().with(Nothing)),
        run: workload::agent_run,
        settle: Box::new(|| ()),
    }
}

pub fn filtered() -> Competitor {
    let layer = Nothing.with_filter(LevelFilter::INFO);
    Competitor {
        dispatch: Dispatch::new(tracing_subscriber::registry().with(layer)),
        run: workload::agent_run,
        settle: Box::new(|| ()),
    }
}

pub fn tracing_opentelemetry(minimal: bool) -> Competitor {
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(Sink)
        .build();
    let mut layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("bench"));
    if minimal {
        layer = layer
            .with_location(false)
            .with_threads(false)
            .with_target(false)
            .with_tracked_inactivity(false)
            .with_context_activation(false);
    }
    Competitor {
        dispatch: Dispatch::new(tracing_subscriber::registry().with(layer)),
        run: workload::agent_run,
        settle: Box::new(move || provider.force_flush().expect("a sink takes everything")),
    }
}

/// Ours with the same exporter behind it.
pub fn ours(with: fn(TelemetryBuilder) -> TelemetryBuilder) -> Competitor {
    of(with(builder()))
}

/// With a subscriber in the process, the start of every span is a record of its own.
fn listened() -> Competitor {
    let telemetry = builder().build().expect("a builder with defaults");
    telemetry.bus().on_event(|_| ());
    competitor(telemetry)
}

fn builder() -> TelemetryBuilder {
    Telemetry::builder("bench")
        .environment(|_| None)
        .span_exporter(Sink)
}

fn of(builder: TelemetryBuilder) -> Competitor {
    competitor(builder.build().expect("a builder with defaults"))
}

fn competitor(telemetry: Telemetry) -> Competitor {
    Competitor {
        dispatch: Dispatch::new(tracing_subscriber::registry().with(telemetry.layer())),
        run: workload::agent_run,
        settle: Box::new(move || {
            let report = telemetry.flush(Telemetry::SHUTDOWN_TIMEOUT);
            assert!(report.is_complete(), "nothing may be lost: {report:?}");
        }),
    }
}

struct FastSink;

impl Reporter for FastSink {
    fn report(&mut self, _: Vec<SpanRecord>) {}
}

/// Its collector is one for the process and stays.
pub fn fastrace() -> Competitor {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| fastrace::set_reporter(FastSink, Config::default()));
    Competitor {
        dispatch: Dispatch::none(),
        run: fastrace_run,
        settle: Box::new(fastrace::flush),
    }
}

/// The workload, in fastrace's words: its properties are texts.
fn fastrace_run() {
    const CONVERSATION: &str = "conv_5j66UpCpwteGg4YSxUnt7lPY";
    let root = FastSpan::root("agent", SpanContext::random()).with_properties(|| {
        [
            ("gen_ai.operation.name", "invoke_agent"),
            ("gen_ai.agent.name", "trip-planner"),
            ("gen_ai.conversation.id", CONVERSATION),
        ]
    });
    let _root = root.set_local_parent();
    for turn in 0..4_i64 {
        let _step =
            LocalSpan::enter_with_local_parent("turn").with_property(|| ("turn", turn.to_string()));
        fastrace_chat(CONVERSATION);
        let _tool = LocalSpan::enter_with_local_parent("tool").with_properties(|| {
            [
                ("gen_ai.operation.name", "execute_tool"),
                ("gen_ai.tool.name", "search_flights"),
                ("gen_ai.tool.call.id", "call_mszuSIzqtI65i1wAUOE8w5H4"),
                ("gen_ai.tool.type", "function"),
            ]
        });
    }
}

fn fastrace_chat(conversation: &'static str) {
    let _chat = LocalSpan::enter_with_local_parent("chat").with_properties(|| {
        [
            ("gen_ai.operation.name", "chat".into()),
            ("gen_ai.provider.name", "openai".into()),
            ("gen_ai.request.model", "gpt-4o-mini".into()),
            ("gen_ai.request.temperature", 0.2.to_string().into()),
            ("gen_ai.request.max_tokens", 1024_i64.to_string().into()),
            ("gen_ai.conversation.id", conversation.into()),
            ("server.address", "api.openai.com".into()),
            (
                "server.port",
                std::borrow::Cow::<'static, str>::from(443_i64.to_string()),
            ),
        ]
    });
    LocalSpan::add_event(
        FastEvent::new("first token").with_property(|| ("attempt", 1_i64.to_string())),
    );
    LocalSpan::add_property(|| {
        (
            "gen_ai.response.id",
            "chatcmpl-9J3uIL87gldCFtiIbyaOvTeYBRA3l",
        )
    });
    LocalSpan::add_property(|| ("gen_ai.response.model", "gpt-4o-mini-2024-07-18"));
    LocalSpan::add_property(|| ("gen_ai.response.finish_reasons", "stop"));
    LocalSpan::add_property(|| ("gen_ai.usage.input_tokens", 1200_i64.to_string()));
    LocalSpan::add_property(|| ("gen_ai.usage.output_tokens", 340_i64.to_string()));
}
