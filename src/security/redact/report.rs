//! What a pass of the redactor found: rule names and counts.
//!
//! Never: holds a character of the text.

use std::sync::Arc;

/// What was replaced, by rule. It never holds any of the text.
///
/// ```
/// use tracing_genai::security::redact::{Redactor, Report};
///
/// let mut report = Report::new();
/// Redactor::standard().redact_text("mail ada@lovelace.dev", &mut report);
/// assert_eq!(report.count("email"), 1);
/// assert_eq!(report.total(), 1);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    counts: Vec<(Arc<str>, u64)>,
    failed: u64,
}

impl Report {
    /// Nothing found yet, nothing allocated.
    pub const fn new() -> Self {
        Self {
            counts: Vec::new(),
            failed: 0,
        }
    }

    /// Whether nothing was replaced and nothing failed.
    pub fn is_clean(&self) -> bool {
        self.counts.is_empty() && self.failed == 0
    }

    /// Replaced places of all rules together.
    pub fn total(&self) -> u64 {
        self.counts.iter().map(|(_, n)| n).sum()
    }

    /// Replaced places of one rule.
    pub fn count(&self, rule: &str) -> u64 {
        self.iter()
            .find(|(name, _)| *name == rule)
            .map_or(0, |(_, n)| n)
    }

    /// Values that became `[REDACTED:error]` because a rule or the hook failed on them.
    pub fn failed(&self) -> u64 {
        self.failed
    }

    /// The rules that replaced something, with how many places, in the order they were first met.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, u64)> + '_ {
        self.counts.iter().map(|(name, n)| (name.as_ref(), *n))
    }

    /// Adds what another pass found.
    pub fn merge(&mut self, other: &Self) {
        for (name, n) in &other.counts {
            self.add(name, *n);
        }
        self.failed += other.failed;
    }

    pub(super) fn add(&mut self, rule: &Arc<str>, n: u64) {
        match self.counts.iter_mut().find(|(known, _)| known == rule) {
            Some((_, count)) => *count += n,
            None => self.counts.push((Arc::clone(rule), n)),
        }
    }

    pub(super) fn fail(&mut self) {
        self.failed += 1;
    }
}
