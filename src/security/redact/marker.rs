//! The markers that stand where text was.
//!
//! Promise: what is recognised as a marker holds nothing but a rule's name.

/// Where no rule is to be named.
pub(super) const PLAIN: &str = "[REDACTED]";

/// What a value becomes when a rule or the hook fails on it.
pub(super) const ERROR: &str = "[REDACTED:error]";

const HEAD: &str = "[REDACTED";

/// The longest name of a rule.
pub(super) const NAME_BYTES: usize = 64;

/// `[REDACTED:rule]`.
pub(super) fn label(rule: &str, out: &mut String) {
    out.push_str(HEAD);
    out.push(':');
    out.push_str(rule);
    out.push(']');
}

/// Whether a rule may be called this.
pub(super) fn is_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= NAME_BYTES
        && name
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_'))
}

/// Whether the whole text is a marker.
pub(super) fn is_marker(text: &str) -> bool {
    len_at(text) == Some(text.len())
}

/// The marker's length, where the text begins with one.
fn len_at(text: &str) -> Option<usize> {
    let rest = text.strip_prefix(HEAD)?;
    if rest.starts_with(']') {
        return Some(PLAIN.len());
    }
    let window = rest.strip_prefix(':')?;
    let name = window
        .bytes()
        .take(NAME_BYTES + 1)
        .position(|b| b == b']')?;
    is_name(window.get(..name)?).then_some(HEAD.len() + 1 + name + 1)
}

/// Whether `at..end` lies inside a marker.
pub(super) fn holds(text: &str, at: usize, end: usize) -> bool {
    let bytes = text.as_bytes();
    let from = at.saturating_sub(HEAD.len() + NAME_BYTES + 2);
    let Some(open) = bytes.get(from..=at).and_then(|w| memchr::memrchr(b'[', w)) else {
        return false;
    };
    let open = from + open;
    text.get(open..)
        .and_then(len_at)
        .is_some_and(|len| end <= open + len)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_markers_of_rule_names_are_markers() {
        for text in ["[REDACTED]", "[REDACTED:email]", "[REDACTED:a_b-9]"] {
            assert!(is_marker(text), "{text}");
        }
        for text in [
            "",
            "[REDACTED",
            "[REDACTED:]",
            "[REDACTED:Sk-Live]",
            "[REDACTED:a b]",
            "[REDACTED]x",
            "x[REDACTED]",
        ] {
            assert!(!is_marker(text), "{text}");
        }
        let text = "é [REDACTED:email] mail";
        assert!(holds(text, 4, 7) && holds(text, 13, 18));
        assert!(!holds(text, 13, 22) && !holds(text, 0, 2) && !holds(text, 20, 24));
    }
}
