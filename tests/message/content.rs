//! Messages without their content, and with other content.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use tracing_genai::message::{map_text, metadata, metadata_of_parts};

use super::{Schema, any_json, any_messages, any_part, assert_valid, conversation};

#[test]
fn metadata_keeps_roles_types_ids_names_reasons_and_sizes_of_every_kind_of_part() {
    let messages = json!([{
        "role": "assistant", "name": "planner", "id": "m1", "finish_reason": "stop", "vendor": "secret",
        "parts": [
            {"type": "text", "content": "secret é"},
            {"type": "reasoning", "content": "secret", "signature": "secret"},
            {"type": "tool_call", "id": "c1", "name": "get", "arguments": {"q": "secret"}},
            {"type": "tool_call_response", "id": "c1", "response": ["secret"]},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "c2VjcmV0"},
            {"type": "file", "modality": "document", "file_id": "f1"},
            {"type": "uri", "modality": "image", "uri": "https://secret"},
            {"type": "server_tool_call", "id": "s", "name": "web", "server_tool_call": {"type": "web_search", "q": "secret"}},
            {"type": "compaction", "id": "k", "content": "secret"},
            {"type": "refusal", "content": "secret"},
        ],
    }]);
    let left = metadata(&messages);
    assert_eq!(
        left,
        json!([{
            "role": "assistant",
            "parts": [
                {"type": "text", "content": "", "bytes": 9},
                {"type": "reasoning", "content": "", "bytes": 6},
                {"type": "tool_call", "id": "c1", "name": "get", "bytes": 14},
                {"type": "tool_call_response", "id": "c1", "response": null, "bytes": 10},
                {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "", "bytes": 8},
                {"type": "file", "modality": "document", "file_id": "f1"},
                {"type": "uri", "modality": "image", "uri": "", "bytes": 14},
                {"type": "server_tool_call", "id": "s", "name": "web", "server_tool_call": {"type": "web_search"}, "bytes": 103},
                {"type": "compaction", "id": "k", "bytes": 49},
                {"type": "refusal", "bytes": 37},
            ],
            "name": "planner", "finish_reason": "stop", "id": "m1",
        }])
    );
    assert_valid(Schema::Output, &left);
}

#[test]
fn metadata_of_what_is_no_message_is_valid_and_says_how_much_there_was() {
    for odd in [
        json!("secret"),
        json!(7),
        json!(["secret", {"content": "secret"}]),
        json!({"a": "secret"}),
        Json::Null,
    ] {
        let left = metadata(&odd);
        assert_valid(Schema::Input, &left);
        assert!(!left.to_string().contains("secret"));
        assert_valid(Schema::System, &metadata_of_parts(&odd));
    }
    assert_eq!(
        metadata(&json!([{"role": "user", "content": "secret"}])),
        json!([{"role": "user", "parts": [{"type": "unknown", "bytes": 6}]}])
    );
    let long = json!([{"role": "r".repeat(300), "parts": [{"type": "t".repeat(300)}]}]);
    assert_eq!(metadata(&long)[0]["role"], "unknown");
}

#[test]
fn every_text_is_mapped_and_no_word_that_says_how_to_read_it() {
    let mut messages = json!([{
        "role": "assistant", "finish_reason": "stop",
        "parts": [
            {"type": "text", "content": "t1"},
            {"type": "tool_call", "id": "t2", "name": "t3", "arguments": {"type": "t4", "deep": [{"role": "t5"}]}},
            {"type": "tool_call_response", "response": "t6"},
            {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "QUJD".repeat(20)},
            {"type": "blob", "modality": "image", "content": "a short t7"},
            {"type": "uri", "modality": "image", "uri": "t8"},
            {"type": "NOT A WORD t9"},
        ],
    }]);
    let mut seen = Vec::new();
    let replaced = map_text(&mut messages, |field, text| {
        seen.push(format!("{field}={text}"));
        Some("*".to_owned())
    });
    seen.sort();
    assert_eq!(
        seen,
        [
            "arguments.type",
            "content=a short t7",
            "content=t1",
            "deep",
            "id=t2",
            "name=t3",
            "response=t6",
            "role=t5",
            "type=NOT A WORD t9",
            "type=t4",
            "uri=t8",
        ]
        .iter()
        .filter(|entry| entry.contains('='))
        .map(|entry| (*entry).to_owned())
        .collect::<Vec<_>>()
    );
    assert_eq!(replaced, 9);
    assert_eq!(messages[0]["role"], "assistant");
    assert_eq!(messages[0]["parts"][3]["content"], "QUJD".repeat(20));
    assert_eq!(
        messages[0]["parts"][1]["arguments"],
        json!({"type": "*", "deep": [{"role": "*"}]})
    );
}

proptest! {
    #[test]
    fn metadata_has_no_content_and_stays_valid(messages in any_messages(), parts in prop::collection::vec(any_part(), 0..4)) {
        let mut conversation = conversation(messages).with_system(parts).output_messages();
        // A canary in every text.
        map_text(&mut conversation, |field, _| (!matches!(field, "id" | "name" | "file_id")).then(|| "cAnAry".to_owned()));
        let left = metadata(&conversation);
        assert_valid(Schema::Output, &left);
        prop_assert!(!left.to_string().contains("cAnAry"));
        prop_assert_eq!(left.as_array().unwrap().len(), conversation.as_array().unwrap().len());
    }

    #[test]
    fn metadata_and_mapping_take_any_json(json in any_json()) {
        assert_valid(Schema::Input, &metadata(&json));
        assert_valid(Schema::System, &metadata_of_parts(&json));
        let mut mapped = json.clone();
        prop_assert_eq!(map_text(&mut mapped, |_, _| None), 0);
        prop_assert_eq!(&mapped, &json);
        let texts = map_text(&mut mapped, |_, text| Some(text.to_owned()));
        prop_assert!(texts <= json.to_string().matches('"').count());
        prop_assert_eq!(mapped, json);
    }

    #[test]
    fn no_text_stays_where_all_are_replaced(messages in any_messages()) {
        let mut json = conversation(messages).input_messages();
        map_text(&mut json, |_, text| Some("x".repeat(text.len())));
        let mut left = Vec::new();
        map_text(&mut json, |_, text| { left.push(text.to_owned()); None });
        prop_assert!(left.iter().all(|text| text.bytes().all(|byte| byte == b'x')));
        assert_valid(Schema::Input, &json);
    }
}
