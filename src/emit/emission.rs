//! The emission sequence: each thread numbers the events it emits, from 1.
//!
//! Events carry their number as [`seq`](crate::event::EventData::seq). The functions here are for programs that number
//! something of their own in the same sequence, and for tests that start from a known number.
//!
//! ```
//! use tracing_genai::emission;
//!
//! emission::reset();
//! assert_eq!(emission::next(), 1);
//! assert_eq!(emission::next(), 2);
//! assert_eq!(emission::current(), 2);
//! emission::set(41);
//! assert_eq!(emission::next(), 42);
//! ```

use crate::layer::entered;

/// Takes the next number of this thread.
pub fn next() -> u64 {
    entered::next_sequence()
}

/// The last number taken on this thread; 0 before the first.
pub fn current() -> u64 {
    entered::sequence()
}

/// Starts over: the next number is 1.
pub fn reset() {
    set(0);
}

/// Makes `last` the last number taken: the next is one more.
pub fn set(last: u64) {
    entered::set_sequence(last);
}
