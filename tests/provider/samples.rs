use proptest::prelude::*;

use super::{assert_answer, assert_same, json, read, samples};

#[test]
fn requests_give_exactly_what_is_expected() {
    for sample in samples() {
        for (file, part, url) in [
            ("request.json", "request", "url"),
            ("stream-request.json", "stream_request", "stream_url"),
        ] {
            let request = sample.endpoint(url).request(&sample.read(file), true);
            let what = format!("{} {part}", sample.name);
            assert_same(&json(&request.attrs), &sample.expected[part], &what);
            assert_same(
                &json(&request.content),
                &sample.expected["content"][part],
                &what,
            );
            assert_eq!(request.streaming, part == "stream_request", "{what}");
        }
    }
}

#[test]
fn whole_answers_give_exactly_what_is_expected() {
    for sample in samples() {
        let (endpoint, body) = (sample.endpoint("url"), sample.read("response.json"));
        let parsed = serde_json::from_slice(&body).unwrap();
        assert_answer(
            &sample,
            &endpoint.answer(&parsed, true),
            "response",
            "parsed",
        );
        for sizes in [&[usize::MAX][..], &[1], &[7, 64]] {
            let reader = endpoint.reader(Some("application/json"), true);
            let (answer, ..) = read(reader, &body, sizes);
            assert_answer(&sample, &answer, "response", "in pieces");
        }
    }
}

#[test]
fn streams_give_exactly_what_is_expected_whole_and_byte_by_byte() {
    for sample in samples() {
        let (bytes, kind) = sample.stream();
        for sizes in [&[usize::MAX][..], &[1], &[2, 3]] {
            let reader = sample.endpoint("stream_url").reader(Some(kind), true);
            let (answer, frames, _) = read(reader, &bytes, sizes);
            assert_answer(&sample, &answer, "stream", "in pieces");
            let total = sample.expected["stream_frames"]["total"].as_u64().unwrap();
            assert_eq!(u64::from(frames), total, "{}", sample.name);
        }
    }
}

#[test]
fn the_first_output_is_the_first_frame_that_holds_text_reasoning_or_a_tool_call() {
    for sample in samples() {
        let (bytes, kind) = sample.stream();
        for content in [true, false] {
            let reader = sample.endpoint("stream_url").reader(Some(kind), content);
            let (_, _, first) = read(reader, &bytes, &[1]);
            let expected = sample.expected["stream_frames"]["first_output_chunk"].as_u64();
            assert_eq!(first.map(u64::from), expected, "{}", sample.name);
        }
    }
}

#[test]
fn without_content_the_facts_are_the_same_and_there_is_no_content() {
    for sample in samples() {
        let (bytes, kind) = sample.stream();
        let reader = sample.endpoint("stream_url").reader(Some(kind), false);
        let (answer, ..) = read(reader, &bytes, &[11]);
        assert_same(
            &json(&answer.attrs),
            &sample.expected["stream"],
            &sample.name,
        );
        assert!(answer.content.is_empty());
        let request = sample
            .endpoint("url")
            .request(&sample.read("request.json"), false);
        assert!(request.content.is_empty());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn streams_give_exactly_what_is_expected_in_pieces_of_any_size(
        sizes in prop::collection::vec(1usize..200, 1..20),
        content in any::<bool>(),
    ) {
        for sample in samples() {
            let (bytes, kind) = sample.stream();
            let reader = sample.endpoint("stream_url").reader(Some(kind), content);
            let (answer, ..) = read(reader, &bytes, &sizes);
            assert_same(&json(&answer.attrs), &sample.expected["stream"], &sample.name);
        }
    }
}
