//! The batches of one signal that wait to be sent, and the account of all that ever did.
//!
//! Promise: holds at most its limit in bytes, drops the newest beyond it, and keeps
//! `accepted = delivered + rejected + Σ dropped + pending` true after every call. Never: waits, sends,
//! or speaks.

use std::collections::VecDeque;

use bytes::Bytes;

use super::counts::OtlpCounts;

/// What a request may have before compression, as the specification limits it.
const MAX_BODY: usize = 64 * 1024 * 1024;

/// What a waiting batch costs beside its body. Without it, very many very small batches would hold far
/// more memory than the limit says.
const OVERHEAD: usize = 128;

/// One encoded export request.
#[derive(Debug, Clone)]
pub struct Batch {
    /// The protobuf bytes of the request, uncompressed and unframed.
    pub body: Bytes,
    /// The spans, log records or metric data points in it.
    pub records: u32,
}

/// What became of a batch that was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    Queued,
    /// There is nothing in it; nothing is sent or counted.
    Empty,
    Full,
    TooLarge,
    Refused,
    Closed,
}

/// How the oldest batch ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Delivered { rejected: u64 },
    TooLarge,
    Permanent,
    Exhausted,
}

#[derive(Debug)]
pub(crate) struct Outbox {
    queue: VecDeque<Batch>,
    bytes: usize,
    max_bytes: usize,
    counts: OtlpCounts,
    closed: bool,
    refused: bool,
    /// Batches ever queued, and ever settled in whatever way: they leave in the order they came.
    queued: u64,
    settled: u64,
}

impl Outbox {
    pub(crate) fn new(max_bytes: usize) -> Outbox {
        Outbox {
            queue: VecDeque::new(),
            bytes: 0,
            max_bytes,
            counts: OtlpCounts::default(),
            closed: false,
            refused: false,
            queued: 0,
            settled: 0,
        }
    }

    pub(crate) fn push(&mut self, batch: Batch) -> Admission {
        let records = u64::from(batch.records);
        if records == 0 || batch.body.is_empty() {
            return Admission::Empty;
        }
        let size = batch.body.len().saturating_add(OVERHEAD);
        self.counts.accepted += records;
        if self.closed {
            self.counts.after_shutdown += records;
            return Admission::Closed;
        }
        if self.refused {
            self.counts.refused_signal += records;
            return Admission::Refused;
        }
        if batch.body.len() > MAX_BODY {
            self.counts.too_large += records;
            return Admission::TooLarge;
        }
        if self.bytes.saturating_add(size) > self.max_bytes {
            self.counts.queue_bytes += records;
            return Admission::Full;
        }
        self.bytes += size;
        self.counts.pending += records;
        self.queued += 1;
        self.queue.push_back(batch);
        Admission::Queued
    }

    /// The oldest batch. It stays here, and pending, while it is under way.
    pub(crate) fn front(&self) -> Option<&Batch> {
        self.queue.front()
    }

    /// Ends the oldest batch and returns its records. Nothing happens if there is none, as when shutdown
    /// counted it while it was under way.
    pub(crate) fn settle(&mut self, outcome: Outcome) -> u64 {
        let Some(records) = self.pop() else { return 0 };
        match outcome {
            Outcome::Delivered { rejected } => {
                // A receiver may count otherwise than we do; it cannot reject more than it was sent.
                let rejected = rejected.min(records);
                self.counts.rejected += rejected;
                self.counts.delivered += records - rejected;
            }
            Outcome::TooLarge => self.counts.too_large += records,
            Outcome::Permanent => self.counts.http_permanent += records,
            Outcome::Exhausted => self.counts.retry_exhausted += records,
        }
        records
    }

    /// The receiver does not take this signal: everything waiting and to come is counted as that.
    pub(crate) fn refuse(&mut self) {
        self.refused = true;
        while let Some(records) = self.pop() {
            self.counts.refused_signal += records;
        }
    }

    /// Takes nothing more.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// Takes nothing more, and counts everything waiting as not sent in time. Returns its records.
    pub(crate) fn abandon(&mut self) -> u64 {
        self.close();
        let mut left = 0;
        while let Some(records) = self.pop() {
            left += records;
        }
        self.counts.shutdown_timeout += left;
        left
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(crate) fn counts(&self) -> OtlpCounts {
        self.counts
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The number a drain waits for: settled has reached it when all that is here now has left.
    pub(crate) fn queued(&self) -> u64 {
        self.queued
    }

    pub(crate) fn settled(&self) -> u64 {
        self.settled
    }

    fn pop(&mut self) -> Option<u64> {
        let batch = self.queue.pop_front()?;
        let records = u64::from(batch.records);
        self.bytes -= batch.body.len() + OVERHEAD;
        self.counts.pending -= records;
        self.settled += 1;
        Some(records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn batch(bytes: usize, records: u32) -> Batch {
        Batch {
            body: vec![0; bytes].into(),
            records,
        }
    }

    #[test]
    fn beyond_the_limit_the_newest_is_dropped_and_counted() {
        let mut outbox = Outbox::new(3 * (100 + OVERHEAD));
        for _ in 0..3 {
            assert_eq!(outbox.push(batch(100, 10)), Admission::Queued);
        }
        assert_eq!(outbox.push(batch(1, 7)), Admission::Full);
        assert_eq!(outbox.settle(Outcome::Delivered { rejected: 0 }), 10);
        assert_eq!(outbox.push(batch(100, 10)), Admission::Queued);
        let counts = outbox.counts();
        assert_eq!(
            (counts.pending, counts.queue_bytes, counts.delivered),
            (30, 7, 10)
        );
        assert!(counts.is_balanced());
    }

    #[test]
    fn an_empty_batch_is_neither_sent_nor_counted() {
        let mut outbox = Outbox::new(usize::MAX);
        assert_eq!(outbox.push(batch(0, 5)), Admission::Empty);
        assert_eq!(outbox.push(batch(5, 0)), Admission::Empty);
        assert_eq!(outbox.counts(), OtlpCounts::default());
    }

    #[test]
    fn a_body_above_64_mib_is_too_large_however_much_room_there_is() {
        let mut outbox = Outbox::new(usize::MAX);
        assert_eq!(outbox.push(batch(MAX_BODY + 1, 5)), Admission::TooLarge);
        assert_eq!(outbox.counts().too_large, 5);
    }

    #[test]
    fn no_more_is_rejected_than_was_sent() {
        let mut outbox = Outbox::new(usize::MAX);
        outbox.push(batch(1, 5));
        outbox.settle(Outcome::Delivered { rejected: u64::MAX });
        assert_eq!(
            (outbox.counts().rejected, outbox.counts().delivered),
            (5, 0)
        );
    }

    #[derive(Debug, Clone)]
    enum Action {
        Push(usize, u32),
        Settle(Outcome),
        Refuse,
        Close,
        Abandon,
    }

    fn action() -> impl Strategy<Value = Action> {
        prop_oneof![
            20 => (0_usize..300, 0_u32..20).prop_map(|(bytes, records)| Action::Push(bytes, records)),
            5 => (0_u64..30).prop_map(|rejected| Action::Settle(Outcome::Delivered { rejected })),
            2 => Just(Action::Settle(Outcome::TooLarge)),
            2 => Just(Action::Settle(Outcome::Permanent)),
            2 => Just(Action::Settle(Outcome::Exhausted)),
            1 => Just(Action::Refuse),
            1 => Just(Action::Close),
            1 => Just(Action::Abandon),
        ]
    }

    proptest! {
        #[test]
        fn every_record_is_accounted_for_whatever_happens(
            actions in proptest::collection::vec(action(), 0..80)
        ) {
            let mut outbox = Outbox::new(2000);
            for action in actions {
                match action {
                    Action::Push(bytes, records) => drop(outbox.push(batch(bytes, records))),
                    Action::Settle(outcome) => drop(outbox.settle(outcome)),
                    Action::Refuse => outbox.refuse(),
                    Action::Close => outbox.close(),
                    Action::Abandon => drop(outbox.abandon()),
                }
                prop_assert!(outbox.counts().is_balanced());
                prop_assert!(outbox.bytes() <= 2000);
                let waiting: u64 = outbox.queue.iter().map(|batch| u64::from(batch.records)).sum();
                prop_assert_eq!(outbox.counts().pending, waiting);
                prop_assert_eq!(outbox.queued() - outbox.settled(), outbox.queue.len() as u64);
            }
        }
    }
}
