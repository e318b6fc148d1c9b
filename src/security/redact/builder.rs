//! How a [`Redactor`] is put together. Everything that can be wrong is said at [`RedactorBuilder::build`].

use std::fmt;
use std::sync::Arc;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind, StartKind};
use regex::{Regex, RegexBuilder};

use super::RedactError;
use super::engine::{Built, Engine, Head, Pattern, Rule, RuleId};
use super::keys::KeyNames;
use super::optional::OFF;
use super::rules::{self, Shape};
use super::{Field, Hook, HookError, Mask, Redactor, assign, marker};

/// Bytes of one pattern's text. Longer ones are lists of words, which belong into several patterns.
const PATTERN_BYTES: usize = 4 * 1024;
/// Memory one compiled pattern may take: `\w{1000}` alone would take ten times as much.
const COMPILED_BYTES: usize = 1024 * 1024;
/// Each pattern reads all text once more.
const PATTERNS: usize = 256;

/// Rules beside the tables of shapes and of off rules, in the order of their say.
const OWN_RULES: [&str; 8] = [
    "url-credentials",
    "credential",
    "sensitive-key",
    "iban",
    "credit-card",
    "us-ssn",
    "email",
    "phone",
];

/// Keys that documentations show.
const DOCUMENTED: [&str; 3] = [
    "AKIAIOSFODNN7EXAMPLE",
    "AKIAI44QH8DHBEXAMPLE",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
];

/// Puts a [`Redactor`] together; begins with everything [`Redactor::standard`] does.
///
/// ```
/// use tracing_genai::security::redact::{Mask, Redactor};
///
/// let redactor = Redactor::builder()
///     .pattern("order", r"ORD-\d{6}", Mask::Label)
///     .mask("credit-card", Mask::CreditCard)
///     .keys(["employee_number"])
///     .allow(["support@acme.example"])
///     .without("phone")
///     .build()?;
/// assert_eq!(redactor.redact_str("ORD-123456"), "[REDACTED:order]");
/// assert_eq!(redactor.redact_str("paid with 4111 1111 1111 1111"), "paid with ****1111");
/// assert_eq!(redactor.redact_str("call +14155552671"), "call +14155552671");
/// # Ok::<(), tracing_genai::security::redact::RedactError>(())
/// ```
#[derive(Clone)]
#[must_use = "nothing is redacted until `build` has made a redactor of it"]
pub struct RedactorBuilder {
    standard: bool,
    with: Vec<String>,
    without: Vec<String>,
    masks: Vec<(String, Mask)>,
    default_mask: Mask,
    patterns: Vec<(String, String, Mask)>,
    keys: Vec<String>,
    allowed_keys: Vec<String>,
    allowed: Vec<String>,
    allowed_patterns: Vec<String>,
    hook: Option<Hook>,
}

impl fmt::Debug for RedactorBuilder {
    /// Names of rules only: keys, exceptions and replacements may be as private as what they are about.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedactorBuilder")
            .field("standard", &self.standard)
            .field("with", &self.with)
            .field("without", &self.without)
            .field(
                "patterns",
                &self
                    .patterns
                    .iter()
                    .map(|(name, ..)| name)
                    .collect::<Vec<_>>(),
            )
            .field("hook", &self.hook.is_some())
            .finish_non_exhaustive()
    }
}

impl RedactorBuilder {
    pub(super) fn new() -> Self {
        Self {
            standard: true,
            with: Vec::new(),
            without: Vec::new(),
            masks: Vec::new(),
            default_mask: Mask::Label,
            patterns: Vec::new(),
            keys: Vec::new(),
            allowed_keys: Vec::new(),
            allowed: Vec::new(),
            allowed_patterns: Vec::new(),
            hook: None,
        }
    }

    /// Leaves out all standard rules: only what is added here is looked for.
    pub fn without_standard(mut self) -> Self {
        self.standard = false;
        self
    }

    /// Leaves out one standard rule, of those [`Redactor::known_rules`] tells.
    pub fn without(mut self, rule: impl Into<String>) -> Self {
        self.without.push(rule.into());
        self
    }

    /// Adds one standard rule: one that is off by default (`ip-address`, `date-of-birth`), or any after
    /// [`without_standard`](Self::without_standard).
    pub fn with(mut self, rule: impl Into<String>) -> Self {
        self.with.push(rule.into());
        self
    }

    /// How what a standard rule finds is shown. Default [`Mask::Label`].
    pub fn mask(mut self, rule: impl Into<String>, mask: Mask) -> Self {
        self.masks.push((rule.into(), mask));
        self
    }

    /// How everything is shown that has no mask of its own. Default [`Mask::Label`].
    pub fn default_mask(mut self, mask: Mask) -> Self {
        self.default_mask = mask;
        self
    }

    /// Replaces what a regular expression finds, in the syntax of the `regex` crate (no look-around, no back-references, hence
    /// linear). A group called `secret`, where there is one, is what is replaced instead of the whole match.
    ///
    /// Each pattern reads all text once more: a dozen is fine, 256 is the most. A pattern's text has 4 KiB at most, and 1 MiB
    /// compiled.
    pub fn pattern(
        mut self,
        name: impl Into<String>,
        regex: impl Into<String>,
        mask: Mask,
    ) -> Self {
        self.patterns.push((name.into(), regex.into(), mask));
        self
    }

    /// Adds names of keys whose values are secrets. They are met as whole segments: `employee_number` is also in
    /// `hr.employeeNumber`, and not in `employee_numbers`.
    pub fn keys<K: Into<String>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.keys.extend(keys.into_iter().map(Into::into));
        self
    }

    /// Names of keys that say nothing about their values, whatever the rules make of them. The whole name counts, in any case.
    pub fn allow_keys<K: Into<String>>(mut self, keys: impl IntoIterator<Item = K>) -> Self {
        self.allowed_keys.extend(keys.into_iter().map(Into::into));
        self
    }

    /// Texts that are never replaced: what a rule found has to be exactly one of them.
    pub fn allow<T: Into<String>>(mut self, texts: impl IntoIterator<Item = T>) -> Self {
        self.allowed.extend(texts.into_iter().map(Into::into));
        self
    }

    /// The same for what a regular expression fits as a whole, such as `.+@acme\.com`.
    pub fn allow_pattern(mut self, regex: impl Into<String>) -> Self {
        self.allowed_patterns.push(regex.into());
        self
    }

    /// Code of your own that sees every text after the rules have, and may replace it.
    ///
    /// It gets each attribute and each text in a JSON value or body on its own; text that is itself JSON as a whole. What it
    /// returns is not looked at again. When it fails or panics, the value becomes `[REDACTED:error]` and is counted in
    /// [`Report::failed`](super::Report::failed).
    ///
    /// ```
    /// use tracing_genai::security::redact::Redactor;
    ///
    /// let redactor = Redactor::builder()
    ///     .hook(|field| Ok((field.key() == Some("user.name")).then(|| "someone".to_owned())))
    ///     .build()?;
    /// # Ok::<(), tracing_genai::security::redact::RedactError>(())
    /// ```
    pub fn hook(
        mut self,
        hook: impl Fn(&Field<'_>) -> Result<Option<String>, HookError> + Send + Sync + 'static,
    ) -> Self {
        self.hook = Some(Arc::new(hook));
        self
    }

    /// Checks everything and puts it together.
    ///
    /// # Errors
    ///
    /// A pattern that is no regular expression, finds the empty text or is too large; a rule's name that is unknown, taken or
    /// cannot stand in a marker; a replacement that would be found again; more than 256 patterns.
    pub fn build(self) -> Result<Redactor, RedactError> {
        for name in self
            .with
            .iter()
            .chain(&self.without)
            .chain(self.masks.iter().map(|(name, _)| name))
        {
            if !known().any(|known| known == name) {
                return Err(RedactError::UnknownRule {
                    name: name.escape_debug().to_string(),
                });
            }
        }
        if self.patterns.len() > PATTERNS {
            return Err(RedactError::TooMany {
                count: self.patterns.len(),
            });
        }
        let mut engine = Engine {
            rules: Vec::new(),
            needles: None,
            heads: Vec::new(),
            shapes: Vec::new(),
            patterns: Vec::new(),
            built: Built::default(),
            keys: self.key_names()?,
            allowed: self.allowed.clone(),
            allowed_patterns: Vec::new(),
            hook: None,
        };
        engine.allowed.extend(DOCUMENTED.map(str::to_owned));
        for pattern in &self.allowed_patterns {
            engine
                .allowed_patterns
                .push(compile("allow_pattern", pattern)?);
        }
        self.add_patterns(&mut engine)?;
        self.add_standard(&mut engine)?;
        self.add_needles(&mut engine)?;
        masks_are_stable(&engine)?;
        engine.hook = self.hook;
        Ok(Redactor::from_engine(engine))
    }

    fn is_on(&self, rule: &str) -> bool {
        let off = OFF.iter().any(|(name, ..)| *name == rule);
        let asked = self.with.iter().any(|name| name == rule);
        (asked || self.standard && !off) && !self.without.iter().any(|name| name == rule)
    }

    fn key_names(&self) -> Result<KeyNames, RedactError> {
        let mut own = Vec::new();
        for key in &self.keys {
            let segments = KeyNames::segments_of(key);
            if segments.is_empty() {
                return Err(RedactError::Key {
                    key: key.escape_debug().to_string(),
                });
            }
            own.push(segments);
        }
        let standard = self.is_on("sensitive-key") || self.is_on("credential");
        Ok(KeyNames {
            standard,
            own,
            allowed: self.allowed_keys.clone(),
        })
    }

    /// Patterns of the user's come first: where one finds what a standard rule does, theirs names it.
    fn add_patterns(&self, engine: &mut Engine) -> Result<(), RedactError> {
        for (name, regex, mask) in &self.patterns {
            let problem = match name.as_str() {
                name if !marker::is_name(name) => "cannot stand in a marker",
                name if known().any(|known| known == name) => "is a standard rule's",
                name if engine.rules.iter().any(|rule| *rule.name == *name) => "is there twice",
                _ => "",
            };
            if !problem.is_empty() {
                return Err(RedactError::Name {
                    name: name.escape_debug().to_string(),
                    problem,
                });
            }
            let regex = compile(name, regex)?;
            let rule = add_rule(engine, name, mask.clone());
            let in_part = regex
                .capture_names()
                .any(|group| group == Some(Pattern::PART));
            engine.patterns.push(Pattern {
                rule,
                regex,
                in_part,
                check: |_| true,
            });
        }
        Ok(())
    }

    fn add_standard(&self, engine: &mut Engine) -> Result<(), RedactError> {
        let mask = |rule: &str| {
            let own = self.masks.iter().rev().find(|(name, _)| name == rule);
            own.map_or_else(|| self.default_mask.clone(), |(_, mask)| mask.clone())
        };
        let rule = |engine: &mut Engine, name: &str| match engine
            .rules
            .iter()
            .position(|rule| *rule.name == *name)
        {
            Some(at) => at as RuleId,
            None => add_rule(engine, name, mask(name)),
        };
        for (shape, regex) in rules::compiled() {
            let shape: &'static Shape = shape;
            if self.is_on(shape.rule) {
                let rule = rule(engine, shape.rule);
                engine.shapes.push((rule, shape, Arc::clone(regex)));
            }
        }
        let [url, credential, key, iban, card, ssn, email, phone] = OWN_RULES.map(|name| {
            // Keys of the user's are looked for even without the standard ones.
            let own_keys = name == "sensitive-key"
                && !self.keys.is_empty()
                && !self.without.iter().any(|n| n == name);
            (self.is_on(name) || own_keys).then(|| rule(engine, name))
        });
        engine.built = Built {
            key,
            credential,
            url,
            email,
            card,
            iban,
            ssn,
            phone,
        };
        for (name, regex, check) in OFF {
            if self.is_on(name) {
                let regex = compile(name, regex)?;
                let rule = rule(engine, name);
                let in_part = regex
                    .capture_names()
                    .any(|group| group == Some(Pattern::PART));
                engine.patterns.push(Pattern {
                    rule,
                    regex,
                    in_part,
                    check,
                });
            }
        }
        Ok(())
    }

    fn add_needles(&self, engine: &mut Engine) -> Result<(), RedactError> {
        let mut needles: Vec<String> = Vec::new();
        for (at, (_, shape, _)) in engine.shapes.iter().enumerate() {
            for needle in shape.needles {
                needles.push((*needle).to_owned());
                engine.heads.push(Head::Shape(at));
            }
        }
        if engine.built.url.is_some() {
            needles.push("://".to_owned());
            engine.heads.push(Head::Url);
        }
        if engine.built.credential.is_some() || engine.built.key.is_some() {
            let standard = engine.keys.standard.then(|| {
                let words = assign::WORDS.iter().map(|word| (*word).to_owned());
                KeyNames::words().into_iter().chain(words)
            });
            let own = engine
                .keys
                .own
                .iter()
                .flat_map(|segments| ["", "_", "-", ".", " "].map(|mark| segments.join(mark)));
            for word in standard.into_iter().flatten().chain(own) {
                needles.push(word);
                engine.heads.push(Head::Name);
            }
        }
        if needles.is_empty() {
            return Ok(());
        }
        let automaton = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .start_kind(StartKind::Unanchored)
            .kind(Some(AhoCorasickKind::DFA))
            .build(needles);
        let automaton = automaton.map_err(|error| RedactError::Pattern {
            rule: "keys".to_owned(),
            problem: error.to_string(),
        })?;
        engine.needles = Some(automaton);
        Ok(())
    }
}

/// Every standard rule's name, each once or more.
pub(super) fn known() -> impl Iterator<Item = &'static str> {
    let shapes = rules::SHAPES.iter().map(|shape| shape.rule);
    shapes
        .chain(OWN_RULES)
        .chain(OFF.iter().map(|(name, ..)| *name))
}

/// Whether a standard rule is on by default.
pub(super) fn is_default(rule: &str) -> bool {
    OFF.iter().all(|(name, ..)| *name != rule)
}

fn add_rule(engine: &mut Engine, name: &str, mask: Mask) -> RuleId {
    engine.rules.push(Rule {
        name: name.into(),
        mask,
    });
    (engine.rules.len() - 1) as RuleId
}

fn compile(rule: &str, pattern: &str) -> Result<Regex, RedactError> {
    let fail = |problem: String| {
        Err(RedactError::Pattern {
            rule: rule.escape_debug().to_string(),
            problem,
        })
    };
    if pattern.len() > PATTERN_BYTES {
        return fail(format!(
            "has {} bytes; 4096 at most, write several patterns",
            pattern.len()
        ));
    }
    let regex = match RegexBuilder::new(pattern)
        .size_limit(COMPILED_BYTES)
        .dfa_size_limit(COMPILED_BYTES)
        .build()
    {
        Ok(regex) => regex,
        Err(regex::Error::CompiledTooBig(_)) => {
            return fail(
                "is larger than 1 MiB when compiled; bound its repetitions more tightly".to_owned(),
            );
        }
        Err(error) => return fail(error.to_string()),
    };
    if regex.is_match("") {
        return fail(
            "fits the empty text, so it would be found everywhere; require a character".to_owned(),
        );
    }
    Ok(regex)
}

/// No mask makes what a rule finds: otherwise each pass would replace what the last one made.
fn masks_are_stable(engine: &Engine) -> Result<(), RedactError> {
    for rule in &engine.rules {
        let mut made = String::new();
        rule.mask.write(&rule.name, "", &mut made);
        let mut report = super::Report::new();
        if engine
            .text(&made, super::keys::Names::Nothing, &mut report)
            .is_some_and(|again| again != made)
        {
            let by = report
                .iter()
                .next()
                .map_or_else(String::new, |(name, _)| name.to_owned());
            return Err(RedactError::Mask {
                rule: rule.name.to_string(),
                by,
            });
        }
    }
    Ok(())
}
