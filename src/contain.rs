//! Other people's code, whose panics end where it is called.
//!
//! Promise: a panic ends one call, and so does one from dropping what it panicked with.
//! Never: looks into what it panicked with.

use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs user code; `None` if it panicked. Its panic ends here, and so does one from dropping the panic's payload.
pub(crate) fn contain<T>(code: impl FnOnce() -> T) -> Option<T> {
    match catch_unwind(AssertUnwindSafe(code)) {
        Ok(value) => Some(value),
        Err(payload) => {
            if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
                mem::forget(again);
            }
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::panic_any(Bomb);
        }
    }

    #[test]
    fn a_panic_ends_here_whatever_it_panics_with() {
        assert_eq!(contain(|| 7), Some(7));
        assert_eq!(contain(|| -> u8 { panic!("usual") }), None);
        assert_eq!(contain(|| -> u8 { std::panic::panic_any(Bomb) }), None);
    }
}
