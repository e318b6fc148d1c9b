//! The test kit: see what your instrumentation says, without a collector.
//!
//! [`capture`] gives an installation with a clock and ids from fixed sequences, so that whole traces can be compared;
//! [`Capture::tree`] renders them as indented text.
//!
//! ```
//! use tracing_genai::{agent, chat, event::Usage, testing::capture, tool};
//!
//! let capture = capture();
//! capture.record(|| {
//!     agent("planner").in_scope(|_| {
//!         chat("openai", "gpt-4o-mini").start().usage(Usage::new().input(140).output(32)).complete();
//!         tool("search").in_scope(|_| Err::<(), _>("no network"))
//!     })
//! }).unwrap_err();
//!
//! assert_eq!(capture.tree(), "\
//! invoke_agent planner  error=&str
//!     chat gpt-4o-mini  in=140 out=32 cost=$0.0000402
//!     execute_tool search  error=&str
//! ");
//! capture.assert_sequence(["agent.execution.started", "llm.call.started", "llm.call.completed"]);
//! ```

mod capture;
mod ids;
mod tree;

pub use capture::{Capture, Captured, CapturedEvent, CapturedSpan, capture, capture_with};
pub(crate) use ids::CountingIds;
pub use tree::render;
