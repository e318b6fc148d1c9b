//! x

mod diagnostics;
pub mod export;
