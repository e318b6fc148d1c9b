//! The HTTP tap: calls of model APIs, read as their bytes pass.
//!
//! Owns the way of one call from the request to the last byte of the answer, and adapters for `tower`, `reqwest` and
//! `reqwest-middleware` over it. What the bytes mean, [`provider`](crate::provider) knows.
//! Promise: the caller's bytes are forwarded as they are, when they are, frame by frame, trailers included; memory is bounded
//! ([`Reader::LIMIT`](crate::provider::Reader::LIMIT)) however long the answer; what cannot be read is left out and said.
//! Never: keeps a header, a query string or a key; sends, retries or waits; holds an entered span over an `.await`; ends a
//! span it did not start.
//!
//! # Use
//!
//! ```no_run
//! # #[cfg(feature = "reqwest")]
//! # async fn example() -> Result<(), reqwest::Error> {
//! use tracing_genai::tap::{RequestBuilderExt as _, Tap};
//!
//! let (client, tap) = (reqwest::Client::new(), Tap::new());
//! let answer = client
//!     .post("https://api.openai.com/v1/chat/completions")
//!     .body(r#"{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Paris in May?"}]}"#)
//!     .send_tapped(&tap) // instead of `.send()`
//!     .await?;
//! # Ok(()) }
//! ```
//!
//! | You have | You use |
//! | --- | --- |
//! | a `reqwest::Client` | `send_tapped` in place of `send`, or `Tap::send` |
//! | `reqwest-middleware` | `ClientBuilder::new(client).with(Tap::new())` |
//! | a `tower` stack over `http` 1 requests (hyper, axum) or over `reqwest` requests | [`TapLayer`] |
//! | `async-openai` | `with_http_service(service_fn(move \|request\| { … tap.send(&client, request.build().await?).await … }))` |
//! | anything else | [`Tap::request`] and [`Exchange`], which know bytes and `http` types only |
//!
//! # Which span
//!
//! The tap looks from the span that is current when the call is made outwards. An open model call it finds (one of
//! [`chat`](crate::chat) and its siblings, a client library's, an `#[instrument]`ed function's) is the span of the call, and
//! gets what it lacks: model, response id, finish reasons, usage, time to the first chunk, error. An agent, a tool or a
//! workflow in between ends the search: the call is a new one, and gets a span of its own below the current span. Embeddings
//! asked for inside a chat are a call of their own too.
//!
//! A request is read by one tap: a second one further in does nothing. So the place of the tap decides what a call is: above a
//! layer that retries, one span for the whole, which knows the answer that came back; below it, a span for each attempt. Where
//! the attempts are part of an open call, it gets the usage of all of them, the outcome of the last, and
//! `http.request.resend_count`.
//!
//! # What is recorded
//!
//! What the provider said wins over what a client library recorded of it, and `genai.usage.source` says that the counts are
//! from the `wire`; from the `wire_partial` if the answer broke off; an `estimate`, where
//! [that is on](crate::TelemetryBuilder::estimate_tokens); or `unknown`. Messages are recorded where
//! [content](crate::TelemetryBuilder::capture) is on.
//!
//! | What happens | How the span ends, if it is the tap's own |
//! | --- | --- |
//! | the answer comes to its end | completed |
//! | HTTP status 400 or above, an error in the answer | failed: `error.type` is the provider's word, else the status; `http.response.status_code` |
//! | the connection fails or breaks | failed: `error.type` is the kind of the error |
//! | the caller drops the request or the answer half-way | canceled, with what was known until then, `genai.interrupted` |
//! | the caller drops the answer after the provider said that it is whole (`[DONE]`, `message_stop`) | completed |
//!
//! A body that is compressed (`content-encoding`) passes unread, and `genai.tap.unread` says so; `reqwest` decompresses
//! before the tap sees it. A request body is read if it lies in memory ([`RequestBody`]); a streamed one is not.
//!
//! Without a [`Telemetry`](crate::Telemetry) on the thread's subscriber everything passes and nothing is done.

mod body;
mod exchange;
#[cfg(feature = "reqwest-middleware")]
mod middleware;
mod peek;
#[cfg(feature = "reqwest")]
mod reqwest;
mod sending;
mod service;
mod tap;

pub use body::TapBody;
pub use exchange::Exchange;
pub use peek::RequestBody;
#[cfg(feature = "reqwest")]
pub use reqwest::RequestBuilderExt;
pub use service::{TapFuture, TapLayer, TapService};
pub use tap::Tap;
