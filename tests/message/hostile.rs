//! Input that is made to break a reader.

use serde_json::{Value as Json, json};
use tracing_genai::message::fit::{self, MAX_BYTES, Unfit};
use tracing_genai::message::{
    MAX_DEPTH, Message, Part, from_ag_ui, from_anthropic, from_gemini, from_gen_ai, from_openai,
    from_openai_responses, map_text, metadata, to_openai, tool_definitions,
};

use super::{Schema, assert_valid, problems, text_message};

fn nested(depth: usize) -> Json {
    (0..depth).fold(Json::from("x"), |inner, _| Json::Array(vec![inner]))
}

/// Drops level by level: dropping ten thousand levels at once takes a stack.
fn dismantle(json: Json) {
    let mut open = vec![json];
    while let Some(json) = open.pop() {
        match json {
            Json::Array(items) => open.extend(items),
            Json::Object(fields) => open.extend(fields.into_iter().map(|(_, value)| value)),
            _ => {}
        }
    }
}

#[test]
fn text_that_nests_ten_thousand_deep_is_refused_and_64_levels_are_not() {
    let text = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
    for max in [10, 1000, 1_000_000] {
        assert_eq!(fit::json_text(&text(10_000), max), Err(Unfit::TooDeep));
        assert_eq!(
            fit::json_text(&"{\"a\":".repeat(10_000), max),
            Err(Unfit::TooDeep)
        );
        assert_eq!(
            fit::json_text(&text(MAX_DEPTH + 1), max),
            Err(Unfit::TooDeep)
        );
    }
    assert!(fit::json_text(&text(MAX_DEPTH), 1000).is_ok());
    assert!(fit::json_text(&text(MAX_DEPTH), 100).is_ok());
    let brackets = json!("[".repeat(100)).to_string();
    assert_eq!(fit::json_text(&brackets, 1000).unwrap().json, brackets);
}

#[test]
fn values_that_nest_ten_thousand_deep_are_a_problem_and_never_a_stack_overflow() {
    // The stack of a thread, which is 2 MiB, is what a recursion would use up.
    let thread = std::thread::spawn(|| {
        let mut messages = json!([text_message("user", "hi")]);
        messages[0]["parts"][0]["deep"] = Json::Null;
        if let Some(place) = messages.pointer_mut("/0/parts/0/deep") {
            *place = nested(10_000);
        }
        for read in [
            from_openai,
            from_anthropic,
            from_gemini,
            from_openai_responses,
            from_gen_ai,
            from_ag_ui,
        ] {
            let read = read(&messages);
            assert!(problems(&read)[0].ends_with("nests deeper than 64 levels"));
            assert!(read.value.messages.is_empty());
        }
        assert!(!tool_definitions(&messages).is_clean());
        assert_eq!(fit::json(&messages, 100), Err(Unfit::TooDeep));
        assert_valid_shallow(&metadata(&messages));
        assert_eq!(map_text(&mut messages, |_, _| Some(String::new())), 2);
        dismantle(messages);
    });
    thread.join().unwrap();
}

fn assert_valid_shallow(json: &Json) {
    assert_valid(Schema::Input, json);
}

#[test]
fn arguments_that_nest_deep_inside_their_text_stay_text() {
    for depth in [60, 120, 10_000] {
        let arguments = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let read = from_openai(&json!([{"role": "assistant", "tool_calls": [
            {"id": "c", "function": {"name": "f", "arguments": arguments}},
        ]}]));
        assert_eq!(
            read.value.messages[0].parts[0],
            Part::tool_call(Some("c"), "f", arguments.as_str())
        );
        assert_eq!(read.problems.len(), 1);
        assert!(read.problems[0].kept);
    }
}

#[test]
fn a_value_built_too_deep_by_hand_is_a_mark_in_what_fits() {
    let message = Message::assistant("hi").part(Part::tool_call(Some("c"), "f", nested(60)));
    let fitted = fit::messages(&[message], 1000).unwrap();
    let json: Json = serde_json::from_str(&fitted.json).unwrap();
    assert_eq!(json[0]["parts"][1]["arguments"], "…[cut: nests too deep]");
    assert_eq!(fitted.cut.values, 1);
}

#[test]
fn sixty_four_mebibytes_are_refused_unless_they_are_to_stay_as_they_are() {
    let content = "a".repeat(64 << 20);
    let text = format!(
        "[{{\"role\":\"user\",\"parts\":[{{\"type\":\"text\",\"content\":\"{content}\"}}]}}]"
    );
    assert!(text.len() > MAX_BYTES);
    assert_eq!(fit::json_text(&text, 16 * 1024), Err(Unfit::TooLarge));
    assert!(fit::json_text(&text, usize::MAX).is_ok());
    // As a value, which somebody holds already, it is cut.
    let messages = [Message::user(content)];
    let fitted = fit::messages(&messages, 16 * 1024).unwrap();
    assert!(fitted.json.len() <= 16 * 1024);
    assert!(fitted.json.len() > 16 * 1024 - 64);
}

#[test]
fn nul_and_control_characters_come_through_escaped() {
    let text = "a\u{0}b\u{1b}[31m\r\n\u{202e}";
    let json = from_openai(&json!([{"role": "user", "content": text}]))
        .strict()
        .unwrap()
        .input_messages();
    assert_eq!(json[0]["parts"][0]["content"], text);
    let written = json.to_string();
    assert!(!written.bytes().any(|byte| byte < 0x20));
    assert_eq!(fit::json_text(&written, 1000).unwrap().json, written);
    let long = Message::user("\u{0}".repeat(1000));
    assert!(fit::messages(&[long], 200).unwrap().json.len() <= 200);
}

#[test]
fn every_field_of_a_wrong_type_is_a_problem_or_kept_and_nothing_fails() {
    let wrong = [
        json!(null),
        json!(7),
        json!(true),
        json!("x"),
        json!([]),
        json!({}),
        json!([[]]),
        json!(-1e300),
    ];
    let samples = [
        ("openai-chat", "stream-request.json"),
        ("openai-responses", "response.json"),
        ("anthropic", "stream-request.json"),
        ("gemini", "stream-request.json"),
    ];
    for (name, file) in samples {
        let sample = super::data(&format!("provider/{name}/{file}"));
        for path in paths(&sample) {
            for value in &wrong {
                let mut broken = sample.clone();
                *broken.pointer_mut(&path).unwrap() = value.clone();
                for read in [
                    from_openai,
                    from_anthropic,
                    from_gemini,
                    from_openai_responses,
                    from_gen_ai,
                    from_ag_ui,
                ] {
                    let read = read(&broken);
                    assert_valid(Schema::Output, &read.value.output_messages());
                    let _ = (to_openai(&read.value), tool_definitions(&broken));
                }
                assert_valid(Schema::Input, &metadata(&broken));
            }
        }
    }
}

/// The JSON pointers of all values in a document.
fn paths(json: &Json) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![(json, String::new())];
    while let Some((json, path)) = open.pop() {
        match json {
            Json::Array(items) => open.extend(
                items
                    .iter()
                    .enumerate()
                    .map(|(at, item)| (item, format!("{path}/{at}"))),
            ),
            Json::Object(fields) => open.extend(
                fields
                    .iter()
                    .map(|(name, item)| (item, format!("{path}/{name}"))),
            ),
            _ => {}
        }
        found.push(path);
    }
    found
}

#[test]
fn a_hundred_thousand_messages_take_a_time_that_grows_with_them_and_fit() {
    let messages: Vec<Json> = (0..100_000)
        .map(|at| text_message("user", &format!("message {at}")))
        .collect();
    let text = Json::Array(messages).to_string();
    let fitted = fit::json_text(&text, 4096).unwrap();
    assert!(fitted.json.len() <= 4096);
    assert!(fitted.cut.messages > 99_000);
    assert!(fitted.json.contains("message 99999"));
}
