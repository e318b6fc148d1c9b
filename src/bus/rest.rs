//! Not falling asleep at once.
//!
//! Whoever puts something in front of a sleeper pays a system call, a microsecond or two, to wake it. In a burst the next
//! event is there before that; so who finds nothing gives others the processor a few times first, and sleeps then.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    thread,
};

/// How often, a microsecond or two in all on an idle machine. A million events to a blocking reader cost the process 0.1 µs of
/// CPU each this way and 1 µs without, to two handlers at once 0.4 µs and 2.6 µs; with 2 those two handlers are back at 1 µs,
/// and 16 gains nothing (`benches/bus.rs`).
const TIMES: usize = 8;

/// Gives others the processor until `there_is_something`, a few times.
pub(super) fn before_sleep<'m, T>(
    mutex: &'m Mutex<T>,
    mut guard: MutexGuard<'m, T>,
    there_is_something: impl Fn(&T) -> bool,
) -> MutexGuard<'m, T> {
    for _ in 0..TIMES {
        if there_is_something(&guard) {
            break;
        }
        drop(guard);
        thread::yield_now();
        guard = mutex.lock().unwrap_or_else(PoisonError::into_inner);
    }
    guard
}
