//! What providers are asked and what they answer, read from samples of eight APIs and from what nobody should send.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a test stops where it goes wrong"
)]

mod bad_input;
mod endpoints;
mod errors;
mod samples;
mod streams;
mod usage;

use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use tracing_genai::event::{Attrs, FinishReason};
use tracing_genai::provider::{Answer, Endpoint, Reader};

/// One API's folder of samples.
struct Sample {
    name: String,
    dir: PathBuf,
    expected: Json,
}

fn samples() -> Vec<Sample> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/provider");
    let mut all: Vec<_> = std::fs::read_dir(root)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .map(|dir| Sample {
            name: dir.file_name().unwrap().to_string_lossy().into_owned(),
            expected: serde_json::from_slice(&std::fs::read(dir.join("expected.json")).unwrap())
                .unwrap(),
            dir,
        })
        .collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    assert_eq!(all.len(), 8);
    all
}

impl Sample {
    fn read(&self, file: &str) -> Vec<u8> {
        std::fs::read(self.dir.join(file)).unwrap()
    }

    fn endpoint(&self, url: &str) -> Endpoint {
        let url = self.expected[url].as_str().unwrap();
        Endpoint::of_url(url.strip_prefix("POST ").unwrap()).unwrap()
    }

    /// The stream as on the wire, and its content type.
    fn stream(&self) -> (Vec<u8>, &'static str) {
        let kinds = [
            ("stream.sse", "text/event-stream; charset=utf-8"),
            ("stream.ndjson", "application/x-ndjson"),
            ("stream.eventstream", "application/vnd.amazon.eventstream"),
        ];
        let (file, kind) = kinds
            .into_iter()
            .find(|(file, _)| self.dir.join(file).exists())
            .unwrap();
        (self.read(file), kind)
    }
}

fn json(attrs: &Attrs) -> Json {
    attrs
        .iter()
        .map(|(name, value)| (name.to_owned(), value.to_json()))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// Numbers compare by value: an attribute that is a double may be written `1`.
fn assert_same(found: &Json, expected: &Json, what: &str) {
    fn same(a: &Json, b: &Json) -> bool {
        match (a, b) {
            (Json::Number(a), Json::Number(b)) => a.as_f64() == b.as_f64(),
            (Json::Array(a), Json::Array(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
            }
            (Json::Object(a), Json::Object(b)) => {
                a.len() == b.len() && a.iter().all(|(k, v)| b.get(k).is_some_and(|w| same(v, w)))
            }
            _ => a == b,
        }
    }
    assert!(
        same(found, expected),
        "{what}\nfound    {found}\nexpected {expected}"
    );
}

/// What is expected of `answer`, whole: attributes, content, the common vocabulary.
fn assert_answer(sample: &Sample, answer: &Answer, part: &str, how: &str) {
    let what = format!("{} {part}, {how}", sample.name);
    assert_same(&json(&answer.attrs), &sample.expected[part], &what);
    assert_same(
        &json(&answer.content),
        &sample.expected["content"][part],
        &what,
    );
    let normalized = &sample.expected["normalized"][part];
    let reasons: Vec<_> = answer.finish_reasons.iter().map(word).collect();
    assert_eq!(Json::from(reasons), normalized["finish_reasons"], "{what}");
    assert_eq!(
        answer.usage.total(),
        normalized["total_tokens"].as_u64(),
        "{what}"
    );
    let calls: Vec<_> = answer
        .tool_calls()
        .into_iter()
        .map(|call| serde_json::json!({"id": call.id, "name": call.name, "arguments": call.arguments}))
        .collect();
    assert_eq!(Json::from(calls), normalized["tool_calls"], "{what}");
    assert_eq!((answer.refused, answer.unread), (0, 0), "{what}");
    assert!(answer.complete, "{what}");
    assert_eq!(answer.error, None, "{what}");
}

fn word(reason: &FinishReason) -> &str {
    match reason {
        FinishReason::ToolCalls => "tool_call",
        other => other.as_str(),
    }
}

/// Reads `bytes` in pieces of the given sizes, over and over; says how many frames and outputs there were, and which frame
/// was the first with output.
fn read(mut reader: Reader, bytes: &[u8], sizes: &[usize]) -> (Answer, u32, Option<u32>) {
    let (mut frames, mut first, mut rest) = (0, None, bytes);
    for size in sizes.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at((*size).clamp(1, rest.len()));
        let progress = reader.push(piece);
        if progress.outputs > 0 && first.is_none() {
            first = Some(frames);
        }
        frames += progress.frames;
        rest = after;
    }
    (reader.answer(), frames, first)
}
