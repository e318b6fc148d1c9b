//! Emitting: by name, by builder, by macro, from spans; what set what off; in which order. A file a topic.
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod causality;
mod log_event;
mod moments;
mod spans;
#[path = "../support/mod.rs"]
mod support;
mod vocabulary;
