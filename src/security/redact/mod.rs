//! Takes secrets and personal data out of text, attributes, JSON, headers and events: [`Redactor`].
//!
//! Owns the rules (what is a secret, what is not), the masks (what stands there instead) and the walk through values.
//!
//! ```text
//! text ─ needles (one pass) ┐
//!      ─ digits, '@'        ├─▶ pattern, entropy, check digit ─▶ allowed? ─▶ overlapping ones as one ─▶ mask
//!      ─ your patterns      ┘
//! JSON ─ keys by whole segments ─▶ the value as a whole;   texts in it, JSON in them, … as above
//! ```
//!
//! # What it promises
//!
//! * Text without a secret is neither copied nor allocated for; with one, only a new text is made. The caller's data is changed
//!   by the `&mut` functions alone.
//! * What was redacted stays as it is when it is redacted again.
//! * JSON stays JSON, in strings and in strings of strings; numbers, order and spaces of what does not change stay.
//! * Time is linear in the text, whatever it holds: patterns are those of the `regex` crate, anchored at what a search for all of
//!   them at once met.
//! * It fails closed: where a rule or your hook panics or fails, the value becomes `[REDACTED:error]`, is counted, and the rest
//!   goes on.
//! * Reports, errors and `Debug` name rules and counts, never text.
//!
//! # What it finds
//!
//! Keys of model providers, clouds, code hosts, registries, payment and messaging services by their shape; private keys, JWTs,
//! `Bearer` and `Basic` headers; credentials in URLs; values of keys that name a secret (`api_key`, `x-api-key`, `db.password`,
//! `Authorization`, `Cookie`), in maps, JSON, queries and assignments; e-mail addresses, card numbers (issuer and Luhn), IBANs
//! (length and mod 97), US social security numbers, international and common national telephone numbers. Hidden characters, wide
//! digits, percent and Unicode escapes are seen through. [`Redactor::known_rules`] has the list; IP addresses and dates of birth
//! are off unless asked for.
//!
//! # What it does not find
//!
//! Names of people and addresses; secrets without shape and without a name in front (`my pin is 1234`, a bare 40-character
//! string); secrets that are encoded (Base64, hex) or spread over several values; secrets cut off in the middle by a length limit
//! before they get here, where less is left than their rule needs.

mod assign;
mod bounds;
mod builder;
mod check;
mod engine;
mod error;
mod fold;
mod json;
mod keys;
mod known;
mod mail;
mod marker;
mod mask;
mod numbers;
mod optional;
mod phones;
mod plausible;
mod report;
mod rules;
mod search;
mod secret;
mod walk;

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, LazyLock};

use crate::contain::contain;
pub use builder::RedactorBuilder;
use engine::Engine;
pub use error::RedactError;
use keys::Names;
pub(crate) use known::Known;
pub use mask::Mask;
pub use report::Report;
pub use secret::Secret;

/// Why a hook failed. It is counted and not shown, as it may quote the text.
pub type HookError = Box<dyn std::error::Error + Send + Sync>;

type Hook = Arc<dyn Fn(&Field<'_>) -> Result<Option<String>, HookError> + Send + Sync>;

/// A text as a hook sees it, secrets already replaced.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    key: Option<&'a str>,
    text: &'a str,
}

impl<'a> Field<'a> {
    /// The attribute or the nearest key it is under, where there is one.
    pub fn key(&self) -> Option<&'a str> {
        self.key
    }

    /// The text.
    pub fn text(&self) -> &'a str {
        self.text
    }
}

impl fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Field")
            .field("key", &self.key)
            .field("text", &format_args!("<{} bytes>", self.text.len()))
            .finish()
    }
}

/// Replaces secrets and personal data. Cheap to clone, shared between threads.
///
/// ```
/// use tracing_genai::security::redact::Redactor;
///
/// let redactor = Redactor::standard();
/// assert_eq!(
///     redactor.redact_str("connect to postgres://ada:pa55word@db/app"),
///     "connect to postgres://[REDACTED:url-credentials]@db/app",
/// );
/// assert_eq!(
///     redactor.redact_str(r#"{"to": "ada@lovelace.dev", "max_tokens": 4096}"#),
///     r#"{"to": "[REDACTED:email]", "max_tokens": 4096}"#,
/// );
/// ```
#[derive(Clone)]
pub struct Redactor(Arc<Engine>);

impl fmt::Debug for Redactor {
    /// The names of its rules.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Redactor").field(&self.0).finish()
    }
}

impl Default for Redactor {
    fn default() -> Self {
        Self::standard()
    }
}

impl Redactor {
    /// All rules that are on by default, each with [`Mask::Label`]. Built once for the process.
    pub fn standard() -> Self {
        static STANDARD: LazyLock<Redactor> = LazyLock::new(|| {
            // A test holds that the standard rules build. Should they ever not, nothing passes.
            Redactor::builder()
                .build()
                .unwrap_or_else(|_| Redactor::closed())
        });
        STANDARD.clone()
    }

    /// A redactor of your own, beginning with the standard rules.
    pub fn builder() -> RedactorBuilder {
        RedactorBuilder::new()
    }

    /// Every text fails.
    fn closed() -> Self {
        Self(Arc::new(Engine {
            rules: Vec::new(),
            needles: None,
            heads: Vec::new(),
            shapes: Vec::new(),
            patterns: Vec::new(),
            built: engine::Built::default(),
            keys: keys::KeyNames::default(),
            allowed: Vec::new(),
            allowed_patterns: Vec::new(),
            hook: Some(Arc::new(|_| Err("no rules".into()))),
        }))
    }

    fn from_engine(engine: Engine) -> Self {
        Self(Arc::new(engine))
    }

    /// Every standard rule, and whether it is on by default.
    pub fn known_rules() -> impl Iterator<Item = (&'static str, bool)> {
        let mut seen = Vec::new();
        builder::known().filter_map(move |rule| {
            let new = !seen.contains(&rule);
            seen.push(rule);
            new.then(|| (rule, builder::is_default(rule)))
        })
    }

    /// The rules of this one, those of its own patterns first.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &str> + '_ {
        self.0.rules.iter().map(|rule| rule.name.as_ref())
    }

    /// The text with its secrets replaced; borrowed where there are none.
    pub fn redact_str<'t>(&self, text: &'t str) -> Cow<'t, str> {
        self.redact_text(text, &mut Report::new())
    }

    /// The same, and what was found is added to the report.
    pub fn redact_text<'t>(&self, text: &'t str, report: &mut Report) -> Cow<'t, str> {
        self.contained(None, text, Names::Nothing, report)
            .map_or(Cow::Borrowed(text), Cow::Owned)
    }

    /// The text of an attribute, a header or a key of a map: `key` may say that it is a secret, whatever it looks like.
    ///
    /// ```
    /// use tracing_genai::security::redact::{Redactor, Report};
    ///
    /// let redactor = Redactor::standard();
    /// let mut report = Report::new();
    /// assert_eq!(redactor.redact_field("x-api-key", "abc", &mut report), "[REDACTED:sensitive-key]");
    /// assert_eq!(redactor.redact_field("gen_ai.request.model", "gpt-4o", &mut report), "gpt-4o");
    /// assert_eq!(report.total(), 1);
    /// ```
    pub fn redact_field<'t>(&self, key: &str, text: &'t str, report: &mut Report) -> Cow<'t, str> {
        self.contained(Some(key), text, self.judge(key), report)
            .map_or(Cow::Borrowed(text), Cow::Owned)
    }

    /// What a key says about its value.
    fn judge(&self, key: &str) -> Names {
        self.0.judge(key)
    }

    /// The rules, then the hook. Whatever fails makes the value a marker.
    fn contained(
        &self,
        key: Option<&str>,
        text: &str,
        said: Names,
        report: &mut Report,
    ) -> Option<String> {
        let run = || {
            let mut found = Report::new();
            let ruled = self.0.text(text, said, &mut found);
            let hooked = match &self.0.hook {
                Some(hook) => hook(&Field {
                    key,
                    text: ruled.as_deref().unwrap_or(text),
                })?,
                None => None,
            };
            Ok::<_, HookError>((hooked.or(ruled), found))
        };
        match contain(run) {
            Some(Ok((out, found))) => {
                report.merge(&found);
                out
            }
            Some(Err(_)) | None => {
                report.fail();
                Some(marker::ERROR.to_owned())
            }
        }
    }
}
