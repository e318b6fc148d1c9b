//! Exporters of the OpenTelemetry SDK, plugged in beside OTLP or instead of it.
//!
//! Promise: each exporter has a queue of its own, bounded in bytes, and is called by one thread at a time, inside the
//! telemetry thread's runtime but never on that thread, so one that blocks holds up nobody but itself. Its errors and
//! panics are contained and counted. A span given to two exporters counts twice.
//! Never: tries a batch again, which the SDK leaves to the exporter; waits for one that hangs longer than it is told to.

mod boxed;
mod lane;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SpanData;
use tokio::time::timeout_at;

use crate::stats::Books;
use crate::telemetry::BatchSettings;
pub(crate) use boxed::BoxedExporter;
use lane::{Bounds, Lane};

/// Records that close a batch, the specification's default.
const BATCH_RECORDS: usize = 512;
/// Age that closes a batch, as for OTLP.
const BATCH_DELAY: Duration = Duration::from_millis(200);
/// How long exporters may take to close down when all they were given is settled or given up. They do so side by side.
const CLOSING: Duration = Duration::from_secs(1);

/// The plugged-in exporters of one installation.
pub(crate) struct Plugged {
    lanes: Vec<Lane>,
    books: Arc<Books>,
}

impl Plugged {
    /// Tells every exporter the resource. Nothing runs before the first batch.
    pub(crate) fn new(
        exporters: Vec<BoxedExporter>,
        resource: &Resource,
        batch: BatchSettings,
        max_bytes: usize,
    ) -> Self {
        let bounds = Bounds {
            records: batch.records.unwrap_or(BATCH_RECORDS),
            bytes: batch.bytes,
            age: batch.delay.unwrap_or(BATCH_DELAY),
            held_bytes: max_bytes,
        };
        let books = Arc::new(Books::default());
        let lanes = exporters.into_iter().map(|mut exporter| {
            exporter.set_resource(resource);
            Lane::new(exporter, bounds, Arc::clone(&books))
        });
        Self {
            lanes: lanes.collect(),
            books,
        }
    }

    pub(crate) fn books(&self) -> Arc<Books> {
        Arc::clone(&self.books)
    }

    /// Gives a span to every exporter.
    pub(crate) fn add(&mut self, span: SpanData) {
        if let Some((last, others)) = self.lanes.split_last_mut() {
            for lane in others {
                lane.add(span.clone());
            }
            last.add(span);
        }
    }

    /// Closes the batches that are old enough, and says when the next one will be.
    pub(crate) fn tick(&mut self, now: Instant) -> Option<Instant> {
        self.lanes
            .iter_mut()
            .filter_map(|lane| lane.tick(now))
            .min()
    }

    /// Closes all batches. The answer resolves when everything up to here is settled and the exporters have flushed, to
    /// `false` if `deadline` came first.
    pub(crate) fn settle(
        &mut self,
        deadline: Instant,
    ) -> impl Future<Output = bool> + Send + 'static + use<> {
        let waits: Vec<_> = self.lanes.iter_mut().map(Lane::flush).collect();
        async move {
            let all = async {
                for wait in waits {
                    wait.await;
                }
            };
            timeout_at(deadline.into(), all).await.is_ok()
        }
    }

    /// Counts what is still waiting as lost, and closes the exporters down.
    pub(crate) async fn shutdown(&mut self) {
        let deadline = Instant::now() + CLOSING;
        let waits: Vec<_> = self
            .lanes
            .iter_mut()
            .map(|lane| lane.shutdown(CLOSING))
            .collect();
        let all = async {
            for wait in waits {
                wait.await;
            }
        };
        // What hangs is left behind: its thread ends when it does.
        let _ = timeout_at(deadline.into(), all).await;
        for lane in &self.lanes {
            lane.give_up();
        }
    }
}
