//! x
#![forbid(unsafe_code)]

pub mod bus;
mod clock;
mod console;
mod diagnostics;
pub mod enrich;
pub mod event;
mod export;
mod integration;
mod layer;
mod pipeline;
mod provider;
mod record;
pub mod semconv;
mod span;
mod stats;
mod telemetry;
#[cfg(feature = "testing")]
pub mod testing;

pub use integration::propagation;
pub use layer::{GenAiFilter, GenAiLayer, Steps};
pub use span::{
    ActiveSpan, Call, Inference, InstrumentedStream, Plain, Run, SetParentError, SpanExt, Starter,
    StreamExt, TryInstrumentedStream, agent, chat, embeddings, generate_content, plan, retrieval,
    step, text_completion, tool, workflow,
};
pub use stats::{Loss, Tally};
pub use telemetry::{ConfigError, InstallError, Report, Telemetry, TelemetryBuilder};
