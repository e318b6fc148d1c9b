//! What can be switched while an installation runs: recording as a whole, its level, its channels.
//!
//! Promise: switching is safe from any thread; open spans end as they would have, exactly once.
//! Never: starts or stops a thread.

use tracing::level_filters::LevelFilter;

use super::Telemetry;
use crate::event::{Channel, Level, Value};
use crate::layer::visit::with_scratch;
use crate::pipeline::levels::{Least, Said};
use crate::record::Moment;

impl Telemetry {
    /// Records again after [`disable`](Self::disable), and tells so by `monitoring.enabled`. False where it recorded already,
    /// after a shutdown, and where the environment had switched everything off at the start ([`disabled_by`](Self::disabled_by)).
    pub fn enable(&self) -> bool {
        if self.worker.is_none() || !self.stages.is_running() || !self.instance.switch.turn(true) {
            return false;
        }
        self.tell("monitoring.enabled", []);
        true
    }

    /// Records nothing until [`enable`](Self::enable), and tells so by `monitoring.disabled`, the last event until then. False
    /// where nothing was recorded before.
    ///
    /// A span that begins now is none, and costs what a call site costs that nobody listens to; what is imported or emitted is
    /// passed over, uncounted. Spans that were open end as they always do, once, with what is written to them until then; what
    /// outlets still hold is delivered.
    ///
    /// ```
    /// use tracing_genai::{Telemetry, chat};
    /// use tracing_subscriber::prelude::*;
    ///
    /// let telemetry = Telemetry::builder("planner").build()?;
    /// let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    /// tracing::subscriber::with_default(subscriber, || {
    ///     assert!(telemetry.disable());
    ///     chat("openai", "gpt-4o").start().complete(); // nobody hears of it
    ///     assert!(telemetry.enable());
    /// });
    /// telemetry.flush(std::time::Duration::from_secs(5));
    /// let told: Vec<_> = telemetry.history().oldest_first().fetch()?.iter().map(|event| event.ty.to_string()).collect();
    /// assert_eq!(told, ["monitoring.disabled", "monitoring.enabled"]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn disable(&self) -> bool {
        if !self.instance.switch.turn(false) {
            return false;
        }
        self.tell("monitoring.disabled", []);
        true
    }

    /// Whether anything is recorded.
    pub fn is_enabled(&self) -> bool {
        self.instance.is_on()
    }

    /// The environment variable that switched everything off when this was built: `OTEL_SDK_DISABLED`, or crewAI's
    /// `CREWAI_DISABLE_TELEMETRY` or `CREWAI_DISABLE_TRACKING`, each if it is `true` in any case. No thread was started then.
    pub fn disabled_by(&self) -> Option<&'static str> {
        self.disabled_by
    }

    /// Changes the most verbose level that is captured, what [`level`](crate::TelemetryBuilder::level) set.
    pub fn set_level(&self, level: LevelFilter) {
        self.instance.switch.set_level(level);
    }

    /// One channel, to have less of it: see [`ChannelSwitch`].
    pub fn channel(&self, channel: impl Into<Channel>) -> ChannelSwitch<'_> {
        ChannelSwitch {
            telemetry: self,
            channel: channel.into(),
        }
    }

    /// An event about this installation, whether it records or not.
    pub(super) fn tell<const N: usize>(
        &self,
        event: &'static str,
        attrs: [(&'static str, Value); N],
    ) {
        with_scratch(|fields| {
            for (name, value) in attrs {
                fields.set_value(name, value, &self.instance.limits);
            }
            self.instance.push_own_moment(Moment::new(event), fields);
        });
    }
}

/// A channel of a running installation. Made by [`Telemetry::channel`].
///
/// Events below the level of their channel reach no one: not bus, history, files, console and logs. They are counted in
/// [`Report::filtered`](crate::Report::filtered), and are no losses. Spans are exported and measured all the same: without some of
/// them, traces would have holes and totals would be wrong. What happens from now on counts; what waits in the queue may be taken
/// either way.
///
/// ```
/// use tracing_genai::event::Level;
/// use tracing_genai::{Telemetry, event, log_event};
/// use tracing_subscriber::prelude::*;
///
/// let telemetry = Telemetry::builder("planner").build()?;
/// telemetry.channel("LLM").level(Level::Warn);
/// telemetry.channel("CACHE").off();
///
/// let subscriber = tracing_subscriber::registry().with(telemetry.layer());
/// tracing::subscriber::with_default(subscriber, || {
///     log_event("prompt.shortened", serde_json::json!({ "by": 120 }), "LLM", Level::Info);
///     log_event("cache.missed", serde_json::json!({}), "CACHE", Level::Error);
///     log_event("answer.odd", serde_json::json!({}), "LLM", Level::Warn);
/// });
/// let report = telemetry.flush(std::time::Duration::from_secs(5));
/// assert_eq!(report.filtered, 2);
/// assert!(report.is_complete());
/// # Ok::<(), tracing_genai::ConfigError>(())
/// ```
#[derive(Debug)]
#[must_use = "nothing changes until it is told what to"]
pub struct ChannelSwitch<'a> {
    telemetry: &'a Telemetry,
    channel: Channel,
}

impl ChannelSwitch<'_> {
    /// Tells events at this level and above.
    pub fn level(&self, least: Level) {
        self.set(Least::Level(least));
    }

    /// Tells no events.
    pub fn off(&self) {
        self.set(Least::Off);
    }

    /// Tells all events, the default.
    pub fn on(&self) {
        self.set(Least::All);
    }

    /// Whether an event of this level is told.
    pub fn tells(&self, level: Level) -> bool {
        self.telemetry
            .instance
            .levels
            .let_through(&self.channel, level)
    }

    fn set(&self, least: Least) {
        let levels = &self.telemetry.instance.levels;
        levels.set(self.channel.clone(), least, Said::Code);
    }
}

/// The filter of a level that a configuration names.
#[cfg(feature = "config")]
pub(super) fn filter(level: &str) -> LevelFilter {
    match level {
        "OFF" => LevelFilter::OFF,
        level => match Level::from_str_lossy(level) {
            Level::Trace => LevelFilter::TRACE,
            Level::Debug => LevelFilter::DEBUG,
            Level::Info => LevelFilter::INFO,
            Level::Warn => LevelFilter::WARN,
            Level::Error | Level::Alert => LevelFilter::ERROR,
        },
    }
}
