//! A page of this process's own: runs, their waterfalls, tokens, cost and messages, live in a browser.
//!
//! For the first five minutes, and for everybody who debugs an agent on their own machine: no collector, no database, nothing to
//! install. What is shown is what is exported: the same names, numbers and attributes, after enrichment and redaction; content only
//! where it is [captured](crate::content).
//!
//! ```no_run
//! use tracing_genai::Telemetry;
//!
//! let telemetry = Telemetry::builder("trip-planner").viewer("127.0.0.1:4777").build()?;
//! telemetry.install()?;
//! if let Some(viewer) = telemetry.viewer() {
//!     println!("{}", viewer.url()); // http://127.0.0.1:4777/
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Who can look
//!
//! The page is served on a loopback address, to requests that name one: a page of somebody else's that points its own name to
//! this machine is refused, and so is every request that a browser makes for another site. Other users of the machine can look;
//! [`Viewer::token`] keeps them out. An address that is no loopback is an error of `build()` unless
//! [`Viewer::beyond_loopback`] asks for it, and then nobody looks without a token. The transport is plain HTTP: across a network, put
//! it behind something that speaks TLS.
//!
//! # What it costs
//!
//! No work is done on the application's threads; in a burst they share the processor with what is. The telemetry thread copies each
//! record once more and looks for spans that are open four times a second; a thread of the viewer's own does the rest. The last 20,000
//! spans are kept, in 64 MiB at most
//! ([`Viewer::spans`], [`Viewer::bytes`]); whole runs make room, the one that was quiet for longest first. How many is on the page.
//!
//! # The page's API
//!
//! `GET /api/live` (server-sent events), `/api/runs/{trace}`, `/api/runs/{trace}/{span}` and `/api/search?q=` answer with JSON and are
//! there for the page; they may change with any version. What the page could not be told is in [`Report::viewer`](crate::Report::viewer).
//!
//! Owns: the queue from the telemetry thread, what the page knows of runs, the server and its assets.
//! Promise: a slow, absent or hostile client costs the application nothing and other clients nothing; what a client is sent is state
//! and not a log, so that one that comes back after an hour is right again with its first message.
//! Never: lets foreign text be anything but text; listens beyond loopback unasked; writes anything.

mod assets;
mod connection;
mod detail;
mod facts;
mod feed;
mod guard;
mod live;
mod model;
mod options;
mod rows;
mod serve;
mod thread;
mod totals;

pub(crate) use feed::Feed;
pub use options::{Viewer, ViewerError};
pub use thread::ViewerHandle;
pub(crate) use thread::{Subject, start};
