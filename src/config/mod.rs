//! Settings in a file: [`Config`].
//!
//! Owns the keys, what they take, and where each value comes from: the default, the file, the environment, code.
//! Promise: a key that nothing here knows is kept, can be read, and is [told](Config::unknown); a value that its key cannot have is an
//! error with the key and the line. A file is bounded in size, depth and what its aliases unfold to.
//! Never: writes a file, or shows the value of a key that holds a secret.
//!
//! ```
//! use tracing_genai::{Telemetry, config::Config};
//!
//! let config = Config::from_yaml("
//! monitoring:
//!   agent_id: trip-planner
//! logging:
//!   level: DEBUG
//!   channels:
//!     MCP: warn
//! ")?;
//! let telemetry = Telemetry::builder("travel").config(config).build()?;
//! # Ok::<(), tracing_genai::ConfigError>(())
//! ```
//!
//! # Which value counts
//!
//! Code (the [builder](crate::TelemetryBuilder), [`Config::set`]), else the environment, else the file, else the default. A variable
//! that is empty counts as absent; one that its key cannot have is ignored with one line on stderr.
//!
//! # The keys
//!
#![doc = include_str!("keys.md")]
//!
//! `*` stands for any name. A key marked *live* is applied by [`Telemetry::reload`](crate::Telemetry::reload); the others need a
//! restart. The sections `security` and `data_masking` are read by [`Config::security`] and [`Config::redactor`].
//!
//! Configuration files of Cylestio Monitor load as they are. Its keys `dashboard.*`, `compliance.frameworks.*`,
//! `logging.format` and `api.background_sending` are about what this library does not have, and are among the unknown ones.

mod error;
mod keys;
mod security;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::diagnostics;

pub use crate::security::{Action, Severity};
pub use error::SettingsError;
pub use keys::{Key, Type};
pub use security::{Category, Pattern, Security};
use yaml::Document;

pub(crate) type Lookup = dyn Fn(&str) -> Option<String> + Send + Sync;

/// Where a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    File,
    Environment,
    Code,
}

/// Settings from a file, the environment and code. See the [module](self).
#[derive(Clone, Default)]
#[must_use = "settings do nothing until telemetry is built with them"]
pub struct Config {
    file: Document,
    set: Map<String, Value>,
    path: Option<PathBuf>,
    environment: Option<Arc<Lookup>>,
}

impl fmt::Debug for Config {
    /// The paths of its keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = leaves(&self.file.values).into_iter().map(|(path, _)| path);
        f.debug_struct("Config")
            .field("path", &self.path)
            .field("keys", &keys.collect::<Vec<_>>())
            .field("set", &self.set.keys().collect::<Vec<_>>())
            .finish()
    }
}

impl Config {
    /// The environment variable that names the file.
    pub const VARIABLE: &'static str = "TRACING_GENAI_CONFIG";

    /// No file: the environment and the defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Reads the file that `TRACING_GENAI_CONFIG` names; without it, or with an empty one, there is no file.
    ///
    /// # Errors
    /// When the named file is not there, cannot be read, is no YAML, or has a value that its key cannot have.
    pub fn load() -> Result<Self, SettingsError> {
        match std::env::var_os(Self::VARIABLE).filter(|path| !path.is_empty()) {
            Some(path) => Self::from_file(PathBuf::from(path)),
            None => Ok(Self::new()),
        }
    }

    /// Reads a file, 1 MiB at most.
    ///
    /// # Errors
    /// When it cannot be read, is no YAML, or has a value that its key cannot have.
    pub fn from_file(path: impl Into<PathBuf>) -> Result<Self, SettingsError> {
        let path = path.into();
        let text = read(&path)?;
        let mut config = Self::from_yaml(&text)?;
        config.path = Some(path);
        Ok(config)
    }

    /// Reads the text of a file.
    ///
    /// # Errors
    /// When it is no YAML, or has a value that its key cannot have.
    ///
    /// ```
    /// use tracing_genai::config::Config;
    ///
    /// let wrong = Config::from_yaml("logging:\n  level: LOUD\n").unwrap_err();
    /// assert_eq!(
    ///     wrong.to_string(),
    ///     "`logging.level` (line 2) is the text \"LOUD\", but must be trace, debug, info, warn, error or off",
    /// );
    /// ```
    pub fn from_yaml(text: &str) -> Result<Self, SettingsError> {
        let file = yaml::parse(text)?;
        validate(&file.values, &file.lines)?;
        Ok(Self {
            file,
            ..Self::default()
        })
    }

    /// Looks environment variables up by `lookup`. By default in the process's environment, and in a builder where that one does.
    pub fn environment(
        mut self,
        lookup: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        self.environment = Some(Arc::new(lookup));
        self
    }

    /// Every key that does something.
    pub fn keys() -> &'static [Key] {
        keys::KEYS
    }

    /// The value at a path of keys with dots between them: a single one, a list, or a section as its file has it. `None` where
    /// nothing is said and there is no default.
    ///
    /// ```
    /// use tracing_genai::config::Config;
    ///
    /// let config = Config::from_yaml("dashboard: {enabled: true}")?;
    /// assert_eq!(config.get("dashboard.enabled"), Some(true.into()));
    /// assert_eq!(config.get("logging.backup_count"), Some(5.into()));
    /// assert_eq!(config.get("logging.file"), None);
    /// # Ok::<(), tracing_genai::config::SettingsError>(())
    /// ```
    pub fn get(&self, path: &str) -> Option<Value> {
        if let Some((value, _)) = self.effective(path) {
            return Some(value);
        }
        let key = keys::find(path)?;
        let default = key.default;
        if default.is_empty() {
            return None;
        }
        key.takes.read(&Value::from(default))
    }

    /// Sets the value at a path, over the file and the environment. The file stays as it is. A running installation takes it over
    /// by [`Telemetry::reload`](crate::Telemetry::reload).
    ///
    /// # Errors
    /// When the key cannot have the value; nothing has changed then.
    ///
    /// ```
    /// use tracing_genai::config::Config;
    ///
    /// let mut config = Config::new();
    /// config.set("logging.level", "DEBUG")?;
    /// assert_eq!(config.get("logging.level"), Some("DEBUG".into()));
    /// assert!(config.set("logging.backup_count", -1).is_err());
    /// # Ok::<(), tracing_genai::config::SettingsError>(())
    /// ```
    pub fn set(&mut self, path: &str, value: impl Into<Value>) -> Result<(), SettingsError> {
        let mut nested = value.into();
        check(path, &nested, &|_| None)?;
        let mut keys: Vec<&str> = path.split('.').collect();
        // What is any name may have dots in it.
        if let Some(head) = keys::find(path).and_then(|key| key.path.strip_suffix('*')) {
            keys = head.trim_end_matches('.').split('.').collect();
            keys.push(&path[head.len()..]);
        }
        for key in keys.into_iter().rev() {
            nested = Value::Object(Map::from_iter([(key.to_owned(), nested)]));
        }
        if let Value::Object(nested) = nested {
            merge(&mut self.set, nested);
        }
        Ok(())
    }

    /// Reads the file again, where there is one, and says which keys have changed. What was [set](Self::set) stays.
    ///
    /// # Errors
    /// As [`from_file`](Self::from_file); everything is as it was then.
    pub fn reload(&mut self) -> Result<Vec<String>, SettingsError> {
        let Some(path) = self.path.clone() else {
            return Ok(Vec::new());
        };
        let before = self.all();
        self.file = Self::from_file(path)?.file;
        Ok(changed(&before, &self.all()))
    }

    /// The paths of keys in the file, or set, that nothing here acts on: those of other programs, and misspelt ones.
    pub fn unknown(&self) -> Vec<String> {
        let all = leaves(&self.file.values)
            .into_iter()
            .chain(leaves(&self.set));
        let unknown = all
            .map(|(path, _)| path)
            .filter(|path| keys::find(path).is_none());
        unknown.collect::<BTreeSet<_>>().into_iter().collect()
    }

    // === for the installation ===

    /// Uses `lookup` unless it was given one.
    pub(crate) fn within(mut self, lookup: &Arc<Lookup>) -> Self {
        self.environment.get_or_insert_with(|| Arc::clone(lookup));
        self
    }

    /// Where it looks variables up, if not in the process's environment.
    pub(crate) fn lookup(&self) -> Option<Arc<Lookup>> {
        self.environment.clone()
    }

    /// What is said at a path, in the way it is read by, and where.
    pub(crate) fn effective(&self, path: &str) -> Option<(Value, Source)> {
        let key = keys::find(path);
        let read = |value: &Value| match key {
            Some(key) => key.takes.read(value),
            None => Some(value.clone()),
        };
        let said = |values| walk(values, path).filter(|value| !value.is_null());
        if let Some(value) = said(&self.set).and_then(read) {
            return Some((value, Source::Code));
        }
        if let Some(value) = key.and_then(|key| self.variable(key)) {
            return Some((value, Source::Environment));
        }
        let value = said(&self.file.values).and_then(read)?;
        Some((value, Source::File))
    }

    /// Whether the file or code says something there, whatever a variable does.
    pub(crate) fn is_named(&self, path: &str) -> bool {
        let said = |values| walk(values, path).is_some_and(|value| !value.is_null());
        said(&self.set) || said(&self.file.values)
    }

    fn variable(&self, key: &Key) -> Option<Value> {
        if key.variable.is_empty() {
            return None;
        }
        let text = match &self.environment {
            Some(lookup) => lookup(key.variable),
            None => std::env::var(key.variable).ok(),
        }?;
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        let read = key.takes.read(&Value::from(text));
        if read.is_none() {
            let (name, expected) = (key.variable, key.takes.expected());
            diagnostics::say_once(
                name,
                format_args!("{name} is ignored: it must be {expected}"),
            );
        }
        read
    }

    pub(crate) fn text(&self, path: &str) -> Option<String> {
        Some(self.effective(path)?.0.as_str()?.to_owned())
    }

    pub(crate) fn flag(&self, path: &str) -> Option<bool> {
        self.effective(path)?.0.as_bool()
    }

    pub(crate) fn whole(&self, path: &str) -> u64 {
        self.get(path).and_then(|value| value.as_u64()).unwrap_or(0)
    }

    pub(crate) fn list(&self, path: &str) -> Option<Vec<String>> {
        let (value, _) = self.effective(path)?;
        let items = value.as_array()?.iter();
        Some(
            items
                .filter_map(|item| item.as_str().map(str::to_owned))
                .collect(),
        )
    }

    /// The names below a section of any names, and their values.
    pub(crate) fn named(&self, section: &str) -> Vec<(String, String, Source)> {
        let head = format!("{section}.");
        let all = self.all();
        let names = all.keys().filter_map(|path| path.strip_prefix(&head));
        let value = |name: &str| {
            let (value, source) = self.effective(&join(section, name))?;
            Some((name.to_owned(), value.as_str()?.to_owned(), source))
        };
        names.filter_map(value).collect()
    }

    /// Everything that is said, by path.
    pub(crate) fn all(&self) -> BTreeMap<String, Value> {
        let rows = keys::KEYS.iter().map(|key| key.path.to_owned());
        let rows = rows.filter(|path| !path.ends_with('*'));
        let said = leaves(&self.file.values)
            .into_iter()
            .chain(leaves(&self.set));
        rows.chain(said.map(|(path, _)| path))
            .filter_map(|path| Some((path.clone(), self.get(&path)?)))
            .collect()
    }
}

/// Whether a key is applied at once; `None` for one that is not known.
pub(crate) fn live(path: &str) -> Option<bool> {
    keys::find(path).map(|key| key.live)
}

/// The paths that differ.
pub(crate) fn changed(
    before: &BTreeMap<String, Value>,
    after: &BTreeMap<String, Value>,
) -> Vec<String> {
    let paths: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let differs = |path: &&&String| before.get(**path) != after.get(**path);
    paths
        .iter()
        .filter(differs)
        .map(|path| (*path).clone())
        .collect()
}

fn read(path: &Path) -> Result<String, SettingsError> {
    use std::io::Read as _;
    let fail = |source| SettingsError::Read {
        path: path.to_owned(),
        source,
    };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(fail)?;
    // One byte more shows that there is more.
    let most = yaml::BYTES as u64 + 1;
    file.take(most).read_to_string(&mut text).map_err(fail)?;
    Ok(text)
}

/// A path and the name below it.
pub(super) fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// The value at a path. A name with dots in it goes before names within names.
fn walk<'v>(values: &'v Map<String, Value>, path: &str) -> Option<&'v Value> {
    if let Some(value) = values.get(path) {
        return Some(value);
    }
    let dots = path.match_indices('.').map(|(at, _)| at);
    dots.rev().find_map(|at| {
        let below = values.get(&path[..at])?.as_object()?;
        walk(below, &path[at + 1..])
    })
}

fn merge(into: &mut Map<String, Value>, from: Map<String, Value>) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Object(below)), Value::Object(more)) => merge(below, more),
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

/// Single values, lists, and the sections the table has as a whole.
fn leaves(values: &Map<String, Value>) -> Vec<(String, &Value)> {
    let mut found = Vec::new();
    let mut open: Vec<(String, &Value)> = Vec::new();
    open.extend(values.iter().map(|(key, value)| (key.clone(), value)));
    while let Some((path, value)) = open.pop() {
        match value {
            Value::Object(below) if !below.is_empty() && keys::find(&path).is_none() => {
                open.extend(below.iter().map(|(key, value)| (join(&path, key), value)));
            }
            Value::Null => {}
            _ => found.push((path, value)),
        }
    }
    found
}

fn validate(
    values: &Map<String, Value>,
    lines: &std::collections::HashMap<String, u32>,
) -> Result<(), SettingsError> {
    for (path, value) in values {
        check(path, value, &|path| lines.get(path).copied())?;
    }
    Ok(())
}

fn check(
    path: &str,
    value: &Value,
    line: &dyn Fn(&str) -> Option<u32>,
) -> Result<(), SettingsError> {
    if value.is_null() {
        return Ok(());
    }
    if let Some(key) = keys::find(path) {
        keys::check(key, path, value, line(path))?;
        return security::check(path, value, line);
    }
    match value {
        Value::Object(below) => below
            .iter()
            .try_for_each(|(name, value)| check(&join(path, name), value, line)),
        _ if keys::is_section(path) => Err(keys::wrong(path, value, line(path), Type::Section)),
        _ => Ok(()),
    }
}
