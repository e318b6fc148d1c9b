//! What the tap costs a streamed answer: a MiB of server-sent events of about 200 bytes, each in a chunk of its own, over
//! loopback, by a bare client and by a tapped one in turns.
//!
//! `cargo bench --bench tap`. The server is a thread of its own; so the client's thread competes with it for two cores, as it
//! does in life. Three questions, asked apart: how much longer the whole takes (wall clock), how much more the client's thread
//! works (its own CPU time), and what is allocated for a chunk.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::print_stdout,
    clippy::unwrap_used
)]

#[allow(dead_code, reason = "its loop is for spans")]
#[path = "support/measure.rs"]
mod measure;

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use bytes::Bytes;
use measure::median;
use tokio::runtime::Runtime;
use tracing_genai::Telemetry;
use tracing_genai::provider::{Api, Endpoint};
use tracing_genai::tap::{RequestBuilderExt as _, Tap};
use tracing_subscriber::prelude::*;

const STREAM: usize = 1024 * 1024;
const ROUNDS: usize = 200;
const QUESTION: &str = r#"{"model":"gpt-4o-mini","stream":true,"messages":[{"role":"user","content":"Paris in May?"}]}"#;

/// The events of an answer of about a MiB, and the last two.
fn events() -> Vec<String> {
    let head = r#"{"id":"chatcmpl-9J3uIL87gldCFtiIbyaOvTeYBRA3l","object":"chat.completion.chunk","created":1750000000,"model":"gpt-4o-mini-2024-07-18""#;
    let word = format!(
        "data: {head},\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\" umbrella\"}},\"finish_reason\":null}}]}}\n\n"
    );
    let mut events = vec![word.clone(); STREAM / word.len()];
    events.push(format!(
        "data: {head},\"choices\":[{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"stop\"}}]}}\n\n"
    ));
    events.push(format!("data: {head},\"choices\":[],\"usage\":{{\"prompt_tokens\":12,\"completion_tokens\":5000}}}}\n\n"));
    events.push("data: [DONE]\n\n".to_owned());
    events
}

/// Answers every request of a connection with the events, each in a chunk and a write of its own, as fast as the client reads.
/// Written by hand, so that the client and not a framework is measured.
fn serve(mut socket: TcpStream, chunks: &[Vec<u8>]) {
    let mut buffer = [0; 4096];
    let _ = socket.set_nodelay(true);
    loop {
        let mut asked = Vec::new();
        while !asked.ends_with(QUESTION.as_bytes()) {
            match socket.read(&mut buffer) {
                Ok(0) | Err(_) => return,
                Ok(n) => asked.extend_from_slice(&buffer[..n]),
            }
        }
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        if socket.write_all(head).is_err()
            || chunks.iter().any(|chunk| socket.write_all(chunk).is_err())
            || socket.write_all(b"0\r\n\r\n").is_err()
        {
            return;
        }
    }
}

fn server() -> String {
    let chunk = |event: &String| format!("{:x}\r\n{event}\r\n", event.len()).into_bytes();
    let chunks: &'static [Vec<u8>] = events().iter().map(chunk).collect::<Vec<_>>().leak();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "http://{}/v1/chat/completions",
        listener.local_addr().unwrap()
    );
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            std::thread::spawn(move || serve(socket, chunks));
        }
    });
    url
}

struct Bench {
    runtime: Runtime,
    client: reqwest::Client,
    url: String,
    tap: Tap,
}

impl Bench {
    /// Reads one answer to its end; how many bytes and in how many pieces.
    fn read(&self, tapped: bool) -> (usize, usize) {
        let request = self.client.post(&self.url).body(QUESTION);
        self.runtime.block_on(async {
            let mut response = if tapped {
                request.send_tapped(&self.tap).await.unwrap()
            } else {
                request.send().await.unwrap()
            };
            let (mut bytes, mut pieces) = (0, 0);
            while let Some(piece) = response.chunk().await.unwrap() {
                bytes += piece.len();
                pieces += 1;
            }
            (bytes, pieces)
        })
    }
}

/// CPU time of this thread; the runtime has no other.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanos = stat.split(' ').next().and_then(|n| n.parse().ok());
    Duration::from_nanos(nanos.unwrap_or_default())
}

fn quartiles(mut numbers: Vec<f64>) -> [f64; 3] {
    numbers.sort_by(f64::total_cmp);
    [1, 2, 3].map(|quarter| numbers[numbers.len() * quarter / 4])
}

/// Allocations of the parser alone for a chunk, without a client around it.
fn of_parser(events: &[String]) -> f64 {
    let mut reader =
        Endpoint::new(Api::OpenAiChat, "openai").reader(Some("text/event-stream"), false);
    let all: Vec<Bytes> = events
        .iter()
        .map(|event| Bytes::from(event.clone()))
        .collect();
    let made = allocation_counter::measure(|| {
        all.iter().for_each(|event| {
            reader.push(event);
        });
    });
    made.count_total as f64 / all.len() as f64
}

fn main() {
    let telemetry = Telemetry::builder("bench")
        .environment(|_| None)
        .build()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let bench = Bench {
        runtime,
        client,
        url: server(),
        tap: Tap::new(),
    };
    tracing::subscriber::with_default(subscriber, || run(&bench));
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "nothing may be lost: {report:?}");
}

fn run(bench: &Bench) {
    let size: usize = events().iter().map(String::len).sum();
    let mut wall = [Vec::new(), Vec::new()];
    let mut work = [Vec::new(), Vec::new()];
    let mut pieces = [0, 0];
    for round in 0..ROUNDS + ROUNDS / 10 {
        // Who goes first changes, so that neither always finds the caches warm.
        for place in [round % 2, 1 - round % 2] {
            let (begun, worked) = (Instant::now(), cpu());
            let (bytes, read) = bench.read(place == 1);
            let (took, worked) = (begun.elapsed(), cpu() - worked);
            assert_eq!(bytes, size, "every byte arrives");
            pieces[place] += read;
            if round >= ROUNDS / 10 {
                wall[place].push(took.as_secs_f64());
                work[place].push(worked.as_secs_f64());
            }
        }
    }
    println!(
        "{} bytes in {} events, {ROUNDS} rounds each",
        size,
        events().len()
    );
    println!("                       bare      tapped      added, middle half of the rounds");
    for (name, [bare, tapped]) in [("wall clock", &wall), ("client's CPU", &work)] {
        let added: Vec<_> = bare
            .iter()
            .zip(tapped)
            .map(|(bare, tapped)| tapped / bare - 1.0)
            .collect();
        let [low, middle, high] = quartiles(added).map(|share| share * 100.0);
        let ms = |times: &Vec<f64>| median(times.clone()) * 1e3;
        println!(
            "{name:16} {:8.2} ms {:8.2} ms  {middle:+6.2} % ({low:+.2} to {high:+.2} %)",
            ms(bare),
            ms(tapped)
        );
    }
    let mib = |times: &Vec<f64>| size as f64 / 1_048_576.0 / median(times.clone());
    println!(
        "{:16} {:8.1} MiB/s {:5.1} MiB/s",
        "throughput",
        mib(&wall[0]),
        mib(&wall[1])
    );
    let rounds = (ROUNDS + ROUNDS / 10) as f64;
    println!(
        "{:16} {:8.0} {:11.0}",
        "reads a stream",
        pieces[0] as f64 / rounds,
        pieces[1] as f64 / rounds
    );
    let allocated = [false, true].map(|tapped| {
        let made = allocation_counter::measure(|| {
            bench.read(tapped);
        });
        made.count_total as f64 / events().len() as f64
    });
    println!(
        "allocations for an event: bare {:.2}, tapped {:.2}, of the parser {:.2}",
        allocated[0],
        allocated[1],
        of_parser(&events())
    );
}
