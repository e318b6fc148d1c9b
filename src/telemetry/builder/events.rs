//! What becomes of events inside the process: bus, history, files, and the rules about spans and events.

use std::path::PathBuf;

use super::super::ConfigError;
use super::super::writers::{Keep, Kept, Wanted};
use super::TelemetryBuilder;
use crate::budget::Budget;
use crate::bus::Bus;
use crate::event::Channel;
use crate::files::{EventFile, JsonFile};
use crate::history::EventStore;
use crate::layer::{ChunkExport, ScopePolicy};
use crate::outlet::EventWriter;
use crate::render::Render;

impl TelemetryBuilder {
    /// Publishes the events on a bus of yours, for instance [`Bus::global`], instead of one of its own. Shutting down closes
    /// it.
    pub fn bus(mut self, bus: Bus) -> Self {
        self.bus = Some(bus);
        self
    }

    /// Keeps the history in `store`: a [`MemoryStore`](crate::history::MemoryStore), an `SqliteStore`, or a store of the application's own. It gets every
    /// event as it happens, starts and pieces of streams among them.
    ///
    /// Default: the last 1,000 spans that ended and moments, in 4 MiB at most, made into events when they are asked for. That
    /// asks nothing more of the application's threads, and has its price: where nobody else listens, a start is told from its end,
    /// pieces of streams are missing, and events do not name the [parent and the previous event](crate::event::Causality).
    pub fn history<S: EventStore + 'static>(mut self, store: S) -> Self {
        self.history = Keep::In(Box::new(Kept::new(store)));
        self
    }

    /// Keeps no history.
    pub fn without_history(mut self) -> Self {
        self.history = Keep::Nothing;
        self
    }

    /// Writes every event as a line of JSON to the file at `path`: 10 MiB, then five older ones, as
    /// [`JsonFile`](crate::files::JsonFile) does it. A directory gets a file named after the service and the time.
    pub fn json_file(self, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        self.writer("json file", move |service| {
            Ok(Box::new(JsonFile::new(path).agent(service).open()?))
        })
    }

    /// Writes events to a file in the way, and with the rotation, that `file` says.
    pub fn event_file<R: Render + Send + 'static>(self, file: EventFile<R>) -> Self {
        self.writer("event file", move |_| Ok(Box::new(file.open()?)))
    }

    /// Gives every event to a writer of the application's own, in batches, on a thread of its own. `name` is what reports
    /// call it.
    ///
    /// ```
    /// use tracing_genai::{EventWriter, Telemetry, WriteError, event::Event};
    ///
    /// struct Count(usize);
    ///
    /// impl EventWriter for Count {
    ///     fn write(&mut self, events: &[Event]) -> Result<(), WriteError> {
    ///         self.0 += events.len();
    ///         Ok(())
    ///     }
    /// }
    ///
    /// let telemetry = Telemetry::builder("planner").event_writer("count", Count(0)).build()?;
    /// # Ok::<(), tracing_genai::ConfigError>(())
    /// ```
    pub fn event_writer(self, name: &'static str, writer: impl EventWriter) -> Self {
        self.writer(name, move |_| Ok(Box::new(writer)))
    }

    pub(super) fn writer(
        mut self,
        name: &'static str,
        open: impl FnOnce(&str) -> Result<Box<dyn EventWriter>, ConfigError> + Send + 'static,
    ) -> Self {
        let open = Box::new(open);
        self.writers.push(Wanted { name, open });
        self
    }

    /// Which pieces of streamed answers are exported as log records. Default: none; subscribers get every piece.
    pub fn chunk_export(mut self, export: ChunkExport) -> Self {
        self.chunk_export = export;
        self
    }

    /// Limits what one may spend, or each run, session or user, and tells when that is reached: see [`budget`](crate::budget).
    /// A budget that makes no sense is an error of [`build`](Self::build).
    ///
    /// ```
    /// use tracing_genai::{Telemetry, budget::Budget};
    ///
    /// let telemetry = Telemetry::builder("planner")
    ///     .budget(Budget::each_session().tokens(50_000))
    ///     .budget(Budget::each_user().cost_usd(0.25).warn_at(0.9))
    ///     .build()?;
    /// # Ok::<(), tracing_genai::ConfigError>(())
    /// ```
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budgets.push(budget);
        self
    }

    // === rules about spans and events ===

    /// When spans count as nested too deeply, and what is done about that and about spans left out of order.
    pub fn scopes(mut self, policy: ScopePolicy) -> Self {
        self.scopes = policy;
        self
    }

    /// Drops an emitted or imported event that is identical to one of the last `events` ones: same type, place, channel,
    /// level, attributes and content. What is dropped is counted as `duplicate`. Off by default; starts and ends of spans are
    /// never dropped.
    pub fn dedupe(mut self, events: usize) -> Self {
        self.dedupe = (events > 0).then_some(events);
        self
    }

    /// Declares the channels the application uses, beside the [known ones](Channel::KNOWN): an event on another one is
    /// reported once on stderr, and goes on. By default any channel will do.
    pub fn channels<C: Into<Channel>>(mut self, channels: impl IntoIterator<Item = C>) -> Self {
        self.channels = Some(channels.into_iter().map(Into::into).collect());
        self
    }
}
