//! What the compiler refuses in [`event_types!`](crate::event_types), and why.
//!
//! Promise: its idea of a name is that of [`EventType::parse`]. Never: runs at run time, outside tests.

use crate::event::{EventType, Phase, Subject};

/// Stops the compiler at a name that [`event_types!`](crate::event_types) cannot define.
#[doc(hidden)]
pub const fn check_type(name: &str) {
    assert!(
        is_name(name),
        "an event type is segments of [a-z][a-z0-9_]* joined by dots, at most 255 bytes in all: \"data.processed\""
    );
    let (head, last) = split_last(name.as_bytes());
    assert!(
        subject(name.as_bytes()).is_none() && !(head.is_empty() && is_span_phase(last)),
        "an event type is a subject and a phase; this is the name of a subject or a phase alone"
    );
    if let Some(subject) = subject(head) {
        assert!(
            !(subject.has_span() && is_span_phase(last)),
            "the start and the ends of this subject are told by its spans; define a moment, or a subject of your own"
        );
    }
}

/// Stops the compiler when two fields are one attribute.
#[doc(hidden)]
pub const fn check_keys(keys: &[&str]) {
    let mut at = 0;
    while at < keys.len() {
        assert!(!keys[at].is_empty(), "an attribute needs a name");
        let mut before = 0;
        while before < at {
            assert!(
                !equal(keys[at].as_bytes(), keys[before].as_bytes()),
                "two fields have the same attribute"
            );
            before += 1;
        }
        at += 1;
    }
}

/// Whether `name` is of the grammar of [`EventType::parse`].
const fn is_name(name: &str) -> bool {
    let name = name.as_bytes();
    if name.len() > EventType::MAX_LEN {
        return false;
    }
    let (mut at, mut fresh) = (0, true);
    while at < name.len() {
        match name[at] {
            b'a'..=b'z' => fresh = false,
            b'0'..=b'9' | b'_' if !fresh => {}
            b'.' if !fresh => fresh = true,
            _ => return false,
        }
        at += 1;
    }
    !fresh
}

/// What comes before and after the last dot.
const fn split_last(name: &[u8]) -> (&[u8], &[u8]) {
    let mut at = name.len();
    while at > 0 {
        at -= 1;
        if name[at] == b'.' {
            let (head, tail) = name.split_at(at);
            return (head, tail.split_at(1).1);
        }
    }
    (&[], name)
}

/// The subject of this name, but for [`Subject::CUSTOM`], whose every phase is the application's.
const fn subject(name: &[u8]) -> Option<Subject> {
    let mut at = 0;
    while at < Subject::ALL.len() {
        let subject = Subject::ALL[at];
        if equal(subject.name().as_bytes(), name) {
            return Some(subject);
        }
        at += 1;
    }
    None
}

const fn is_span_phase(word: &[u8]) -> bool {
    let mut at = 0;
    while at < Phase::SPAN.len() {
        if equal(Phase::SPAN[at].as_str().as_bytes(), word) {
            return true;
        }
        at += 1;
    }
    false
}

const fn equal(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut at = 0;
    while at < a.len() {
        if a[at] != b[at] {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_compiler_and_the_parser_agree_on_what_a_name_is(text in "[a-zA-Z0-9_. é]{0,12}") {
            let parsed = EventType::parse(&text);
            let alone = parsed == Err(crate::event::ParseEventTypeError::Incomplete);
            prop_assert_eq!(is_name(&text), parsed.is_ok() || alone, "{:?}", text);
        }
    }

    #[test]
    fn names_end_where_event_types_end() {
        let name = |len| "a".repeat(len);
        assert!(is_name(&name(EventType::MAX_LEN)));
        assert!(!is_name(&name(EventType::MAX_LEN + 1)));
    }

    #[test]
    fn subjects_and_phases_alone_and_the_ends_of_spans_cannot_be_defined() {
        let refused = |name: &'static str| std::panic::catch_unwind(|| check_type(name)).is_err();
        for subject in Subject::ALL {
            assert!(refused(subject.name()), "{subject}");
            for phase in Phase::SPAN {
                let name: &'static str = format!("{subject}.{phase}").leak();
                assert_eq!(refused(name), subject.has_span(), "{name}");
            }
        }
        for name in ["started", "failed", "Data", "data..processed", ""] {
            assert!(refused(name), "{name}");
        }
        for name in [
            "llm.call.cached",
            "billing.invoice.failed",
            "custom.failed",
            "data",
        ] {
            assert!(!refused(name), "{name}");
        }
    }
}
