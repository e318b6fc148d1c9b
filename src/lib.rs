//! x
pub mod bus;
pub mod event;
