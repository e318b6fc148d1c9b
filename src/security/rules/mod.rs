//! The bundled rules, as tables: what each looks for, and which texts it is tried at.
//!
//! Patterns are in the `regex` crate's verbose form, without regard to case, over bytes: a blank is `\s`, `#` is `\#`. Each says
//! how far apart its parts may be, and never more than [`engine`](super::engine) looks at around an anchor. Each match has one
//! of the row's anchors in it. `tests/data/security/injections.txt` has the cases each row must find and must leave alone.

mod commands;
mod prompt;
mod sensitive;

use super::level::Severity;
use super::rule::{Pattern, Rule};

/// One rule.
pub(super) struct Row {
    id: &'static str,
    severity: Severity,
    what: &'static str,
    anchors: &'static [&'static str],
    pattern: &'static str,
}

/// Every bundled rule that is a pattern.
pub(super) fn standard() -> Vec<Rule> {
    let tables = [
        (commands::CATEGORY, commands::ROWS),
        (prompt::CATEGORY, prompt::ROWS),
        (sensitive::CATEGORY, sensitive::ROWS),
    ];
    let rows = tables
        .into_iter()
        .flat_map(|(category, rows)| rows.iter().map(move |row| (category, row)));
    rows.map(|(category, row)| Rule {
        id: row.id.into(),
        category: category.into(),
        severity: row.severity,
        what: row.what.into(),
        pattern: Pattern::Near(row.pattern, row.anchors),
    })
    .collect()
}
