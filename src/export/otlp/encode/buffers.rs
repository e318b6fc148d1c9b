//! The memory of requests, used again when they have been sent.
//!
//! Fresh memory costs the system a quarter of what encoding into it costs us, so a buffer comes home when the last holder
//! of its request lets go.
//! Promise: a request that waits takes at most twice the memory its length says; one buffer is kept at home, and none that
//! a giant made large.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;

#[derive(Debug)]
pub(crate) struct Buffers {
    home: Arc<Home>,
    keep_bytes: usize,
}

/// The buffer that nobody uses, if there is one.
type Home = Mutex<Vec<u8>>;

/// A buffer that is being sent.
struct Lent {
    buffer: Vec<u8>,
    from: usize,
    home: Weak<Home>,
}

impl Buffers {
    /// Buffers of requests of at most `max_bytes`.
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self {
            home: Arc::default(),
            // They grow by doubling.
            keep_bytes: max_bytes.saturating_mul(2),
        }
    }

    /// Makes what lies in `buffer` from `from` on ready for sending, and leaves an empty buffer.
    pub(crate) fn send(&self, buffer: &mut Vec<u8>, from: usize) -> Bytes {
        let keep = buffer.capacity() <= self.keep_bytes;
        if buffer.len() < buffer.capacity() / 2 {
            // It would take more memory than is counted for it.
            let sent = Bytes::copy_from_slice(buffer.get(from..).unwrap_or_default());
            buffer.clear();
            if !keep {
                *buffer = Vec::new();
            }
            return sent;
        }
        let home = if keep {
            Arc::downgrade(&self.home)
        } else {
            Weak::new()
        };
        let next = std::mem::take(&mut *at(&self.home));
        let buffer = std::mem::replace(buffer, next);
        Bytes::from_owner(Lent { buffer, from, home })
    }
}

impl AsRef<[u8]> for Lent {
    fn as_ref(&self) -> &[u8] {
        self.buffer.get(self.from..).unwrap_or_default()
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        let Some(home) = self.home.upgrade() else {
            return;
        };
        let mut home = at(&home);
        if home.capacity() < self.buffer.capacity() {
            *home = std::mem::take(&mut self.buffer);
            home.clear();
        }
    }
}

fn at(home: &Home) -> MutexGuard<'_, Vec<u8>> {
    home.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LARGE: usize = 1000;

    /// Sends `len` bytes of `fill`, the first of them unused.
    fn send(buffers: &Buffers, buffer: &mut Vec<u8>, fill: u8, len: usize) -> Bytes {
        assert!(buffer.is_empty());
        buffer.resize(len, fill);
        buffers.send(buffer, 1)
    }

    #[test]
    fn memory_is_used_again_when_the_last_holder_lets_go_and_not_before() {
        let (buffers, mut buffer) = (Buffers::new(LARGE), Vec::new());
        let first = send(&buffers, &mut buffer, 1, LARGE);
        let second = send(&buffers, &mut buffer, 2, LARGE);
        assert_eq!(buffer.capacity(), 0, "both are held");
        let held = first.clone();
        drop(first);
        assert_eq!(at(&buffers.home).capacity(), 0, "a clone is held");
        assert!(held.iter().all(|byte| *byte == 1) && held.len() == LARGE - 1);
        drop(held);
        let third = send(&buffers, &mut buffer, 3, LARGE);
        assert!(buffer.capacity() >= LARGE && buffer.is_empty());
        assert!(second.iter().all(|byte| *byte == 2) && third.iter().all(|byte| *byte == 3));
    }

    #[test]
    fn a_small_request_does_not_hold_a_large_buffer() {
        let (buffers, mut buffer) = (Buffers::new(LARGE), Vec::with_capacity(LARGE));
        let sent = send(&buffers, &mut buffer, 1, 10);
        assert_eq!(sent, [1; 9].as_slice());
        assert_eq!(buffer.capacity(), LARGE);
    }

    #[test]
    fn a_giants_buffer_is_given_back() {
        let (buffers, mut buffer) = (Buffers::new(LARGE), Vec::new());
        drop(send(&buffers, &mut buffer, 1, 10 * LARGE));
        assert_eq!(at(&buffers.home).capacity(), 0);
        buffer.reserve(10 * LARGE);
        drop(send(&buffers, &mut buffer, 1, 10));
        assert_eq!(buffer.capacity(), 0);
    }

    #[test]
    fn a_request_may_outlive_where_it_came_from() {
        let (buffers, mut buffer) = (Buffers::new(LARGE), Vec::new());
        let sent = send(&buffers, &mut buffer, 7, LARGE);
        drop(buffers);
        assert_eq!(sent.len(), LARGE - 1);
    }
}
