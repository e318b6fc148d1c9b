//! What a check is shown, and what a check is.

use std::fmt;

use serde_json::Value;

use super::level::Point;
use super::verdict::Verdict;

/// A text on its way, as a check sees it.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Content<'c> {
    /// Where the text is on its way.
    pub point: Point,
    /// The text.
    pub text: &'c str,
    /// The tool's name at [`Point::ToolCall`] and [`Point::ToolResult`], the role at [`Point::Message`], if known.
    pub name: Option<&'c str>,
}

impl<'c> Content<'c> {
    /// A text at a point.
    pub fn new(point: Point, text: &'c str) -> Content<'c> {
        Content {
            point,
            text,
            name: None,
        }
    }

    /// Whose text it is: the tool's name, or the message's role.
    pub fn name(mut self, name: &'c str) -> Content<'c> {
        self.name = Some(name);
        self
    }
}

impl fmt::Debug for Content<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content")
            .field("point", &self.point)
            .field("bytes", &self.text.len())
            .finish_non_exhaustive()
    }
}

/// A check of your own. Closures are checks.
///
/// A check may panic: that is contained, [counted](super::Scanner::failed_checks), and found by the name of the check, with
/// low severity.
///
/// ```
/// use tracing_genai::security::{Content, Point, Scanner, SecurityCheck, Severity, Verdict};
///
/// struct OnlyOurHosts;
///
/// impl SecurityCheck for OnlyOurHosts {
///     fn check(&self, content: &Content<'_>) -> Verdict {
///         let foreign = content.point == Point::ToolCall
///             && content.name == Some("fetch")
///             && !content.text.contains("https://intranet.example/");
///         if foreign {
///             return Verdict::found("fetch.foreign_host", "policy", Severity::High);
///         }
///         Verdict::clean()
///     }
/// }
///
/// let scanner = Scanner::builder()
///     .check("hosts", OnlyOurHosts)
///     .check("size", |content: &Content<'_>| match content.text.len() {
///         0..100_000 => Verdict::clean(),
///         _ => Verdict::found("size.too_long", "policy", Severity::Low),
///     })
///     .build()?;
///
/// let call = Content::new(Point::ToolCall, r#"{"url":"https://evil.example/"}"#).name("fetch");
/// assert_eq!(scanner.check(&call).rules().next(), Some("fetch.foreign_host"));
/// # Ok::<(), tracing_genai::security::RuleError>(())
/// ```
pub trait SecurityCheck: Send + Sync {
    /// What this check says of a text. Called on the thread that asks, where a decision waits for it: be quick.
    fn check(&self, content: &Content<'_>) -> Verdict;
}

impl<F: Fn(&Content<'_>) -> Verdict + Send + Sync> SecurityCheck for F {
    fn check(&self, content: &Content<'_>) -> Verdict {
        self(content)
    }
}

/// The texts of a JSON value one after the other: the items of a list on one line, the fields of an object on lines of
/// their own.
pub(super) fn flatten(value: &Value) -> String {
    let mut out = String::new();
    // A list of what is left instead of recursion, so that depth costs no stack.
    let mut left = vec![(value, ' ')];
    while let Some((value, before)) = left.pop() {
        match value {
            Value::Array(items) => left.extend(items.iter().rev().map(|item| (item, ' '))),
            Value::Object(fields) => {
                left.extend(fields.values().rev().map(|field| (field, '\n')));
            }
            scalar => {
                if !out.is_empty() {
                    out.push(before);
                }
                match scalar {
                    Value::String(text) => out.push_str(text),
                    other => out.push_str(&other.to_string()),
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn texts_of_json_come_in_their_order_without_keys_and_escapes() {
        let value = json!({"a": "x\ny", "args": ["-rf", "/", {"b": 1}], "c": [], "d": null});
        assert_eq!(flatten(&value), "x\ny -rf /\n1\nnull");
        let deep = (0..100_000).fold(json!("end"), |inner, _| Value::Array(vec![inner]));
        assert_eq!(flatten(&deep), "end");
        std::mem::forget(deep);
    }
}
