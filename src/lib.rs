//! x
pub mod enrich;
pub mod event;
