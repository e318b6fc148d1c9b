//! The ways out of the process: OTLP traces, logs and metrics, exporters of the OpenTelemetry SDK, and reporters of events.
//!
//! Promise: each outlet keeps its own books; a slow or absent receiver holds nothing up but its own outbox.
//! Never: runs on the application's thread or runtime.

pub(crate) mod jitter;
#[cfg(feature = "otlp")]
pub(crate) mod metrics;
#[cfg(feature = "otlp")]
pub mod otlp;
pub(crate) mod plugged;
pub mod reporter;
pub(crate) mod shape;
pub(crate) mod span_data;

use std::sync::Arc;
use std::time::Instant;

use crate::clock::Clock;
use crate::record::Record;
#[cfg(feature = "viewer")]
use crate::record::What;
use crate::stats::Books;
use crate::telemetry::Report;
use plugged::Plugged;

/// The outlets of one installation.
pub(crate) struct Exports {
    pub(crate) clock: Clock,
    pub(crate) plugged: Option<Plugged>,
    #[cfg(feature = "otlp")]
    pub(crate) otlp: Option<otlp::OtlpExports>,
    #[cfg(feature = "viewer")]
    pub(crate) viewer: Option<crate::viewer::Feed>,
}

/// The outlets' books, readable from any thread.
#[derive(Debug, Clone, Default)]
pub(crate) struct ExportBooks {
    plugged: Option<Arc<Books>>,
    #[cfg(feature = "otlp")]
    otlp: otlp::OtlpBooks,
}

impl ExportBooks {
    /// Deletes what waits to be sent to the collector. Returns its records.
    #[cfg(feature = "otlp")]
    pub(crate) fn purge(&self) -> u64 {
        self.otlp.purge()
    }

    pub(crate) fn fill(&self, report: &mut Report) {
        report.plugged = self.plugged.as_ref().map(|books| books.read());
        #[cfg(feature = "otlp")]
        {
            report.traces = self.otlp.tally(otlp::Signal::Traces);
            report.logs = self.otlp.tally(otlp::Signal::Logs);
            report.metrics = self.otlp.tally(otlp::Signal::Metrics);
        }
    }
}

impl Exports {
    pub(crate) fn books(&self) -> ExportBooks {
        ExportBooks {
            plugged: self.plugged.as_ref().map(Plugged::books),
            #[cfg(feature = "otlp")]
            otlp: self
                .otlp
                .as_ref()
                .map(otlp::OtlpExports::books)
                .unwrap_or_default(),
        }
    }

    /// A span ended, sampled or not, or a moment happened.
    pub(crate) fn measured(&mut self, record: &Record) {
        #[cfg(feature = "otlp")]
        if let Some(otlp) = &mut self.otlp {
            otlp.measured(record);
        }
        #[cfg(not(feature = "otlp"))]
        let _ = record;
    }

    /// A span began, or was found open.
    pub(crate) fn opened(&mut self, record: &Record) {
        #[cfg(feature = "viewer")]
        if let Some(viewer) = &mut self.viewer {
            viewer.opened(record);
        }
        #[cfg(not(feature = "viewer"))]
        let _ = record;
    }

    /// A span ended, sampled or not, and has its content on it wherever that is sent.
    pub(crate) fn ended(&mut self, record: &Record) {
        #[cfg(feature = "viewer")]
        if let Some(viewer) = &mut self.viewer {
            viewer.ended(record);
        }
        #[cfg(not(feature = "viewer"))]
        let _ = record;
    }

    /// A sampled span ended.
    pub(crate) fn span(&mut self, record: &Record) {
        if let Some(plugged) = &mut self.plugged {
            plugged.add(span_data::span_data(record, &self.clock));
        }
        #[cfg(feature = "otlp")]
        if let Some(otlp) = &mut self.otlp {
            otlp.span(record);
        }
    }

    /// Something with a name happened: a moment, the exception that ended a model call, or its details.
    pub(crate) fn log(&mut self, record: &Record) {
        #[cfg(feature = "otlp")]
        if let Some(otlp) = &mut self.otlp {
            otlp.log(record);
        }
        #[cfg(feature = "viewer")]
        if let Some(viewer) = self.viewer.as_mut().filter(|_| record.what == What::Moment) {
            viewer.moment(record);
        }
        #[cfg(not(any(feature = "otlp", feature = "viewer")))]
        let _ = record;
    }

    /// Where spans that are open are kept for the case that this process dies; `None` without a spool.
    #[cfg(feature = "otlp")]
    pub(crate) fn open_spans(&mut self) -> Option<&mut otlp::OpenSpansFile> {
        self.otlp.as_mut().and_then(otlp::OtlpExports::open_spans)
    }

    /// What is due by the clock; says when it wants to be called next.
    pub(crate) fn tick(&mut self, now: Instant) -> Option<Instant> {
        let plugged = self.plugged.as_mut().and_then(|plugged| plugged.tick(now));
        #[cfg(feature = "otlp")]
        let sent = self.otlp.as_mut().and_then(|otlp| otlp.tick(now));
        #[cfg(not(feature = "otlp"))]
        let sent = None;
        [plugged, sent].into_iter().flatten().min()
    }

    /// Hands everything collected so far to the senders. The answer resolves when it is settled, to `false` if `deadline`
    /// came first.
    pub(crate) fn settle(
        &mut self,
        deadline: Instant,
    ) -> impl Future<Output = bool> + Send + 'static + use<> {
        let plugged = self
            .plugged
            .as_mut()
            .map(|plugged| plugged.settle(deadline));
        #[cfg(feature = "otlp")]
        let otlp = self.otlp.as_mut().map(|otlp| otlp.settle(deadline));
        async move {
            let mut all = true;
            #[cfg(feature = "otlp")]
            if let Some(otlp) = otlp {
                all &= otlp.await;
            }
            if let Some(plugged) = plugged {
                all &= plugged.await;
            }
            all
        }
    }

    /// Counts what is still waiting as lost, and closes what was plugged in.
    pub(crate) async fn give_up(&mut self) {
        #[cfg(feature = "otlp")]
        if let Some(otlp) = &mut self.otlp {
            otlp.give_up().await;
        }
        if let Some(plugged) = &mut self.plugged {
            plugged.shutdown().await;
        }
    }
}
