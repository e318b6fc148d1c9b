//! Meeting what is around us: requests and messages of other processes.

#[cfg(feature = "mcp")]
pub mod mcp;
pub mod propagation;
