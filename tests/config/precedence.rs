//! Code over environment over file over default, pair by pair.

use std::collections::HashMap;

use tracing_genai::config::Config;
use tracing_genai::content::CaptureMode;
use tracing_genai::security::Policy;
use tracing_genai::{Telemetry, TelemetryBuilder, log_event};
use tracing_subscriber::prelude::*;

type Variables = &'static [(&'static str, &'static str)];

fn lookup(variables: Variables) -> impl Fn(&str) -> Option<String> + Send + Sync + 'static {
    move |name| {
        let found = variables.iter().find(|(known, _)| *known == name);
        found.map(|(_, value)| (*value).to_owned())
    }
}

fn config(yaml: &str, variables: Variables) -> Config {
    Config::from_yaml(yaml)
        .unwrap()
        .environment(lookup(variables))
}

/// Whether an event at this level of `tracing` is recorded.
fn records(builder: TelemetryBuilder, debug: bool) -> bool {
    let telemetry = builder.build().unwrap();
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    tracing::subscriber::with_default(subscriber, || {
        if debug {
            tracing::debug!(genai.event = "some.thing");
        } else {
            tracing::info!(genai.event = "some.thing");
        }
    });
    telemetry.shutdown().capture.delivered == 1
}

const DEBUG: &str = "logging: {level: debug}";
const WARN: &str = "logging: {level: warn}";

#[test]
fn the_file_goes_before_the_default() {
    assert_eq!(config("", &[]).get("logging.level"), Some("INFO".into()));
    assert_eq!(
        config(DEBUG, &[]).get("logging.level"),
        Some("DEBUG".into())
    );
    assert!(!records(
        Telemetry::builder("x").config(config("", &[])),
        true
    ));
    assert!(records(
        Telemetry::builder("x").config(config(DEBUG, &[])),
        true
    ));
}

#[test]
fn the_environment_goes_before_the_default() {
    let told = config("", &[("TRACING_GENAI_LEVEL", "debug")]);
    assert_eq!(told.get("logging.level"), Some("DEBUG".into()));
    assert!(records(Telemetry::builder("x").config(told), true));
}

#[test]
fn the_environment_goes_before_the_file_unless_it_is_empty_or_nonsense() {
    let level = |value: Variables| config(DEBUG, value).get("logging.level");
    assert_eq!(
        level(&[("TRACING_GENAI_LEVEL", "warning")]),
        Some("WARN".into())
    );
    assert_eq!(level(&[("TRACING_GENAI_LEVEL", " ")]), Some("DEBUG".into()));
    assert_eq!(
        level(&[("TRACING_GENAI_LEVEL", "LOUD")]),
        Some("DEBUG".into())
    );
    let told = config(DEBUG, &[("TRACING_GENAI_LEVEL", "warn")]);
    assert!(!records(Telemetry::builder("x").config(told), false));
}

#[test]
fn code_goes_before_the_environment() {
    let mut told = config("", &[("TRACING_GENAI_LEVEL", "error")]);
    told.set("logging.level", "debug").unwrap();
    assert_eq!(told.get("logging.level"), Some("DEBUG".into()));
    let told = config("", &[("TRACING_GENAI_LEVEL", "error")]);
    let builder = Telemetry::builder("x").level(tracing::level_filters::LevelFilter::DEBUG);
    assert!(records(builder.config(told), true));
}

#[test]
fn code_goes_before_the_file_whichever_is_told_first() {
    let max = tracing::level_filters::LevelFilter::DEBUG;
    let before = Telemetry::builder("x").level(max).config(config(WARN, &[]));
    let after = Telemetry::builder("x").config(config(WARN, &[])).level(max);
    assert!(records(before, true));
    assert!(records(after, true));
    let on = Telemetry::builder("x")
        .config(config("monitoring: {enabled: false}", &[]))
        .enabled(true);
    assert!(on.build().unwrap().is_enabled());
}

#[test]
fn code_goes_before_the_default() {
    let mut told = config("", &[]);
    told.set("logging.backup_count", 7).unwrap();
    assert_eq!(told.get("logging.backup_count"), Some(7.into()));
}

/// The name, agent and environment of the resource, as an exporter is told.
fn resource(builder: TelemetryBuilder) -> [Option<String>; 3] {
    use std::sync::{Arc, Mutex};
    #[derive(Debug, Default)]
    struct Told(Arc<Mutex<[Option<String>; 3]>>);
    impl tracing_genai::opentelemetry_sdk::trace::SpanExporter for Told {
        async fn export(
            &self,
            _: Vec<tracing_genai::opentelemetry_sdk::trace::SpanData>,
        ) -> tracing_genai::opentelemetry_sdk::error::OTelSdkResult {
            Ok(())
        }
        fn set_resource(&mut self, resource: &tracing_genai::opentelemetry_sdk::Resource) {
            let keys = [
                "service.name",
                "gen_ai.main_agent.id",
                "deployment.environment.name",
            ];
            *self.0.lock().unwrap() =
                keys.map(|key| resource.get(&key.into()).map(|value| value.to_string()));
        }
    }
    let told = Arc::default();
    let exporter = Told(Arc::clone(&told));
    let telemetry = builder.span_exporter(exporter).build().unwrap();
    drop(telemetry);
    let told = told.lock().unwrap();
    told.clone()
}

#[test]
fn who_one_is_comes_from_the_file_then_the_environment_then_code() {
    const FILE: &str =
        "service: {name: of-file}\nmonitoring: {agent_id: 'a, b'}\ndeployment: {environment: test}";
    let some = |text: &str| Some(text.to_owned());
    let of_file = Telemetry::builder("").config(config(FILE, &[]));
    assert_eq!(
        resource(of_file.environment(|_| None)),
        [some("of-file"), some("a, b"), some("test")]
    );
    const SET: Variables = &[
        ("OTEL_SERVICE_NAME", "of-env"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "deployment.environment.name=live",
        ),
        ("TRACING_GENAI_AGENT_ID", "c"),
    ];
    let of_env = Telemetry::builder("").config(Config::from_yaml(FILE).unwrap());
    assert_eq!(
        resource(of_env.environment(lookup(SET))),
        [some("of-env"), some("c"), some("live")]
    );
    let of_code = Telemetry::builder("mine")
        .environment(lookup(SET))
        .resource_attribute("deployment.environment.name", "mine")
        .config(Config::from_yaml(FILE).unwrap());
    assert_eq!(resource(of_code), [some("mine"), some("c"), some("mine")]);
}

#[test]
fn how_much_content_is_captured_is_said_by_code_over_environment_over_file() {
    const UPSTREAM: (&str, &str) = (
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT",
        "NO_CONTENT",
    );
    let captured = |variables: &'static [(&'static str, &'static str)],
                    code: Option<CaptureMode>| {
        let capture = tracing_genai::testing::capture_with(|builder| {
            let file = Config::from_yaml("capture: {content: redacted}").unwrap();
            let builder = builder.environment(lookup(variables)).config(file);
            match code {
                Some(mode) => builder.capture(mode),
                None => builder,
            }
        });
        capture.record(|| {
            tracing_genai::chat("openai", "m")
                .prompt("hello")
                .start()
                .complete()
        });
        capture
            .span("chat m")
            .attr("gen_ai.input.messages")
            .is_some()
    };
    assert!(captured(&[], None), "the file");
    assert!(!captured(&[("TRACING_GENAI_CAPTURE", "off")], None));
    assert!(
        !captured(&[UPSTREAM], None),
        "the environment over the file"
    );
    assert!(
        captured(&[UPSTREAM], Some(CaptureMode::Full)),
        "code over both"
    );
}

#[test]
fn the_security_section_is_the_policy_unless_the_builder_has_one() {
    let file = "security: {dangerous_keywords: [launch code], dangerous_action: block}";
    let run = |policy: Option<Policy>| {
        let capture = tracing_genai::testing::capture_with(|builder| {
            let builder = builder.config(Config::from_yaml(file).unwrap());
            match policy {
                Some(policy) => builder.security(policy),
                None => builder,
            }
        });
        capture.record(|| {
            let call = tracing_genai::chat("openai", "m").prompt("what is the LAUNCH  code?");
            call.try_start().is_err()
        })
    };
    assert!(run(None));
    assert!(!run(Some(Policy::new())));
}

#[test]
fn outputs_named_in_a_file_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let (lines, history) = (
        folder.path().join("events"),
        folder.path().join("history.db"),
    );
    std::fs::create_dir(&lines).unwrap();
    let yaml = format!(
        "logging: {{file: '{}'}}\nhistory: {{path: '{}'}}\nmonitoring: {{agent_id: ada}}",
        lines.display(),
        history.display()
    );
    let telemetry = Telemetry::builder("x")
        .config(config(&yaml, &[]))
        .build()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    tracing::subscriber::with_default(subscriber, || {
        log_event("some.thing", serde_json::json!({}), "", Default::default());
    });
    assert!(telemetry.shutdown().is_complete());
    let file = std::fs::read_dir(&lines).unwrap().next().unwrap().unwrap();
    let name = file.file_name().into_string().unwrap();
    assert!(name.starts_with("ada_monitoring_"), "{name}");
    let text = std::fs::read_to_string(file.path()).unwrap();
    assert!(text.contains("some.thing"), "{text}");
    assert_eq!(telemetry.history().count().unwrap(), 1);
    assert!(history.exists());
}

#[test]
fn an_endpoint_in_a_file_switches_the_exporter_on_and_a_bad_one_is_an_error() {
    let exports = |yaml: &str| {
        let builder = Telemetry::builder("x").environment(|_| None);
        builder.config(Config::from_yaml(yaml).unwrap()).build()
    };
    let telemetry =
        exports("otlp: {endpoint: 'http://127.0.0.1:9', headers: {x-api-key: 'a,b=c'}}").unwrap();
    assert!(telemetry.stats().traces.is_some());
    drop(telemetry.shutdown_within(std::time::Duration::ZERO));
    assert!(exports("").unwrap().stats().traces.is_none());
    assert!(exports("otlp: {endpoint: 'ftp://nowhere'}").is_err());
    assert!(exports("otlp: {endpoint: 'http://127.0.0.1:9', headers: {'a b': c}}").is_err());
}

#[test]
fn batches_wait_in_the_directory_that_a_file_or_a_variable_names() {
    let folder = tempfile::tempdir().unwrap();
    let (by_file, by_variable) = (folder.path().join("file"), folder.path().join("variable"));
    let (by_file, by_variable) = (by_file.to_str().unwrap(), by_variable.to_str().unwrap());
    let yaml = format!(
        "otlp: {{endpoint: 'http://127.0.0.1:9', spool: {{path: '{by_file}', max_mb: 32}}}}"
    );
    let variables = HashMap::from([("TRACING_GENAI_SPOOL", by_variable.to_owned())]);
    for (variables, directory) in [(HashMap::new(), by_file), (variables, by_variable)] {
        let lookup = move |name: &str| variables.get(name).cloned();
        let telemetry = Telemetry::builder("x")
            .environment(lookup)
            .config(Config::from_yaml(&yaml).unwrap())
            .build()
            .unwrap();
        let subscriber = tracing_subscriber::registry().with(telemetry.layer());
        tracing::subscriber::with_default(subscriber, || {
            tracing::info_span!("step").in_scope(|| {})
        });
        let report = telemetry.shutdown_within(std::time::Duration::from_millis(50));
        assert_eq!(report.traces.unwrap().stored, 1);
        drop(telemetry);
        assert_eq!(
            std::fs::read_dir(directory).unwrap().count(),
            1,
            "what was left there"
        );
    }
    assert!(Config::from_yaml("otlp: {spool: {max_mb: 1}}").is_err());
}

#[test]
fn an_endpoint_in_a_file_switches_the_exporter_on_though_a_variable_says_where() {
    let variables = |name: &str| {
        (name == "OTEL_EXPORTER_OTLP_ENDPOINT").then(|| "http://127.0.0.1:9".to_owned())
    };
    let telemetry = Telemetry::builder("x")
        .environment(variables)
        .config(Config::from_yaml("otlp: {endpoint: 'http://127.0.0.1:8'}").unwrap())
        .build()
        .unwrap();
    assert!(telemetry.stats().traces.is_some());
    drop(telemetry.shutdown_within(std::time::Duration::ZERO));
}
