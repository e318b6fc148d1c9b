//! The bounded queue between the application's threads and the telemetry thread.
//!
//! Promise: `push` never blocks beyond a short lock and refuses what exceeds the limits on records or bytes, both counted
//! until the telemetry thread is done with a record, not only until it has taken it. What is pushed before a flush is
//! seen by that flush.
//! Never: touches the network, the disk or a user's callback; wakes the consumer for every record.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::event::EventData;
use crate::layer::state::SpanState;
use crate::record::Record;
use crate::stats::Loss;

/// What travels.
#[derive(Debug)]
pub(crate) enum Item {
    /// A span that ended, with its record inside.
    Ended(Arc<SpanState>),
    /// A span that started, or a moment.
    Other(Box<Record>),
    /// An event of another system.
    Foreign(Box<EventData>),
}

impl Item {
    pub(crate) fn bytes(&self) -> usize {
        match self {
            Self::Ended(state) => state.lock().record.bytes(),
            Self::Other(record) => record.bytes(),
            Self::Foreign(data) => data.bytes(),
        }
    }
}

/// So many records wake the consumer even if it is resting between two rounds: at a burst's pace of two million records
/// a second the resting time would let a queue of 65,536 fill up. Half of it costs wake-ups, double costs headroom.
const URGENT: usize = 1024;

#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    done: Done,
    max_records: usize,
    max_bytes: usize,
    closed: AtomicBool,
    /// The consumer waits for the next record, whenever it comes.
    idle: AtomicBool,
    wake: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    items: Vec<(Item, usize)>,
    /// What was taken in since the start, and how much of it was known to be done when a limit was last in the way.
    records: usize,
    bytes: usize,
    records_done: usize,
    bytes_done: usize,
}

/// What the consumer is done with since the start. On a cache line of its own: the consumer writes it for every record,
/// producers read it only when a limit is in the way.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Done {
    records: AtomicUsize,
    bytes: AtomicUsize,
}

impl Queue {
    pub(crate) fn new(max_records: usize, max_bytes: usize) -> Self {
        Self {
            waiting: Mutex::default(),
            done: Done::default(),
            max_records,
            max_bytes,
            closed: AtomicBool::new(false),
            idle: AtomicBool::new(false),
            wake: Notify::new(),
        }
    }

    /// Takes the item, or gives it back with the reason.
    pub(crate) fn push(&self, item: Item, bytes: usize) -> Result<(), (Loss, Item)> {
        if self.closed.load(Ordering::Acquire) {
            return Err((Loss::AfterShutdown, item));
        }
        let waiting = {
            let mut waiting = self.lock();
            if let Some(why) = self.refusal(&mut waiting, bytes) {
                return Err((why, item));
            }
            waiting.records += 1;
            waiting.bytes += bytes;
            waiting.items.push((item, bytes));
            waiting.items.len()
        };
        if waiting % URGENT == 0
            || (self.idle.load(Ordering::Acquire) && self.idle.swap(false, Ordering::AcqRel))
        {
            self.wake.notify_one();
        }
        Ok(())
    }

    /// Which limit is in the way of one more record of this size.
    fn refusal(&self, waiting: &mut Waiting, bytes: usize) -> Option<Loss> {
        let exceeded = |waiting: &Waiting| {
            if waiting.records - waiting.records_done >= self.max_records {
                Some(Loss::QueueFull)
            } else if waiting.bytes - waiting.bytes_done + bytes > self.max_bytes {
                Some(Loss::QueueBytes)
            } else {
                None
            }
        };
        exceeded(waiting)?;
        waiting.records_done = self.done.records.load(Ordering::Acquire);
        waiting.bytes_done = self.done.bytes.load(Ordering::Acquire);
        exceeded(waiting)
    }

    /// Exchanges what waits for an empty vector.
    pub(crate) fn take(&self, into: &mut Vec<(Item, usize)>) {
        std::mem::swap(&mut self.lock().items, into);
    }

    /// The consumer is done with records it took.
    pub(crate) fn done(&self, records: usize, bytes: usize) {
        self.done.records.fetch_add(records, Ordering::AcqRel);
        self.done.bytes.fetch_add(bytes, Ordering::AcqRel);
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that the consumer will wait for the next record; false if there is one already.
    pub(crate) fn rest(&self) -> bool {
        self.idle.store(true, Ordering::Release);
        let empty = self.lock().items.is_empty();
        if !empty {
            self.idle.store(false, Ordering::Release);
        }
        empty
    }

    /// Resolves when the consumer should look: something came while it rested, much came, or it was called.
    pub(crate) async fn woken(&self) {
        self.wake.notified().await;
    }

    pub(crate) fn call(&self) {
        self.wake.notify_one();
    }

    /// From now on everything is refused.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
    }
}

/// What the exporter tells about the queue.
#[cfg(any(test, feature = "otlp"))]
impl Queue {
    /// Records waiting or being worked on.
    pub(crate) fn len(&self) -> usize {
        self.lock().records - self.done.records.load(Ordering::Acquire)
    }

    pub(crate) fn max_records(&self) -> usize {
        self.max_records
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> Item {
        Item::Other(Box::default())
    }

    #[test]
    fn the_limits_count_what_was_taken_and_is_not_done() {
        let queue = Queue::new(2, 1000);
        assert!(queue.push(item(), 10).is_ok());
        assert!(queue.push(item(), 10).is_ok());
        assert!(matches!(queue.push(item(), 10), Err((Loss::QueueFull, _))));
        let mut taken = Vec::new();
        queue.take(&mut taken);
        assert_eq!(taken.len(), 2);
        assert!(matches!(queue.push(item(), 10), Err((Loss::QueueFull, _))));
        queue.done(2, 20);
        assert!(matches!(
            queue.push(item(), 1001),
            Err((Loss::QueueBytes, _))
        ));
        assert!(queue.push(item(), 1000).is_ok());
        assert_eq!(queue.len(), 1);
        assert!(matches!(queue.push(item(), 1), Err((Loss::QueueBytes, _))));
        queue.close();
        assert!(matches!(
            queue.push(item(), 1),
            Err((Loss::AfterShutdown, _))
        ));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_resting_consumer_is_woken_once_by_the_first_record() {
        let queue = Queue::new(100, 1000);
        assert!(queue.rest());
        assert!(queue.push(item(), 1).is_ok());
        queue.woken().await;
        assert!(!queue.rest());
        assert!(queue.push(item(), 1).is_ok());
        let again = tokio::time::timeout(std::time::Duration::from_millis(20), queue.woken()).await;
        assert!(
            again.is_err(),
            "a busy consumer is not woken for every record"
        );
    }
}
