//! Typed starters: spans of agents, model calls, tools, steps and workflows, with the attributes the conventions ask for.
//!
//! A starter ([`chat`], [`tool`], …) takes what is known before the call, [`Starter::start`] makes the `tracing` span and
//! gives an [`ActiveSpan`], which takes what is learned meanwhile and ends the span on every path: `complete`, `fail`,
//! `cancel`, or being dropped (canceled, or failed with `error.type = "panic"` while unwinding).
//!
//! Promise: exactly one end, the first; no guard that could be held across an `.await` is ever handed out; without a
//! [`Telemetry`](crate::Telemetry) layer everything works and nothing is recorded.
//!
//! ```
//! use tracing_genai::{chat, event::Usage};
//!
//! # async fn ask() -> Result<&'static str, std::io::Error> { Ok("14 °C") }
//! # async fn example() -> Result<(), std::io::Error> {
//! let call = chat("openai", "gpt-4o-mini").temperature(0.2).start();
//! let answer = call.run(ask()).await?; // an Err ends the span as failed, dropping the future as canceled
//! call.usage(Usage::new().input(140).output(32)).finish_reason("stop").complete();
//! # Ok(()) }
//! ```

mod active;
mod ext;
mod future;
mod inference;
mod moments;
mod scope;
mod site;
mod starter;
mod stream;
pub mod subjects;

pub use active::ActiveSpan;
pub(crate) use ext::opened;
pub use ext::{SetParentError, SpanExt};
#[cfg(feature = "mcp")]
pub(crate) use ext::{is_around, search};
pub use future::Run;
pub use inference::Call;
pub use moments::{FailurePolicy, Paused, Source, ToolFailure, Validation};
pub use scope::{Scope, Scoped, scope};
pub use starter::Starter;
pub use stream::{InstrumentedStream, StreamExt, TryInstrumentedStream};

use crate::event::Subject;
use crate::semconv::{self, operation};

/// A call of a model: chat, text completion, generation, embeddings.
#[derive(Debug)]
pub struct Inference(());

/// Any other span: an agent, a tool, a step, a workflow.
#[derive(Debug)]
pub struct Plain(());

/// A chat with a model: operation `chat`, span `chat {model}`, kind client.
///
/// `provider` is a value of `gen_ai.provider.name` (`openai`, `anthropic`, `aws.bedrock` …); other spellings in common use
/// are normalised.
///
/// ```
/// let call = tracing_genai::chat("anthropic", "claude-sonnet-4-5").max_tokens(1024).start();
/// call.finish_reason("end_turn").complete();
/// ```
pub fn chat(provider: &str, model: &str) -> Starter<Inference> {
    inference(operation::CHAT, provider, model)
}

/// A call of a model by an API that generates content of several kinds: operation `generate_content`.
pub fn generate_content(provider: &str, model: &str) -> Starter<Inference> {
    inference(operation::GENERATE_CONTENT, provider, model)
}

/// A call of a model by a legacy completion API: operation `text_completion`.
pub fn text_completion(provider: &str, model: &str) -> Starter<Inference> {
    inference(operation::TEXT_COMPLETION, provider, model)
}

/// A call that turns texts into vectors: operation `embeddings`.
///
/// ```
/// use tracing_genai::event::Usage;
///
/// let call = tracing_genai::embeddings("openai", "text-embedding-3-small").start();
/// call.usage(Usage::new().input(12)).complete();
/// ```
pub fn embeddings(provider: &str, model: &str) -> Starter<Inference> {
    inference(operation::EMBEDDINGS, provider, model)
}

fn inference(operation: &'static str, provider: &str, model: &str) -> Starter<Inference> {
    Starter::new(operation)
        .named(semconv::GEN_AI_PROVIDER_NAME, provider)
        .named(semconv::GEN_AI_REQUEST_MODEL, model)
}

/// A run of an agent in this process: operation `invoke_agent`, span `invoke_agent {name}`.
///
/// Spans inside inherit the agent's name, and the span gets the totals of everything below it.
///
/// ```
/// # async fn example() -> Result<(), std::io::Error> {
/// let plan = tracing_genai::agent("planner").run(async {
///     // model calls and tools
///     Ok::<_, std::io::Error>("Paris")
/// }).await?;
/// # Ok(()) }
/// ```
pub fn agent(name: &str) -> Starter<Plain> {
    Starter::new(operation::INVOKE_AGENT).named(semconv::GEN_AI_AGENT_NAME, name)
}

/// A run of several agents or calls that belong together: operation `invoke_workflow`, span `invoke_workflow {name}`.
///
/// The name is a label of metrics: keep it to few values.
pub fn workflow(name: &str) -> Starter<Plain> {
    Starter::new(operation::INVOKE_WORKFLOW).named(semconv::GEN_AI_WORKFLOW_NAME, name)
}

/// A call of a tool: operation `execute_tool`, span `execute_tool {name}`.
///
/// ```
/// # async fn search(_: &str) -> Result<Vec<String>, std::io::Error> { Ok(vec![]) }
/// # async fn example() -> Result<(), std::io::Error> {
/// let hits = tracing_genai::tool("search").call_id("call_1").run(search("rust")).await?;
/// # Ok(()) }
/// ```
pub fn tool(name: &str) -> Starter<Plain> {
    Starter::new(operation::EXECUTE_TOOL)
        .named(semconv::GEN_AI_TOOL_NAME, name)
        .with(semconv::GEN_AI_TOOL_TYPE, "function")
}

/// A step of a run: a span of that name. What a plain `#[tracing::instrument]` makes too.
pub fn step(name: &str) -> Starter<Plain> {
    Starter::of(Subject::STEP).named(semconv::STEP_NAME, name)
}

/// A span in which an agent plans: operation `plan`; the model call it makes is its child.
pub fn plan(agent: &str) -> Starter<Plain> {
    Starter::new(operation::PLAN).named(semconv::GEN_AI_AGENT_NAME, agent)
}

/// A search in a vector store or index: operation `retrieval`, span `retrieval {data_source}`.
pub fn retrieval(data_source: &str) -> Starter<Plain> {
    Starter::new(operation::RETRIEVAL).named(semconv::GEN_AI_DATA_SOURCE_ID, data_source)
}
