//! What several test files share.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "every test file uses a part of it"
)]
#![allow(missing_debug_implementations, missing_docs, reason = "nobody's API")]
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

#[cfg(feature = "otlp")]
pub mod books;
pub mod catalogue;
#[cfg(feature = "otlp")]
pub mod certificates;
#[cfg(feature = "otlp")]
pub mod collector;
pub mod ends;
pub mod waiting;
