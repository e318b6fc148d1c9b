//! What a file may be, and what is said about one that cannot be used.

use proptest::prelude::*;
use tracing_genai::config::{Config, SettingsError};
use tracing_genai::{ConfigError, Telemetry};

fn wrong(text: &str) -> String {
    Config::from_yaml(text).unwrap_err().to_string()
}

#[test]
fn a_value_its_key_cannot_have_is_named_with_line_type_and_what_is_allowed() {
    assert_eq!(
        wrong("\nlogging:\n  backup_count: many\n"),
        "`logging.backup_count` (line 3) is the text \"many\", but must be a whole number from 0 to 10000"
    );
    assert_eq!(
        wrong("otlp: {protocol: [grpc]}"),
        "`otlp.protocol` (line 1) is a list, but must be one of grpc, http/protobuf"
    );
    assert_eq!(
        wrong("logging: loud"),
        "`logging` (line 1) is the text \"loud\", but must be a section"
    );
    assert_eq!(
        wrong("data_masking:\n  patterns:\n    - name: a\n"),
        "`data_masking.patterns[0].regex` (line 3) is empty, but must be a text"
    );
    assert_eq!(
        wrong("security:\n  alert_categories:\n    x:\n      severity: grave\n"),
        "`security.alert_categories.x.severity` (line 4) is the text \"grave\", but must be one of low, medium, high, critical"
    );
}

#[test]
fn the_value_of_a_secret_is_in_no_error_and_no_debug() {
    const CANARY: &str = "canary-4711";
    let text = format!("otlp:\n  headers:\n    x-api-key: [{CANARY}]\n");
    let error = Config::from_yaml(&text).unwrap_err();
    assert!(!format!("{error} {error:?}").contains(CANARY), "{error}");
    assert!(
        error
            .to_string()
            .contains("`otlp.headers.x-api-key` (line 3) is a list")
    );

    let text = format!("otlp: {{headers: {{x-api-key: {CANARY}}}}}\napi: {{access_key: {CANARY}}}");
    let mut config = Config::from_yaml(&text).unwrap();
    config.set("otlp.headers.authorization", CANARY).unwrap();
    assert!(!format!("{config:?}").contains(CANARY), "{config:?}");
    let builder = Telemetry::builder("x").config(config);
    assert!(!format!("{builder:?}").contains(CANARY));
    // Syntax errors quote nothing either.
    let error = wrong(&format!("a: \"{CANARY}\n"));
    assert!(!error.contains(CANARY), "{error}");
}

#[test]
fn a_file_that_is_no_mapping_or_no_yaml_is_refused_with_its_line() {
    assert_eq!(
        wrong("- a\n- b\n"),
        "line 1: the file is no mapping of keys to values"
    );
    assert_eq!(wrong("a: 1\na: 2\n"), "line 2: `a` is there twice");
    assert_eq!(
        wrong("a: 1\n---\nb: 2\n"),
        "line 2: the file has more than one document"
    );
    assert!(wrong("a: [1, 2\nb: 3").starts_with("line "));
    assert!(Config::from_yaml("").unwrap().unknown().is_empty());
    assert!(Config::from_yaml("# only a remark\n").is_ok());
}

#[test]
fn a_billion_laughs_are_refused_before_they_fill_the_memory() {
    let mut text = String::from("a0: &a0 [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]\n");
    for level in 1..30 {
        let items = vec![format!("*a{}", level - 1); 10].join(", ");
        text += &format!("a{level}: &a{level} [{items}]\n");
    }
    assert!(wrong(&text).contains("unfold to"), "{}", wrong(&text));
    // A few long texts many times are the same.
    let long = "x".repeat(100_000);
    let text = format!("a: &a {long}\nb: [{}]", vec!["*a"; 200].join(", "));
    assert!(wrong(&text).contains("unfold to"));
    assert!(wrong("a: &a [*a]").contains("inside what it stands for"));
    assert!(
        wrong(&format!("a: {}", "[".repeat(40) + &"]".repeat(40)))
            .contains("nested more than 32 deep")
    );
    assert!(wrong(&"# much\n".repeat(200_000)).contains("larger than 1 MiB"));
}

#[test]
fn aliases_and_merges_of_a_reasonable_size_work() {
    let config = Config::from_yaml(
        "x: &base {level: WARN, backup_count: 2}\nlogging:\n  <<: *base\n  backup_count: 3\n",
    )
    .unwrap();
    assert_eq!(config.get("logging.level"), Some("WARN".into()));
    assert_eq!(config.get("logging.backup_count"), Some(3.into()));
}

#[test]
fn a_file_that_is_named_and_not_there_is_an_error_of_build_too() {
    let error = Config::from_file("/nowhere/at/all.yaml").unwrap_err();
    assert!(matches!(error, SettingsError::Read { .. }), "{error}");
    let error = ConfigError::from(error);
    assert!(error.to_string().contains("/nowhere/at/all.yaml"));
}

#[test]
fn names_with_dots_in_them_are_found_and_set() {
    let mut config = Config::from_yaml("logging: {channels: {a.b: warn}}").unwrap();
    assert_eq!(config.get("logging.channels.a.b"), Some("WARN".into()));
    config.set("logging.channels.a.b", "off").unwrap();
    assert_eq!(config.get("logging.channels.a.b"), Some("OFF".into()));
}

proptest! {
    #[test]
    fn no_text_makes_the_reader_panic(text in "[ -~\n\t]{0,200}") {
        let _ = Config::from_yaml(&text);
    }

    #[test]
    fn no_yaml_like_text_makes_the_reader_panic(
        parts in proptest::collection::vec(
            prop_oneof!["- ", ": ", "\n", "  ", "&a ", "\\*a", "\\[", "\\]", "\\{", "\\}", "a", "logging", "level", "'", "\"", "\\|", "\\?", "!!str "],
            0..40,
        )
    ) {
        let _ = Config::from_yaml(&parts.concat());
    }
}
