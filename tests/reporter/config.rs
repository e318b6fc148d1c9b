//! The reporter a configuration file of Cylestio Monitor names.

use serde_json::Value;
use tracing_genai::Telemetry;
use tracing_genai::config::Config;

use super::support::collector::{Answer, Collector};
use super::*;

fn file(endpoint: &str) -> Config {
    let text = format!(
        "api:\n  endpoint: \"{endpoint}\"\n  http_method: \"POST\"\n  timeout: 5\n  retries: 3\n  retry_delay: 0\n  access_key: \"canary-key\"\n"
    );
    Config::from_yaml(&text).unwrap()
}

#[test]
fn a_file_that_names_an_api_has_each_event_posted_there_as_its_own_system_does() {
    let server = Collector::start();
    server.answer(Answer::status(503));
    let config = file(&server.endpoint());
    assert!(config.unknown().is_empty());
    let telemetry = Telemetry::builder("test")
        .environment(|_| None)
        .config(config)
        .build()
        .unwrap();
    let sent = event("llm.call.started", "r", 1);
    telemetry.bus().publish(sent.clone());
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "{report}");
    assert_eq!(
        (report.reporters[0].0, report.reporters[0].1.delivered),
        ("api", 1)
    );
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    assert_eq!(requests[1].path, "/v1/telemetry");
    assert_eq!(
        requests[1].header("authorization"),
        Some("Bearer canary-key")
    );
    let record: Value = serde_json::from_slice(&requests[1].body).unwrap();
    assert_eq!(record["name"], "llm.call.started");
    assert_eq!(record["timestamp"], sent.time_rfc3339());
    assert_eq!(record["attributes"]["number"], 1);
}

#[test]
fn the_environment_goes_before_the_file_and_alone_sends_nothing() {
    let (server, other) = (Collector::start(), Collector::start());
    let to_server = {
        let endpoint = server.endpoint();
        move |name: &str| match name {
            "CYLESTIO_TELEMETRY_ENDPOINT" => Some(endpoint.clone()),
            "CYLESTIO_ACCESS_KEY" => Some("from-the-environment".to_owned()),
            _ => None,
        }
    };
    let telemetry = Telemetry::builder("test")
        .environment(to_server.clone())
        .config(file(&other.endpoint()))
        .build()
        .unwrap();
    telemetry.bus().publish(event("llm.call.started", "r", 1));
    assert!(telemetry.shutdown().is_complete());
    assert_eq!((server.requests().len(), other.connections()), (1, 0));
    assert_eq!(
        server.requests()[0].header("x-auth-token"),
        Some("from-the-environment")
    );

    let telemetry = Telemetry::builder("test")
        .environment(to_server)
        .config(Config::new())
        .build()
        .unwrap();
    assert!(telemetry.shutdown().reporters.is_empty());
}

#[test]
fn an_address_in_a_file_that_cannot_be_used_is_an_error_of_build() {
    let wrong = |endpoint: &str| {
        let built = Telemetry::builder("test")
            .environment(|_| None)
            .config(file(endpoint))
            .build();
        built.unwrap_err().to_string()
    };
    assert!(
        wrong("http://events.example")
            .starts_with("`api.endpoint` is \"http://events.example/v1/telemetry\": plain http")
    );
    assert!(wrong("nonsense://x").contains("the scheme must be http or https"));
}
