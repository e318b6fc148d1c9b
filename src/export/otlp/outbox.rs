//! The batches of one signal that wait to be sent, and the account of all that ever did.
//!
//! Without a spool they wait in memory. With one they wait on disk, and in memory only while the disk does not take them: what
//! is on disk is always older than what is in memory, so they leave in the order they came.
//!
//! Promise: holds at most its limit in bytes, drops the newest beyond it (with a spool: the oldest, unless told otherwise), and
//! keeps `accepted = delivered + rejected + Σ dropped + pending` true after every call. Never: waits for a receiver, sends, or
//! speaks.

use std::collections::VecDeque;
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::counts::OtlpCounts;
use super::spool::{AppendError, DiskQueue};

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

impl Batch {
    fn cost(&self) -> usize {
        self.body.len().saturating_add(OVERHEAD)
    }
}

/// What became of a batch that was handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    Queued,
    /// It waits; these older records were dropped to make room for it on disk.
    QueuedInsteadOf(u64),
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

/// The batch under way.
#[derive(Debug)]
struct Out {
    batch: Batch,
    /// When it was written to the spool; `None` for one from memory.
    written: Option<SystemTime>,
}

/// Whether the disk holds what waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DiskState {
    /// There is no spool, or it takes what it is given.
    Fine,
    /// It does not, and memory holds what came since.
    Failing(std::io::ErrorKind),
}

#[derive(Debug)]
pub(crate) struct Outbox {
    /// All that waits, without a spool; with one, what the disk did not take.
    memory: VecDeque<Batch>,
    /// Of the batches in memory, the one under way included if it is from there.
    bytes: usize,
    max_bytes: usize,
    disk: Option<DiskQueue>,
    disk_state: DiskState,
    out: Option<Out>,
    counts: OtlpCounts,
    closed: bool,
    refused: bool,
    /// Records that ever waited here, and that ever left in whatever way: they leave in the order they came.
    queued: u64,
    settled: u64,
}

impl Outbox {
    pub(crate) fn new(max_bytes: usize, disk: Option<DiskQueue>) -> Outbox {
        let recovered = disk.as_ref().map_or(0, DiskQueue::recovered);
        let counts = OtlpCounts {
            accepted: recovered,
            pending: recovered,
            recovered,
            ..OtlpCounts::default()
        };
        Outbox {
            memory: VecDeque::new(),
            bytes: 0,
            max_bytes,
            disk,
            disk_state: DiskState::Fine,
            out: None,
            counts,
            closed: false,
            refused: false,
            queued: recovered,
            settled: 0,
        }
    }

    pub(crate) fn push(&mut self, batch: Batch) -> Admission {
        let records = u64::from(batch.records);
        if records == 0 || batch.body.is_empty() {
            return Admission::Empty;
        }
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
        self.counts.pending += records;
        self.queued += records;
        self.bytes = self.bytes.saturating_add(batch.cost());
        self.memory.push_back(batch);
        let (full_before, freed) = (self.counts.spool_full, self.spill());
        if self.bytes > self.max_bytes {
            // It is the newest: had the disk taken anything, it would have taken what was before it.
            if let Some(batch) = self.memory.pop_back() {
                self.bytes -= batch.cost();
                self.unqueue(batch.records);
                self.counts.queue_bytes += u64::from(batch.records);
            }
            return Admission::Full;
        }
        match freed {
            0 if self.counts.spool_full > full_before => Admission::Full,
            0 => Admission::Queued,
            freed => Admission::QueuedInsteadOf(freed),
        }
    }

    /// Moves what waits in memory to disk, as far as the disk takes it. Returns the records that made room for it.
    fn spill(&mut self) -> u64 {
        let mut freed = 0;
        while let (Some(disk), Some(batch)) = (&mut self.disk, self.memory.front()) {
            let records = batch.records;
            match disk.append(&batch.body, records) {
                Ok(gone) => {
                    freed += gone.records;
                    self.disk_state = DiskState::Fine;
                }
                Err(AppendError::Full) => {
                    self.unqueue(records);
                    self.counts.spool_full += u64::from(records);
                }
                Err(AppendError::TooLarge) => {
                    self.unqueue(records);
                    self.counts.too_large += u64::from(records);
                }
                Err(AppendError::Io(error)) => {
                    self.disk_state = DiskState::Failing(error.kind());
                    break;
                }
            }
            if let Some(batch) = self.memory.pop_front() {
                self.bytes -= batch.cost();
            }
        }
        self.leave(freed);
        self.counts.spool_full += freed;
        self.note_losses();
        freed
    }

    /// The oldest batch. It stays here, and pending, while it is under way. `None` where nothing waits, or the disk cannot be
    /// read at the moment.
    pub(crate) fn front(&mut self) -> Option<&Batch> {
        if self.out.is_none() {
            self.out = self.next();
        }
        self.out.as_ref().map(|out| &out.batch)
    }

    fn next(&mut self) -> Option<Out> {
        if let Some(disk) = &mut self.disk {
            let taken = disk.take();
            self.note_losses();
            if let Some(taken) = taken {
                let batch = Batch {
                    body: taken.body,
                    records: taken.records,
                };
                let written = Some(taken.written);
                return Some(Out { batch, written });
            }
        }
        // What is on disk is older. If it cannot be read now, what is in memory is not made to wait for it.
        let batch = self.memory.pop_front()?;
        Some(Out {
            batch,
            written: None,
        })
    }

    /// Whether something waits that [`front`](Self::front) could not give.
    pub(crate) fn is_stuck(&self) -> bool {
        self.out.is_none() && self.counts.pending > 0
    }

    /// Whether the batch under way has been tried for long enough: for `give_up_after` from its first try if it is in memory, for
    /// as long as the spool keeps batches if it is on disk.
    pub(crate) fn is_overdue(&self, tried_for: Duration, give_up_after: Duration) -> bool {
        match (&self.out, &self.disk) {
            (
                Some(Out {
                    written: Some(written),
                    ..
                }),
                Some(disk),
            ) => disk.is_expired(*written),
            _ => tried_for >= give_up_after,
        }
    }

    /// Ends the batch under way and returns its records. Nothing happens if there is none, as when shutdown
    /// counted it while it was under way.
    pub(crate) fn settle(&mut self, outcome: Outcome) -> u64 {
        let Some(out) = self.out.take() else { return 0 };
        let records = self.drop_out(&out);
        match outcome {
            Outcome::Delivered { rejected } => {
                // A receiver may count otherwise than we do; it cannot reject more than it was sent.
                let rejected = rejected.min(records);
                self.counts.rejected += rejected;
                self.counts.delivered += records - rejected;
            }
            Outcome::TooLarge => self.counts.too_large += records,
            Outcome::Permanent => self.counts.http_permanent += records,
            Outcome::Exhausted if out.written.is_some() => self.counts.spool_expired += records,
            Outcome::Exhausted => self.counts.retry_exhausted += records,
        }
        records
    }

    /// Of what was handed over, so much had been recorded by an earlier process.
    pub(crate) fn note_recovered(&mut self, records: u64) {
        self.counts.recovered += records;
    }

    fn drop_out(&mut self, out: &Out) -> u64 {
        let records = u64::from(out.batch.records);
        self.leave(records);
        match (out.written, &mut self.disk) {
            (Some(_), Some(disk)) => disk.ack(),
            _ => self.bytes -= out.batch.cost(),
        }
        self.note_losses();
        records
    }

    /// The receiver does not take this signal: everything waiting and to come is counted as that.
    pub(crate) fn refuse(&mut self) {
        self.refused = true;
        let mut refused = self.out.take().map_or(0, |out| self.drop_out(&out));
        if let Some(disk) = &mut self.disk {
            let purged = disk.purge();
            self.leave(purged);
            refused += purged;
        }
        refused += self.drop_memory();
        self.counts.refused_signal += refused;
    }

    fn drop_memory(&mut self) -> u64 {
        let records = self.memory.drain(..).map(|b| u64::from(b.records)).sum();
        self.bytes = 0;
        self.leave(records);
        records
    }

    /// Takes nothing more.
    pub(crate) fn close(&mut self) {
        self.closed = true;
    }

    /// Takes nothing more, and counts everything that waits in memory as not sent in time. Returns its records. What is on disk
    /// stays there, and pending; another process may have it from now on.
    pub(crate) fn abandon(&mut self) -> u64 {
        self.close();
        match self.out.take() {
            Some(out) if out.written.is_none() => self.memory.push_front(out.batch),
            Some(_) | None => {}
        }
        self.spill();
        if let Some(mut disk) = self.disk.take() {
            let gone = disk.put_back();
            self.leave(gone);
            self.counts.spool_full += gone;
            if let Err(error) = disk.sync() {
                self.disk_state = DiskState::Failing(error.kind());
            }
            self.counts.stored = disk.pending();
        }
        let left = self.drop_memory();
        self.counts.shutdown_timeout += left;
        left
    }

    /// Makes what is on disk survive a power failure as well.
    pub(crate) fn sync(&mut self) {
        if let Some(disk) = &mut self.disk
            && let Err(error) = disk.sync()
        {
            self.disk_state = DiskState::Failing(error.kind());
        }
    }

    /// Deletes what waits, but for the batch under way, and counts it as `purged`. Returns its records.
    pub(crate) fn purge(&mut self) -> u64 {
        let mut purged = 0;
        if let Some(disk) = &mut self.disk {
            purged = disk.purge();
            self.leave(purged);
        }
        purged += self.drop_memory_behind();
        self.counts.purged += purged;
        purged
    }

    /// Drops what waits in memory, keeping account of the batch under way if that is from memory too.
    fn drop_memory_behind(&mut self) -> u64 {
        let out = match &self.out {
            Some(out) if out.written.is_none() => out.batch.cost(),
            _ => 0,
        };
        let records = self.drop_memory();
        self.bytes = out;
        records
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed
    }

    pub(crate) fn disk_state(&self) -> DiskState {
        self.disk_state
    }

    pub(crate) fn is_durable(&self) -> bool {
        self.disk.is_some()
    }

    pub(crate) fn counts(&self) -> OtlpCounts {
        OtlpCounts {
            stored: self
                .disk
                .as_ref()
                .map_or(self.counts.stored, DiskQueue::pending),
            ..self.counts
        }
    }

    /// Bytes in memory, the batch under way included.
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

    /// What the disk lost, and what was too old when its turn came.
    fn note_losses(&mut self) {
        let Some(disk) = &mut self.disk else { return };
        let lost = disk.losses();
        self.counts.spool_corrupt += lost.corrupt;
        self.counts.spool_expired += lost.expired;
        self.leave(lost.corrupt + lost.expired);
    }

    /// These records do not wait any more.
    fn leave(&mut self, records: u64) {
        self.counts.pending -= records;
        self.settled += records;
    }

    /// These records, the newest, never really waited.
    fn unqueue(&mut self, records: u32) {
        self.counts.pending -= u64::from(records);
        self.queued -= u64::from(records);
    }
}

#[cfg(test)]
mod tests {
    use super::super::spool::{Spool, SpoolConfig, SpoolSync, WhenFull};
    use super::*;
    use proptest::prelude::*;

    fn batch(bytes: usize, records: u32) -> Batch {
        Batch {
            body: vec![0; bytes].into(),
            records,
        }
    }

    /// Takes the oldest batch and ends it.
    fn settle(outbox: &mut Outbox, outcome: Outcome) -> u64 {
        outbox.front();
        outbox.settle(outcome)
    }

    #[test]
    fn beyond_the_limit_the_newest_is_dropped_and_counted() {
        let mut outbox = Outbox::new(3 * (100 + OVERHEAD), None);
        for _ in 0..3 {
            assert_eq!(outbox.push(batch(100, 10)), Admission::Queued);
        }
        assert_eq!(outbox.push(batch(1, 7)), Admission::Full);
        assert_eq!(settle(&mut outbox, Outcome::Delivered { rejected: 0 }), 10);
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
        let mut outbox = Outbox::new(usize::MAX, None);
        assert_eq!(outbox.push(batch(0, 5)), Admission::Empty);
        assert_eq!(outbox.push(batch(5, 0)), Admission::Empty);
        assert_eq!(outbox.counts(), OtlpCounts::default());
    }

    #[test]
    fn a_body_above_64_mib_is_too_large_however_much_room_there_is() {
        let mut outbox = Outbox::new(usize::MAX, None);
        assert_eq!(outbox.push(batch(MAX_BODY + 1, 5)), Admission::TooLarge);
        assert_eq!(outbox.counts().too_large, 5);
    }

    #[test]
    fn no_more_is_rejected_than_was_sent() {
        let mut outbox = Outbox::new(usize::MAX, None);
        outbox.push(batch(1, 5));
        settle(&mut outbox, Outcome::Delivered { rejected: u64::MAX });
        assert_eq!(
            (outbox.counts().rejected, outbox.counts().delivered),
            (5, 0)
        );
    }

    #[derive(Debug, Clone)]
    enum Action {
        Push(usize, u32),
        Take,
        Settle(Outcome),
        Refuse,
        Purge,
        Close,
        Abandon,
    }

    fn action() -> impl Strategy<Value = Action> {
        prop_oneof![
            20 => (0_usize..300, 0_u32..20).prop_map(|(bytes, records)| Action::Push(bytes, records)),
            5 => Just(Action::Take),
            5 => (0_u64..30).prop_map(|rejected| Action::Settle(Outcome::Delivered { rejected })),
            2 => Just(Action::Settle(Outcome::TooLarge)),
            2 => Just(Action::Settle(Outcome::Permanent)),
            2 => Just(Action::Settle(Outcome::Exhausted)),
            1 => Just(Action::Purge),
            1 => Just(Action::Refuse),
            1 => Just(Action::Close),
            1 => Just(Action::Abandon),
        ]
    }

    fn act(outbox: &mut Outbox, action: &Action) {
        match *action {
            Action::Push(bytes, records) => drop(outbox.push(batch(bytes, records))),
            Action::Take => drop(outbox.front().map(|batch| batch.records)),
            Action::Settle(outcome) => drop(outbox.settle(outcome)),
            Action::Refuse => outbox.refuse(),
            Action::Purge => drop(outbox.purge()),
            Action::Close => outbox.close(),
            Action::Abandon => drop(outbox.abandon()),
        }
    }

    /// A spool of two segments, so that everything a disk does happens soon.
    fn durable(directory: &std::path::Path, when_full: WhenFull) -> (Spool, Outbox) {
        let config = SpoolConfig::new(directory)
            .segment_bytes(64 << 10)
            .max_bytes(128 << 10)
            .sync(SpoolSync::Never)
            .when_full(when_full);
        let spool = Spool::open(&config).unwrap();
        let outbox = Outbox::new(2000, Some(spool.queue("traces").unwrap()));
        (spool, outbox)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn every_record_is_accounted_for_over_a_spool_and_the_next_process_has_what_was_pending(
            actions in proptest::collection::vec(action(), 0..120), oldest in any::<bool>()
        ) {
            let directory = tempfile::tempdir().unwrap();
            let when_full = if oldest { WhenFull::DropOldest } else { WhenFull::DropNewest };
            let (spool, mut outbox) = durable(directory.path(), when_full);
            for action in &actions {
                match action {
                    // A hundred times as large: the bounds of a spool are.
                    Action::Push(bytes, records) => drop(outbox.push(batch(bytes * 100, *records))),
                    other => act(&mut outbox, other),
                }
                let counts = outbox.counts();
                prop_assert!(counts.is_balanced(), "{counts:?}");
                prop_assert_eq!(outbox.queued() - outbox.settled(), counts.pending);
                prop_assert_eq!(counts.stored, counts.pending, "a disk that works has all that waits");
                let on_disk = outbox.disk.as_ref().map_or(0, DiskQueue::bytes);
                prop_assert!(on_disk <= 128 << 10);
            }
            outbox.abandon();
            let left = outbox.counts().pending;
            drop((outbox, spool));
            let (_spool, mut next) = durable(directory.path(), when_full);
            prop_assert_eq!(next.counts().recovered, left);
            while next.front().is_some() {
                next.settle(Outcome::Delivered { rejected: 0 });
                prop_assert!(next.counts().is_balanced());
            }
            prop_assert_eq!((next.counts().delivered, next.counts().pending), (left, 0));
        }
    }

    proptest! {
        #[test]
        fn every_record_is_accounted_for_whatever_happens(
            actions in proptest::collection::vec(action(), 0..80)
        ) {
            let mut outbox = Outbox::new(2000, None);
            for action in actions {
                act(&mut outbox, &action);
                prop_assert!(outbox.counts().is_balanced());
                prop_assert!(outbox.bytes() <= 2000);
                let out = outbox.out.iter().map(|out| &out.batch);
                let (waiting, cost) = outbox.memory.iter().chain(out).fold((0, 0), |(n, cost), b| {
                    (n + u64::from(b.records), cost + b.cost())
                });
                prop_assert_eq!(outbox.counts().pending, waiting);
                prop_assert_eq!(outbox.bytes(), cost);
                prop_assert_eq!(outbox.queued() - outbox.settled(), waiting);
            }
        }
    }
}
