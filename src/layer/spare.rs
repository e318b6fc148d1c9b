//! Records that wait to be used again: starts and moments travel in them.
//!
//! Promise: in a steady state a start allocates nothing on the application's thread, and frees nothing there that another
//! thread allocated, which is what makes an allocator wait.
//! Never: keeps more than its bounds.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::record::Record;

/// Threads share these by turns; more threads than shards meet now and then, and that is all.
const SHARDS: usize = 8;
/// Records kept for all threads together, each a kilobyte once used: a burst of half as many spans is served from it.
const KEPT: usize = 1024;

/// Records in boxes, because they move on as they are: a record is large, and its box goes through the queue.
pub(crate) type Records = Vec<Box<Record>>;

#[derive(Debug, Default)]
#[repr(align(64))]
struct Shard(Mutex<Records>);

#[derive(Debug, Default)]
pub(crate) struct Spare {
    shards: [Shard; SHARDS],
    /// What the telemetry thread is done with. A thread that runs out takes all of it.
    returned: Shard,
}

thread_local! {
    static SHARD: usize = {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        NEXT.fetch_add(1, Ordering::Relaxed) % SHARDS
    };
}

impl Shard {
    fn lock(&self) -> MutexGuard<'_, Records> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Spare {
    /// An empty record.
    pub(crate) fn take(&self) -> Box<Record> {
        let shard = SHARD.try_with(|shard| *shard).unwrap_or(0);
        let mut mine = self.shards[shard % SHARDS].lock();
        if mine.is_empty() {
            std::mem::swap(&mut *mine, &mut *self.returned.lock());
        }
        mine.pop().unwrap_or_default()
    }

    /// Takes back records that have been cleared.
    pub(crate) fn give(&self, records: &mut Records) {
        if records.is_empty() {
            return;
        }
        let mut returned = self.returned.lock();
        let room = KEPT.saturating_sub(returned.len());
        let excess = records.split_off(records.len().min(room));
        returned.append(records);
        drop(returned);
        drop(excess);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_given_back_is_used_again_and_no_more_is_kept_than_may_be() {
        let spare = Spare::default();
        let mut first = vec![spare.take()];
        let place = std::ptr::from_ref(&*first[0]);
        spare.give(&mut first);
        assert_eq!(std::ptr::from_ref(&*spare.take()), place);
        let mut many = (0..2 * KEPT).map(|_| Box::default()).collect();
        spare.give(&mut many);
        assert!(many.is_empty());
        assert_eq!(spare.returned.lock().len(), KEPT);
    }
}
