//! Reading what model providers are asked and what they answer.
//!
//! An [`Endpoint`] is what a request goes to: the shape of the API by the path, the provider by the host. It reads the request
//! ([`Endpoint::request`]), a whole answer ([`Endpoint::answer`]) and a streamed one as its bytes arrive
//! ([`Endpoint::reader`]), into attributes of the conventions.
//!
//! Promise: what is not there is not made up, counts that make no sense are left out and counted, and no bytes make it fail.
//! Never: sends, waits, prices, or keeps more of a stream than [`Reader::LIMIT`] bytes.

mod answer;
mod endpoint;
mod reader;

pub use answer::{Answer, ProviderError, Request, TextSize};
pub use endpoint::{Api, Endpoint};
pub use reader::{Progress, Reader};
