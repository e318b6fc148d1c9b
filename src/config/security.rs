//! The sections `security` and `data_masking`.
//!
//! Promise: what they say has been checked when the file was read. Never: scans or redacts anything.

use serde_json::{Map, Value};

use super::{Config, SettingsError, Type, keys};
use crate::security::redact::{Mask, Redactor};

/// How grave what a category or pattern finds is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// `low`.
    Low,
    /// `medium`.
    Medium,
    /// `high`.
    High,
    /// `critical`.
    Critical,
}

/// What an alert leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Action {
    /// `log`: it is recorded.
    Log,
    /// `alert`: somebody is told.
    Alert,
    /// `block`: the call does not happen.
    Block,
}

/// What the section `security` says. What it leaves open is `None`, and up to the defaults of the checks.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Security {
    /// `suspicious_keywords`.
    pub suspicious: Option<Vec<String>>,
    /// `dangerous_keywords`.
    pub dangerous: Option<Vec<String>>,
    /// `suspicious_action`.
    pub suspicious_action: Option<Action>,
    /// `dangerous_action`.
    pub dangerous_action: Option<Action>,
    /// `alert_categories`, in the order of the file.
    pub categories: Vec<Category>,
    /// `patterns`, in the order of the file.
    pub patterns: Vec<Pattern>,
    /// `monitoring.alert_levels`: the verdicts that are told.
    pub alert_levels: Option<Vec<String>>,
}

/// One of `security.alert_categories`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Category {
    /// Its key.
    pub name: String,
    /// `enabled`, by default true.
    pub enabled: bool,
    /// `severity`.
    pub severity: Option<Severity>,
    /// `description`.
    pub description: Option<String>,
    /// `keywords`.
    pub keywords: Vec<String>,
}

/// One of `security.patterns`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Pattern {
    /// Its key.
    pub name: String,
    /// `regex`.
    pub regex: String,
    /// `category`.
    pub category: Option<String>,
    /// `severity`.
    pub severity: Option<Severity>,
    /// `description`.
    pub description: Option<String>,
    /// `mask_method`.
    pub mask_method: Option<String>,
}

const SEVERITIES: [(&str, Severity); 4] = [
    ("low", Severity::Low),
    ("medium", Severity::Medium),
    ("high", Severity::High),
    ("critical", Severity::Critical),
];
const SEVERITY: Type = Type::Word(&["low", "medium", "high", "critical"]);
const METHODS: Type = Type::Word(&[
    "full",
    "partial",
    "credit_card",
    "email",
    "ssn",
    "phone",
    "default",
]);

/// What the entries of a section have: a name, what it takes, and whether it has to be there.
type Shape = &'static [(&'static str, Type, bool)];

/// The sections of entries, and whether they are a list of them.
const SECTIONS: [(&str, bool, Shape); 3] = [
    (
        "security.alert_categories",
        false,
        &[
            ("enabled", Type::Flag, false),
            ("severity", SEVERITY, false),
            ("description", Type::Text, false),
            ("keywords", Type::List, false),
        ],
    ),
    (
        "security.patterns",
        false,
        &[
            ("regex", Type::Text, true),
            ("category", Type::Text, false),
            ("severity", SEVERITY, false),
            ("description", Type::Text, false),
            ("mask_method", METHODS, false),
        ],
    ),
    (
        "data_masking.patterns",
        true,
        &[
            ("name", Type::Text, true),
            ("regex", Type::Text, true),
            ("replacement", Type::Text, false),
            ("mask_method", METHODS, false),
        ],
    ),
];

/// Checks the entries of a section; anything else passes.
pub(super) fn check(
    path: &str,
    value: &Value,
    line: &dyn Fn(&str) -> Option<u32>,
) -> Result<(), SettingsError> {
    let Some((_, _, shape)) = SECTIONS.iter().find(|(section, ..)| *section == path) else {
        return Ok(());
    };
    let is_list = SECTIONS
        .iter()
        .any(|(section, list, _)| *section == path && *list);
    let entries: Vec<(String, &Value)> = match value {
        Value::Array(items) if is_list => {
            let named = items.iter().enumerate();
            named
                .map(|(at, item)| (format!("{path}[{at}]"), item))
                .collect()
        }
        Value::Object(named) if !is_list => {
            let named = named.iter();
            named
                .map(|(name, item)| (super::join(path, name), item))
                .collect()
        }
        _ => return Err(keys::wrong(path, value, line(path), Type::Section)),
    };
    for (path, entry) in entries {
        let Value::Object(fields) = entry else {
            return Err(keys::wrong(&path, entry, line(&path), Type::Section));
        };
        for (name, takes, needed) in *shape {
            let field = super::join(&path, name);
            match fields.get(*name).unwrap_or(&Value::Null) {
                Value::Null if !needed => {}
                value if takes.read(value).is_some() => {}
                value => {
                    let line = line(&field).or_else(|| line(&path));
                    return Err(keys::wrong(&field, value, line, *takes));
                }
            }
        }
    }
    Ok(())
}

fn text(fields: &Map<String, Value>, name: &str) -> Option<String> {
    let value = Type::Text.read(fields.get(name)?)?;
    Some(value.as_str()?.to_owned())
}

fn word(fields: &Map<String, Value>, name: &str, takes: Type) -> Option<String> {
    let value = takes.read(fields.get(name)?)?;
    Some(value.as_str()?.to_owned())
}

fn severity(fields: &Map<String, Value>) -> Option<Severity> {
    let word = word(fields, "severity", SEVERITY)?;
    let known = SEVERITIES.iter().find(|(name, _)| *name == word)?;
    Some(known.1)
}

impl Config {
    /// What the section `security` says.
    ///
    /// ```
    /// use tracing_genai::config::{Action, Config};
    ///
    /// let config = Config::from_yaml("security: {dangerous_keywords: [rm -rf], dangerous_action: block}")?;
    /// let security = config.security();
    /// assert_eq!(security.dangerous, Some(vec!["rm -rf".to_owned()]));
    /// assert_eq!(security.dangerous_action, Some(Action::Block));
    /// # Ok::<(), tracing_genai::config::SettingsError>(())
    /// ```
    pub fn security(&self) -> Security {
        let action = |path| match self.text(path)?.as_str() {
            "log" => Some(Action::Log),
            "alert" => Some(Action::Alert),
            "block" => Some(Action::Block),
            _ => None,
        };
        Security {
            suspicious: self.list("security.suspicious_keywords"),
            dangerous: self.list("security.dangerous_keywords"),
            suspicious_action: action("security.suspicious_action"),
            dangerous_action: action("security.dangerous_action"),
            alert_levels: self.list("monitoring.alert_levels"),
            categories: self
                .entries("security.alert_categories")
                .into_iter()
                .map(|(name, fields)| Category {
                    name,
                    enabled: fields
                        .get("enabled")
                        .and_then(|flag| Type::Flag.read(flag))
                        .is_none_or(|flag| flag == true),
                    severity: severity(&fields),
                    description: text(&fields, "description"),
                    keywords: words(&fields, "keywords"),
                })
                .collect(),
            patterns: self
                .entries("security.patterns")
                .into_iter()
                .filter_map(|(name, fields)| {
                    Some(Pattern {
                        name,
                        regex: text(&fields, "regex")?,
                        category: text(&fields, "category"),
                        severity: severity(&fields),
                        description: text(&fields, "description"),
                        mask_method: word(&fields, "mask_method", METHODS),
                    })
                })
                .collect(),
        }
    }

    /// The redactor that the section `data_masking` describes: the standard rules, and its patterns, whose replacements go first.
    /// `None` where it is switched off. A pattern with the name of a standard rule is called `{name}-pattern`.
    ///
    /// # Errors
    /// When a pattern is no regular expression, or its replacement would be found again.
    ///
    /// ```
    /// use tracing_genai::config::Config;
    ///
    /// let config = Config::from_yaml(r"
    /// data_masking:
    ///   patterns:
    ///     - name: order
    ///       regex: 'ORD-\d{6}'
    ///       replacement: '[ORDER]'
    /// ")?;
    /// let redactor = config.redactor()?.expect("it is on");
    /// assert_eq!(redactor.redact_str("about ORD-123456"), "about [ORDER]");
    /// # Ok::<(), tracing_genai::config::SettingsError>(())
    /// ```
    pub fn redactor(&self) -> Result<Option<Redactor>, SettingsError> {
        if self.flag("data_masking.enabled") == Some(false) {
            return Ok(None);
        }
        let Some((Value::Array(patterns), _)) = self.effective("data_masking.patterns") else {
            return Ok(Some(Redactor::standard()));
        };
        let mut builder = Redactor::builder();
        for fields in patterns.iter().filter_map(Value::as_object) {
            let (Some(name), Some(regex)) = (text(fields, "name"), text(fields, "regex")) else {
                continue;
            };
            let taken = Redactor::known_rules().any(|(rule, _)| rule == name);
            let name = if taken {
                format!("{name}-pattern")
            } else {
                name
            };
            builder = builder.pattern(name, regex, mask(fields));
        }
        Ok(Some(builder.build()?))
    }

    /// The entries of a section by name.
    fn entries(&self, section: &str) -> Vec<(String, Map<String, Value>)> {
        let Some((Value::Object(named), _)) = self.effective(section) else {
            return Vec::new();
        };
        let entry = |(name, value)| match value {
            Value::Object(fields) => Some((name, fields)),
            _ => None,
        };
        named.into_iter().filter_map(entry).collect()
    }
}

fn words(fields: &Map<String, Value>, name: &str) -> Vec<String> {
    let list = fields.get(name).and_then(|value| Type::List.read(value));
    let Some(Value::Array(items)) = list else {
        return Vec::new();
    };
    let texts = items.iter().filter_map(Value::as_str);
    texts.map(str::to_owned).collect()
}

/// How a pattern's finds are shown. A replacement tells least, so it goes before a method.
fn mask(fields: &Map<String, Value>) -> Mask {
    if let Some(replacement) = text(fields, "replacement") {
        return Mask::text(replacement);
    }
    match word(fields, "mask_method", METHODS).as_deref() {
        Some("full") => Mask::Full,
        Some("partial") => Mask::Partial { keep: 4 },
        Some("default") => Mask::Partial { keep: 2 },
        Some("credit_card") => Mask::CreditCard,
        Some("email") => Mask::Email,
        Some("ssn") => Mask::Ssn,
        Some("phone") => Mask::Phone,
        _ => Mask::Label,
    }
}
