//! The sections `security` and `data_masking`.
//!
//! Promise: what they say has been checked when the file was read. Never: scans or redacts anything.

use serde_json::{Map, Value};

use super::{Config, SettingsError, Type, keys};
use crate::security::redact::{Mask, Redactor};
use crate::security::{Action, AlertLevel, Lists, Policy, Rule, Scanner, Severity, category};

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
    // There is nothing worse than what does damage.
    ("critical", Severity::High),
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

    /// The policy that the section `security` describes; `None` where it says nothing. Word lists and words of categories replace
    /// the [standard](Lists::standard) rules, and mean what they mean to Cylestio Monitor (see [`Lists::keywords`]); without any,
    /// the standard rules stay. Patterns are added. Words of a category that is off are looked for nowhere.
    ///
    /// # Errors
    /// When a pattern is no regular expression, or a word is empty.
    ///
    /// ```
    /// use tracing_genai::config::Config;
    /// use tracing_genai::security::{Action, AlertLevel, Point};
    ///
    /// let config = Config::from_yaml("security: {dangerous_keywords: [rm -rf], dangerous_action: block}")?;
    /// let policy = config.policy()?.expect("there is a section");
    /// assert_eq!(policy.action(Point::Prompt, AlertLevel::Dangerous), Action::Block);
    /// assert_eq!(policy.scans().scan("please RM  -rf it").level(), AlertLevel::Dangerous);
    /// # Ok::<(), tracing_genai::config::SettingsError>(())
    /// ```
    pub fn policy(&self) -> Result<Option<Policy>, SettingsError> {
        let said = self.security();
        if said == Security::default() {
            return Ok(None);
        }
        let builder = Scanner::builder().lists(said.lists());
        let mut policy = Policy::new().scanner(builder.build()?);
        let untold = |level: AlertLevel| {
            let told = said.alert_levels.as_ref();
            told.is_some_and(|told| {
                !told
                    .iter()
                    .any(|it| it.eq_ignore_ascii_case(level.as_str()))
            })
        };
        for (level, action) in [
            (AlertLevel::Suspicious, said.suspicious_action),
            (AlertLevel::Dangerous, said.dangerous_action),
        ] {
            let silent = untold(level).then_some(Action::Log);
            if let Some(action) = action.or(silent) {
                policy = policy.on(level, action);
            }
        }
        Ok(Some(policy))
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

impl Security {
    /// The rules that its words and patterns are.
    fn lists(&self) -> Lists {
        let mut rules: Vec<(String, Rule)> = Vec::new();
        let mut add = |word: &str, category: &str, severity| {
            let key = word.to_uppercase();
            if rules.iter().all(|(known, _)| *known != key) {
                let rule = Rule::substring(word.to_owned()).category(category.to_owned());
                rules.push((key, rule.severity(severity)));
            }
        };
        for category in self.categories.iter().filter(|category| category.enabled) {
            let severity = category.severity.unwrap_or(Severity::Medium);
            for word in &category.keywords {
                add(word, &category.name, severity);
            }
        }
        let lists = [
            (
                &self.dangerous,
                category::DANGEROUS_COMMANDS,
                Severity::High,
            ),
            (
                &self.suspicious,
                category::PROMPT_MANIPULATION,
                Severity::Medium,
            ),
        ];
        for (words, category, severity) in lists {
            for word in words.iter().flatten() {
                add(word, category, severity);
            }
        }
        let off = self.categories.iter().filter(|category| !category.enabled);
        let off: Vec<String> = off
            .flat_map(|category| category.keywords.iter().map(|word| word.to_uppercase()))
            .collect();
        rules.retain(|(word, _)| !off.contains(word));
        let any = !rules.is_empty() || self.suspicious.is_some() || self.dangerous.is_some();
        let mut lists = if any {
            Lists::keywords([""; 0], [""; 0])
        } else {
            Lists::standard()
        };
        for (_, rule) in rules {
            lists = lists.with(rule);
        }
        for pattern in &self.patterns {
            let mut rule =
                Rule::regex(pattern.regex.clone()).id(format!("pattern.{}", pattern.name));
            if let Some(category) = &pattern.category {
                rule = rule.category(category.clone());
            }
            if let Some(severity) = pattern.severity {
                rule = rule.severity(severity);
            }
            if let Some(what) = &pattern.description {
                rule = rule.description(what.clone());
            }
            lists = lists.with(rule);
        }
        lists
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
