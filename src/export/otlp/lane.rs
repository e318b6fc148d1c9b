//! One signal's lane: records are encoded into an open batch, closed batches go to the sender.
//!
//! Promise: a batch is closed by its number of records, its bytes or its age, whichever comes first; a record that is too
//! large for any request is refused and counted.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::encode::BatchEncoder;
use super::outbox::Batch;
use super::sender::Sender;
use crate::record::Record;
use crate::stats::{Books, Loss};

/// When a batch is closed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Closing {
    pub(crate) records: usize,
    pub(crate) age: Duration,
}

/// A lane for spans or log records.
pub(crate) struct Lane {
    encoder: BatchEncoder,
    sender: Arc<Sender>,
    /// Losses before the sender: records that no request can hold.
    refused: Arc<Books>,
    closing: Closing,
    opened: Option<Instant>,
}

impl Lane {
    pub(crate) fn new(
        encoder: BatchEncoder,
        sender: Arc<Sender>,
        refused: Arc<Books>,
        closing: Closing,
    ) -> Self {
        Self {
            encoder,
            sender,
            refused,
            closing,
            opened: None,
        }
    }

    /// Encodes `record` into the open batch, and says whether a batch was closed.
    pub(crate) fn add(&mut self, record: &Record) -> bool {
        let mut closed = false;
        loop {
            match self.encoder.push(record) {
                super::encode::Push::Added => break,
                // Nothing of it was written: it opens the next batch.
                super::encode::Push::Full => {
                    self.close();
                    closed = true;
                }
                super::encode::Push::TooLarge => {
                    self.refused.accept(1);
                    self.refused.lose(Loss::TooLarge, 1);
                    return closed;
                }
            }
        }
        if self.opened.is_none() {
            self.opened = Some(Instant::now());
        }
        if self.encoder.records() >= self.closing.records {
            self.close();
            closed = true;
        }
        closed
    }

    /// Closes the open batch if it is old enough, and says whether it was.
    pub(crate) fn tick(&mut self, now: Instant) -> bool {
        let closed = self.due().is_some_and(|due| due <= now);
        if closed {
            self.close();
        }
        closed
    }

    /// When the open batch will be old enough; `None` if there is none.
    pub(crate) fn due(&self) -> Option<Instant> {
        self.opened.map(|opened| opened + self.closing.age)
    }

    /// Sends what an earlier process had recorded.
    pub(crate) fn recover(&self, batch: Batch) {
        self.sender.recover(batch);
    }

    pub(crate) fn close(&mut self) {
        self.opened = None;
        let (body, records): (Bytes, u32) = self.encoder.finish();
        if records > 0 {
            self.sender.enqueue(Batch { body, records });
        }
    }
}
