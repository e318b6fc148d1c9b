//! Security: what may leave the process, and in what shape.

pub mod redact;
