//! The OTLP outlet of an installation: a lane for spans, a lane for log records, a sender for metrics.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use opentelemetry_sdk::Resource;
use tokio::runtime::Handle;

use super::counts::OtlpCounts;
use super::encode::BatchEncoder;
use super::kinds::Signal;
use super::lane::{Closing, Lane};
use super::outbox::Batch;
use super::resolve::Resolved;
use super::sender::{Sender, SenderOptions};
use super::transport::Transport;
use crate::clock::Clock;
use crate::export::metrics::{self, Metrics};
use crate::record::Record;
use crate::stats::{Books, Loss, Tally};

/// Everything that sends to the collector.
pub(crate) struct OtlpExports {
    traces: Option<Lane>,
    logs: Option<Lane>,
    metrics: Option<(Arc<Sender>, Meter)>,
    books: OtlpBooks,
}

/// The metrics, and when they are sent next.
pub(crate) struct Meter {
    pub(crate) metrics: Metrics,
    pub(crate) interval: Duration,
    pub(crate) due: Instant,
}

/// The books of its signals, readable from any thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct OtlpBooks(Vec<(Signal, Arc<Sender>, Arc<Books>)>);

impl OtlpBooks {
    /// The tally of `signal`; `None` if it is not sent.
    pub(crate) fn tally(&self, signal: Signal) -> Option<Tally> {
        let (_, sender, refused) = self.0.iter().find(|(s, ..)| *s == signal)?;
        let mut tally = Tally::from(sender.counts());
        let refused = refused.read();
        tally.accepted += refused.accepted;
        for (why, n) in refused.dropped {
            *tally.dropped.entry(why).or_default() += n;
        }
        Some(tally)
    }
}

impl From<OtlpCounts> for Tally {
    fn from(counts: OtlpCounts) -> Self {
        let dropped = [
            (Loss::QueueBytes, counts.queue_bytes),
            (Loss::TooLarge, counts.too_large),
            (Loss::Permanent, counts.http_permanent),
            (Loss::RetryExhausted, counts.retry_exhausted),
            (Loss::RefusedSignal, counts.refused_signal),
            (Loss::ShutdownTimeout, counts.shutdown_timeout),
            (Loss::AfterShutdown, counts.after_shutdown),
        ];
        Self {
            accepted: counts.accepted,
            delivered: counts.delivered,
            rejected: counts.rejected,
            pending: counts.pending,
            dropped: dropped.into_iter().filter(|(_, n)| *n > 0).collect(),
        }
    }
}

/// The bounds of its batches and outboxes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) closing: Closing,
    pub(crate) batch_bytes: usize,
    pub(crate) outbox_bytes: usize,
}

impl OtlpExports {
    /// Prepares everything; opens no connection. The senders run on `runtime`.
    pub(crate) fn new(
        transport: Transport,
        targets: &Resolved,
        resource: &Resource,
        clock: &Clock,
        bounds: Bounds,
        runtime: &Handle,
        meter: impl FnOnce(&OtlpBooks) -> Meter,
    ) -> Self {
        let transport = Arc::new(transport);
        let mut books = OtlpBooks::default();
        let mut sender = |signal: Signal| {
            targets.target(signal)?;
            let options = SenderOptions {
                max_bytes: bounds.outbox_bytes,
                ..SenderOptions::default()
            };
            let sender = Arc::new(Sender::spawn(
                runtime,
                signal,
                Arc::clone(&transport),
                options,
            ));
            let refused = Arc::new(Books::default());
            books
                .0
                .push((signal, Arc::clone(&sender), Arc::clone(&refused)));
            Some((sender, refused))
        };
        let lane = |(sender, refused), encoder| Lane::new(encoder, sender, refused, bounds.closing);
        let encoder = |make: fn(&Resource, Clock, usize) -> BatchEncoder| {
            make(resource, clock.clone(), bounds.batch_bytes)
        };
        let traces = sender(Signal::Traces).map(|s| lane(s, encoder(BatchEncoder::spans)));
        let logs = sender(Signal::Logs).map(|s| lane(s, encoder(BatchEncoder::logs)));
        let metrics = sender(Signal::Metrics).map(|(sender, _)| sender);
        let metrics = metrics.map(|sender| (sender, meter(&books)));
        Self {
            traces,
            logs,
            metrics,
            books,
        }
    }

    pub(crate) fn books(&self) -> OtlpBooks {
        self.books.clone()
    }

    /// A span ended, sampled or not.
    pub(crate) fn measured(&mut self, record: &Record) {
        if let Some((_, meter)) = &mut self.metrics {
            meter.metrics.record_ended(record);
        }
    }

    pub(crate) fn span(&mut self, record: &Record) {
        if let Some(lane) = &mut self.traces {
            lane.add(record);
        }
    }

    pub(crate) fn log(&mut self, record: &Record) {
        if let Some(lane) = &mut self.logs {
            lane.add(record);
        }
    }

    fn send_metrics(&mut self) {
        let Some((sender, meter)) = &mut self.metrics else {
            return;
        };
        meter.due = Instant::now() + meter.interval;
        if let Some(collected) = meter.metrics.collect() {
            let (body, records) = metrics::encode(&collected);
            sender.enqueue(Batch {
                body: Bytes::from(body),
                records,
            });
        }
    }

    /// Closes what is due, and says when the next will be.
    pub(crate) fn tick(&mut self, now: Instant) -> Option<Instant> {
        if self
            .metrics
            .as_ref()
            .is_some_and(|(_, meter)| meter.due <= now)
        {
            self.send_metrics();
        }
        let measured = self.metrics.as_ref().map(|(_, meter)| meter.due);
        let lanes = [&mut self.traces, &mut self.logs].into_iter().flatten();
        lanes
            .filter_map(|lane| lane.tick(now))
            .chain(measured)
            .min()
    }

    /// Closes the open batches. The answer resolves when everything up to here is settled, to `false` if `deadline` came
    /// first.
    pub(crate) fn settle(
        &mut self,
        deadline: Instant,
    ) -> impl Future<Output = bool> + Send + 'static + use<> {
        for lane in [&mut self.traces, &mut self.logs].into_iter().flatten() {
            lane.close();
        }
        self.send_metrics();
        // All are told to hurry first, then waited for.
        let drains: Vec<_> = self
            .books
            .0
            .iter()
            .map(|(_, sender, _)| sender.drain(deadline.into()))
            .collect();
        async move {
            let mut all = true;
            for drained in drains {
                all &= drained.await;
            }
            all
        }
    }

    /// Counts what is still waiting as lost, and takes nothing more.
    pub(crate) async fn give_up(&self) {
        for (_, sender, _) in &self.books.0 {
            sender.shutdown(Instant::now().into()).await;
        }
    }
}
