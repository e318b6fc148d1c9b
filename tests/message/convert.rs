//! Where something is wrong, and what is kept all the same.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tracing_genai::message::{
    Content, Message, Part, Role, from_anthropic, from_gemini, from_gen_ai, from_openai,
    from_openai_responses, to_anthropic, to_openai,
};

use super::{Schema, any_json, any_text, assert_valid, conversation, problems};

#[test]
fn each_kind_of_message_is_read_with_its_calls_and_names() {
    let read = from_openai(&json!([
        {"role": "system", "content": "s"},
        {"role": "developer", "content": "d"},
        {"role": "user", "content": "u", "name": "ann", "id": "m3"},
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{\"a\":1}"}},
        ]},
        {"role": "tool", "tool_call_id": "c1", "content": "r"},
    ]))
    .strict()
    .unwrap();
    let roles: Vec<_> = read
        .messages
        .iter()
        .map(|message| message.role.clone())
        .collect();
    assert_eq!(
        roles,
        [
            Role::System,
            Role::Developer,
            Role::User,
            Role::Assistant,
            Role::Tool
        ]
    );
    assert_eq!(read.messages[2].name.as_deref(), Some("ann"));
    assert_eq!(read.messages[2].id.as_deref(), Some("m3"));
    assert_eq!(
        read.messages[3].parts,
        [Part::tool_call(Some("c1"), "f", json!({"a": 1}))]
    );
    assert_eq!(
        read.messages[4].parts,
        [Part::tool_call_response(Some("c1"), "r")]
    );
}

#[test]
fn what_is_wrong_in_openai_messages_is_named_by_its_index_and_the_rest_is_kept() {
    let read = from_openai(&json!([
        {"role": "user"},
        {"content": "no role"},
        {"role": "wizard", "content": "?"},
        {"role": "user", "content": [7, {"type": "text", "text": "kept"}, {"text": "no type"}]},
        {"role": "assistant", "tool_calls": [{"id": "c1", "function": {"arguments": "{}"}}, {"id": "c2"}]},
        {"role": "tool", "content": "no id"},
        {"role": "tool", "tool_call_id": "c9", "content": "of no call"},
        "text",
        {"role": "user", "content": 7},
        {"role": "user", "content": "last"},
    ]));
    assert_eq!(
        problems(&read),
        [
            "messages[0].content: is missing",
            "messages[1].role: is missing",
            "messages[2].role: is no known role",
            "messages[3].content[0]: is not an object",
            "messages[3].content[2].type: is missing",
            "messages[4].tool_calls[0].function.name: is missing",
            "messages[4].tool_calls[1].function: is missing",
            "messages[5].tool_call_id: is missing",
            "messages[6].tool_call_id: answers no tool call before it",
            "messages[7]: is not an object",
            "messages[8].content: is not a string or a list",
        ]
    );
    assert!(read.problems[8].kept && !read.problems[7].kept);
    let texts: Vec<String> = read.value.messages.iter().map(Message::text).collect();
    assert_eq!(texts, ["kept", "", "", "", "last"]);
    let error = read.strict().unwrap_err();
    assert_eq!(
        error.to_string(),
        "messages[0].content: is missing (and 10 more)"
    );
}

#[test]
fn a_strict_conversion_names_the_index_and_a_lenient_one_skips_what_is_bad() {
    let user = json!({"role": "user", "content": "kept"});
    for (bad, wrong) in [
        (json!({"role": "user"}), "messages[1].content: is missing"),
        (json!({"role": "system"}), "messages[1].content: is missing"),
        (
            json!({"role": "tool", "content": "x"}),
            "messages[1].tool_call_id: is missing",
        ),
        (
            json!({"role": "tool", "tool_call_id": "c"}),
            "messages[1].content: is missing",
        ),
        (
            json!({"role": "wizard", "content": "x"}),
            "messages[1].role: is no known role",
        ),
    ] {
        let read = from_openai(&json!([user, bad, user]));
        assert_eq!(problems(&read)[0], wrong, "{bad}");
        let kept: Vec<_> = read.value.messages.iter().map(Message::text).collect();
        assert_eq!(
            kept.first().zip(kept.last()),
            Some((&"kept".to_owned(), &"kept".to_owned()))
        );
        let tool = bad["role"] == "tool";
        assert!(
            !tool || kept.len() == 2,
            "{bad}: a bad message of a tool is skipped"
        );
        let refused = read.strict().unwrap_err().to_string();
        assert!(refused.contains(wrong), "{refused}");
    }
    let silent = json!([{"role": "assistant", "content": null}]);
    assert!(
        from_openai(&silent).is_clean(),
        "an assistant may say nothing"
    );
}

#[test]
fn lists_of_parts_stay_lists_and_unknown_parts_stay_as_they_are() {
    let content = json!([
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD", "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
        {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "wav"}},
        {"type": "file", "file": {"file_id": "f1"}},
        {"type": "hologram", "depth": 3},
    ]);
    let messages = json!([{"role": "user", "content": content}]);
    let read = from_openai(&messages).strict().unwrap();
    let kinds: Vec<_> = read.messages[0].parts.iter().map(Part::kind).collect();
    assert_eq!(kinds, ["text", "blob", "uri", "blob", "file", "hologram"]);
    assert_eq!(json!(to_openai(&read).strict().unwrap()), messages);
}

#[test]
fn arguments_that_are_no_json_stay_text_in_both_directions() {
    let history = json!([{"role": "assistant", "content": null, "tool_calls": [
        {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{\"city\": "}},
    ]}]);
    let read = from_openai(&history);
    assert_eq!(
        problems(&read),
        ["messages[0].tool_calls[0].function.arguments: is not JSON"]
    );
    assert!(read.problems[0].kept);
    assert_eq!(json!(to_openai(&read.value).strict().unwrap()), history);
}

#[test]
fn what_is_wrong_in_other_formats_is_named_by_its_index_too() {
    let anthropic = from_anthropic(&json!({"system": 7, "messages": [
        {"role": "user", "content": [{"type": "tool_result", "content": "x"}, "y"]},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "input": {}}]},
        {"role": "user"},
    ]}));
    assert_eq!(
        problems(&anthropic),
        [
            "system: is not a string or a list",
            "messages[0].content[0].tool_use_id: is missing",
            "messages[0].content[1]: is not an object",
            "messages[1].content[0].name: is missing",
            "messages[2].content: is missing",
        ]
    );
    let gemini = from_gemini(&json!({"contents": [
        {"role": "alien", "parts": []},
        {"parts": [{"functionCall": {"args": {}}}, {}, {"text": "kept"}]},
        {"parts": 7},
    ]}));
    assert_eq!(
        problems(&gemini),
        [
            "contents[0].role: is no known role",
            "contents[1].parts[0].functionCall.name: is missing",
            "contents[1].parts[1]: is missing",
            "contents[2].parts: is not a list",
        ]
    );
    assert_eq!(gemini.value.messages[0].text(), "kept");
    let responses = from_openai_responses(&json!({"input": [
        {"type": "function_call", "call_id": "c", "arguments": "{}"},
        {"type": "function_call_output", "output": "x"},
        {"role": "user", "content": [{"text": "no type"}]},
    ]}));
    assert_eq!(
        problems(&responses),
        [
            "input[0].name: is missing",
            "input[1].call_id: is missing",
            "input[2].content[0].type: is missing",
        ]
    );
    let gen_ai =
        from_gen_ai(&json!([{"role": "user"}, {"parts": []}, {"role": "user", "parts": [{}]}]));
    assert_eq!(
        problems(&gen_ai),
        [
            "messages[0].parts: is missing",
            "messages[1].role: is missing",
            "messages[2].parts[0]: is not a part with a type",
        ]
    );
}

#[test]
fn blocks_of_anthropic_become_parts_and_keep_their_signatures() {
    let request = json!({"system": [{"type": "text", "text": "s", "cache_control": {"type": "ephemeral"}}], "messages": [
        {"role": "user", "content": [
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"}},
            {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}},
        ]},
        {"role": "assistant", "content": [
            {"type": "thinking", "thinking": "hm", "signature": "sig"},
            {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "q"}},
            {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"type": "web_search_result", "url": "u"}]},
            {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}},
        ]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": "r", "is_error": true}]},
    ]});
    let read = from_anthropic(&request).strict().unwrap();
    let kinds: Vec<_> = read.messages[1].parts.iter().map(Part::kind).collect();
    assert_eq!(
        kinds,
        [
            "reasoning",
            "server_tool_call",
            "server_tool_call_response",
            "tool_call"
        ]
    );
    assert_eq!(read.messages[1].parts[0].extra["signature"], "sig");
    super::assert_valid(super::Schema::Input, &read.input_messages());
    assert_eq!(to_anthropic(&read).strict().unwrap(), request);
    assert!(read.plain().messages[1].parts[0].extra.is_empty());
}

#[test]
fn openai_and_anthropic_messages_become_the_conventions_and_their_schemas_accept_them() {
    let openai = json!([
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "Weather?"}, {"type": "image_url", "image_url": {"url": "https://a.example/x.png"}}]},
        {"role": "assistant", "content": null, "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "get", "arguments": "{\"city\":\"Paris\"}"}},
        ]},
        {"role": "tool", "tool_call_id": "c1", "content": "14"},
    ]);
    let anthropic = json!({"system": "Be brief.", "messages": [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "c1", "name": "get", "input": {"city": "Paris"}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "14"}]},
    ]});
    for read in [from_openai(&openai), from_anthropic(&anthropic)] {
        let read = read.strict().unwrap();
        assert_valid(Schema::Input, &read.input_messages());
        assert_valid(Schema::Output, &read.output_messages());
        assert_valid(Schema::System, &read.system_instructions());
        let calls = read.messages.iter().flat_map(|message| &message.parts);
        assert!(
            calls
                .map(Part::kind)
                .any(|kind| kind == "tool_call_response")
        );
    }
}

#[test]
fn a_response_is_one_turn_with_the_reason_its_status_tells() {
    let mut response = json!({"status": "completed", "output": [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "14 °C", "annotations": []}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
    ]});
    let read = from_openai_responses(&response).strict().unwrap();
    assert_eq!(read.messages.len(), 1);
    assert_eq!(read.messages[0].finish_reason.as_deref(), Some("tool_call"));
    response["status"] = "incomplete".into();
    response["incomplete_details"] = json!({"reason": "content_filter"});
    let read = from_openai_responses(&response).strict().unwrap();
    assert_eq!(
        read.messages[0].finish_reason.as_deref(),
        Some("content_filter")
    );
}

#[test]
fn what_a_format_has_no_place_for_is_named_and_left_out() {
    let film = Message::user("see").part(Part::blob("video/mp4", "QUJD"));
    let said = Message::assistant("x").part(Part::reasoning("hm"));
    let history = conversation(vec![film, said]);
    let openai = to_openai(&history);
    assert_eq!(
        problems(&openai),
        [
            "messages[0].parts[1]: cannot be said in OpenAI's chat messages",
            "messages[1].parts[1]: cannot be said in OpenAI's chat messages",
        ]
    );
    assert_eq!(openai.value[0], json!({"role": "user", "content": "see"}));
    assert_eq!(
        problems(&to_anthropic(&history)),
        ["messages[0].parts[1]: cannot be said in Anthropic's messages",]
    );
}

#[test]
fn a_thousand_problems_are_a_hundred_and_a_count() {
    let read = from_openai(&Json::Array(vec![json!({}); 1000]));
    assert_eq!((read.problems.len(), read.unlisted), (100, 900));
    assert!(
        read.strict()
            .unwrap_err()
            .to_string()
            .ends_with("(and 999 more)")
    );
}

/// A history as OpenAI's clients have it.
fn any_openai() -> impl Strategy<Value = Json> {
    let text =
        || any_text().prop_filter("empty text beside calls is none", |text| !text.is_empty());
    let said = prop_oneof![
        Just("system"),
        Just("developer"),
        Just("user"),
        Just("assistant")
    ];
    let plain =
        (said, text()).prop_map(|(role, text)| vec![json!({"role": role, "content": text})]);
    let parts = prop::collection::vec(text(), 2..4).prop_map(|texts| {
        let parts: Vec<Json> = texts
            .iter()
            .map(|text| json!({"type": "text", "text": text}))
            .collect();
        vec![json!({"role": "user", "content": parts})]
    });
    let called = (prop::collection::btree_map("[a-z]{1,8}", any_json(), 0..4), any_text()).prop_map(|(arguments, result)| {
        let arguments = json!(arguments).to_string();
        vec![
            json!({"role": "assistant", "content": null, "tool_calls": [
                {"id": "c", "type": "function", "function": {"name": "f", "arguments": arguments}},
            ]}),
            json!({"role": "tool", "tool_call_id": "c", "content": result}),
        ]
    });
    prop::collection::vec(prop_oneof![plain, parts, called], 0..6).prop_map(|turns| {
        let mut messages: Vec<Json> = turns.into_iter().flatten().collect();
        for (at, message) in messages.iter_mut().enumerate() {
            // Each call has an id of its own, and the result after it has the same.
            if let Some(id) = message.pointer_mut("/tool_calls/0/id") {
                *id = format!("c{at}").into();
            } else if message["role"] == "tool" {
                message["tool_call_id"] = format!("c{}", at - 1).into();
            }
        }
        Json::Array(messages)
    })
}

proptest! {
    #[test]
    fn openai_messages_survive_the_way_through_the_conventions_form(history in any_openai()) {
        let read = from_openai(&history).strict().unwrap();
        let attribute = read.input_messages().to_string();
        super::assert_valid(super::Schema::Input, &read.input_messages());
        let again = from_gen_ai(&serde_json::from_str(&attribute).unwrap()).strict().unwrap();
        prop_assert_eq!(&again, &read);
        prop_assert_eq!(json!(to_openai(&again).strict().unwrap()), history);
    }

    #[test]
    fn no_json_makes_a_reader_fail_and_what_they_give_is_valid(json in any_json(), inside in any_json()) {
        let around = json!({"messages": [{"role": "user", "content": inside}, json], "contents": [{"parts": [inside]}],
            "input": [inside], "output": inside});
        for json in [&json, &inside, &around] {
            for read in [from_openai(json), from_anthropic(json), from_gemini(json), from_openai_responses(json), from_gen_ai(json)] {
                super::assert_valid(super::Schema::Output, &read.value.output_messages());
                super::assert_valid(super::Schema::System, &read.value.system_instructions());
                let _ = (to_openai(&read.value), to_anthropic(&read.value), tracing_genai::message::to_ag_ui(&read.value));
            }
        }
    }
}

#[test]
fn a_content_that_is_of_the_wrong_type_is_kept_under_its_type() {
    let part = Part::from_json(&json!({"type": "text", "content": 7})).unwrap();
    assert!(matches!(&part.content, Content::Other { kind } if kind == "text"));
    assert_eq!(json!(part), json!({"type": "text", "content": 7}));
}
