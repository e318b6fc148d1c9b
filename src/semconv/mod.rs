//! Every name of the GenAI conventions this crate speaks, as constants.
//!
//! Owns the spelling of attributes, metrics, events and well-known values, the advised histogram
//! buckets, and two tables ([`METRICS`], [`SPANS`]) that say what belongs together.
//! Promise: a constant is its name in capitals with `_` for `.`, and every one of them is checked
//! against the conventions as of [`SEMCONV_COMMIT`].
//! Never: a name that is only proposed upstream, or logic beyond looking up a row.
//!
//! The conventions are experimental and have no release, so names can move between versions of
//! this crate. Older names that other software still uses keep their constants, marked as such.
//!
//! ```
//! use tracing_genai::semconv::{self, operation};
//!
//! assert_eq!(semconv::GEN_AI_OPERATION_NAME, "gen_ai.operation.name");
//! assert_eq!(operation::EXECUTE_TOOL, "execute_tool");
//! ```

mod attribute;
mod borrowed;
mod event;
mod metric;
mod metric_spec;
mod ours;
mod span_spec;
mod taxonomy;
mod value;

pub use attribute::*;
pub use borrowed::*;
pub use event::*;
pub use metric::*;
pub use metric_spec::*;
pub use ours::*;
pub use span_spec::*;
pub use taxonomy::*;
pub use value::*;

/// Commit of `open-telemetry/semantic-conventions-genai` the names follow.
///
/// Upstream changes merged soon after it are taken in as well: the `gen_ai.client.inference.*`
/// metrics, `cache_write` for `cache_creation`, token counts by modality, and skills.
pub const SEMCONV_COMMIT: &str = "fe5608e249d64bc5961329a82f8915fe95ced51a";
