//! The form of the conventions.

use proptest::prelude::*;
use serde_json::json;
use tracing_genai::message::{
    Delta, Message, Modality, Part, from_gen_ai, plain_tools, tool_definitions,
};

use super::{Schema, any_messages, any_part, assert_valid, conversation, data, problems};

#[test]
fn every_kind_of_part_is_written_in_the_conventions_form_and_read_back_the_same() {
    let written = json!([{
        "role": "assistant",
        "parts": [
            {"type": "text", "content": "a"},
            {"type": "reasoning", "content": "b", "signature": "s"},
            {"type": "tool_call", "id": "c1", "name": "get", "arguments": {"x": 1}},
            {"type": "tool_call_response", "id": "c1", "response": {"y": 2}},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "QUJD"},
            {"type": "file", "modality": "document", "mime_type": "application/pdf", "file_id": "f1"},
            {"type": "uri", "modality": "video", "uri": "gs://b/o"},
            {"type": "server_tool_call", "id": "s1", "name": "web", "server_tool_call": {"type": "web_search"}},
            {"type": "compaction", "id": "k", "content": "short"},
            {"type": "made_up_yesterday", "n": [1, 2]},
        ],
        "name": "planner",
        "finish_reason": "tool_call",
        "id": "m1",
        "vendor": true,
    }]);
    let read = from_gen_ai(&written).strict().unwrap();
    assert_eq!(read.input_messages(), written);
    assert_valid(Schema::Input, &written);
    assert_valid(Schema::Output, &read.output_messages());
    let parts = &read.messages[0].parts;
    assert_eq!(
        parts[2],
        Part::tool_call(Some("c1"), "get", json!({"x": 1}))
    );
    assert_eq!(parts[6], Part::uri(Modality::Video, "gs://b/o"));
}

#[test]
fn an_answer_without_a_finish_reason_says_error_as_the_schema_requires_one() {
    let answers = conversation(vec![
        Message::assistant("one").finish_reason("end_turn"),
        Message::assistant("two"),
    ]);
    let json = answers.output_messages();
    assert_eq!(json[0]["finish_reason"], "stop");
    assert_eq!(json[1]["finish_reason"], "error");
    assert_valid(Schema::Output, &json);
}

#[test]
fn debug_of_messages_and_conversions_shows_no_content() {
    let secret = "canary-7f3a";
    let message = Message::user(secret)
        .part(Part::reasoning(secret))
        .part(Part::tool_call(Some("id"), "tool", json!({ "a": secret })))
        .part(Part::tool_call_response(Some("id"), secret))
        .part(Part::blob("image/png", secret))
        .part(Part::uri(Modality::Image, secret))
        .part(Part::other(
            "kind",
            json!({ "a": secret }).as_object().unwrap().clone(),
        ));
    let history = conversation(vec![message.clone()]);
    let converted = from_gen_ai(&json!([message]));
    let fitted = tracing_genai::message::fit::messages(&history.messages, 9000);
    let delta = Delta::between(&[], &history.messages);
    for shown in [
        format!("{message:?}"),
        format!("{history:#?}"),
        format!("{converted:?}"),
        format!("{fitted:?}"),
        format!("{delta:?}"),
    ] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn tools_of_four_providers_have_one_form_that_is_valid() {
    let parameters =
        json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    for name in [
        "openai-chat",
        "openai-responses",
        "anthropic",
        "gemini",
        "bedrock-converse",
    ] {
        let request = data(&format!("provider/{name}/request.json"));
        let request = request.get("toolConfig").unwrap_or(&request);
        let tools = tool_definitions(request).strict().unwrap();
        assert_eq!(tools.len(), 1, "{name}");
        assert_eq!(tools[0]["name"], "get_weather", "{name}");
        assert_eq!(tools[0]["type"], "function", "{name}");
        assert_eq!(
            tools[0]["description"], "Current weather of a city",
            "{name}"
        );
        assert_eq!(
            tools[0]["parameters"]["required"], parameters["required"],
            "{name}"
        );
        assert_valid(Schema::Tools, &json!(tools));
        let plain = plain_tools(&tools);
        assert_eq!(plain, [json!({"type": "function", "name": "get_weather"})]);
        assert_valid(Schema::Tools, &json!(plain));
    }
}

#[test]
fn a_tool_without_a_name_is_named_by_its_place_and_the_others_are_kept() {
    let tools = tool_definitions(&json!([
        {"type": "web_search_20250305", "name": "web_search"},
        {"type": "function", "function": {"parameters": {}}},
        7,
        {"functionDeclarations": [{"name": "a"}, {}]},
        {"type": "code_interpreter"},
    ]));
    let names: Vec<_> = tools
        .value
        .iter()
        .map(|tool| tool["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["web_search", "a", "code_interpreter"]);
    assert_eq!(
        problems(&tools),
        [
            "tools[1].function.name: is missing",
            "tools[2]: is not an object",
            "tools[3].functionDeclarations[1].name: is missing",
        ]
    );
    assert_valid(Schema::Tools, &json!(tools.value));
}

#[test]
fn a_delta_that_misses_a_snapshot_between_says_so() {
    let (one, two) = (Message::user("1"), Message::assistant("2"));
    let delta = Delta::between(
        &[one.clone(), two.clone()],
        &[one.clone(), two, Message::user("3")],
    );
    let error = delta.apply(&[one]).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the delta keeps 2 messages of a snapshot of 1"
    );
}

proptest! {
    #[test]
    fn whatever_is_built_is_valid_and_read_back_the_same(
        messages in any_messages(),
        system in prop::collection::vec(any_part(), 0..4),
    ) {
        let built = conversation(messages).with_system(system);
        assert_valid(Schema::Input, &built.input_messages());
        assert_valid(Schema::Output, &built.output_messages());
        assert_valid(Schema::System, &built.system_instructions());
        let read = from_gen_ai(&built.input_messages()).value;
        prop_assert_eq!(read.input_messages(), built.input_messages());
    }

    #[test]
    fn a_snapshot_is_its_delta_on_the_one_before(before in any_messages(), after in any_messages()) {
        let delta = Delta::between(&before, &after);
        let stored: Delta = serde_json::from_value(serde_json::to_value(&delta).unwrap()).unwrap_or(delta);
        prop_assert_eq!(json!(stored.apply(&before).unwrap()), json!(after));
    }
}
