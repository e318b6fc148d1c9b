//! What holds for any bytes. Each check panics where it does not.
//!
//! Runs under libFuzzer (`targets/`), and on stable over the bytes in `corpus/` (`tests/fuzz_corpora.rs`).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::{Duration, UNIX_EPOCH};

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt as _;
use opentelemetry::trace::{SpanContext, TraceContextExt as _};
use serde_json::Value as Json;
use tracing_genai::console;
use tracing_genai::message;
use tracing_genai::otlp::Signal;
use tracing_genai::otlp::internal::{Cause, Verdict, header_list, judge_grpc, judge_http, scan};
use tracing_genai::propagation::{Carrier, extract, inject_context};
use tracing_genai::provider::{Api, Endpoint, Reader};
use tracing_genai::security::redact::{Redactor, Report};

/// Panics where something does not hold.
pub type Check = fn(&[u8]);

/// Every check under the name of its target and of the folder of its corpus.
pub const ALL: [(&str, Check); 8] = [
    ("escape", escape),
    ("redact", redact),
    ("messages_json", messages_json),
    ("messages", messages),
    ("spool_scan", spool_scan),
    ("otlp_judge", otlp_judge),
    ("env_headers", env_headers),
    ("traceparent", traceparent),
];

// === escape ===

/// What is shown is safe, nothing is dropped, and a second time changes nothing.
pub fn escape(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for (lines, escape) in [
        (false, console::escape as fn(&str) -> Cow<'_, str>),
        (true, console::escape_lines),
    ] {
        let once = escape(&text);
        if let Some(c) = once.chars().find(|c| is_hostile(*c, lines)) {
            panic!("U+{:04X} came through", u32::from(c));
        }
        assert!(
            matches!(escape(&once), Cow::Borrowed(twice) if twice == once),
            "a second time changes it: {once:?}"
        );
        // A character becomes ten at most, and none disappears.
        assert!(once.chars().count() >= text.chars().count());
        assert!(once.len() <= text.len() * 6);
        let clean = !text.chars().any(|c| is_hostile(c, lines) || is_selector(c));
        if clean {
            assert!(matches!(once, Cow::Borrowed(_)), "copied for nothing");
        }
    }
}

/// What a person's terminal must not get, written down from the Unicode Character Database: `Cc` but tab, `Zl`, `Zp`, `Co`,
/// `Bidi_Control`, `Default_Ignorable_Code_Point` but the selectors of ordinary text, `Noncharacter_Code_Point`, and the
/// interlinear annotations and controls of hieroglyphs, which have no ink. Not taken over from what it checks.
pub fn is_hostile(c: char, lines: bool) -> bool {
    if c == '\t' || (lines && c == '\n') {
        return false;
    }
    let code = u32::from(c);
    const RANGES: &[(u32, u32)] = &[
        (0xad, 0xad),
        (0x34f, 0x34f),
        (0x61c, 0x61c),
        (0x115f, 0x1160),
        (0x17b4, 0x17b5),
        (0x180e, 0x180e),
        (0x200b, 0x200f),
        (0x2028, 0x202e),
        (0x2060, 0x206f),
        (0x3164, 0x3164),
        (0xe000, 0xf8ff),
        (0xfdd0, 0xfdef),
        (0xfeff, 0xfeff),
        (0xffa0, 0xffa0),
        (0xfff0, 0xfffb),
        (0x13430, 0x1343f),
        (0x1bca0, 0x1bca3),
        (0x1d173, 0x1d17a),
        (0xe0000, 0xe0fff),
        (0xf0000, 0x10_ffff),
    ];
    c.is_control()
        || code & 0xffff >= 0xfffe
        || RANGES
            .iter()
            .any(|(from, to)| (*from..=*to).contains(&code))
}

/// Selectors of ordinary text, which stay behind a visible character.
pub fn is_selector(c: char) -> bool {
    matches!(u32::from(c), 0xfe00..=0xfe0f | 0x180b..=0x180d | 0x180f)
}

// === redact ===

/// A secret goes wherever it stands, a second time changes nothing, JSON stays JSON, and the length is bounded.
pub fn redact(bytes: &[u8]) {
    let redactor = Redactor::standard();
    let text = String::from_utf8_lossy(bytes);
    let mut report = Report::new();
    let once = redactor.redact_text(&text, &mut report);
    assert_eq!(report.failed(), 0, "it failed");
    let mut report = Report::new();
    let twice = redactor.redact_text(&once, &mut report);
    assert!(twice == once, "a second time: {once:?} -> {twice:?}");
    assert!(once.len() <= text.len() * 32 + 64, "{} bytes", once.len());
    if serde_json::from_str::<Json>(&text).is_ok() {
        assert!(
            serde_json::from_str::<Json>(&once).is_ok(),
            "JSON no longer: {once:?}"
        );
    }
    let (secret, body) = canary(bytes);
    if text.contains(body) {
        // A fuzzer reads this file too, and a part of a secret is none.
        return;
    }
    let at = bytes
        .first()
        .map_or(0, |at| text.len() * usize::from(*at) / 255);
    let at = (0..=at).rev().find(|at| text.is_char_boundary(*at));
    let (before, after) = text.split_at(at.unwrap_or(0));
    let with = format!("{before} {secret} {after}");
    let out = redactor.redact_str(&with);
    assert!(
        !out.contains(body),
        "a canary survives: {with:?} -> {out:?}"
    );
}

/// A secret, and the part of it that must be gone. Put together here, so that nobody takes this file for a leak.
fn canary(bytes: &[u8]) -> (String, &'static str) {
    const BODY: &str = "q7Rt2LmZ9vXc4KpW8sNd3FgH6jBy5TeUa1Ii";
    let secret = match bytes.len() % 4 {
        0 => format!("{}_{BODY}", "ghp"),
        1 => format!("{}_{BODY}", "hf"),
        2 => format!("{}-{BODY}", "glpat"),
        _ => format!("sk-{}-{BODY}{BODY}", "proj"),
    };
    (secret, BODY)
}

// === messages ===

/// Any JSON is read as anybody's messages without an end, and fits any budget or says why not: complete, no longer than asked,
/// and the same when it is fitted again.
pub fn messages(bytes: &[u8]) {
    let budget = bytes.first().map_or(0, |byte| usize::from(*byte) * 8);
    let text = String::from_utf8_lossy(bytes.get(1..).unwrap_or_default());
    if let Ok(fitted) = message::fit::json_text(&text, budget) {
        assert!(
            fitted.json.len() <= budget,
            "{} of {budget}",
            fitted.json.len()
        );
        assert!(serde_json::from_str::<serde::de::IgnoredAny>(&fitted.json).is_ok());
        let again =
            message::fit::json_text(&fitted.json, budget).map(|again| again.json.into_owned());
        assert_eq!(again.as_deref(), Ok(&*fitted.json), "a second time");
    }
    assert!(message::fit::text(&text, budget).len() <= budget);
    let Ok(json) = serde_json::from_str::<Json>(&text) else {
        return;
    };
    for read in [
        message::from_openai,
        message::from_openai_responses,
        message::from_anthropic,
        message::from_gemini,
        message::from_gen_ai,
        message::from_ag_ui,
    ] {
        let conversation = read(&json).value;
        let written = conversation.input_messages();
        let again = message::from_gen_ai(&written).value;
        assert_eq!(
            again.messages.len(),
            conversation.messages.len(),
            "{written}"
        );
    }
    assert!(message::metadata(&json).is_array());
}

// === messages as JSON ===

const APIS: [Api; 14] = [
    Api::OpenAiChat,
    Api::OpenAiCompletions,
    Api::OpenAiResponses,
    Api::AnthropicMessages,
    Api::Gemini,
    Api::Ollama,
    Api::OllamaGenerate,
    Api::Cohere,
    Api::Mistral,
    Api::BedrockConverse,
    Api::OpenAiEmbeddings,
    Api::GeminiEmbeddings,
    Api::OllamaEmbeddings,
    Api::CohereEmbeddings,
];

const TYPES: [Option<&str>; 5] = [
    None,
    Some("application/json"),
    Some("text/event-stream"),
    Some("application/x-ndjson"),
    Some("application/vnd.amazon.eventstream"),
];

/// The first byte says which API, the second how the answer is framed, the third how it is cut; the rest is the body of a
/// request and of an answer. However it is cut, the same is read; JSON that is redacted stays as it is a second time.
pub fn messages_json(bytes: &[u8]) {
    let [api, framing, size, body @ ..] = bytes else {
        return;
    };
    let api = APIS[usize::from(*api) % APIS.len()];
    let content_type = TYPES[usize::from(*framing) % TYPES.len()];
    let endpoint = Endpoint::new(api, "fuzz").measuring(true);
    let _ = endpoint.request(body, true);
    // Where a type that is wrong has a byte order mark before it that comes in pieces, the mark hides what the first byte
    // would have told.
    let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
    let read = |pieces: &mut dyn Iterator<Item = &[u8]>| {
        let mut reader: Reader = endpoint.reader(content_type, true);
        for piece in pieces {
            reader.push(piece);
        }
        let mut answer = reader.answer();
        // How many pieces garbage has is no fact about the answer; that there was some is.
        answer.unread = answer.unread.min(1);
        answer
    };
    let whole = read(&mut std::iter::once(body));
    let cut = read(&mut body.chunks(usize::from(*size).max(1)));
    assert_eq!(whole, cut, "it matters how the answer was cut");

    if let Ok(mut json) = serde_json::from_slice::<Json>(body) {
        let _ = endpoint.answer(&json, true);
        let redactor = Redactor::standard();
        redactor.redact_json(&mut json);
        let mut again = json.clone();
        redactor.redact_json(&mut again);
        assert_eq!(again, json, "a second time changes it");
    }
}

// === spool ===

/// The frame of a spool's segment, as the format is described.
fn frame(sequence: u64, body: &[u8]) -> Vec<u8> {
    let mut frame = MAGIC.to_vec();
    frame.extend(sequence.to_le_bytes());
    frame.extend(1_700_000_000_000_u64.to_le_bytes());
    frame.extend(7_u32.to_le_bytes());
    frame.extend((body.len() as u32).to_le_bytes());
    frame.extend(crc32fast::hash(body).to_le_bytes());
    frame.extend(crc32fast::hash(&frame).to_le_bytes());
    frame.extend(body);
    frame
}

const MAGIC: [u8; 4] = [0xff, b'g', b'f', 0xfe];

/// What is delivered of any bytes stands there as a whole frame, and no byte counts twice. Then the bytes are written somewhere
/// over a segment of three frames: those they do not touch are delivered, and nothing that was not written.
pub fn spool_scan(bytes: &[u8]) {
    let found = scan(bytes);
    let delivered: usize = found.frames.iter().map(|(.., body)| 36 + body.len()).sum();
    assert!(delivered as u64 + found.unreadable_bytes <= bytes.len() as u64);
    for (sequence, records, body) in &found.frames {
        let stands = bytes.windows(36 + body.len()).any(|frame| {
            frame.starts_with(&MAGIC)
                && frame[4..12] == sequence.to_le_bytes()
                && frame[20..24] == records.to_le_bytes()
                && frame[24..28] == (body.len() as u32).to_le_bytes()
                && frame[28..32] == crc32fast::hash(body).to_le_bytes()
                && frame[32..36] == crc32fast::hash(&frame[..32]).to_le_bytes()
                && frame[36..] == body[..]
        });
        assert!(stands, "a frame that nobody wrote: {sequence}");
    }

    let Some((at, over)) = bytes.split_first() else {
        return;
    };
    let mut segment = b"\x89TGSPL\r\n\x01\0\0\0".to_vec();
    segment.extend(crc32fast::hash(&segment).to_le_bytes());
    let mut frames = Vec::new();
    for sequence in 1..=3 {
        let body = vec![sequence as u8; 20 * sequence as usize];
        let from = segment.len();
        segment.extend(frame(sequence, &body));
        frames.push((from..segment.len(), sequence, body));
    }
    let written = segment.clone();
    let at = usize::from(*at) % segment.len();
    let over = at..(at + over.len()).min(segment.len());
    segment[over.clone()].copy_from_slice(&bytes[1..=over.len()]);
    // Another header that is right may say that all behind it is its body.
    let forged = (0..segment.len().saturating_sub(35)).any(|at| {
        let header = &segment[at..at + 36];
        header.starts_with(&MAGIC)
            && header[32..] == crc32fast::hash(&header[..32]).to_le_bytes()
            && *header != written[at..at + 36]
    });
    if forged {
        return;
    }
    let found = scan(&segment);
    for (place, sequence, body) in &frames {
        let touched = over.start < place.end && place.start < over.end;
        let came = found
            .frames
            .iter()
            .any(|(came, records, is)| (came, *records) == (sequence, 7) && is == body);
        assert!(came || touched, "{sequence} is lost");
    }
    assert!(found.frames.len() <= 3);
}

// === answers of a collector ===

/// Lines `name: value` up to an empty one, as headers, and what follows. A value may be anything a header can hold.
fn head(bytes: &[u8]) -> (HeaderMap, &[u8]) {
    let (mut headers, mut rest) = (HeaderMap::new(), bytes);
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, after) = (&rest[..end], &rest[end + 1..]);
        rest = after;
        if line.is_empty() {
            break;
        }
        let Some(colon) = line.iter().position(|byte| *byte == b':') else {
            continue;
        };
        let name = HeaderName::from_bytes(line[..colon].trim_ascii());
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii());
        if let (Ok(name), Ok(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    (headers, rest)
}

/// Two bytes are the status, the next is the clock; then headers, an empty line, trailers, an empty line, and the body. Every answer
/// has a verdict: with a wait of five minutes at most, a short text that harms no terminal, and a second try only where the
/// specification allows one.
pub fn otlp_judge(bytes: &[u8]) {
    let [high, low, hour, rest @ ..] = bytes else {
        return;
    };
    let status = u16::from_be_bytes([*high, *low]);
    let now = UNIX_EPOCH + Duration::from_secs(u64::from(*hour) * 40_000_000);
    let (headers, rest) = head(rest);
    let (trailers, body) = head(rest);
    for signal in [Signal::Traces, Signal::Logs, Signal::Metrics] {
        let http = judge_http(signal, status, &headers, body, now);
        let may = matches!(status, 429 | 502 | 503 | 504);
        assert_eq!(may, matches!(http, Verdict::Retry { .. }), "{status}");
        let refusable = signal != Signal::Traces && matches!(status, 404 | 405 | 415 | 501);
        assert_eq!(refusable, matches!(http, Verdict::Refused(_)), "{status}");
        let taken = (200..300).contains(&status);
        assert_eq!(taken, matches!(http, Verdict::Delivered { .. }), "{status}");
        bounded(http);
        for trailers in [Some(&trailers), None] {
            let grpc = judge_grpc(signal, status, &headers, body, trailers);
            if let Verdict::Refused(_) = grpc {
                assert_ne!(signal, Signal::Traces, "traces are never refused for good");
            }
            bounded(grpc);
        }
    }
}

fn bounded(verdict: Verdict) {
    let text = match verdict {
        Verdict::Delivered { message, .. } => {
            // It is said as part of a line, which is escaped as a whole.
            console::escape(&message.unwrap_or_default()).into_owned()
        }
        Verdict::Retry { after, cause } => {
            assert!(after.unwrap_or_default() <= Duration::from_secs(300));
            shown(&cause)
        }
        Verdict::Drop(cause) | Verdict::Refused(cause) => shown(&cause),
    };
    // Three hundred characters of theirs, of which escaping makes ten each at most, and some words of ours.
    assert!(text.chars().count() <= 300 * 10 + 100, "{text}");
    if let Some(c) = text.chars().find(|c| is_hostile(*c, false)) {
        panic!("U+{:04X} came through", u32::from(c));
    }
}

fn shown(cause: &Cause) -> String {
    cause.to_string()
}

// === headers from the environment ===

/// Every list is headers that can be sent, or an error that says which entry is none; neither repeats a value.
pub fn env_headers(bytes: &[u8]) {
    const CANARY: &str = "Cq7Rt2";
    let text = String::from_utf8_lossy(bytes);
    let _ = read_headers(&text);
    // The same with something in every value that must not come back. An entry without a name is all value.
    let with: Vec<_> = text
        .split(',')
        .map(|entry| match entry.trim().is_empty() {
            true => entry.to_owned(),
            false => format!("{entry}{CANARY}"),
        })
        .collect();
    let with = with.join(",");
    if text.contains(CANARY) {
        return;
    }
    match read_headers(&with) {
        Ok(headers) => assert!(!format!("{headers:?}").contains(CANARY)),
        Err(error) => assert!(!error.contains(CANARY), "{with:?} -> {error}"),
    }
}

fn read_headers(text: &str) -> Result<HeaderMap, String> {
    let headers = header_list(text).map_err(|error| {
        let (shown, debug) = (error.to_string(), format!("{error:?}"));
        assert!(shown.starts_with("OTEL_EXPORTER_OTLP_HEADERS"), "{shown}");
        assert!(!shown.chars().any(|c| is_hostile(c, false)), "{shown}");
        assert!(
            shown.chars().count() < 1_000,
            "{} characters",
            shown.chars().count()
        );
        shown + &debug
    })?;
    assert!(headers.len() <= text.split(',').count());
    for (name, value) in &headers {
        assert!(value.is_sensitive(), "{name}");
        let printable = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~');
        assert!(value.as_bytes().iter().all(printable), "{name}");
        assert_ne!(name, "content-type", "the exporter's own");
        assert_ne!(name, "host", "the exporter's own");
    }
    Ok(headers)
}

// === trace context ===

/// Headers, or with `{` first a JSON map, give a context that is valid or none. What is written from it is read as the same, and
/// written the same again.
pub fn traceparent(bytes: &[u8]) {
    if bytes.first() == Some(&b'{') {
        if let Ok(Json::Object(meta)) = serde_json::from_slice(bytes) {
            travels(&meta, serde_json::Map::new);
        }
        return;
    }
    let (headers, _) = head(bytes);
    travels(&headers, HeaderMap::new);
}

fn travels<C: Carrier>(carrier: &C, empty: impl Fn() -> C) {
    let read = extract(carrier);
    let span = span_of(&read);
    assert_eq!(span.is_valid(), read.has_active_span());
    if span.is_valid() {
        assert!(span.is_remote());
        let said = carrier.entry("traceparent").unwrap_or_default();
        let trace = format!("{}", span.trace_id());
        assert!(said.contains(&trace), "{said:?} says nothing of {trace}");
    }
    let mut written = empty();
    inject_context(&read, &mut written);
    let again = extract(&written);
    let (one, two) = (span_of(&read), span_of(&again));
    assert_eq!(
        (one.trace_id(), one.span_id(), one.is_sampled()),
        (two.trace_id(), two.span_id(), two.is_sampled())
    );
    assert_eq!(one.trace_state().header(), two.trace_state().header());
    // Of other baggage the SDK's propagator makes less each time: it decodes a per cent sign and does not encode it again, and what
    // follows a semicolon changes.
    let plain = |c: char| c.is_ascii_alphanumeric() || "=,._-".contains(c);
    if carrier
        .entry("baggage")
        .is_some_and(|all| all.chars().all(plain))
    {
        assert_eq!(baggage(&read), baggage(&again));
    }
    let mut twice = empty();
    inject_context(&again, &mut twice);
    for name in ["traceparent", "tracestate"] {
        assert_eq!(written.entry(name), twice.entry(name), "{name}");
    }
}

fn span_of(context: &Context) -> SpanContext {
    context.span().span_context().clone()
}

fn baggage(context: &Context) -> BTreeMap<String, String> {
    let all = context.baggage().iter();
    all.map(|(key, (value, _))| (key.to_string(), value.to_string()))
        .collect()
}
