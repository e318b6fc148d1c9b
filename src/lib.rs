//! x

#[cfg_attr(not(feature = "otlp"), allow(dead_code, unreachable_pub))]
mod diagnostics;
pub mod export;
