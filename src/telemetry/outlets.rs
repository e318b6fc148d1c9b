//! From settings to the OTLP outlets: what can be wrong is found before the thread starts.

use std::time::{Duration, Instant};

use opentelemetry_sdk::Resource;
use tokio::runtime::Handle;

use super::env::Env;
use super::{BatchSettings, ConfigError};
use crate::clock::Clock;
use crate::export::MetricsOutlet;
use crate::export::metrics::{MetricNames, Metrics};
use crate::export::otlp::internal::{Resolved, Transport, Tuning};
use crate::export::otlp::{Bounds, Closing, OtlpExports};

/// Records that close a batch, the specification's default.
const BATCH_RECORDS: usize = 512;
/// Age that closes a batch. The specification's default is 5 s; a crash loses what was not sent, and 200 ms still make
/// batches of hundreds wherever batching matters.
const BATCH_DELAY: Duration = Duration::from_millis(200);
/// How often metrics are sent, the specification's default.
const METRIC_INTERVAL: Duration = Duration::from_secs(60);

/// Outlets that are known to work, not yet open.
pub(crate) struct Outlets {
    targets: Option<(Transport, Resolved)>,
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
        names: MetricNames,
        env: Env<'_>,
    ) -> Result<Self, ConfigError> {
        let tuning = Tuning::from_env(&|name| env(name).map(Into::into))?;
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
        let targets = match targets {
            Some(targets) => Some((Transport::new(&targets)?, targets)),
            None => None,
        };
        Ok(Self {
            targets,
            resource,
            bounds,
            names,
            tuning,
        })
    }

    /// Opens them inside the runtime that will drive them.
    pub(crate) fn open(
        self,
        clock: &Clock,
        runtime: &Handle,
    ) -> (Option<OtlpExports>, Option<MetricsOutlet>) {
        let Some((transport, targets)) = self.targets else {
            return (None, None);
        };
        let otlp = OtlpExports::new(
            transport,
            &targets,
            &self.resource,
            clock,
            self.bounds,
            runtime,
        );
        let interval = self.tuning.metric_interval.unwrap_or(METRIC_INTERVAL);
        let metrics = otlp.wants_metrics().then(|| MetricsOutlet {
            metrics: Metrics::new(
                self.resource,
                self.names,
                self.tuning.temporality.unwrap_or_default(),
            ),
            interval,
            due: Instant::now() + interval,
        });
        (Some(otlp), metrics)
    }
}
