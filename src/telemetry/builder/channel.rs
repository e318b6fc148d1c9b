//! Channels as the builder is told of them.

use super::TelemetryBuilder;
use crate::event::{Channel, Level};
use crate::pipeline::levels::{Least, Said};

impl TelemetryBuilder {
    /// Tells events of this channel only from this level on. What is below reaches neither bus nor history, files, console and
    /// logs, and is counted in [`Report::filtered`](crate::Report::filtered); spans are exported and measured all the same. At run
    /// time [`Telemetry::channel`](crate::Telemetry::channel) does the same. Default: all events of all channels.
    ///
    /// ```
    /// use tracing_genai::{Telemetry, event::Level};
    ///
    /// let telemetry = Telemetry::builder("planner")
    ///     .channel_level("LLM", Level::Warn)
    ///     .channel_off("CACHE")
    ///     .build()?;
    /// assert!(!telemetry.channel("LLM").tells(Level::Info));
    /// # Ok::<(), tracing_genai::ConfigError>(())
    /// ```
    pub fn channel_level(mut self, channel: impl Into<Channel>, least: Level) -> Self {
        self.channel_levels
            .push((channel.into(), Least::Level(least), Said::Code));
        self
    }

    /// Whether it records from the start. Default `true`; [`Telemetry::enable`](crate::Telemetry::enable) and
    /// [`disable`](crate::Telemetry::disable) change it later.
    pub fn enabled(mut self, on: bool) -> Self {
        self.enabled = on;
        self.said.enabled = true;
        self
    }

    /// Tells no events of this channel.
    pub fn channel_off(mut self, channel: impl Into<Channel>) -> Self {
        self.channel_levels
            .push((channel.into(), Least::Off, Said::Code));
        self
    }
}
