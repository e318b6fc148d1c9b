//! What a configuration says, where the builder was told nothing.
//!
//! Promise: code over environment over file over default, for every setting. What other parts of this crate read from the
//! environment, they read from the file the same way: a file stands in for the variables that are not set.

use std::collections::HashMap;
use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::super::ConfigError;
use super::{Lookup, TelemetryBuilder};
use crate::config::{Config, Source};
use crate::console::{ConsoleOptions, Output};
use crate::event::{Channel, Level};
use crate::files::{JsonFile, Rotation};
use crate::pipeline::levels::{Least, Said};
use crate::telemetry::switches::filter;

/// What stands in for a variable, or beside it.
enum Stand {
    /// Where the variable is not set.
    Below(String),
    /// Whether it is set or not.
    Above(String),
    /// Entries of a list, before and after those of the variable; the last one of a name counts.
    Around(String, String),
}

impl TelemetryBuilder {
    /// Takes settings from a configuration. Whatever the builder is told, before or after, goes before what `config` says.
    ///
    /// ```
    /// use tracing_genai::{Telemetry, config::Config};
    ///
    /// let config = Config::load()?; // the file that TRACING_GENAI_CONFIG names, if it does
    /// let telemetry = Telemetry::builder("planner").config(config).build()?;
    /// # Ok::<(), tracing_genai::ConfigError>(())
    /// ```
    pub fn config(mut self, config: Config) -> Self {
        self.config = Some(config);
        self
    }

    /// Fills in from the configuration what was left open.
    pub(super) fn configured(mut self) -> Result<Self, ConfigError> {
        let Some(config) = self.config.take() else {
            return Ok(self);
        };
        let config = config.within(&self.environment);
        if !self.said.level
            && let Some(level) = config.text("logging.level")
        {
            self.level = filter(&level);
        }
        if !self.said.enabled
            && let Some(on) = config.flag("monitoring.enabled")
        {
            self.enabled = on;
        }
        if let Some((value, source)) = config.effective("capture.content")
            && let Some(mode) = value.as_str().and_then(|word| word.parse().ok())
        {
            self.content.configured(mode, source == Source::Code);
        }
        if self.security.is_none() {
            self.security = config.policy()?;
        }
        if self.redactor.is_none() {
            self.redactor = Some(config.redactor()?);
        }
        for (channel, level, _) in config.named("logging.channels") {
            let least = least(&level);
            self.channel_levels
                .push((Channel::new(channel), least, Said::File));
        }
        if self.channels.is_none()
            && let Some(names) = config.list("monitoring.channels")
        {
            self.channels = Some(names.into_iter().map(Channel::new).collect());
        }
        if self.console.is_none() && config.flag("outputs.console") == Some(true) {
            self.console = Some((Output::stderr(), ConsoleOptions::default()));
        }
        self = self.page(&config)?;
        self = self.files(&config)?;
        self = self.api(&config)?;
        #[cfg(feature = "otlp")]
        {
            if config.is_named("otlp.endpoint") && self.otlp.is_none() {
                self.otlp = Some(crate::otlp::OtlpConfig::new());
            }
            if let Some(path) = config.text("otlp.spool.path")
                && self.spool.is_none()
            {
                let bytes = config.whole("otlp.spool.max_mb") << 20;
                self.spool = Some(crate::otlp::SpoolConfig::new(path).max_bytes(bytes));
            }
        }
        let stands = stands(&config);
        let outer = Arc::clone(&self.environment);
        self.environment = Arc::new(move |name| look(&stands, &*outer, name));
        self.config = Some(config);
        Ok(self)
    }

    /// The page of the process's own.
    #[cfg(feature = "viewer")]
    fn page(mut self, config: &Config) -> Result<Self, ConfigError> {
        if self.viewer.is_none()
            && let Some(address) = config.text("outputs.viewer")
        {
            let viewer = crate::viewer::Viewer::new(address);
            self.viewer = Some(match config.text("outputs.viewer_token") {
                Some(token) => viewer.token(token).beyond_loopback(),
                None => viewer,
            });
        }
        Ok(self)
    }

    #[cfg(not(feature = "viewer"))]
    fn page(self, config: &Config) -> Result<Self, ConfigError> {
        match config.text("outputs.viewer") {
            Some(_) => Err(crate::config::SettingsError::Feature {
                key: "outputs.viewer",
                feature: "viewer",
            }
            .into()),
            None => Ok(self),
        }
    }

    /// The event file and the history.
    fn files(mut self, config: &Config) -> Result<Self, ConfigError> {
        let taken = self.writers.iter().any(|writer| writer.name == "json file");
        if let Some(path) = config.text("logging.file").filter(|_| !taken) {
            let rotation = if config.flag("logging.file_rotation") == Some(false) {
                Rotation::Never
            } else {
                Rotation::Size {
                    bytes: config.whole("logging.max_file_size_mb") << 20,
                    backups: config.whole("logging.backup_count") as u32,
                }
            };
            let agent = config.text("monitoring.agent_id");
            self = self.writer("json file", move |service| {
                let agent = agent.as_deref().unwrap_or(service);
                let file = JsonFile::new(path).agent(agent).rotation(rotation);
                Ok(Box::new(file.open()?))
            });
        }
        let Some(path) = config.text("history.path") else {
            return Ok(self);
        };
        #[cfg(feature = "sqlite")]
        if matches!(self.history, super::Keep::Default) {
            let days = config.whole("compliance.retention_days") as u32;
            let store = crate::history::SqliteStore::builder()
                .path(path)
                .retention_days(days)
                .open()?;
            self = self.history(store);
        }
        #[cfg(not(feature = "sqlite"))]
        let answer = {
            drop(path);
            Err(crate::config::SettingsError::Feature {
                key: "history.path",
                feature: "sqlite",
            }
            .into())
        };
        #[cfg(feature = "sqlite")]
        let answer = Ok(self);
        answer
    }
}

pub(in crate::telemetry) fn least(level: &str) -> Least {
    match level {
        "OFF" => Least::Off,
        level => Least::Level(Level::from_str_lossy(level)),
    }
}

fn look(stands: &HashMap<&str, Stand>, outer: &Lookup, name: &str) -> Option<String> {
    let outer = outer(name).filter(|text| !text.trim().is_empty());
    match stands.get(name) {
        None => outer,
        Some(Stand::Above(text)) => Some(text.clone()),
        Some(Stand::Below(text)) => outer.or_else(|| Some(text.clone())),
        Some(Stand::Around(before, after)) => {
            let outer = outer.unwrap_or_default();
            Some([before.as_str(), &outer, after].join(","))
        }
    }
}

/// The variables that are read elsewhere, as the configuration has them.
fn stands(config: &Config) -> HashMap<&'static str, Stand> {
    let mut stands = HashMap::new();
    for key in Config::keys() {
        let read_elsewhere = key.path.starts_with("otlp.") || key.path == "service.name";
        if !read_elsewhere || key.variable.is_empty() {
            continue;
        }
        let (text, source) = match config.effective(key.path) {
            Some((serde_json::Value::String(text), source)) => (text, source),
            Some((value, source)) => (value.to_string(), source),
            None => continue,
        };
        match source {
            Source::File => stands.insert(key.variable, Stand::Below(text)),
            Source::Code => stands.insert(key.variable, Stand::Above(text)),
            Source::Environment => None,
        };
    }
    let headers = config.named("otlp.headers").into_iter();
    let resource = [
        ("deployment.environment", "deployment.environment.name"),
        ("monitoring.agent_id", crate::semconv::GEN_AI_MAIN_AGENT_ID),
    ];
    let resource = resource.into_iter().filter_map(|(path, name)| {
        let (value, source) = config.effective(path)?;
        Some((name.to_owned(), value.as_str()?.to_owned(), source))
    });
    around(&mut stands, "OTEL_EXPORTER_OTLP_HEADERS", headers);
    around(&mut stands, "OTEL_RESOURCE_ATTRIBUTES", resource);
    stands
}

fn around(
    stands: &mut HashMap<&'static str, Stand>,
    variable: &'static str,
    entries: impl Iterator<Item = (String, String, Source)>,
) {
    let (mut before, mut after) = (Vec::new(), Vec::new());
    for (name, value, source) in entries {
        let entry = format!("{name}={}", utf8_percent_encode(&value, NON_ALPHANUMERIC));
        match source {
            Source::File => before.push(entry),
            Source::Code | Source::Environment => after.push(entry),
        }
    }
    if before.len() + after.len() > 0 {
        stands.insert(variable, Stand::Around(before.join(","), after.join(",")));
    }
}
