//! The keys that do something: one table, from which come the checks, the documentation and the tests.

use serde_json::Value;

use super::SettingsError;
use crate::event::Level;

/// What a key takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Type {
    /// A text.
    Text,
    /// A text that is never shown.
    Secret,
    /// `true` or `false`; also `yes`, `no`, `on`, `off`, as YAML 1.1 had them.
    Flag,
    /// A whole number, with its least and greatest value.
    Whole(u64, u64),
    /// A level: `trace`, `debug`, `info`, `warn`, `error`, `off`, in any case, and their usual synonyms.
    Level,
    /// One of these words, in any case.
    Word(&'static [&'static str]),
    /// A list of texts.
    List,
    /// A section that is read as a whole.
    Section,
}

/// A key that does something.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Key {
    /// Its path; `*` stands for any name.
    pub path: &'static str,
    /// What it takes.
    pub takes: Type,
    /// What holds without it, as it would be written; empty for nothing.
    pub default: &'static str,
    /// The environment variable that goes before the file; empty for none.
    pub variable: &'static str,
    /// Whether [`Telemetry::reload`](crate::Telemetry::reload) applies it at once.
    pub live: bool,
    /// What it does.
    pub meaning: &'static str,
}

/// What an alert may lead to.
pub(super) const ACTIONS: &[&str] = &["log", "alert", "block"];

macro_rules! keys {
    ($($path:literal: $takes:expr, $default:literal, $variable:literal, $live:literal, $meaning:literal;)*) => {
        /// Every key, in the order of the documentation.
        pub(super) static KEYS: &[Key] = &[$(Key {
            path: $path,
            takes: $takes,
            default: $default,
            variable: $variable,
            live: $live,
            meaning: $meaning,
        },)*];
    };
}

use Type::{Flag, List, Secret, Section, Text, Whole, Word};

keys! {
    "service.name": Text, "", "OTEL_SERVICE_NAME", false, "The service, where the builder was given an empty name.";
    "deployment.environment": Text, "", "", false, "The resource's `deployment.environment.name`; `OTEL_RESOURCE_ATTRIBUTES` goes before it.";
    "monitoring.agent_id": Text, "", "TRACING_GENAI_AGENT_ID", false, "The resource's `gen_ai.main_agent.id`, and the agent in the name of an event file.";
    "monitoring.enabled": Flag, "true", "TRACING_GENAI_ENABLED", true, "Whether anything is recorded.";
    "monitoring.channels": List, "", "", false, "Channels the application uses: an event on another one is reported once.";
    "monitoring.alert_levels": List, "", "", false, "Verdicts that are told, for the security checks.";
    "logging.level": Type::Level, "INFO", "TRACING_GENAI_LEVEL", true, "The most verbose level that is captured.";
    "logging.channels.*": Type::Level, "", "", true, "The least level of one channel's events, or `off`.";
    "logging.file": Text, "", "TRACING_GENAI_FILE", false, "A file, or a directory for one, that gets every event as a line of JSON.";
    "logging.file_rotation": Flag, "true", "", false, "Whether that file is rotated.";
    "logging.max_file_size_mb": Whole(1, 1_048_576), "10", "", false, "MiB it has at most.";
    "logging.backup_count": Whole(0, 10_000), "5", "", false, "Older files that are kept.";
    "outputs.console": Flag, "false", "TRACING_GENAI_CONSOLE", false, "Whether runs are shown as a live tree on stderr.";
    "outputs.viewer": Text, "", "TRACING_GENAI_VIEWER", false, "Where the page is served, as `127.0.0.1:4777`; not at all without it. An address other machines reach needs the token below.";
    "outputs.viewer_token": Secret, "", "TRACING_GENAI_VIEWER_TOKEN", false, "The token without which it shows nothing.";
    "history.path": Text, "", "TRACING_GENAI_HISTORY", false, "The SQLite file the history is kept in; in memory without it.";
    "compliance.retention_days": Whole(1, 36_500), "30", "", false, "Days that file keeps events.";
    "capture.content": Word(&["off", "metadata", "redacted", "full"]), "off", "TRACING_GENAI_CAPTURE", false, "How much of prompts, answers, arguments and results is kept.";
    "otlp.endpoint": Text, "", "OTEL_EXPORTER_OTLP_ENDPOINT", false, "The collector; naming it switches the exporter on.";
    "otlp.protocol": Word(&["grpc", "http/protobuf"]), "", "OTEL_EXPORTER_OTLP_PROTOCOL", false, "What is spoken with it; by the endpoint's port if absent.";
    "otlp.timeout_ms": Whole(1, 600_000), "10000", "OTEL_EXPORTER_OTLP_TIMEOUT", false, "Milliseconds one request may take.";
    "otlp.compression": Word(&["none", "gzip"]), "none", "OTEL_EXPORTER_OTLP_COMPRESSION", false, "How requests are compressed.";
    "otlp.headers.*": Secret, "", "", false, "A header of every request; one of the same name in `OTEL_EXPORTER_OTLP_HEADERS` goes before it.";
    "otlp.spool.path": Text, "", "TRACING_GENAI_SPOOL", false, "A directory in which batches wait until the collector has taken them; in memory without it.";
    "otlp.spool.max_mb": Whole(16, 1_048_576), "256", "", false, "MiB it has at most for each signal.";
    "api.endpoint": Text, "", "CYLESTIO_TELEMETRY_ENDPOINT", false, "Where each event is posted as JSON; `/v1/telemetry` is appended. Naming it here switches the reporter on.";
    "api.access_key": Secret, "", "CYLESTIO_ACCESS_KEY", false, "The key to it.";
    "api.key": Secret, "", "", false, "The same; `api.access_key` goes before it.";
    "api.http_method": Word(&["POST"]), "POST", "", false, "How it is posted.";
    "api.timeout": Whole(1, 600), "10", "", false, "Seconds one request may take.";
    "api.retries": Whole(0, 99), "2", "", false, "How often an event is tried again.";
    "api.retry_delay": Whole(0, 3_600), "", "", false, "Seconds before the first of these, doubled before each later one; 100 ms without it.";
    "security.suspicious_keywords": List, "", "", false, "Words that make a text suspicious.";
    "security.dangerous_keywords": List, "", "", false, "Words that make a text dangerous.";
    "security.suspicious_action": Word(ACTIONS), "", "", false, "What a suspicious text leads to.";
    "security.dangerous_action": Word(ACTIONS), "", "", false, "What a dangerous text leads to.";
    "security.alert_categories": Section, "", "", false, "Lists of words by category, each with `enabled`, `severity`, `description`, `keywords`.";
    "security.patterns": Section, "", "", false, "Patterns by name, each with `regex`, `category`, `severity`, `description`, `mask_method`.";
    "data_masking.enabled": Flag, "true", "", false, "Whether content is redacted.";
    "data_masking.patterns": Section, "", "", false, "A list of patterns that are redacted beside the standard ones, each with `name`, `regex`, `replacement` or `mask_method`.";
}

/// The row of a path.
pub(super) fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| match key.path.strip_suffix('*') {
        Some(head) => path.strip_prefix(head).is_some_and(|name| !name.is_empty()),
        None => key.path == path,
    })
}

/// Whether keys of the table lie below this path.
pub(super) fn is_section(path: &str) -> bool {
    KEYS.iter().any(|key| {
        key.path
            .strip_prefix(path)
            .is_some_and(|rest| rest.starts_with('.'))
    })
}

impl Type {
    /// What is allowed, in words.
    pub(super) fn expected(self) -> String {
        match self {
            Self::Text | Self::Secret => "a text".to_owned(),
            Self::Flag => "true or false".to_owned(),
            Self::Whole(least, most) => format!("a whole number from {least} to {most}"),
            Self::Level => "trace, debug, info, warn, error or off".to_owned(),
            Self::Word(words) => format!("one of {}", words.join(", ")),
            Self::List => "a list of texts".to_owned(),
            Self::Section => "a section".to_owned(),
        }
    }

    /// The value in the one way it is read by; `None` if it is none of this type.
    pub(super) fn read(self, value: &Value) -> Option<Value> {
        let text = value.as_str();
        match self {
            Self::Text | Self::Secret => match value {
                Value::String(_) => Some(value.clone()),
                Value::Number(number) => Some(number.to_string().into()),
                _ => None,
            },
            Self::Flag => match (value, text.map(str::to_ascii_lowercase).as_deref()) {
                (Value::Bool(flag), _) => Some((*flag).into()),
                (_, Some("true" | "yes" | "on")) => Some(true.into()),
                (_, Some("false" | "no" | "off")) => Some(false.into()),
                _ => None,
            },
            Self::Whole(least, most) => {
                let whole = value.as_u64().or_else(|| text?.trim().parse().ok())?;
                (least..=most).contains(&whole).then(|| whole.into())
            }
            Self::Level => match (value, text) {
                // YAML 1.1 reads a bare `off` so.
                (Value::Bool(false), _) => Some("OFF".into()),
                (_, Some(text)) if text.trim().eq_ignore_ascii_case("off") => Some("OFF".into()),
                (_, Some(text)) => Level::named(text).map(|level| level.severity_text().into()),
                _ => None,
            },
            Self::Word(words) => {
                let text = match value {
                    Value::Bool(false) => "off",
                    _ => text?.trim(),
                };
                let known = words.iter().find(|word| word.eq_ignore_ascii_case(text))?;
                Some((*known).into())
            }
            Self::List => match value {
                Value::Array(items) => {
                    let read = |item: &Value| Self::Text.read(item);
                    items
                        .iter()
                        .map(read)
                        .collect::<Option<Vec<_>>>()
                        .map(Value::Array)
                }
                Value::String(text) => {
                    let items = text
                        .split(',')
                        .map(str::trim)
                        .filter(|item| !item.is_empty());
                    Some(items.map(Value::from).collect())
                }
                _ => None,
            },
            Self::Section => (value.is_object() || value.is_array()).then(|| value.clone()),
        }
    }
}

/// A value, described for an error.
pub(super) fn found(value: &Value, secret: bool) -> String {
    match value {
        Value::Null => "empty".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "a mapping".to_owned(),
        Value::Bool(_) if secret => "a truth value".to_owned(),
        Value::Number(_) if secret => "a number".to_owned(),
        Value::Bool(flag) => format!("the truth value {flag}"),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) if secret || text.chars().count() > 40 => {
            format!("a text of {} bytes", text.len())
        }
        Value::String(text) => format!("the text \"{}\"", crate::console::escape(text)),
    }
}

/// The value of a key in the way it is read by.
pub(super) fn check(
    key: &Key,
    path: &str,
    value: &Value,
    line: Option<u32>,
) -> Result<Value, SettingsError> {
    key.takes
        .read(value)
        .ok_or_else(|| wrong(path, value, line, key.takes))
}

pub(super) fn wrong(path: &str, value: &Value, line: Option<u32>, takes: Type) -> SettingsError {
    // What a word like `api_key` names is a secret whatever the table says.
    let secret = takes == Type::Secret || looks_secret(path);
    SettingsError::Value {
        key: crate::console::escape(path).into_owned(),
        line,
        found: found(value, secret),
        expected: takes.expected(),
    }
}

pub(super) fn looks_secret(path: &str) -> bool {
    let mut report = crate::security::redact::Report::new();
    let redactor = crate::security::redact::Redactor::standard();
    let last = path.rsplit('.').next().unwrap_or(path);
    // A value that is no secret by itself: where it is replaced, the key was the reason.
    redactor.redact_field(last, "plain", &mut report) != "plain"
}
