//! One thing to look for: words, a piece of text, or a pattern.

use std::borrow::Cow;

use super::level::Severity;

/// What a [`Scanner`](super::Scanner) looks for. Upper and lower case are the same, in the rule and in the text.
///
/// ```
/// use tracing_genai::security::{AlertLevel, Rule, Scanner, Severity};
///
/// let scanner = Scanner::builder()
///     .rule(Rule::words("Project Falcon").category("confidential").severity(Severity::High))
///     .rule(Rule::regex(r"ticket-\d{4}").id("internal.ticket"))
///     .build()?;
///
/// assert_eq!(scanner.scan("what is project  falcon?").level(), AlertLevel::Dangerous);
/// assert_eq!(scanner.scan("see TICKET-1234").level(), AlertLevel::Suspicious);
/// assert!(scanner.scan("projects, falcons").is_clean());
/// # Ok::<(), tracing_genai::security::RuleError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "a rule does nothing until a scanner is built with it"]
pub struct Rule {
    pub(super) id: Cow<'static, str>,
    pub(super) category: Cow<'static, str>,
    pub(super) severity: Severity,
    pub(super) what: Cow<'static, str>,
    pub(super) pattern: Pattern,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pattern {
    /// Anywhere, inside of words as well.
    Substring(Cow<'static, str>),
    /// One or more words, whole.
    Words(Cow<'static, str>),
    /// A regular expression over the whole text.
    Regex(Cow<'static, str>),
    /// A bundled expression, and the texts of which each match has at least one in it: searched for around those.
    Near(&'static str, &'static [&'static str]),
}

impl Rule {
    /// The category of a rule that names none.
    pub const DEFAULT_CATEGORY: &'static str = "custom";

    /// One word or several in a row, as whole words: `clear` is not in `unclear`. Any white space may be between two
    /// words. Scripts that write without spaces have no word borders, so there the text is found wherever it is.
    pub fn words(words: impl Into<Cow<'static, str>>) -> Rule {
        let words = words.into();
        Rule::new(words.clone(), Pattern::Words(words))
    }

    /// A text, wherever it is: `format` is in `information`. White space is taken as it is, except in the lists of
    /// [`Lists::seed`](super::Lists::seed), which collapse it.
    pub fn substring(text: impl Into<Cow<'static, str>>) -> Rule {
        let text = text.into();
        Rule::new(text.clone(), Pattern::Substring(text))
    }

    /// A regular expression in the syntax of the `regex` crate, case-insensitive. It is run on the whole text, folded
    /// as the other rules read it; that costs a pass of its own, in time linear in the text.
    pub fn regex(pattern: impl Into<Cow<'static, str>>) -> Rule {
        let pattern = pattern.into();
        Rule::new(pattern.clone(), Pattern::Regex(pattern))
    }

    fn new(id: Cow<'static, str>, pattern: Pattern) -> Rule {
        Rule {
            id,
            category: Cow::Borrowed(Rule::DEFAULT_CATEGORY),
            severity: Severity::Medium,
            what: Cow::Borrowed(""),
            pattern,
        }
    }

    /// The name findings go by. Default: the words, the text or the pattern itself. It goes to spans, events and error
    /// messages, so give an id to a rule whose words are nobody's business.
    pub fn id(mut self, id: impl Into<Cow<'static, str>>) -> Rule {
        self.id = id.into();
        self
    }

    /// What kind of thing it is. Default [`custom`](Rule::DEFAULT_CATEGORY).
    pub fn category(mut self, category: impl Into<Cow<'static, str>>) -> Rule {
        self.category = category.into();
        self
    }

    /// How bad it is. Default [`Severity::Medium`], which makes a text suspicious.
    pub fn severity(mut self, severity: Severity) -> Rule {
        self.severity = severity;
        self
    }

    /// What the rule looks for, for people who read about a finding. Default: nothing.
    pub fn description(mut self, what: impl Into<Cow<'static, str>>) -> Rule {
        self.what = what.into();
        self
    }
}

/// Why a scanner cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RuleError {
    /// A rule would match every text.
    #[error("rule \"{}\" is empty: it would be found in every text", shown(.id))]
    Empty {
        /// The rule's id.
        id: String,
    },
    /// Two rules have one name.
    #[error("two rules have the id \"{}\": give one of them another with `Rule::id`", shown(.id))]
    Twice {
        /// The id.
        id: String,
    },
    /// A regular expression is none, or too large.
    #[error(
        "the pattern of rule \"{}\" is not a regular expression that can be used: {}",
        shown(.id),
        crate::console::escape_lines(.problem)
    )]
    Regex {
        /// The rule's id.
        id: String,
        /// What is wrong, and where in the pattern.
        problem: String,
    },
    /// All rules together are too many for one search.
    #[error("the rules are too many or too long together: {problem}")]
    TooLarge {
        /// Which limit was met.
        problem: String,
    },
    /// A rule that should be changed is not there.
    #[error("there is no rule \"{}\" to change", shown(.id))]
    Unknown {
        /// The id that was asked for.
        id: String,
    },
}

fn shown(text: &str) -> Cow<'_, str> {
    crate::console::escape(text)
}
