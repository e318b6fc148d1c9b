//! Meeting what is around us: requests and messages of other processes.

#[cfg(feature = "http")]
pub mod http;
pub mod propagation;
