//! Building a [`Telemetry`]: builder over environment over defaults.

mod bounds;
mod capture;
mod channel;
#[cfg(feature = "config")]
mod config;
mod content;
mod enrich;
mod events;
#[cfg(feature = "otlp")]
mod otlp;
mod reporter;
#[cfg(feature = "viewer")]
mod viewer;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use opentelemetry::{KeyValue, Value as OtelValue};
use opentelemetry_sdk::trace::{IdGenerator, RandomIdGenerator, ShouldSample, SpanExporter};
use tracing::level_filters::LevelFilter;

#[cfg(feature = "config")]
pub(super) use config::least;

use super::env::{self, Env};
#[cfg(feature = "otlp")]
use super::outlets;
use super::reporters::Reporters;
use super::writers::{Keep, Wanted, Writers};
use super::{ConfigError, Telemetry};
use crate::budget::{Budget, Ledger, Meter};
use crate::bus::Bus;
use crate::clock::Clock;
use crate::console::{ConsoleOptions, Output};
use crate::content::{ContentStore, DirectoryStore, Redactions, Stage, Uploads, upload_directory};
use crate::diagnostics;
use crate::enrich::builtin::Prices;
use crate::enrich::{CostModel, Enrich, Hooks, ModelAliases};
use crate::event::{Channel, EventId};
use crate::export::Exports;
#[cfg(feature = "otlp")]
use crate::export::metrics::MetricNames;
use crate::export::plugged::{BoxedExporter, Plugged};
use crate::history::{History, MemoryStore};
use crate::layer::instance::{Instance, Sampling, next_number};
use crate::layer::misuse::Misuse;
use crate::layer::spare::Spare;
use crate::layer::state::OpenSpans;
use crate::layer::switch::Switch;
use crate::layer::{ChunkExport, ScopePolicy, Steps};
use crate::pipeline::Rules;
use crate::pipeline::channels::DeclaredChannels;
use crate::pipeline::levels::{ChannelLevels, Least, Said};
use crate::pipeline::queue::Queue;
use crate::pipeline::thread::{Parts, Worker};
use crate::security::Policy;
use crate::security::redact::Redactor;
use crate::stats::Books;

/// Settings of a [`Telemetry`]. Made by [`Telemetry::builder`].
///
/// Everything has a default that is safe in production: nothing is exported until an exporter is named, content is not
/// captured, memory is bounded.
#[must_use = "nothing runs until `build`"]
pub struct TelemetryBuilder {
    service: String,
    resource: Vec<KeyValue>,
    environment: Arc<Lookup>,
    pub(crate) clock: Clock,
    pub(crate) ids: Box<dyn IdGenerator>,
    sampler: Option<Box<dyn ShouldSample>>,
    level: LevelFilter,
    steps: Steps,
    genai_only: bool,
    activate: bool,
    error_messages: Option<bool>,
    estimate_tokens: bool,
    mirror_moments: bool,
    chunk_text: bool,
    chunk_export: ChunkExport,
    scopes: ScopePolicy,
    content: content::Wanted,
    /// `None` until it is decided.
    redactor: Option<Option<Redactor>>,
    raw: Option<Bus>,
    content_store: Option<Arc<dyn ContentStore>>,
    security: Option<Policy>,
    dedupe: Option<usize>,
    channels: Option<Vec<Channel>>,
    channel_levels: Vec<(Channel, Least, Said)>,
    enabled: bool,
    said: Asked,
    #[cfg(feature = "config")]
    config: Option<crate::config::Config>,
    queue_records: usize,
    queue_bytes: usize,
    batch: BatchSettings,
    hooks: Vec<Box<dyn Enrich>>,
    prices: Option<Arc<dyn CostModel>>,
    aliases: ModelAliases,
    console: Option<(Output, ConsoleOptions)>,
    writers: Vec<Wanted>,
    reporters: Vec<crate::reporter::Reporting>,
    #[cfg(feature = "viewer")]
    viewer: Option<crate::viewer::Viewer>,
    bus: Option<Bus>,
    budgets: Vec<Budget>,
    history: Keep,
    #[cfg(feature = "otlp")]
    metric_names: MetricNames,
    plugged: Vec<BoxedExporter>,
    #[cfg(feature = "otlp")]
    otlp: Option<crate::otlp::OtlpConfig>,
    #[cfg(feature = "otlp")]
    spool: Option<crate::otlp::SpoolConfig>,
}

/// A variable of the process. One that is no text counts as unset, and is said to.
fn of_process(name: &str) -> Option<String> {
    match std::env::var(name) {
        Ok(value) => Some(value),
        Err(std::env::VarError::NotPresent) => None,
        Err(std::env::VarError::NotUnicode(_)) => {
            diagnostics::say_once(
                name,
                format_args!("{name} is not valid UTF-8 and is ignored"),
            );
            None
        }
    }
}

type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Settings whose defaults do not show whether they were chosen.
#[derive(Debug, Clone, Copy, Default)]
#[cfg_attr(
    not(feature = "config"),
    allow(dead_code, reason = "only a configuration asks")
)]
pub(super) struct Asked {
    pub(super) level: bool,
    pub(super) enabled: bool,
}

/// When a batch is closed: at so many records, at so many bytes, or when its first record is so old.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BatchSettings {
    pub(crate) records: Option<usize>,
    pub(crate) bytes: usize,
    pub(crate) delay: Option<Duration>,
}

impl fmt::Debug for TelemetryBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TelemetryBuilder")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

impl TelemetryBuilder {
    /// Records the queue to the telemetry thread holds at most. At an agent's pace this is hours; it is sized for bursts.
    pub const DEFAULT_QUEUE_RECORDS: usize = 65_536;
    /// Bytes the queue holds at most: 32 MiB, some 25,000 spans of the usual size.
    pub const DEFAULT_QUEUE_BYTES: usize = 32 * 1024 * 1024;
    /// Bytes of an encoded batch: 1 MiB, a quarter of what receivers commonly take.
    pub const DEFAULT_BATCH_BYTES: usize = 1024 * 1024;

    pub(super) fn new(service: String) -> Self {
        Self {
            service,
            resource: Vec::new(),
            environment: Arc::new(of_process),
            clock: Clock::system(),
            ids: Box::<RandomIdGenerator>::default(),
            sampler: None,
            level: LevelFilter::INFO,
            steps: Steps::default(),
            genai_only: false,
            activate: true,
            error_messages: None,
            estimate_tokens: false,
            mirror_moments: true,
            chunk_text: false,
            chunk_export: ChunkExport::default(),
            scopes: ScopePolicy::default(),
            content: content::Wanted::default(),
            redactor: None,
            raw: None,
            content_store: None,
            security: None,
            dedupe: None,
            channels: None,
            channel_levels: Vec::new(),
            enabled: true,
            said: Asked::default(),
            #[cfg(feature = "config")]
            config: None,
            queue_records: Self::DEFAULT_QUEUE_RECORDS,
            queue_bytes: Self::DEFAULT_QUEUE_BYTES,
            batch: BatchSettings {
                records: None,
                bytes: Self::DEFAULT_BATCH_BYTES,
                delay: None,
            },
            hooks: Vec::new(),
            prices: None,
            aliases: ModelAliases::new(),
            console: None,
            writers: Vec::new(),
            reporters: Vec::new(),
            #[cfg(feature = "viewer")]
            viewer: None,
            bus: None,
            budgets: Vec::new(),
            history: Keep::Default,
            #[cfg(feature = "otlp")]
            metric_names: MetricNames::default(),
            plugged: Vec::new(),
            #[cfg(feature = "otlp")]
            otlp: None,
            #[cfg(feature = "otlp")]
            spool: None,
        }
    }

    // === who and where ===

    /// Adds an attribute of the resource, for instance `service.version` or `deployment.environment.name`. Wins over
    /// `OTEL_RESOURCE_ATTRIBUTES`.
    pub fn resource_attribute(mut self, name: &'static str, value: impl Into<OtelValue>) -> Self {
        self.resource.push(KeyValue::new(name, value));
        self
    }

    /// Looks environment variables up by `lookup` instead of in the process's environment.
    pub fn environment(
        mut self,
        lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.environment = Arc::new(lookup);
        self
    }

    /// Gives every sampled span to an exporter of the OpenTelemetry SDK too. It is built by the caller, told the resource
    /// here, and driven inside the telemetry thread's runtime by a thread of its own, on which it may block. Its errors and
    /// panics are counted as `hook`; a span given to two exporters counts twice in [`Report::plugged`](crate::Report::plugged).
    pub fn span_exporter(mut self, exporter: impl SpanExporter + 'static) -> Self {
        self.plugged.push(BoxedExporter::new(exporter));
        self
    }

    /// Shows runs as a live tree on stderr: redrawn in place on a terminal, plain lines elsewhere.
    pub fn console(self) -> Self {
        self.console_to(Output::stderr(), ConsoleOptions::default())
    }

    /// The same, elsewhere or in another way.
    pub fn console_to(mut self, output: Output, options: ConsoleOptions) -> Self {
        self.console = Some((output, options));
        self
    }

    /// Starts the telemetry thread.
    ///
    /// # Errors
    /// When a setting cannot work; see [`ConfigError`]. Nothing has been started then.
    pub fn build(mut self) -> Result<Telemetry, ConfigError> {
        #[cfg(feature = "config")]
        {
            self = self.configured()?;
        }
        self.check()?;
        let ledger = Arc::new(Ledger::new(&self.budgets)?);
        let environment = Arc::clone(&self.environment);
        let env: Env<'_> = &*environment;
        let service = match self.service.trim() {
            "" => env::service_name(env).ok_or(ConfigError::NoServiceName)?,
            given => given.to_owned(),
        };
        let disabled_by = env::disabled_by(env);
        let disabled = disabled_by.is_some();
        let random = u128::from_be_bytes(self.ids.new_trace_id().to_bytes());
        let begun = self.clock.now();
        let born = EventId::new(self.clock.unix_nanos(begun) / 1_000_000, random);
        let mut resource = env::resource(env, &service, born.to_string(), self.resource.clone());
        let redactor = self
            .redactor
            .take()
            .unwrap_or_else(|| Some(Redactor::standard()));
        if let Some(redactor) = &redactor {
            resource = content::without_secrets(resource, redactor);
        }
        let limits = env::limits(env);
        #[cfg(feature = "otlp")]
        // Where nothing is sent, nothing has to be known, or said, about where to.
        let otlp = if disabled { None } else { self.targets(env)? };
        #[cfg(feature = "otlp")]
        let console = Self::console_chosen(self.console, self.otlp.is_some() && !disabled, env)?;
        #[cfg(not(feature = "otlp"))]
        let console = self.console;

        let console = console.map(|(output, mut options)| {
            options.redactor.clone_from(&redactor);
            (output, options)
        });
        let chunks_wanted = console
            .as_ref()
            .is_some_and(|(_, options)| options.wants_chunks());
        let rules = self.content.rules(env)?;
        let (content, error_messages) = (
            rules.any() || self.security.is_some(),
            self.error_messages.unwrap_or(rules.texts()),
        );
        let redactions = Arc::<Redactions>::default();
        let sampling = self
            .sampler
            .or_else(|| env::sampler(env).map(|s| Box::new(s) as Box<dyn ShouldSample>));
        let parts = Arc::new(Books::default());
        let bus = self.bus.unwrap_or_default();
        let instance = Arc::new(Instance {
            number: next_number(),
            clock: self.clock,
            limits,
            queue: Arc::new(Queue::new(self.queue_records, self.queue_bytes)),
            open: OpenSpans::default(),
            spare: Spare::default(),
            books: Books::default(),
            parts: Arc::clone(&parts),
            bus: bus.clone(),
            starts_wanted: console.is_some() || !self.hooks.is_empty(),
            chunks_wanted,
            switch: Switch::new(self.enabled && !disabled, self.level),
            levels: ChannelLevels::new(self.channel_levels),
            ids: self.ids,
            sampling: sampling.map_or(Sampling::ParentElseAlways, Sampling::Custom),
            steps: self.steps,
            genai_only: self.genai_only,
            activate: self.activate,
            error_messages,
            estimate_tokens: self.estimate_tokens,
            mirror_moments: self.mirror_moments,
            content,
            redactions: Arc::clone(&redactions),
            security: self.security.map(Arc::new),
            chunk_export: self.chunk_export,
            scopes: self.scopes,
            misuse: Misuse::default(),
            told_late: AtomicBool::new(disabled),
            chunk_text: self.chunk_text,
        });
        let propagators = env::propagators(env);
        if let Some(variable) = disabled_by {
            instance.queue.close();
            // A handler would start a thread, and a subscriber wait for what never comes.
            bus.close();
            // Gone at once, so that nobody waits for it.
            drop(Meter::new(Arc::clone(&ledger)));
            return Ok(Telemetry::new(
                instance,
                bus,
                None,
                Writers::default(),
                History::new(MemoryStore::with_limits(0, 0)),
                propagators,
            )
            .with_budgets(ledger)
            .disabled_because_of(variable));
        }
        let (history, recent) = self.history.attach(&bus, &instance, &mut self.writers);
        let writers = Writers::start(self.writers, &service, &bus)?;
        let reporters = Reporters::start(self.reporters, &bus)?;
        let plugged = (!self.plugged.is_empty())
            .then(|| Plugged::new(self.plugged, &resource, self.batch, self.queue_bytes));
        let clock = instance.clock.clone();
        #[cfg(feature = "viewer")]
        let (viewer, page) = {
            let past = recent.is_none().then(|| history.clone());
            viewer::start(self.viewer, &resource, begun, &instance, rules.word(), past)?.unzip()
        };
        #[cfg(feature = "otlp")]
        let observed = Arc::clone(&instance);
        #[cfg(feature = "otlp")]
        let outlets = outlets::Outlets::new(
            otlp,
            resource,
            self.batch,
            self.queue_bytes,
            self.spool,
            self.metric_names,
            env,
        )?;
        #[cfg(not(feature = "otlp"))]
        drop(resource);
        let upstream = || {
            let directory = upload_directory(env)?;
            Some(Arc::new(DirectoryStore::new(directory)) as Arc<dyn ContentStore>)
        };
        let uploads = self
            .content_store
            .or_else(upstream)
            .filter(|_| content)
            .map(|store| Uploads::start(store, Arc::clone(&parts)))
            .transpose()
            .map_err(ConfigError::Thread)?;
        let stage = Stage::new(
            rules,
            error_messages,
            redactor,
            redactions,
            Arc::clone(&parts),
            uploads,
        );
        let worker = Worker::start(Parts {
            instance: Arc::clone(&instance),
            bus: bus.clone(),
            hooks: Hooks::new(self.hooks, parts),
            prices: Prices {
                model: self.prices.unwrap_or_else(Prices::default_model),
                aliases: self.aliases,
            },
            console,
            rules: Rules {
                stage,
                raw: self.raw,
                recent,
                dedupe: self.dedupe,
                channels: self.channels.map(DeclaredChannels::new),
                budgets: Meter::new(Arc::clone(&ledger)),
            },
            #[cfg(feature = "otlp")]
            exports: Box::new(move |runtime| {
                let otlp = outlets.open(&observed, runtime);
                Exports {
                    clock,
                    plugged,
                    otlp,
                    #[cfg(feature = "viewer")]
                    viewer,
                }
            }),
            #[cfg(not(feature = "otlp"))]
            exports: Box::new(move |_| Exports {
                clock,
                plugged,
                #[cfg(feature = "viewer")]
                viewer,
            }),
        })
        .map_err(ConfigError::Thread)?;
        let telemetry = Telemetry::new(instance, bus, Some(worker), writers, history, propagators)
            .with_reporters(reporters)
            .with_budgets(ledger);
        #[cfg(feature = "viewer")]
        let telemetry = telemetry.with_viewer(page);
        #[cfg(feature = "config")]
        let telemetry =
            telemetry.with_config(self.config.unwrap_or_default(), environment, self.said);
        Ok(telemetry)
    }
}

#[cfg(feature = "testing")]
impl TelemetryBuilder {
    /// Takes time and ids from fixed sequences: the clock starts at 2025-01-01T00:00:00Z and moves on by `step` at every
    /// reading, ids count up from 1. For tests that compare whole traces.
    pub fn deterministic(mut self, step: Duration) -> Self {
        self.clock = Clock::fixed(step);
        self.ids = Box::new(crate::testing::CountingIds::default());
        self
    }

    /// Keeps the wall-clock time at which this installation's monotonic axis begins in `wall`, in nanoseconds since the Unix
    /// epoch. Changing it is what setting the machine's clock does, until that is read again some 10 s later.
    #[doc(hidden)]
    pub fn wall_clock(mut self, wall: Arc<std::sync::atomic::AtomicU64>) -> Self {
        self.clock = Clock::settable(wall);
        self
    }
}
