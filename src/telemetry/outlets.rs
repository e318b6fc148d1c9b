//! From settings to the OTLP outlets: what can be wrong is found before the thread starts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use tokio::runtime::Handle;

use super::env::Env;
use super::{BatchSettings, ConfigError};
use crate::export::metrics::{MetricNames, Metrics, Observed};
use crate::export::otlp::internal::{Resolved, Transport, Tuning};
use crate::export::otlp::{
    Bounds, Closing, Meter, OtlpBooks, OtlpExports, Signal, SpoolConfig, Spooled, Way,
};
use crate::layer::instance::Instance;
use crate::stats::Loss;

/// Records that close a batch, the specification's default.
const BATCH_RECORDS: usize = 512;
/// Age that closes a batch. The specification's default is 5 s; a crash loses what was not sent, and 200 ms still make
/// batches of hundreds wherever batching matters.
const BATCH_DELAY: Duration = Duration::from_millis(200);
/// How often metrics are sent, the specification's default.
const METRIC_INTERVAL: Duration = Duration::from_secs(60);

/// Outlets that are known to work, not yet open.
pub(crate) struct Outlets {
    way: Option<Way>,
    resource: Resource,
    bounds: Bounds,
    names: MetricNames,
    tuning: Tuning,
}

impl Outlets {
    pub(crate) fn new(
        targets: Option<Resolved>,
        resource: Resource,
        batch: BatchSettings,
        outbox_bytes: usize,
        spool: Option<SpoolConfig>,
        names: MetricNames,
        env: Env<'_>,
    ) -> Result<Self, ConfigError> {
        let tuning = match targets {
            Some(_) => Tuning::from_env(&|name| env(name).map(Into::into))?,
            None => Tuning::default(),
        };
        let closing = Closing {
            records: batch
                .records
                .or(tuning.max_export_batch)
                .unwrap_or(BATCH_RECORDS),
            age: batch.delay.or(tuning.schedule_delay).unwrap_or(BATCH_DELAY),
        };
        let bounds = Bounds {
            closing,
            batch_bytes: batch.bytes,
            outbox_bytes,
        };
        let way = match targets {
            Some(targets) => Some(Way {
                transport: Transport::new(&targets)?,
                // Where nothing is sent, nothing waits to be sent.
                spooled: match &spool {
                    Some(spool) => Some(Spooled::open(spool, &targets)?),
                    None => None,
                },
                targets,
            }),
            None => None,
        };
        Ok(Self {
            way,
            resource,
            bounds,
            names,
            tuning,
        })
    }

    /// Opens them inside the runtime that will drive them; `None` if nothing is sent.
    pub(crate) fn open(self, instance: &Arc<Instance>, runtime: &Handle) -> Option<OtlpExports> {
        let way = self.way?;
        let interval = self.tuning.metric_interval.unwrap_or(METRIC_INTERVAL);
        let temporality = self.tuning.temporality.unwrap_or_default();
        let meter = |books: &OtlpBooks| {
            let metrics = Metrics::new(self.resource.clone(), self.names, temporality);
            observe(&metrics, instance, books);
            Meter {
                metrics,
                interval,
                due: Instant::now() + interval,
            }
        };
        Some(OtlpExports::new(
            way,
            &self.resource,
            &instance.clock,
            self.bounds,
            runtime,
            meter,
        ))
    }
}

/// What the installation says about itself, under the conventions' names for SDKs.
fn observe(metrics: &Metrics, instance: &Arc<Instance>, books: &OtlpBooks) {
    let queue = Arc::clone(&instance.queue);
    metrics.observe(
        Observed::Level,
        "otel.sdk.processor.span.queue.size",
        "{span}",
        Vec::new(),
        move || queue.len() as u64,
    );
    let queue = Arc::clone(&instance.queue);
    let capacity = move || queue.max_records() as u64;
    metrics.observe(
        Observed::Level,
        "otel.sdk.processor.span.queue.capacity",
        "{span}",
        Vec::new(),
        capacity,
    );
    for (why, name) in [
        (Loss::QueueFull, "queue_full"),
        (Loss::QueueBytes, "queue_bytes"),
        (Loss::AfterShutdown, "already_shutdown"),
    ] {
        let instance = Arc::downgrade(instance);
        let lost = move || {
            instance
                .upgrade()
                .map_or(0, |instance| instance.books.lost(why))
        };
        let attributes = vec![KeyValue::new("error.type", name)];
        metrics.observe(
            Observed::Total,
            "otel.sdk.processor.span.processed",
            "{span}",
            attributes,
            lost,
        );
    }
    for (signal, exported, inflight, unit) in EXPORTERS {
        let tally = {
            let books = books.clone();
            move || books.tally(signal).unwrap_or_default()
        };
        let pending = {
            let tally = tally.clone();
            move || tally().pending
        };
        metrics.observe(Observed::Level, inflight, unit, Vec::new(), pending);
        let delivered = {
            let tally = tally.clone();
            move || tally().delivered
        };
        metrics.observe(Observed::Total, exported, unit, Vec::new(), delivered);
        let failed = |why: &'static str| vec![KeyValue::new("error.type", why)];
        let rejected = {
            let tally = tally.clone();
            move || tally().rejected
        };
        metrics.observe(
            Observed::Losses,
            exported,
            unit,
            failed("rejected"),
            rejected,
        );
        for why in Loss::ALL {
            let tally = tally.clone();
            let lost = move || tally().dropped.get(&why).copied().unwrap_or(0);
            metrics.observe(Observed::Losses, exported, unit, failed(why.as_str()), lost);
        }
    }
}

/// What an exporter says of itself, for each signal: the records whose export has ended, as `error.type` says, and those under
/// way. Source: semantic conventions, OpenTelemetry SDK metrics (status: development).
const EXPORTERS: [(Signal, &str, &str, &str); 3] = [
    (
        Signal::Traces,
        "otel.sdk.exporter.span.exported",
        "otel.sdk.exporter.span.inflight",
        "{span}",
    ),
    (
        Signal::Logs,
        "otel.sdk.exporter.log.exported",
        "otel.sdk.exporter.log.inflight",
        "{log_record}",
    ),
    (
        Signal::Metrics,
        "otel.sdk.exporter.metric_data_point.exported",
        "otel.sdk.exporter.metric_data_point.inflight",
        "{data_point}",
    ),
];
