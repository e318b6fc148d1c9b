//! The event vocabulary. Only `Usage` lives here for now.

mod usage;

pub use usage::Usage;
