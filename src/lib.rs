//! x

pub mod semconv;
