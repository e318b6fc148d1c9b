//! The scanner: rules and checks of your own, asked of a text.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use serde_json::Value;

use super::content::{Content, SecurityCheck, flatten};
use super::engine::Engine;
use super::hidden::Hidden;
use super::level::{AlertLevel, Point, Severity, category};
use super::lists::{Folding, Lists};
use super::rule::{Rule, RuleError};
use super::stream::StreamScanner;
use super::verdict::{Finding, Label, Verdict};
use super::{encoded, fold};
use crate::contain::contain;

/// Finds what its rules and checks look for. Cheap to clone; to be built once, as building compiles the rules.
///
/// ```
/// use tracing_genai::security::{AlertLevel, Scanner};
///
/// let scanner = Scanner::standard();
/// assert!(scanner.scan("For your information: the dropdown is unclear, please update me.").is_clean());
/// assert_eq!(scanner.scan("'; DROP TABLE users; --").level(), AlertLevel::Dangerous);
/// ```
#[derive(Clone)]
pub struct Scanner {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    folding: Folding,
    hidden: Vec<&'static str>,
    checks: Vec<(String, Box<dyn SecurityCheck>)>,
    failed: AtomicU64,
}

impl Scanner {
    /// A scanner with [`Lists::standard`], until other lists are given.
    pub fn builder() -> ScannerBuilder {
        ScannerBuilder {
            lists: Lists::standard(),
            checks: Vec::new(),
        }
    }

    /// The scanner of [`Lists::standard`], compiled at the first use in the process.
    pub fn standard() -> &'static Scanner {
        static STANDARD: LazyLock<Scanner> = LazyLock::new(|| match Scanner::builder().build() {
            Ok(scanner) => scanner,
            Err(error) => unreachable!("the bundled rules compile, as tests show: {error}"),
        });
        &STANDARD
    }

    /// What the rules find in a text. Checks of your own are not asked; [`check`](Scanner::check) asks them.
    ///
    /// Time and memory are linear in the text; ASCII text is not copied.
    pub fn scan(&self, text: &str) -> Verdict {
        let mut findings = Vec::new();
        self.find(text, &mut findings);
        Verdict::from_findings(findings)
    }

    /// What the rules and the checks find in a text on its way. A tool's name is searched as its arguments are.
    pub fn check(&self, content: &Content<'_>) -> Verdict {
        let mut verdict = self.scan(content.text);
        if content.point == Point::ToolCall
            && let Some(name) = content.name
        {
            verdict = verdict.and(self.scan(name).at(0..0));
        }
        verdict.and(self.own_checks(content))
    }

    /// The same for a tool's call, with the arguments as JSON: what a rule looks for may be spread over several of them
    /// (`{"program": "rm", "args": ["-rf", "/"]}`) or written with JSON's escapes. Places are those in the texts of the
    /// arguments one after the other, keys left out.
    ///
    /// ```
    /// use serde_json::json;
    /// use tracing_genai::security::{AlertLevel, Scanner};
    ///
    /// let arguments = json!({"program": "rm", "args": ["-rf", "/"]});
    /// assert_eq!(Scanner::standard().check_tool("shell", &arguments).level(), AlertLevel::Dangerous);
    /// ```
    pub fn check_tool(&self, name: &str, arguments: &Value) -> Verdict {
        self.check(&Content::new(Point::ToolCall, &flatten(arguments)).name(name))
    }

    /// Checks a text that comes in chunks, at [`Point::Stream`] as a rule.
    pub fn stream(&self, point: Point) -> StreamScanner {
        StreamScanner::new(self.clone(), point)
    }

    /// Whether something of low or medium severity is in a text, whatever else is.
    pub fn contains_suspicious(&self, text: &str) -> bool {
        self.contains(text, AlertLevel::Suspicious)
    }

    /// Whether something of high severity is in a text.
    pub fn contains_dangerous(&self, text: &str) -> bool {
        self.contains(text, AlertLevel::Dangerous)
    }

    fn contains(&self, text: &str, level: AlertLevel) -> bool {
        let verdict = self.scan(text);
        let mut findings = verdict.findings().iter();
        findings.any(|found| found.severity().level() == level)
    }

    /// How many times a check of your own panicked.
    pub fn failed_checks(&self) -> u64 {
        self.inner.failed.load(Ordering::Relaxed)
    }

    /// Adds what the rules find.
    pub(super) fn find(&self, text: &str, findings: &mut Vec<Finding>) {
        let inner = &*self.inner;
        let mut hidden = Hidden::default();
        let folded = match inner.folding {
            Folding::Upper => fold::upper(text),
            Folding::Lower => fold::lower(text, &mut hidden),
        };
        let _ = inner.engine.search(&folded.text, |label, at| {
            findings.push(Finding {
                label: label.clone(),
                span: folded.original(at),
            });
        });
        if inner.folding == Folding::Upper {
            return;
        }
        let hidden = hidden.into_findings();
        findings.extend(hidden.filter(|found| inner.hidden.contains(&found.rule())));
        let mut add = |label: &Arc<Label>, at: Range<usize>| {
            let span = folded.original(at);
            // One place, so one finding of a rule.
            let overlaps =
                |other: &Finding| other.span.start < span.end && span.start < other.span.end;
            let told = |other: &Finding| Arc::ptr_eq(&other.label, label) && overlaps(other);
            if !findings.iter().any(told) {
                findings.push(Finding {
                    label: label.clone(),
                    span,
                });
            }
        };
        encoded::letters(&folded.text, |text, from| {
            let _ = inner.engine.search(&text, |label, at| {
                add(label, from + at.start..from + at.end)
            });
        });
        encoded::each(&folded.text, |text, at| {
            let _ = inner
                .engine
                .search(&text, |label, _| add(label, at.clone()));
        });
    }

    /// What the checks say. One that panics is found by its name.
    pub(super) fn own_checks(&self, content: &Content<'_>) -> Verdict {
        let mut verdict = Verdict::clean();
        for (name, check) in &self.inner.checks {
            let said = contain(|| check.check(content));
            verdict = verdict.and(said.unwrap_or_else(|| {
                self.inner.failed.fetch_add(1, Ordering::Relaxed);
                Verdict::found(name.clone(), category::CHECK_FAILED, Severity::Low)
            }));
        }
        verdict
    }
}

impl fmt::Debug for Scanner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scanner")
            .field("rules", &self.inner.engine.len())
            .field("checks", &self.inner.checks.len())
            .finish_non_exhaustive()
    }
}

/// Sets up a [`Scanner`].
#[must_use = "a builder finds nothing until it is built"]
pub struct ScannerBuilder {
    lists: Lists,
    checks: Vec<(String, Box<dyn SecurityCheck>)>,
}

impl ScannerBuilder {
    /// The rules. Default [`Lists::standard`]. Replaces what was there, rules that were added included.
    pub fn lists(mut self, lists: Lists) -> ScannerBuilder {
        self.lists = lists;
        self
    }

    /// One rule more.
    pub fn rule(mut self, rule: Rule) -> ScannerBuilder {
        self.lists = self.lists.with(rule);
        self
    }

    /// A check of your own, with the name it is found by when it fails.
    pub fn check(
        mut self,
        name: impl Into<String>,
        check: impl SecurityCheck + 'static,
    ) -> ScannerBuilder {
        self.checks.push((name.into(), Box::new(check)));
        self
    }

    /// Compiles the rules, which takes tens of milliseconds for the standard ones.
    ///
    /// # Errors
    ///
    /// When a rule is empty, two have one id, a pattern is no regular expression or too large, or an id that was to be
    /// changed is not there.
    pub fn build(self) -> Result<Scanner, RuleError> {
        let inner = Inner {
            engine: Engine::build(&self.lists)?,
            folding: self.lists.folding,
            hidden: self.lists.hidden,
            checks: self.checks,
            failed: AtomicU64::new(0),
        };
        Ok(Scanner {
            inner: Arc::new(inner),
        })
    }
}

impl fmt::Debug for ScannerBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScannerBuilder")
            .field("rules", &self.lists.rules().count())
            .field("checks", &self.checks.len())
            .finish_non_exhaustive()
    }
}
