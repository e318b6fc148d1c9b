//! x
#![forbid(unsafe_code)]

mod clock;
pub mod console;
pub mod event;
mod integration;
mod layer;
mod pipeline;
mod provider;
mod record;
pub mod semconv;
mod span;
mod stats;

pub use integration::propagation;
pub use layer::{GenAiFilter, GenAiLayer, Steps};
pub use span::{
    ActiveSpan, Call, Inference, InstrumentedStream, Plain, Run, Starter, StreamExt,
    TryInstrumentedStream, agent, chat, embeddings, generate_content, plan, retrieval, step,
    text_completion, tool, workflow,
};
pub use stats::{Loss, Tally};
