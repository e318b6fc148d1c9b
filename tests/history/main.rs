//! What history promises: the same answers from every store, nothing lost without being said, no file harmed.

#![allow(clippy::unwrap_used)] // clippy.toml allows it in tests, but not in their helper functions.

mod bad_files;
mod equal;
mod erasing;
mod events;
mod file;
mod paging;
mod processes;
mod questions;
mod seed;
#[path = "../support/mod.rs"]
mod support;
mod views;
