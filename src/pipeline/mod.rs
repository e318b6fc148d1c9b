//! From the queue to the outlets, on one thread of our own.

pub(crate) mod names;
pub(crate) mod queue;
