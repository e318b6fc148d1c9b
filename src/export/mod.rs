//! Outlets to the outside of the process.
//!
//! Owns: what happens between a finished request body and its receiver's answer.
//! Never: runs on the application's threads, or decides what a record says.

#[cfg(feature = "otlp")]
pub mod otlp;
