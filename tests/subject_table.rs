//! The reference table in the documentation of `Subject` is what the code does.

#![allow(clippy::unwrap_used)] // clippy.toml allows it in tests, but not in their helper functions.

use std::fmt::Write as _;

use tracing_genai::event::{EventType, Level, Phase, SpanKind, Subject};

const PATH: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/event/subjects.md");

fn span(subject: Subject) -> String {
    let Some(word) = subject.span_name_word() else {
        return String::new();
    };
    let kind = match subject.span_kind() {
        SpanKind::Client => " (client)",
        SpanKind::Server => " (server)",
        _ => "",
    };
    match subject.span_name_key() {
        Some(key) => format!("`{word} {{{key}}}`{kind}"),
        None => format!("`{word}`{kind}"),
    }
}

/// The phases, with the level of those that are not INFO. How a span fails is the same for all: said once, above the table.
fn phases(subject: Subject) -> String {
    let phase = |word: &&'static str| {
        let level = EventType::new(subject, Phase::from(*word)).default_level();
        match level {
            Level::Info => (*word).to_owned(),
            _ if !Phase::from(*word).is_moment() => (*word).to_owned(),
            other => format!("{word} ({other})"),
        }
    };
    let words: Vec<_> = subject.phases().iter().map(phase).collect();
    words.join(", ")
}

fn table() -> String {
    let mut out = String::from(
        "| Subject | Kind | Channel | Span | Phases |\n| --- | --- | --- | --- | --- |\n",
    );
    for subject in Subject::ALL {
        writeln!(
            out,
            "| `{subject}` | {} | {} | {} | {} |",
            subject.kind(),
            subject.channel(),
            span(*subject),
            phases(*subject),
        )
        .unwrap();
    }
    out
}

#[test]
fn the_documented_table_of_subjects_is_the_table_of_subjects() {
    if std::env::var_os("TRACING_GENAI_WRITE_TABLES").is_some() {
        std::fs::write(PATH, table()).unwrap();
    }
    assert!(
        std::fs::read_to_string(PATH).unwrap() == table(),
        "{PATH} is out of date: run this test with TRACING_GENAI_WRITE_TABLES=1"
    );
}

#[test]
fn spans_that_fail_are_errors_and_those_refused_or_dropped_are_warnings() {
    for subject in Subject::ALL {
        for (phase, level) in [
            (Phase::Started, Level::Info),
            (Phase::Completed, Level::Info),
            (Phase::Paused, Level::Info),
            (Phase::Blocked, Level::Warn),
            (Phase::Canceled, Level::Warn),
            (Phase::Failed, Level::Error),
        ] {
            let ty = EventType::new(*subject, phase);
            assert_eq!(ty.default_level(), level, "{ty}");
        }
    }
}
