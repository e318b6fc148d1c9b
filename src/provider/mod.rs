//! Reading what model providers are asked and what they answer.
//!
//! An [`Endpoint`] is what a request goes to: the shape of the API by the path, the provider by the host. It reads the request
//! ([`Endpoint::request`]), a whole answer ([`Endpoint::answer`]) and a streamed one as its bytes arrive
//! ([`Endpoint::reader`]), into attributes of the conventions.
//!
//! ```
//! use tracing_genai::provider::Endpoint;
//!
//! let endpoint = Endpoint::of_url("https://api.anthropic.com/v1/messages").unwrap();
//! let mut reader = endpoint.reader(Some("text/event-stream"), false);
//! reader.push(b"data: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"end_turn\"},\"usage\":{\"out");
//! reader.push(b"put_tokens\":35}}\n\n");
//! assert_eq!(reader.answer().usage.output_tokens, Some(35));
//! ```
//!
//! Promise: what is not there is not made up, counts that make no sense are left out and counted, and no bytes make it fail.
//! Never: sends, waits, prices, or keeps more of a stream than [`Reader::LIMIT`] bytes.

mod answer;
pub(crate) mod content;
mod draft;
mod endpoint;
mod error;
pub(crate) mod fold;
mod framing;
pub(crate) mod guess;
mod likeness;
mod parameters;
mod reader;
mod shape;
mod skim;
mod text;

pub use answer::{Answer, ProviderError, Request, ToolCall};
pub use endpoint::{Api, Endpoint};
pub use reader::{Progress, Reader};
pub use text::TextSize;
