use proptest::prelude::*;
use serde_json::json;
use tracing_genai::provider::{Api, Endpoint, Reader};

use super::samples;

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

const KINDS: [Option<&str>; 5] = [
    None,
    Some("application/json"),
    Some("text/event-stream"),
    Some("application/x-ndjson"),
    Some("application/vnd.amazon.eventstream"),
];

fn chat(kind: &str) -> Reader {
    Endpoint::new(Api::OpenAiChat, "openai").reader(Some(kind), false)
}

#[test]
fn a_stream_under_a_wrong_content_type_is_read_all_the_same() {
    for sample in samples() {
        let (bytes, kind) = sample.stream();
        // Nobody but AWS sends binary frames, and lengths look like anything.
        if kind == "application/vnd.amazon.eventstream" {
            continue;
        }
        for wrong in ["application/json", "text/plain", "application/octet-stream"] {
            let mut reader = sample.endpoint("stream_url").reader(Some(wrong), false);
            reader.push(&bytes);
            let expected = sample.expected["stream"]["gen_ai.usage.input_tokens"].as_u64();
            assert_eq!(
                reader.answer().usage.input_tokens,
                expected,
                "{} {wrong}",
                sample.name
            );
        }
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_an_answer_however_it_is_cut() {
    let body = "\u{feff}{\"id\":\"a\",\"choices\":[],\"usage\":{\"prompt_tokens\":3}}";
    for size in [1, 2, 3, body.len()] {
        let mut reader = chat("application/json");
        body.as_bytes().chunks(size).for_each(|piece| {
            reader.push(piece);
        });
        let answer = reader.answer();
        assert_eq!(
            (answer.usage.input_tokens, answer.unread),
            (Some(3), 0),
            "{size}"
        );
    }
}

#[test]
fn lines_of_json_that_were_cut_under_a_wrong_content_type_are_read_as_far_as_they_came() {
    let mut reader = Endpoint::new(Api::Ollama, "ollama").reader(Some("application/json"), false);
    reader.push(b"{\"model\":\"m\",\"message\":{\"content\":\"a\"},\"done\":false}\n{\"model\":\"m\",\"mess");
    let answer = reader.answer();
    assert_eq!(answer.attrs.get("gen_ai.response.model"), Some(&"m".into()));
    assert_eq!((answer.complete, answer.unread), (false, 1));
}

#[test]
fn compressed_bytes_and_invalid_text_give_no_number_and_are_counted() {
    let mut gzip = chat("application/json");
    gzip.push(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xaa, 0x56, 0x2a]);
    let answer = gzip.answer();
    assert!(answer.attrs.is_empty());
    assert_eq!(answer.unread, 1);
    let mut broken = chat("text/event-stream");
    broken.push(b"data: {\"model\":\"\xff\xfe\"}\n\ndata: {not json}\n\ndata: {\"usage\":{\"prompt_tokens\":4}}\n\n");
    let answer = broken.answer();
    assert_eq!(answer.usage.input_tokens, Some(4));
    assert_eq!(answer.unread, 2);
}

#[test]
fn a_body_of_a_hundred_megabytes_is_let_pass_within_bounded_memory() {
    let piece = vec![b'x'; 1 << 20];
    for kind in [
        "application/json",
        "text/event-stream",
        "application/x-ndjson",
    ] {
        let mut reader = chat(kind);
        reader.push(b"{\"a\":\"");
        let most = allocation_counter::measure(|| {
            for _ in 0..100 {
                reader.push(&piece);
            }
        })
        .bytes_max;
        assert!(most < 3 * Reader::LIMIT as u64, "{kind}: {most} bytes");
        let answer = reader.answer();
        assert!(answer.attrs.is_empty(), "{kind}");
        assert_eq!(answer.unread, 1, "{kind}");
    }
}

#[test]
fn an_endless_stream_keeps_nothing_of_what_it_said() {
    let mut reader = chat("text/event-stream");
    let frame = format!(
        "data: {}\n\n",
        json!({"choices": [{"index": 0, "delta": {"content": "word"}}]})
    );
    let mut push = |n: usize| {
        allocation_counter::measure(|| {
            for _ in 0..n {
                reader.push(frame.as_bytes());
            }
        })
    };
    push(10);
    let later = push(100_000);
    assert_eq!(
        (later.count_total, later.bytes_current),
        (0, 0),
        "no allocation for a frame alike"
    );
}

#[test]
fn deep_nesting_is_refused_and_counted() {
    let mut reader = chat("application/json");
    reader.push("[".repeat(100_000).replace('[', "{\"a\":[").as_bytes());
    assert_eq!(reader.answer().unread, 1);
}

#[test]
fn every_cut_and_every_flipped_byte_of_a_binary_stream_gives_no_wrong_number() {
    let sample = samples()
        .into_iter()
        .find(|s| s.name == "bedrock-converse")
        .unwrap();
    let (bytes, kind) = sample.stream();
    let expected = sample.expected["stream"]["gen_ai.usage.input_tokens"].as_u64();
    let read = |bytes: &[u8]| {
        let mut reader = sample.endpoint("stream_url").reader(Some(kind), false);
        reader.push(bytes);
        reader.answer()
    };
    for end in 0..bytes.len() {
        assert_eq!(read(&bytes[..end]).usage.input_tokens, None);
    }
    for at in 0..bytes.len() {
        let mut flipped = bytes.clone();
        flipped[at] ^= 0x20;
        let answer = read(&flipped);
        assert!(answer.unread > 0, "byte {at}");
        assert!(
            answer
                .usage
                .input_tokens
                .is_none_or(|n| Some(n) == expected),
            "byte {at}"
        );
    }
}

#[test]
fn choices_and_parts_without_end_are_bounded() {
    let endpoint = Endpoint::new(Api::OpenAiChat, "openai");
    let mut reader = endpoint.reader(Some("text/event-stream"), true);
    for index in 0..100_000 {
        let frame = json!({"choices": [{"index": index, "delta": {"content": "x", "tool_calls": [{"index": index, "id": "t", "function": {"name": "n"}}]}}]});
        reader.push(format!("data: {frame}\n\n").as_bytes());
    }
    assert!(reader.answer().finish_reasons.len() <= 128);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_bytes_make_a_reader_fail(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        kind in 0..KINDS.len(),
        size in 1usize..50,
    ) {
        for api in APIS {
            let mut reader = Endpoint::new(api, "p").reader(KINDS[kind], true);
            bytes.chunks(size).for_each(|piece| { reader.push(piece); });
            let _ = reader.answer();
            let _ = Endpoint::new(api, "p").request(&bytes, true);
        }
    }

    #[test]
    fn no_damage_to_a_real_stream_makes_a_reader_fail(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        for sample in samples() {
            let (mut bytes, kind) = sample.stream();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let mut reader = sample.endpoint("stream_url").reader(Some(kind), true);
            reader.push(&bytes);
            let _ = reader.answer();
        }
    }
}
