//! What a span costs the whole process, from the application's thread to a collector: CPU time per span exported over
//! OTLP/gRPC, ours beside tracing-opentelemetry with the SDK's batch processor and `opentelemetry-otlp`.
//!
//! The collector is a sink in a process of its own. Whoever is measured is alone in its process too, so that threads and
//! allocators of one do not count for the other. CPU time is user and system time of all threads.
//!
//! `cargo bench --bench export`

use std::convert::Infallible;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use cpu_time::ProcessTime;
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Bytes, Frame, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::Dispatch;
use tracing::dispatcher;
use tracing_genai::Telemetry;
use tracing_genai::otlp::{OtlpConfig, Protocol, Signal};
use tracing_genai_peers::workload;
use tracing_subscriber::prelude::*;

/// Runs before the measurement: connections, caches, pools.
const WARM: usize = 500;
/// Runs measured, of 13 spans each.
const RUNS: usize = 8_000;
/// Runs between two waits for the consumer, so that nobody's queue overflows.
const BATCH: usize = 40;
const ROUNDS: usize = 3;

const COMPETITORS: [&str; 3] = [
    "tracing-opentelemetry 0.34, SDK batch, opentelemetry-otlp",
    "tracing-genai, traces and logs",
    "tracing-genai, traces, logs and metrics",
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    match arguments.get(1).map(String::as_str) {
        Some("sink") => sink(),
        Some("measure") => {
            let who = arguments[2].parse().expect("a number");
            println!("{}", measure(who, &arguments[3]));
        }
        _ => table(),
    }
}

fn table() {
    let (mut sink, endpoint) = start_sink();
    let mut results = [const { Vec::new() }; COMPETITORS.len()];
    for _ in 0..ROUNDS {
        for (who, results) in results.iter_mut().enumerate() {
            let output = itself(&["measure", &who.to_string(), &endpoint])
                .output()
                .expect("a child");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            results.push(text.trim().parse::<f64>().expect("microseconds"));
        }
    }
    let medians = results.map(tracing_genai_peers::measure::median);
    println!(
        "{:<60}{:>16}{:>8}",
        "CPU of the process per exported span, OTLP/gRPC", "", "ratio"
    );
    for (name, micros) in COMPETITORS.iter().zip(medians) {
        println!("{name:<60}{micros:>13.2} µs{:>8.2}", micros / medians[0]);
    }
    let _ = sink.kill();
    let _ = sink.wait();
}

fn itself(arguments: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a path"));
    command.args(arguments).stdout(Stdio::piped());
    command
}

fn start_sink() -> (Child, String) {
    let mut sink = itself(&["sink"]).spawn().expect("a child");
    let mut line = String::new();
    let stdout = sink.stdout.take().expect("a pipe");
    BufReader::new(stdout)
        .read_line(&mut line)
        .expect("an address");
    (sink, format!("http://{}", line.trim()))
}

/// Microseconds of CPU per span.
fn measure(who: usize, endpoint: &str) -> f64 {
    match who {
        0 => theirs(endpoint),
        1 => ours(endpoint, false),
        _ => ours(endpoint, true),
    }
}

fn ours(endpoint: &str, metrics: bool) -> f64 {
    let config = OtlpConfig::new()
        .endpoint(endpoint)
        .protocol(Protocol::Grpc);
    let config = if metrics {
        config
    } else {
        config.without(Signal::Metrics)
    };
    let telemetry = Telemetry::builder("bench")
        .environment(|_| None)
        .otlp(config)
        .build()
        .expect("a configuration");
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(telemetry.layer()));
    let micros = cost(&dispatch, &|| {
        assert!(telemetry.flush(Duration::from_secs(10)).is_complete())
    });
    let report = telemetry.shutdown();
    let spans = (WARM + RUNS) as u64 * workload::SPANS;
    assert_eq!(report.traces.map(|tally| tally.delivered), Some(spans));
    micros
}

fn theirs(endpoint: &str) -> f64 {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    let _inside = runtime.enter();
    let exporter = opentelemetry_otlp::SpanExporter::builder()
        .with_tonic()
        .with_endpoint(endpoint)
        .build();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter.expect("an exporter"))
        .build();
    let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("bench"));
    let dispatch = Dispatch::new(tracing_subscriber::registry().with(layer));
    let micros = cost(&dispatch, &|| {
        provider.force_flush().expect("a sink takes everything")
    });
    let _ = provider.shutdown();
    micros
}

fn cost(dispatch: &Dispatch, settle: &dyn Fn()) -> f64 {
    dispatcher::with_default(dispatch, || {
        let run = |runs: usize| {
            for n in 0..runs {
                workload::agent_run();
                if n % BATCH == BATCH - 1 {
                    settle();
                }
            }
            settle();
        };
        run(WARM);
        let begun = ProcessTime::now();
        run(RUNS);
        begun.elapsed().as_secs_f64() * 1e6 / (RUNS as f64 * workload::SPANS as f64)
    })
}

/// A collector that says yes.
fn sink() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port");
        println!("{}", listener.local_addr().expect("an address"));
        loop {
            let (socket, _) = listener.accept().await.expect("a connection");
            let connection = http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(socket), service_fn(accept));
            tokio::spawn(connection);
        }
    });
}

async fn accept(
    request: Request<Incoming>,
) -> Result<Response<impl hyper::body::Body<Data = Bytes, Error = Infallible>>, hyper::Error> {
    request.into_body().collect().await?;
    let mut trailers = http::HeaderMap::new();
    trailers.insert("grpc-status", http::HeaderValue::from_static("0"));
    // An empty message: five bytes of frame.
    let frames = [
        Frame::data(Bytes::from_static(&[0; 5])),
        Frame::trailers(trailers),
    ];
    let body = StreamBody::new(Frames(frames.into_iter()));
    let response = Response::builder()
        .header("content-type", "application/grpc")
        .body(body);
    Ok(response.expect("a response"))
}

/// Frames that are all there already.
struct Frames(std::array::IntoIter<Frame<Bytes>, 2>);

impl futures_core::Stream for Frames {
    type Item = Result<Frame<Bytes>, Infallible>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        std::task::Poll::Ready(self.0.next().map(Ok))
    }
}
