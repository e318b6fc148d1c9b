//! What the tap costs a streamed answer: a MiB of server-sent events of about 200 bytes, each in a chunk of its own, over
//! loopback, by a bare client and by a tapped one in turns.
//!
//! `cargo bench --bench tap`. The server is a thread of its own, once hyper's and once written by hand, which no server is
//! faster than. Asked apart: how much longer the whole takes, how much more the client's thread works, and what is allocated.
#![allow(
    missing_docs,
    unreachable_pub,
    clippy::print_stdout,
    clippy::unwrap_used
)]

#[allow(dead_code, reason = "its loop is for spans")]
#[path = "support/measure.rs"]
mod measure;

use std::convert::Infallible;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http::{HeaderMap, Method, Request, Response, StatusCode};
use http_body_util::StreamBody;
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
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
/// Written by hand: there is no faster server, so no smaller share of the whole that is the client's.
fn serve_by_hand(mut socket: TcpStream, chunks: &[Vec<u8>]) {
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

fn by_hand() -> String {
    let chunk = |event: &String| format!("{:x}\r\n{event}\r\n", event.len()).into_bytes();
    let chunks: &'static [Vec<u8>] = events().iter().map(chunk).collect::<Vec<_>>().leak();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = url(listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for socket in listener.incoming().flatten() {
            std::thread::spawn(move || serve_by_hand(socket, chunks));
        }
    });
    url
}

fn url(address: std::net::SocketAddr) -> String {
    format!("http://{address}/v1/chat/completions")
}

/// The same by hyper, which most servers in Rust are built on: each event a frame, sent before the next is made.
fn by_hyper() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let url = url(listener.local_addr().unwrap());
    let events: Vec<_> = events().into_iter().map(Bytes::from).collect();
    let answer = move |_: Request<Incoming>| {
        let frames = stream::iter(events.clone()).then(async |event| {
            // A model has the next event later, never at once.
            tokio::task::yield_now().await;
            Ok::<_, Infallible>(Frame::data(event))
        });
        let response = Response::builder().header("content-type", "text/event-stream");
        std::future::ready(response.body(StreamBody::new(Box::pin(frames))))
    };
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let socket = listener.accept().await.unwrap().0;
                socket.set_nodelay(true).unwrap();
                let service = service_fn(answer.clone());
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(socket), service));
            }
        });
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

/// Nanoseconds and allocations an event, of `push` alone: no client, no server.
fn alone(mut push: impl FnMut(&[u8])) -> (f64, f64) {
    let events = events();
    let begun = Instant::now();
    let made =
        allocation_counter::measure(|| events.iter().for_each(|event| push(event.as_bytes())));
    let nanos = begun.elapsed().as_nanos() as f64;
    (
        nanos / events.len() as f64,
        made.count_total as f64 / events.len() as f64,
    )
}

fn of_parser() -> (f64, f64) {
    let endpoint = Endpoint::new(Api::OpenAiChat, "openai");
    let mut reader = endpoint.reader(Some("text/event-stream"), false);
    alone(|event| {
        reader.push(event);
    })
}

fn of_exchange() -> (f64, f64) {
    let url = "https://api.openai.com/v1/chat/completions";
    let mut headers = HeaderMap::new();
    let exchange = Tap::new().request(&Method::POST, url, &headers, Some(QUESTION.as_bytes()));
    let mut exchange = exchange.unwrap();
    headers.insert("content-type", "text/event-stream".parse().unwrap());
    exchange.response(StatusCode::OK, &headers);
    let cost = alone(|event| exchange.chunk(event));
    exchange.end();
    cost
}

fn main() {
    let telemetry = Telemetry::builder("bench")
        .environment(|_| None)
        .build()
        .unwrap();
    let subscriber = tracing_subscriber::registry().with(telemetry.layer());
    tracing::subscriber::with_default(subscriber, || {
        let size: usize = events().iter().map(String::len).sum();
        println!(
            "{size} bytes in {} events, {ROUNDS} rounds each",
            events().len()
        );
        for (server, url) in [("hyper", by_hyper()), ("by hand", by_hand())] {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            println!("\nserver: {server}");
            run(
                &Bench {
                    runtime,
                    client,
                    url,
                    tap: Tap::new(),
                },
                size,
            );
        }
        let cost = |measure: fn() -> (f64, f64)| {
            let all: Vec<_> = (0..51).map(|_| measure()).collect();
            (median(all.iter().map(|cost| cost.0).collect()), all[50].1)
        };
        let ((parser, made), (exchange, in_all)) = (cost(of_parser), cost(of_exchange));
        println!(
            "\nwithout I/O, an event   reader {parser:4.0} ns, {made:.2} allocations   exchange {exchange:4.0} ns, {in_all:.2} allocations"
        );
    });
    let report = telemetry.shutdown();
    assert!(report.is_complete(), "nothing may be lost: {report:?}");
}

fn run(bench: &Bench, size: usize) {
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
    println!("                       bare      tapped      added, middle half of the rounds");
    for (name, [bare, tapped]) in [("wall clock", &wall), ("client's CPU", &work)] {
        let added = bare
            .iter()
            .zip(tapped)
            .map(|(bare, tapped)| tapped / bare - 1.0);
        let [low, middle, high] = quartiles(added.collect()).map(|share| share * 100.0);
        let ms = |times: &Vec<f64>| median(times.clone()) * 1e3;
        println!(
            "{name:16} {:8.2} ms {:8.2} ms  {middle:+6.2} % ({low:+.2} to {high:+.2} %)",
            ms(bare),
            ms(tapped)
        );
    }
    let mib = |times: &Vec<f64>| size as f64 / 1_048_576.0 / median(times.clone());
    println!(
        "{:16} {:5.1} MiB/s {:5.1} MiB/s",
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
        "{:16} {:8.2} {:11.2}  an event",
        "allocations", allocated[0], allocated[1]
    );
}
