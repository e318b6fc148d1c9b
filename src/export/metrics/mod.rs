//! Metrics, derived from every span that ends, whether it is sampled or not, and from moments: security findings, retries, ends of
//! MCP sessions.
//!
//! Owns the meter and its instruments; they are written to and collected on the telemetry thread.
//! Promise: a model call counts once, whatever wraps it; an unknown count or price is absent and not zero; every value is
//! finite and not negative; a data point has the attributes its row in [`METRICS`](crate::semconv::METRICS) lists, no others.
//! Never: puts content or the id of anything on a data point; has a thread or timer of its own.

mod facts;
mod instruments;
mod measure;
mod own_calls;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Weak};
use std::time::Duration;

use opentelemetry::metrics::{Meter, MeterProvider as _};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData, ResourceMetrics};
use opentelemetry_sdk::metrics::reader::MetricReader;
use opentelemetry_sdk::metrics::{
    InstrumentKind, ManualReader, Pipeline, SdkMeterProvider, Temporality,
};

use crate::contain::contain;
use instruments::Instruments;
use own_calls::OwnCalls;

/// Under which names model calls are measured.
///
/// The conventions renamed these metrics, and most backends still read the older names:
///
/// | | latest | legacy |
/// | --- | --- | --- |
/// | duration | `gen_ai.client.inference.duration` | `gen_ai.client.operation.duration` |
/// | tokens | `gen_ai.client.inference.usage.*` (counters), `gen_ai.client.inference.operation.*` (histograms) | `gen_ai.client.token.usage` |
/// | streams | `gen_ai.client.inference.time_to_first_chunk`, `….time_per_output_chunk` | `gen_ai.client.operation.time_to_first_chunk`, `….time_per_output_chunk` |
///
/// Agents, workflows, tools, other client operations, cost and security findings have one name each and are always measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum MetricNames {
    /// The names now in force.
    Latest,
    /// The names before.
    Legacy,
    /// Both. The default: nobody's dashboard stays empty, and a model call writes to up to five time series more.
    #[default]
    Both,
}

impl MetricNames {
    pub(crate) fn latest(self) -> bool {
        self != Self::Legacy
    }

    pub(crate) fn legacy(self) -> bool {
        self != Self::Latest
    }
}

/// What an observed number does over time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Observed {
    /// It only rises: records exported, records lost.
    Total,
    /// The same, left out as long as it is 0: what has not happened needs no series.
    Losses,
    /// It rises and falls: the length of a queue.
    Level,
}

/// The meter of one installation.
pub(crate) struct Metrics {
    /// Keeps the pipeline alive that `reader` only holds weakly.
    _provider: SdkMeterProvider,
    reader: Reader,
    meter: Meter,
    instruments: Instruments,
    own_calls: OwnCalls,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    pub(crate) fn new(resource: Resource, names: MetricNames, temporality: Temporality) -> Self {
        let reader = Reader(Arc::new(
            ManualReader::builder()
                .with_temporality(temporality)
                .build(),
        ));
        let provider = SdkMeterProvider::builder()
            .with_resource(resource)
            .with_reader(reader.clone())
            .build();
        let scope = InstrumentationScope::builder(env!("CARGO_PKG_NAME"))
            .with_version(env!("CARGO_PKG_VERSION"))
            .build();
        let meter = provider.meter_with_scope(scope);
        Self {
            instruments: Instruments::new(&meter, names),
            own_calls: OwnCalls::new(),
            _provider: provider,
            reader,
            meter,
        }
    }

    /// Everything measured so far, or with delta temporality since the last call; `None` if that is nothing.
    pub(crate) fn collect(&self) -> Option<ResourceMetrics> {
        let mut metrics = ResourceMetrics::default();
        self.reader.collect(&mut metrics).ok()?;
        (data_points(&metrics) > 0).then_some(metrics)
    }

    /// Adds a number of this crate's own to what is collected, with the attributes given here. The same name may be
    /// observed several times, with other attributes each. `read` is called on the telemetry thread at every collection;
    /// where it panics, the number is missing from that collection.
    pub(crate) fn observe(
        &self,
        observed: Observed,
        name: &'static str,
        unit: &'static str,
        attributes: Vec<KeyValue>,
        read: impl Fn() -> u64 + Send + Sync + 'static,
    ) {
        // OTLP carries counts as signed numbers, and the SDK's encoder turns what does not fit into 0.
        let read = move || {
            let number = contain(&read)?;
            Some(number.min(i64::MAX.unsigned_abs()))
        };
        match observed {
            Observed::Total | Observed::Losses => {
                let builder = self.meter.u64_observable_counter(name).with_unit(unit);
                let callback = builder.with_callback(move |out| {
                    let shown = |number: &u64| observed == Observed::Total || *number > 0;
                    if let Some(number) = read().filter(shown) {
                        out.observe(number, &attributes);
                    }
                });
                callback.build();
            }
            Observed::Level => {
                let builder = self.meter.i64_observable_up_down_counter(name);
                let callback = builder.with_unit(unit).with_callback(move |out| {
                    if let Some(number) = read().and_then(|n| i64::try_from(n).ok()) {
                        out.observe(number, &attributes);
                    }
                });
                callback.build();
            }
        }
    }
}

/// The number of data points in a collection: what an OTLP receiver counts when it rejects some.
fn data_points(metrics: &ResourceMetrics) -> u32 {
    fn of<T: Copy>(data: &MetricData<T>) -> usize {
        match data {
            MetricData::Gauge(gauge) => gauge.data_points().count(),
            MetricData::Sum(sum) => sum.data_points().count(),
            MetricData::Histogram(histogram) => histogram.data_points().count(),
            MetricData::ExponentialHistogram(histogram) => histogram.data_points().count(),
        }
    }
    let metrics = metrics.scope_metrics().flat_map(|scope| scope.metrics());
    let points = metrics.map(|metric| match metric.data() {
        AggregatedMetrics::F64(data) => of(data),
        AggregatedMetrics::U64(data) => of(data),
        AggregatedMetrics::I64(data) => of(data),
    });
    u32::try_from(points.sum::<usize>()).unwrap_or(u32::MAX)
}

/// The body of an OTLP export request with this collection in it, and the number of its data points.
pub(crate) fn encode(metrics: &ResourceMetrics) -> (Vec<u8>, u32) {
    use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
    use prost::Message as _;

    let body = ExportMetricsServiceRequest::from(metrics).encode_to_vec();
    (body, data_points(metrics))
}

/// The SDK's reader, shared between its provider and us.
#[derive(Debug, Clone)]
struct Reader(Arc<ManualReader>);

impl MetricReader for Reader {
    fn register_pipeline(&self, pipeline: Weak<Pipeline>) {
        self.0.register_pipeline(pipeline);
    }

    fn collect(&self, metrics: &mut ResourceMetrics) -> OTelSdkResult {
        self.0.collect(metrics)
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.0.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.0.shutdown_with_timeout(timeout)
    }

    fn temporality(&self, kind: InstrumentKind) -> Temporality {
        self.0.temporality(kind)
    }
}
