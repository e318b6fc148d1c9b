//! Wrapping what is not instrumented: any function, method or future, any model call, any client.
//!
//! | To monitor | Write |
//! | --- | --- |
//! | a function, from now on | [`monitor_call`]: a function of the same signature |
//! | an async function, from now on | [`monitor_async`] |
//! | a piece of code or a method, in place | [`monitor`](monitor()) |
//! | a future | [`monitor_future`], or [`monitored`](MonitorExt::monitored) on it |
//! | a call of a model, with its prompt checked | [`monitor_llm`], [`monitor_llm_async`], [`Starter::guard`](crate::Starter::guard) |
//! | a client, wherever it is called | [`Monitored`] |
//!
//! A monitored call is a span `call {name}` with the events `call.started` and `call.completed`, or `call.failed` where it
//! returned an `Err` or panicked, on the channel that was named. Names known from Cylestio Monitor (`call_start`,
//! `LLM_call_blocked`) find these events too.
//!
//! Promise: values, errors and panics reach the caller as they are; every start has its end; without a
//! [`Telemetry`](crate::Telemetry) layer the work is done all the same and nothing is recorded.
//! Never: keeps prompts, answers, arguments or results, unless [`capture`](crate::TelemetryBuilder::capture) allows it.
//!
//! ```
//! use tracing_genai::{monitor_call, testing::capture};
//!
//! fn add(a: i32, b: i32) -> i32 { a + b }
//!
//! let capture = capture();
//! capture.record(|| {
//!     let add = monitor_call("add", add, "CUSTOM");
//!     assert_eq!(add(1, 2), 3);
//! });
//! capture.assert_sequence(["call.started", "call.completed"]);
//! assert_eq!(capture.events()[0].channel.as_str(), "CUSTOM");
//! ```

mod call;
mod client;
mod ending;
mod function;
mod future;
mod guard;
mod llm;
mod response;

pub use call::{monitor, monitor_async, monitor_call, monitor_call_showing};
pub use client::{LlmClient, LlmRequest, Monitored};
pub use function::{Around, Function};
pub use future::{MonitorExt, MonitoredFuture, monitor_future};
pub use guard::{Guard, Judged, Part, Verdict};
pub use llm::{LlmCall, LlmError, monitor_llm, monitor_llm_async};
pub use response::LlmResponse;
