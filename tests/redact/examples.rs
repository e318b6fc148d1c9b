//! The corpora: true cases and near misses.

use tracing_genai::security::redact::{Redactor, Report};

use crate::corpus::{cases, near_misses};

#[test]
fn true_cases_are_found_by_their_rule_and_nothing_of_them_is_left() {
    let redactor = Redactor::standard();
    let cases = cases();
    assert!(cases.len() >= 120, "{}", cases.len());
    let mut missed = Vec::new();
    for case in &cases {
        let mut report = Report::new();
        let out = redactor.redact_text(&case.text, &mut report);
        if out.contains(&case.secret) || report.count(&case.rule) == 0 {
            missed.push(format!(
                "{}: {} -> {out} ({report:?})",
                case.rule, case.text
            ));
        }
        assert_eq!(
            redactor.redact_str(&out),
            out,
            "a second time changes nothing"
        );
        let was_json = serde_json::from_str::<serde_json::Value>(&case.text).is_ok();
        let is_json = serde_json::from_str::<serde_json::Value>(&out).is_ok();
        assert!(!was_json || is_json, "JSON stays JSON: {out}");
    }
    let found = (cases.len() - missed.len()) as f64 / cases.len() as f64;
    println!("{} of {} found", cases.len() - missed.len(), cases.len());
    assert!(found >= 0.98, "{found}\n{}", missed.join("\n"));
    if !missed.is_empty() {
        println!("missed:\n{}", missed.join("\n"));
    }
}

#[test]
fn what_surrounds_a_secret_stays() {
    let redactor = Redactor::standard();
    for case in cases() {
        let (before, after) = case.text.split_once(&case.secret).unwrap();
        let out = redactor.redact_str(&case.text);
        // Words around may be written anew where they are escapes of a document, and nowhere else.
        if !case.text.contains('\\') && !case.text.contains("AIza") {
            assert!(
                out.starts_with(before.trim_end_matches(|c: char| !c.is_ascii_alphanumeric()))
                    || before.contains("AKIA"),
                "{} -> {out}",
                case.text
            );
            assert!(
                out.ends_with(after.trim_start_matches(|c: char| !c.is_ascii_alphanumeric())),
                "{} -> {out}",
                case.text
            );
        }
    }
}

#[test]
fn near_misses_are_left_as_they_are() {
    let redactor = Redactor::standard();
    let misses = near_misses();
    assert!(misses.len() >= 100, "{}", misses.len());
    let mut wrong = Vec::new();
    for text in &misses {
        let mut report = Report::new();
        let out = redactor.redact_text(text, &mut report);
        if out != *text {
            wrong.push(format!("{text} -> {out} ({report:?})"));
        }
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_standard_rule_has_a_true_case() {
    let cases = cases();
    for (rule, on) in Redactor::known_rules() {
        let optional = [
            "langwatch-key",
            "tavily-key",
            "pinecone-key",
            "supabase-token",
            "age-key",
        ];
        assert!(
            !on || optional.contains(&rule) || cases.iter().any(|case| case.rule == rule),
            "{rule}"
        );
    }
}
