//! The collector is away and the process dies; the next one sends what it left: `cargo run --example outage`
//!
//! A child process runs an agent with a spool and is killed (SIGKILL) in the middle of a model call. Then the collector is back, and
//! the next process delivers everything, the run that was open marked as interrupted.
#![allow(clippy::print_stdout, reason = "an example talks")]

#[path = "support/sink.rs"]
mod sink;

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use sink::Sink;
use tracing_genai::event::Usage;
use tracing_genai::otlp::{OtlpConfig, Signal};
use tracing_genai::{Telemetry, agent, chat, tool};

type Failed = Box<dyn std::error::Error + Send + Sync>;

fn telemetry(collector: &str, spool: &Path) -> Result<Telemetry, Failed> {
    let otlp = OtlpConfig::new().endpoint(format!("http://{collector}"));
    let builder = Telemetry::builder("trip-planner").environment(|_| None);
    Ok(builder
        .otlp(otlp.without(Signal::Metrics))
        .spool(spool)
        .build()?)
}

/// The process that dies: two calls and a tool are done, a third call is under way.
fn child(collector: &str, spool: &Path) -> Result<(), Failed> {
    let telemetry = telemetry(collector, spool)?;
    telemetry.install()?;
    let run = agent("trip-planner").start();
    let _inside = run.span().enter();
    for question in ["Where to?", "How is the weather there?"] {
        let call = chat("openai", "gpt-4o-mini").prompt(question).start();
        call.usage(Usage::new().input(140).output(32)).complete();
    }
    tool("get_weather").in_scope(|_| Ok::<_, Failed>(()))?;
    let _under_way = chat("openai", "gpt-4o-mini").prompt("And a hotel?").start();
    // Half a second later all of it is on disk; then it can be killed at any time.
    std::thread::sleep(Duration::from_millis(600));
    println!("{}", telemetry.stats());
    std::thread::sleep(Duration::from_secs(60));
    Ok(())
}

fn main() -> Result<(), Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [word, collector, spool] = arguments.as_slice()
        && word == "child"
    {
        return child(collector, Path::new(spool));
    }
    let directory = tempfile::tempdir()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    // The port is free again: nobody listens.
    drop(listener);

    println!("The collector is away, and an agent works");
    let mut dying = Command::new(std::env::current_exe()?)
        .args(["child", &address.to_string()])
        .arg(directory.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut told = String::new();
    if let Some(out) = dying.stdout.take() {
        BufReader::new(out).read_line(&mut told)?;
    }
    println!("  {}", told.trim());
    dying.kill()?;
    println!("  … killed with SIGKILL: {}", dying.wait()?);

    println!("\nThe collector is back, and the next process starts");
    let arrived = Arc::<Mutex<Vec<Span>>>::default();
    let kept = Arc::clone(&arrived);
    let _collector = Sink::start_at(address, move |body| {
        let request = ExportTraceServiceRequest::decode(body.as_slice()).unwrap_or_default();
        let scopes = request
            .resource_spans
            .into_iter()
            .flat_map(|resource| resource.scope_spans);
        let mut kept = kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend(scopes.flat_map(|scope| scope.spans));
    })?;
    let telemetry = telemetry(&address.to_string(), directory.path())?;
    let report = telemetry.shutdown();
    println!("  {report}");

    println!("\nWhat arrived");
    let spans = arrived.lock().unwrap_or_else(PoisonError::into_inner);
    for span in spans.iter() {
        let open = span.attributes.iter().any(|a| a.key == "genai.interrupted");
        let how = if open {
            "was open when the process died"
        } else {
            "done"
        };
        println!("  {:32} {how}", span.name);
    }
    Ok(())
}
