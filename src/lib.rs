//! One layer on your `tracing` subscriber: every span that speaks GenAI becomes an OpenTelemetry GenAI span, metric and log at
//! your collector **and** a typed event inside your process, from one record, with the same ids, with model, tokens and cost
//! on it.
//!
//! # Start
//!
//! ```
//! use tracing_genai::event::{LlmCallCompleted, Usage};
//! use tracing_genai::{Telemetry, chat};
//! use tracing_subscriber::prelude::*;
//!
//! #[tracing::instrument(fields(gen_ai.operation.name = "invoke_agent", gen_ai.agent.name = "planner"))]
//! fn plan(_question: &str) {
//!     let call = chat("openai", "gpt-4o-mini").temperature(0.2).start();
//!     call.usage(Usage::new().input(140).output(32)).finish_reason("stop").complete();
//! }
//!
//! let telemetry = Telemetry::builder("trip-planner")
//!     .console() // a live tree on stderr; `.otlp_from_env()` exports to a collector
//!     .build()?;
//! telemetry.bus().on::<LlmCallCompleted>(|call| println!("{:?}: {:?}", call.model, call.cost_usd));
//!
//! let subscriber = tracing_subscriber::registry().with(telemetry.layer());
//! tracing::subscriber::with_default(subscriber, || plan("Paris in May"));
//!
//! let report = telemetry.shutdown(); // what was delivered, what was lost and why
//! assert!(report.is_complete());
//! # Ok::<(), tracing_genai::ConfigError>(())
//! ```
//!
//! # The picture
//!
//! ```text
//!  application threads                     one thread "tracing-genai" (a runtime of its own, no subscriber)
//!  #[instrument] · chat(..) · tool(..)
//!        │ tracing span, event
//!        ▼
//!   layer ── capture ── identity ──▶ bounded queue ─▶ enrich ─┬─▶ bus ─┬─▶ subscriptions, handlers, run streams
//!    (copy, count, push: never       (records, bytes)  names  │        ├─▶ history   a ring in memory, or SQLite
//!     parse, price, scan, send)                        hooks  │        └─▶ files     JSON lines, or as you render them
//!                                                      cost   ├─▶ console   a live tree for people
//!                                                      totals ├─▶ metrics   opentelemetry_sdk meter
//!                                                             └─▶ OTLP      request bytes → (spool) → gRPC | HTTP → decision
//!                                                                           → delivery report
//! ```
//!
//! # What it promises
//!
//! | Promise | Where |
//! | --- | --- |
//! | Nothing accepted is lost without being counted, with a reason | [`Report`], [`Loss`] |
//! | With a spool, outages, crashes and restarts cost nothing that is older than a quarter of a second | [`TelemetryBuilder::spool`] |
//! | Every started span ends exactly once: return, `?`, panic, dropped future, shutdown | [`ActiveSpan`] |
//! | An unknown cost is absent and says why; it is never 0 | [`enrich`] |
//! | Totals of agents, workflows and steps count every call once, sampled or not | [`enrich`] |
//! | Nothing panics, blocks or prints to stdout after [`build`](TelemetryBuilder::build) | [`Telemetry`] |
//! | Content (prompts, answers, arguments, error messages) is not captured unless asked for | [`content`] |
//! | Secrets are taken out before the bus, the history, files, the console and exporters | [`security::redact`] |
//! | What a policy blocks is not sent, and told without a word of it | [`security`] |
//! | A budget is watched, never enforced: each call counts once, unknown prices are told | [`budget`] |
//! | A slow reader, a failing handler, a full disk delays nobody else, and what they miss is counted | [`bus`], [`history`], [`files`] |
//! | Events of one trace reach each reader in the order they happened in | [`bus`] |
//! | What a reporter gets comes in its run's order, is tried again, and is counted; a forwarder misses nothing | [`reporter`] |
//! | Other layers see what they always saw | [`GenAiFilter`] |
//! | Flush and shutdown return in time from any thread, with any runtime or none | [`Telemetry::flush`] |
//!
//! # What becomes what
//!
//! * A span with `gen_ai.operation.name` (or started by [`chat`], [`agent`], [`tool`] …) is a GenAI span: named, of the kind and
//!   with the attributes of the conventions ([`semconv`]).
//! * A call of a model API over HTTP that goes through the tap (feature `http`) is a GenAI span, or fills the one it is part of.
//! * A plain `#[tracing::instrument]` function is a step ([`Steps`] narrows that); spans of known infrastructure crates (HTTP,
//!   SQL) are exported as ordinary children.
//! * `tracing::info!(genai.event = "order.placed", …)`, [`event`](event()) and [`log_event`] make a moment: an event on the
//!   bus, a log record at the collector, a span event on the span it happened in. Other events are span events of their span.
//! * A function wrapped by [`monitor_call`] or a future by [`monitor_future`] is a call; a call of a model by code that is not
//!   instrumented is recorded, and its prompt checked, by [`monitor_llm`] and [`Starter::guard`]; see [`mod@monitor`].
//! * Spans of other crates are known by name (rig, genai, adk-rust, langchain-rust, harness-rs, yoagent, swiftide, the Bedrock SDK), and
//!   attributes in the spelling of OpenInference, Traceloop, Langfuse and the older conventions on anybody's span. What those crates
//!   write at `DEBUG` (the Bedrock SDK, swiftide's usage) is seen with [`level`](TelemetryBuilder::level).
//! * Calls that make no spans are read on the wire ([`tap`]), from the provider's JSON ([`Call::response`], [`Call::stream_frame`]), or
//!   wrapped ([`mod@monitor`]); MCP has spans on both sides ([`mcp`]).
//! * A scenario run, in which an agent is tested by another and judged, is a workflow with its conversation and its verdict; see
//!   [`scenario`].
//! * What other systems log (Cylestio Monitor, AITaskAgent, crewAI, LangWatch Scenario) is understood by name, and as whole
//!   documents by [`Telemetry::import`]; a start and its end become a span.
//!
//! # What leaves the process
//!
//! Names, times, token counts, costs, the fields your spans and events declare, and the type of an error; without secrets and
//! personal data, which [are taken out](security::redact) of all of it. Not: prompts, answers, tool arguments and results, error messages,
//! unless [`content`] is captured. Nothing at all until an exporter or a [`reporter`] is named. What may not even be sent to a model or a tool is for a
//! [`Policy`](security::Policy) to say.
//!
//! # Troubleshooting
//!
//! * **No spans.** A global filter in front of the registry (`RUST_LOG=warn` with an `EnvFilter` on the registry) removes `INFO`
//!   spans before any layer sees them. Give each layer its own filter: `fmt::layer().with_filter(env_filter)`.
//! * **A span is missing.** Read [`Telemetry::stats`]: `capture` says what the queue dropped, `traces` what the exporter did.
//! * **Two trees where one is expected.** A spawned task does not inherit the current span: `.instrument(span)` it, or start its
//!   spans with [`Starter::parent`].
//! * **Nothing at the collector.** The first failure and the recovery are said on stderr, once each.
//! * **Spans are missing after a crash or a long outage.** Batches wait in memory unless they have a [spool](TelemetryBuilder::spool).
//! * **After a fork** the thread is gone, as every thread: build after daemonising.
//!
//! # Features
//!
//! | Feature | Default | What you get |
//! | --- | --- | --- |
//! | `otlp` | yes | traces, logs and metrics to a collector over gRPC or HTTP/protobuf, with TLS and gzip |
//! | `pricing` | yes | the cost of model calls from the bundled `genai-prices` table, with overrides of your own |
//! | `sqlite` | no | [`history`] on disk: a SQLite file that survives restarts, shared by threads and processes |
//! | `http` | no | calls of model APIs over HTTP, read as they pass: any client on `http` 1 types, a `tower` layer |
//! | `reqwest`, `reqwest-middleware` | no | the same for `reqwest` 0.13 and for `reqwest-middleware` 0.5 |
//! | `mcp` | no | calls of MCP tools, prompts and resources as client and server, on `rmcp` 3, in one trace |
//! | `config` | no | [`config`](mod@config): settings from a YAML file, Cylestio Monitor's included |
//! | `signals` | no | flushing when a [signal](Telemetry::handle_signals) tells the process to end, on Unix |
//! | `viewer` | no | [`viewer`]: a page of the process's own, live in a browser |
//! | `testing` | no | the test kit: capture, fixed clock and ids, tree rendering |
//! | `full` | no | everything above |
//!
//! `opentelemetry` 0.33 and `opentelemetry_sdk` 0.33 are re-exported: two versions in one program do not see each other.
#![cfg_attr(
    not(feature = "full"),
    allow(
        rustdoc::broken_intra_doc_links,
        reason = "the front page links to what features bring"
    )
)]
#![forbid(unsafe_code)]

pub mod budget;
pub mod bus;
mod clock;
#[cfg(feature = "config")]
pub mod config;
pub mod console;
mod contain;
pub mod content;
#[cfg_attr(
    not(feature = "otlp"),
    allow(dead_code, unreachable_pub, reason = "the exporter has most to say")
)]
mod diagnostics;
mod emit;
pub mod enrich;
pub mod event;
mod export;
pub mod files;
pub mod frame;
pub mod graph;
pub mod history;
mod integration;
mod layer;
pub mod message;
pub mod monitor;
mod outlet;
mod pipeline;
pub mod provider;
mod record;
pub mod render;
pub mod scenario;
pub mod security;
pub mod semconv;
mod span;
mod stats;
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;
mod unobserved;
#[cfg(feature = "viewer")]
pub mod viewer;

pub use opentelemetry;
pub use opentelemetry_sdk;

pub use emit::{
    Cause, Evaluation, EventBuilder, Routing, TriggeredBy, TriggeredGuard, emission, emit,
    evaluation, event, human_feedback_received, human_feedback_requested, instrumentation_applied,
    log_error, log_event, log_info, log_warning, route, triggered_by,
};
#[cfg(feature = "otlp")]
pub use export::metrics::MetricNames;
#[cfg(feature = "otlp")]
pub use export::otlp;
pub use export::reporter;
#[cfg(feature = "http")]
pub use integration::http as tap;
#[cfg(feature = "mcp")]
pub use integration::mcp;
pub use integration::propagation;
pub use layer::{ChunkExport, GenAiFilter, GenAiLayer, OnMisuse, ScopePolicy, ScopeStats, Steps};
pub use monitor::{
    MonitorExt, Monitored, monitor, monitor_async, monitor_call, monitor_call_showing,
    monitor_future, monitor_llm, monitor_llm_async,
};
pub use outlet::{EventWriter, WriteError};
pub use span::subjects as starters;
pub use span::{
    ActiveSpan, Call, FailurePolicy, Inference, InstrumentedStream, Paused, Plain, Run, Scope,
    Scoped, SetParentError, Source, SpanExt, Starter, StreamExt, ToolFailure,
    TryInstrumentedStream, Validation, agent, chat, embeddings, generate_content, plan, retrieval,
    scope, step, text_completion, tool, workflow,
};
pub use stats::{Loss, Tally};
#[cfg(feature = "config")]
pub use telemetry::Reload;
pub use telemetry::{
    ChannelSwitch, ConfigError, InstallError, Report, Telemetry, TelemetryBuilder,
};
#[cfg(feature = "signals")]
pub use telemetry::{Signal, SignalError, SignalOptions};
