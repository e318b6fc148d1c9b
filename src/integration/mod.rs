//! Meeting what is around us: requests and messages of other processes.

#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "mcp")]
pub mod mcp;
pub mod propagation;
