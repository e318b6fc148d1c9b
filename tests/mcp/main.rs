//! MCP over `rmcp`: real clients and servers, over pipes in one process, over the standard streams of two, and over HTTP.
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]
#![allow(
    clippy::print_stdout,
    reason = "a server on standard output says when it begins"
)]

#[path = "../support/mod.rs"]
mod support;

mod blocked;
mod calls;
mod content;
mod ends;
mod hostile;
mod http;
mod library;
mod parents;
mod processes;
mod sessions;
mod tool_span;
mod tree;
