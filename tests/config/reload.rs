//! A configuration that changes while the installation runs.

use std::time::Duration;

use serde_json::json;
use tracing_genai::config::Config;
use tracing_genai::event::{Event, Level};
use tracing_genai::{Telemetry, log_event};
use tracing_subscriber::prelude::*;

fn config(yaml: &str) -> Config {
    Config::from_yaml(yaml).unwrap().environment(|_| None)
}

fn events(telemetry: &Telemetry) -> Vec<Event> {
    telemetry.flush(Duration::from_secs(10));
    telemetry.history().oldest_first().fetch().unwrap()
}

#[test]
fn the_event_names_changed_keys_and_never_values() {
    const CANARY: &str = "canary-4711";
    let mut config = config("otlp: {headers: {x-api-key: old}}");
    let builder = Telemetry::builder("x").environment(|_| None);
    let telemetry = builder.config(config.clone()).build().unwrap();
    assert!(telemetry.reload(&config).is_empty());
    config.set("otlp.headers.x-api-key", CANARY).unwrap();
    config.set("logging.channels.LLM", "warn").unwrap();
    config.set("mine.own", CANARY).unwrap();
    let reload = telemetry.reload(&config);
    assert_eq!(reload.applied, ["logging.channels.LLM"]);
    assert_eq!(reload.needs_restart, ["otlp.headers.x-api-key"]);
    assert_eq!(reload.unknown, ["mine.own"]);
    assert_eq!(reload.changed().count(), 3);
    let events = events(&telemetry);
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].ty.to_string(), "config.updated");
    let keys = events[0].attr("config.keys").unwrap().to_json();
    assert_eq!(
        keys,
        json!(["logging.channels.LLM", "mine.own", "otlp.headers.x-api-key"])
    );
    assert!(
        !format!(
            "{:?} {}",
            events[0],
            serde_json::to_string(&events[0]).unwrap()
        )
        .contains(CANARY)
    );
    // The same once more is no change.
    assert!(telemetry.reload(&config).is_empty());
}

#[test]
fn levels_channels_and_the_switch_apply_at_once() {
    let mut config = config("");
    let telemetry = Telemetry::builder("x")
        .config(config.clone())
        .build()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    tracing::subscriber::with_default(subscriber, || {
        tracing::debug!(genai.event = "not.seen");
        config.set("logging.level", "debug").unwrap();
        config.set("logging.channels.CACHE", "off").unwrap();
        telemetry.reload(&config);
        tracing::debug!(genai.event = "now.seen");
        log_event("cache.hit", json!({}), "CACHE", Level::Error);
        // What waits in the queue may be taken either way.
        telemetry.flush(Duration::from_secs(10));
        config.set("monitoring.enabled", false).unwrap();
        config.set("logging.channels.CACHE", json!(null)).unwrap();
        telemetry.reload(&config);
        log_event("never.told", json!({}), "", Level::Error);
        config.set("monitoring.enabled", true).unwrap();
        telemetry.reload(&config);
        log_event("cache.hit", json!({}), "CACHE", Level::Error);
    });
    let told: Vec<_> = events(&telemetry)
        .iter()
        .map(|event| event.ty.to_string())
        .collect();
    assert_eq!(
        told,
        [
            "config.updated",
            "now.seen",
            "config.updated",
            "monitoring.disabled",
            "monitoring.enabled",
            "config.updated",
            "cache.hit"
        ]
    );
    assert_eq!(telemetry.stats().filtered, 1);
}

#[test]
fn what_code_has_decided_a_reload_does_not_change() {
    let mut config = config("");
    let telemetry = Telemetry::builder("x")
        .level(tracing::level_filters::LevelFilter::INFO)
        .channel_level("LLM", Level::Warn)
        .enabled(true)
        .config(config.clone())
        .build()
        .unwrap();
    config.set("logging.level", "error").unwrap();
    config.set("logging.channels.LLM", "debug").unwrap();
    config.set("monitoring.enabled", false).unwrap();
    let reload = telemetry.reload(&config);
    assert_eq!(
        reload.overridden,
        [
            "logging.channels.LLM",
            "logging.level",
            "monitoring.enabled"
        ]
    );
    assert!(telemetry.is_enabled() && !telemetry.channel("LLM").tells(Level::Info));
}

#[test]
fn a_file_is_read_again_what_was_set_stays_and_a_broken_one_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.yaml");
    std::fs::write(&path, "logging: {level: warn, backup_count: 2}").unwrap();
    let mut config = Config::from_file(&path).unwrap().environment(|_| None);
    config.set("logging.max_file_size_mb", 3).unwrap();
    assert!(config.reload().unwrap().is_empty());
    std::fs::write(&path, "logging: {level: debug}\nlogging.x: 1").unwrap();
    let changed = config.reload().unwrap();
    assert_eq!(
        changed,
        ["logging.backup_count", "logging.level", "logging.x"]
    );
    std::fs::write(&path, "logging: {level: LOUD}").unwrap();
    assert!(config.reload().is_err());
    assert_eq!(config.get("logging.level"), Some("DEBUG".into()));
    assert_eq!(config.get("logging.max_file_size_mb"), Some(3.into()));
    // What code sets is not written into the file.
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        "logging: {level: LOUD}"
    );
}

#[test]
fn a_new_file_counts_though_the_builder_already_stands_in_for_the_old_one() {
    let telemetry = Telemetry::builder("")
        .environment(|_| None)
        .config(Config::from_yaml("service: {name: a}\notlp: {compression: gzip}").unwrap())
        .build()
        .unwrap();
    let new = Config::from_yaml("service: {name: b}").unwrap();
    assert_eq!(
        telemetry.reload(&new).needs_restart,
        ["otlp.compression", "service.name"]
    );
}
