//! Scenario runs: a test of an agent, played by other agents and judged, as [LangWatch Scenario](https://github.com/langwatch/scenario)
//! has them.
//!
//! Owns: the [run](Run) as one `workflow` span of the flavor `scenario`, its message [snapshots](Run::messages), its
//! [verdict](Results); the [JSON](payload) LangWatch's endpoint takes, made from the events; the [reader](Transcript) of snapshots.
//! Promise: a run that started ends exactly once, on every way out (see [`Run`]); a run recorded here has on the bus what the
//! import of the documents of that run has; spans, log records and events come of one record, with the same ids.
//! Never: sends anything itself, or passes on content that is not [captured](crate::content): messages, reasoning, what evaluators
//! explain. Names, descriptions and criteria are the test's own words, and are no content.
//!
//! | Document | Event | Signal |
//! | --- | --- | --- |
//! | `SCENARIO_RUN_STARTED` | `workflow.started` | start of the span `invoke_workflow {name}` |
//! | `SCENARIO_MESSAGE_SNAPSHOT` | `conversation.snapshot` | log record |
//! | `SCENARIO_TEXT_MESSAGE_START`, `_CONTENT`, `_END` | `conversation.message.opened`, `.chunk`, `.added` | log records |
//! | `SCENARIO_TOOL_CALL_START`, `_ARGS`, `_END` | `tool.call.announced`, `.chunk`, `.sealed` | log records |
//! | `SCENARIO_RUN_FINISHED` | `workflow.completed`, `.failed`, `.canceled`; before it one `evaluation.result` a criterion and evaluator | end of the span |
//!
//! ```
//! use tracing_genai::message::Message;
//! use tracing_genai::scenario::{Results, Scenario, payload};
//! use tracing_genai::testing::capture;
//!
//! let capture = capture();
//! capture.record(|| {
//!     let run = Scenario::new("weather query test")
//!         .description("A user asks about the weather")
//!         .agents([("WeatherAgent", "agent"), ("UserSimulator", "user")])
//!         .start();
//!     run.messages(&[Message::user("What's the weather like?"), Message::assistant("14 °C and rain.")]);
//!     run.finish(Results::success().met("The agent gives a temperature"));
//! });
//! let last = capture.events().pop().expect("the run's end");
//! let json = payload(&last).expect("a document of Scenario's");
//! assert_eq!(json["type"], "SCENARIO_RUN_FINISHED");
//! assert_eq!(json["status"], "SUCCESS");
//! ```

mod builder;
mod ids;
mod names;
mod payload;
mod results;
mod run;
mod snapshot;
mod streamed;

pub use builder::{Agent, Scenario, Snapshots};
pub use payload::{Payloads, payload};
pub use results::{EvaluatorResult, Results, Status, Verdict};
pub use run::Run;
pub use snapshot::{SnapshotError, Transcript};
pub use streamed::{StreamedCall, StreamedMessage};
