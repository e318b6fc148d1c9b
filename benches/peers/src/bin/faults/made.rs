//! The process that makes spans: how each competitor is set up, and what it says at its end.

use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{Protocol, WithExportConfig as _};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{Dispatch, info_span};
use tracing_genai::Telemetry;
use tracing_genai::otlp::OtlpConfig;
use tracing_subscriber::prelude::*;

/// Who is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setup {
    Ours,
    OursWithSpool,
    Theirs,
}

impl Setup {
    pub const ALL: &[Setup] = &[Setup::Ours, Setup::OursWithSpool, Setup::Theirs];

    pub fn name(self) -> &'static str {
        match self {
            Setup::Ours => "tracing-genai",
            Setup::OursWithSpool => "tracing-genai with spool",
            Setup::Theirs => "tracing-opentelemetry + SDK batch",
        }
    }

    fn of(name: &str) -> Setup {
        let found = Setup::ALL.iter().find(|setup| setup.name() == name);
        *found.expect("a setup")
    }

    /// Installs it; what is returned shuts it down and says what that said.
    fn start(self, endpoint: &str, directory: &Path) -> (Dispatch, Box<dyn FnOnce() -> String>) {
        match self {
            Setup::Theirs => theirs(endpoint),
            ours => {
                let telemetry = telemetry(ours, endpoint, directory);
                let layer = telemetry.layer();
                let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
                let end = move || {
                    let report = telemetry.shutdown();
                    assert!(report.is_balanced(), "{report}");
                    format!("{report} (in {:.1?})", report.took)
                };
                (dispatch, Box::new(end))
            }
        }
    }
}

/// Our installation, with defaults.
fn telemetry(setup: Setup, endpoint: &str, directory: &Path) -> Telemetry {
    let builder = Telemetry::builder("faults")
        .environment(|_| None)
        .otlp(OtlpConfig::new().endpoint(endpoint));
    let builder = match setup {
        Setup::OursWithSpool => builder.spool(directory),
        _ => builder,
    };
    builder.build().expect("a configuration")
}

fn theirs(endpoint: &str) -> (Dispatch, Box<dyn FnOnce() -> String>) {
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_http()
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{endpoint}/v1/traces"))
        .build()
        .expect("an exporter");
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("faults"));
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
    let end = move || {
        let begun = Instant::now();
        let said = match provider.shutdown() {
            Ok(()) => "Ok".to_owned(),
            Err(error) => format!("Err: {error}"),
        };
        format!("{said} (in {:.1?})", begun.elapsed())
    };
    (dispatch, Box::new(end))
}

/// `setup endpoint directory rate burst content milliseconds`
pub fn child(arguments: &[String]) {
    let [setup, endpoint, directory, rate, burst, content, time] = arguments else {
        panic!("{arguments:?}")
    };
    let number = |text: &String| text.parse::<u64>().expect("a number");
    let (rate, burst, time) = (
        number(rate),
        number(burst),
        Duration::from_millis(number(time)),
    );
    let content = "x".repeat(number(content) as usize);
    let (dispatch, end) = Setup::of(setup).start(endpoint, Path::new(directory));
    let before = memory("VmRSS:");
    let begun = Instant::now();
    let mut made = 0;
    let mut out = std::io::stdout();
    tracing::dispatcher::with_default(&dispatch, || {
        for _ in 0..burst {
            span(made, &content);
            made += 1;
        }
        while begun.elapsed() < time {
            let due = (begun.elapsed().as_secs_f64() * rate as f64) as u64;
            let some = made < due;
            while made < due {
                span(made, &content);
                made += 1;
            }
            if some {
                // Told at once: this process may be killed.
                writeln!(out, "made {made}")
                    .and_then(|()| out.flush())
                    .expect("a pipe");
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    });
    let said = end();
    println!("made {made}");
    println!("said {said}");
    println!("peak {} MiB ({} MiB)", memory("VmHWM:"), before);
}

fn span(n: u64, content: &str) {
    let span = match content {
        "" => info_span!(
            "chat",
            gen_ai.operation.name = "chat",
            gen_ai.provider.name = "openai",
            gen_ai.request.model = "gpt-4o-mini",
            n
        ),
        content => info_span!(
            "chat",
            gen_ai.operation.name = "chat",
            gen_ai.provider.name = "openai",
            gen_ai.request.model = "gpt-4o-mini",
            content,
            n
        ),
    };
    span.in_scope(|| {});
}

/// Of this process, in MiB.
fn memory(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = status.lines().find_map(|all| all.strip_prefix(line));
    let kib = found.and_then(|rest| rest.split_whitespace().next()?.parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}
