//! What code, environment and defaults make of an OTLP configuration. No test touches the process's
//! own environment.
#![cfg(feature = "otlp")]
#![allow(clippy::unwrap_used, reason = "a test stops where it goes wrong")]

mod support;

use std::collections::HashMap;
use std::ffi::OsString;
use std::time::Duration;

use support::waiting;
use tracing_genai::Telemetry;
use tracing_genai::otlp::internal::Resolved;
use tracing_genai::otlp::{Compression, OtlpConfig, OtlpConfigError, Protocol, Signal};

const SIGNALS: [Signal; 3] = [Signal::Traces, Signal::Logs, Signal::Metrics];

fn resolve(config: &OtlpConfig, env: &[(&str, &str)]) -> Result<Option<Resolved>, OtlpConfigError> {
    let env: HashMap<&str, &str> = env.iter().copied().collect();
    config.resolve(&|name| env.get(name).map(OsString::from))
}

fn resolved(config: &OtlpConfig, env: &[(&str, &str)]) -> Resolved {
    resolve(config, env).unwrap().unwrap()
}

fn from_env(env: &[(&str, &str)]) -> [String; 3] {
    shown(&resolved(&OtlpConfig::new(), env))
}

fn shown(resolved: &Resolved) -> [String; 3] {
    SIGNALS.map(|signal| {
        resolved
            .target(signal)
            .map_or("-", |target| target.shown())
            .to_owned()
    })
}

fn error(env: &[(&str, &str)]) -> String {
    resolve(&OtlpConfig::new(), env).unwrap_err().to_string()
}

#[test]
fn without_an_endpoint_nothing_is_sent_and_nothing_is_an_error() {
    for env in [
        &[][..],
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", "")],
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", "  ")],
        &[
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "x"),
        ],
        &[("OTEL_EXPORTER_OTLP_HEADERS", "garbage")],
    ] {
        assert!(
            resolve(&OtlpConfig::new(), env).unwrap().is_none(),
            "{env:?}"
        );
    }
    let config = OtlpConfig::new().header("a", "b").timeout(Duration::ZERO);
    assert!(resolve(&config, &[]).unwrap().is_none());
}

#[test]
fn a_general_endpoint_serves_all_signals_and_a_signals_own_goes_first() {
    let general = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
    assert_eq!(
        from_env(&[general]),
        [
            "http://localhost:4318/v1/traces",
            "http://localhost:4318/v1/logs",
            "http://localhost:4318/v1/metrics"
        ]
    );
    assert_eq!(
        from_env(&[
            general,
            (
                "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
                "https://logs.example/in"
            )
        ]),
        [
            "http://localhost:4318/v1/traces",
            "https://logs.example/in",
            "http://localhost:4318/v1/metrics"
        ]
    );
    assert_eq!(
        from_env(&[(
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "http://localhost:6006/v1/traces"
        )]),
        ["http://localhost:6006/v1/traces", "-", "-"]
    );
}

#[test]
fn code_goes_before_the_environment_and_the_environment_before_the_default() {
    let env = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://env.example"),
        (
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
            "https://metrics.env.example",
        ),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500"),
        ("OTEL_EXPORTER_OTLP_LOGS_TIMEOUT", "2500"),
    ];
    let none = resolved(&OtlpConfig::new(), &env);
    assert_eq!(
        none.target(Signal::Traces).unwrap().timeout(),
        Duration::from_millis(1500)
    );
    assert_eq!(
        none.target(Signal::Logs).unwrap().timeout(),
        Duration::from_millis(2500)
    );

    let config = OtlpConfig::new()
        .endpoint("https://code.example/x")
        .endpoint_for(Signal::Logs, "https://logs.code.example")
        .timeout(Duration::from_secs(3))
        .timeout_for(Signal::Metrics, Duration::from_secs(4));
    let both = resolved(&config, &env);
    assert_eq!(
        shown(&both),
        [
            "https://code.example/x/v1/traces",
            "https://logs.code.example/",
            "https://code.example/x/v1/metrics"
        ]
    );
    let timeout = |signal| both.target(signal).unwrap().timeout().as_secs();
    assert_eq!(SIGNALS.map(timeout), [3, 3, 4]);

    let default = resolved(&OtlpConfig::new().endpoint("https://h"), &[]);
    let target = default.target(Signal::Traces).unwrap();
    assert_eq!(target.timeout(), OtlpConfig::DEFAULT_TIMEOUT);
    assert_eq!(target.protocol(), Protocol::HttpProtobuf);
}

#[test]
fn the_protocol_is_named_or_follows_from_port_4317() {
    let protocol = |env: &[(&str, &str)]| {
        let resolved = resolved(&OtlpConfig::new(), env);
        SIGNALS.map(|signal| resolved.target(signal).unwrap().protocol())
    };
    let endpoint = |url| ("OTEL_EXPORTER_OTLP_ENDPOINT", url);
    let (http, grpc) = (Protocol::HttpProtobuf, Protocol::Grpc);
    assert_eq!(protocol(&[endpoint("http://localhost:4318")]), [http; 3]);
    assert_eq!(protocol(&[endpoint("http://localhost:4317")]), [grpc; 3]);
    assert_eq!(protocol(&[endpoint("localhost:4317")]), [grpc; 3]);
    assert_eq!(
        protocol(&[endpoint("http://localhost:4317/otlp")]),
        [http; 3]
    );
    let named = ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf");
    assert_eq!(
        protocol(&[endpoint("http://localhost:4317"), named]),
        [http; 3]
    );
    let named = ("OTEL_EXPORTER_OTLP_LOGS_PROTOCOL", "grpc");
    assert_eq!(
        protocol(&[endpoint("http://localhost:4318"), named]),
        [http, grpc, http]
    );
    let config = OtlpConfig::new()
        .protocol(http)
        .protocol_for(Signal::Metrics, grpc);
    let resolved = resolved(&config, &[endpoint("http://localhost:4317"), named]);
    assert_eq!(
        SIGNALS.map(|signal| resolved.target(signal).unwrap().protocol()),
        [http, http, grpc]
    );
}

#[test]
fn signals_are_switched_off_by_code_or_by_the_exporter_variable() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
    let off = |name, value| from_env(&[endpoint, (name, value)]).map(|shown| shown == "-");
    assert_eq!(off("OTEL_TRACES_EXPORTER", "none"), [true, false, false]);
    assert_eq!(off("OTEL_LOGS_EXPORTER", "console"), [false, true, false]);
    assert_eq!(off("OTEL_METRICS_EXPORTER", "otlp,console"), [false; 3]);
    let config = OtlpConfig::new().without(Signal::Logs);
    assert_eq!(
        shown(&resolved(&config, &[endpoint])).map(|shown| shown == "-"),
        [false, true, false]
    );
    let all_off = config.without(Signal::Traces).without(Signal::Metrics);
    assert!(resolve(&all_off, &[endpoint]).unwrap().is_none());
}

#[test]
fn otlp_asked_for_by_name_without_an_endpoint_goes_to_the_standard_one() {
    let asked = ("OTEL_TRACES_EXPORTER", "otlp");
    assert_eq!(
        from_env(&[asked]),
        ["http://localhost:4318/v1/traces", "-", "-"]
    );
    let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
    assert_eq!(from_env(&[asked, grpc])[0], "http://localhost:4317 (gRPC)");
}

#[test]
fn plain_http_to_another_host_needs_permission() {
    let endpoint = (
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "http://user:canary@collector:4318?canary",
    );
    let text = error(&[endpoint]);
    assert!(
        text.starts_with("OTEL_EXPORTER_OTLP_ENDPOINT is \"http://collector:4318\""),
        "{text}"
    );
    assert!(
        text.contains("allow_plaintext(true)") && text.contains("OTEL_EXPORTER_OTLP_INSECURE=true")
    );
    let insecure = ("OTEL_EXPORTER_OTLP_INSECURE", "true");
    assert_eq!(
        from_env(&[endpoint, insecure])[0],
        "http://collector:4318/v1/traces"
    );
    let allowed = OtlpConfig::new().allow_plaintext(true);
    assert!(resolve(&allowed, &[endpoint]).is_ok());
    let forbidden = OtlpConfig::new().allow_plaintext(false);
    assert!(
        resolve(&forbidden, &[endpoint, insecure]).is_err(),
        "code goes before the environment"
    );
    let one = ("OTEL_EXPORTER_OTLP_TRACES_INSECURE", "true");
    assert!(
        resolve(&OtlpConfig::new(), &[endpoint, one]).is_err(),
        "logs and metrics still are not"
    );
}

#[test]
fn every_error_names_its_source_and_says_what_to_write() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
    for (name, value, expected) in [
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "localhost:canary",
            "write for example http",
        ),
        (
            "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT",
            "grpc://h",
            "the scheme must be http or https",
        ),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://localhost:4318/v1/traces",
            "leave the /v1/… out",
        ),
        (
            "OTEL_EXPORTER_OTLP_HEADERS",
            "a=b,canary",
            "entry 2 has no '='",
        ),
        (
            "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
            "a=canary%0D%0Ax: y",
            "a has a line break",
        ),
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "http/json",
            "write grpc or http/protobuf",
        ),
        (
            "OTEL_EXPORTER_OTLP_TRACES_COMPRESSION",
            "brotli",
            "write gzip or none",
        ),
        (
            "OTEL_EXPORTER_OTLP_TIMEOUT",
            "0",
            "milliseconds from 1 to 600000",
        ),
        ("OTEL_EXPORTER_OTLP_INSECURE", "1", "write true or false"),
        (
            "OTEL_TRACES_EXPORTER",
            "jaeger",
            "write otlp, console, otlp,console or none",
        ),
        (
            "OTEL_EXPORTER_OTLP_CLIENT_KEY",
            "/k",
            "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE is not",
        ),
    ] {
        let text = error(&[endpoint, (name, value)]);
        assert!(text.starts_with(name), "{text}");
        assert!(text.contains(expected), "{text}");
        assert!(
            !text.contains("canary") || name.ends_with("ENDPOINT"),
            "{text}"
        );
    }
    for (config, method, expected) in [
        (
            OtlpConfig::new().endpoint("nonsense://"),
            "OtlpConfig::endpoint",
            "http or https",
        ),
        (
            OtlpConfig::new().timeout(Duration::ZERO),
            "OtlpConfig::timeout",
            "from 1 to 600000",
        ),
        (
            OtlpConfig::new().timeout(Duration::MAX),
            "OtlpConfig::timeout",
            "from 1 to 600000",
        ),
        (
            OtlpConfig::new().header("a b", "canary"),
            "OtlpConfig::header",
            "the name \"a b\" is empty or",
        ),
        (
            OtlpConfig::new().header("a", "canary\r\n"),
            "OtlpConfig::header",
            "a has a line break",
        ),
        (
            OtlpConfig::new().header("te", "canary"),
            "OtlpConfig::header",
            "set by the exporter itself",
        ),
        (
            OtlpConfig::new().header_for(Signal::Logs, "a", "é canary"),
            "OtlpConfig::header_for",
            "outside printable ASCII",
        ),
    ] {
        let text = resolve(&config, &[endpoint]).unwrap_err().to_string();
        assert!(text.starts_with(method), "{text}");
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }
}

#[test]
fn no_type_prints_a_secret() {
    let config = OtlpConfig::new()
        .endpoint("https://user:canary@h/x?key=canary#canary")
        .endpoint_for(Signal::Logs, "https://canary@h")
        .header("authorization", "Bearer canary")
        .header_for(Signal::Logs, "x-key", "canary")
        .compression(Compression::Gzip);
    let env = [
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-env=canary"),
        (
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT",
            "https://canary:canary@h?canary",
        ),
    ];
    let resolved = resolved(&config, &env);
    let printed = format!("{config:?} {config:#?} {resolved:?} {resolved:#?}");
    assert!(!printed.contains("canary"), "{printed}");
    for kept in ["https://h/x", "authorization", "x-key", "x-env", "Gzip"] {
        assert!(printed.contains(kept), "{kept} in {printed}");
    }
}

/// The same through the front door: whoever builds gets the error, and nothing was started.
#[test]
fn a_setting_that_cannot_work_is_an_error_of_build_that_names_it_and_repeats_no_secret() {
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost:4318");
    for (name, value) in [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "ftp://h"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://h:99999"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://u:canary@h:x"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://localhost\r\nx: y"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=canary%0d%0ahost: h"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-key=canary\r\nhost: h"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "canary"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "99999999999999999999"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "99999999999"),
        ("OTEL_BSP_SCHEDULE_DELAY", "-1"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "0"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "brotli"),
        ("OTEL_TRACES_EXPORTER", "jaeger"),
    ] {
        let built = Telemetry::builder("test")
            .environment(move |asked| {
                let all = [(name, value), endpoint];
                let found = all.iter().find(|(known, _)| *known == asked);
                found.map(|(_, value)| (*value).to_owned())
            })
            .otlp_from_env()
            .build();
        let text = built.unwrap_err().to_string();
        assert!(text.contains(name), "{name}={value:?}: {text}");
        assert!(!text.contains("canary"), "{text}");
        assert!(!text.chars().any(char::is_control), "{text:?}");
        assert!(text.len() < 500, "{text}");
    }
}

#[test]
#[cfg(unix)]
fn a_variable_of_the_process_that_is_no_text_is_ignored_and_said_once() {
    use std::os::unix::ffi::OsStringExt as _;
    let test = "a_variable_of_the_process_that_is_no_text_is_ignored_and_said_once";
    if waiting::is_alone(test) {
        for _ in 0..2 {
            let telemetry = Telemetry::builder("test").otlp_from_env().build().unwrap();
            assert_eq!(telemetry.shutdown().traces, None);
        }
        return;
    }
    let value = OsString::from_vec(b"http://canary\xff".to_vec());
    let child = waiting::child(
        test,
        &[("OTEL_EXPORTER_OTLP_ENDPOINT".as_ref(), value.as_os_str())],
    );
    assert!(child.status.success(), "{}{}", child.out, child.err);
    let told = "OTEL_EXPORTER_OTLP_ENDPOINT is not valid UTF-8 and is ignored";
    assert_eq!(child.err.matches(told).count(), 1, "{}", child.err);
    assert!(!child.err.contains("canary"), "{}", child.err);
}
