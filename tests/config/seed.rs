//! Files of Cylestio Monitor load as they are.

use tracing_genai::config::{Config, Severity};
use tracing_genai::{Telemetry, event::Level};

const V1: &str = include_str!("../data/config/cylestio_v1.yaml");
const V2: &str = include_str!("../data/config/cylestio_v2.yaml");

#[test]
fn both_generations_load_and_build_and_what_they_name_is_readable() {
    for text in [V1, V2] {
        let config = Config::from_yaml(text).unwrap().environment(|_| None);
        assert_eq!(config.get("logging.level"), Some("INFO".into()));
        assert_eq!(config.get("logging.max_file_size_mb"), Some(10.into()));
        assert_eq!(config.get("compliance.retention_days"), Some(30.into()));
        let telemetry = Telemetry::builder("planner")
            .config(config)
            .build()
            .unwrap();
        assert!(telemetry.is_enabled());
        assert!(telemetry.channel("LLM").tells(Level::Debug));
    }
}

#[test]
fn keys_that_nothing_acts_on_are_kept_and_listed() {
    let config = Config::from_yaml(V2).unwrap().environment(|_| None);
    assert_eq!(
        config.unknown(),
        [
            "api.background_sending",
            "compliance.frameworks.gdpr.enabled",
            "compliance.frameworks.gdpr.right_to_be_forgotten",
            "compliance.frameworks.hipaa.enabled",
            "compliance.frameworks.hipaa.phi_protection",
            "dashboard.enabled",
            "dashboard.sync_enabled",
            "dashboard.sync_interval_minutes",
            "logging.format",
        ]
    );
    assert_eq!(
        config.get("api.endpoint"),
        Some("http://127.0.0.1:8000".into())
    );
    assert_eq!(
        config.get("compliance.frameworks.gdpr"),
        Some(serde_json::json!({ "enabled": true, "right_to_be_forgotten": true }))
    );
    assert_eq!(config.get("api.nothing"), None);
}

#[test]
fn the_words_and_levels_of_the_first_generation_are_read() {
    let security = Config::from_yaml(V1).unwrap().security();
    assert_eq!(
        security.suspicious.unwrap(),
        ["REMOVE", "CLEAR", "HACK", "BOMB"]
    );
    assert_eq!(security.dangerous.unwrap().last().unwrap(), "RM -RF");
    assert_eq!(
        security.alert_levels.unwrap(),
        ["none", "suspicious", "dangerous"]
    );
    assert_eq!(security.dangerous_action, None);
    assert!(security.categories.is_empty() && security.patterns.is_empty());
}

#[test]
fn the_categories_and_patterns_of_the_last_generation_are_read() {
    let security = Config::from_yaml(V2).unwrap().security();
    let names: Vec<_> = security.categories.iter().map(|one| &*one.name).collect();
    assert_eq!(
        names,
        [
            "sensitive_data",
            "dangerous_commands",
            "prompt_manipulation"
        ]
    );
    let commands = &security.categories[1];
    assert!(commands.enabled);
    assert_eq!(commands.severity, Some(Severity::High));
    assert_eq!(commands.keywords, ["drop table", "rm -rf", "EXEC("]);
    let phone = &security.patterns[1];
    assert_eq!(
        (&*phone.name, phone.severity),
        ("phone_number", Some(Severity::Low))
    );
    assert_eq!(phone.regex, r"\b\d{3}[-.\s]?\d{3}[-.\s]?\d{4}\b");
    assert_eq!(phone.mask_method.as_deref(), Some("phone"));
    assert_eq!(security.suspicious, None);
}

#[test]
fn masking_patterns_become_a_redactor_with_their_replacements() {
    let redactor = Config::from_yaml(V1).unwrap().redactor().unwrap().unwrap();
    assert_eq!(redactor.redact_str("from 10.1.2.3"), "from [IP_ADDRESS]");
    assert_eq!(
        redactor.redact_str("write to ada@lovelace.dev"),
        "write to [EMAIL]"
    );
    // The standard rules are there too.
    let text = "postgres://ada:pa55word@db/app";
    assert_ne!(redactor.redact_str(text), text);
    let redactor = Config::from_yaml(V2).unwrap().redactor().unwrap().unwrap();
    assert_eq!(
        redactor.redact_str("call 555-123-4567 now"),
        "call ****67 now"
    );
    let off = Config::from_yaml("data_masking: {enabled: no}").unwrap();
    assert!(off.redactor().unwrap().is_none());
    let bad = Config::from_yaml("data_masking: {patterns: [{name: x, regex: '('}]}").unwrap();
    assert!(bad.redactor().unwrap_err().to_string().contains("\"x\""));
}
