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
use super::open_spans::{OpenSpansFile, forget, left_open};
use super::outbox::Batch;
use super::resolve::Resolved;
use super::sender::{Sender, SenderOptions};
use super::spool::{DiskQueue, Spool, SpoolConfig, SpoolError};
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
    open_spans: Option<OpenSpansFile>,
    /// Holds the directory for this process.
    spool: Option<Spool>,
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
    /// Deletes what waits, of all signals. Returns its records.
    pub(crate) fn purge(&self) -> u64 {
        self.0.iter().map(|(_, sender, _)| sender.purge()).sum()
    }

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
            (Loss::SpoolFull, counts.spool_full),
            (Loss::SpoolCorrupt, counts.spool_corrupt),
            (Loss::SpoolExpired, counts.spool_expired),
            (Loss::Purged, counts.purged),
            (Loss::RefusedSignal, counts.refused_signal),
            (Loss::ShutdownTimeout, counts.shutdown_timeout),
            (Loss::AfterShutdown, counts.after_shutdown),
        ];
        Self {
            accepted: counts.accepted,
            delivered: counts.delivered,
            rejected: counts.rejected,
            pending: counts.pending,
            stored: counts.stored,
            recovered: counts.recovered,
            dropped: dropped.into_iter().filter(|(_, n)| *n > 0).collect(),
        }
    }
}

/// The way to the collector, ready but not open.
pub(crate) struct Way {
    pub(crate) transport: Transport,
    pub(crate) targets: Resolved,
    pub(crate) spooled: Option<Spooled>,
}

/// A spool, and its queues for the signals that are sent.
pub(crate) struct Spooled {
    pub(crate) spool: Spool,
    pub(crate) queues: Vec<(Signal, DiskQueue)>,
}

impl Spooled {
    /// Opens what `targets` need. Metrics are not spooled: the next ones say what lost ones would have.
    pub(crate) fn open(config: &SpoolConfig, targets: &Resolved) -> Result<Self, SpoolError> {
        let spool = Spool::open(config)?;
        let mut queues = Vec::new();
        for signal in [Signal::Traces, Signal::Logs] {
            if targets.target(signal).is_some() {
                queues.push((signal, spool.queue(signal.as_str())?));
            }
        }
        Ok(Self { spool, queues })
    }

    fn queue(&mut self, signal: Signal) -> Option<DiskQueue> {
        let at = self.queues.iter().position(|(of, _)| *of == signal)?;
        Some(self.queues.swap_remove(at).1)
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
        way: Way,
        resource: &Resource,
        clock: &Clock,
        bounds: Bounds,
        runtime: &Handle,
        meter: impl FnOnce(&OtlpBooks) -> Meter,
    ) -> Self {
        let Way {
            transport,
            targets,
            mut spooled,
        } = way;
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
                spooled.as_mut().and_then(|spooled| spooled.queue(signal)),
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
        let spool = spooled.map(|spooled| spooled.spool);
        let mut exports = Self {
            traces,
            logs,
            metrics,
            open_spans: None,
            spool,
            books,
        };
        exports.adopt(encoder(BatchEncoder::spans));
        exports
    }

    /// Sends the spans that were open when earlier processes died, and keeps those of this one.
    fn adopt(&mut self, encoder: BatchEncoder) {
        let (Some(spool), Some(traces)) = (&self.spool, &self.traces) else {
            return;
        };
        for directory in spool.adopted() {
            for batch in left_open(directory) {
                traces.recover(batch);
            }
            forget(directory);
        }
        self.open_spans = Some(OpenSpansFile::new(spool.directory(), encoder));
    }

    pub(crate) fn books(&self) -> OtlpBooks {
        self.books.clone()
    }

    /// A span ended, sampled or not, or a moment happened.
    pub(crate) fn measured(&mut self, record: &Record) {
        if let Some((_, meter)) = &mut self.metrics {
            meter.metrics.record(record);
        }
    }

    pub(crate) fn span(&mut self, record: &Record) {
        let Some(lane) = &mut self.traces else { return };
        if let Some(open) = &mut self.open_spans {
            open.ended(record.id.span);
        }
        let closed = lane.add(record);
        self.close_ended(closed);
    }

    /// What ended is out of the file of open spans once its batch is in the spool. A span that opened the next batch is taken out
    /// a moment early.
    fn close_ended(&mut self, closed: bool) {
        if closed && let Some(open) = &mut self.open_spans {
            open.spooled();
        }
    }

    /// Where the open spans are kept, if they are.
    pub(crate) fn open_spans(&mut self) -> Option<&mut OpenSpansFile> {
        self.open_spans.as_mut()
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
        let mut closed = false;
        if let Some(traces) = &mut self.traces {
            closed = traces.tick(now);
        }
        self.close_ended(closed);
        if let Some(logs) = &mut self.logs {
            logs.tick(now);
        }
        let lanes = [&self.traces, &self.logs].into_iter().flatten();
        lanes.filter_map(Lane::due).chain(measured).min()
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
        self.close_ended(true);
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
    pub(crate) async fn give_up(&mut self) {
        for (_, sender, _) in &self.books.0 {
            sender.shutdown(Instant::now().into()).await;
        }
        if let Some(mut open) = self.open_spans.take() {
            open.close();
        }
        // Another process may have the directory now.
        self.spool = None;
    }
}
