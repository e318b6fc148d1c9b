//! The ways out of the process: OTLP traces, logs and metrics, and exporters of the OpenTelemetry SDK.
//!
//! Promise: each outlet keeps its own books; a slow or absent receiver holds nothing up but its own outbox.
//! Never: runs on the application's thread or runtime.

pub(crate) mod metrics;
#[cfg(feature = "otlp")]
pub mod otlp;
pub(crate) mod plugged;
pub(crate) mod span_data;

use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use opentelemetry_sdk::Resource;

use crate::layer::instance::Instance;
use crate::record::Record;
use crate::stats::Books;
use crate::telemetry::{BatchSettings, Report};
use metrics::{MetricNames, Metrics};
use plugged::Plugged;

/// The outlets of one installation.
pub(crate) struct Exports {
    plugged: Plugged,
    metrics: Metrics,
    instance: Arc<Instance>,
}

/// Their books, readable from any thread.
#[derive(Debug, Clone)]
pub(crate) struct ExportBooks {
    plugged: Option<Arc<Books>>,
}

impl ExportBooks {
    pub(crate) fn fill(&self, report: &mut Report) {
        report.plugged = self.plugged.as_ref().map(|books| books.read());
    }
}
impl Exports {
    pub(crate) fn new(
        _r: Resource,
        _n: MetricNames,
        plugged: Plugged,
        _b: BatchSettings,
        _o: usize,
        instance: Arc<Instance>,
    ) -> io::Result<Self> {
        Ok(Self {
            plugged,
            metrics: Metrics,
            instance,
        })
    }
    pub(crate) fn books(&self) -> ExportBooks {
        ExportBooks {
            plugged: (!self.plugged.is_empty()).then(|| self.plugged.books()),
        }
    }
    pub(crate) fn moment(&mut self, _: &Record) {}
    pub(crate) fn measured(&mut self, record: &Record) {
        self.metrics.record_ended(record)
    }
    pub(crate) fn span(&mut self, record: &Record) {
        if !self.plugged.is_empty() {
            self.plugged
                .span(span_data::span_data(record, &self.instance.clock))
        }
    }
    pub(crate) fn tick(&mut self, _: Instant) -> Option<Instant> {
        None
    }
    pub(crate) fn kick(&mut self) {}
    pub(crate) fn settle(
        &mut self,
        _: Instant,
    ) -> impl Future<Output = bool> + Send + 'static + use<> {
        async { true }
    }
    pub(crate) async fn give_up(&mut self) {}
}
