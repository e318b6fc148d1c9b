//! What the bus promises, a file a topic.

#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]
#![allow(
    dead_code,
    unreachable_pub,
    reason = "tests use a part of the shared vocabulary"
)]

mod awaited;
mod concurrency;
mod dependencies;
mod ending;
mod filters;
mod handlers;
mod listeners;
mod order;
mod overflow;
mod reentry;
mod replay;
mod scopes;
mod subscriptions;
mod support;
mod taps;
#[path = "../support/waiting.rs"]
mod waiting;
