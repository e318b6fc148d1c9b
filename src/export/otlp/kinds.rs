//! The closed sets an OTLP exporter is configured with: signal, protocol, compression.

use std::fmt;

/// One of the three kinds of telemetry OTLP carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Signal {
    /// Spans.
    Traces,
    /// Log records, moments among them.
    Logs,
    /// Metric data points.
    Metrics,
}

impl Signal {
    /// All signals, in the order of their [`index`](Self::index).
    pub(crate) const ALL: [Signal; 3] = [Signal::Traces, Signal::Logs, Signal::Metrics];

    /// The signal's lower-case name: `traces`, `logs` or `metrics`.
    pub fn as_str(self) -> &'static str {
        match self {
            Signal::Traces => "traces",
            Signal::Logs => "logs",
            Signal::Metrics => "metrics",
        }
    }

    pub(crate) fn index(self) -> usize {
        match self {
            Signal::Traces => 0,
            Signal::Logs => 1,
            Signal::Metrics => 2,
        }
    }

    /// What a configured base address is extended with over HTTP.
    pub(crate) fn http_path(self) -> &'static str {
        match self {
            Signal::Traces => "/v1/traces",
            Signal::Logs => "/v1/logs",
            Signal::Metrics => "/v1/metrics",
        }
    }

    pub(crate) fn grpc_path(self) -> &'static str {
        match self {
            Signal::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            Signal::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
            Signal::Metrics => "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
        }
    }

    /// The part of an environment variable's name that stands for the signal.
    pub(crate) fn env_part(self) -> &'static str {
        match self {
            Signal::Traces => "TRACES",
            Signal::Logs => "LOGS",
            Signal::Metrics => "METRICS",
        }
    }
}

impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How request bodies travel.
///
/// Default [`HttpProtobuf`](Protocol::HttpProtobuf), with one exception: an endpoint with port 4317
/// and no path, where nothing names a protocol, is spoken to in [`Grpc`](Protocol::Grpc), because
/// that is what listens there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protocol {
    /// gRPC over HTTP/2, usually port 4317. In the environment: `grpc`.
    Grpc,
    /// `POST` of a protobuf body, usually port 4318. In the environment: `http/protobuf`.
    HttpProtobuf,
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Protocol::Grpc => "grpc",
            Protocol::HttpProtobuf => "http/protobuf",
        })
    }
}

/// Whether request bodies are compressed. Default [`None`](Compression::None).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Compression {
    /// Bodies are sent as they are. In the environment: `none`.
    #[default]
    None,
    /// Bodies are gzipped. Worth its CPU time when prompts and answers are captured. In the
    /// environment: `gzip`.
    Gzip,
}
