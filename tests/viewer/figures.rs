//! What it takes, printed: `cargo test --release --test viewer figures -- --ignored --nocapture --test-threads 1`.
#![allow(clippy::print_stdout, reason = "that is what it is for")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use tracing_genai::event::Usage;
use tracing_genai::{Telemetry, agent, chat};

use super::client::SOON;
use super::{builder, record};

fn call() {
    chat("openai", "gpt-4o")
        .start()
        .usage(Usage::new().input(300).output(40).cache_read(20))
        .response_model("gpt-4o-2024-08-06")
        .finish_reason("stop")
        .complete();
}

fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Until `enough` of the answer is there.
fn timed(address: SocketAddr, path: &str, enough: impl Fn(&[u8]) -> bool) -> (Duration, usize) {
    let begun = Instant::now();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let (mut told, mut piece) = (Vec::new(), vec![0; 1 << 20]);
    while !enough(&told) {
        match stream.read(&mut piece).unwrap() {
            0 => break,
            n => told.extend_from_slice(&piece[..n]),
        }
    }
    (begun.elapsed(), told.len())
}

fn figures(title: &str, telemetry: &Telemetry, run: Option<String>) {
    telemetry.flush(SOON);
    let address = telemetry.viewer().unwrap().address();
    // All of the state is in the first message of changes, which ends with what is kept.
    let whole = |told: &[u8]| {
        let tail = &told[told.len().saturating_sub(200)..];
        let tail = String::from_utf8_lossy(tail);
        tail.contains("\"missed\"") && tail.contains("\n\n")
    };
    let print = |what: &str, path: &str, enough: &dyn Fn(&[u8]) -> bool| {
        let mut times: Vec<(Duration, usize)> =
            (0..5).map(|_| timed(address, path, enough)).collect();
        let first = times[0].0;
        times.sort();
        println!(
            "{title}: {what}: {first:?} the first time, {:?} median of 5, {} bytes",
            times[2].0, times[2].1
        );
    };
    print("api/live", "/api/live", &whole);
    if let Some(run) = run {
        print(
            "api/live of the run",
            &format!("/api/live?run={run}"),
            &whole,
        );
        print("api/runs", &format!("/api/runs/{run}"), &|_| false);
    }
    print("api/search, all", "/api/search?q=", &|_| false);
    print(
        "api/search, none",
        "/api/search?q=nowhere-to-be-found",
        &|_| false,
    );
}

#[test]
#[ignore = "prints figures"]
fn twenty_thousand_spans_in_one_run_and_in_ten_thousand() {
    for one in [true, false] {
        let telemetry = builder().build().unwrap();
        record(&telemetry, call);
        telemetry.flush(SOON);
        std::thread::sleep(Duration::from_millis(300));
        let before = resident();
        record(&telemetry, || {
            if one {
                let agent = agent("busy").start();
                agent.in_scope(|| {
                    for n in 0..19_998 {
                        call();
                        if n % 500 == 0 {
                            std::thread::sleep(Duration::from_millis(5));
                        }
                    }
                });
                agent.complete();
            } else {
                for n in 0..9_999 {
                    let agent = agent("small").start();
                    agent.in_scope(call);
                    agent.complete();
                    if n % 250 == 0 {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                }
            }
        });
        telemetry.flush(SOON);
        let address = telemetry.viewer().unwrap().address();
        let title = if one { "one run" } else { "10,000 runs" };
        println!(
            "{title}: resident {before} KiB before, {} KiB after",
            resident()
        );
        let run = one.then(|| {
            let mut stream = TcpStream::connect(address).unwrap();
            let request = "GET /api/search?q=busy&limit=1 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
            stream.write_all(request.as_bytes()).unwrap();
            let mut told = String::new();
            stream.read_to_string(&mut told).unwrap();
            let at = told.find("\"trace\":\"").unwrap() + 9;
            told[at..at + 32].to_owned()
        });
        let watched = run.clone();
        figures(title, &telemetry, run);
        println!("{title}: resident {} KiB after answers", resident());
        let silent: Vec<TcpStream> = (0..60)
            .map(|_| {
                let mut stream = TcpStream::connect(address).unwrap();
                let path = watched.as_deref().unwrap_or_default();
                let request =
                    format!("GET /api/live?run={path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
                stream.write_all(request.as_bytes()).unwrap();
                stream
            })
            .collect();
        std::thread::sleep(Duration::from_secs(1));
        record(&telemetry, call);
        std::thread::sleep(Duration::from_secs(1));
        println!(
            "{title}: resident {} KiB beside {} clients that do not read",
            resident(),
            silent.len()
        );
        println!(
            "{title}: {:?}",
            telemetry.stats().viewer.map(|tally| tally.to_string())
        );
    }
}
