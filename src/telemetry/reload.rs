//! Taking over a changed configuration while the installation runs.
//!
//! Promise: what can change at once does, what cannot is said; one event names the keys that changed, never a value.

use std::sync::{Arc, Mutex, PoisonError};

use super::Telemetry;
use super::builder::{Asked, least};
use super::switches::filter;
use crate::config::{self, Config, Lookup};
use crate::event::{Channel, Value};
use crate::pipeline::levels::{Least, Said};

/// What became of the keys that changed. From [`Telemetry::reload`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Reload {
    /// Keys that were applied.
    pub applied: Vec<String>,
    /// Keys that count from the next start on.
    pub needs_restart: Vec<String>,
    /// Keys that code decides: the builder was told, or the channel was switched, so they changed nothing.
    pub overridden: Vec<String>,
    /// Keys that nothing here acts on.
    pub unknown: Vec<String>,
}

impl Reload {
    /// Whether nothing had changed.
    pub fn is_empty(&self) -> bool {
        self.changed().next().is_none()
    }

    /// Every key that changed.
    pub fn changed(&self) -> impl Iterator<Item = &str> {
        let all = [
            &self.applied,
            &self.needs_restart,
            &self.overridden,
            &self.unknown,
        ];
        all.into_iter().flatten().map(String::as_str)
    }
}

/// The configuration in force, and what does not come from it.
pub(super) struct InForce {
    config: Mutex<Config>,
    environment: Arc<Lookup>,
    said: Asked,
}

impl std::fmt::Debug for InForce {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InForce").finish_non_exhaustive()
    }
}

impl InForce {
    pub(super) fn new(config: Config, environment: Arc<Lookup>, said: Asked) -> Self {
        // The builder's own look-up knows the file by now; what it looked up before is what counts.
        let config = config.within(&environment);
        let environment = config.lookup().unwrap_or(environment);
        Self {
            config: Mutex::new(config),
            environment,
            said,
        }
    }
}

impl Telemetry {
    /// Takes over what has changed in a configuration since the last time, or since [`build`](crate::TelemetryBuilder::build), and
    /// tells so by `config.updated`, whose `config.keys` are the paths of the changed keys. Values are never told. What the builder
    /// was told, and channels that code has switched, stay as they are.
    ///
    /// ```
    /// use tracing_genai::{Telemetry, config::Config};
    ///
    /// let mut config = Config::new();
    /// let telemetry = Telemetry::builder("planner").config(config.clone()).build()?;
    /// config.set("logging.level", "DEBUG")?;
    /// config.set("otlp.compression", "gzip")?;
    /// let reload = telemetry.reload(&config);
    /// assert_eq!(reload.applied, ["logging.level"]);
    /// assert_eq!(reload.needs_restart, ["otlp.compression"]);
    /// # Ok::<(), tracing_genai::ConfigError>(())
    /// ```
    pub fn reload(&self, config: &Config) -> Reload {
        let mut reload = Reload::default();
        let Some(in_force) = &self.in_force else {
            return reload;
        };
        let new = config.clone().within(&in_force.environment);
        let mut old = in_force
            .config
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let changed = config::changed(&old.all(), &new.all());
        if changed.is_empty() {
            return reload;
        }
        let keys: Vec<&str> = changed.iter().map(String::as_str).collect();
        let keys = Value::from(keys.as_slice());
        // Told while it records: before it is switched off, or once it is on again.
        let told = self.is_enabled();
        if told {
            self.tell("config.updated", [("config.keys", keys.clone())]);
        }
        for path in changed {
            let outcome = match config::live(&path) {
                None => &mut reload.unknown,
                Some(false) => &mut reload.needs_restart,
                Some(true) if self.apply(&new, &path, in_force.said) => &mut reload.applied,
                Some(true) => &mut reload.overridden,
            };
            outcome.push(path);
        }
        if !told && self.is_enabled() {
            self.tell("config.updated", [("config.keys", keys)]);
        }
        *old = new;
        reload
    }

    /// Applies one key; false if it is not for a file to say.
    fn apply(&self, config: &Config, path: &str, said: Asked) -> bool {
        let value = config.get(path);
        match path {
            "logging.level" if said.level => false,
            "logging.level" => {
                if let Some(level) = value.as_ref().and_then(|value| value.as_str()) {
                    self.set_level(filter(level));
                }
                true
            }
            "monitoring.enabled" if said.enabled || self.worker.is_none() => false,
            "monitoring.enabled" => {
                if value == Some(false.into()) {
                    self.disable();
                } else {
                    self.enable();
                }
                true
            }
            path => {
                let Some(channel) = path.strip_prefix("logging.channels.") else {
                    return false;
                };
                let level = value.as_ref().and_then(|value| value.as_str());
                let least = level.map_or(Least::All, least);
                let channel = Channel::new(channel.to_owned());
                self.instance.levels.set(channel, least, Said::File)
            }
        }
    }
}
