//! Everything the fuzzers were given or have found, on the stable toolchain.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test stops where it goes wrong"
)]

#[path = "fuzz/checks.rs"]
#[allow(unreachable_pub, missing_docs, reason = "nobody's API")]
mod checks;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// The files of one corpus by name, and how many there are.
fn replay(target: &str) -> usize {
    let (_, check) = checks::ALL
        .iter()
        .find(|(name, _)| *name == target)
        .unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fuzz/corpus")
        .join(target);
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for file in &files {
        let bytes = fs::read(file).unwrap();
        if catch_unwind(AssertUnwindSafe(|| check(&bytes))).is_err() {
            panic!("{} breaks it", file.display());
        }
    }
    files.len()
}

#[test]
fn nothing_hostile_comes_through_the_escaping_of_any_known_input() {
    assert!(replay("escape") >= 20);
}

#[test]
fn no_known_input_gets_a_secret_through_the_redactor_or_redacts_differently_a_second_time() {
    assert!(replay("redact") >= 20);
}

#[test]
fn no_known_body_breaks_a_reader_or_reads_differently_when_cut() {
    assert!(replay("messages_json") >= 20);
}

#[test]
fn any_known_json_is_read_as_messages_and_fits_its_budget_or_is_not_there() {
    assert!(replay("messages") >= 20);
}

#[test]
fn no_known_bytes_of_a_spool_bring_a_batch_that_was_not_written_or_hide_one_that_is_whole() {
    assert!(replay("spool_scan") >= 20);
}

#[test]
fn every_known_answer_of_a_collector_has_a_verdict_with_a_bounded_wait_and_a_harmless_text() {
    assert!(replay("otlp_judge") >= 20);
}

#[test]
fn every_known_list_of_headers_is_headers_or_an_error_without_a_value() {
    assert!(replay("env_headers") >= 20);
}

#[test]
fn every_known_trace_context_is_valid_or_none_and_travels_on_unchanged() {
    assert!(replay("traceparent") >= 20);
}

#[test]
fn every_corpus_has_its_check() {
    let mut folders: Vec<String> =
        fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus"))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
    let mut checks = checks::ALL.map(|(name, _)| name.to_owned());
    folders.sort();
    checks.sort();
    assert_eq!(folders, checks);
}
