//! Meeting what is around us: requests and messages of other processes.

pub mod propagation;
