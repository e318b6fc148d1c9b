//! Ten thousand secrets in random places, and none of them in what leaves by any outlet, in any mode but the one that asks for it.

use std::io::{BufRead as _, BufReader, Read as _, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aho_corasick::AhoCorasick;
use serde_json::json;
use tracing_genai::console::{ConsoleOptions, Output};
use tracing_genai::content::{CaptureMode, Carrier};
use tracing_genai::event::{Dialect, Event, Level, Value};
use tracing_genai::history::SqliteStore;
use tracing_genai::message::Message;
use tracing_genai::otlp::OtlpConfig;
use tracing_genai::security::Policy;
use tracing_genai::testing::Captured;
use tracing_genai::{
    EventWriter, Telemetry, WriteError, agent, chat, event, log_event, scope, step, tool,
};
use tracing_subscriber::prelude::*;

use super::support::collector::{Collector, PATIENCE};

const PLACEMENTS: usize = 10_000;

/// Numbers by chance, the same in every run.
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % most
    }
}

fn random(rng: &mut Chance, alphabet: &[u8], length: usize) -> String {
    let letters = (0..length).map(|_| alphabet[rng.below(alphabet.len())]);
    letters.map(char::from).collect()
}

const ALNUM: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz";

/// A secret, and what must not be seen of it.
fn secret(rng: &mut Chance) -> (String, String) {
    let whole = |text: String| (text.clone(), text);
    match rng.below(9) {
        0 => whole(format!("sk-ant-api03-{}", random(rng, ALNUM, 80))),
        1 => whole(format!("sk-proj-{}", random(rng, ALNUM, 60))),
        2 => whole(format!("AKIA{}", random(rng, BASE32, 16))),
        3 => whole(format!("ghp_{}", random(rng, ALNUM, 36))),
        4 => whole(format!(
            "{}@{}.dev",
            random(rng, LOWER, 12),
            random(rng, LOWER, 8)
        )),
        5 => {
            let password = format!("{}7", random(rng, ALNUM, 19));
            (format!("postgres://ada:{password}@db/app"), password)
        }
        6 => {
            let token = format!("{}7", random(rng, ALNUM, 39));
            (format!("Authorization: Bearer {token}"), token)
        }
        7 => {
            // A word after `password=` in prose may be any word, unless it has a digit.
            let value = format!("{}7", random(rng, ALNUM, 23));
            (format!("password={value}"), value)
        }
        _ => {
            let key = format!("{}7", random(rng, ALNUM, 31));
            (format!(r#"{{"api_key": "{key}"}}"#), key)
        }
    }
}

/// What stands around it.
fn around(rng: &mut Chance, secret: &str) -> String {
    let texts = [
        "",
        "see ",
        "ключ: ",
        "key is: ",
        "😀 ",
        "a\nb\t",
        "(",
        "\"",
        "1, 2; ",
    ];
    let (before, after) = (texts[rng.below(texts.len())], texts[rng.below(texts.len())]);
    match after {
        "" => format!("{before}{secret}"),
        after => format!("{before}{secret} {after}"),
    }
}

/// One secret somewhere.
fn place(at: usize, text: &str, secret: &str) {
    let said = || Message::user(text);
    let owned = text.to_owned();
    match at {
        0 => chat("openai", "m").prompt(text).start().complete(),
        1 => chat("openai", "m")
            .system(text)
            .messages(&[said(), Message::assistant(text)])
            .start()
            .complete(),
        2 => chat("openai", "m")
            .start()
            .output(&[Message::assistant(text)])
            .complete(),
        3 => chat("openai", "m").attr("note", owned).start().complete(),
        4 => chat("openai", "m")
            .attr("list", Value::Array(vec!["a".into(), text.into()]))
            .start()
            .complete(),
        5 => chat("openai", "m")
            .attr("json", Value::Json(json!({"a": {"b": [text]}})))
            .start()
            .complete(),
        6 => chat("openai", "m")
            .attr("text", json!({"a": json!([text]).to_string()}).to_string())
            .start()
            .complete(),
        7 => chat("openai", "m")
            .attr("otel.name", owned)
            .start()
            .complete(),
        8 => chat("openai", text).start().complete(),
        9 => chat("openai", "m").start().fail(text),
        10 => chat("openai", "m").start().fail_as(text),
        11 => tool("t")
            .arguments(json!({"q": text, "n": [text, 1]}))
            .start()
            .result(text)
            .complete(),
        12 => tool("t")
            .arguments(text)
            .start()
            .result(json!({"pages": [{"text": text}]}))
            .complete(),
        13 => tool(text).start().complete(),
        14 => agent(text)
            .session_id(text)
            .conversation_id(text)
            .in_scope(|_| {
                event("inside.it").emit();
                Ok::<_, std::fmt::Error>(())
            })
            .unwrap(),
        15 => scope([("tenant", owned)]).in_scope(|| step("s").start().complete()),
        16 => drop(event("order.placed").attr("note", owned).emit()),
        17 => drop(
            event("order.placed")
                .body(json!({"text": text, "list": [text]}))
                .emit(),
        ),
        18 => drop(event("order.placed").message(text).emit()),
        19 => drop(event("order.failed").error(text).emit()),
        20 => drop(event("order.placed").attr(format!("key {text}"), 1).emit()),
        21 => log_event(
            "LLM_call_start",
            json!({"prompt": text, "model": "m", "extra": text}),
            "LLM",
            Level::Info,
        ),
        22 => log_event(text, json!({"data": text}), "SYSTEM", Level::Info),
        23 => tracing::info_span!("work", note = text)
            .in_scope(|| tracing::info!(detail = text, "happened: {text}")),
        24 => tracing::info_span!(
            "call",
            gen_ai.operation.name = "chat",
            gen_ai.input.messages =
                json!([{"role": "user", "parts": [{"type": "text", "content": text}]}]).to_string()
        )
        .in_scope(|| {}),
        25 => tracing::info_span!(
            "call",
            gen_ai.operation.name = "chat",
            gen_ai.prompt = text,
            input.value = text,
            langfuse.input = text
        )
        .in_scope(|| {}),
        26 => tracing::info_span!(
            "call",
            otel.status_code = "error",
            otel.status_description = text,
            exception.message = text
        )
        .in_scope(|| {}),
        27 => tracing::info_span!(
            "http",
            url.full = format!(
                "https://h.example/v1?q={}",
                percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
            ),
            url.query = text
        )
        .in_scope(|| {}),
        28 => tracing::info!(genai.event = "order.placed", note = text, "it is {text}"),
        29 => {
            let call = chat("openai", "m").streaming().start();
            call.chunk(text).thinking(text).complete();
        }
        30 => chat("openai", "m")
            .attr("db.password", secret.to_owned())
            .start()
            .complete(),
        31 => chat("openai", "m")
            .attr(
                "http.request.header.x-api-key",
                Value::Array(vec![secret.into()]),
            )
            .start()
            .complete(),
        32 => {
            let call = chat("openai", "m").start();
            call.moment("call.noted", &[("note", text.into())])
                .complete();
        }
        _ => step(text).start().fail(text),
    }
}

const PLACES: usize = 34;

#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl EventWriter for Written {
    fn write(&mut self, events: &[Event]) -> Result<(), WriteError> {
        let mut all = self.0.lock().unwrap();
        for event in events {
            all.extend(serde_json::to_vec(&**event).unwrap());
            all.extend(format!("{:?}", event.body.as_ref().map(|body| &body.0)).into_bytes());
        }
        Ok(())
    }
}

/// The body of an answer, over a connection that is kept.
fn get(page: &mut BufReader<TcpStream>, path: &str) -> Vec<u8> {
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    page.get_mut().write_all(request.as_bytes()).unwrap();
    let (mut line, mut length) = (String::new(), None);
    while line != "\r\n" {
        line.clear();
        assert!(page.read_line(&mut line).unwrap() > 0, "{path}");
        if let Some(told) = line.strip_prefix("content-length: ") {
            length = Some(told.trim().parse().unwrap());
        }
    }
    let mut body = vec![0; length.unwrap()];
    page.read_exact(&mut body).unwrap();
    body
}

/// An installation with every outlet there is.
struct Outlets {
    telemetry: Telemetry,
    collector: Collector,
    spans: Captured,
    console: Written,
    writer: Written,
    bus: Written,
    directory: tempfile::TempDir,
}

impl Outlets {
    fn new(mode: CaptureMode) -> Self {
        let collector = Collector::start();
        let (spans, console, writer, bus) = (
            Captured::default(),
            Written::default(),
            Written::default(),
            Written::default(),
        );
        let directory = tempfile::tempdir().unwrap();
        let to_writer = writer.clone();
        let telemetry = Telemetry::builder("test")
            .environment(|_| None)
            .capture(mode)
            .carrier(Carrier::SpanAndEvent)
            .error_messages(mode >= CaptureMode::Redacted)
            .chunk_text(true)
            .security(Policy::new())
            .otlp(OtlpConfig::new().endpoint(collector.endpoint()))
            .span_exporter(spans.clone())
            .console_to(
                Output::new(console.clone(), false),
                ConsoleOptions::default(),
            )
            .json_file(directory.path().join("events.jsonl"))
            .history(SqliteStore::open(directory.path().join("history.db")).unwrap())
            .event_writer("mine", to_writer)
            .viewer("127.0.0.1:0")
            .build()
            .unwrap();
        let to_bus = bus.clone();
        telemetry.bus().on_event(move |event| {
            EventWriter::write(&mut to_bus.clone(), std::slice::from_ref(event)).unwrap();
        });
        Self {
            telemetry,
            collector,
            spans,
            console,
            writer,
            bus,
            directory,
        }
    }

    /// What the page shows of the last thousand spans: their rows, and all there is to know of each.
    fn page(&self) -> Vec<(String, Vec<u8>)> {
        let address = self.telemetry.viewer().unwrap().address();
        let mut page = BufReader::new(TcpStream::connect(address).unwrap());
        let rows = get(&mut page, "/api/search?limit=1000");
        let found: serde_json::Value = serde_json::from_slice(&rows).unwrap();
        let spans = found["spans"].as_array().unwrap();
        assert_eq!(spans.len(), 1_000);
        let details = spans.iter().map(|span| {
            let [trace, id] = ["trace", "id"].map(|name| span[name].as_str().unwrap());
            let path = format!("/api/runs/{trace}/{id}");
            let detail = get(&mut page, &path);
            (format!("page {path}"), detail)
        });
        let mut all: Vec<_> = details.collect();
        all.push(("page".to_owned(), rows));
        all
    }

    /// What every outlet has let out, as bytes.
    fn everything(&self) -> Vec<(String, Vec<u8>)> {
        let mut all: Vec<_> = self
            .collector
            .requests()
            .iter()
            .map(|request| (format!("otlp {}", request.path), request.body.to_vec()))
            .collect();
        all.push((
            "exporter".to_owned(),
            self.spans
                .spans()
                .iter()
                .map(super::told)
                .collect::<String>()
                .into_bytes(),
        ));
        for (name, written) in [
            ("console", &self.console),
            ("writer", &self.writer),
            ("bus", &self.bus),
        ] {
            all.push((name.to_owned(), written.0.lock().unwrap().clone()));
        }
        for file in std::fs::read_dir(self.directory.path()).unwrap() {
            let path = file.unwrap().path();
            all.push((path.display().to_string(), std::fs::read(&path).unwrap()));
        }
        all
    }
}

#[test]
fn no_canary_of_ten_thousand_leaves_by_any_outlet() {
    let rng = &mut Chance(0x9e37_79b9_7f4a_7c15);
    for mode in [
        CaptureMode::Off,
        CaptureMode::Metadata,
        CaptureMode::Redacted,
    ] {
        let outlets = Outlets::new(mode);
        let subscriber = tracing_subscriber::registry().with(outlets.telemetry.layer());
        let mut canaries = Vec::new();
        tracing::subscriber::with_default(subscriber, || {
            for n in 0..PLACEMENTS {
                let (secret, canary) = secret(rng);
                let text = around(rng, &secret);
                place(rng.below(PLACES), &text, &canary);
                if n % 50 == 0 {
                    let document = json!({"type": "llm_call_started", "timestamp": "2024-06-01T12:00:00Z", "event_id": "0192f0c1-0000-7000-8000-000000000001", "model": "m", "messages": [{"role": "user", "content": text}], "source": text});
                    outlets
                        .telemetry
                        .import(Dialect::CrewAi, &document)
                        .unwrap();
                }
                canaries.push(canary);
                if n % 1_000 == 0 {
                    outlets.telemetry.flush(PATIENCE);
                }
            }
        });
        outlets.telemetry.flush(PATIENCE);
        let page = outlets.page();
        let report = outlets.telemetry.shutdown_within(Duration::from_secs(60));
        assert!(report.is_complete(), "{report:?}");
        assert!(report.redacted > PLACEMENTS as u64 / 2, "{report:?}");
        let search = AhoCorasick::new(&canaries).unwrap();
        let mut everything = outlets.everything();
        everything.extend(page);
        assert!(everything.len() > 8);
        for (outlet, bytes) in everything {
            if let Some(found) = search.find(&bytes) {
                let from = found.start().saturating_sub(200);
                let to = (found.end() + 100).min(bytes.len());
                panic!(
                    "{mode}, {outlet}: {}",
                    String::from_utf8_lossy(&bytes[from..to])
                );
            }
        }
    }
}
