//! The installation: what an application builds, hangs into its subscriber, and shuts down.
//!
//! Promise: instances do not disturb each other; no global is touched except by [`Telemetry::install`]; `flush` and
//! `shutdown` return within their timeout, from any thread and any runtime, and say what was delivered and what was not.

mod builder;
mod env;
mod error;
#[cfg(feature = "otlp")]
mod outlets;
#[cfg(feature = "config")]
mod reload;
mod report;
mod reporters;
#[cfg(feature = "signals")]
mod signals;
mod stage;
mod switches;
mod writers;

use std::sync::Arc;
use std::time::{Duration, Instant};

use opentelemetry::propagation::{TextMapCompositePropagator, TextMapPropagator};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use tracing::Subscriber;
use tracing_subscriber::layer::{Layer, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::budget::{Budgets, Ledger};
use crate::bus::Bus;
use crate::console::ConsoleHandle;
use crate::event::{self, Dialect, ImportError};
use crate::history::History;
use crate::layer::instance::Instance;
use crate::layer::{GenAiFilter, GenAiLayer};
use crate::pipeline::inbox::{Answer, Ask};
use crate::pipeline::thread::Worker;

pub(crate) use builder::BatchSettings;
pub use builder::TelemetryBuilder;
pub use error::{ConfigError, InstallError};
#[cfg(feature = "config")]
pub use reload::Reload;
pub use report::Report;
use reporters::Reporters;
#[cfg(feature = "signals")]
pub use signals::{Signal, SignalError, SignalOptions};
use stage::Stages;
pub use switches::ChannelSwitch;
use writers::Writers;

/// A running installation.
///
/// ```
/// use tracing_genai::Telemetry;
/// use tracing_subscriber::prelude::*;
///
/// let telemetry = Telemetry::builder("trip-planner").build()?;
/// let subscriber = tracing_subscriber::registry().with(telemetry.layer());
/// tracing::subscriber::with_default(subscriber, || {
///     tracing_genai::chat("openai", "gpt-4o-mini").start().complete();
/// });
/// let report = telemetry.shutdown();
/// assert!(report.is_complete());
/// # Ok::<(), tracing_genai::ConfigError>(())
/// ```
///
/// Dropping it shuts it down, waiting 5 seconds at most.
#[derive(Debug)]
#[must_use = "dropping it ends recording"]
pub struct Telemetry {
    instance: Arc<Instance>,
    bus: Bus,
    worker: Option<Arc<Worker>>,
    writers: Arc<Writers>,
    reporters: Arc<Reporters>,
    #[cfg(feature = "viewer")]
    viewer: Option<crate::viewer::ViewerHandle>,
    history: History,
    budgets: Budgets,
    propagators: Vec<String>,
    stages: Arc<Stages>,
    disabled_by: Option<&'static str>,
    #[cfg(feature = "config")]
    in_force: Option<reload::InForce>,
}

impl Telemetry {
    /// How long `shutdown` and dropping wait.
    pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(5);

    /// Settings for the service of this name, the `service.name` of the resource. An empty name leaves it to
    /// `OTEL_SERVICE_NAME`.
    pub fn builder(service: impl Into<String>) -> TelemetryBuilder {
        TelemetryBuilder::new(service.into())
    }

    fn new(
        instance: Arc<Instance>,
        bus: Bus,
        worker: Option<Worker>,
        writers: Writers,
        history: History,
        propagators: Vec<String>,
    ) -> Self {
        Self {
            instance,
            bus,
            worker: worker.map(Arc::new),
            writers: Arc::new(writers),
            reporters: Arc::default(),
            #[cfg(feature = "viewer")]
            viewer: None,
            history,
            budgets: Budgets::new(Arc::default()),
            propagators,
            stages: Arc::default(),
            disabled_by: None,
            #[cfg(feature = "config")]
            in_force: None,
        }
    }

    fn disabled_because_of(mut self, variable: &'static str) -> Self {
        self.disabled_by = Some(variable);
        self
    }

    #[cfg(feature = "config")]
    fn with_config(
        mut self,
        config: crate::config::Config,
        environment: Arc<crate::config::Lookup>,
        said: builder::Asked,
    ) -> Self {
        self.in_force = Some(reload::InForce::new(config, environment, said));
        self
    }

    fn with_reporters(mut self, reporters: Reporters) -> Self {
        self.reporters = Arc::new(reporters);
        self
    }

    #[cfg(feature = "viewer")]
    fn with_viewer(mut self, viewer: Option<crate::viewer::ViewerHandle>) -> Self {
        self.viewer = viewer;
        self
    }

    fn with_budgets(mut self, ledger: Arc<Ledger>) -> Self {
        self.budgets = Budgets::new(ledger);
        self
    }

    /// The layer for a subscriber, with its own filter: neighbours see what they always saw. Can be given out several
    /// times.
    ///
    /// Beside `tracing-opentelemetry`, add this one first: `registry().with(telemetry.layer()).with(theirs)`. The other way round its
    /// spans would take ours as parents, because both make their context the current one, unless
    /// [`activate_context(false)`](TelemetryBuilder::activate_context) says that ours does not.
    pub fn layer<S>(&self) -> impl Layer<S> + Send + Sync + 'static + use<S>
    where
        S: Subscriber + for<'a> LookupSpan<'a>,
    {
        let filter = GenAiFilter::new(Arc::clone(&self.instance));
        GenAiLayer::new(Arc::clone(&self.instance)).with_filter(filter)
    }

    /// Makes a registry with this layer the global default subscriber, and sets the global OpenTelemetry propagator by
    /// `OTEL_PROPAGATORS` (default `tracecontext,baggage`).
    ///
    /// # Errors
    /// If a global subscriber is already set.
    pub fn install(&self) -> Result<(), InstallError> {
        tracing_subscriber::registry()
            .with(self.layer())
            .try_init()
            .map_err(|_| InstallError)?;
        let known = self
            .propagators
            .iter()
            .filter_map(|name| match name.as_str() {
                "tracecontext" => Some(Box::new(TraceContextPropagator::new())
                    as Box<dyn TextMapPropagator + Send + Sync>),
                "baggage" => Some(Box::new(BaggagePropagator::new())),
                _ => None,
            });
        opentelemetry::global::set_text_map_propagator(TextMapCompositePropagator::new(
            known.collect(),
        ));
        Ok(())
    }

    /// The typed events of this installation, in this process.
    pub fn bus(&self) -> &Bus {
        &self.bus
    }

    /// What happened so far, to be asked about.
    ///
    /// Events arrive some milliseconds after they happen; [`flush`](Self::flush) first to see the latest.
    ///
    /// ```
    /// use std::time::Duration;
    /// use tracing_genai::{Telemetry, chat};
    /// use tracing_subscriber::prelude::*;
    ///
    /// let telemetry = Telemetry::builder("planner").build()?;
    /// let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    /// tracing::subscriber::with_default(subscriber, || chat("openai", "gpt-4o").start().complete());
    /// telemetry.flush(Duration::from_secs(5));
    ///
    /// let calls = telemetry.history().event_type("LLM_call_start")?.limit(50).fetch()?;
    /// assert_eq!(calls.len(), 1);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn history(&self) -> &History {
        &self.history
    }

    /// What may be spent, by whom, and what is: see [`budget`](crate::budget).
    pub fn budgets(&self) -> &Budgets {
        &self.budgets
    }

    /// Takes in a document of another system: an event of its log, a request its reporter sends. It goes the way of every
    /// event, with the id and the time it came with; a start and its end become an exported span. Says how many events it was.
    ///
    /// # Errors
    /// When the document is no event of the dialect; the error names the field.
    ///
    /// ```
    /// use serde_json::json;
    /// use tracing_genai::{Telemetry, event::Dialect};
    ///
    /// let telemetry = Telemetry::builder("bridge").build()?;
    /// telemetry.import(Dialect::Cylestio, &json!({
    ///     "event": "LLM_call_start",
    ///     "data": { "model": "claude-3-sonnet-20240229", "temperature": 0.7 },
    ///     "timestamp": "2024-06-15T14:30:22.123456",
    ///     "agent_id": "my-agent",
    ///     "channel": "LLM",
    ///     "level": "info"
    /// }))?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn import(
        &self,
        dialect: Dialect,
        document: &serde_json::Value,
    ) -> Result<usize, ImportError> {
        let events = event::import(dialect, document)?;
        let count = events.len();
        for data in events {
            self.instance.push_foreign(data);
        }
        Ok(count)
    }

    /// The live tree, to pause it while a person is asked something; `None` unless it was switched on.
    pub fn console(&self) -> Option<ConsoleHandle> {
        self.worker.as_ref()?.console()
    }

    /// The page, and where to look at it; `None` unless it was [switched on](TelemetryBuilder::viewer). It is served until the shutdown.
    #[cfg(feature = "viewer")]
    pub fn viewer(&self) -> Option<&crate::viewer::ViewerHandle> {
        self.viewer.as_ref()
    }

    /// Deletes what waits to be sent to the collector, in memory and in the spool, but for the requests under way. Returns how many
    /// records that were; reports count them as [`Purged`](crate::Loss::Purged). For what must not leave any more: see
    /// [`History::erase`](crate::history::History::erase) for what is kept here.
    #[cfg(feature = "otlp")]
    pub fn purge_unsent(&self) -> u64 {
        self.worker.as_ref().map_or(0, |worker| worker.purge())
    }

    /// The numbers so far.
    pub fn stats(&self) -> Report {
        self.report(true, Duration::ZERO)
    }

    /// Waits until everything recorded before this call is delivered or given up, `timeout` at most. Works from any
    /// thread, with or without a runtime; inside an async task it blocks the task's thread, see
    /// [`flush_async`](Self::flush_async).
    pub fn flush(&self, timeout: Duration) -> Report {
        Closing::of(self).ask(Ask::Flush, timeout)
    }

    /// The same without blocking the task's thread.
    pub async fn flush_async(&self, timeout: Duration) -> Report {
        let closing = Closing::of(self);
        off_thread(move || closing.ask(Ask::Flush, timeout))
            .await
            .unwrap_or_else(|| self.report(false, timeout))
    }

    /// Ends what is still open (marked interrupted), flushes, and stops the thread: [`SHUTDOWN_TIMEOUT`](Self::SHUTDOWN_TIMEOUT)
    /// at most. Later records are counted as `after_shutdown`. A second call gives the first one's report again.
    pub fn shutdown(&self) -> Report {
        self.shutdown_within(Self::SHUTDOWN_TIMEOUT)
    }

    /// The same with a timeout of one's own.
    pub fn shutdown_within(&self, timeout: Duration) -> Report {
        Closing::of(self).ask(Ask::Shutdown, timeout)
    }

    /// The same without blocking the task's thread.
    pub async fn shutdown_async(&self) -> Report {
        let closing = Closing::of(self);
        let timeout = Self::SHUTDOWN_TIMEOUT;
        off_thread(move || closing.ask(Ask::Shutdown, timeout))
            .await
            .unwrap_or_else(|| self.report(false, timeout))
    }

    fn report(&self, in_time: bool, took: Duration) -> Report {
        Closing::of(self).report(in_time, took)
    }
}

/// A longer timeout is this one: the clock cannot say every point in time.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 3600);

/// How long after its deadline the thread may take to write what it gave up into the books. It takes microseconds; the rest
/// is for a machine that is busy elsewhere.
const CLOSING_TIME: Duration = Duration::from_millis(500);

impl Drop for Telemetry {
    fn drop(&mut self) {
        self.shutdown();
    }
}

/// What flushing and shutting down need, free of the handle's lifetime.
#[derive(Clone)]
struct Closing {
    instance: Arc<Instance>,
    bus: Bus,
    worker: Option<Arc<Worker>>,
    writers: Arc<Writers>,
    reporters: Arc<Reporters>,
    #[cfg(feature = "viewer")]
    viewer: Option<crate::viewer::ViewerHandle>,
    stages: Arc<Stages>,
}

impl Closing {
    fn of(telemetry: &Telemetry) -> Self {
        Self {
            instance: Arc::clone(&telemetry.instance),
            bus: telemetry.bus.clone(),
            worker: telemetry.worker.clone(),
            writers: Arc::clone(&telemetry.writers),
            reporters: Arc::clone(&telemetry.reporters),
            #[cfg(feature = "viewer")]
            viewer: telemetry.viewer.clone(),
            stages: Arc::clone(&telemetry.stages),
        }
    }

    fn ask(&self, ask: Ask, timeout: Duration) -> Report {
        let begun = Instant::now();
        let deadline = begun + timeout.min(LONGEST);
        let report = match ask {
            Ask::Flush if self.stages.is_running() => {
                let in_time = self.settle(ask, deadline);
                let report = self.report(in_time, begun.elapsed());
                // A shutdown that came in between may have taken over what this flush waited for.
                let ended = if in_time {
                    None
                } else {
                    self.stages.report(deadline)
                };
                Some(ended.unwrap_or(report))
            }
            Ask::Shutdown if self.stages.begin_end() => Some(self.end(deadline, begun)),
            Ask::Flush | Ask::Shutdown => self.stages.report(deadline),
        };
        report.unwrap_or_else(|| self.report(false, begun.elapsed()))
    }

    /// Ends everything. What is recorded afterwards finds the queue closed, and is counted there.
    fn end(&self, deadline: Instant, begun: Instant) -> Report {
        self.instance.end_open_spans();
        self.instance.queue.close();
        let in_time = self.settle(Ask::Shutdown, deadline);
        let report = self.report(in_time, begun.elapsed());
        self.stages.end(&report);
        report
    }

    fn settle(&self, ask: Ask, deadline: Instant) -> bool {
        let Some(worker) = &self.worker else {
            return true;
        };
        let answer: Answer = worker.ask(ask, deadline);
        let processed = Answer::wait(&answer.processed, deadline).is_some();
        let handled = self.bus.flush(deadline).complete;
        let written = match ask {
            Ask::Flush => self.writers.flush(deadline),
            Ask::Shutdown => self.writers.end(deadline),
        };
        let reported = match ask {
            Ask::Flush => self.reporters.flush(deadline),
            Ask::Shutdown => self.reporters.end(deadline),
        };
        // The thread keeps the deadline too; what it gives up then is in the books a moment later.
        let settled = Answer::wait(&answer.settled, deadline + CLOSING_TIME).unwrap_or(false);
        if ask == Ask::Shutdown {
            self.bus.close();
        }
        #[cfg(feature = "viewer")]
        if let Some(viewer) = &self.viewer {
            viewer.settle();
            if ask == Ask::Shutdown {
                // It shows the end of everything, and nothing waits for who looks.
                viewer.end(deadline + CLOSING_TIME);
            }
        }
        processed && handled && written && reported && settled
    }

    fn report(&self, in_time: bool, took: Duration) -> Report {
        let mut report = Report {
            capture: self.instance.books.read(),
            partial: self.instance.parts.read().dropped,
            bus: self.bus.stats(),
            writers: self.writers.tallies(),
            reporters: self.reporters.tallies(),
            #[cfg(feature = "viewer")]
            viewer: self.viewer.as_ref().map(crate::viewer::ViewerHandle::tally),
            redacted: self.instance.redactions.total(),
            filtered: self.instance.levels.filtered(),
            scopes: self.instance.misuse.read(),
            in_time,
            took,
            ..Report::default()
        };
        if let Some(worker) = &self.worker {
            worker.fill(&mut report);
        }
        report
    }
}

/// Runs `f` on a thread of its own and resolves when it is done; needs no runtime.
pub(crate) async fn off_thread<T: Send + 'static>(
    f: impl FnOnce() -> T + Send + 'static,
) -> Option<T> {
    let (done, result) = tokio::sync::oneshot::channel();
    std::thread::Builder::new()
        .name("tracing-genai-flush".into())
        .spawn(move || {
            let _ = done.send(f());
        })
        .ok()?;
    result.await.ok()
}
